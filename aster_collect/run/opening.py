"""What is to be collected at the start, as the exchange says: it is asked until something trades."""

import logging
import math

from ..exchange.pages import ExchangeInfo
from ..exchange.symbols import check_listed, divide, markets
from ..settings import Settings

log = logging.getLogger(__name__)

LIST_AGAIN_S = 5.0
TRADING_AGAIN_S = 60.0
SAY_AGAIN_S = 3600.0
NO_LIST = "the exchange gives no list of symbols"
NO_TRADING = "nothing is trading"


class Opening:
    """The start's dialogue with the exchange.

    ```
    asked ─┬─ no list ──▶ named symbols are taken as given; where all are wanted: asked again in 5 s
           ├─ a list, and nothing of what is wanted trades (maintenance, say) ──▶ asked again in a minute
           │      and until a list says otherwise, also where none is to be had meanwhile
           └─ a list ───▶ the symbols that trade
    ```
    """

    def __init__(self, settings: Settings, *, trading_again_s: float = TRADING_AGAIN_S) -> None:
        self.waits_for = NO_LIST
        self.again_s = math.inf  # when to ask again, by the monotonic clock
        self._settings = settings
        self._trading_again_s = trading_again_s
        self._halted_s: float | None = None  # since when nothing is known to trade …
        self._say_s = 0.0  # … and when that is said again

    def take(self, info: ExchangeInfo | None, now_s: float) -> list[str] | None:
        """Take an answer, None where there was none of use; return the symbols to collect, None while there is to wait.

        Raises `ConfigError` for a symbol that is not listed.
        """
        if info is None:
            return self._unanswered(now_s)
        symbols = all_markets(self._settings, info) if self._settings.all_symbols else self._named(info)
        if not symbols:
            self._wait(now_s)
            return None
        if self._halted_s is not None:
            log.info("trading again waited_s=%.0f", now_s - self._halted_s)
        return symbols

    def _unanswered(self, now_s: float) -> list[str] | None:
        if self._halted_s is not None:
            self.again_s = now_s + self._trading_again_s
        elif self._settings.all_symbols:
            self.again_s = now_s + LIST_AGAIN_S
            if now_s >= self._say_s:
                self._say_s = now_s + SAY_AGAIN_S
                log.warning("waiting why=no_list_of_symbols retry_s=%g", LIST_AGAIN_S)
        else:
            return list(self._settings.symbols)
        return None

    def _wait(self, now_s: float) -> None:
        if self._halted_s is None:
            self._halted_s = self._say_s = now_s
        if now_s >= self._say_s:
            self._say_s = now_s + SAY_AGAIN_S
            log.warning("waiting why=nothing_is_trading retry_s=%g", self._trading_again_s)
        self.waits_for, self.again_s = NO_TRADING, now_s + self._trading_again_s

    def _named(self, info: ExchangeInfo) -> list[str]:
        symbols = self._settings.symbols
        if not info.statuses:  # what lists nothing is not open: it says nothing of a symbol
            return []
        check_listed(symbols, info)
        trading, halted = divide(symbols, info)
        for symbol, status in halted.items() if trading else ():
            log.warning("symbol skipped symbol=%s status=%s", symbol, status)
        return trading


def all_markets(settings: Settings, info: ExchangeInfo) -> list[str]:
    """Return all symbols of this part that trade; one that can't be a file's name is warned about."""
    found, refused = markets(info, settings.venue)
    for why in refused:
        log.warning("symbol skipped why=%s", why)
    return list(filter(settings.shard.takes, found))


def named_trading(settings: Settings, info: ExchangeInfo) -> list[str]:
    """Return which of the named symbols trade."""
    trading, _ = divide([symbol for symbol in settings.symbols if symbol in info.statuses], info)
    return trading
