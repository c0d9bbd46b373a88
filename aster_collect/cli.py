"""The command line: words to settings, a run to an exit status."""

import argparse
import contextlib
import logging
import queue
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from . import __version__
from .app import App, Control, Signalled
from .errors import ConfigError, LockedError
from .settings import DATA_DIR, DEMO_DIR, DEPTH_INTERVALS_MS, LIST_MARKETS, ORDER_BOOK_LEVELS, RANGES, Settings

IMPOSSIBLE, LOCKED = 2, 3
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

EPILOG = """\
examples:
  aster-collect                                        the markets of LIST_MARKETS in settings.py
  aster-collect BTCUSDT ETHUSDT --order-book-levels 5
  aster-collect --demo --duration 60                   the built-in exchange, no network
  aster-collect BTCUSDT --duration 3600                one hour, then stop cleanly

exit status:
  0  stopped as asked: by a signal, or by --duration
  1  failed while running
  2  an impossible request
  3  another collector owns the data folder
"""


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong on one line of standard error, and exit with status 2."""
        self.exit(IMPOSSIBLE, f"{self.prog}: {message.removeprefix('argument ')}\n")


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar; its defaults are those of `Settings`."""
    default = Settings()
    made = Parser(
        prog="aster-collect",
        description="Collect trades, best bid and ask, and order book depth from the ASTER futures exchange into CSV files.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("symbols", nargs="*", metavar="SYMBOL", help=f"markets, in any case (default: {' '.join(LIST_MARKETS)})")
    number = _numbers(made)
    add(
        "--order-book-levels",
        type=_whole("--order-book-levels"),
        default=default.order_book_levels,
        metavar="{5,10,20}",
        help="levels a side in the order book files (default: %(default)s)",
    )
    number("flush_interval_s", default.flush_interval_s, "how often rows are written to disk")
    add("--data-dir", type=Path, metavar="DIR", help=f"where the files go; made if missing (default: {DATA_DIR})")
    add(
        "--depth-interval",
        dest="depth_interval_ms",
        type=_whole("--depth-interval"),
        default=default.depth_interval_ms,
        metavar="{100,250,500}",
        help="milliseconds between two book snapshots (default: %(default)s)",
    )
    add("--receive-time", action="store_true", help="append the column receive_time_ns, our clock, to the three files")
    number("duration_s", None, "stop cleanly after so long (default: until stopped)")
    add("--ws-url", default=default.ws_url, metavar="URL", help="WebSocket endpoint (default: %(default)s)")
    add("--rest-url", default=default.rest_url, metavar="URL", help="REST endpoint (default: %(default)s)")
    number("stall_timeout_s", default.stall_timeout_s, "reconnect after so long without a frame")
    number("history", default.history, "how many past trades a fresh file begins with")
    number(
        "backfill_limit",
        default.backfill_limit,
        "how large a hole in a symbol's trades is fetched; of a larger one the newest part is, and 0 fetches none",
    )
    add(
        "--hold-limit",
        nargs=2,
        metavar=("TRADES", "SECONDS"),
        default=(str(default.hold_trades), f"{default.hold_s:g}"),
        help="how many trades of a symbol are held, and how long, while REST does not fill the hole before them; "
        f"then it is a gap (default: {default.hold_trades} {default.hold_s:g})",
    )
    number("connections", default.connections, "carry every stream on so many connections at all times")
    number("max_connection_age_s", default.max_connection_age_s, "hand over to a new connection at this age")
    add("--no-sync", dest="sync", action="store_false", help="leave it to the system when rows reach the disk itself")
    add("--demo", action="store_true", help=f"collect from the built-in exchange on loopback, into {DEMO_DIR}")
    add(
        "--log-level",
        type=str.upper,
        choices=LOG_LEVELS,
        default="INFO",
        metavar="LEVEL",
        help="DEBUG, INFO, WARNING or ERROR (default: %(default)s)",
    )
    add("--version", action="version", version=f"aster-collect {__version__}")
    return made


def _numbers(made: argparse.ArgumentParser) -> Callable[[str, float | None, str], None]:
    """Return a way to add an option whose range stands in `RANGES`; an `int` default makes it whole numbers."""

    def add(name: str, default: float | None, text: str) -> None:
        allowed = RANGES[name]
        shown = "" if default is None else f" (default: {default:.15g})"
        made.add_argument(
            allowed.option,
            dest=name,
            type=(_whole if isinstance(default, int) else _real)(allowed.option),
            default=default,
            metavar=allowed.unit.upper(),
            help=f"{text}; {allowed.allowed()}{shown}",
        )

    return add


def _real(option: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} given, {_allowed(option)} allowed") from None

    return parse


def _whole(option: str) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} given, {_allowed(option)} allowed") from None

    return parse


def _allowed(option: str) -> str:
    choices = {"--order-book-levels": ORDER_BOOK_LEVELS, "--depth-interval": DEPTH_INTERVALS_MS}
    if option in choices:
        return ", ".join(map(str, choices[option]))
    return next(allowed.allowed() for allowed in RANGES.values() if allowed.option == option)


def settings_of(words: argparse.Namespace) -> Settings:
    """Return the settings that the command line asks for; raises `ConfigError`."""
    trades, seconds = words.hold_limit
    try:
        hold_trades, hold_s = int(trades), float(seconds)
    except ValueError:
        raise ConfigError(f"--hold-limit: '{trades} {seconds}' given, a whole number and a number allowed") from None
    return Settings(
        symbols=tuple(words.symbols) if words.symbols else tuple(LIST_MARKETS),
        order_book_levels=words.order_book_levels,
        flush_interval_s=words.flush_interval_s,
        data_dir=words.data_dir or (DEMO_DIR if words.demo else DATA_DIR),
        depth_interval_ms=words.depth_interval_ms,
        receive_time=words.receive_time,
        duration_s=words.duration_s,
        ws_url=words.ws_url,
        rest_url=words.rest_url,
        stall_timeout_s=words.stall_timeout_s,
        history=words.history,
        backfill_limit=words.backfill_limit,
        hold_trades=hold_trades,
        hold_s=hold_s,
        connections=words.connections,
        max_connection_age_s=words.max_connection_age_s,
        sync=words.sync,
    )


def main(argv: list[str] | None = None) -> int:
    """Run the program with these arguments (default: the command line's); return the exit status."""
    command = parser()
    words = command.parse_args(argv)
    _start_log(words.log_level)
    control: Control = queue.SimpleQueue()
    try:
        settings = settings_of(words)
        with _signals(control), _demo(settings) if words.demo else contextlib.nullcontext(settings) as settings:
            return App(settings, control).run()
    except ConfigError as error:
        sys.stderr.write(f"{command.prog}: {error}\n")
        return IMPOSSIBLE
    except LockedError as error:
        sys.stderr.write(f"{command.prog}: {error}\n")
        return LOCKED


@contextlib.contextmanager
def _signals(control: Control) -> Iterator[None]:
    """Turn SIGINT and SIGTERM into messages; as PID 1 a process has no default for them."""
    # A handler may run inside any call of the main thread, its wait on this queue too: SimpleQueue.put is the one
    # thing that is safe there.
    before = [
        (number, signal.signal(number, lambda n, _: control.put(Signalled(n))))
        for number in (signal.SIGINT, signal.SIGTERM)
    ]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextlib.contextmanager
def _demo(settings: Settings) -> Iterator[Settings]:
    """Run the built-in exchange on loopback, and point the settings at it."""
    from .simulator import Simulator  # only the demo needs it

    with Simulator(symbols=settings.symbols) as exchange:
        yield replace(settings, ws_url=exchange.ws_url, rest_url=exchange.rest_url)


def _start_log(level: str) -> None:
    handler = logging.StreamHandler()
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
