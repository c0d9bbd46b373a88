"""One symbol's aggregate trades and the single fills that they are made of, each a function of its id."""

from __future__ import annotations

from typing import NamedTuple

from .instruments import QUANTITIES, Writer
from .noise import GOLDEN, MASK, Timeline, mix
from .quotes import Quotes

FIRST_FILL_ID = 1_000_000  # single fills have an id space of their own
SEND_DELAY_US = 2_000  # an aggTrade is sent this much after the match, and up to 20 ms more
OFF_BOOK = ("INSURANCE_FUND", "ADL", "NA", "")  # whose fills are in no aggregate trade


class Trade(NamedTuple):
    """An aggregate trade; the number is its id, first and last are the ids of its fills."""

    number: int
    time_us: int
    price: str
    steps: int
    first: int
    last: int
    buyer_is_maker: bool


class Fill(NamedTuple):
    """A single fill; one of another origin than the market is in no aggregate trade, and its origin may be unsaid."""

    number: int
    trade: Trade
    steps: int
    origin: str


class Trades:
    """The trades along a line of times, each at the quote in force."""

    def __init__(self, line: Timeline, quotes: Quotes, writer: Writer, salt: int) -> None:
        """The salt decides how late an event is sent, and whose a fill off the book was."""
        self.line = line
        self._quotes, self._writer, self._salt = quotes, writer, salt
        self._delay_us = min(20_000, line.spacing_us // 2)

    def trade(self, number: int) -> Trade:
        """An aggregate trade by its id, from 1."""
        time_us = self.line.time_us(number)
        bits = mix(self.line.salt ^ GOLDEN, number)
        quote = self._quotes.at(time_us)
        sold = bits & 1 == 1
        first, last = self.first_fill(number), self.first_fill(number + 1) - 1
        if last > first and bits >> 1 & 15 == 0:
            last -= 1  # the last fill was the insurance fund's, which no aggregate trade shows
        price = self._writer.price(quote.bid if sold else quote.ask)
        return Trade(number, time_us, price, self._writer.steps[bits >> 20 & 1023], first, last, sold)

    def sent_us(self, number: int) -> int:
        """When the aggTrade event goes out, a little after the match; in the order of ids."""
        delay_us = SEND_DELAY_US + mix(self.line.salt ^ self._salt, number) % self._delay_us
        return self.line.time_us(number) + delay_us

    def first_fill(self, number: int) -> int:
        """The id of the first fill of an aggregate trade."""
        # One, two or three fills a trade: every second id is a border, some are moved by one.
        return FIRST_FILL_ID + 2 * number + (mix(self.line.salt ^ MASK, number) & 1)

    def fill(self, number: int) -> Fill:
        """A single fill by its id; a trade's quantity is shared among its fills."""
        candidate = (number - FIRST_FILL_ID) // 2
        trade = self.trade(candidate if self.first_fill(candidate) <= number else candidate - 1)
        if number > trade.last:
            origin = OFF_BOOK[mix(self._salt, number) & 3]
            return Fill(number, trade, self._writer.steps[number % QUANTITIES], origin)
        share, rest = divmod(trade.steps, trade.last - trade.first + 1)
        return Fill(number, trade, share + rest if number == trade.first else share, "MARKET")

    def last_fill_at(self, time_us: int) -> int:
        """The id of the newest fill at a time."""
        return self.first_fill(self.line.last_at(time_us) + 1) - 1
