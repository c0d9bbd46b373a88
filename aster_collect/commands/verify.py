"""`verify`: the promises, proven from the files of a data folder alone."""

import argparse
import json

from ..errors import ConfigError
from ..files.histories import NotAFolder
from ..options import Place, Switch
from ..settings import DATA_DIR
from ..verify.check import check_folder
from .command import Command, program
from .console import say
from .grammar import Grammar
from .statuses import DONE, FAILED

NAME = "verify"
SENTENCE = "Prove from the files alone that nothing is lost or out of order but what the gap ledger lists."
OPTIONS = {
    "json": Switch("--json", "write one JSON object instead of the table"),
    "live": Switch(
        "--live",
        "a collector is writing there now: an incomplete last line is a row under way, not a broken one",
    ),
}
DEFAULTS = dict.fromkeys(OPTIONS, False)

MORE = f"""\
checked for each symbol, over rotated and compressed files as one history:
  all files     the right header, whole rows, in each cell what its column
                holds, no NUL, no blank line
  ids           of trades each once, each one higher than the last but for what
                gaps_<SYMBOL>.csv lists; in other files that have ids they rise
  times         where no ids prove the order, back by a second at most, from
                one odd time to those around it, or where the ledger has a
                stretch of restart or clock; of what is asked for, each once
  quotes        bid below ask (a price of zero is an absent side), mid exact
  books         bids descend, asks ascend, blank levels last, not crossed
  full books    each row joins the one before it, but for snapshots: one stands
                where the ledger has a stretch from the row before to it, or
                shows the book as it was; each file begins with one; no level
                twice in a row; at the end of a timestamp not crossed
  by the full   books and quotes (with --quantities) show its best levels at
  book          the same update id; between two of its ids, in a stretch of the
                ledger, and behind what a snapshot shows, that can't be said
  gaps          there, well-formed, and not contradicted: no id is both listed
                and present, and at most one row lies in a stretch that is
                listed (its first and last second aside), but for stretches of
                late, restart, clock and mismatch
  closed files  of what comes all the time: behind one, no whole hour or day
                (as it is named) without rows, but for what the ledger lists; a
                missing file of trades is a hole in the ids
Other times that go back (rows stand in the order of ids) are counted and
shown, not broken. Files set aside under a time such as 20261122T152400Z are
listed, not checked.

covered is the share of the time from first to last row that no listed stretch
overlaps; for trades, the share of the ids from first to last that are there.
Rounded down: 100.000 % means all.

--json writes one object:
  folder, holds (true or false), rows, files (numbers), broken (a number),
  set_aside (names),
  histories  [{{symbol, kind, files (names, in order), rows, first, last (UTC),
             gaps (ledger rows), missing_ids (trades) or missing_s,
             covered_percent, time_back {{steps, largest_ms, and where first:
             file, line}}, crossed {{moments, and where first: file, line}}
             (depth), proven {{rows, unsaid}} (by the full book)}}],
             null where it has no meaning
  reasons    [{{file, line, reason}}], at most 20 a file

examples:
  {program(NAME)}
  {program(NAME)} /srv/aster --live
  {program(NAME)} ASTER_data --json | jq '.reasons'
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
    """Check a folder, say what was found, and return the exit status; raises `ConfigError` where nothing is proven."""
    try:
        report = check_folder(said.folder, live=said.live)
    except NotAFolder as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        what = f"{error.filename or 'a data file'}: {error.strerror or error}"
        raise ConfigError(f"{what}; nothing was proven") from error
    if report.nothing_proven:
        raise ConfigError(f"{said.folder}: no rows in its files; nothing was proven")
    if said.json:
        say(json.dumps(report.json(), indent=2) + "\n")
    else:
        say("".join(f"{line}\n" for line in report.text()))
    return FAILED if report.total else DONE
