"""The resting orders of one symbol: the levels of its book at a quote, and which of them changed since another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from .instruments import Writer
from .noise import mix

LEVELS_BELOW = 384  # a side of the book reaches at least this many ticks below its best price
FLOOR_TICKS = 128  # the far end of a side moves in steps, so that it is still while the best price dances
SECOND_US = 1_000_000
EVERY_LEVEL = 1_000_000

Side = list[tuple[int, str]]  # (price in ticks, quantity as text), best first


class Quote(NamedTuple):
    """Best bid and offer; prices in ticks."""

    number: int
    time_us: int
    bid: int
    ask: int
    bid_quantity: str
    ask_quantity: str


class Books:
    """The book at a quote, in ticks and quantities as text; it needs no memory."""

    def __init__(self, writer: Writer, salt: int) -> None:
        """The salt decides when a side is thin, or empty."""
        self._writer = writer
        self._thin_salt = salt

    def _most_levels(self, second: int, side: int) -> int:
        # A side is thin in four seconds of a hundred, and empty in three of a thousand.
        bits = mix(self._thin_salt, 2 * second + side)
        chance = bits % 1000
        if chance >= 43:
            return EVERY_LEVEL
        return 0 if chance < 3 else 1 + (bits >> 20) % 15

    def _floor(self, best: int, sign: int) -> int:
        # sign is -1 for bids, which go down, and 1 for asks, which go up.
        return (best * sign // FLOOR_TICKS + 1) * FLOOR_TICKS * sign + sign * LEVELS_BELOW

    def side(self, quote: Quote, sign: int, limit: int) -> Side:
        """At most so many levels of the bids (sign -1) or asks (sign 1), best first."""
        second = quote.time_us // SECOND_US
        limit = min(limit, self._most_levels(second, sign > 0))
        if limit <= 0:
            return []
        best, quantity = (quote.bid, quote.bid_quantity) if sign < 0 else (quote.ask, quote.ask_quantity)
        resting = self._writer.resting
        levels = [(best, quantity)]
        for ticks in range(best + sign, self._floor(best, sign), sign):
            if ticks <= 0 or len(levels) >= limit:
                break
            # Each resting level changes its quantity once in eight seconds, and its neighbours at other seconds.
            text = resting[(ticks * 389 + (second + ticks >> 3) * 611) & 1023]
            if text:
                levels.append((ticks, text))
        return levels

    def touched(self, states: Sequence[Quote], sign: int) -> Side:
        """Each level that changed between two of the states, or was the best of one; 0 for one that is gone.

        One that is again as it was is among them: a snapshot from in between shows it as it was meanwhile.
        """
        books = [dict(self.side(state, sign, EVERY_LEVEL)) for state in states]
        ticks = {one for before, after in pairwise(books) for one, _ in before.items() ^ after.items()}
        ticks |= {state.bid if sign < 0 else state.ask for state in states[1:]}
        end = books[-1]
        zero = self._writer.quantity(0)
        return [(one, end.get(one, zero)) for one in sorted(ticks, key=lambda one: one * sign)]
