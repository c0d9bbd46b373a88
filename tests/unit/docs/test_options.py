"""What docs/options.md says of the command line is what --help says."""

import re
from unittest import TestCase

from aster_collect.commands.command import NAMES, load
from aster_collect.commands.statuses import STATUSES
from tests.unit.commands.calls import columns
from tests.unit.docs.page import DOCS, table


def help_options(name: str) -> list[list[str]]:
    """Return the arguments of a command as its --help tells them: [names, meaning, default]."""
    with columns(2000):  # so wide that no entry is broken
        head, _, rest = load(name).grammar().format_help().partition("\noptions:\n")
    listed = [*re.findall(r"^  \S.*", head, re.MULTILINE), *re.split(r"\n(?=  \S)", rest.partition("\n\n")[0])]
    found = []
    for entry in listed:
        names, meaning = re.split(r"\s{2,}", entry.strip(), maxsplit=1)
        parts = re.fullmatch(r"(.*?)(?: \(default: (.*)\))?", " ".join(meaning.split()))
        assert parts is not None
        found.append([f"`{names}`", parts[1], parts[2] or "-"])
    return found


class TheOptions(TestCase):
    maxDiff = None

    def test_an_option_that_the_docs_do_not_know(self) -> None:
        """Each command's table of options is its --help, word for word, none missing and none too many."""
        titles = (
            "Collecting",
            "Verifying",
            "Judging health",
            "Exporting",
            "Merging",
            "Repairing",
            "Reporting",
            "Replaying",
            "Simulating",
        )
        for name, title in zip(NAMES, titles, strict=True):
            with self.subTest(command=name):
                self.assertEqual(table(DOCS["options"].section(title)), help_options(name))

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
