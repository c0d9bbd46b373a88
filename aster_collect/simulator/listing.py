"""One listed symbol: its quotes, trades, fills, books and liquidations, each a function of its number.

The state of the book changes with each quote. Trades print at the quote in force, depth snapshots and diffs show the
book of the quote in force, so the streams and REST agree with each other without any memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .batches import Batch, Batches
from .books import Books, Side
from .ids import Ids
from .instruments import DEFAULT_SYMBOLS, Writer, instrument
from .liquidations import Liquidations
from .noise import Walk, salt_of, timeline
from .perpetual import Perpetual
from .quotes import Quotes
from .trades import Trades

TRADE_SHARE, DEPTH_SHARE = 0.11, 0.05  # of all frames; the rest are quotes
REAL_TIME_RATE = 25  # diffs in real time come with each quote, at a higher rate with each second, third … of them
LIQUIDATION_EVERY_S = dict.fromkeys(DEFAULT_SYMBOLS, 6.0)
OTHER_LIQUIDATION_EVERY_S = 90.0
TRADING = "TRADING"


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
        self.writer = writer = Writer(grid, seed)
        self.tick_size = tick_size or writer.price(1)
        self.ids = Ids() if ids is None else ids
        walk = Walk(salt_of(seed, symbol, "walk"), grid.base_ticks, grid.volatility)
        thin_salt = salt_of(seed, symbol, "thin")
        self.perpetual = Perpetual(grid, walk, seed, start_us)
        self.books = Books(writer, thin_salt, grid.base_ticks)
        depth_rates = [min(rate * DEPTH_SHARE, 1000 / speed) for speed in self.speeds_ms]
        trade_rate = rate * TRADE_SHARE
        # What the fastest depth stream may not use is made up in quotes, so that the total is the rate.
        quote_rate = rate - trade_rate - depth_rates[0]
        self.quotes = quotes = Quotes(timeline(quote_rate, start_us, salt_of(seed, symbol, "quotes")), walk, writer)
        trade_line = timeline(trade_rate, start_us, salt_of(seed, symbol, "trades"))
        self.trades = Trades(trade_line, quotes, writer, thin_salt)
        depth_lines = [
            timeline(depth_rate, start_us, salt_of(seed, symbol, "depth", speed), jitter=0.05)
            for depth_rate, speed in zip(depth_rates, self.speeds_ms, strict=True)
        ]
        self.batches = Batches(depth_lines, quotes, max(1, math.ceil(quote_rate / REAL_TIME_RATE)))
        every_s = LIQUIDATION_EVERY_S.get(symbol, OTHER_LIQUIDATION_EVERY_S)
        liquidation_line = timeline(1 / every_s, start_us, salt_of(seed, symbol, "liquidations"))
        self.liquidations = Liquidations(liquidation_line, quotes, writer)

    def book_at(self, update_id: int) -> tuple[dict[str, str], dict[str, str]]:
        """The whole book at an update id: quantities by price, of bids and of asks, best first."""
        quote, price = self.quotes.at(self.ids.time_us(update_id)), self.writer.price
        bids, asks = ({price(ticks): text for ticks, text in self.books.side(quote, sign)} for sign in (-1, 1))
        return bids, asks

    def touched(self, batch: Batch) -> tuple[Side, Side]:
        """The bids and asks that were touched within a batch; 0 for a level that is gone."""
        states = [self.quotes.quote(number) for number in range(batch.before.number, batch.last.number + 1)]
        return self.books.touched(states, -1), self.books.touched(states, 1)
