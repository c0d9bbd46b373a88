"""The status line stays at the bottom of a terminal, and leaves no trace where there is none."""

import io
import logging
import os
import re
import struct
import subprocess
import sys
import threading
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aster_collect.watch.terminal import StatusHandler

ROOT = Path(__file__).resolve().parents[3]
DEADLINE_S = 30.0


class Screen(io.StringIO):
    """A terminal as a stream; `screen` is what one would see on it, `\\r` and erase to the end of the line obeyed."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def screen(self) -> list[str]:
        return shown(self.getvalue())


def shown(text: str) -> list[str]:
    """Return the lines that a terminal shows after a text; fails on a control that the program has no need of.

    A mark `<width N>` stands where the window was resized: lines that are longer wrap from then on, over several rows.
    """
    lines, row, column, width = [""], 0, 0, 1000
    for part in re.findall(r"\x1b\[J|\x1b\[\d+A|<width \d+>|[\s\S]", text):
        if part == "\x1b[J":
            lines[row:] = [lines[row][:column]]
        elif part.startswith("<width"):
            width = int(part[7:-1])
        elif part.startswith("\x1b["):
            rows_up = int(part[2:-1])
            while rows_up > (wrapped := max(0, column - 1) // width):
                row, rows_up = row - 1, rows_up - wrapped - 1
                column = len(lines[row])
            column -= rows_up * width
        elif part == "\r":
            column = max(0, column - 1) // width * width
        elif part == "\n":
            row, column = row + 1, 0
            lines[row:] = lines[row:] or [""]
        else:
            assert part.isprintable(), repr(part)
            lines[row] = lines[row][:column] + part + lines[row][column + 1 :]
            column += 1
    return lines


@contextmanager
def term(name: str | None) -> Iterator[None]:
    """Set TERM, or unset it, for a while."""
    before = os.environ.pop("TERM", None)
    if name is not None:
        os.environ["TERM"] = name
    try:
        yield
    finally:
        os.environ.pop("TERM", None)
        if before is not None:
            os.environ["TERM"] = before


def handler_on(stream: io.StringIO | None, name: str | None = "xterm") -> StatusHandler:
    with term(name):
        return StatusHandler(stream)


def say(handler: StatusHandler, text: str) -> None:
    handler.handle(logging.LogRecord("test", logging.INFO, "", 0, text, None, None))


class OnATerminal(unittest.TestCase):
    def setUp(self) -> None:
        self.stream = Screen()
        self.handler = handler_on(self.stream)

    def test_the_line_renews_itself_in_place(self) -> None:
        """A shorter text leaves nothing of a longer one behind."""
        for text in ("rows 1", "rows 100000", "rows 2"):
            self.handler.show(text)
            self.assertEqual(self.stream.screen(), [text])

    def test_a_record_goes_above_the_line(self) -> None:
        """A record takes the line's place whole, and the line is drawn again below it."""
        say(self.handler, "first")
        self.handler.show("a long line of status")
        say(self.handler, "second")
        say(self.handler, "third\nof two lines")
        wanted = ["first", "second", "third", "of two lines", "a long line of status"]
        self.assertEqual(self.stream.screen(), wanted)

    def test_the_end_leaves_a_clean_line(self) -> None:
        """Closed, the line is gone, the cursor is at its start, and what is logged later stands alone."""
        self.handler.show("status")
        self.handler.close()
        self.assertEqual(self.stream.screen(), [""])
        self.handler.show("late")
        say(self.handler, "last words")
        self.handler.close()
        self.assertEqual(self.stream.screen(), ["last words", ""])

    def test_without_a_line_it_is_a_log(self) -> None:
        """Before the first line is shown, and after an empty one, a record is written as by any handler."""
        say(self.handler, "one")
        self.handler.show("")
        self.assertEqual(self.stream.getvalue(), "one\n")
        self.handler.show("status")
        self.handler.show("")
        before = len(self.stream.getvalue())
        say(self.handler, "two")
        self.assertEqual(self.stream.getvalue()[before:], "two\n")

    def test_the_line_is_one_line(self) -> None:
        """A line end or a control character in the text is shown as a question mark."""
        self.handler.show("a\nb\x1b[2Jc\rd")
        self.assertEqual(self.stream.screen(), ["a?b?[2Jc?d"])

    def test_a_long_line_is_cut_to_the_usual_width(self) -> None:
        """Where the width can't be told it is 80 columns, the last of which stays free; wide characters take two."""
        self.handler.show("x" * 200)
        self.assertEqual(self.stream.screen(), ["x" * 79])
        self.handler.show("币" * 200)
        self.assertEqual(self.stream.screen(), ["币" * 39])

    def test_a_stream_that_knows_less_characters(self) -> None:
        """What the stream's encoding has no character for is escaped before its width is told."""
        self.stream.encoding = "ascii"
        self.handler.show("币 ok")
        self.assertEqual(self.stream.screen(), ["\\u5e01 ok"])

    def test_a_terminal_that_went_away(self) -> None:
        """When the terminal hangs up, showing neither fails nor tries again."""
        self.handler.show("status")
        self.stream.close()
        self.handler.show("more")
        self.assertFalse(self.handler.live)

    def test_threads_do_not_mix_their_lines(self) -> None:
        """While four threads log and one shows, each record is a line of its own and the status is the last."""

        def work(number: int) -> None:
            for count in range(200):
                say(self.handler, f"thread {number} says {count}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        count = 0
        while any(thread.is_alive() for thread in threads):
            self.handler.show(f"status {count}")
            count += 1
        for thread in threads:
            thread.join()
        self.handler.show("end")
        *lines, last = self.stream.screen()
        self.assertEqual(last, "end")
        wanted = sorted(f"thread {number} says {count}" for number in range(4) for count in range(200))
        self.assertEqual(sorted(lines), wanted)


class Elsewhere(unittest.TestCase):
    def test_a_file_gets_no_control_character(self) -> None:
        """On a stream that is no terminal, and on one whose TERM is dumb, empty or unset, the log is all there is."""
        for stream, name in ((io.StringIO(), "xterm"), (Screen(), "dumb"), (Screen(), ""), (Screen(), None)):
            handler = handler_on(stream, name)
            handler.show("status")
            say(handler, "one")
            handler.show("status")
            say(handler, "two")
            handler.close()
            self.assertEqual((stream.getvalue(), handler.live), ("one\ntwo\n", False))

    def test_standard_error_is_closed(self) -> None:
        """Where the program was started without standard error the handler is silent, and no error."""
        before = sys.stderr
        sys.stderr = None
        try:
            handler = handler_on(None)
            handler.show("status")
            say(handler, "one")
            handler.close()
        finally:
            sys.stderr = before


CHILD = """
import logging, sys
from aster_collect.watch.terminal import StatusHandler
handler = StatusHandler()
logging.basicConfig(level="INFO", handlers=[handler], format="%(message)s")
logging.info("start")
for order in sys.stdin:
    handler.show("0123456789" * 30)
    logging.info("width %d", handler.width())
"""


@unittest.skipUnless(os.name == "posix", "a pseudo-terminal is POSIX's")
class OnARealTerminal(unittest.TestCase):
    def setUp(self) -> None:
        self.ours, self.theirs = os.openpty()
        self.addCleanup(os.close, self.ours)
        self.text = ""

    def resize(self, width: int) -> None:
        import fcntl  # POSIX's, too
        import termios

        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        self.text += f"<width {width}>"

    def read_until(self, end: str) -> None:
        """Read what the child writes until it ends so; nothing for the deadline is a failure."""
        patience = threading.Timer(DEADLINE_S, self.child.kill)
        patience.start()
        try:
            while not self.text.endswith(end):
                self.text += os.read(self.ours, 65_536).decode()
        finally:
            patience.cancel()

    def test_a_resized_window_and_a_clean_end(self) -> None:
        """On a real terminal the line follows the window's width at each show, and is gone when the program ends."""
        environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
        self.child = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stderr=self.theirs, env=environment, text=True
        )
        self.addCleanup(self.child.wait)
        self.addCleanup(self.child.kill)
        assert self.child.stdin is not None
        lines = ["start"]
        for width in (40, 100, 20):
            self.resize(width)
            self.child.stdin.write("show\n")
            self.child.stdin.flush()
            status = ("0123456789" * 30)[: width - 1]
            self.read_until(f"width {width - 1}\r\n{status}")
            lines.append(f"width {width - 1}")
            self.assertEqual(shown(self.text), [*lines, status])
        os.close(self.theirs)
        self.child.stdin.close()
        self.assertEqual(self.child.wait(DEADLINE_S), 0)
        with_end = self.text
        try:
            while chunk := os.read(self.ours, 65_536):
                with_end += chunk.decode()
        except OSError:
            pass  # Linux says so when the last writer has gone
        self.assertEqual(shown(with_end), [*lines, ""])


if __name__ == "__main__":
    unittest.main()
