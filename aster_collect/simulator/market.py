"""The market of all symbols: which are listed, and what each stream name stands for. Pure: time is an argument."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from .instruments import DEFAULT_SYMBOLS
from .listing import EPOCH_US, Listing

DEFAULT_RATE = 200.0
SETTLED_SYMBOL = "OLDUSDT"  # listed, but no longer trading: every exchangeInfo has some
SETTLED_AFTER_US = 30 * 86_400 * 1_000_000
HEARTBEAT_SYMBOL = "BTCUSDT"  # its mark price ticks even where it is not among the chosen symbols
DEPTHS = {"depth5": 5, "depth10": 10, "depth20": 20, "depth": 0}
DEPTH_SPEEDS = {"100ms": 0, "": 1, "500ms": 2}
MARK_PERIODS_US = {"1s": 1_000_000, "": 3_000_000}


class Source(NamedTuple):
    """One stream's events by number: rising times, Unix microseconds, and payloads as JSON text."""

    stream: str
    rank: int  # the order of events of the same microsecond, so that update ids rise over a symbol's streams
    first_after: Callable[[int], int]
    time_us: Callable[[int], int]
    text: Callable[[int], str]
    end_us: int | None  # no event after this


class Market:
    """Every symbol's events for a seed and a rate; the same over restarts, with the same symbols in the same number.

    The rate is frames a second over all symbols, counting bookTicker, aggTrade and one 100 ms depth stream of each.
    Reading is safe from any thread; listing and delisting replace the table of symbols as a whole.
    """

    def __init__(self, symbols: Sequence[str] = DEFAULT_SYMBOLS, rate: float = DEFAULT_RATE, seed: int = 1) -> None:
        """Raises ValueError for no symbols or a rate that is not positive."""
        names = list(dict.fromkeys(symbol.upper() for symbol in symbols))
        if not names or not all(names):
            raise ValueError("at least one symbol is needed, and none may be empty")
        if not 0 < rate <= 1_000_000:
            raise ValueError(f"rate must be above 0 and at most 1000000 frames a second, not {rate:g}")
        self.seed = seed
        self._symbol_rate = rate / len(names)
        self._listings = {name: self._listing(name, EPOCH_US) for name in names}
        if SETTLED_SYMBOL not in self._listings:
            self._listings[SETTLED_SYMBOL] = self._listing(SETTLED_SYMBOL, EPOCH_US, EPOCH_US + SETTLED_AFTER_US)
        self._heartbeat = self._listings.get(HEARTBEAT_SYMBOL) or self._listing(HEARTBEAT_SYMBOL, EPOCH_US)
        self._change = threading.Lock()  # one change of the list at a time
        self.version = 0  # rises with each change of the list

    def _listing(self, symbol: str, start_us: int, end_us: int | None = None) -> Listing:
        return Listing(symbol, self.seed, self._symbol_rate, start_us, end_us)

    def listings(self) -> tuple[Listing, ...]:
        """All symbols that the exchange knows, trading or not."""
        return tuple(self._listings.values())

    def listing(self, symbol: str) -> Listing | None:
        """The listing of an upper-case symbol, or None."""
        return self._listings.get(symbol)

    def trading(self, now_us: int) -> tuple[str, ...]:
        """The symbols that trade at a time."""
        return tuple(
            name for name, listing in self._listings.items() if listing.end_us is None or listing.end_us > now_us
        )

    def list_symbol(self, symbol: str, now_us: int) -> None:
        """Let a new symbol start to trade, its first trade being id 1; one that was delisted trades again."""
        with self._change:
            known = self._listings.get(symbol)
            start_us = now_us if known is None else known.start_us
            self._listings = {**self._listings, symbol: self._listing(symbol, start_us)}
            self.version += 1

    def delist_symbol(self, symbol: str, now_us: int) -> None:
        """Let a symbol's events end; exchangeInfo still shows it, as settling. Raises KeyError for an unknown one."""
        with self._change:
            known = self._listings[symbol]
            self._listings = {**self._listings, symbol: self._listing(symbol, known.start_us, now_us)}
            self.version += 1

    def source(self, stream: str) -> Source | None:
        """What a stream name stands for; None for a name that stays silent."""
        lower, _, kind = stream.partition("@")
        listing = self._listings.get(lower.upper())
        if listing is None or lower != listing.symbol.lower():
            listing = None
        if stream.startswith(f"{HEARTBEAT_SYMBOL.lower()}@markPrice"):
            listing = self._heartbeat
        return None if listing is None else _source(listing, stream, kind)


def _source(listing: Listing, stream: str, kind: str) -> Source | None:
    name, _, option = kind.partition("@")
    if kind == "bookTicker":
        return _make(listing, stream, 0, listing.quotes.first_after, listing.quotes.time_us, listing.quote_text)
    if kind == "aggTrade":
        after = partial(_first_trade_after, listing)
        return _make(listing, stream, 4, after, listing.trade_sent_us, listing.trade_text)
    if kind == "trade":
        after = partial(_first_fill_after, listing)
        return _make(listing, stream, 5, after, partial(_fill_time_us, listing), listing.fill_text)
    if kind == "forceOrder":
        line = listing.liquidations
        return _make(listing, stream, 6, line.first_after, line.time_us, listing.liquidation_text)
    if name == "markPrice" and option in MARK_PERIODS_US:
        period_us = MARK_PERIODS_US[option]
        text = partial(listing.mark_text, period_us=period_us)
        return _make(listing, stream, 7, lambda t: t // period_us + 1, lambda n: n * period_us, text)
    if name in DEPTHS and option in DEPTH_SPEEDS:
        speed, levels = DEPTH_SPEEDS[option], DEPTHS[name]
        line = listing.depths[speed]
        text = (
            partial(listing.depth_text, speed=speed, levels=levels)
            if levels
            else partial(listing.diff_text, speed=speed)
        )
        return _make(listing, stream, speed + 1, line.first_after, line.time_us, text)
    return None


def _make(
    listing: Listing,
    stream: str,
    rank: int,
    first_after: Callable[[int], int],
    time_us: Callable[[int], int],
    text: Callable[[int], str],
) -> Source:
    def first(after_us: int) -> int:
        return first_after(max(after_us, listing.start_us - 1))

    return Source(stream, rank, first, time_us, text, listing.end_us)


def _first_trade_after(listing: Listing, after_us: int) -> int:
    # The send time is the match time and at most 22 ms: start from the trades matched before that, and step.
    number = max(1, listing.trades.first_after(after_us - 30_000))
    while listing.trade_sent_us(number) <= after_us:
        number += 1
    return number


def _first_fill_after(listing: Listing, after_us: int) -> int:
    return max(listing.first_fill(1), listing.last_fill_at(after_us) + 1)


def _fill_time_us(listing: Listing, number: int) -> int:
    return listing.fill(number).trade.time_us
