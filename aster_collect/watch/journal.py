"""The log's way out: whoever logs never waits, and a thread of its own writes to the terminal, which may be frozen."""

import logging
import queue
import threading
import time
from copy import copy
from typing import Any

from ..wording import printable
from .terminal import StatusHandler

RECORDS = 5000  # of a busy minute at DEBUG; what is beyond is dropped and counted
FLUSH_S = 0.5
CLOSE_S = 1.0
FORM = "%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s"
DATE_FORM = "%Y-%m-%dT%H:%M:%S"


class LineFormatter(logging.Formatter):
    """Makes one line of a record, whatever the outside put into it: what can't be printed is shown escaped.

    A traceback follows on lines of its own, indented, so that none of them can be taken for a record.
    """

    def __init__(self) -> None:
        super().__init__(FORM, DATE_FORM)
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the record's line."""
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return a traceback's lines."""
        return "\n".join("  " + printable(line) for line in super().formatException(ei).split("\n"))


class Journal(logging.Handler):
    """A handler that hands records to its thread.

    ```
    log, show ──▶ bounded queue ──▶ thread: StatusHandler ──▶ standard error
                       └ full: dropped, and counted; the count is said once there is room
    ```
    """

    def __init__(self, screen: StatusHandler, size: int = RECORDS) -> None:
        super().__init__()
        screen.setFormatter(LineFormatter())
        self._screen = screen
        self._items: queue.Queue[logging.LogRecord | threading.Event | None] = queue.Queue(size)
        self._line: str | None = None  # to be shown; the newest takes the place of one that could not be yet
        self._dropped = 0
        self._ended = threading.Event()
        threading.Thread(target=self._run, name="log", daemon=True).start()

    @property
    def live(self) -> bool:
        """Whether `show` shows anything."""
        return self._screen.live

    def width(self) -> int:
        """Return how many columns a shown line may take."""
        return self._screen.width()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record; never waits. The handler's lock, which is held, protects the count."""
        told = copy(record)  # what it refers to may change before it is written
        told.msg, told.args = record.getMessage(), None
        if record.exc_info and not record.exc_text:
            told.exc_text = LineFormatter().formatException(record.exc_info)
        told.exc_info = None
        try:
            self._items.put_nowait(told)
        except queue.Full:
            self._dropped += 1

    def show(self, text: str) -> None:
        """Make this the line at the bottom of a terminal, as soon as that can be written to; never waits."""
        self._line = text
        if self._items.empty():  # else it is looked at soon
            self._wake()

    def flush(self) -> None:
        """Wait until everything so far is written, for `FLUSH_S` at most."""
        self._wake().wait(FLUSH_S)

    def end(self, patience_s: float = CLOSE_S) -> bool:
        """Write what is left, for so long at most; return whether all of it is written, and the thread has ended."""
        end_s = time.monotonic() + patience_s
        try:
            self._items.put(None, timeout=patience_s)
        except queue.Full:
            return False
        return self._ended.wait(max(0.0, end_s - time.monotonic()))

    def _wake(self) -> threading.Event:
        """Return what is set once everything so far is written, or at once where there is no room to ask for it."""
        written = threading.Event()
        try:
            self._items.put_nowait(written)
        except queue.Full:
            written.set()
        return written

    def _run(self) -> None:
        while (item := self._items.get()) is not None:
            if isinstance(item, logging.LogRecord):
                self._screen.handle(item)
                self._say_dropped()
            line, self._line = self._line, None
            if line is not None:
                self._screen.show(line)
            if isinstance(item, threading.Event):
                item.set()
        self._screen.close()
        self._ended.set()

    def _say_dropped(self) -> None:
        self.acquire()
        dropped, self._dropped = self._dropped, 0
        self.release()
        if dropped:
            words = f"log stuck dropped={dropped}"
            self._screen.handle(logging.LogRecord(__name__, logging.WARNING, __file__, 0, words, None, None))
