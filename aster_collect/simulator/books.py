"""The resting orders of one symbol: the levels of its book at a quote, and which of them changed since another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from .instruments import Writer
from .noise import mix

REACH, DEEP_REACH = 384, 2048  # a side of the book reaches at least this many ticks below its best price
DEEP_BASE_TICKS = 100_000  # books of a symbol that is so many ticks dear are deep: a snapshot does not show them whole
FLOOR_TICKS = 128  # the far end of a side moves in steps, so that it is still while the best price dances
SECOND_US = 1_000_000
EVERY_LEVEL = 1_000_000
QUICK, SLOW = 3, 9  # a level's quantity changes every 8 seconds, that of each fourth every 512

Side = list[tuple[int, str]]  # (price in ticks, quantity as text), best first


class Quote(NamedTuple):
    """Best bid and offer; prices in ticks."""

    number: int
    time_us: int
    bid: int
    ask: int
    bid_quantity: str
    ask_quantity: str

    def best(self, sign: int) -> tuple[int, str]:
        """The best level of the bids (sign -1) or asks (sign 1)."""
        return (self.bid, self.bid_quantity) if sign < 0 else (self.ask, self.ask_quantity)


class Books:
    """The book at a quote, in ticks and quantities as text; it needs no memory."""

    def __init__(self, writer: Writer, salt: int, base_ticks: int) -> None:
        """The salt decides when a side is thin, or empty; the price in ticks, how deep it is."""
        self._resting = writer.resting
        self._zero = writer.quantity(0)
        self._thin_salt = salt
        self._most_levels = lru_cache(maxsize=64)(self._at_most)
        self._reach = DEEP_REACH if base_ticks >= DEEP_BASE_TICKS else REACH

    def best(self, quote: Quote, sign: int) -> tuple[int, str]:
        """The best of the bids (sign -1) or asks (sign 1) as bookTicker says it: an empty side is 0 at 0."""
        return quote.best(sign) if self._most_levels(quote.time_us // SECOND_US, sign) else (0, self._zero)

    def _at_most(self, second: int, sign: int) -> int:
        # A side is thin in four seconds of a hundred, and empty in three of a thousand.
        bits = mix(self._thin_salt, 2 * second + (sign > 0))
        chance = bits % 1000
        if chance >= 43:
            return EVERY_LEVEL
        return 0 if chance < 3 else 1 + (bits >> 20) % 15

    def _floor(self, best: int, sign: int) -> int:
        # sign is -1 for bids, which go down, and 1 for asks, which go up.
        return (best * sign // FLOOR_TICKS + 1) * FLOOR_TICKS * sign + sign * self._reach

    def side(self, quote: Quote, sign: int, limit: int = EVERY_LEVEL) -> Side:
        """At most so many levels of the bids (sign -1) or asks (sign 1), best first."""
        second = quote.time_us // SECOND_US
        limit = min(limit, self._most_levels(second, sign))
        if limit <= 0:
            return []
        best, quantity = quote.best(sign)
        resting = self._resting
        levels = [(best, quantity)]
        for ticks in range(best + sign, self._floor(best, sign), sign):
            if ticks <= 0 or len(levels) >= limit:
                break
            # Neighbours change at other seconds.
            shift = QUICK if ticks & 3 else SLOW
            text = resting[(ticks * 389 + (second + ticks >> shift) * 611) & 1023]
            if text:
                levels.append((ticks, text))
        return levels

    def touched(self, states: Sequence[Quote], sign: int) -> Side:
        """Each level that changed between two of the states; 0 for one that is gone.

        One that is again as it was is among them: a snapshot from in between shows it as it was meanwhile.
        """
        ticks = {one for before, after in pairwise(states) for one in self._changed(before, after, sign)}
        end = states[-1]
        if self._most_levels(end.time_us // SECOND_US, sign) < EVERY_LEVEL:
            thin = dict(self.side(end, sign))
            return [(one, thin.get(one, self._zero)) for one in sorted(ticks, key=lambda one: one * sign)]
        return [(one, self._at(end, sign, one) or self._zero) for one in sorted(ticks, key=lambda one: one * sign)]

    def _changed(self, before: Quote, after: Quote, sign: int) -> set[int]:
        if any(self._most_levels(one.time_us // SECOND_US, sign) < EVERY_LEVEL for one in (before, after)):
            books = dict(self.side(before, sign)), dict(self.side(after, sign))
            return {one for one, _ in books[0].items() ^ books[1].items()}
        return {
            one
            for some in self._candidates(before, after, sign)
            for one in some
            if self._at(before, sign, one) != self._at(after, sign, one)
        }

    def _candidates(self, before: Quote, after: Quote, sign: int) -> Iterator[range]:
        """Where two whole sides may differ: where either ends, and where a second let quantities change."""
        (was, _), (now, _) = before.best(sign), after.best(sign)
        yield range(min(was, now), max(was, now) + 1)
        floors = self._floor(was, sign), self._floor(now, sign)
        if floors[0] != floors[1]:
            yield range(min(floors), max(floors) + 1)
        first, last = before.time_us // SECOND_US, after.time_us // SECOND_US
        low, high = min(was, now, *floors), max(was, now, *floors)
        for second in range(max(first, last - (1 << QUICK)) + 1, last + 1):
            yield range(low + (-second - low) % (1 << QUICK), high + 1, 1 << QUICK)

    def _at(self, quote: Quote, sign: int, ticks: int) -> str:
        """The quantity at a price of a whole side; blank for none."""
        best, quantity = quote.best(sign)
        if ticks == best:
            return quantity
        if ticks <= 0 or (ticks - best) * sign < 0 or (ticks - self._floor(best, sign)) * sign >= 0:
            return ""
        shift = QUICK if ticks & 3 else SLOW
        return self._resting[(ticks * 389 + (quote.time_us // SECOND_US + ticks >> shift) * 611) & 1023]
