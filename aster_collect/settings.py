"""What one run is asked to do, checked before anything else happens."""

import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from .errors import ConfigError

LIST_MARKETS = ["ASTERUSDT", "BTCUSDT", "ETHUSDT", "USD1USDT"]

WS_URL = "wss://fstream.asterdex.com"
REST_URL = "https://fapi.asterdex.com"
DATA_DIR = Path("ASTER_data")
DEMO_DIR = DATA_DIR / "demo"

SHOWN = 60  # characters of a bad value that its message repeats
ROTATIONS = ("none", "hour", "day")
ORDER_BOOK_LEVELS = (5, 10, 20)
DEPTH_INTERVALS_MS = (100, 250, 500)
SYMBOL_LENGTH = 64
KEPT_SUFFIXES = (".csv", ".gz", ".jsonl")
KEPT_NAMES = ("status.json", ".lock", ".banned")


def shortened(text: str) -> str:
    """Return a given value, fit for one line of a message."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


class Range(NamedTuple):
    """What a number given on the command line may be."""

    option: str
    lowest: float
    highest: float
    unit: str

    def check(self, value: float) -> None:
        """Raise `ConfigError` unless the value lies within."""
        if not self.lowest <= value <= self.highest:  # nothing compares with nan
            given = f"{value:.15g}" if isinstance(value, float) else str(value)
            raise ConfigError(f"{self.option}: {shortened(given)} given, {self.allowed()} allowed")

    def allowed(self) -> str:
        """Return the range in words."""
        return f"{self.lowest:g} to {self.highest:.15g} {self.unit}"


RANGES = {
    "flush_interval_s": Range("--flush-interval", 0.1, 3600, "seconds"),
    "stall_timeout_s": Range("--stall-timeout", 1, 600, "seconds"),
    "duration_s": Range("--duration", 0.1, 31_536_000, "seconds"),
    "history": Range("--history", 0, 100_000, "trades"),
    "backfill_limit": Range("--backfill-limit", 0, 10_000_000, "trades"),
    "hold_trades": Range("--hold-limit", 1, 1_000_000, "trades"),
    "hold_s": Range("--hold-limit", 1, 604_800, "seconds"),
    "connections": Range("--connections", 1, 4, "connections"),
    "keep_days": Range("--keep-days", 1, 36_500, "days"),
    "min_free_mb": Range("--min-free-mb", 0, 1_000_000_000, "MB"),
    "max_clock_offset_s": Range("--max-clock-offset", 0.001, 3600, "seconds"),
    "max_connection_age_s": Range("--max-connection-age", 2, 86_000, "seconds"),
}


@dataclass(frozen=True)
class Settings:
    """Everything that a run can be told; raises `ConfigError` in the words of the command line."""

    symbols: tuple[str, ...] = field(default_factory=lambda: tuple(LIST_MARKETS))
    order_book_levels: int = 10
    flush_interval_s: float = 5.0
    data_dir: Path = DATA_DIR
    depth_interval_ms: int = 100
    receive_time: bool = False
    duration_s: float | None = None
    ws_url: str = WS_URL
    rest_url: str = REST_URL
    stall_timeout_s: float = 10.0
    history: int = 1000
    backfill_limit: int = 200_000
    hold_trades: int = 100_000
    hold_s: float = 900.0
    connections: int = 1
    max_connection_age_s: float = 82_800.0
    sync: bool = True
    rotate: str = "none"
    compress: bool = False
    keep_days: int | None = None
    min_free_mb: int = 200
    max_clock_offset_s: float = 1.0
    metrics_file: Path | None = None
    all_symbols: bool = False

    def __post_init__(self) -> None:
        for name, allowed in RANGES.items():
            value = getattr(self, name)
            if value is not None:
                allowed.check(value)
        _check_choice("--order-book-levels", self.order_book_levels, ORDER_BOOK_LEVELS)
        _check_choice("--depth-interval", self.depth_interval_ms, DEPTH_INTERVALS_MS)
        target = self.metrics_file
        if target is not None and (target.suffix in KEPT_SUFFIXES or target.name in KEPT_NAMES):
            raise ConfigError(
                f"--metrics-file: {target} given, a name allowed that no data file has, such as aster.prom"
            )
        _check_choice("--rotate", self.rotate, ROTATIONS)
        check_url("--ws-url", self.ws_url, ("ws", "wss"))
        check_url("--rest-url", self.rest_url, ("http", "https"))
        object.__setattr__(self, "symbols", tuple(dict.fromkeys(map(checked_symbol, self.symbols))))
        if not self.symbols:
            raise ConfigError("symbols: none given, and LIST_MARKETS is empty; name at least one, such as BTCUSDT")

    def told(self) -> dict[str, object]:
        """Return the settings by name, as JSON can hold them; without the symbols, which the exchange may change."""
        named = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "symbols"}
        told = {name: str(value) if isinstance(value, Path) else value for name, value in named.items()}
        return {**told, "ws_url": without_secret(self.ws_url), "rest_url": without_secret(self.rest_url)}


def checked_symbol(text: str) -> str:
    """Return a symbol in upper case; raise `ConfigError` for what can't be one.

    Letters and digits of any script, `_` and `-`: nothing that could name a path outside the data folder, split a
    stream's name or need quoting in a file.
    """
    symbol = text.upper()
    if not symbol or len(symbol) > SYMBOL_LENGTH or not all(c.isalnum() or c in "_-" for c in symbol):
        allowed = f"1 to {SYMBOL_LENGTH} letters, digits, '_' or '-' allowed, such as BTCUSDT"
        raise ConfigError(f"symbols: {shortened(text)!r} given, {allowed}")
    return symbol


def check_url(option: str, url: str, schemes: tuple[str, ...]) -> None:
    """Raise `ConfigError` unless the URL is absolute, of one of the schemes, and without path, query or fragment."""
    path = ""
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and bool(parts.hostname) and not set(url) & set("?# ")
        good = good and (parts.port is None or parts.port > 0) and url.isprintable()
        path = parts.path.strip("/")
    except ValueError:
        good = False
    if not good or path:
        allowed = " or ".join(f"{scheme}://HOST[:PORT]" for scheme in schemes)
        hint = f"; the paths are added to it: give {without_secret(url.removesuffix(parts.path))}" if good else ""
        raise ConfigError(f"{option}: {shortened(without_secret(url))!r} given, {allowed} allowed{hint}")


def without_secret(url: str) -> str:
    """Return a URL whose user and password, if it has them, are left out: logs and files are read by others.

    They end at the last `@`, whatever stands before it: a password may hold one, and `/` or `#` in a URL that is none.
    """
    return re.sub(r"^([a-zA-Z][a-zA-Z0-9+.-]*://)?.*@", r"\1***@", url, flags=re.DOTALL)


def _check_choice(option: str, value: object, choices: tuple[object, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{option}: {shortened(str(value))} given, {', '.join(map(str, choices))} allowed")
