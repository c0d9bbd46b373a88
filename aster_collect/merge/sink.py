"""Where the rows of one history go: its file, closed under its period's name by the rows' own time."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from ..exchange.streams.kind import Kind
from ..files.names import Part
from ..files.period import AHEAD_MS, NEAR_MS, period_end, period_name
from ..files.plain import begin_plain
from .feed import cell_of, cells_of


class Opens(Protocol):
    """Follows rows, to say what a file must begin with."""

    def take(self, lines: Sequence[bytes]) -> None:
        """Follow some rows."""

    def opening(self, line: bytes) -> bytes:
        """Return the row that must stand before this one at the beginning of a file, empty where none must."""


class Sink:
    """The files of one history.

    A row behind the end of a period closes its file; time never goes back to an earlier period, and a single row far
    ahead of that behind it ends none.
    """

    def __init__(
        self, folder: Path, kind: Kind, symbol: str, length_ms: int, time: int, opens: Opens | None = None
    ) -> None:
        """`length_ms` is how long a period is, 0 where no file is closed; `time` is the time's column."""
        self._folder, self._part = folder, Part(kind.name, symbol)
        self._length_ms, self._time, self._opens = length_ms, time, opens
        self._header = b""
        self._end_ms = 0
        self._last_ms: int | None = None
        self._held = b""  # a last row of which the one behind it says whether it ends a period
        self._file: BinaryIO | None = None
        self.rows = self.files = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def begin(self, header: bytes) -> None:
        """Make the file, under its header."""
        self._header = header + b"\n"
        self._open()

    def write(self, data: bytes, rows: int) -> None:
        """Take whole lines, and how many these are; raises `OSError`."""
        self.rows += rows
        if not self._length_ms:
            self._put(data)
            return
        data, self._held = self._held + data, b""
        last_ms = cell_of(data[data.rfind(b"\n", 0, -1) + 1 : -1], self._time)
        if self._opens is None and self._last_ms is not None and last_ms < self._end_ms - NEAR_MS:
            self._put(data)
            self._last_ms = last_ms
            return
        self._split(data[:-1].split(b"\n"), is_end=False)

    def _split(self, lines: list[bytes], *, is_end: bool) -> None:
        """Write lines, each in the file of its period; hold the last one back where it alone is far ahead."""
        times_ms = cells_of(lines, self._time)
        before_ms = times_ms[-2] if len(times_ms) > 1 else self._last_ms
        if not is_end and before_ms is not None and times_ms[-1] > before_ms + AHEAD_MS:
            self._held = lines.pop() + b"\n"
            times_ms.pop()
        for begins, piece in self._pieces(lines, times_ms):
            if begins:
                self._close_file(period_name(begins, self._length_ms))
                self._open()
                if self._opens is not None and (opening := self._opens.opening(piece[0])):
                    self._put(opening + b"\n")
            if self._opens is not None:
                self._opens.take(piece)
            self._put(b"\n".join(piece) + b"\n")
        self._last_ms = times_ms[-1] if times_ms else self._last_ms

    def _pieces(self, lines: list[bytes], times_ms: list[int]) -> Iterator[tuple[int, list[bytes]]]:
        """Yield lines in pieces, each with where the period ended before it, 0 where none did."""
        start = ended_ms = 0
        for at, time_ms in enumerate(times_ms):
            if time_ms < self._end_ms or (at + 1 < len(times_ms) and times_ms[at + 1] < time_ms - AHEAD_MS):
                continue
            if start < at:
                yield ended_ms, lines[start:at]
                start = at
            ended_ms = self._end_ms
            self._end_ms = period_end(time_ms, self._length_ms)
        if start < len(lines):
            yield ended_ms, lines[start:]

    def end(self) -> None:
        """Write what is held back, and make sure that all is on the disk; raises `OSError`."""
        if self._held:
            held, self._held = self._held, b""
            self._split([held[:-1]], is_end=True)
        self._close_file()

    def _open(self) -> None:
        path = self._folder / self._part.name
        self._file = begin_plain(path)
        self._put(self._header)
        self.files += 1

    def _put(self, data: bytes) -> None:
        assert self._file is not None, "no file is open"
        self._file.write(data)

    def _close_file(self, period: str = "") -> None:
        if self._file is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        if period:
            (self._folder / self._part.name).rename(self._folder / self._part._replace(period=period).name)
