"""Which days a data file has rows of, and which bytes of it they are: what tells whether a day has changed."""

import zlib
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ...archive.rows import Lines
from ...exchange.shape import form
from ...exchange.streams.kind import Kind, Options
from ...files.names import DAY_MS
from ...files.source import Source
from ..asked import Tell
from .columns import times_ms

CHUNK_BYTES = 1 << 22
EPOCH = date(1970, 1, 1).toordinal()


class Stretch(NamedTuple):
    """A day's rows in a file: how many, their earliest and latest time, the bytes from the first of them to the last.

    `line` is the number of the first one, `crc32` that of them alone: where the bytes hold more lines, those are of
    other days.
    """

    rows: int
    first_ms: int
    last_ms: int
    start: int
    end: int
    line: int
    crc32: int

    def and_behind(self, other: "Stretch") -> "Stretch":
        """Return both, where the other one's rows come behind; its CRC-32 goes on from this one's."""
        return Stretch(
            self.rows + other.rows,
            min(self.first_ms, other.first_ms),
            max(self.last_ms, other.last_ms),
            self.start,
            other.end,
            self.line,
            other.crc32,
        )


class Survey(NamedTuple):
    """A data file: what tells it from others, whatever it is called by now, and which days it has rows of.

    `size`, `mtime_ns` and `ends` are the file's as it lies on the disk, `bytes` and `crc32` those of its whole lines.
    """

    name: str
    size: int
    mtime_ns: int
    ends: int
    bytes: int
    crc32: int
    rows: int
    options: Options
    days: dict[str, Stretch]


def survey(kind: Kind, source: Source, tell: Tell) -> Survey:
    """Read a file; raises `DamagedFile` at a line that is no row. `tell` gets how much of the file was read."""
    found = _Survey(kind)
    lines = Lines(kind, source)
    gathered: list[bytes] = []
    told = length = 0
    for rows in lines:
        gathered.append(rows.data)
        length += len(rows.data)
        if length >= CHUNK_BYTES:
            found.take(lines.columns, b"".join(gathered))
            gathered, length = [], 0
            tell(0, source.taken_bytes - told)
            told = source.taken_bytes
    found.take(lines.columns, b"".join(gathered))
    tell(0, source.status.st_size - told)
    return Survey(source.name, *identity(source), found.bytes, found.crc32, found.rows, found.options, found.days)


def identity(source: Source) -> tuple[int, int, int]:
    """Return what tells a file as it lies on the disk from any other of its history: size, time of change, and ends."""
    return source.status.st_size, source.status.st_mtime_ns, source.ends


class _Survey:
    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self.bytes = self.crc32 = self.rows = 0
        self.options = Options()
        self.days: dict[str, Stretch] = {}

    def take(self, columns: tuple[str, ...], data: bytes) -> None:
        """Take the next lines."""
        if not columns:
            return
        if not self.bytes:
            header = ",".join(columns).encode()
            shape = form(self._kind, header)
            assert shape is not None, "its lines were held against its shape"
            self.options = shape.options
            self.bytes, self.crc32 = len(header) + 1, zlib.crc32(header + b"\n")
        if not data:
            return
        self.crc32 = zlib.crc32(data, self.crc32)
        for number, lines, times in _by_day(data, times_ms(self._kind, self.options, data)):
            day, start = date.fromordinal(EPOCH + number).isoformat(), self.bytes
            known = self.days.get(day)
            bounds = pc.min_max(times)
            checksum = zlib.crc32(lines, known.crc32 if known else 0)
            self.bytes += len(lines)
            found = Stretch(
                len(times), bounds["min"].as_py(), bounds["max"].as_py(), start, self.bytes, self.rows + 2, checksum
            )
            self.rows += len(times)
            self.days[day] = known.and_behind(found) if known else found


def _by_day(data: bytes, times: pa.Array) -> Iterator[tuple[int, bytes, pa.Array]]:
    """Yield lines in pieces of one day each, in order: the day's number, the lines, and their times."""
    runs = pc.run_end_encode(pc.divide(times, DAY_MS))
    days = runs.values.to_pylist()
    if len(days) == 1:
        yield days[0], data, times
        return
    lines = data.split(b"\n")
    start = 0
    for day, end in zip(days, runs.run_ends.to_pylist(), strict=True):
        yield day, b"\n".join(lines[start:end]) + b"\n", times[start:end]
        start = end
