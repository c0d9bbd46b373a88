"""What another program did to a file while it was written: noticed by what is remembered of the file, and healed."""

import logging
from typing import NamedTuple

from ..exchange.form import Form
from ..exchange.ledger import LEDGER
from ..exchange.streams.kind import ID, Lane
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


class Damage:
    """What is remembered of an appender's file, and what is to be done where it is not that any more.

    ```
    whole rows ──somebody deletes, cuts or writes to it──▶ changed ──heal──▶ whole rows, and what is gone
    ```
    """

    def __init__(self, form: Form, whole: Whole) -> None:
        self.kind = form.kind
        self._form, self._whole, self._appender = form, whole, whole.appender
        self._first = ""  # the begin of the file's first row
        self._ledger_end = b""  # what a ledger says nothing else could say again
        self._change = ""  # what somebody did to the file, until it is mended; what had been in it:
        self._was: Cut | None = None
        self._known, self._known_end = b"", 0

    def start_over(self) -> None:
        """Forget the rows of the file of before: another is under the path."""
        self._first = ""

    def look_on(self) -> None:
        """Remember what tells later what was in the file; to be called when rows were written."""
        appender, header = self._appender, self._form.header
        if appender.descriptor < 0:
            return
        if not self._first and appender.last_line not in (b"", header[:-1]):
            begin = read_at(appender.descriptor, BEGIN_BYTES, len(header))
            self._first = begin.partition(b"\n")[0].decode("utf-8", "replace")
        if self.kind is LEDGER:
            self._ledger_end = self.end()

    def end(self) -> bytes:
        """Return the end of what is in the file, or was in it when somebody changed it and it is not mended yet."""
        if self._change:
            return self._known
        appender = self._appender
        low = max(len(self._form.header), appender.size - LEDGER_BYTES)
        return read_at(appender.descriptor, appender.size - low, low) if appender.size > low else b""

    def heal(self) -> Cut | None:
        """Go on in what somebody else left of the file, or in a fresh one; return which of its rows are gone.

        A file that was cut goes on where it is; one that holds something else is set aside whole. Raises `OSError`,
        and is to be called again then, before anything is written.
        """
        if not self._change and not self._notice():
            return None
        tail = self._mend() if self._change == "truncated" else None
        if tail is None:
            self._whole.set_aside(self._change.replace(" ", "_"))
            self.start_over()
        self._put_back(len(self._form.header) if tail is None else tail.end)
        change, self._change = self._change, ""
        if self._was is None:
            return None
        if change == "written to":  # its rows are in the file that was set aside, where some kinds can't be followed
            return self._was._replace(left=self._was.last) if self.kind.lane is Lane.CHAIN else None
        return self._was._replace(left=tail and tail.last_row)

    def _notice(self) -> bool:
        """Look whether somebody changed the file, and if so remember what was in it."""
        appender = self._appender
        self._change = appender.changed() if appender.descriptor >= 0 else ""
        if not self._change:
            return False
        log.error("file changed by another program file=%s what=%s", appender.path.name, self._change)
        self._was = Cut(None, self._first, appender.last_line.decode("utf-8", "replace")) if self._first else None
        self._known, self._known_end = self._ledger_end, appender.size
        if self.kind is LEDGER:
            start = len(self._form.header)
            there = read_at(appender.descriptor, max(0, appender.size - start), start)
            if len(there) == appender.size - start and there.endswith(self._known):  # all of it, as before
                self._known = there
        half = len(self._known) - self._known.rfind(b"\n") - 1
        self._known, self._known_end = self._known[: len(self._known) - half], self._known_end - half
        return True

    def _mend(self) -> Tail | None:
        """Go on in a file that was cut, and return its tail; None where it was cut and something else written to it."""
        if self._appender.descriptor < 0:
            return None
        self._appender.pending.begin_line()
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
        known = self._known[max(0, max(end, len(self._form.header)) - start) :]
        if self.kind is LEDGER and start > max(end, len(self._form.header)):
            log.error("ledger rows lost file=%s bytes=%d", self._appender.path.name, start - end)
            known = known.partition(b"\n")[2]
        self._appender.pending.put_first(known, behind=self._form.header)
