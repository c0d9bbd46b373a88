"""One listed symbol: its quotes, trades, fills, books and liquidations, each a function of its number.

The state of the book changes with each quote. Trades print at the quote in force, depth snapshots and diffs show the
book of the quote in force, so the streams and REST agree with each other without any memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from .books import Books, Quote, Side
from .ids import Ids
from .instruments import DEFAULT_SYMBOLS, QUANTITIES, Writer, instrument
from .noise import GOLDEN, MASK, Walk, mix, salt_of, timeline
from .perpetual import Perpetual

TRADE_SHARE, DEPTH_SHARE = 0.11, 0.05  # of all frames; the rest are quotes
REAL_TIME_RATE = 25  # diffs in real time come with each quote, at a higher rate with each second, third … of them
BATCH_DELAY_US = 50_000  # a depth event is sent when its time has come, but no later than this after the last change
FIRST_FILL_ID = 1_000_000  # single fills have an id space of their own
SEND_DELAY_US = 2_000  # an aggTrade is sent this much after the match, and up to 20 ms more
LIQUIDATION_EVERY_S = dict.fromkeys(DEFAULT_SYMBOLS, 6.0)
OTHER_LIQUIDATION_EVERY_S = 90.0
OFF_BOOK = ("INSURANCE_FUND", "ADL", "NA", "")  # whose fills are in no aggregate trade
TRADING = "TRADING"


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


class Liquidation(NamedTuple):
    """A liquidated order that has been filled: at its limit, or better."""

    time_us: int
    side: str
    price: str
    average_price: str
    quantity: str
    last_quantity: str


class Batch(NamedTuple):
    """What a depth event tells of: the changes behind one quote up to another."""

    before: Quote
    last: Quote
    sent_us: int


class Listing:
    """One symbol of the market, from its listing to its end, if it has one."""

    def __init__(
        self,
        symbol: str,
        seed: int,
        rate: float,
        start_us: int,
        end_us: int | None = None,
        *,
        speeds_ms: Sequence[int] = (100, 250, 500),
        status: str = TRADING,
        tick_size: str | None = None,
        ids: Ids | None = None,
    ) -> None:
        """The rate is frames a second over bookTicker, aggTrade and one depth stream.

        `tick_size` is announced in place of the one that its prices have; `ids` go on where it was listed before.
        """
        self.symbol = symbol
        self.status = status
        self.speeds_ms = tuple(speeds_ms)
        self.instrument = grid = instrument(symbol)
        self.start_us = start_us
        self.end_us = end_us
        self.writer = Writer(grid, seed)
        self._price = self.writer.price
        self._walk = Walk(salt_of(seed, symbol, "walk"), grid.base_ticks, grid.volatility)
        self.tick_size = tick_size or self._price(1)
        self.perpetual = Perpetual(grid, self._walk, seed, start_us)
        depth_rates = [min(rate * DEPTH_SHARE, 1000 / speed) for speed in self.speeds_ms]
        trade_rate = rate * TRADE_SHARE
        # What the fastest depth stream may not use is made up in quotes, so that the total is the rate.
        quote_rate = rate - trade_rate - depth_rates[0]
        self.quotes = timeline(quote_rate, start_us, salt_of(seed, symbol, "quotes"))
        self.trades = timeline(trade_rate, start_us, salt_of(seed, symbol, "trades"))
        self.depths = [
            timeline(depth_rate, start_us, salt_of(seed, symbol, "depth", speed), jitter=0.05)
            for depth_rate, speed in zip(depth_rates, self.speeds_ms, strict=True)
        ]
        self.quotes_a_diff = max(1, math.ceil(quote_rate / REAL_TIME_RATE))
        every_s = LIQUIDATION_EVERY_S.get(symbol, OTHER_LIQUIDATION_EVERY_S)
        self.liquidations = timeline(1 / every_s, start_us, salt_of(seed, symbol, "liquidations"))
        self._thin_salt = salt_of(seed, symbol, "thin")
        self.books = Books(self.writer, self._thin_salt, grid.base_ticks)
        self.ids = Ids() if ids is None else ids
        self._delay_us = min(20_000, self.trades.spacing_us // 2)

    # Quotes

    def quote(self, number: int) -> Quote:
        """The state of the best bid and offer after a quote event."""
        time_us = self.quotes.time_us(number)
        bits = mix(self.quotes.salt ^ GOLDEN, number)
        middle = int(self._walk.at(time_us))
        # The spread is one tick, in a fifth of the states two to four.
        bid = middle - (bits & 3 == 0)
        ask = middle + 1 + (bits >> 2 & 1 if bits & 24 == 0 else 0) + (bits >> 5 & 1 if bits & 448 == 0 else 0)
        quantities = self.writer.quantities
        return Quote(number, time_us, bid, ask, quantities[bits >> 20 & 1023], quantities[bits >> 40 & 1023])

    def quote_at(self, time_us: int) -> Quote:
        """The quote in force at a time."""
        return self.quote(self.quotes.last_at(time_us))

    def book_at(self, update_id: int) -> tuple[dict[str, str], dict[str, str]]:
        """The whole book at an update id: quantities by price, of bids and of asks, best first."""
        quote = self.quote_at(self.ids.time_us(update_id))
        bids, asks = ({self._price(ticks): text for ticks, text in self.books.side(quote, sign)} for sign in (-1, 1))
        return bids, asks

    # Trades

    def first_fill(self, number: int) -> int:
        """The id of the first fill of an aggregate trade."""
        # One, two or three fills a trade: every second id is a border, some are moved by one.
        return FIRST_FILL_ID + 2 * number + (mix(self.trades.salt ^ MASK, number) & 1)

    def trade(self, number: int) -> Trade:
        """An aggregate trade by its id, from 1."""
        time_us = self.trades.time_us(number)
        bits = mix(self.trades.salt ^ GOLDEN, number)
        quote = self.quote_at(time_us)
        sold = bits & 1 == 1
        first, last = self.first_fill(number), self.first_fill(number + 1) - 1
        if last > first and bits >> 1 & 15 == 0:
            last -= 1  # the last fill was the insurance fund's, which no aggregate trade shows
        price = self._price(quote.bid if sold else quote.ask)
        return Trade(number, time_us, price, self.writer.steps[bits >> 20 & 1023], first, last, sold)

    def trade_sent_us(self, number: int) -> int:
        """When the aggTrade event goes out, a little after the match; in the order of ids."""
        delay_us = SEND_DELAY_US + mix(self.trades.salt ^ self._thin_salt, number) % self._delay_us
        return self.trades.time_us(number) + delay_us

    def fill(self, number: int) -> Fill:
        """A single fill by its id; a trade's quantity is shared among its fills."""
        candidate = (number - FIRST_FILL_ID) // 2
        trade = self.trade(candidate if self.first_fill(candidate) <= number else candidate - 1)
        if number > trade.last:
            origin = OFF_BOOK[mix(self._thin_salt, number) & 3]
            return Fill(number, trade, self.writer.steps[number % QUANTITIES], origin)
        share, rest = divmod(trade.steps, trade.last - trade.first + 1)
        return Fill(number, trade, share + rest if number == trade.first else share, "MARKET")

    def last_fill_at(self, time_us: int) -> int:
        """The id of the newest fill at a time."""
        return self.first_fill(self.trades.last_at(time_us) + 1) - 1

    # What changes the book

    def batch(self, speed: int, number: int, cut_us: int) -> Batch:
        """What a depth event of a speed tells of; `cut_us` is by how much later than elsewhere batches are cut."""
        before, last = (self._end(speed, one, cut_us) for one in (number - 1, number))
        return Batch(before, last, self.batch_sent_us(speed, number, cut_us))

    def first_batch_after(self, speed: int, after_us: int, cut_us: int) -> int:
        """The first depth event of a speed that may go out after a time: none before it does."""
        return self.depths[speed].first_after(after_us - cut_us)

    def batch_sent_us(self, speed: int, number: int, cut_us: int) -> int:
        """When a depth event of a speed goes out."""
        ends_us = self.depths[speed].time_us(number) + cut_us
        return min(ends_us, self._end(speed, number, cut_us).time_us + BATCH_DELAY_US)

    def _end(self, speed: int, number: int, cut_us: int) -> Quote:
        last = self.quotes.last_at(self.depths[speed].time_us(number) + cut_us)
        # It is the end of a batch in real time too, so that who keeps a book from either meets the same ids.
        return self.quote(last - (last - self._real_time_end(0, cut_us)) % self.quotes_a_diff)

    def real_time_batch(self, number: int, cut_us: int) -> Batch:
        """What a depth event in real time tells of: the newest quotes, and it comes with the last of them."""
        before, last = (self.quote(self._real_time_end(one, cut_us)) for one in (number - 1, number))
        return Batch(before, last, last.time_us)

    def first_real_time_batch_after(self, after_us: int) -> int:
        """The first depth event in real time that may go out after a time: none before it does."""
        return self.quotes.last_at(after_us) // self.quotes_a_diff

    def real_time_sent_us(self, number: int, cut_us: int) -> int:
        """When a depth event in real time goes out."""
        return self.quotes.time_us(self._real_time_end(number, cut_us))

    def _real_time_end(self, number: int, cut_us: int) -> int:
        return number * self.quotes_a_diff + cut_us // self.quotes.spacing_us % self.quotes_a_diff

    def touched(self, batch: Batch) -> tuple[Side, Side]:
        """The bids and asks that were touched within a batch; 0 for a level that is gone."""
        states = [self.quote(number) for number in range(batch.before.number, batch.last.number + 1)]
        return self.books.touched(states, -1), self.books.touched(states, 1)

    def liquidation(self, number: int) -> Liquidation:
        """A liquidation by its number; one in four was filled in more than one piece, below its limit."""
        time_us = self.liquidations.time_us(number)
        bits = mix(self.liquidations.salt ^ GOLDEN, number)
        quote = self.quote_at(time_us)
        side, ticks, worse = ("SELL", quote.bid, -1) if bits & 1 else ("BUY", quote.ask, 1)
        steps = self.writer.steps[bits >> 20 & 1023]
        in_pieces = bits >> 1 & 3 == 0
        limit = self._price(max(1, ticks + worse * 5 * in_pieces))
        quantity, last = self.writer.quantity(steps), self.writer.quantity(steps // 3 if in_pieces else steps)
        return Liquidation(time_us, side, limit, self._price(ticks), quantity, last)
