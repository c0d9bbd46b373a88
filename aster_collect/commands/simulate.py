"""`simulate`: the simulated exchange, until Ctrl-C or SIGTERM."""

import argparse
import contextlib
import logging
import queue
import shlex
from collections.abc import Sequence
from textwrap import fill

from ..errors import ConfigError
from ..options import Choice, Number, Option, Place, Whole
from ..simulator.exchange import Simulator
from ..simulator.faults import FAULTS, parse
from ..simulator.instruments import DEFAULT_SYMBOLS
from ..simulator.market import DEFAULT_RATE
from .command import Command
from .console import say
from .grammar import Grammar
from .signals import signals
from .statuses import DONE

NAME = "simulate"
SENTENCE = "Run an exchange on 127.0.0.1 that speaks the futures protocol: one deterministic market for a seed."
OPTIONS: dict[str, Option] = {
    "port": Whole("--port", "TCP port, 0 for a free one", 0, 65_535, "", "PORT"),
    "rate": Number("--rate", "over all symbols and kinds", 0.001, 1_000_000, "frames a second", "FRAMES"),
    "seed": Whole("--seed", "another seed, another market", 0, 2**32 - 1, "", "SEED"),
    "faults": Place("--faults", "a JSON list of faults, see below", "FILE", "a file's name", default="none"),
    "certificate": Place("--tls", "serve wss and https with these PEM files", "CERT", "a file's name", default="off"),
    "key": Place("--tls", "", "KEY", "a file's name"),
    "log_level": Choice("--log-level", "the least urgent of what is logged", ("DEBUG", "INFO", "WARNING", "ERROR")),
}
DEFAULTS = {
    "port": 0,
    "rate": DEFAULT_RATE,
    "seed": 1,
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
    tls = (str(said.certificate), str(said.key)) if said.certificate else None
    logging.basicConfig(level=said.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        exchange = Simulator(said.symbols, said.rate, said.seed, said.port, faults, tls=tls)
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
            _say_where(exchange, said.symbols)
            while True:
                with contextlib.suppress(queue.Empty):  # a wait without an end could not be interrupted everywhere
                    came.get(timeout=1.0)
                    return DONE
    finally:
        exchange.stop()


def _say_where(exchange: Simulator, names: Sequence[str]) -> None:
    symbols = " ".join(shlex.quote(symbol) for symbol in dict.fromkeys(names))
    urls = f"--ws-url {exchange.ws_url} --rest-url {exchange.rest_url}"
    say(
        f"WebSocket  {exchange.ws_url}\n"
        f"REST       {exchange.rest_url}\n"
        f"Collect:   python -m aster_collect {symbols} {urls}\n"
    )
