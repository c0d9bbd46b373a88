"""One symbol's liquidations, each a function of its number."""

from __future__ import annotations

from typing import NamedTuple

from .instruments import Writer
from .noise import GOLDEN, Timeline, mix
from .quotes import Quotes


class Liquidation(NamedTuple):
    """A liquidated order that has been filled: at its limit, or better."""

    time_us: int
    side: str
    price: str
    average_price: str
    quantity: str
    last_quantity: str


class Liquidations:
    """The liquidations along a line of times, each at the quote in force."""

    def __init__(self, line: Timeline, quotes: Quotes, writer: Writer) -> None:
        self.line = line
        self._quotes, self._writer = quotes, writer

    def liquidation(self, number: int) -> Liquidation:
        """A liquidation by its number; one in four was filled in more than one piece, below its limit."""
        time_us = self.line.time_us(number)
        bits = mix(self.line.salt ^ GOLDEN, number)
        quote, writer = self._quotes.at(time_us), self._writer
        side, ticks, worse = ("SELL", quote.bid, -1) if bits & 1 else ("BUY", quote.ask, 1)
        steps = writer.steps[bits >> 20 & 1023]
        in_pieces = bits >> 1 & 3 == 0
        limit = writer.price(max(1, ticks + worse * 5 * in_pieces))
        quantity, last = writer.quantity(steps), writer.quantity(steps // 3 if in_pieces else steps)
        return Liquidation(time_us, side, limit, writer.price(ticks), quantity, last)
