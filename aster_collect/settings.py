"""What one run is asked to do, checked before anything else happens."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .errors import ConfigError
from .exchange.streams import DEFAULT, KINDS
from .exchange.streams.kind import Options
from .exchange.streams.orderbook import LEVELS
from .exchange.subscribe import Scope
from .exchange.symbols import ALL_OF_THEM, Shard, checked_symbol
from .exchange.venues import FUTURES, VENUES, Venue
from .options import ALL, Choice, Number, Option, Part, Place, Switch, Url, WholeNumber, Words
from .wording import shortened, without_secret

LIST_MARKETS = ["ASTERUSDT", "BTCUSDT", "ETHUSDT", "USD1USDT"]

DATA_DIR = Path("ASTER_data")
DEMO_DIR = DATA_DIR / "demo"

KEPT_SUFFIXES = (".csv", ".gz", ".jsonl")
KEPT_NAMES = ("status.json", ".lock", ".banned", ".market")


def _asked(default: object, option: Option) -> Any:
    """Return a setting that is asked for by an option: its default, and the option, which says all else of it."""
    return field(default=default, metadata={"option": option})


@dataclass(frozen=True)
class Settings:
    """Everything that a run can be told; raises `ConfigError` in the words of the command line."""

    symbols: tuple[str, ...] = field(default_factory=lambda: listed(LIST_MARKETS))
    all_symbols: bool = _asked(False, Switch("--all", "every symbol that trades, of futures the perpetual ones"))
    shard: Shard = _asked(
        ALL_OF_THEM,
        Part(
            "--shard", "collect the K-th of N parts of the symbols, by their CRC-32", 1000, Shard, default="all of them"
        ),
    )
    market: str = _asked(FUTURES.name, Choice("--market", "which market of the exchange", tuple(VENUES)))
    streams: tuple[str, ...] = _asked(DEFAULT, Words("--streams", "what is collected of each symbol", tuple(KINDS)))
    order_book_levels: int = _asked(10, Choice("--order-book-levels", "levels a side in the order book files", LEVELS))
    flush_interval_s: float = _asked(
        5.0, Number("--flush-interval", "how often rows are written to disk", 0.1, 3600, "seconds")
    )
    data_dir: Path = _asked(
        DATA_DIR,
        Place(
            "--data-dir",
            "where the files go; made if missing",
            "DIR",
            "a folder's name",
            default=f"{DATA_DIR}, with --demo {DEMO_DIR}, and of spot the folder spot there",
        ),
    )
    depth_interval_ms: int = _asked(
        100, Choice("--depth-interval", "milliseconds between two book snapshots", FUTURES.depth_intervals_ms)
    )
    diff_interval_ms: int = _asked(
        100,
        Choice(
            "--diff-interval",
            "milliseconds between two changes of the full book; 0, as they happen, is not published but was seen",
            FUTURES.diff_intervals_ms,
        ),
    )
    check_interval_s: float = _asked(
        3600.0,
        Number(
            "--check-interval",
            "how often each full book is compared with the exchange's, 0 for never",
            0,
            86_400,
            "seconds",
        ),
    )
    receive_time: bool = _asked(
        False, Switch("--receive-time", "append the column receive_time_ns, our clock, to all files but the ledger")
    )
    quantities: bool = _asked(False, Switch("--quantities", "append update_id, bid_qty and ask_qty to prices"))
    poll_interval_s: float = _asked(
        60.0, Number("--poll-interval", "how often open interest is asked for", 10, 3600, "seconds")
    )
    weight_share: float = _asked(
        100.0,
        Number(
            "--weight-share",
            "which share of the exchange's limits this run may use, where several have one address",
            1,
            100,
            "percent",
        ),
    )
    duration_s: float | None = _asked(
        None, Number("--duration", "stop cleanly after so long", 0.1, 31_536_000, "seconds", default="until stopped")
    )
    ws_url: str = _asked("", Url("--ws-url", "WebSocket endpoint, ws or wss", ("ws", "wss"), default=FUTURES.ws_url))
    rest_url: str = _asked(
        "", Url("--rest-url", "REST endpoint, http or https", ("http", "https"), default=FUTURES.rest_url)
    )
    stall_timeout_s: float = _asked(
        10.0, Number("--stall-timeout", "reconnect after so long without a frame", 1, 600, "seconds")
    )
    history: int = _asked(
        1000, WholeNumber("--history", "how many past trades a fresh file begins with", 0, 100_000, "trades")
    )
    backfill_limit: int = _asked(
        200_000,
        WholeNumber(
            "--backfill-limit",
            "how large a hole in a symbol's trades is fetched; of a larger one the newest part is, and 0 fetches none",
            0,
            10_000_000,
            "trades",
        ),
    )
    hold_trades: int = _asked(
        100_000,
        WholeNumber(
            "--hold-limit",
            "how many trades of a symbol are held, and how long, while REST does not fill the hole before them; "
            "then it is a gap",
            1,
            1_000_000,
            "trades",
        ),
    )
    hold_s: float = _asked(900.0, Number("--hold-limit", "", 1, 604_800, "seconds"))
    connections: int = _asked(
        1, WholeNumber("--connections", "carry every stream on so many connections at all times", 1, 4, "connections")
    )
    max_connection_age_s: float = _asked(
        82_800.0, Number("--max-connection-age", "hand over to a new connection at this age", 2, 86_000, "seconds")
    )
    sync: bool = _asked(
        True,
        Switch(
            "--no-sync",
            "leave it to the system when rows reach the disk itself",
            on=False,
            default="off, they do at each flush",
        ),
    )
    rotate: str = _asked(
        "none",
        Choice(
            "--rotate",
            "close each file at the end of its hour or day, UTC, by its rows' own time",
            ("none", "hour", "day"),
        ),
    )
    compress: bool = _asked(False, Switch("--compress", "compress closed files with gzip in the background"))
    keep_days: int | None = _asked(
        None,
        WholeNumber("--keep-days", "delete closed files that are older", 1, 36_500, "days", default="all are kept"),
    )
    record: bool = _asked(
        False, Switch("--record", "keep every frame and answer as it came, in raw.HOUR.jsonl.gz, a file an hour")
    )
    min_free_mb: int = _asked(
        200, WholeNumber("--min-free-mb", "warn when the disk has less room", 0, 1_000_000_000, "MB")
    )
    max_clock_offset_s: float = _asked(
        1.0,
        Number(
            "--max-clock-offset",
            "warn when the exchange's clock and ours differ by more",
            0.001,
            3600,
            "seconds",
        ),
    )
    metrics_file: Path | None = _asked(
        None,
        Place(
            "--metrics-file",
            "write metrics there, in the Prometheus text format, at each flush",
            "FILE",
            "a file's name",
            default="none",
        ),
    )

    def __post_init__(self) -> None:
        for name, value in (("ws_url", self.venue.ws_url), ("rest_url", self.venue.rest_url)):
            object.__setattr__(self, name, getattr(self, name) or value)
        for name, option in OPTIONS.items():
            value = getattr(self, name)
            if value is not None:
                option.check(value)
        self._check_offered()
        target = self.metrics_file
        if target is not None and (target.suffix in KEPT_SUFFIXES or target.name in KEPT_NAMES):
            raise ConfigError(
                f"--metrics-file: {target} given, a name allowed that no data file has, such as aster.prom"
            )
        object.__setattr__(self, "symbols", tuple(dict.fromkeys(map(checked_symbol, self.symbols))))
        if not self.symbols and not self.all_symbols:
            raise ConfigError("symbols: none given, at least one allowed, such as BTCUSDT")
        if not self.all_symbols:
            self._take_shard()

    def _take_shard(self) -> None:
        """Leave out the symbols of other parts; raise `ConfigError` where none is left."""
        taken = tuple(filter(self.shard.takes, self.symbols))
        if not taken:
            named = shortened(", ".join(self.symbols))
            raise ConfigError(
                f"--shard: {self.shard} given, and none of {named} is in it; name more symbols, or fewer N"
            )
        object.__setattr__(self, "symbols", taken)

    def _check_offered(self) -> None:
        """Raise `ConfigError` for what the market has not; `all` is all that it has."""
        offered = tuple(name for name, kind in KINDS.items() if self.venue.name in kind.markets)
        if self.streams == (ALL,):
            object.__setattr__(self, "streams", offered)
        for name in self.streams:
            if name not in offered:
                allowed = f"{', '.join(offered)} allowed with --market {self.market}"
                raise ConfigError(f"--streams: {name} given, {allowed}")
        for option, interval_ms, offered_ms in (
            ("--depth-interval", self.depth_interval_ms, self.venue.depth_intervals_ms),
            ("--diff-interval", self.diff_interval_ms, self.venue.diff_intervals_ms),
        ):
            if interval_ms not in offered_ms:
                allowed = f"{', '.join(map(str, offered_ms))} allowed with --market {self.market}"
                raise ConfigError(f"{option}: {interval_ms} given, {allowed}")

    @property
    def venue(self) -> Venue:
        """The market that is collected."""
        return VENUES.get(self.market, FUTURES)

    @property
    def share(self) -> float:
        """Which part of the exchange's limits this run may use, 1 at most."""
        return self.weight_share / 100

    def scope(self) -> Scope:
        """Return what is collected of it."""
        kinds = tuple(kind for kind in KINDS.values() if kind.name in self.streams)
        options = Options(
            self.order_book_levels, self.depth_interval_ms, self.quantities, self.receive_time, self.diff_interval_ms
        )
        return Scope(self.venue, kinds, options, self.all_symbols)

    def told(self) -> dict[str, object]:
        """Return the settings by name, as JSON can hold them; without the symbols, which the exchange may change."""
        named = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "symbols"}
        told = {name: str(value) if isinstance(value, Path | Shard) else value for name, value in named.items()}
        return {**told, "ws_url": without_secret(self.ws_url), "rest_url": without_secret(self.rest_url)}


# What may be asked for, by the name of what it sets: the one place that says what is allowed.
OPTIONS: dict[str, Option] = {one.name: one.metadata["option"] for one in fields(Settings) if "option" in one.metadata}


def listed(markets: object) -> tuple[str, ...]:
    """Return the symbols of a LIST_MARKETS, which people edit; raise `ConfigError` for one that can't be collected."""
    if not isinstance(markets, list | tuple) or not all(isinstance(one, str) for one in markets):
        allowed = "a list of symbols allowed, such as ['BTCUSDT', 'ETHUSDT']"
        raise ConfigError(f"LIST_MARKETS: {shortened(repr(markets))} given, {allowed}")
    if not markets:
        raise ConfigError("LIST_MARKETS: no symbol in it, at least one allowed, such as 'BTCUSDT'; or name symbols")
    return tuple(checked_symbol(one, "LIST_MARKETS") for one in markets)
