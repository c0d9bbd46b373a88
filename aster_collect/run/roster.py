"""Which symbols are collected: those that the first list has, and what every later one brings and takes."""

import logging
import math
from collections.abc import Callable
from typing import NamedTuple

from ..errors import ConfigError, DecodeError
from ..exchange.events import Answer
from ..exchange.pages import ExchangeInfo, decode_exchange_info
from ..files.limits import allow_open_files
from ..settings import Settings
from .opening import TRADING_AGAIN_S, Opening, all_markets, named_trading

log = logging.getLogger(__name__)

RELIST_S = 3600.0
FILES_BESIDE = 64  # open files beside those of the symbols


class Change(NamedTuple):
    """What a later list brings: symbols to collect, and all that it has no more, None where they are as before."""

    listed: tuple[str, ...] = ()
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
        self._gone: set[str] = set()

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

    def relist(self, info: ExchangeInfo) -> Change:
        """Take a later list, and return what is to be done for it."""
        if not self._settings.all_symbols:
            return Change(
                self._add([symbol for symbol in named_trading(self._settings, info) if symbol not in self._known])
            )
        listed = set(all_markets(info, self._settings.venue))
        if not listed:
            log.warning("symbols unchecked why=nothing is listed")
            return Change()
        gone = self._known - listed
        delisted = tuple(sorted(gone)) if gone != self._gone else None
        if delisted is not None:
            log.info("delisted symbols=%s", ",".join(delisted) or "none")
            self._gone = gone
        return Change(self._add(sorted(listed - self._known)), delisted)

    def _may_grow(self) -> bool:
        return self._settings.all_symbols or not self._known.issuperset(self._settings.symbols)

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


def read_list(answer: Answer) -> ExchangeInfo | None:
    """Return the list that an answer holds, None where it holds none: that is said."""
    try:
        if answer.refused:
            raise DecodeError(answer.refused)
        return decode_exchange_info(answer.value)
    except DecodeError as error:
        log.warning("symbols unchecked why=%s", error)
        return None
