"""Whoever logs never waits, nothing from outside can forge a line, and what a stuck terminal can't take is counted."""

import io
import logging
import threading
import unittest

from aster_collect.watch.journal import Journal, LineFormatter
from aster_collect.watch.terminal import StatusHandler

DEADLINE_S = 30.0
ROOM = 3


class Stuck(io.StringIO):
    """A stream whose writes wait until it is freed."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.freed = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.entered.set()
        self.freed.wait(DEADLINE_S)
        return super().write(text)


def record(text: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord("test", logging.INFO, __file__, 1, text, values, None)


class AStuckStream(unittest.TestCase):
    def setUp(self) -> None:
        self.stream = Stuck()
        self.journal = Journal(StatusHandler(self.stream), ROOM)
        self.addCleanup(self.stream.freed.set)
        self.journal.handle(record("first"))
        self.assertTrue(self.stream.entered.wait(DEADLINE_S))

    def test_holds_up_nobody_who_logs(self) -> None:
        """What there is no room for is dropped, and once the stream is free one line says how much it was."""
        for number in range(8):
            self.journal.handle(record("behind %d", number))
        self.journal.show("a line")
        self.journal.flush()
        self.stream.freed.set()
        self.assertTrue(self.journal.end())
        words = [line.split(" ", 1)[1] for line in self.stream.getvalue().splitlines()]
        expected = ["INFO first", "WARNING log stuck dropped=5", "INFO behind 0", "INFO behind 1", "INFO behind 2"]
        self.assertEqual(words, expected)

    def test_does_not_hold_up_the_end(self) -> None:
        """The end waits for a while, and says that not all is written."""
        self.assertFalse(self.journal.end(0.01))


class WhatCameFromOutside(unittest.TestCase):
    def test_is_shown_escaped_on_one_line(self) -> None:
        """Control characters, line ends and marks that turn the text around are visible, and no line is forged."""
        line = LineFormatter().format(
            record("gap why=%s", "\x1b[2J\n2026-11-22T00:00:00.000Z INFO stopped\r\u202e\x9b")
        )
        self.assertEqual(line.partition("why=")[2], r"\x1b[2J\n2026-11-22T00:00:00.000Z INFO stopped\r\u202e\x9b")

    def test_in_a_traceback_begins_no_line(self) -> None:
        """The lines of a traceback are indented, an exception's own text among them."""
        try:
            raise ValueError("odd\n2026-11-22T00:00:00.000Z INFO stopped \x1b[2J")
        except ValueError as error:
            failed = record("thread failed")
            failed.exc_info = (type(error), error, error.__traceback__)
        _, *lines = LineFormatter().format(failed).split("\n")
        self.assertTrue(all(line.startswith("  ") and line.isprintable() for line in lines), lines)
        self.assertEqual(lines[-1], r"  2026-11-22T00:00:00.000Z INFO stopped \x1b[2J")

    def test_keeps_what_can_be_printed(self) -> None:
        """Letters of any script stand as they are."""
        self.assertTrue(LineFormatter().format(record("symbol=币安人生USDT")).endswith("symbol=币安人生USDT"))


if __name__ == "__main__":
    unittest.main()
