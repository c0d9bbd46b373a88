"""Rows as what a chart shows of them, in memory that the axis bounds.

Each is given the rows of a point, or of a bar, whenever some come; those of one point may come at different times.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import compress, repeat
from math import ceil
from operator import eq, floordiv, mul, sub
from typing import NamedTuple

from ..archive.book import SNAPSHOT_LEVELS
from ..exchange.cells import RECEIVE_TIME
from .histogram import Histogram
from .rows import Rows

SPREAD_PARTS = 10_000  # of a basis point, in which a spread is counted
NEAR = 0.001  # ten basis points of the mid
_BP = 10_000
_NS_IN_MS = 1_000_000
SIDES = (b"buy", b"sell")


class _Endless:
    """A series that needs no end."""

    def end(self) -> None:
        """Note that there are no more rows."""


class Quoted(NamedTuple):
    """Quotes of a point: the last mid, as the file has it, the lowest and the highest, and the spreads."""

    last: str
    lowest: float
    highest: float
    spreads: Histogram


class Quotes(_Endless):
    """Mids and spreads; a quote with a price of zero has but one side, and no mid."""

    def __init__(self) -> None:
        self.points: dict[int, Quoted] = {}

    def take(self, at: int, rows: Rows) -> None:
        """Add rows of a point."""
        bids, asks = rows.column("bid"), rows.column("ask")
        spreads: dict[int, int] = {}
        lowest, highest = float("inf"), 0.0
        for (bid, ask), count in Counter(zip(bids, asks, strict=True)).items():
            low, high = float(bid), float(ask)
            if low and high:
                mid = (low + high) / 2
                lowest, highest = min(lowest, mid), max(highest, mid)
                spread = round(max(0.0, high - low) / mid * _BP * SPREAD_PARTS)
                spreads[spread] = spreads.get(spread, 0) + count
        if not spreads:
            return
        last = next(at for at in range(len(rows) - 1, -1, -1) if float(bids[at]) and float(asks[at]))
        point = self.points.get(at) or Quoted("", lowest, highest, Histogram())
        point.spreads.add(spreads)
        mid_text = rows.cell("mid", last).decode()
        self.points[at] = Quoted(mid_text, min(point.lowest, lowest), max(point.highest, highest), point.spreads)


class Last(_Endless):
    """The last value of some columns in each point, as the file has it; what is blank is none."""

    def __init__(self, *columns: str) -> None:
        self.columns: dict[str, dict[int, str]] = {column: {} for column in columns}

    def take(self, at: int, rows: Rows) -> None:
        """Add rows of a point."""
        for column, points in self.columns.items():
            if value := next(filter(None, reversed(rows.column(column))), b""):
                points[at] = value.decode()


class Traded(NamedTuple):
    """What was bought or sold in a bar: how many rows, their quantity, and price times quantity."""

    rows: int = 0
    quantity: float = 0.0
    value: float = 0.0


class Sides(_Endless):
    """What was bought and what was sold in each bar, in this order."""

    def __init__(self, price: str, quantity: str) -> None:
        self._price, self._quantity = price, quantity
        self.bars: dict[int, tuple[Traded, ...]] = {}

    def take(self, at: int, rows: Rows) -> None:
        """Add rows of a bar."""
        sides = rows.column("side")
        prices, quantities = (list(map(float, rows.column(name))) for name in (self._price, self._quantity))
        values = list(map(mul, prices, quantities))
        before = self.bars.get(at, (Traded(), Traded()))
        self.bars[at] = tuple(
            Traded(
                one.rows + sides.count(side),
                one.quantity + _sum_where(sides, side, quantities),
                one.value + _sum_where(sides, side, values),
            )
            for side, one in zip(SIDES, before, strict=True)
        )


def _sum_where(sides: Sequence[bytes], side: bytes, values: Sequence[float]) -> float:
    return sum(compress(values, map(eq, sides, repeat(side))))


class Depth(NamedTuple):
    """What stood within ten basis points of the mid, as price times quantity; `whole` unless the book ends before."""

    bids: float
    asks: float
    whole: bool


Levels = Iterable[tuple[float, float]]  # price and quantity


def near(bids: Levels, asks: Levels, *, ends: bool) -> Depth | None:
    """Return the depth of a book, None where a side is empty; `ends` says that there may be levels behind its last."""
    bought, sold = ([level for level in side if level[0] and level[1]] for side in (bids, asks))
    if not (bought and sold):
        return None
    mid = (max(bought)[0] + min(sold)[0]) / 2
    lowest, highest = mid * (1 - NEAR), mid * (1 + NEAR)
    whole = not ends or (min(bought)[0] < lowest and max(sold)[0] > highest)
    bid, ask = (
        sum(price * quantity for price, quantity in side if lowest <= price <= highest) for side in (bought, sold)
    )
    return Depth(bid, ask, whole)


class Tops(_Endless):
    """The depth at the end of each point, of rows that show the top of the book."""

    def __init__(self) -> None:
        self.points: dict[int, Depth] = {}

    def take(self, at: int, rows: Rows) -> None:
        """Add rows of a point."""
        last = rows.last
        bids, asks = ([last[cell] for cell in side] for side in rows.form.top)
        found = near(*(_levels(cells) for cells in (bids, asks)), ends=True)
        if found:
            self.points[at] = found


def _levels(cells: Sequence[bytes]) -> Levels:
    values = [float(cell) if cell else 0.0 for cell in cells]
    return zip(values[::2], values[1::2], strict=True)


_BOOK = ("bids", "asks")


class Books:
    """The depth at the end of each point, of rows that are changes of the full book: a blank one before is a snapshot.

    All rows of a point are put together at once, when those of another come: the last quantity of a price is its own.
    Behind a snapshot of as many levels as the exchange shows there may be others.
    """

    def __init__(self) -> None:
        self.points: dict[int, Depth] = {}
        self._book: tuple[dict[bytes, bytes], ...] = ({}, {})
        self._ends = False
        self._at = -1

    def take(self, at: int, rows: Rows) -> None:
        """Add rows of a point."""
        if at != self._at:
            self.end()
            self._at = at
        before = rows.column("previous_update_id")
        begins = len(before) - 1 - before[::-1].index(b"") if b"" in before else -1
        if begins >= 0:
            self._begin([rows.cell(name, begins) for name in _BOOK])
        for side, name in zip(self._book, _BOOK, strict=True):
            side.update(_changes(rows.column(name)[begins + 1 :]))

    def _begin(self, snapshot: Sequence[bytes]) -> None:
        self._book = {}, {}
        for side, cell in zip(self._book, snapshot, strict=True):
            side.update(_changes([cell]))
        self._ends = max(map(len, self._book)) >= SNAPSHOT_LEVELS

    def end(self) -> None:
        """Tell the depth of the last point."""
        for side in self._book:
            for price in [price for price, quantity in side.items() if not quantity.strip(b"0.")]:
                del side[price]
        found = near(
            *(zip(map(float, side), map(float, side.values()), strict=True) for side in self._book), ends=self._ends
        )
        if found:
            self.points[self._at] = found


def _changes(cells: Iterable[bytes]) -> Iterable[tuple[bytes, bytes]]:
    """Return the levels in some cells, each its price and its quantity."""
    texts = b";".join(filter(None, cells)).replace(b";", b" ").split(b" ")
    return zip(texts[::2], texts[1::2], strict=False)  # no level at all is one empty text


class Delays(_Endless):
    """How long after its time each row was received, in whole milliseconds of our clock against the exchange's."""

    def __init__(self) -> None:
        self.histogram = Histogram()
        self.early = 0  # rows that were received before their time
        self.lowest_ms = self.highest_ms = 0

    @property
    def rows(self) -> int:
        """How many rows have a time of receipt."""
        return self.histogram.total + self.early

    def quantile(self, share: float) -> int | None:
        """Return the delay that so large a share of all rows has at most; None where that is below zero."""
        rank = ceil(share * self.rows) - self.early
        return self.histogram.ranked(rank) if rank > 0 else None

    def take(self, _: int, rows: Rows) -> None:
        """Add rows; those without a time of receipt did not come live."""
        stamps, times_ms = rows.column(RECEIVE_TIME.name), rows.times_ms
        if b"" in stamps:
            times_ms = list(compress(times_ms, stamps))
            stamps = list(filter(None, stamps))
        received_ms = map(floordiv, map(int, stamps), repeat(_NS_IN_MS))
        delays = Counter(map(sub, received_ms, times_ms))
        if not delays:
            return
        lowest_ms, highest_ms = min(delays), max(delays)
        if self.rows:
            lowest_ms, highest_ms = min(lowest_ms, self.lowest_ms), max(highest_ms, self.highest_ms)
        self.lowest_ms, self.highest_ms = lowest_ms, highest_ms
        for early in [delay for delay in delays if delay < 0]:
            self.early += delays.pop(early)
        self.histogram.add(delays)
