"""The files of one history, oldest first, each block of lines checked as it is read."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from ..exchange.shape import Form, form, reason, shown
from ..exchange.streams.kind import Kind
from ..files.names import DAY_MS, Part
from ..files.source import Block, Damaged, Source
from .found import FileEnd, Sum
from .ledger import Flaw
from .lines import Lines
from .report import Report

Tell = Callable[[int, int], object]  # rows and bytes, more of each


def nobody(rows: int, size: int) -> None:
    """Tell nobody."""


class Order(Protocol):
    """What is to hold of rows."""

    def begin_file(self, period_ms: int) -> None:
        """Note that the rows of another file follow."""

    def take(self, lines: Lines) -> list[Flaw]:
        """Check good lines, and return what is wrong with them."""

    def lose_track(self) -> None:
        """Forget how the last file ended."""

    def end_file(self) -> FileEnd:
        """Return what was found in a file, and begin another."""

    @property
    def state(self) -> Any:
        """What of the files so far those that follow depend on."""


class File(NamedTuple):
    """A file that was read: its bytes, unpacked, and their hash, both None where they could not be read to the end.

    `status` tells whether it is still the same, `state` is that behind it.
    """

    name: str
    period_end_ms: int
    status: tuple[int, int, int]
    bytes: int | None
    sha256: str | None
    sum: Sum
    end: FileEnd
    state: Any


class Reading:
    """The files of one history; `blocks` are their good lines, each once and each checked before it is seen."""

    def __init__(
        self, kind: Kind, sources: Iterator[Source], order: Order, report: Report, *,
        since_ms: int = 0, is_aside: bool = False, keeps: Callable[[Part], bool] = lambda _: False,
        tell: Tell = nobody,
    ) -> None:  # fmt: skip
        """Rows from `since_ms` on are counted, and the state is kept behind each file that `keeps` says so of.

        `tell` is told of each file's rows and bytes.

        Of a file set aside the header may be foreign, and a torn end is none.
        """
        self.kind = kind
        self.files: list[File] = []
        self.foreign = ""  # why the rows of a file that was set aside were not checked
        self._order, self._report, self._tell = order, report, tell
        self._since_ms, self._is_aside, self._keeps = since_ms, is_aside, keeps
        self._days: Counter[int] = Counter()
        self._first_ms: int | None = None
        self._size: int | None = 0
        self.blocks = self._files(sources)

    def finish(self) -> None:
        """Read what is left."""
        for _ in self.blocks:
            pass

    def _files(self, sources: Iterator[Source]) -> Iterator[Lines]:
        for source in sources:
            self._order.begin_file(source.part.length_ms)
            self._days, self._first_ms, self._size, self._hash = Counter(), None, 0, sha256()
            yield from self._file(source)
            self.files.append(self._end(source))
            self._tell(self._days.total(), source.status.st_size)

    def _end(self, source: Source) -> File:
        end, status, part = self._order.end_file(), source.status, source.part
        days = {day: (rows, 0) for day, rows in self._days.items()}
        for time_ms, missing in end.ids.holes:
            if time_ms >= self._since_ms:
                rows, before = days.get(time_ms // DAY_MS, (0, 0))
                days[time_ms // DAY_MS] = (rows, before + missing)
        last_ms = end.times.last_ms if self._days else None
        found = Sum(days, self._first_ms, last_ms, end.times.back, end.ids.crossed)
        return File(
            source.name, part.end_ms if part.period else 0, (status.st_size, status.st_mtime_ns, status.st_ctime_ns),
            self._size, None if self._size is None else self._hash.hexdigest(), found, end,
            self._order.state if self._keeps(part) else None,
        )  # fmt: skip

    def _blocks(self, source: Source) -> Iterator[Block]:
        for block in source.blocks():
            self._hash.update(block.data)
            if self._size is not None:
                self._size += len(block.data)
            yield block

    def _file(self, source: Source) -> Iterator[Lines]:
        number, shape = 1, None
        blocks = self._blocks(source)
        try:
            for block in blocks:
                data = block.data
                if shape is None and block.whole:
                    header, _, data = data.partition(b"\n")
                    shape = form(self.kind, header)
                    number = 2
                    if shape is None:
                        self._of_others(source, header)
                        for _ in blocks:  # for the hash
                            pass
                        return
                if not block.whole:
                    self._torn(source, number, data, shape)
                    return
                assert shape is not None
                yield self._lines(source.name, number, data, shape)
                number += data.count(b"\n")
        except Damaged as error:
            self._report.broken(source.name, number, f"damaged, the rest was not read: {error}")
            self._lose_track()
        else:
            if shape is None and not source.growing:
                self._report.broken(source.name, 1, "empty, without even a header")

    def _lose_track(self) -> None:
        self._size = None
        self._order.lose_track()

    def _of_others(self, source: Source, header: bytes) -> None:
        why = f"not the header of a {self.kind.name} file"
        if self._is_aside:
            self.foreign = f"{why}: {shown(header)}"
        else:
            self._report.broken(source.name, 1, f"{why}, so its rows were not checked: {shown(header)}")
            self._order.lose_track()

    def _torn(self, source: Source, number: int, data: bytes, shape: Form | None) -> None:
        """Tell of what stands behind the last line end; in a file that grows it is a row under way."""
        why = reason(data, shape)
        if len(data) > source.line_bytes:
            self._lose_track()
            if not self._is_aside:
                self._report.broken(source.name, number, f"{why}, and more that was not read")
        elif not source.growing:
            self._report.broken(source.name, number, why)

    def _lines(self, name: str, number: int, data: bytes, shape: Form) -> Lines:
        """Check whole lines, from a number on; return the good ones."""
        numbers: Sequence[int] = range(number, number + data.count(b"\n"))
        flaws: list[Flaw] = []
        if not shape.pattern.fullmatch(data):
            numbers, data, flaws = _sift(shape, data, number)
        lines = Lines(name, shape, numbers, data[:-1].replace(b"\n", b",").split(b",") if data else [])
        flaws += self._order.take(lines)
        for at, why in sorted(flaws, key=itemgetter(0)):
            self._report.broken(name, at, why)
        if numbers:
            self._count(lines.times_ms)
        return lines

    def _count(self, times_ms: list[int]) -> None:
        """Count rows by their days."""
        first_ms = min(times_ms)
        if first_ms < self._since_ms:
            times_ms = [time_ms for time_ms in times_ms if time_ms >= self._since_ms]
            if not times_ms:
                return
            first_ms = min(times_ms)
        self._first_ms = first_ms if self._first_ms is None else min(first_ms, self._first_ms)
        if first_ms // DAY_MS == max(times_ms) // DAY_MS:
            self._days[first_ms // DAY_MS] += len(times_ms)
        else:
            self._days.update(time_ms // DAY_MS for time_ms in times_ms)


def _sift(shape: Form, data: bytes, number: int) -> tuple[list[int], bytes, list[Flaw]]:
    """Return the good lines of a block that has bad ones, and what is wrong with those."""
    numbers, good, flaws = [], [], []
    for at, text in enumerate(data[:-1].split(b"\n"), number):
        text += b"\n"
        if shape.pattern.fullmatch(text):
            numbers.append(at)
            good.append(text)
        else:
            flaws.append((at, reason(text, shape)))
    return numbers, b"".join(good), flaws
