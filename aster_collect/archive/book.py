"""The full book, rebuilt from rows: its levels by exact price, and how far they are known."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from math import inf

from ..exchange.exact import Units

SNAPSHOT_LEVELS = 1000  # a side, the most that the exchange shows in an answer
FAR = inf  # a reach behind which nothing is known; -inf is that of a side known as a whole


class _Falling(Units):
    """Decimal text as a number that falls as the decimal rises."""

    def __missing__(self, text: bytes) -> int:
        value = self[text] = -super().__missing__(text)
        return value


class Side:
    """One side of a book. A level is `price quantity`; its rank is a whole number, the higher the better its price.

    All levels from `reach` on are known, and of those behind it the ones that have changed since.
    """

    def __init__(self, word: str, ranks: Units) -> None:
        self.word = word
        self._rank = ranks
        self._levels: dict[int, bytes] = {}
        self._order: list[int] = []  # ranks of the levels, which rise
        self.reach: float = FAR

    def change(self, levels: bytes) -> None:
        """Apply changed levels: quantities are absolute, and zero takes a level away."""
        known, order, rank = self._levels, self._order, self._rank
        for level in levels.split(b";") if levels else ():
            price, _, quantity = level.partition(b" ")
            at = rank[price]
            if quantity.strip(b"0."):
                if at not in known:
                    insort(order, at)
                known[at] = level
            elif known.pop(at, None) is not None:
                del order[bisect_left(order, at)]

    def begin(self, levels: bytes) -> None:
        """Hold these levels and no others: a snapshot, which has no more than the exchange shows."""
        self._levels, self._order = {}, []
        self.change(levels)
        self.reach = self._order[0] if len(self._order) >= SNAPSHOT_LEVELS else -FAR

    @property
    def best(self) -> int | None:
        """The rank of the best level, None where there is none."""
        return self._order[-1] if self._order else None

    def top(self, count: int) -> list[bytes]:
        """Return the best levels, so many at most."""
        return [self._levels[rank] for rank in self._order[: -count - 1 : -1]]

    def all(self) -> list[bytes]:
        """Return all levels that are known, the best first."""
        return self.top(len(self._order))

    def differs(self, ours: Sequence[bytes], theirs: Sequence[bytes]) -> tuple[bytes, bytes, bool] | None:
        """Return the first two levels, of ours and of theirs, that differ, None where none does.

        One that is missing is empty. The third value says whether one of the two must be wrong: a level that is theirs
        alone and lies behind the reach can be one that was never known here.
        """
        if ours == theirs:
            return None
        for at in range(max(len(ours), len(theirs))):
            our, their = (levels[at] if at < len(levels) else b"" for levels in (ours, theirs))
            if our != their and (not our or not their or self._values(our) != self._values(their)):
                is_theirs_alone = bool(their) and (not our or self._values(their)[0] > self._values(our)[0])
                return our, their, not is_theirs_alone or self._values(their)[0] >= self.reach
        return None

    def _values(self, level: bytes) -> tuple[int, int]:
        """Return the rank of a level, and its quantity as a whole number."""
        price, _, quantity = level.partition(b" ")
        return self._rank[price], _units[quantity]


_units = Units()


class Book:
    """Both sides of one symbol's book."""

    def __init__(self) -> None:
        self.bids, self.asks = self.sides = Side("bid", Units()), Side("ask", _Falling())

    def change(self, bids: bytes, asks: bytes) -> None:
        """Apply changed levels."""
        self.bids.change(bids)
        self.asks.change(asks)

    def begin(self, bids: bytes, asks: bytes) -> None:
        """Begin anew with a snapshot."""
        self.bids.begin(bids)
        self.asks.begin(asks)

    def forget_reach(self) -> None:
        """Take the levels for those that somebody kept: behind them, and among them, there may be others."""
        self.bids.reach = self.asks.reach = FAR

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is not below the best ask."""
        bid, ask = self.bids.best, self.asks.best
        return bid is not None and ask is not None and bid + ask >= 0

    @property
    def best(self) -> str:
        """The best bid and ask, in words."""
        return " and ".join(f"{side.word} {b''.join(side.top(1)).decode()}" for side in self.sides)

    def differs_from(self, bids: bytes, asks: bytes) -> str:
        """Say where a snapshot of all that is known differs from this book; nothing where it does not."""
        for side, levels in zip(self.sides, (bids, asks), strict=True):
            if difference := side.differs(side.all(), levels.split(b";") if levels else []):
                ours, theirs, _ = difference
                return f"{side.word} {shown(theirs)}, in the book as rebuilt {shown(ours)}"
        return ""


def shown(level: bytes) -> str:
    """Return a level for people."""
    return level.decode() or "none"
