"""Lines of a file as rows: tuples of text with the names of the file's columns."""

from collections import namedtuple
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..exchange.shape import Form, form, reason, shown
from ..exchange.streams.kind import Kind
from ..files.source import Block, Damaged, Source


class DamagedFile(ValueError):
    """A file has lines that are no rows of it; the text says which file and line, why, and what to do."""


class Row(tuple[str, ...]):
    """A row: its cells as text, by place, or by the name of their column; a named tuple. What is blank is ""."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    if TYPE_CHECKING:

        def __getattr__(self, column: str) -> str: ...

        def _asdict(self) -> dict[str, str]: ...

        def _replace(self, **cells: str) -> Self: ...

    def __reduce__(self) -> tuple[Any, ...]:
        """Let rows go to other processes, though their type is made for the columns of their file."""
        return _made, (self._fields, tuple(self))


class Rows(NamedTuple):
    """Many rows of a file at a time, whole lines, and where they stand.

    `line` is the number of the first one. `taken` is how much of the file, as it lies on the disk, was read for them.
    """

    file: str
    line: int
    columns: tuple[str, ...]
    data: bytes
    taken: int

    @property
    def lines(self) -> list[str]:
        """The rows as text, without line ends."""
        return self.data.decode("utf-8", "surrogateescape")[:-1].split("\n")


class Lines:
    """The lines of a file, held against the shape that its header promises; `columns` are known with the first."""

    def __init__(self, kind: Kind, source: Source) -> None:
        self._kind, self._source = kind, source
        self._line = 1  # the next one
        self._taken = 0
        self._shape: Form | None = None
        self.columns: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Rows]:
        """Yield the rows, many at a time.

        Raises `DamagedFile` behind what is good, for what is no row, but for a last line that is being written.
        """
        try:
            for block in self._source.blocks():
                yield from self._rows(block)
        except Damaged as error:
            raise self._damaged(f"the rest can't be unpacked: {error}") from None

    def header(self) -> tuple[str, ...]:
        """Return the columns alone; none where the header is not whole yet. The lines can't be had after that."""
        for block in self._source.blocks():
            if block.whole:
                self._begin(block.data)
            break
        return self.columns

    def _rows(self, block: Block) -> Iterator[Rows]:
        data, most = block.data, self._source.line_bytes
        if not block.whole:
            if self._source.growing and len(data) <= most:
                return
            raise self._damaged(reason(data, self._shape))
        if self._shape is None:
            data = self._begin(data)
        match = self._shape.pattern.match(data) if self._shape else None
        end = match.end() if match else 0
        if end:
            before, self._taken = self._taken, self._source.taken_bytes
            yield Rows(self._source.name, self._line, self.columns, data[:end], self._taken - before)
            self._line += data.count(b"\n", 0, end)
        if end < len(data):
            raise self._damaged(reason(data[end : data.index(b"\n", end) + 1], self._shape))

    def _begin(self, data: bytes) -> bytes:
        header, _, rest = data.partition(b"\n")
        self._shape = form(self._kind, header)
        if self._shape is None:
            raise self._damaged(f"no header of such a file: {shown(header)}")
        self.columns = tuple(column.name for column in self._shape.columns)
        self._line += 1
        return rest

    def _damaged(self, why: str) -> DamagedFile:
        return DamagedFile(f"{self._source.name}:{self._line}: {why}; 'aster-collect verify' says more")


def rows_of(kind: Kind, source: Source, start_ms: int | None, end_ms: int | None) -> Iterator[Row]:
    """Yield the rows of a file, those from `start_ms` on, and before `end_ms`; raises as `Lines` does."""
    for rows in Lines(kind, source):
        lines = rows.lines
        if start_ms is not None or end_ms is not None:
            from_ms, times = start_ms or 0, map(kind.row_time_ms, lines)
            lines = [
                line for line, at in zip(lines, times, strict=True) if from_ms <= at and (end_ms is None or at < end_ms)
            ]
        make = _type_of(rows.columns)._make
        yield from (make(line.split(",")) for line in lines)


@lru_cache
def _type_of(columns: tuple[str, ...]) -> Any:
    return type("Row", (namedtuple("Row", columns), Row), {"__slots__": ()})


def _made(columns: tuple[str, ...], cells: tuple[str, ...]) -> Row:
    row: Row = _type_of(columns)._make(cells)
    return row
