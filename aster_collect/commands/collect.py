"""`collect`, which needs no name: words to settings, a run to an exit status."""

import argparse
import contextlib
import logging
import os
import queue
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from ..errors import ConfigError, LockedError, StoreError
from ..exchange.venues import SPOT
from ..options import Choice, Option, Switch
from ..settings import DATA_DIR, DEMO_DIR, LIST_MARKETS, OPTIONS, Settings, listed
from ..watch.journal import Journal
from ..watch.terminal import StatusHandler
from ..wording import shortened
from .circles import look_rarely
from .command import COLLECT, Command
from .grammar import Grammar
from .signals import signals
from .statuses import ENDINGS, FAILED, LOCKED

if TYPE_CHECKING:
    from ..run.threads import Control

SENTENCE = "Collect market data of the ASTER exchange into CSV files that can be proven whole."

# What is no setting of a run: where the exchange is, and how much is said.
BESIDE: Mapping[str, Option] = {
    "demo": Switch("--demo", "collect from the built-in exchange on loopback"),
    "log_level": Choice("--log-level", "the least urgent of what is logged", ("DEBUG", "INFO", "WARNING", "ERROR")),
    "quiet": Switch("--quiet", "warnings and errors only, and no status line"),
}
DEFAULTS = {"demo": False, "log_level": "INFO", "quiet": False}

EXAMPLES = """\
examples:
  aster-collect                                    the markets of LIST_MARKETS
  aster-collect BTCUSDT ETHUSDT --order-book-levels 5
  aster-collect --demo --duration 60               the built-in exchange
  aster-collect BTCUSDT --duration 3600            one hour, then stop cleanly
"""


def command(markets: object = LIST_MARKETS) -> Command:
    """Return the command; without symbols it collects these markets, a list that may be anything: people edit it."""
    return Command(COLLECT, SENTENCE, lambda: grammar(markets), lambda words: run(words, markets))


def grammar(markets: object = LIST_MARKETS) -> Grammar:
    """Return the command line's grammar; its options and their defaults are those of `Settings`."""
    made = Grammar(COLLECT, "[SYMBOL ...] [OPTION ...]", SENTENCE, EXAMPLES)
    told = " ".join(map(str, markets)) if isinstance(markets, list | tuple) else str(markets)
    told = f"markets, in any case (default: {told})".replace("%", "%%")
    made.add_argument("symbols", nargs="*", metavar="SYMBOL", default=[], help=told)
    made.take({**OPTIONS, **BESIDE}, {**{one.name: one.default for one in fields(Settings)}, **DEFAULTS})
    return made


def settings_of(said: argparse.Namespace, markets: object = LIST_MARKETS) -> Settings:
    """Return the settings that the words ask for; raises `ConfigError`."""
    asked = {**DEFAULTS, **vars(said)}
    given = {name: value for name, value in asked.items() if name in OPTIONS}
    if asked["demo"] and given.keys() & {"ws_url", "rest_url"}:
        raise ConfigError(
            "--demo: given with --ws-url or --rest-url, only one of them allowed: it has its own exchange"
        )
    if given.get("all_symbols") and said.symbols:
        raise ConfigError(f"--all: given with {shortened(said.symbols[0])}, only --all or symbols allowed")
    if given.get("rotate", "none") == "none":
        if "compress" in given:
            raise ConfigError("--compress: given without --rotate, only closed files are compressed; add --rotate day")
        if "keep_days" in given and not given.get("record"):
            raise ConfigError("--keep-days: given without --rotate, only closed files are deleted; add --rotate day")
    folder = DEMO_DIR if asked["demo"] else DATA_DIR
    given.setdefault("data_dir", folder / SPOT.name if given.get("market") == SPOT.name else folder)
    symbols = said.symbols if said.symbols or given.get("all_symbols") else listed(markets)
    return Settings(symbols=tuple(symbols), **given)


def run(said: argparse.Namespace, markets: object = LIST_MARKETS) -> int:
    """Collect until the run is over; return the exit status, or raise what keeps it from being one of a run."""
    asked = {**DEFAULTS, **vars(said)}
    settings = settings_of(said, markets)
    journal = _start_log("WARNING" if asked["quiet"] else asked["log_level"])
    status = FAILED
    try:
        status = _supervised(settings, asked["demo"], None if asked["quiet"] else journal)
    except LockedError:
        status = LOCKED
        if not asked["quiet"]:  # to cron, which tries each minute, it is no news
            raise
    except (ConfigError, StoreError) as error:
        status = ENDINGS[type(error)]
        raise
    finally:
        if not journal.end():  # of a terminal that takes nothing the interpreter would wait for ever
            os._exit(status)
    return status


def _supervised(settings: Settings, demo: bool, journal: Journal | None) -> int:
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
    look_rarely()
    with signals(lambda number: control.put(Signalled(number))), exchange as settings:
        return Supervisor(settings, control, journal).run()


@contextlib.contextmanager
def _demo(settings: Settings) -> Iterator[Settings]:
    """Run the built-in exchange on loopback, and point the settings at it."""
    from ..simulator import DEMO_SYMBOL_RATE, DEMO_SYMBOLS, Simulator  # only the demo needs it
    from ..simulator.venues import VENUES

    logging.getLogger("aster_collect.simulator").setLevel(logging.WARNING)  # its connections are ours seen from behind
    rate = len(DEMO_SYMBOLS) * DEMO_SYMBOL_RATE
    with Simulator(DEMO_SYMBOLS, rate, venue=VENUES[settings.market]) as exchange:
        yield replace(settings, ws_url=exchange.ws_url, rest_url=exchange.rest_url)


def _start_log(level: str) -> Journal:
    journal = Journal(StatusHandler())
    logging.basicConfig(level=level, handlers=[journal], force=True)
    return journal
