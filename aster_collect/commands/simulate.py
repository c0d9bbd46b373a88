"""The command: run the simulated exchange until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import logging
import queue
import shlex
import signal
from collections.abc import Sequence
from pathlib import Path

from ..simulator.exchange import Simulator
from ..simulator.faults import FAULTS, parse
from ..simulator.instruments import DEFAULT_SYMBOLS
from ..simulator.market import DEFAULT_RATE

PROGRAM = "python -m aster_collect.simulator"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    faults = "\n".join(
        f"  {name:<14} {shape.meaning}" + (f" [{', '.join(shape.fields)}]" if shape.fields else "")
        for name, shape in FAULTS.items()
    )
    parser = _Parser(
        prog=PROGRAM,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="An exchange on 127.0.0.1 that speaks the futures protocol: one deterministic market for a seed.",
        epilog=(
            'A fault file is a JSON list: [{"at": 5, "fault": "drop"}, {"at": 10, "every": 60, "fault": "stall",\n'
            '"seconds": 15, "connection": "newest"}]. "at" and "every" are seconds after the start. Faults and their\n'
            f"fields:\n{faults}\n\nexit status: 0 stopped as asked, 1 failed while running, 2 an impossible request"
        ),
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="TCP port, 0 for a free one (default: 0)")
    parser.add_argument(
        "--symbols", nargs="+", default=DEFAULT_SYMBOLS, metavar="S", help=f"default: {' '.join(DEFAULT_SYMBOLS)}"
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=DEFAULT_RATE,
        metavar="FRAMES_PER_SECOND",
        help=f"over all symbols and all kinds together (default: {DEFAULT_RATE:g})",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed, another market (default: 1)")
    parser.add_argument("--faults", metavar="FILE", help="a JSON list of faults, see below")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="serve wss and https with these PEM files")
    parser.add_argument(
        "--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"), help="default: INFO"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run until a signal comes; the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if not 0 <= options.port <= 65_535:
        parser.error(f"--port must be from 0 to 65535, not {options.port}")
    try:
        faults = parse(Path(options.faults).read_text("utf-8")) if options.faults else ()
    except (OSError, ValueError) as error:
        parser.error(f"--faults {options.faults}: {error}")
    logging.basicConfig(level=options.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        simulator = Simulator(
            options.symbols,
            options.rate,
            options.seed,
            options.port,
            faults,
            tls=tuple(options.tls) if options.tls else None,
        )
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"--tls {' '.join(options.tls)}: {error}")
    wanted: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: wanted.put(number))
    try:
        simulator.start()
    except OSError as error:
        parser.error(f"--port {options.port}: {error}")
    symbols = " ".join(shlex.quote(symbol) for symbol in dict.fromkeys(options.symbols))
    print(f"WebSocket  {simulator.ws_url}")
    print(f"REST       {simulator.rest_url}")
    print(
        f"Collect:   python -m aster_collect {symbols} --ws-url {simulator.ws_url} --rest-url {simulator.rest_url}",
        flush=True,
    )
    while True:
        try:
            wanted.get(timeout=1.0)
            break
        except queue.Empty:
            continue
    simulator.stop()
    return 0
