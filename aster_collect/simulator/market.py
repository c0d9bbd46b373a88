"""The market of all symbols: which are listed, from when to when.

Time is an argument, so that an event depends on nothing but its number; what changes is the list, under a lock.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from . import streams
from .ids import EPOCH_US, Ids
from .instruments import DEFAULT_SYMBOLS
from .listing import TRADING, Listing
from .shown import Shown
from .supply import Source
from .venues import FUTURES, Venue

DEFAULT_RATE = 200.0
SETTLED_AFTER_US = 30 * 86_400 * 1_000_000
PENDING_UNTIL_US = EPOCH_US + 20 * 365 * 86_400 * 1_000_000
HEARTBEAT_SYMBOL = "BTCUSDT"  # some of its streams tick even where it is not among the chosen symbols


class Market:
    """Every symbol's events for a seed and a rate; the same over restarts, with the same symbols in the same number.

    The rate is frames a second over all symbols, counting bookTicker, aggTrade and one 100 ms depth stream of each.
    Reading is safe from any thread; each change replaces the table of symbols as a whole.
    """

    def __init__(
        self,
        symbols: Sequence[str] = DEFAULT_SYMBOLS,
        rate: float = DEFAULT_RATE,
        seed: int = 1,
        venue: Venue = FUTURES,
    ) -> None:
        """Raises ValueError for no symbols or a rate that is not positive."""
        names = list(dict.fromkeys(symbol.upper() for symbol in symbols))
        if not names or not all(names):
            raise ValueError("at least one symbol is needed, and none may be empty")
        if not 0 < rate <= 1_000_000:
            raise ValueError(f"rate must be above 0 and at most 1000000 frames a second, not {rate:g}")
        self.seed = seed
        self.venue = venue
        self.version = 0
        self._symbol_rate = rate / len(names)
        self._listings = {name: self._listing(name, EPOCH_US) for name in names}
        for name, status in venue.extra.items():
            if name not in self._listings:
                self._listings[name] = self._extra(name, status)
        self._heartbeat = self._listings.get(HEARTBEAT_SYMBOL) or self._listing(HEARTBEAT_SYMBOL, EPOCH_US)
        self._change = threading.Lock()  # one change of the list at a time

    def _listing(
        self,
        symbol: str,
        start_us: int,
        end_us: int | None = None,
        status: str = TRADING,
        tick_size: str | None = None,
        ids: Ids | None = None,
    ) -> Listing:
        speeds_ms = [speed for speed in self.venue.depth_ms.values() if speed]
        return Listing(
            symbol,
            self.seed,
            self._symbol_rate,
            start_us,
            end_us,
            speeds_ms=sorted(speeds_ms),
            status=status,
            tick_size=tick_size,
            ids=ids,
        )

    def _extra(self, symbol: str, status: str) -> Listing:
        if status == TRADING:
            return self._listing(symbol, EPOCH_US)
        if status == "PENDING":
            return self._listing(symbol, PENDING_UNTIL_US, status=status)
        return self._listing(symbol, EPOCH_US, EPOCH_US + SETTLED_AFTER_US, status)

    def listings(self) -> tuple[Listing, ...]:
        """All symbols that the exchange knows, trading or not."""
        return tuple(self._listings.values())

    def listing(self, symbol: str) -> Listing | None:
        """The listing of an upper-case symbol, or None."""
        return self._listings.get(symbol)

    def trading(self, now_us: int) -> tuple[str, ...]:
        """The symbols that trade at a time."""
        return tuple(listing.symbol for listing in streams.trading(self.listings(), now_us))

    def listed(self) -> tuple[Shown, ...]:
        """All symbols as REST shows them."""
        return tuple(Shown(listing, self.venue) for listing in self.listings())

    def one_listed(self, symbol: str) -> Shown | None:
        """An upper-case symbol as REST shows it, or None."""
        listing = self._listings.get(symbol)
        return None if listing is None else Shown(listing, self.venue)

    def list_symbol(self, symbol: str, now_us: int) -> None:
        """Let a new symbol start to trade, its first trade being id 1; one that does not trade does so again."""
        with self._change:
            known = self._listings.get(symbol)
            start_us = now_us if known is None else min(known.start_us, now_us)
            self._replace(self._listing(symbol, start_us, ids=None if known is None else known.ids))

    def delist_symbol(self, symbol: str, now_us: int, status: str = "SETTLING") -> None:
        """Let a symbol's events end; exchangeInfo still shows it. Raises ValueError for an unknown one."""
        with self._change:
            known = self._known(symbol)
            end_us = now_us if known.end_us is None else known.end_us
            self._replace(self._listing(symbol, known.start_us, end_us, status, known.tick_size, known.ids))

    def set_tick_size(self, symbol: str, tick_size: str) -> None:
        """Announce another tick size of a symbol. Raises ValueError for an unknown one."""
        with self._change:
            known = self._known(symbol)
            self._replace(self._listing(symbol, known.start_us, known.end_us, known.status, tick_size, known.ids))

    def begin_ids_anew(self, symbol: str | None, now_us: int) -> None:
        """Let lower update ids of a symbol, or of all, begin now. Raises ValueError for an unknown one."""
        with self._change:
            for known in [self._known(symbol)] if symbol else self._listings.values():
                known.ids.begin_anew(now_us)

    def _known(self, symbol: str) -> Listing:
        if symbol not in self._listings:
            raise ValueError(f"unknown symbol {symbol!r}")
        return self._listings[symbol]

    def _replace(self, listing: Listing) -> None:
        self._listings = {**self._listings, listing.symbol: listing}
        self.version += 1

    def source(self, stream: str, cut_us: int = 0) -> Source | None:
        """What a stream name stands for, its batches cut so much later; None for a name that stays silent."""
        if stream.startswith("!"):
            return streams.of_all(self.listings, self.venue, stream)
        lower, _, kind = stream.partition("@")
        listing = self._listings.get(lower.upper())
        if listing is None or lower != listing.symbol.lower():
            listing = None
        if lower == HEARTBEAT_SYMBOL.lower() and kind.startswith(self.venue.heartbeat):
            listing = self._listings.get(HEARTBEAT_SYMBOL) or self._heartbeat
        return None if listing is None else streams.of_symbol(listing, self.venue, stream, kind, cut_us)
