"""Which of the exchange's symbols are collected, and what somebody meant who named one that is not listed. Pure."""

import difflib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..errors import ConfigError
from ..wording import shortened
from .pages import ExchangeInfo
from .venues import Venue

TRADING = "TRADING"
SYMBOL_LENGTH = 64
QUOTE_ASSETS = ("USDT", "USD1", "USDF", "USDC", "USD")  # the likeliest first
GUESSES = 3
ALIKE = 0.75  # a letter wrong or two swapped, in a symbol of eight
SHORTEST_PART = 2  # letters of a symbol's part that say anything


class Shard(NamedTuple):
    """Which of several collectors this is, from 1 on, of how many: each takes its part of the symbols.

    A symbol's own name decides, so that it stays where it is, whatever else is listed or named.
    """

    number: int
    of: int

    def takes(self, symbol: str) -> bool:
        """Return whether a symbol is of this part: by its CRC-32, the remainder of which the parts share."""
        return zlib.crc32(symbol.encode()) % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


ALL_OF_THEM = Shard(1, 1)


def checked_symbol(text: str, where: str = "symbols") -> str:
    """Return a symbol in upper case; raise `ConfigError` for what can't be one, with where it was given.

    Letters and digits of any script, `_` and `-`: nothing that could name a path outside the data folder, split a
    stream's name or need quoting in a file.
    """
    symbol = text.upper()
    if not symbol or len(symbol) > SYMBOL_LENGTH or not all(c.isalnum() or c in "_-" for c in symbol):
        allowed = f"1 to {SYMBOL_LENGTH} letters, digits, '_' or '-' allowed, such as BTCUSDT"
        raise ConfigError(f"{where}: {shortened(text)!r} given, {allowed}")
    return symbol


def check_listed(symbols: Iterable[str], info: ExchangeInfo) -> None:
    """Raise `ConfigError` for symbols that the exchange does not list, with the names that come closest."""
    unknown = [symbol for symbol in symbols if symbol not in info.statuses]
    if unknown:
        raise ConfigError("symbols: " + "; ".join(_not_listed(symbol, info.statuses) for symbol in unknown))


def divide(symbols: Sequence[str], info: ExchangeInfo) -> tuple[list[str], dict[str, str]]:
    """Return which of listed symbols trade, and of the others the status that keeps them from it."""
    trading = [symbol for symbol in symbols if info.statuses[symbol] == TRADING]
    return trading, {symbol: info.statuses[symbol] for symbol in symbols if symbol not in trading}


def markets(info: ExchangeInfo, venue: Venue) -> tuple[list[str], list[str]]:
    """Return all symbols that trade, in order, and why others can't be collected: no file can be so named.

    Of futures those are the perpetual ones; what a venue has for tests is left out.
    """
    found, refused = [], []
    for symbol, status in sorted(info.statuses.items()):
        is_test = bool(venue.not_markets) and symbol.startswith(venue.not_markets)
        is_of_type = not venue.contract_type or info.contract_types[symbol] == venue.contract_type
        if status == TRADING and is_of_type and not is_test:
            try:
                found.append(checked_symbol(symbol))
            except ConfigError as error:
                refused.append(str(error))
    return found, refused


def _not_listed(symbol: str, statuses: Mapping[str, str]) -> str:
    names = guesses(symbol, [name for name, status in statuses.items() if status == TRADING])
    return f"{symbol} is not listed" + (f"; did you mean {', '.join(names)}?" if names else "")


def guesses(symbol: str, listed: Iterable[str]) -> list[str]:
    """Return up to three of the listed symbols that somebody may mean by one that is not, the likeliest first.

    That is the symbol without its `-` or `_`, the asset of its name in a quote currency, what begins with it, what
    holds it (`PEPE`: `1000PEPEUSDT`), and what differs by a letter or two.
    """
    names = list(listed)
    plain = symbol.replace("-", "").replace("_", "")
    found = [plain, *(plain + quote for quote in QUOTE_ASSETS), *(_base(plain) + quote for quote in QUOTE_ASSETS)]
    if len(plain) >= SHORTEST_PART:
        found += sorted((name for name in names if plain in name), key=lambda name: (name.find(plain), len(name), name))
    found += difflib.get_close_matches(plain, names, n=GUESSES, cutoff=ALIKE)
    return list(dict.fromkeys(name for name in found if name in names))[:GUESSES]


def _base(symbol: str) -> str:
    quote = next((quote for quote in QUOTE_ASSETS if symbol.endswith(quote) and symbol != quote), "")
    return symbol.removesuffix(quote)
