"""The files of one history, and how rows get into them: each is written aside, and takes the former one's place."""

import gzip
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from ..exchange.events import Gap
from ..exchange.form import Form
from ..exchange.ledger import LEDGER
from ..exchange.shape import options_of
from ..exchange.streams.kind import Event, Kind, Options
from ..files.aside import aside
from ..files.histories import Histories, in_order, open_closed
from ..files.manifest import announce, has_manifest
from ..files.names import PACKED, Part
from ..files.source import Source
from .insert import copy_with, find_lines, ids_between
from .left import Range, left_of


class File:
    """A file that has rows."""

    def __init__(self, folder: Path, kind: Kind, part: Part, first_row: str) -> None:
        self.part = part
        self._folder, self._kind, self._first_row = folder, kind, first_row
        self.first_id = _id(first_row)
        self.first_ms = kind.row_time_ms(first_row)

    @cached_property
    def last_id(self) -> int:
        """The id of its last row; a compressed file has to be read whole for it."""
        with _open(self._folder, self.part) as source:
            return _id(source.last_row(self._kind) or self._first_row)


class Files:
    """The files of a history, in order."""

    def __init__(self, folder: Path, kind: Kind, symbol: str) -> None:
        self._folder, self._kind = folder, kind
        parts = Histories(folder).parts(symbol).get(kind.name, set())
        growing = [part for part in parts if not part.period]
        self.extents: list[File] = []
        for part in (*in_order(folder, (part for part in parts if part.period)), *growing):
            with _open(folder, part) as source:
                if row := source.first_row().decode():
                    self.extents.append(File(folder, kind, part, row))

    def lines(self, numbers: Sequence[int]) -> Iterator[tuple[int, str]]:
        """Yield the rows that have one of some ids, which rise; each file that can have one is read once."""
        firsts = [file.first_id for file in self.extents]
        for at, some in groupby(numbers, lambda number: bisect_right(firsts, number) - 1):
            if at >= 0:
                with _open(self._folder, self.extents[at].part) as source:
                    yield from ((number, line.decode()) for number, line in find_lines(source, list(some)))

    def ids(self, first: int, last: int) -> Iterator[int]:
        """Yield the ids from one to another, both included, that are there, in order."""
        firsts = [file.first_id for file in self.extents]
        for file in self.extents[max(0, bisect_right(firsts, first) - 1) : bisect_right(firsts, last)]:
            with _open(self._folder, file.part) as source:
                yield from ids_between(source, first, last)

    def put(self, part: Part, events: Sequence[Event]) -> None:
        """Put rows into a file, which is begun where it is not there; raises `OSError`."""
        like = next((file.part for file in self.extents if file.part == part), self.extents[0].part)
        with _open(self._folder, like) as source:
            packed = source.name.endswith(PACKED)
            header = _header(source)
        options = options_of(self._kind, header)
        assert options is not None, "a file of another kind"
        lines = [
            (event[0], f"{row}\n".encode())
            for event, row in zip(events, Form(self._kind, options).rows(events), strict=True)
        ]
        path = self._folder / (part.name + PACKED * packed)
        if not packed:  # where a compression was interrupted this one is whole, and the other one will be made of it
            path.with_name(path.name + PACKED).unlink(missing_ok=True)
        with aside(path) as beside:
            with ExitStack() as opened:
                file = opened.enter_context(beside.open("r+b"))
                target: BinaryIO | gzip.GzipFile = file
                if packed:
                    target = opened.enter_context(gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0))
                if like == part:
                    copy_with(opened.enter_context(_open(self._folder, part)), lines, target.write)
                else:
                    target.write(header + b"\n" + b"".join(line for _, line in lines))
            if like == part and part.period and has_manifest(self._folder):
                announce(self._folder, path, beside)


def _open(folder: Path, part: Part) -> Source:
    return open_closed(folder, part) if part.period else Source(folder / part.name, part)


def rewrite_ledger(folder: Path, kind: Kind, symbol: str, found: Sequence[Range]) -> None:
    """Take ids that were found out of the ledger, row by row; raises `OSError`."""
    path, write = folder / LEDGER.file_name(symbol), LEDGER.write(Options())
    with aside(path) as beside, beside.open("r+b") as target, Source(path, Part(LEDGER.name, symbol)) as source:
        for line in (line for block in source.blocks() for line in block.data.splitlines(keepends=True)):
            cells = line.decode().rstrip("\n").split(",")
            if cells[0] == kind.name and line.endswith(b"\n") and cells[3]:
                left = write(list(left_of(Gap._make(LEDGER.read(cells)), found)))
                line = "".join(f"{row}\n" for row in left).encode()
            target.write(line)


def _header(source: Source) -> bytes:
    return next(source.blocks()).data.partition(b"\n")[0]


def _id(row: str) -> int:
    return int(row.partition(",")[0])
