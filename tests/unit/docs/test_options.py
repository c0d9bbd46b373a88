"""What docs/options.md says of the command line is what --help says."""

import re
from unittest import TestCase

from aster_collect.commands import collect
from aster_collect.commands.command import NAMES, load
from aster_collect.commands.statuses import STATUSES
from tests.unit.commands.calls import columns
from tests.unit.docs.page import DOCS, table


def help_text() -> str:
    """Return what --help shows on a terminal so wide that no entry is broken."""
    with columns(2000):
        return collect.grammar().format_help()


def help_options() -> list[list[str]]:
    """Return --help's arguments as [names, meaning, default]."""
    listed = re.search(r"\npositional arguments:\n(.*?)\n\noptions:\n(.*?)\n\n", help_text(), re.DOTALL)
    assert listed is not None
    entries = [" ".join(entry.split("\n")) for entry in re.split(r"\n(?=  \S)", f"{listed[1]}\n{listed[2]}")]
    found = []
    for entry in entries:
        names, meaning = re.split(r"\s{2,}", entry.strip(), maxsplit=1)
        parts = re.fullmatch(r"(.*?)(?: \(default: (.*)\))?", meaning.strip())
        assert parts is not None
        found.append([f"`{names}`", parts[1], parts[2] or "-"])
    return found


class TheOptions(TestCase):
    maxDiff = None

    def test_an_option_that_the_docs_do_not_know(self) -> None:
        """The table of options is --help, word for word, with the same defaults, none missing and none too many."""
        told = table(DOCS["options"].section("Collecting"))
        self.assertEqual(told, help_options())

    def test_a_command_that_the_docs_do_not_know(self) -> None:
        """The table of commands is the program's, with their sentences."""
        told = table(DOCS["options"].text.partition("## Collecting")[0])
        self.assertEqual(told, [[f"`{name}`", load(name).sentence] for name in NAMES])

    def test_the_exit_statuses(self) -> None:
        """The table of exit statuses is the program's, for every command, in its words."""
        told = table(DOCS["options"].section("Exit statuses"))
        listed = [
            [str(status), f"`{name}`", of[name]] for status, of in STATUSES.items() for name in NAMES if name in of
        ]
        self.assertEqual(told, listed)
