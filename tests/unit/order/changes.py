"""The modelled exchange's full books: every change of a level, the batches that servers cut of them, and snapshots.

A book's true levels at any update id are known: what a file says of it is judged by them, and by nothing else.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from random import Random
from typing import NamedTuple

START_MS = 1_764_000_000_000
SNAPSHOT_LEVELS = 1000
CHECKPOINT = 200  # changes between two books that are kept
BID, ASK = 0, 1
PHASES_S = (0.0, 0.037, 0.061)  # by how much later each server cuts

Levels = dict[int, str]  # quantities by price in hundredths
Book = tuple[Levels, Levels]


class Change(NamedTuple):
    """Levels that change at once; one that is hidden is in no batch. `anew` says that ids begin anew with it."""

    id: int
    time_ms: int
    made_s: float
    levels: tuple[tuple[int, int, str], ...]
    hidden: bool = False
    anew: bool = False


class Event(NamedTuple):
    """A batch of changes as a server sends it."""

    sent_s: float
    symbol: str
    server: int
    last: int  # which change is the newest in it
    text: str


def is_none(quantity: str) -> bool:
    return not quantity.strip("0.")


def price(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


class Market:
    """One symbol's changes, and its book after each."""

    def __init__(self, symbol: str, busy: float, depth: int, chance: Random) -> None:
        """`busy` is how many changes happen a second, `depth` how many prices a side has."""
        self.symbol, self.busy, self.depth, self.chance = symbol, busy, depth, chance
        self.changes: list[Change] = []
        self.place_of: dict[int, int] = {}  # of update ids
        self.quiet_until_s = 0.0
        self.next_s = 0.0
        self.centre = chance.randrange(200_000, 900_000)
        self._id = self._base_id = chance.randrange(1 << 40, 1 << 41)
        self._books: list[Book] = []
        self._unseen = 0
        self._now: Book = ({}, {})
        full = [(side, at, self._amount()) for side in (BID, ASK) for at in self._prices(side) if chance.random() < 0.9]
        self.change(full, START_MS, 0.0)

    def _prices(self, side: int) -> range:
        sign = -1 if side == BID else 1
        return range(self.centre + sign, self.centre + sign * (self.depth + 1), sign)

    def _amount(self) -> str:
        return f"{self.chance.randrange(1, 9999) / 1000:.3f}"

    def change(
        self, levels: Iterable[tuple[int, int, str]], time_ms: int, made_s: float, *, hidden: bool = False
    ) -> None:
        self._id += self.chance.randrange(1, 50)
        self._note(Change(self._id, time_ms, made_s, tuple(levels), hidden))

    def begin_anew(self, time_ms: int, made_s: float) -> None:
        """Let ids begin anew, lower, with another book, that no batch tells of."""
        self._id = self._base_id = self._base_id // 2
        gone = [(side, at, "0.000") for side in (BID, ASK) for at in self._now[side]]
        full = [(side, at, self._amount()) for side in (BID, ASK) for at in self._prices(side)]
        levels = {(side, at): text for side, at, text in [*gone, *self.chance.sample(full, len(full) * 3 // 4)]}
        self._note(
            Change(self._id, time_ms, made_s, tuple((*key, text) for key, text in levels.items()), anew=True)
        )  # fmt: skip

    def _note(self, change: Change) -> None:
        self.place_of[change.id] = len(self.changes)
        self.changes.append(change)
        apply(self._now, change.levels)
        if len(self.changes) % CHECKPOINT == 1:
            self._books.append((dict(self._now[BID]), dict(self._now[ASK])))

    def random_levels(self) -> list[tuple[int, int, str]]:
        """Return one change of a level or several: mostly near the best, rarely far away."""
        chance, found = self.chance, []
        for _ in range(chance.choice((1, 1, 2, 5))):
            side = chance.randrange(2)
            far = chance.random() < 0.1
            at = self._prices(side)[chance.randrange(self.depth if far else min(self.depth, 12))]
            found.append((side, at, chance.choice(("0.000", self._amount(), self._amount()))))
        return found

    def unseen_level(self) -> list[tuple[int, int, str]]:
        """Return a change of a level that no other change is ever of."""
        self._unseen += 1
        return [(BID, self.centre - self.depth - self._unseen, self._amount())]

    def all_of(self, side: int) -> list[tuple[int, int, str]]:
        """Return the change that empties a side."""
        return [(side, at, "0.000") for at in self._now[side]]

    def book_at(self, place: int) -> Book:
        """Return the true book after a change."""
        kept = place // CHECKPOINT
        book = dict(self._books[kept][BID]), dict(self._books[kept][ASK])
        for change in islice(self.changes, kept * CHECKPOINT + 1, place + 1):
            apply(book, change.levels)
        return book

    def place_at(self, made_s: float) -> int:
        """Return the newest change at a time."""
        return max(0, bisect_right(self.changes, made_s, key=lambda change: change.made_s) - 1)

    def snapshot(self, at_s: float, now_ms: int) -> dict[str, object]:
        """Return the book as REST shows it."""
        place = self.place_at(at_s)
        change = self.changes[place]
        bids, asks = self.book_at(place)
        sides = sorted(bids.items(), reverse=True), sorted(asks.items())
        shown = [[[price(at), text] for at, text in side[:SNAPSHOT_LEVELS]] for side in sides]
        return {"lastUpdateId": change.id, "E": now_ms, "T": change.time_ms, "bids": shown[0], "asks": shown[1]}


def apply(book: Book, levels: Iterable[tuple[int, int, str]]) -> None:
    for side, at, text in levels:
        if is_none(text):
            book[side].pop(at, None)
        else:
            book[side][at] = text


class Exchange:
    """All markets, and what each server has cut of them so far."""

    def __init__(self, chance: Random, symbols: dict[str, tuple[float, int]], interval_ms: int) -> None:
        """`symbols` have how busy they are and how deep."""
        self.chance, self.interval_ms = chance, interval_ms
        self.markets = {symbol: Market(symbol, busy, depth, chance) for symbol, (busy, depth) in symbols.items()}
        self.recent: list[Event] = []
        self._cut: dict[tuple[str, int], int] = defaultdict(int)  # the newest change that was sent
        self._done_s: dict[tuple[str, int], float] = defaultdict(float)

    def now_ms(self, at_s: float) -> int:
        return START_MS + round(at_s * 1000)

    def until(self, now_s: float) -> list[Event]:
        """Return what all servers send until then, in order."""
        events: list[Event] = []
        for market in self.markets.values():
            while market.next_s <= now_s:
                at_s = market.next_s
                if at_s >= market.quiet_until_s:
                    market.change(market.random_levels(), self.now_ms(at_s), at_s)
                market.next_s += self.chance.expovariate(market.busy)
            for server in range(len(PHASES_S)):
                events += self._batches(market, server, now_s)
        events.sort(key=lambda event: event.sent_s)
        self.recent = [event for event in self.recent if event.sent_s > now_s - 8.0] + events
        return events

    def _batches(self, market: Market, server: int, now_s: float) -> list[Event]:
        key, every_s = (market.symbol, server), self.interval_ms / 1000
        found: list[Event] = []
        waiting: list[int] = []
        newest = self._cut[key]
        for place in range(newest + 1, len(market.changes)):
            change = market.changes[place]
            cut_s = self._cut_s(change.made_s, server, every_s)
            if waiting and (cut_s > self._cut_s(market.changes[waiting[-1]].made_s, server, every_s) or change.anew):
                found.append(self._event(market, server, waiting, every_s))
                waiting = []
            if cut_s > now_s:
                break
            if change.anew:  # it is in no batch, and the next one names it as the one before
                self._cut[key] = place
            else:
                waiting.append(place)
        if waiting:
            found.append(self._event(market, server, waiting, every_s))
        return found

    def _cut_s(self, made_s: float, server: int, every_s: float) -> float:
        return (int((made_s - PHASES_S[server]) / every_s) + 1) * every_s + PHASES_S[server]

    def _event(self, market: Market, server: int, places: list[int], every_s: float) -> Event:
        key, symbol = (market.symbol, server), market.symbol
        before, changes = market.changes[self._cut[key]], [market.changes[place] for place in places]
        last = changes[-1]
        sent_s = self._cut_s(last.made_s, server, every_s)
        levels = {(side, at): text for one in changes if not one.hidden for side, at, text in one.levels}
        sides = [[[price(at), text] for (of, at), text in levels.items() if of == side] for side in (BID, ASK)]
        data = {"e": "depthUpdate", "E": self.now_ms(sent_s), "T": last.time_ms, "s": symbol, "U": changes[0].id}
        data |= {"u": last.id, "pu": before.id, "b": sides[BID], "a": sides[ASK]}
        speed = "" if self.interval_ms == 250 else f"@{self.interval_ms}ms"
        message = {"stream": f"{symbol.lower()}@depth{speed}", "data": data}
        self._cut[key] = places[-1]
        return Event(sent_s, symbol, server, places[-1], json.dumps(message, separators=(",", ":")))
