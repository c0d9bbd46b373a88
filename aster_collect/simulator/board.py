"""What is listed at the exchange changes: now, and where there is a market to change."""

from __future__ import annotations

import time

from .market import Market


class Board:
    """Lets a market's symbols come, go and change, from any thread; those of a recording can't."""

    def __init__(self, market: Market | None) -> None:
        """The market, or None where a recording is played."""
        self._market = market

    @property
    def market(self) -> Market:
        """The market; raises ValueError where a recording is played."""
        if self._market is None:
            raise ValueError("a recording has no symbols that could be changed")
        return self._market

    def list_symbol(self, symbol: str) -> None:
        """Let a symbol begin to trade now."""
        self.market.list_symbol(symbol.upper(), time.time_ns() // 1000)

    def delist_symbol(self, symbol: str, status: str = "SETTLING") -> None:
        """Let a symbol's events end now; raises ValueError when it is unknown."""
        self.market.delist_symbol(symbol.upper(), time.time_ns() // 1000, status)

    def begin_ids_anew(self, symbol: str | None) -> None:
        """Let lower update ids of a symbol, or of all, begin now; raises ValueError when it is unknown."""
        self.market.begin_ids_anew(symbol and symbol.upper(), time.time_ns() // 1000)

    def set_tick_size(self, symbol: str, tick_size: str) -> None:
        """Announce another tick size from now on; raises ValueError when the symbol is unknown."""
        self.market.set_tick_size(symbol.upper(), tick_size)
