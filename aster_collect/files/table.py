"""One CSV file under its name: whole rows under the right header, whatever a crash or another program made of it."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from ..exchange.form import Form
from ..exchange.ledger import LEDGER
from ..exchange.streams.kind import ID, Lane
from .appender import Appender
from .folder import Folder
from .kept import finish_keeping, keep_wanted
from .tail import Tail, read_at
from .whole import Whole

log = logging.getLogger(__name__)

BEGIN_BYTES = 64  # of a row: more than its id and its time take
LEDGER_BYTES = 1 << 16  # of the end of a ledger that are remembered


class Cut(NamedTuple):
    """Rows that somebody took out of a file: the first and the last of them, and the row before, if it is there."""

    left: str | None
    first: str
    last: str


class Table:
    """An appender's file: opened to whole rows, looked after while it is written, mended in place where it can be.

    ```
    open ──▶ whole rows ──somebody deletes, cuts or writes to it──▶ changed ──heal──▶ whole rows, and what is gone
                 ▲────────────────────────────────────────────────────────────────────────┘
    ```
    """

    def __init__(self, form: Form, appender: Appender, folder: Folder) -> None:
        self.kind = form.kind
        self.header = form.header
        self.appender = appender
        self._folder = folder
        self._whole = Whole(form, appender, folder)
        self._form = form
        self._first = ""  # the begin of the file's first row
        self._ledger_end = b""  # what a ledger says nothing else could say again
        self._change = ""  # what somebody did to the file, until it is mended; what had been in it:
        self._was: Cut | None = None
        self._known, self._known_end = b"", 0

    def is_row(self, text: str) -> bool:
        """Return whether a line is a row of this file."""
        return self._form.is_row(text)

    @property
    def is_empty(self) -> bool:
        """Whether the file has no row."""
        return self.appender.size <= len(self.header)

    def open(self, *, ours: bool = True) -> str | None:
        """Open the file under the path, whole rows under the right header, and return its last row.

        A file of other rows, or of rows that are not `ours`, is set aside, and a fresh one begun. Raises `OSError`,
        and then it is closed.
        """
        finish_keeping(self.appender.path)
        self._first = ""
        last_row = self._whole.open(ours=ours)
        self.look_on()
        return last_row

    def look_on(self) -> None:
        """Remember what tells later what was in the file; to be called when rows were written."""
        appender, start = self.appender, len(self.header)
        if not self._first and appender.last_line not in (b"", self.header[:-1]):
            self._first = (
                read_at(appender.descriptor, BEGIN_BYTES, start).partition(b"\n")[0].decode("utf-8", "replace")
            )
        if self.kind is LEDGER and appender.descriptor >= 0:
            self._ledger_end = self.end()

    def end(self) -> bytes:
        """Return the end of what is in the file, or was in it when somebody changed it and it is not mended yet."""
        if self._change:
            return self._known
        low = max(len(self.header), self.appender.size - LEDGER_BYTES)
        return read_at(self.appender.descriptor, self.appender.size - low, low) if self.appender.size > low else b""

    def set_aside(self, why: str) -> None:
        """Give the file another name, whole, and begin a fresh one; what is pending goes there.

        Raises `OSError`, and can be called again then.
        """
        self._whole.set_aside(why)
        self._first = ""

    def keep(self, wanted: Callable[[str], bool], why: str) -> None:
        """Leave out the rows that are not wanted any more, if there are any: the file as it was is set aside whole.

        Raises `OSError`, and can be called again then.
        """
        keep_wanted(self.appender, self._folder, self.header, wanted, why)
        if not self.appender.is_at_path():
            self.appender.close()
            self.open()

    def heal(self) -> Cut | None:
        """Go on in what somebody else left of the file, or in a fresh one; return which of its rows are gone.

        A file that was cut goes on where it is; one that holds something else is set aside whole. Raises `OSError`,
        and is to be called again then, before anything is written.
        """
        if not self._change and not self._notice():
            return None
        tail = self._mend() if self._change == "truncated" else None
        if tail is None:
            self.set_aside(self._change.replace(" ", "_"))
        self._put_back(len(self.header) if tail is None else tail.end)
        change, self._change = self._change, ""
        if self._was is None or change == "written to":  # then its rows are in the file that was set aside
            return None
        return self._was._replace(left=tail and tail.last_row)

    def _notice(self) -> bool:
        """Look whether somebody changed the file, and if so remember what was in it."""
        appender = self.appender
        self._change = appender.changed() if appender.descriptor >= 0 else ""
        if not self._change:
            return False
        log.error("file changed by another program file=%s what=%s", appender.path.name, self._change)
        self._was = Cut(None, self._first, appender.last_line.decode("utf-8", "replace")) if self._first else None
        self._known, self._known_end = self._ledger_end, appender.size
        if self.kind is LEDGER:
            start = len(self.header)
            there = read_at(appender.descriptor, max(0, appender.size - start), start)
            if len(there) == appender.size - start and there.endswith(self._known):  # all of it, as before
                self._known = there
        half = len(self._known) - self._known.rfind(b"\n") - 1
        self._known, self._known_end = self._known[: len(self._known) - half], self._known_end - half
        return True

    def _mend(self) -> Tail | None:
        """Go on in a file that was cut, and return its tail; None where it was cut and something else written to it."""
        if self.appender.descriptor < 0:
            return None
        self.appender.begin_line()
        tail = self._whole.look()
        if isinstance(tail, str):
            self._change = tail
            return None
        if tail.last_row is not None and (self._was is None or not self._comes_before(tail.last_row, self._was.last)):
            self._change = "rewritten"
            return None
        self._whole.repair(tail)
        self._first = self._first if tail.last_row else ""
        return tail

    def _comes_before(self, row: str, last: str) -> bool:
        if row == last or self.kind is LEDGER:
            return row != last
        if self.kind.lane is Lane.SEQUENCE:
            return bool(self._form.event(row)[ID] <= self._form.event(last)[ID])
        return self.kind.row_time_ms(row) <= self.kind.row_time_ms(last)

    def _put_back(self, end: int) -> None:
        """Let the rows of a ledger that are not in it any more, from `end` on, be written again."""
        start = self._known_end - len(self._known)
        known = self._known[max(0, max(end, len(self.header)) - start) :]
        if self.kind is LEDGER and start > max(end, len(self.header)):
            log.error("ledger rows lost file=%s bytes=%d", self.appender.path.name, start - end)
            known = known.partition(b"\n")[2]
        self.appender.put_first(known, behind=self.header)
