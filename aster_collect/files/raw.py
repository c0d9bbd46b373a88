"""The raw record: what came, as it came, in one file an hour, compressed; a crash costs at most what one flush writes.

A line is `<19 digits: Unix ns> <text>`, the hour is that of the line, in UTC. Each flush appends a gzip member, which
says how many lines the run recorded before: what others take out of the record is missed.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..errors import StoreError
from ..exchange.events import Lines
from .appender import Write, fdatasync
from .flush import told
from .members import Mark, Member
from .names import HOUR_MS, raw_name, raw_period
from .period import period_end, period_name
from .raw_file import RawFile

log = logging.getLogger(__name__)

TEXT_BYTES = 1 << 16  # are compressed at once
MEMBER_BYTES = 4 << 20  # packed: what is more goes to the next one, so that memory has bounds
_MS_NS = 1_000_000


class Waiting(NamedTuple):
    """A whole member that is to be written to the file of its hour."""

    period: str
    data: bytes


class RawWriter:
    """Makes members of lines, and appends them to the files of their hours; what can't be written waits.

    ```
    append ──▶ member, in memory ──flush, or the hour's end──▶ waiting … ──▶ the hour's file ──▶ synced
    ```
    """

    def __init__(
        self, folder: Path, *, sync: bool = True, write: Write = os.write, wall: Callable[[], float] = time.time
    ) -> None:
        self.written_bytes = 0
        self._folder, self._write, self._wall = folder, write, wall
        self._sync = fdatasync if sync else None
        self._end_ms = 0  # of the hour whose member is being made
        self._member, self._made_lines = Member(), 0
        self._texts: list[bytes] = []  # that are to be compressed
        self._text_bytes = 0
        self._waiting: deque[Waiting] = deque()
        self._waiting_bytes = 0
        self._run_ns = self._packed_lines = 0  # the stamp of the first line, and how many are in members
        self._file: RawFile | None = None
        self._closed = False

    @property
    def pending_bytes(self) -> int:
        """How many bytes wait in memory, nearly all of them packed."""
        return self._text_bytes + self._member.packed_bytes + self._waiting_bytes

    def begin(self) -> None:
        """Cut what a crash left of the newest file's last member, before anything else comes; raises `StoreError`."""
        with _named(str(self._folder)):
            newest = max(raw_periods(self._folder), default="")
        if newest:
            self._open(newest)

    def append(self, lines: Lines) -> None:
        """Keep lines for the next flush. Time never goes back to an earlier hour: such lines stay in this one."""
        if lines.stamp_ns >= self._end_ms * _MS_NS:
            self._run_ns = self._run_ns or lines.stamp_ns
            self._end_member()
            self._end_ms = period_end(lines.stamp_ns // _MS_NS, HOUR_MS)
        self._texts.append(lines.text)
        self._text_bytes += len(lines.text)
        self._made_lines += lines.number
        if self._text_bytes >= TEXT_BYTES:
            self._pack()
            if self._member.packed_bytes >= MEMBER_BYTES:
                self._end_member()

    def _pack(self) -> None:
        """Compress what has gathered, in one piece: each call has its price."""
        self._member.add(self._texts[0] if len(self._texts) == 1 else b"".join(self._texts))
        self._texts, self._text_bytes = [], 0

    def _end_member(self) -> None:
        if self._made_lines:
            self._pack()
            period, mark = period_name(self._end_ms, HOUR_MS), Mark(self._run_ns, self._packed_lines)
            self._waiting.append(Waiting(period, data := self._member.end(mark)))
            self._waiting_bytes += len(data)
            self._packed_lines += self._made_lines
            self._member, self._made_lines = Member(), 0

    def flush(self, *, sync: bool = True) -> None:
        """Write all that waits, and sync it; raises `StoreError`, and the rest waits on then."""
        self._end_member()
        self._look()
        while self._waiting:
            period, data = self._waiting[0]
            file = self._open(period)
            with _named(file.path.name):
                file.append(data)
            self._waiting.popleft()
            self._waiting_bytes -= len(data)
            self.written_bytes += len(data)
        if sync:
            self._sync_file()

    def _open(self, period: str) -> RawFile:
        """Return the file of a period, open; raises `StoreError`."""
        path = self._folder / raw_name(period)
        if self._file is not None and self._file.path != path:
            self._sync_file()
            self.close()
            self._closed = True
        if self._file is None:
            with _named(path.name):
                self._file = RawFile(path, write=self._write, sync=self._sync, wall=self._wall)
        return self._file

    def _sync_file(self) -> None:
        if self._file is not None:
            with _named(self._file.path.name):
                self._file.sync()

    def _look(self) -> None:
        """Let go of a file that another program changed: who reads the record finds by its marks what is gone."""
        changed = self._file.changed() if self._file is not None else ""
        if changed:
            log.warning("record changed file=%s how=%s", self._file.path.name if self._file else "", changed)
            self.close()

    def take_closed(self) -> bool:
        """Return whether a file was left since the last call because its hour was over."""
        closed, self._closed = self._closed, False
        return closed

    def close(self) -> None:
        """Close the file; what waits is not written."""
        if self._file is not None:
            self._file.close()
        self._file = None


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say by its name which file can't be written."""
    try:
        yield
    except OSError as error:
        raise StoreError(told(name, error)) from error


def raw_periods(folder: Path) -> Iterable[str]:
    """Yield the hours that a folder has a record of; raises `OSError`."""
    with os.scandir(folder) as entries:
        yield from filter(None, (raw_period(entry.name) for entry in entries))
