"""The book as a backtest may see it: never over a hole."""

from collections.abc import Iterator, Sequence

from . import events
from .changes import Change, Changes
from .days import day_of
from .events import Array
from .stamps import NS_OF_MS, Stamps
from .target import Target
from .tops import Tops

Stretches = Sequence[tuple[int, int]]  # from and to, in milliseconds, in order and apart


def taken(arrays: list[Array]) -> list[Array]:
    """Return arrays, and keep none: those of a day are much."""
    found = arrays.copy()
    arrays.clear()
    return found


class Shown:
    """The events of a book, day by day.

    Where a stretch of the ledger begins the book is cleared: what lies in it is no book that anybody had. It is there
    again, whole, with the first row behind the stretch. Each day begins with the whole book. A row could be applied
    when all rows before it had come, so that neither time goes back.
    """

    def __init__(self, target: Target, kind: str, changes: Changes | Tops, holes: Stretches) -> None:
        self.stamps = Stamps()
        self.rows = 0
        self._target, self._kind, self._changes = target, kind, changes
        self._holes, self._hole = holes, 0
        self._day = -1
        self._is_whole = False
        self._exch_ns = self._local_ns = 0  # of the last event
        self._columns: tuple[list[int], list[int], list[int], list[str], list[str]] = ([], [], [], [], [])
        self._arrays: list[Array] = []

    def days(self) -> Iterator[tuple[int, list[Array]]]:
        """Yield the events of each day that has some; raises `DataError` for a value that a double does not keep."""
        for rows in self._target.blocks(self._kind):
            try:
                for change in self._changes.of(rows):
                    (local_ns,) = self.stamps.local_ns([change.time_ms], [change.received])
                    if self._target.is_within(change.time_ms):
                        yield from self._take(change, local_ns)
                self._keep()
            except events.Unfit as error:
                raise error.at(rows) from None
        if self._hole < len(self._holes) and day_of(self._holes[self._hole][0]) == self._day:
            self._clear()
        yield from self._end_day()

    def _take(self, change: Change, local_ns: int) -> Iterator[tuple[int, list[Array]]]:
        self.rows += 1
        time_ms = change.time_ms
        while self._hole < len(self._holes) and self._holes[self._hole][0] < time_ms:
            if self._is_whole:
                yield from self._begin_day(self._holes[self._hole][0])
                self._clear()
            if time_ms < self._holes[self._hole][1]:
                return
            self._hole += 1
        yield from self._begin_day(time_ms)
        self._exch_ns, self._local_ns = max(self._exch_ns, time_ms * NS_OF_MS), max(self._local_ns, local_ns)
        if change.fresh or not self._is_whole:
            self._add(events.CLEAR, "0 0")
            book = self._changes.book
            sides = (change.bids, change.asks) if change.fresh else (b";".join(side.all()) for side in book.sides)
            self._sides(events.SNAPSHOT, *sides)
            self._is_whole = True
        if not change.fresh:
            self._sides(events.DEPTH, change.bids, change.asks)

    def _begin_day(self, time_ms: int) -> Iterator[tuple[int, list[Array]]]:
        """Yield the day that is over with a moment, where that is the first of another."""
        if day_of(time_ms) > self._day:
            yield from self._end_day()
            self._day, self._is_whole = day_of(time_ms), False

    def _clear(self) -> None:
        """Let nobody have a book from the beginning of the next hole on."""
        exch_ns = self._holes[self._hole][0] * NS_OF_MS
        self._exch_ns, self._local_ns = max(self._exch_ns, exch_ns), max(self._local_ns, exch_ns + self.stamps.delay_ns)
        self._add(events.CLEAR, "0 0")
        self._is_whole = False

    def _sides(self, what: int, bids: bytes, asks: bytes) -> None:
        for side, levels in ((events.BUY, bids), (events.SELL, asks)):
            if levels:
                self._add(what | side, levels.decode())

    def _add(self, what: int, levels: str) -> None:
        cells = levels.replace(";", " ").split(" ")
        count = len(cells) // 2
        flags, exch, local, px, qty = self._columns
        flags += [what] * count
        exch += [self._exch_ns] * count
        local += [self._local_ns] * count
        px += cells[::2]
        qty += cells[1::2]

    def _keep(self) -> None:
        """Make an array of what was gathered, which takes a fraction of the room."""
        if self._columns[0]:
            self._arrays.append(events.array(*self._columns))
            for column in self._columns:
                column.clear()

    def _end_day(self) -> Iterator[tuple[int, list[Array]]]:
        self._keep()
        if self._arrays:
            yield self._day, taken(self._arrays)
