"""Lines of a file as rows: tuples of text with the names of the file's columns."""

from collections import namedtuple
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from ..exchange.streams.kind import Kind
from ..files.source import Damaged, Source


class DamagedFile(ValueError):
    """A file has lines that are no rows of it; the text says which file and line, and what to do."""


class Row(tuple[str, ...]):
    """A row: its cells as text, by place, or by the name of their column."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    if TYPE_CHECKING:

        def __getattr__(self, column: str) -> str: ...


def rows_of(kind: Kind, source: Source, start_ms: int, end_ms: int) -> Iterator[Row]:
    """Yield the rows of a file, those from `start_ms` on, and before `end_ms`.

    Raises `DamagedFile` for what is no row, but for a last line that is being written.
    """
    number, make = 1, None
    try:
        for block in source.blocks():
            if not block.whole:
                if source.growing and len(block.data) <= source.line_bytes:
                    return
                raise _damaged(source, number, "a line without an end")
            lines = block.data.decode("utf-8", "surrogateescape")[:-1].split("\n")
            if make is None:
                make, lines, number = _row_of(lines[0]), lines[1:], 2
            width = len(make._fields)
            for number, line in enumerate(lines, number):  # noqa: B020, which goes on from block to block
                if not kind.is_row(width, line):
                    raise _damaged(source, number, "not a row")
                if start_ms <= kind.row_time_ms(line) < end_ms:
                    yield make(*line.split(","))
            number += 1
    except Damaged as error:
        raise _damaged(source, number, str(error)) from None


def _damaged(source: Source, number: int, why: str) -> DamagedFile:
    return DamagedFile(f"{source.name}:{number}: {why}; 'aster-collect verify' says more")


@lru_cache
def _row_of(header: str) -> type[Row]:
    columns = header.split(",")
    return type("Row", (namedtuple("Row", columns), Row), {"__slots__": ()})
