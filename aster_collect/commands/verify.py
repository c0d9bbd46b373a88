"""`verify`: the promises, proven from the files of a data folder alone."""

import argparse
import json
import os
from pathlib import Path

from ..archive.moment import milliseconds
from ..errors import ConfigError
from ..files.histories import NotAFolder
from ..files.listed import MANIFEST_NAME
from ..files.replace import replace_file
from ..options import Option, Place, Switch, Time, WholeNumber
from ..settings import DATA_DIR
from ..verify.check import check_folder
from ..verify.memory import MEMORY_NAME, Remembered, read_memory, text_of
from .command import Command, program
from .console import complain, say
from .grammar import Grammar
from .progress import Progress
from .statuses import DONE, FAILED

NAME = "verify"
SENTENCE = "Prove from the files alone that nothing is lost or out of order but what the gap ledger lists."
OPTIONS: dict[str, Option] = {
    "json": Switch("--json", "write one JSON object instead of the table"),
    "live": Switch(
        "--live",
        "a collector is writing there now: an incomplete last line is a row under way, not a broken one",
    ),
    "days": Switch("--days", "say of each day of UTC too how much of it is covered"),
    "since": Time("--since", "leave out files that were over by then, and count from then on", default="all there is"),
    "all": Switch("--all", f"read closed files too that {MEMORY_NAME} says are proven, and have not changed since"),
    "cache": Place("--cache", f"where {MEMORY_NAME} is", "DIR", "a folder's name", default="in the data folder"),
    "jobs": WholeNumber("--jobs", "so many processes at most", 1, 1024, "processes", "N", default="one a core"),
}
CORES = os.cpu_count() or 1
DEFAULTS: dict[str, object] = {**dict.fromkeys(OPTIONS, False), "since": None, "cache": None, "jobs": CORES}

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
  the manifest  each file that {MANIFEST_NAME} lists is there and holds what it
                lists, to the byte where it was closed or set aside; one that
                grew when the collector ended in order is as long at least
  set aside     as all files, each as a history of its own of which nobody
                knows what it misses; one without the header of its kind is
                named only
Other times that go back (rows stand in the order of ids) are counted and
shown, not broken.

A closed file that is proven is not read again: {MEMORY_NAME} remembers what was
found in it, for as long as its size and times, what the ledger says around it,
and this program's rules are the same.

covered is the share of the time from first to last row that no listed stretch
overlaps; for trades, the share of the ids from first to last that are there.
Rounded down: 100.000 % means all. With --days it is said of each day too that
has rows, or of which the ledger lists some; ids that are missing count to the
day of the trade behind them.

--json writes one object:
  folder, holds (true or false), rows, files (numbers), broken (a number),
  set_aside (names), manifest (whether there is one), unlisted (how many files
  it lacks),
  histories  [{{symbol, kind, files (names, in order), set_aside (true or
             false), rows, first, last (UTC), gaps (ledger rows), missing_ids
             (trades) or missing_s, covered_percent, time_back {{steps,
             largest_ms, and where first: file, line}}, crossed {{moments, and
             where first: file, line}} (depth), proven {{rows, unsaid}} (by the
             full book), and with --days: days [{{day, rows, missing_ids or
             missing_s, covered_percent}}]}}], null where it has no meaning
  reasons    [{{file, line, reason}}], at most 20 a file

examples:
  {program(NAME)}
  {program(NAME)} /srv/aster --live --cache ~/.cache/aster
  {program(NAME)} /srv/aster --since 2026-11-22 --days
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
    path = (said.cache or said.folder) / MEMORY_NAME
    remembered = {} if said.all else read_memory(path)
    before = dict(remembered)
    since_ms = milliseconds(said.since) if said.since else 0
    try:
        report = check_folder(
            said.folder, live=said.live, since_ms=since_ms, remembered=remembered, jobs=said.jobs, begin=Progress
        )
    except NotAFolder as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        what = f"{error.filename or 'a data file'}: {error.strerror or error}"
        raise ConfigError(f"{what}; nothing was proven") from error
    if remembered != before or said.all:
        _remember(path, remembered)
    if report.nothing_proven:
        raise ConfigError(f"{said.folder}: no rows in its files; nothing was proven")
    if said.json:
        say(json.dumps(report.json(by_days=said.days), indent=2) + "\n")
    else:
        say("".join(f"{line}\n" for line in report.text(by_days=said.days)))
    return FAILED if report.total else DONE


def _remember(path: Path, remembered: Remembered) -> None:
    """Write what is remembered; where that can't be done the next run reads more, and one line says so."""
    if not any(remembered.values()) and not path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text_of(remembered))
    except OSError as error:
        why = error.strerror or error
        complain(program(NAME), f"{path} not written: {why}; the next run reads all files again; see --cache")
