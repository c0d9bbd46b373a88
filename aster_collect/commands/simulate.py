"""`simulate`: the simulated exchange, until Ctrl-C or SIGTERM."""

import argparse
import contextlib
import logging
import queue
import shlex
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from ..errors import ConfigError
from ..options import Choice, Number, Option, Place, Switch, WholeNumber
from ..simulator.exchange import Simulator
from ..simulator.faults import FAULTS, parse
from ..simulator.instruments import DEFAULT_SYMBOLS
from ..simulator.market import DEFAULT_RATE
from ..simulator.recording import Recording, read
from ..simulator.venues import FUTURES, PARTIAL_DEPTHS, QUOTES, SPOT, VENUES, Venue
from .command import Command
from .console import say
from .grammar import Grammar
from .signals import signals
from .statuses import DONE

NAME = "simulate"
SENTENCE = "Run an exchange on 127.0.0.1 that speaks the protocol: a deterministic market, or a recording."
OPTIONS: dict[str, Option] = {
    "port": WholeNumber("--port", "TCP port, 0 for a free one", 0, 65_535, "", "PORT"),
    "rate": Number("--rate", "over all symbols and kinds", 0.001, 1_000_000, "frames a second", "FRAMES"),
    "seed": WholeNumber("--seed", "another seed, another market", 0, 2**32 - 1, "", "SEED"),
    "market": Choice("--market", "which of the exchange's markets", tuple(VENUES)),
    "spot_quotes": Choice("--spot-quotes", "a bookTicker of spot as published, or with the times seen", QUOTES),
    "spot_depth": Choice("--spot-depth", "the form of depth<N> of spot, or that there is none", PARTIAL_DEPTHS),
    "frames": Place(
        "--frames",
        "play a recording instead of a market, over and over; of a folder its raw record",
        "FILE",
        "a file's or a folder's name",
        default="off",
    ),
    "once": Switch("--once", "play the recording once, then fall silent"),
    "speed": Number("--speed", "how fast the recording is played", 0.1, 100, "times", "TIMES"),
    "faults": Place("--faults", "a JSON list of faults, see below", "FILE", "a file's name", default="none"),
    "certificate": Place("--tls", "serve wss and https with these PEM files", "CERT", "a file's name", default="off"),
    "key": Place("--tls", "", "KEY", "a file's name"),
    "log_level": Choice("--log-level", "the least urgent of what is logged", ("DEBUG", "INFO", "WARNING", "ERROR")),
}
DEFAULTS = {
    "port": 0,
    "rate": DEFAULT_RATE,
    "seed": 1,
    "market": FUTURES.name,
    "spot_quotes": SPOT.quotes,
    "spot_depth": SPOT.partial_depth,
    "frames": None,
    "once": False,
    "speed": 1.0,
    "faults": None,
    "certificate": None,
    "key": "",
    "log_level": "INFO",
}

MORE = """\
A fault file is a JSON list, such as
  [{{"at": 5, "fault": "drop"}},
   {{"at": 10, "every": 60, "fault": "stall", "seconds": 15,
    "connection": "newest"}}]
"at" and "every" are seconds after the start. Faults and their fields:
{faults}
"""


def command() -> Command:
    """Return the command."""
    return Command(NAME, SENTENCE, grammar, run)


def grammar() -> Grammar:
    """Return the grammar of its words."""
    lines = [
        fill(
            shape.meaning + (f" [{', '.join(shape.fields)}]" if shape.fields else ""),
            78,
            initial_indent=f"  {name:<14} ",
            subsequent_indent=" " * 17,
        )
        for name, shape in FAULTS.items()
    ]
    made = Grammar(NAME, "[OPTION ...]", SENTENCE, MORE.format(faults="\n".join(lines)))
    told = f"what is listed (default: {' '.join(DEFAULT_SYMBOLS)})"
    made.add_argument("--symbols", nargs="+", metavar="SYMBOL", default=DEFAULT_SYMBOLS, help=told)
    made.take(OPTIONS, DEFAULTS)
    made.set_defaults(**DEFAULTS)
    return made


def run(said: argparse.Namespace) -> int:
    """Run until a signal comes, and return the exit status; raises `ConfigError`."""
    try:
        faults = parse(said.faults.read_text("utf-8")) if said.faults else ()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"--faults: {said.faults} given, a file of faults allowed: {why}") from error
    frames = _recording(said.frames)
    tls = (str(said.certificate), str(said.key)) if said.certificate else None
    logging.basicConfig(level=said.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        exchange = Simulator(
            said.symbols,
            said.rate,
            said.seed,
            said.port,
            faults,
            tls=tls,
            venue=_venue(said),
            frames=frames,
            once=said.once,
            speed=said.speed,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        why = error.strerror or error
        raise ConfigError(f"--tls: {said.certificate} {said.key} given, two PEM files allowed: {why}") from error
    try:
        exchange.start()
    except OSError as error:
        why = error.strerror or error
        raise ConfigError(f"--port: {said.port} given, a free one allowed, such as 0 finds: {why}") from error
    came: queue.SimpleQueue[int] = queue.SimpleQueue()
    try:
        with signals(came.put):
            _say_where(exchange, said.symbols if frames is None else exchange.symbols, said.market)
            while True:
                with contextlib.suppress(queue.Empty):  # a wait without an end could not be interrupted everywhere
                    came.get(timeout=1.0)
                    return DONE
    finally:
        exchange.stop()


def _recording(path: Path | None) -> Recording | None:
    if path is None:
        return None
    try:
        return read(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"--frames: {path} given, a file of lines `<Unix ns> <frame>` allowed: {why}") from error


def _venue(said: argparse.Namespace) -> Venue:
    venue = VENUES[said.market]
    return venue._replace(quotes=said.spot_quotes, partial_depth=said.spot_depth) if venue is SPOT else venue


def _say_where(exchange: Simulator, names: Sequence[str], market: str) -> None:
    symbols = " ".join(shlex.quote(symbol) for symbol in dict.fromkeys(names))
    urls = f"--ws-url {exchange.ws_url} --rest-url {exchange.rest_url}"
    which = "" if market == FUTURES.name else f" --market {market}"
    say(
        f"WebSocket  {exchange.ws_url}\n"
        f"REST       {exchange.rest_url}\n"
        f"Collect:   python -m aster_collect {symbols}{which} {urls}\n"
    )
