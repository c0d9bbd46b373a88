"""What a line must look like: for each shape of file one pattern that is the validation, and the reason for people.

Both are made from a kind's columns, so they can't disagree.
"""

import re
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from .cells import Column
from .form import columns_of
from .streams.kind import Kind, Options
from .streams.orderbook import LEVELS

_SHOWN = 40
NONE = -1


class Form(NamedTuple):
    """One shape of a file: what it was written with, its columns, and the pattern that any number of good lines match.

    `time` is which column the time is, `id` that of the ids, which is `NONE` in a file without any, `checked` those
    that the kind's check looks at, and `top` those that show bids and asks of the top of the book.
    """

    options: Options
    columns: tuple[Column, ...]
    pattern: re.Pattern[bytes]
    time: int
    in_seconds: bool
    id: int
    checked: range
    top: tuple[tuple[int, ...], ...]

    def at(self, name: str) -> int:
        """Return which column has a name."""
        return next(at for at, column in enumerate(self.columns) if column.name == name)


def form(kind: Kind, header: bytes) -> Form | None:
    """Return the shape that a header promises, None when it is not one of this kind of file."""
    options = options_of(kind, header)
    return None if options is None else _form(kind, options)


def options_of(kind: Kind, header: bytes) -> Options | None:
    """Return the options of a run that writes files of this header, None where it is not one of this kind of file."""
    return _shapes(kind).get(header)


@lru_cache
def _shapes(kind: Kind) -> dict[bytes, Options]:
    """Return by header the options of each shape that a kind's files can have."""
    flags = (False, True)
    every = (
        Options(levels, quantities=more, receive_time=when) for levels, more, when in product(LEVELS, flags, flags)
    )
    return {",".join(column.name for column in columns_of(kind, options)).encode(): options for options in every}


@lru_cache
def _form(kind: Kind, options: Options) -> Form:
    columns = columns_of(kind, options)
    names = [column.name for column in columns]
    first = names.index(kind.check.first) if kind.check else 0
    row = ",".join(column.cell.pattern for column in columns)
    top = kind.top(options) if kind.top else None
    return Form(
        options,
        columns,
        re.compile(f"(?:{row}\n)*".encode()),
        kind.time_at,
        kind.in_seconds,
        names.index(kind.ids) if kind.ids in names else NONE,
        range(first, first + kind.check.count(options)) if kind.check else range(0),
        tuple(tuple(map(names.index, side)) for side in top or ()),
    )


def reason(line: bytes, shape: Form | None) -> str:
    """Say why a line, with or without its line end, is not a row of this shape; a header's shape is None."""
    if b"\0" in line:
        return f"{line.count(0)} NUL bytes"
    if not line.endswith(b"\n"):
        return f"incomplete line of {len(line)} bytes"
    line = line[:-1]
    if not line:
        return "blank line"
    if b"\r" in line:
        return "carriage return in the line"
    cells = line.split(b",")
    if shape is None or len(cells) != len(shape.columns):
        return f"{len(cells)} cells instead of {len(shape.columns) if shape else 0}: {shown(line)}"
    for (name, value), cell in zip(shape.columns, cells, strict=True):
        if not re.fullmatch(value.pattern.encode(), cell):
            return f"{name} is {shown(cell)}, not {value.words}"
    return f"not a row: {shown(line)}"


def shown(data: bytes) -> str:
    """Return bytes from a file as short printable text."""
    cut = data[:_SHOWN].decode("utf-8", "replace")
    return ascii(cut) + ("…" if len(data) > _SHOWN else "")
