"""Which symbols are collected: those that the first list has, and what every later one brings and takes."""

import logging
import math
from collections.abc import Callable
from typing import NamedTuple

from ..errors import ConfigError
from ..exchange.pages import ExchangeInfo
from ..files.limits import allow_open_files
from ..settings import Settings
from .opening import TRADING_AGAIN_S, Opening, all_markets, named_trading

log = logging.getLogger(__name__)

RELIST_S = 3600.0
GONE_S = 86_400.0  # without a list that has it for so long, a symbol is gone for good: a halt is shorter
FILES_BESIDE = 64  # open files beside those of the symbols


class Change(NamedTuple):
    """What a later list brings: symbols that are new, all that trade, and all that do no more, None where as before."""

    listed: tuple[str, ...] = ()
    trading: tuple[str, ...] = ()
    delisted: tuple[str, ...] | None = None


class Roster:
    """Takes the exchange's lists of symbols, and says when the next one is wanted.

    ```
    no symbols yet ── first ──▶ `Opening` asks until something trades ──▶ collected
    collected ── relist, each hour ──▶ new symbols are collected too, those that are gone are told
    ```

    Symbols that were named are all that there will be: the list is read again only while some of them do not trade.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        relist_s: float = RELIST_S,
        trading_again_s: float = TRADING_AGAIN_S,
        allow_files: Callable[[int], None] = allow_open_files,
    ) -> None:
        self.checked = False  # whether the exchange has said that there are such symbols
        self._settings = settings
        self._relist_s = relist_s
        self._allow_files = allow_files
        self._opening = Opening(settings, trading_again_s=trading_again_s)
        self._again_s = math.inf
        self._known: set[str] = set()
        self._gone: dict[str, float] = {}  # since which list, by the monotonic clock

    @property
    def waits_for(self) -> str:
        """What keeps the run from beginning."""
        return self._opening.waits_for

    @property
    def again_s(self) -> float:
        """When a list is wanted, by the monotonic clock; the very first one is at once."""
        return self._again_s

    def wants_list(self, now_s: float, blocked_s: float) -> bool:
        """Return whether a list is to be asked for now; while nothing may be asked, for so long, it is put off."""
        if now_s < self._again_s:
            return False
        self._again_s = now_s + (blocked_s or (self._relist_s if self._known else math.inf))
        return not blocked_s

    def first(self, info: ExchangeInfo | None, now_s: float) -> list[str]:
        """Take a list, None where there was none of use; return the symbols to begin with, none while there is to wait.

        Raises `ConfigError` for a symbol that is not listed, and where so many files can't be open.
        """
        symbols = self._opening.take(info, now_s) or []
        self.checked = info is not None
        self._again_s = self._opening.again_s
        if symbols:
            self._allow(len(symbols))
            self._known = set(symbols)
            self._again_s = now_s + self._relist_s if self._may_grow() else math.inf
        return symbols

    def relist(self, info: ExchangeInfo, now_s: float) -> Change:
        """Take a later list, and return what is to be done for it."""
        settings = self._settings
        trading = all_markets(settings, info) if settings.all_symbols else named_trading(settings, info)
        if not trading and settings.all_symbols:
            log.warning("symbols unchecked why=nothing is listed")
            return Change()
        delisted = self._let_go(self._known.difference(trading), now_s) if settings.all_symbols else None
        listed = self._add([symbol for symbol in trading if symbol not in self._known])
        return Change(listed, tuple(symbol for symbol in trading if symbol in self._known), delisted)

    def gone(self, now_s: float) -> set[str]:
        """Return the symbols that are gone for good: for a day no list has had them."""
        return {symbol for symbol, since_s in self._gone.items() if now_s - since_s >= GONE_S}

    def _may_grow(self) -> bool:
        return self._settings.all_symbols or not self._known.issuperset(self._settings.symbols)

    def _let_go(self, symbols: set[str], now_s: float) -> tuple[str, ...] | None:
        """Note which symbols do not trade any more; return them, None where they are as before."""
        former, self._gone = self._gone, {symbol: self._gone.get(symbol, now_s) for symbol in sorted(symbols)}
        if former.keys() == symbols:
            return None
        log.info("delisted symbols=%s", ",".join(self._gone) or "none")
        return tuple(self._gone)

    def _add(self, symbols: list[str]) -> tuple[str, ...]:
        """Return the new symbols, none of them where so many files can't be open: then they are new again next time."""
        if symbols:
            try:
                self._allow(len(self._known) + len(symbols))
            except ConfigError as error:
                log.error("listed but not collected symbols=%s why=%s", ",".join(symbols), error)
                return ()
            log.info("listed symbols=%s", ",".join(symbols))
            self._known |= set(symbols)
            if not self._may_grow():
                self._again_s = math.inf
        return tuple(symbols)

    def _allow(self, symbols: int) -> None:
        files_a_symbol = len(self._settings.streams) + 1  # its ledger
        self._allow_files(files_a_symbol * symbols + FILES_BESIDE)
