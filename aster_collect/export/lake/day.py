"""A day's file is written: aside, in constant memory, from the lines of the data files that have rows of it."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...errors import DataError
from ...exchange.streams.kind import Kind, Options
from ...files.aside import aside
from ...files.names import DAY_MS
from ...files.source import Damaged, Source
from .columns import packing, schema, table
from .kept import KEY, Made
from .numbers import Unfit
from .survey import CHUNK_BYTES, EPOCH, Stretch, Survey

DAY_US = DAY_MS * 1000
GROUP_ROWS = 131_072
GROUP_BYTES = 1 << 28  # of a group in memory: fewer rows, where they are large

Open = Callable[[Survey], AbstractContextManager[Source]]
Wrote = Callable[[Survey, int, int], object]  # rows, and unpacked bytes of a data file


def write(path: Path, kind: Kind, day: str, made: Made, opened: Open, wrote: Wrote) -> None:
    """Write a day's file; `wrote` is told as it goes.

    Raises `DataError` for a value that would not be kept, or a file that is not what it was; `OSError`.
    """
    options = _widest([survey.options for survey, _ in made.pieces])
    shape = schema(kind, options, made.exact).with_metadata({KEY: made.text()})
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        aside(path) as beside,
        pq.ParquetWriter(beside, shape, compression="zstd", compression_level=3, **packing(kind, options)) as writer,
    ):
        tables = (
            _fitted(one, shape)
            for survey, stretch in made.pieces
            for one in _tables(kind, day, survey, stretch, made.exact, opened, wrote)
        )
        for group in _groups(tables):
            writer.write_table(group.unify_dictionaries(), row_group_size=GROUP_ROWS)
        if not made.rows:
            writer.write_table(shape.empty_table())  # some readers want a group


def _widest(each: list[Options]) -> Options:
    """Return the options whose columns are all those of any."""
    return Options(
        max((one.levels for one in each), default=Options().levels),
        quantities=any(one.quantities for one in each),
        receive_time=any(one.receive_time for one in each),
    )


def _fitted(found: pa.Table, shape: pa.Schema) -> pa.Table:
    """Return a table with all columns of a day; those that its file has not are null."""
    columns = [
        found[field.name] if field.name in found.column_names else pa.nulls(len(found), field.type) for field in shape
    ]
    return pa.table(columns, schema=shape)


def _groups(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables of as many rows as a group has, but for the last one, and where rows are large."""
    gathered: list[pa.Table] = []
    rows = size = 0
    for one in tables:
        gathered.append(one)
        rows += len(one)
        size += one.nbytes
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            whole = pa.concat_tables(gathered)
            cut = rows - rows % GROUP_ROWS if rows >= GROUP_ROWS else rows
            yield whole[:cut]
            gathered, rows, size = [whole[cut:]], rows - cut, 0
    if rows:
        yield pa.concat_tables(gathered)


def _tables(
    kind: Kind, day: str, survey: Survey, stretch: Stretch, exact: bool, opened: Open, wrote: Wrote
) -> Iterator[pa.Table]:
    """Yield the rows of a day in a file."""
    number, rows, checksum, others = stretch.line, 0, 0, False
    with opened(survey) as source:
        try:
            for lines in _whole_lines(source, stretch):
                try:
                    found = table(kind, survey.options, exact, lines)
                except Unfit as error:
                    raise DataError(f"{source.name}:{number + error.row}: {error}") from None
                except ValueError as error:  # of no row
                    raise _changed(source) from error
                number += len(found)
                mine = _of_day(found, day)
                others = others or len(mine) < len(found)
                rows += len(mine)
                checksum = zlib.crc32(lines, checksum)
                wrote(survey, len(mine), len(lines))
                yield mine
        except Damaged:
            raise _changed(source) from None
        if rows != stretch.rows or (not others and checksum != stretch.crc32):
            raise _changed(source)


def _changed(source: Source) -> DataError:
    return DataError(f"{source.name}: it has not what it had when it was read first; 'aster-collect verify' says more")


def _whole_lines(source: Source, stretch: Stretch) -> Iterator[bytes]:
    gathered: list[bytes] = []
    length = 0
    for data in source.between(stretch.start, stretch.end):
        length += len(data)
        end = data.rfind(b"\n") + 1
        if length < CHUNK_BYTES or not end:
            gathered.append(data)
            continue
        yield b"".join((*gathered, data[:end]))
        gathered, length = [data[end:]], len(data) - end
    if length:
        yield b"".join(gathered)


def _of_day(found: pa.Table, day: str) -> pa.Table:
    number = date.fromisoformat(day).toordinal() - EPOCH
    mine = pc.equal(pc.divide(pc.cast(found["time"], pa.int64()), DAY_US), number)
    return found if pc.all(mine).as_py() else found.filter(mine)
