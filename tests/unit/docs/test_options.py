"""What docs/options.md says of the command line is what --help says."""

import os
import re
from unittest import TestCase

from aster_collect.commands import collect
from tests.unit.docs.page import DOCS, table


def help_text() -> str:
    """Return what --help shows on a terminal so wide that no entry is broken."""
    width = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "2000"
    try:
        return collect.parser().format_help()
    finally:
        if width is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = width


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
        told = [row for row in table(DOCS["options"].text) if len(row) == 3]
        self.assertEqual(told, help_options())

    def test_the_exit_statuses(self) -> None:
        """The table of exit statuses is that of --help."""
        told = {row[0]: row[1] for row in table(DOCS["options"].text) if len(row) == 2}
        listed = help_text().split("exit status:\n")[1]
        self.assertEqual(told, dict(re.findall(r"^  (\d)  (.*)$", listed, re.MULTILINE)))
