"""One symbol's best bid and offer after each of its events, and at any time."""

from __future__ import annotations

from .books import Quote
from .instruments import Writer
from .noise import GOLDEN, Timeline, Walk, mix


class Quotes:
    """The quotes along a line of times, round a price that walks."""

    def __init__(self, line: Timeline, walk: Walk, writer: Writer) -> None:
        self.line = line
        self._walk = walk
        self._quantities = writer.quantities

    def quote(self, number: int) -> Quote:
        """The state of the best bid and offer after a quote event."""
        time_us = self.line.time_us(number)
        bits = mix(self.line.salt ^ GOLDEN, number)
        middle = int(self._walk.at(time_us))
        # The spread is one tick, in a fifth of the states two to four.
        bid = middle - (bits & 3 == 0)
        ask = middle + 1 + (bits >> 2 & 1 if bits & 24 == 0 else 0) + (bits >> 5 & 1 if bits & 448 == 0 else 0)
        quantities = self._quantities
        return Quote(number, time_us, bid, ask, quantities[bits >> 20 & 1023], quantities[bits >> 40 & 1023])

    def at(self, time_us: int) -> Quote:
        """The quote in force at a time."""
        return self.quote(self.line.last_at(time_us))
