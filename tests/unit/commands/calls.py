"""The program called in this process, in an empty folder, as a test calls it."""

import contextlib
import io
import logging
import os
import tempfile
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from aster_collect import cli

ROOT = Path(__file__).resolve().parents[3]


class Ended(NamedTuple):
    """How a call ended: its exit status, and what it wrote to standard output and standard error."""

    status: int
    out: str
    err: str


def caught(run: Callable[[], int]) -> Ended:
    """Do what returns an exit status, and note what it writes."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run()
    return Ended(status, out.getvalue(), err.getvalue())


def call(*words: str, markets: object = None) -> Ended:
    """Run the program with these words."""
    return caught(lambda: cli.main(list(words), markets))


def environment(**more: str) -> dict[str, str]:
    """Return the environment of the program in a process of its own; its output is buffered, as it is by default."""
    known = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return known | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | more


@contextlib.contextmanager
def columns(count: int) -> Iterator[None]:
    """Let the terminal be so wide."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(count)
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before


class Folder(unittest.TestCase):
    """Each test in an empty working directory; logging is as it was afterwards."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(contextlib.chdir(self.folder))
        root = logging.getLogger()
        self.addCleanup(root.setLevel, root.level)
        self.addCleanup(setattr, root, "handlers", root.handlers)
        root.handlers = []

    def made(self) -> list[str]:
        """Return the names of what has appeared in the working directory."""
        return sorted(path.name for path in self.folder.iterdir())

    def assert_refused(self, ended: Ended, *parts: str, program: str = "aster-collect", status: int = 2) -> None:
        """Fail unless a call ended with one printable line that has these parts, and nothing was made."""
        self.assertEqual((ended.status, ended.out), (status, ""), ended.err)
        self.assertTrue(ended.err.startswith(f"{program}: "), ended.err)
        self.assertTrue(ended.err.endswith("\n"), ended.err)
        self.assertTrue(ended.err[:-1].isprintable(), ended.err)
        self.assertLess(len(ended.err), 300)
        for part in parts:
            self.assertIn(part, ended.err)
