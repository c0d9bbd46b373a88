"""What makes a symbol a perpetual future: its mark price, its funding, and its open interest."""

from __future__ import annotations

from typing import NamedTuple

from .instruments import Instrument, decimal_text
from .noise import Walk, mix, salt_of

HOUR_US = 3_600_000_000
UNFUNDED = ("币安人生USDT",)  # the newest contract: its first funding is yet to come
WITHOUT_SETTLE = ("USD1USDT", *UNFUNDED)  # whose settle price is not estimated
USUAL_HOURS = 8
HOURS = (8, 4, 1, 0)  # hours between fundings by chance; 0 is not announced, and is the usual number
INTEREST_STEPS = 4000  # a middling open interest, in middling quantities
INTEREST_VOLATILITY = 2e-5


class MarkPrice(NamedTuple):
    """Prices with eight decimals; the rate is blank and the next funding 0 before the first, the settle price may be
    blank."""

    price: str
    index_price: str
    settle: str
    rate: str
    next_ms: int


class Perpetual:
    """The mark price, funding and open interest of one symbol at any time, in Unix microseconds."""

    def __init__(self, grid: Instrument, walk: Walk, seed: int, start_us: int) -> None:
        """The walk is the symbol's price in ticks; no funding is due before the start."""
        self._grid = grid
        self._walk = walk
        self._start_us = start_us
        self._salt = salt_of(seed, grid.symbol, "mark")
        self.announced_hours = USUAL_HOURS if grid.symbol in ("BTCUSDT", "ETHUSDT") else HOURS[self._salt & 3]
        self._interval_us = (self.announced_hours or USUAL_HOURS) * HOUR_US
        salt = salt_of(seed, grid.symbol, "interest")
        self._interest = Walk(salt, grid.typical_steps * INTEREST_STEPS, INTEREST_VOLATILITY)

    def mark(self, time_us: int) -> MarkPrice:
        """The mark price and what belongs to it."""
        units = self._grid.tick_units / 10**self._grid.price_decimals
        index = self._walk.at(time_us) * units
        price = index * (1 + (mix(self._salt, time_us // 1_000_000) % 1000 - 500) / 1e7)
        next_us = (time_us // self._interval_us + 1) * self._interval_us
        settle = "" if self._grid.symbol in WITHOUT_SETTLE else f"{(price + index) / 2:.8f}"
        # A symbol younger than its first funding has no rate yet.
        if self._grid.symbol in UNFUNDED or next_us - self._start_us <= self._interval_us:
            rate, next_us = "", 0
        else:
            rate = self.rate(next_us)
        return MarkPrice(f"{price:.8f}", f"{index:.8f}", settle, rate, next_us // 1000)

    def rate(self, funding_us: int) -> str:
        """The rate of a funding; three in eight are negative, and the shorts pay."""
        return f"{(mix(self._salt, funding_us // HOUR_US) % 40_000 - 15_000) / 1e8:.8f}"

    def fundings(self, start_us: int, end_us: int) -> range:
        """The times of fundings between two times, both included."""
        if self._grid.symbol in UNFUNDED:
            return range(0)
        first_us = (self._start_us // self._interval_us + 1) * self._interval_us
        start_us = max(first_us, -(-start_us // self._interval_us) * self._interval_us)
        return range(start_us, end_us + 1, self._interval_us)

    def open_interest(self, time_us: int) -> str:
        """The quantity of all open contracts."""
        return decimal_text(int(self._interest.at(time_us)), self._grid.quantity_decimals)
