"""`repair`: fetch what the ledger says is missing, and can still be had."""

import argparse

from ..options import Names, Option, Place
from ..repair.folder import Asked, repair
from ..settings import DATA_DIR
from ..settings import OPTIONS as OF_A_RUN
from .command import Command, program
from .console import complain, say
from .endings import told
from .grammar import Grammar
from .progress import Progress
from .statuses import DONE, FAILED

NAME = "repair"
SENTENCE = "Fetch the trades that the ledger says are missing, where the exchange still has them."
OPTIONS: dict[str, Option] = {
    "symbols": Names("--symbols", "only these", "SYMBOL", "symbols with commas between them", default="all"),
    "rest_url": OF_A_RUN["rest_url"],
    "weight_share": OF_A_RUN["weight_share"],
}
DEFAULTS = {"symbols": (), "rest_url": "", "weight_share": 100.0}

MORE = f"""\
Trades alone can be had later, and only as long as the exchange keeps them.
What comes is put into the files that it belongs to, closed and compressed ones
too, and its ids leave the ledger. 1000 trades cost a weight of 20 of 2400 a
minute. No collector may be running in the folder. It can be interrupted at any
moment, and run again.

examples:
  {program(NAME)}
  {program(NAME)} /srv/aster --symbols BTCUSDT,ETHUSDT
"""


def command() -> Command:
    """Return the command."""
    return Command(NAME, SENTENCE, grammar, run)


def grammar() -> Grammar:
    """Return the grammar of its words."""
    made = Grammar(NAME, "[DIR] [OPTION ...]", SENTENCE, MORE)
    made.operand("folder", Place("DIR", "the data folder", "", "a folder's name"), DATA_DIR)
    made.take(OPTIONS, DEFAULTS)
    made.set_defaults(**DEFAULTS)
    return made


def run(said: argparse.Namespace) -> int:
    """Repair a folder, and say what came of each symbol; return the exit status, or raise what keeps it from one."""
    asked = Asked(said.folder, said.symbols, said.rest_url, said.weight_share / 100)
    status, any_missing = DONE, False
    with told():
        for mended in repair(asked, lambda missing: Progress(missing, unit="trades")):
            any_missing = True
            left = mended.missing - mended.found
            say(f"{mended.symbol} missing={mended.missing} found={mended.found} left={left}\n")
            if mended.why:
                complain(program(NAME), mended.why)
                status = FAILED
    if not any_missing:
        say(f"nothing missing folder={said.folder}\n")
    return status
