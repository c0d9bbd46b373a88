"""Which connections there are, which symbols each carries, and who relieves whom. Pure."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from ..exchange.subscribe import Group


class Carrier(NamedTuple):
    """A connection: what it carries, the place that it takes, and which others it relieves once it delivers.

    There are so many copies of every stream at all times, and a connection belongs to one of them.
    """

    number: int
    place: int
    copy: int
    group: Group
    relieves: tuple[int, ...] = ()


class Fleet:
    """The connections of a run. In each copy every symbol has one connection, and during a hand-over its successor.

    ```
    carry ──▶ connection of its own ── old ──▶ succeed: a successor takes over, and with it the other small ones
                                                that fit the exchange's limits ──▶ they end, it goes on in its place
    ```

    So what was listed at different hours shares a connection again from the next hand-over on, and there are about as
    many connections as the symbols need, beside those of the listings since.
    """

    def __init__(self, copies: int, divide: Callable[[Sequence[str]], list[Group]]) -> None:
        """`divide` divides symbols over as few connections as the exchange's limits allow."""
        self._copies, self._divide = copies, divide
        self._made = 0
        self._carriers: dict[int, Carrier] = {}
        self._successors: dict[int, int] = {}  # by the numbers of those that they relieve

    def carry(self, symbols: Sequence[str]) -> list[Carrier]:
        """Return the connections that these symbols lack, and the first time those of the streams that bring all."""
        divide = self._parts if self._carriers else self._divide
        lacking = [(copy, self._lacking(copy, symbols)) for copy in range(self._copies)]
        return [
            self._make(self._free_place(), copy, group) for copy, names in lacking if names for group in divide(names)
        ]

    def succeed(self, number: int, gone: Collection[str] = ()) -> Carrier | None:
        """Return the successor of a connection that is old, None where it needs none.

        Its place is that of the old one. Symbols that are gone are left out. A connection needs no successor that has
        one, or that has ended; nor one whose symbols are all gone, while there is no other to be relieved with it.
        """
        old = self._carriers.get(number)
        if old is None or number in self._successors:
            return None
        group, relieves = self._shared(old, gone) if old.group.symbols else (old.group, [number])
        if group is None:
            return None
        made = self._make(old.place, old.copy, group, tuple(relieves))
        self._successors |= dict.fromkeys(relieves, made.number)
        return made

    def ended(self, number: int) -> bool:
        """Take note of the end of a connection; return whether another carries, or will carry, what it did."""
        self._carriers.pop(number, None)
        return self._successors.pop(number, None) is not None

    def _lacking(self, copy: int, symbols: Sequence[str]) -> list[str]:
        """Return which symbols the copy does not carry, or will not when those that are relieved have ended."""
        kept = (one for one in self._carriers.values() if one.copy == copy and one.number not in self._successors)
        carried = {symbol for one in kept for symbol in one.group.symbols}
        return [symbol for symbol in symbols if symbol not in carried]

    def _shared(self, old: Carrier, gone: Collection[str]) -> tuple[Group | None, list[int]]:
        """Return what a successor carries, and which connections it relieves: of the others the smallest first."""
        symbols, relieves = _without(gone, old), [old.number]
        for other in sorted(self._others(old), key=lambda other: len(_without(gone, other))):
            both = symbols + _without(gone, other)
            if len(self._parts(both)) <= 1:
                symbols = both
                relieves.append(other.number)
        return next(iter(self._parts(symbols)), None), relieves

    def _others(self, old: Carrier) -> list[Carrier]:
        """Return which connections of the same copy can be relieved too: no hand-over of theirs is under way."""
        busy = {old.number, *self._successors, *self._successors.values()}
        return [
            one
            for one in self._carriers.values()
            if one.group.symbols and one.copy == old.copy and one.number not in busy
        ]

    def _parts(self, symbols: Sequence[str]) -> list[Group]:
        """Return the groups of symbols, without that of the streams that bring all."""
        return [group for group in self._divide(symbols) if group.symbols] if symbols else []

    def _free_place(self) -> int:
        taken = {carrier.place for carrier in self._carriers.values()}
        return next(place for place in range(1, len(taken) + 2) if place not in taken)

    def _make(self, place: int, copy: int, group: Group, relieves: tuple[int, ...] = ()) -> Carrier:
        self._made += 1
        made = self._carriers[self._made] = Carrier(self._made, place, copy, group, relieves)
        return made


def _without(gone: Collection[str], carrier: Carrier) -> tuple[str, ...]:
    return tuple(symbol for symbol in carrier.group.symbols if symbol not in gone)
