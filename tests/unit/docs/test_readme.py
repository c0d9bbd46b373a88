"""The README is short, keeps its order, and what it shows works."""

import contextlib
import io
import re
import tempfile
from pathlib import Path
from typing import Any
from unittest import TestCase

from aster_collect import __version__
from aster_collect.exchange.ledger import LEDGER
from aster_collect.exchange.shape import form
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.exchange.streams.trades import Trade
from tests import rows
from tests.rowstore import row_of
from tests.unit.docs.page import README, ROOT, fenced, table
from tests.unit.docs.test_options import help_options

SECTIONS = [
    "Install",
    "60 seconds without a network",
    "The real run",
    "The files",
    "What is promised",
    "Leaving it running",
    "Options",
    "More",
]
PICTURES = re.findall(r"!\[.*?\]\((.*?)\)", README.text)


class TheReadme(TestCase):
    maxDiff = None

    def test_a_readme_that_nobody_reads_to_its_end(self) -> None:
        """It has at most 200 lines, and its sections are in the order in which a newcomer asks."""
        self.assertLessEqual(len(README.text.splitlines()), 200)
        self.assertEqual(re.findall(r"^## (.*)$", README.prose, re.MULTILINE), SECTIONS)

    def test_an_option_in_other_words(self) -> None:
        """The ten options are those of --help, word for word."""
        told = table(README.section("Options"))
        self.assertEqual(len(told), 10)
        listed = help_options("collect")
        for row in told:
            self.assertIn(row, listed)

    def test_a_row_that_no_file_has(self) -> None:
        """Each kind of file has its line, whose sample is a row of it; an ellipsis stands for more of the same."""
        kinds = {f"`{kind.file_name('BTCUSDT')}`": kind for kind in (*KINDS.values(), LEDGER)}
        told = table(README.section("The files"))
        self.assertEqual([row[0] for row in told], list(kinds))
        for name, _, sample in told:
            columns, row = [column.name for column in kinds[name].columns(Options())], sample.strip("`")
            if row.endswith(",…"):
                row = row.removesuffix("…") + ",".join(["1"] * (len(columns) - row.count(",")))
            shape = form(kinds[name], ",".join(columns).encode())
            assert shape is not None, name
            self.assertIsNotNone(shape.pattern.fullmatch(f"{row}\n".encode()), name)

    def test_pandas(self) -> None:
        """The first snippet runs on what the demo leaves, and finds the prices of each minute."""
        self.enterContext(contextlib.chdir(self.enterContext(tempfile.TemporaryDirectory())))
        folder = Path("ASTER_data/demo")
        folder.mkdir(parents=True)
        made = [row_of("trades", Trade(n, 30_000 * n, "buy", f"{100 + n}.5", "1")) for n in range(4)]
        lines = [",".join(rows.columns(rows.TRADES, 10, False)), *made, ""]
        (folder / rows.file_name(rows.TRADES, "BTCUSDT")).write_text("\n".join(lines), "ascii")
        (code,) = fenced("python", README.text)
        names: dict[str, Any] = {}
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            exec(compile(code, "README.md", "exec"), names)
        self.assertRegex(shown.getvalue(), r"00:00:00\+00:00 +100\.5 +101\.5 +100\.5 +101\.5\n")
        self.assertRegex(shown.getvalue(), r"00:01:00\+00:00 +102\.5 +103\.5 +102\.5 +103\.5\n")


class ThePicture(TestCase):
    def test_a_picture_of_another_program(self) -> None:
        """What is typed in the picture is what the README tells to type."""
        name = PICTURES[0]
        typed = re.findall(r">\$ (aster-collect .*?)<", (ROOT / name).read_text("utf-8"))
        told = [line for block in fenced("sh", README.section(SECTIONS[1])) for line in block.splitlines()]
        self.assertEqual(typed, told)

    def test_a_picture_of_an_earlier_version(self) -> None:
        """The version that the picture shows is the package's."""
        name = PICTURES[0]
        self.assertEqual(re.findall(r" start version=(\S+) ", (ROOT / name).read_text("utf-8")), [__version__])
