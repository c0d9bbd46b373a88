"""The columns of a kind as those of Parquet, and the cells of lines as their values."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from ...exchange.cells import Column, Holds
from ...exchange.form import columns_of
from ...exchange.streams.kind import Kind, Options
from .numbers import Unfit, number_type, numbers

TIME = pa.timestamp("us", "UTC")  # Spark reads no nanoseconds
WORDS = pa.dictionary(pa.int32(), pa.string())
LARGEST = (1 << 63) - 1


class Kept(NamedTuple):
    """How what a cell holds is kept: as what it is read, as what it is kept, by whether exactly, and how that is made.

    What is not `packed` by the differences of its values is by a dictionary.
    """

    read: pa.DataType
    type: Callable[[bool], pa.DataType]
    value: Callable[[Column, pa.Array, bool], pa.Array]
    packed: bool = False
    leaves: tuple[str, ...] = ("",)  # what stands behind the column's name in those of its parts


def schema(kind: Kind, options: Options, exact: bool) -> pa.Schema:
    """Return the columns of a kind under some options."""
    return pa.schema(
        [pa.field(_name(kind, column), _KEPT[column.cell.holds].type(exact)) for column in columns_of(kind, options)]
    )


def packing(kind: Kind, options: Options) -> dict[str, Any]:
    """Return how the columns are packed, as the writer of Parquet wants to know it."""
    leaves = [
        (f"{_name(kind, column)}{leaf}", kept.packed)
        for column in columns_of(kind, options)
        for kept in (_KEPT[column.cell.holds],)
        for leaf in kept.leaves
    ]
    return {
        "use_dictionary": [name for name, packed in leaves if not packed],
        "column_encoding": {name: "DELTA_BINARY_PACKED" for name, packed in leaves if packed},
    }


def times_ms(kind: Kind, options: Options, lines: bytes) -> pa.Array:
    """Return the times of lines that are rows, in milliseconds."""
    times = _read(kind, options, lines, only=kind.time.name)[kind.time.name]
    return _milliseconds(times) if kind.in_seconds else times


def table(kind: Kind, options: Options, exact: bool, lines: bytes) -> pa.Table:
    """Return lines that are rows as a table; raises `Unfit` where a value would not be kept."""
    cells = _read(kind, options, lines)
    values = [_KEPT[column.cell.holds].value(column, cells[column.name], exact) for column in columns_of(kind, options)]
    return pa.table(values, schema=schema(kind, options, exact))


def _name(kind: Kind, column: Column) -> str:
    """Return a column's name: the time of a row is `time`, and no other time has a unit in its name any more."""
    if column == kind.time:
        return "time"
    if column.cell.holds is Holds.SECONDS:
        return column.name.replace("unix_timestamp", "time")
    return column.name.removesuffix("_ms") + "_time" if column.cell.holds is Holds.MILLISECONDS else column.name


@lru_cache
def _reader(kind: Kind, options: Options, only: str) -> tuple[list[str], Any]:
    columns = columns_of(kind, options)
    convert = pyarrow.csv.ConvertOptions(
        column_types={column.name: _KEPT[column.cell.holds].read for column in columns},
        include_columns=[only] if only else [],
        null_values=[""],
        strings_can_be_null=True,
    )
    return [column.name for column in columns], convert


def _read(kind: Kind, options: Options, lines: bytes, only: str = "") -> dict[str, pa.Array]:
    """Return the cells by the names of their columns; raises `Unfit` for a whole number that is too large."""
    names, convert = _reader(kind, options, only)
    try:
        found = pyarrow.csv.read_csv(
            pa.BufferReader(lines),
            pyarrow.csv.ReadOptions(column_names=names, block_size=len(lines) + 1, use_threads=False),
            pyarrow.csv.ParseOptions(quote_char=False),
            convert,
        )
    except pa.ArrowInvalid as error:
        raise _unfit(kind, options, lines) or error from None
    return {name: found[name].combine_chunks() for name in found.column_names}


def _unfit(kind: Kind, options: Options, lines: bytes) -> Unfit | None:
    """Return what the reader of CSV could not take of lines that are rows; it says neither where nor why."""
    columns = columns_of(kind, options)
    for row, line in enumerate(lines.split(b"\n")[:-1]):
        for column, cell in zip(columns, line.split(b","), strict=True):
            if column.cell.holds is Holds.WHOLE and cell and int(cell) > LARGEST:
                return Unfit(row, f"{column.name} is {int(cell)}, and {LARGEST} is the largest that a column holds")
            if column.cell.holds is Holds.TEXT and cell != cell.decode("utf-8", "ignore").encode():
                return Unfit(row, f"{column.name} is {cell!r}, which is no UTF-8")
    return None


def _milliseconds(seconds: pa.Array) -> pa.Array:
    return pc.cast(pc.round(pc.multiply(seconds, 1000.0)), pa.int64())


def _time(milliseconds: pa.Array) -> pa.Array:
    return pc.cast(pc.multiply(milliseconds, 1000), TIME)


def _level_type(exact: bool) -> pa.DataType:
    number = number_type(exact)
    return pa.list_(pa.field("element", pa.struct([("price", number), ("quantity", number)])))


def _levels(column: Column, cells: pa.Array, exact: bool) -> pa.Array:
    """Return `price quantity;price quantity` as lists of both; what is blank is an empty list."""
    each = pc.split_pattern(cells, ";")
    pairs = pc.split_pattern(each.flatten(), " ")
    try:
        both = [numbers(column.name, pc.list_element(pairs, at).dictionary_encode(), exact) for at in (0, 1)]
    except Unfit as error:
        raise Unfit(pc.list_parent_indices(each)[error.row].as_py(), str(error)) from None
    ends = pc.cumulative_sum(pc.fill_null(pc.list_value_length(each), 0))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    kept = _level_type(exact)
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(both, fields=list(kept.value_type)), type=kept)


def _same(_column: Column, cells: pa.Array, _exact: bool) -> pa.Array:
    return cells


_KEPT = {
    # A double has room for the milliseconds of 11 digits of seconds.
    Holds.SECONDS: Kept(pa.float64(), lambda _: TIME, lambda _, cells, __: _time(_milliseconds(cells)), True),
    Holds.MILLISECONDS: Kept(pa.int64(), lambda _: TIME, lambda _, cells, __: _time(cells), True),
    Holds.WHOLE: Kept(pa.int64(), lambda _: pa.int64(), _same, True),
    Holds.DECIMAL: Kept(WORDS, number_type, lambda column, cells, exact: numbers(column.name, cells, exact)),
    Holds.LEVELS: Kept(pa.string(), _level_type, _levels, leaves=(".list.element.price", ".list.element.quantity")),
    Holds.WORD: Kept(WORDS, lambda _: WORDS, _same),
    Holds.TEXT: Kept(pa.string(), lambda _: pa.string(), _same),
}
