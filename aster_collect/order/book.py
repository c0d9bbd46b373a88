"""One symbol's full book as text: a snapshot, and what changed since, put together only when somebody asks.

Pure. A row needs no book, only the id of the row before; so a change costs the append of a few texts. What is kept is
put together once it is large: of thousands of levels that takes a millisecond or two, for hundreds of changes at once.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import gt, lt

from ..exchange.pages import SNAPSHOT_LEVELS
from ..exchange.streams.depth import SNAPSHOT, Diff
from ..exchange.streams.kind import Event

KEPT_CHARACTERS = 1 << 17  # of changes, until they are put together
OVERHEAD = 200  # what a change takes in memory beside its characters

Levels = dict[str, str]


class Book:
    """All levels at each update id since a while ago; `id` is the newest.

    ```
    snapshot ─▶ base ◀──fold── changes ◀── apply
                  └────── at an id ──┘
    ```
    """

    def __init__(self, snapshot: Diff) -> None:
        self.id = self._base_id = snapshot.id
        self._base = snapshot.bids, snapshot.asks
        self._changes: list[Event] = []
        self._size = 0
        self._reach = [_last(text) if text.count(";") + 1 >= SNAPSHOT_LEVELS else None for text in self._base]

    def apply(self, change: Event) -> None:
        """Take a change, which must be the next."""
        self._changes.append(change)
        self.id = change[0]
        self._size += OVERHEAD + len(change[3]) + len(change[4])

    def fold(self, limit: int = KEPT_CHARACTERS) -> None:
        """Put the changes together if they are large; of the ids before the newest nothing can be said then."""
        if self._size > limit:
            self._base = _text(self._levels(0, self.id).items()), _text(self._levels(1, self.id).items())
            self._base_id, self._changes, self._size = self.id, [], 0

    def _levels(self, side: int, update_id: int) -> Levels:
        return _merged([self._base[side], *(one[3 + side] for one in self._changes if one[0] <= update_id)])

    def opening(self, change: Event) -> Diff | None:
        """Return the whole book before a change, as the row that a file of its own begins with; None of a snapshot."""
        _, time_ms, previous_id, *_ = change
        if previous_id == SNAPSHOT:
            return None
        bids, asks = (self._levels(side, previous_id) for side in (0, 1))
        return Diff(previous_id, time_ms, SNAPSHOT, _text(_ordered(bids, falling=True)), _text(_ordered(asks)))

    def differs(self, snapshot: Diff) -> bool | None:
        """Return whether a snapshot of the exchange is another book; None where its id is too old to say.

        Its id must not be newer than ours. It can lie within a change: then nothing is said of the levels of that one.
        Nor is it of those that lie beyond what either shows.
        """
        if snapshot.id < self._base_id:
            return None
        within = next((one for one in self._changes if one[0] > snapshot.id and one[2] < snapshot.id), None)
        for side, (theirs, beyond) in enumerate(((snapshot.bids, lt), (snapshot.asks, gt))):
            ours, shown = (_numbers(levels) for levels in (self._levels(side, snapshot.id), _merged([theirs])))
            unsure = _numbers(_cells([within[3 + side]])) if within else {}
            reach = [self._reach[side], _last(theirs) if theirs.count(";") + 1 >= SNAPSHOT_LEVELS else None]
            ends = [one for one in reach if one is not None]
            for price in ours.keys() | shown.keys():
                known = price not in unsure and not any(beyond(price, end) for end in ends)
                if known and ours.get(price) != shown.get(price):
                    return True
        return False


def _cells(texts: Iterable[str]) -> Levels:
    """Return the last quantity of each price in texts that follow one another."""
    cells = ";".join(filter(None, texts)).replace(" ", ";").split(";")
    levels = dict(zip(cells[::2], cells[1::2], strict=False))  # of no text there is one empty cell
    if _alike(levels):
        return levels
    latest = {Decimal(price): (price, quantity) for price, quantity in zip(cells[::2], cells[1::2], strict=True)}
    return dict(latest.values())


def _merged(texts: Sequence[str]) -> Levels:
    """Return the levels that are left of texts that follow one another, a quantity of 0 taking one away."""
    return {price: quantity for price, quantity in _cells(texts).items() if quantity.strip("0.")}


def _alike(levels: Iterable[str]) -> bool:
    """Return whether all prices have the same decimals, so that equal ones are equal texts."""
    return len({len(price) - at if (at := price.find(".")) >= 0 else 0 for price in levels}) < 2


def _ordered(levels: Levels, *, falling: bool = False) -> list[tuple[str, str]]:
    prices = sorted(levels, key=Decimal, reverse=falling)
    return [(price, levels[price]) for price in prices]


def _text(levels: Iterable[tuple[str, str]]) -> str:
    return ";".join(f"{price} {quantity}" for price, quantity in levels)


def _numbers(levels: Levels) -> dict[Decimal, Decimal]:
    return {Decimal(price): Decimal(quantity) for price, quantity in levels.items()}


def _last(side: str) -> Decimal:
    """Return the price of a side's last level; there is one."""
    return Decimal(side.rpartition(";")[2].partition(" ")[0])
