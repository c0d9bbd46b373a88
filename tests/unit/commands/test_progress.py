"""A tool's line on a terminal: what is done and what is left; elsewhere nothing is written at all."""

import io
import os
import unittest
from unittest import mock

from aster_collect.commands.progress import Progress
from aster_collect.watch.terminal import ERASE, StatusHandler


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


class ALine(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 100.0
        self.enterContext(mock.patch.dict(os.environ, {"TERM": "xterm"}))

    def progress(self, screen: Screen, total: int) -> Progress:
        return Progress(total, terminal=StatusHandler(screen), clock=lambda: self.now)

    def test_what_is_left(self) -> None:
        """Rows, bytes, the share and the time that is left by what the rest took; gone at the end."""
        screen = Screen(terminal=True)
        with self.progress(screen, 4 << 20) as tell:
            self.now += 30
            tell(1_234_567, 1 << 20)
            self.assertEqual(screen.getvalue(), f"{ERASE}1,234,567 rows, 1.0 MiB of 4.0 MiB, 25 %, 1:30 left")
            self.now += 3600
            tell(1, 1 << 20)
            self.assertTrue(screen.getvalue().endswith(" 2.0 MiB of 4.0 MiB, 50 %, 1:00:30 left"))
        self.assertTrue(screen.getvalue().endswith(f" left{ERASE}"))

    def test_a_tool_that_tells_more_than_anybody_reads(self) -> None:
        """It is drawn five times a second at most, and nothing is lost of what was not drawn."""
        screen = Screen(terminal=True)
        with self.progress(screen, 5000) as tell:
            for _ in range(1000):
                self.now += 0.001
                tell(1, 4)
        self.assertEqual(screen.getvalue().count(" rows, "), 5)
        self.assertIn("1,000 rows, 3.9 KiB of 4.9 KiB, 80 %, 0:00 left", screen.getvalue())

    def test_a_file_that_grew_meanwhile(self) -> None:
        """More bytes than were said are all of them."""
        screen = Screen(terminal=True)
        with self.progress(screen, 10) as tell:
            self.now += 1
            tell(3, 25)
        self.assertIn("3 rows, 10 B of 10 B, 100 %, 0:00 left", screen.getvalue())

    def test_no_terminal(self) -> None:
        """Into a pipe or a file nothing is written."""
        screen = Screen(terminal=False)
        with self.progress(screen, 10) as tell:
            self.now += 1
            tell(3, 5)
        self.assertEqual(screen.getvalue(), "")


if __name__ == "__main__":
    unittest.main()
