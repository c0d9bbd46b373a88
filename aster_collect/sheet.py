"""One CSV file of one symbol: whole rows under its header, closed under its period's name when that is over."""

import errno
import logging
import sys
from collections.abc import Iterator
from itertools import takewhile
from math import inf
from pathlib import Path
from typing import NamedTuple

from . import rows
from .events import Gap
from .folder import Folder
from .rejects import REJECTS_NAME
from .rotate import DAY_MS, last_row, period_end, period_name
from .tail import Tail, find_tail, lines_before, read_at, written_end

log = logging.getLogger(__name__)

NEAR_MS = 60_000  # the farthest that rows change places in time
AHEAD_MS = 600_000  # by more no row is ahead of the exchange's clock, but for an odd one
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_REOPEN = ""  # a mark in front of rows for the file that is under the path by then; other marks end a period


class Loss(NamedTuple):
    """Rows of one file that memory could not hold: their ids (trades) and times."""

    first_id: int | None
    last_id: int | None
    from_ms: int
    to_ms: int


class Sheet:
    """One CSV file, and what of it waits for the disk."""

    def __init__(self, kind: str, symbol: str, columns: tuple[str, ...], folder: Folder, period_ms: int) -> None:
        """Open the file; raises `OSError`, and then it is closed. `period_ms` is 0 where it is never to be closed."""
        self.kind, self.symbol = kind, symbol
        self.header = (",".join(columns) + "\n").encode("ascii")
        self.appender = folder.appender(rows.file_name(kind, symbol))
        self.loss: Loss | None = None
        self._folder = folder
        self._cells = len(columns)
        self._period_ms = 0 if kind == rows.GAPS else period_ms
        self._end_ms = 0  # where the period ends that is being written; 0 while there is none
        self.touched_ms = _touched_ms(self.appender.path)
        self.last_rows: list[str] = []  # all at the end of the file that bear the time of its last row
        try:
            self.last_row = self._attach()
            self.flush(sync=False)
            self._resume()
        except OSError:
            self.appender.close()
            raise

    def _resume(self) -> None:
        parts = self._folder.parts(self.kind, self.symbol)
        if self.last_row is None and parts:
            self.last_row = last_row(self._folder.path, parts)
        written_ms = [part.end_ms - 1 for part in parts]
        if self.last_row is not None and self.kind != rows.GAPS:
            last_ms = self.time_ms(self.last_row)
            self.last_rows = list(takewhile(lambda line: self.time_ms(line) == last_ms, self._newest_rows()))[::-1]
            # One odd time, far ahead of when it was written, is none; where all are it is this machine's that is odd.
            times_ms = map(self.time_ms, self._newest_rows())
            written_ms.append(next((one for one in times_ms if one <= self.touched_ms + DAY_MS), last_ms))
        if self._period_ms and written_ms:
            self._end_ms = period_end(max(written_ms), self._period_ms)

    def _newest_rows(self) -> Iterator[str]:
        """Yield the last rows of the file, or if it has none the last one before it, the newest first."""
        lines = lines_before(self.appender.descriptor, len(self.header), self.appender.size) or [self.last_row or ""]
        return (line for line in reversed(lines) if rows.is_row(self.kind, self._cells, line))

    def time_ms(self, row: str) -> int:
        """Return the time in a row of this file, in milliseconds."""
        return rows.row_time_ms(self.kind, row)

    def append(self, lines: list[str], now_ms: int | None = None) -> int:
        """Keep rows for the next flush, a mark where a period ends; return how many bytes they are.

        Time never goes back to an earlier period: such a row stays in the file that is being written. So does one of
        far ahead of `now_ms`, what the exchange's clock says: no other row would end a period after it.
        """
        if not self._period_ms or self.time_ms(lines[-1]) < self._end_ms - NEAR_MS:
            return self._keep(lines)
        latest_ms = inf if now_ms is None else now_ms + AHEAD_MS
        start = kept = 0
        for at, line in enumerate(lines):
            time_ms = self.time_ms(line)
            if self._end_ms <= time_ms <= latest_ms:
                kept += self._keep(lines[start:at])
                if self._end_ms:
                    self.appender.add_mark(period_name(self._end_ms, self._period_ms))
                start, self._end_ms = at, period_end(time_ms, self._period_ms)
        return kept + self._keep(lines[start:])

    def _keep(self, lines: list[str]) -> int:
        data = ("\n".join(lines) + "\n").encode("ascii") if lines else b""
        self.appender.append(data)
        return len(data)

    def reopen(self) -> None:
        """Go on, once all that is pending is written, in the file that is under the path by then."""
        self.appender.add_mark(_REOPEN)

    def flush(self, *, sync: bool, heal: bool = False) -> None:
        """Write what is pending, through every mark; raises `OSError`, and nothing is lost by it.

        `heal` looks first whether somebody else changed the file, and goes on in a fresh one then.
        """
        appender = self.appender
        turning = appender.descriptor < 0 and appender.mark is not None
        if (heal or appender.marked) and not turning:
            self._heal()
        appender.flush(sync=sync)
        while (mark := appender.mark) is not None:
            self._turn(mark)
            appender.pass_mark()
            appender.flush(sync=sync)

    def set_aside(self, why: str) -> None:
        """Give the file another name, whole, and begin a fresh one; what is pending goes there."""
        self.appender.close()
        self._folder.set_aside(self.appender.path, why)
        self.appender.start_over(self.header)

    def forget(self) -> None:
        """Forget the last row and the period: what comes next is of another history."""
        self.last_row, self._end_ms = None, 0

    def _attach(self) -> str | None:
        """Open the file under the path, whole rows under the right header, and return its last row."""
        appender = self.appender
        try:
            appender.open()
            tail = self._look()
            if isinstance(tail, str):
                self.set_aside(tail)
                return None
            if appender.size != tail.end:
                if tail.torn:
                    self._folder.reject(appender.path.name, "torn tail", tail.torn)
                appender.cut(tail.end)
                log.warning(
                    "tail repaired file=%s cut_bytes=%d nul_bytes=%d kept_in=%s",
                    appender.path.name, len(tail.torn), tail.nuls, REJECTS_NAME,
                )  # fmt: skip
        except OSError:
            appender.close()
            raise
        return tail.last_row

    def _look(self) -> Tail | str:
        """Return the tail of the open file, or in a word why it is not a file that this run would write.

        What a crash left of a header alone is cut, and the header is kept for the next flush.
        """
        descriptor, header = self.appender.descriptor, self.header
        begin = read_at(descriptor, len(header), 0)
        if begin == header:
            tail = find_tail(descriptor, len(header), lambda text: rows.is_row(self.kind, self._cells, text))
            return tail or "no_whole_row_near_the_end"
        written = written_end(descriptor)
        if written >= len(header) or not header.startswith(begin[:written]):
            return "other_header"
        self.appender.cut(0)
        self.appender.put_first(header)
        return Tail(0, None, b"", 0)

    def _turn(self, mark: str) -> None:
        """Go on in another file, all before the mark being written; raises `OSError`, and can be called again then.

        A file without a row goes on, and so does one that can't be renamed though the disk has room: rows matter more
        than names.
        """
        appender = self.appender
        if appender.is_at_path():
            if mark == _REOPEN or appender.size <= len(self.header):
                return
            appender.sync()
            if sys.platform == "win32":
                appender.close()  # it renames no open file
            try:
                self._folder.close_file(appender.path, self.kind, self.symbol, mark)
            except OSError as error:
                if error.errno in FULL:
                    raise
                why = error.strerror or error
                log.error("file not closed file=%s period=%s why=%s next=goes_on", appender.path.name, mark, why)
                if appender.descriptor >= 0:
                    return
        else:
            if appender.descriptor >= 0:
                appender.sync()
            if appender.path.is_symlink():
                self._folder.set_aside(appender.path, "is_a_link")
        appender.close()
        self._attach()

    def _heal(self) -> None:
        """Go on in a fresh file where somebody else deleted or changed the one that is being written."""
        change = self.appender.changed() if self.appender.descriptor >= 0 else "closed"
        if not change:
            return
        log.error("file changed by another program file=%s what=%s", self.appender.path.name, change)
        self.set_aside(change.replace(" ", "_"))

    def lose(self, lines: list[str]) -> None:
        """Note rows that memory can't hold."""
        trades = self.kind == rows.TRADES
        first, last = lines[0], lines[-1]
        last_id = int(last.split(",", 1)[0]) if trades else None
        if self.loss is None:
            log.error("rows lost file=%s why=disk_full_and_memory_full", self.appender.path.name)
            first_id = int(first.split(",", 1)[0]) if trades else None
            self.loss = Loss(first_id, last_id, self.time_ms(first), self.time_ms(last))
        else:
            self.loss = self.loss._replace(last_id=last_id, to_ms=self.time_ms(last))

    def take_loss(self, next_ms: int) -> Gap:
        """Return the loss as a gap, and forget it; `next_ms` is the time of the first row behind, 0 without one."""
        loss, self.loss = self.loss, None
        assert loss is not None
        to_ms = loss.to_ms if loss.last_id is not None else max(loss.to_ms, next_ms)
        return Gap(self.kind, loss.from_ms, to_ms, loss.first_id, loss.last_id, "overflow")


def _touched_ms(path: Path) -> int:
    """Return when a file was last changed, 0 where there is none."""
    try:
        return path.lstat().st_mtime_ns // 1_000_000
    except FileNotFoundError:
        return 0
