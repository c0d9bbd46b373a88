"""Which connections there are, and which symbols each carries. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from ..exchange.subscribe import Group


class Carrier(NamedTuple):
    """A connection that is to be made, the place that it takes, and the one that it relieves once it delivers."""

    number: int
    place: int
    symbols: tuple[str, ...]
    streams: tuple[str, ...]
    relieves: int  # 0: none


class Fleet:
    """The connections of a run: every group of symbols has so many at all times, each in a place of its own."""

    def __init__(self, redundancy: int) -> None:
        """`redundancy` is how many connections are to carry the same."""
        self._redundancy = redundancy
        self._places = 0
        self._made = 0
        self._carriers: dict[int, Carrier] = {}
        self._relieved: set[int] = set()

    def carry(self, group: Group) -> Iterator[Carrier]:
        """Return the connections of a group that has none yet."""
        for _ in range(self._redundancy):
            self._places += 1
            yield self._make(self._places, group, 0)

    def succeed(self, number: int) -> Carrier:
        """Return the successor of a connection that is old."""
        former = self._carriers[number]
        self._relieved.add(number)
        return self._make(former.place, Group(former.symbols, former.streams), number)

    def may_end(self, number: int) -> bool:
        """Return whether another connection carries, or will carry, what this one did."""
        return number in self._relieved

    def _make(self, place: int, group: Group, relieves: int) -> Carrier:
        self._made += 1
        made = self._carriers[self._made] = Carrier(self._made, place, *group, relieves)
        return made
