"""A log on a terminal with one status line below it, renewed in place; elsewhere a log and nothing else."""

import logging
import os
from typing import TextIO

from .columns import columns, fit

ERASE = "\r\x1b[J"  # to the first column, then erase to the end of the screen: ECMA-48 8.3.39
UP = "\x1b[{}A"  # so many rows: ECMA-48 8.3.22
USUAL_WIDTH = 80


class StatusHandler(logging.StreamHandler[TextIO]):
    """A stream handler whose last line on a terminal is the text of `show`.

    A record erases the line, is written in its place, and the line is drawn below it. Where the stream is no terminal
    or TERM is unset, empty or "dumb", no control character is ever written. The handler's own lock keeps threads apart.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        terminal = self.stream is not None and self.stream.isatty()  # it is None where standard error is closed
        self._live = terminal and os.environ.get("TERM", "") not in ("", "dumb")
        self._line = ""

    @property
    def live(self) -> bool:
        """Whether `show` shows anything."""
        return self._live

    def width(self) -> int:
        """Return how many columns a line may take: all but the last, where some terminals wrap."""
        try:
            found = os.get_terminal_size(self.stream.fileno()).columns
        except (OSError, ValueError, AttributeError):
            found = 0
        return (found or USUAL_WIDTH) - 1

    def show(self, text: str) -> None:
        """Make this the line at the bottom, cut to the terminal's width; an empty text takes the line away."""
        self.acquire()
        try:
            if self._live and (text or self._line):
                erase = self._erase()
                self._line = fit(self._writable(text), self.width())
                self._draw(erase + self._line)
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record above the line; called with the handler's lock held."""
        if self._line:
            self._draw(self._erase())
        super().emit(record)
        if self._line:
            self._draw(fit(self._line, self.width()))

    def close(self) -> None:
        """Take the line away and close; what is logged later is written without it."""
        self.show("")
        self._live = False
        super().close()

    def _erase(self) -> str:
        """Return what takes the line away: a terminal that was made narrower has wrapped it over several rows."""
        wrapped = (columns(self._line) - 1) // (self.width() + 1) if self._line else 0
        return (UP.format(wrapped) if wrapped else "") + ERASE

    def _draw(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):  # the terminal went away, and the run goes on without it
            self._live, self._line = False, ""

    def _writable(self, text: str) -> str:
        """Return a text as the stream will write it, without control characters, so that its width can be told."""
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        text = "".join(one if one.isprintable() else "?" for one in text)
        return text.encode(encoding, "backslashreplace").decode(encoding)
