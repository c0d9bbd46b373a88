"""The command line: words to settings, a run to an exit status."""

import argparse
import contextlib
import logging
import os
import queue
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from .. import __version__
from ..errors import ConfigError, LockedError, StoreError
from ..settings import (
    DATA_DIR,
    DEMO_DIR,
    DEPTH_INTERVALS_MS,
    LIST_MARKETS,
    ORDER_BOOK_LEVELS,
    RANGES,
    REST_URL,
    ROTATIONS,
    WS_URL,
    Settings,
    shortened,
)
from ..watch.journal import Journal, printable
from ..watch.terminal import StatusHandler

if TYPE_CHECKING:
    from ..run.threads import Control

FAILED, IMPOSSIBLE, LOCKED = 1, 2, 3
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
  3  another collector owns the data folder; --quiet says nothing of it
  4  --duration is over, and some symbol, or all of them, never delivered a frame
"""


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong on one line of standard error, and exit with status 2."""
        self.exit(IMPOSSIBLE, f"{self.prog}: {printable(message.removeprefix('argument '))}\n")


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar; its defaults are those of `Settings`."""
    default = Settings  # the class: a bad LIST_MARKETS must not keep --help from showing
    made = Parser(
        prog="aster-collect",
        description="Collect trades, best bid and ask, and order book depth from the ASTER exchange into CSV files.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("symbols", nargs="*", metavar="SYMBOL", help=f"markets, in any case (default: {' '.join(LIST_MARKETS)})")
    add("--all", dest="all_symbols", action="store_true", help="every perpetual symbol that trades (default: off)")
    number = _numbers(made)
    add(
        "--order-book-levels",
        type=_whole("--order-book-levels"),
        default=default.order_book_levels,
        metavar="{5,10,20}",
        help="levels a side in the order book files (default: %(default)s)",
    )
    number("flush_interval_s", default.flush_interval_s, "how often rows are written to disk")
    add(
        "--data-dir",
        type=_folder,
        metavar="DIR",
        help=f"where the files go; made if missing (default: {DATA_DIR}, with --demo {DEMO_DIR})",
    )
    add(
        "--depth-interval",
        dest="depth_interval_ms",
        type=_whole("--depth-interval"),
        default=default.depth_interval_ms,
        metavar="{100,250,500}",
        help="milliseconds between two book snapshots (default: %(default)s)",
    )
    add(
        "--receive-time",
        action="store_true",
        help="append the column receive_time_ns, our clock, to prices, orderbook and trades (default: off)",
    )
    number("duration_s", None, "stop cleanly after so long")
    add("--ws-url", metavar="URL", help=f"WebSocket endpoint, ws or wss (default: {WS_URL})")
    add("--rest-url", metavar="URL", help=f"REST endpoint, http or https (default: {REST_URL})")
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
        f"then it is a gap; {_allowed('--hold-limit')} (default: {default.hold_trades} {default.hold_s:g})",
    )
    number("connections", default.connections, "carry every stream on so many connections at all times")
    number("max_connection_age_s", default.max_connection_age_s, "hand over to a new connection at this age")
    add(
        "--no-sync",
        dest="sync",
        action="store_false",
        help="leave it to the system when rows reach the disk itself (default: off, they do at each flush)",
    )
    add(
        "--rotate",
        type=_rotation,
        default=default.rotate,
        metavar="{none,hour,day}",
        help="close each file at the end of its hour or day, UTC, by its rows' own time (default: %(default)s)",
    )
    add("--compress", action="store_true", help="compress closed files with gzip in the background (default: off)")
    number("keep_days", None, "delete closed files that are older", unset="all are kept")
    number("min_free_mb", default.min_free_mb, "warn when the disk has less room")
    number("max_clock_offset_s", default.max_clock_offset_s, "warn when the exchange's clock and ours differ by more")
    add(
        "--metrics-file",
        type=_file,
        metavar="FILE",
        help="write metrics there, in the Prometheus text format, at each flush (default: none)",
    )
    add("--demo", action="store_true", help="collect from the built-in exchange on loopback (default: off)")
    add(
        "--log-level",
        type=_level,
        default="INFO",
        metavar="LEVEL",
        help=f"{', '.join(LOG_LEVELS)} (default: %(default)s)",
    )
    add("--quiet", action="store_true", help="warnings and errors only, and no status line (default: off)")
    add("--version", action="version", version=f"aster-collect {__version__}")
    return made


def _numbers(made: argparse.ArgumentParser) -> Callable[..., None]:
    """Return a way to add an option whose range stands in `RANGES`; seconds may have a fraction, all else is whole."""

    def add(name: str, default: float | None, text: str, unset: str = "until stopped") -> None:
        allowed = RANGES[name]
        shown = unset if default is None else f"{default:.15g}"
        made.add_argument(
            allowed.option,
            dest=name,
            type=(_real if allowed.unit == "seconds" else _whole)(allowed.option),
            default=default,
            metavar=allowed.unit.upper(),
            help=f"{text}; {allowed.allowed()} (default: {shown})",
        )

    return add


def _real(option: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{shortened(text)!r} given, {_allowed(option)} allowed") from None

    return parse


def _whole(option: str) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{shortened(text)!r} given, {_allowed(option)} allowed") from None

    return parse


def _allowed(option: str) -> str:
    choices = {"--order-book-levels": ORDER_BOOK_LEVELS, "--depth-interval": DEPTH_INTERVALS_MS}
    if option in choices:
        return ", ".join(map(str, choices[option]))
    return " and ".join(allowed.allowed() for allowed in RANGES.values() if allowed.option == option)


def _rotation(text: str) -> str:
    if text not in ROTATIONS:
        raise argparse.ArgumentTypeError(f"{shortened(text)!r} given, {', '.join(ROTATIONS)} allowed")
    return text


def _file(text: str) -> Path:
    if not text or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{shortened(text)!r} given, a file's name allowed")
    return Path(text)


def _folder(text: str) -> Path:
    if not text or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{shortened(text)!r} given, a folder's name allowed")
    return Path(text)


def _level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise argparse.ArgumentTypeError(f"{shortened(text)!r} given, {', '.join(LOG_LEVELS)} allowed")
    return text.upper()


def settings_of(words: argparse.Namespace) -> Settings:
    """Return the settings that the command line asks for; raises `ConfigError`."""
    trades, seconds = words.hold_limit
    try:
        hold_trades, hold_s = int(trades), float(seconds)
    except ValueError:
        given = shortened(f"{trades} {seconds}")
        raise ConfigError(f"--hold-limit: {given!r} given, {_allowed('--hold-limit')} allowed") from None
    if words.demo and (words.ws_url or words.rest_url):
        raise ConfigError(
            "--demo: given with --ws-url or --rest-url, only one of them allowed: it has its own exchange"
        )
    if words.all_symbols and words.symbols:
        raise ConfigError(f"--all: given with {shortened(words.symbols[0])}, only --all or symbols allowed")
    if words.compress and words.rotate == "none":
        raise ConfigError("--compress: given without --rotate, only closed files are compressed; add --rotate day")
    if words.keep_days is not None and words.rotate == "none":
        raise ConfigError("--keep-days: given without --rotate, only closed files are deleted; add --rotate day")
    plain = {one.name: getattr(words, one.name) for one in fields(Settings) if hasattr(words, one.name)}
    special = {
        "symbols": tuple(words.symbols) if words.symbols else tuple(LIST_MARKETS),
        "data_dir": words.data_dir or (DEMO_DIR if words.demo else DATA_DIR),
        "ws_url": WS_URL if words.ws_url is None else words.ws_url,
        "rest_url": REST_URL if words.rest_url is None else words.rest_url,
        "hold_trades": hold_trades,
        "hold_s": hold_s,
    }
    return Settings(**{**plain, **special})


def main(argv: list[str] | None = None) -> int:
    """Run the program with these arguments (default: the command line's); return the exit status."""
    command = parser()
    words = command.parse_intermixed_args(argv)  # symbols may stand on both sides of an option
    journal = _start_log("WARNING" if words.quiet else words.log_level)
    status, why = FAILED, ""
    try:
        status = _run(settings_of(words), words.demo, None if words.quiet else journal)
    except ConfigError as error:
        status, why = IMPOSSIBLE, str(error)
    except LockedError as error:
        status, why = LOCKED, "" if words.quiet else str(error)  # to cron, which tries each minute, it is no news
    except StoreError as error:
        status, why = FAILED, str(error)
    finally:
        if not journal.end():  # of a terminal that takes nothing the interpreter would wait for ever
            os._exit(status)
    if why:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # nobody may be there to read it
            sys.stderr.write(f"{command.prog}: {printable(why)}\n")
            sys.stderr.flush()
    return status


def _run(settings: Settings, demo: bool, journal: Journal | None) -> int:
    try:
        # Here, so that what is missing is one line, and --help does without.
        from ..run.supervisor import Supervisor
        from ..run.threads import Signalled
    except ModuleNotFoundError as error:
        if error.name != "websocket":
            raise
        mend = f"{shlex.quote(sys.executable)} -m pip install websocket-client"
        raise ConfigError(f"the package websocket-client is not installed; this installs it: {mend}") from error
    control: Control = queue.SimpleQueue()
    exchange = _demo(settings) if demo else contextlib.nullcontext(settings)
    with _signals(lambda number: control.put(Signalled(number))), exchange as settings:
        return Supervisor(settings, control, journal).run()


@contextlib.contextmanager
def _signals(tell: Callable[[int], None]) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into messages; as PID 1 a process has no default for them."""
    # A handler may run inside any call of the main thread, its wait on the queue too: SimpleQueue.put is the one
    # thing that is safe there.
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = [(number, signal.signal(number, lambda number, _: tell(number))) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextlib.contextmanager
def _demo(settings: Settings) -> Iterator[Settings]:
    """Run the built-in exchange on loopback, and point the settings at it."""
    from ..simulator import DEMO_SYMBOL_RATE, DEMO_SYMBOLS, Simulator  # only the demo needs it

    logging.getLogger("aster_collect.simulator").setLevel(logging.WARNING)  # its connections are ours seen from behind
    with Simulator(DEMO_SYMBOLS, len(DEMO_SYMBOLS) * DEMO_SYMBOL_RATE) as exchange:
        yield replace(settings, ws_url=exchange.ws_url, rest_url=exchange.rest_url)


def _start_log(level: str) -> Journal:
    journal = Journal(StatusHandler())
    logging.basicConfig(level=level, handlers=[journal], force=True)
    return journal
