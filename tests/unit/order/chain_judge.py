"""Says what is wrong with the files of full books: it knows the true books, and reads rows alone."""

from collections.abc import Sequence

from aster_collect.exchange.events import Gap

from .chain_world import World
from .changes import ASK, BID, SNAPSHOT_LEVELS, Book, Levels, Market, apply

AT_THE_END_S = 10.0  # a server may be behind by a part of it


def judge(world: World) -> list[str]:
    """Return what is wrong, a line each."""
    found = list(world.wrongs)
    for symbol, market in world.exchange.markets.items():
        reader = Reader(market, world.ledger(symbol))
        for at, rows in enumerate(world.disk.histories(symbol)):
            reader.begin()
            for row in rows:
                reader.read(row, f"file {at}")
        reader.end(world.now_s)
        found += (f"{symbol}: {wrong}" for wrong in reader.wrongs)
    return found


class Reader:
    """Rebuilds one symbol's book from its rows, and compares it with the true one at each."""

    def __init__(self, market: Market, ledger: Sequence[Gap]) -> None:
        self.wrongs: list[str] = []
        self._market, self._ledger = market, ledger
        self._place = -1  # of the change that the last row is of
        self._place_of_true = -1
        self._true: Book = ({}, {})
        self._book: Book | None = None
        self._reach: list[int | None] = [None, None]  # how far a full snapshot reaches
        self._touched: tuple[set[int], set[int]] = (set(), set())
        self._last_id = -1

    def begin(self) -> None:
        """Begin a file: what it says stands alone."""
        self._book = None

    def read(self, row: str, where: str) -> None:
        """Take the next row."""
        time_s, previous, update_id, *sides = row.split(",")
        time_ms, place = int(time_s.replace(".", "")), self._market.place_of.get(int(update_id))
        if place is None:
            self.wrongs.append(f"{where}: no id {update_id}")
        elif previous:
            self._follow(place, int(previous), [levels(side) for side in sides], where)
        else:
            self._restart(place, time_ms, [levels(side) for side in sides], where)
        if place is not None:
            self._last_id, self._place = int(update_id), max(place, self._place)
            self._compare(time_ms, f"{where} at {update_id} of {self._market.changes[place].made_s:.2f}")

    def _follow(self, place: int, previous: int, sides: list[list[tuple[int, str]]], where: str) -> None:
        if self._book is None:
            self.wrongs.append(f"{where} begins with no snapshot")
            self._book = {}, {}
        if previous != self._last_id:
            self.wrongs.append(f"{where}: {previous} is not the row before, {self._last_id}")
        if place <= self._place:
            self.wrongs.append(f"{where}: id {self._market.changes[place].id} does not rise")
        for side in (BID, ASK):
            self._touched[side].update(at for at, _ in sides[side])
            apply(self._book, ((side, at, text) for at, text in sides[side]))

    def _restart(self, place: int, time_ms: int, sides: list[list[tuple[int, str]]], where: str) -> None:
        if place < self._place:
            self.wrongs.append(f"{where}: snapshot {self._market.changes[place].id} goes back")
        elif self._place >= 0:
            self._untold(self._place + 1, place, where)
        if self._book is not None and self._market.changes[place].id < self._last_id:
            self.wrongs.append(f"{where} has ids of two histories")
        # A file begins with the book as it was kept, and that row bears the time of the change behind it.
        kept = self._book is None and place == self._place and time_ms > self._market.changes[place].time_ms
        self._book = dict(sides[BID]), dict(sides[ASK])
        if not kept:
            self._touched = set(), set()
            self._reach = [side[-1][0] if len(side) == SNAPSHOT_LEVELS else None for side in sides]

    def _untold(self, first: int, last: int, where: str) -> None:
        lost = [one for one in self._market.changes[first : last + 1] if not self._tells_of(one.time_ms)]
        if lost:
            since_s, until_s = lost[0].made_s, lost[-1].made_s
            self.wrongs.append(f"{where}: {len(lost)} changes from {since_s:.2f} to {until_s:.2f} untold")

    def _tells_of(self, time_ms: int) -> bool:
        return any(gap.from_ms <= time_ms <= gap.to_ms for gap in self._ledger)

    def _compare(self, time_ms: int, where: str) -> None:
        for change in self._market.changes[self._place_of_true + 1 : self._place + 1]:
            apply(self._true, change.levels)
        self._place_of_true = self._place
        assert self._book is not None
        for side, name in ((BID, "bids"), (ASK, "asks")):
            if self._book[side] != self._known(side) and not self._tells_of(time_ms):
                odd = set(self._book[side].items()) ^ set(self._known(side).items())
                self.wrongs.append(f"{where}: {len(odd)} {name} differ: {sorted(odd)[:4]}")

    def _known(self, side: int) -> Levels:
        reach, true = self._reach[side], self._true[side]
        if reach is None:
            return true
        sign = -1 if side == BID else 1
        return {at: text for at, text in true.items() if sign * (at - reach) <= 0 or at in self._touched[side]}

    def end(self, now_s: float) -> None:
        """Say whether the file goes on to the end."""
        late = [one for one in self._market.changes[self._place + 1 :] if one.made_s < now_s - AT_THE_END_S]
        if late and not all(one.anew for one in late):
            self.wrongs.append(f"ends {now_s - late[0].made_s:.1f} s early: nothing after {late[0].made_s:.2f}")


def levels(side: str) -> list[tuple[int, str]]:
    """Return the levels of a cell: prices in hundredths, and quantities."""
    pairs = [level.split(" ") for level in side.split(";")] if side else []
    return [(int(price.replace(".", "")), text) for price, text in pairs]
