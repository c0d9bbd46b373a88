"""`merge`: several folders of one market into one, whole where any of them is."""

import argparse
from pathlib import Path

from ..errors import ConfigError
from ..files.period import PERIODS_MS
from ..merge.keyed import Difference
from ..merge.merge import Merged, merge_folders
from ..options import Choice, Option, Place
from .command import Command, program
from .console import complain, say
from .endings import told
from .grammar import Grammar
from .progress import Progress
from .statuses import DONE, FAILED

NAME = "merge"
SENTENCE = "Merge folders of one market into one, in which only what none of them has is missing."
SHOWN = 200  # characters of a row
_INTO = Place("--into", "where the result goes; not there yet, or empty", "DIR", "a folder's name", default="none")
OPTIONS: dict[str, Option] = {
    "into": _INTO,
    "rotate": Choice(
        "--rotate",
        "close files by the hour or day of UTC, or never",
        tuple(PERIODS_MS),
        default="as in the folders, as often as in any",
    ),
}

MORE = f"""\
Which rows are the same event: in trades, orderbook, fills, and prices with
update ids, those of one id; in open-interest those of one time; in all other
files those that say the same. Of the full book the next row is whichever
continues the chain; where none does, a snapshot. receive_time_ns may differ:
the earliest is kept. Files of other columns, other levels for instance, can't
be merged, and are named.

Rows that differ for one id are shown, and that of the first folder is kept.
The ledger of the result has what every folder lacks, by its own ledger or
since it did not run. What is set aside, rejects.jsonl, raw records and
status.json are not merged. The folders are only read; a collector may be
writing to them. The result is there as a whole or not at all.

examples:
  {program(NAME)} /srv/one/ASTER_data /srv/two/ASTER_data --into merged
  {program(NAME)} before after --into ASTER_data --rotate day
"""


def command() -> Command:
    """Return the command."""
    return Command(NAME, SENTENCE, grammar, run)


def grammar() -> Grammar:
    """Return the grammar of its words."""
    made = Grammar(NAME, "DIR DIR ... --into DIR [OPTION ...]", SENTENCE, MORE)
    made.add_argument("folders", nargs="*", metavar="DIR", type=Path, default=[], help="the data folders, two or more")
    made.take(OPTIONS, dict.fromkeys(OPTIONS, ""))
    return made


def run(said: argparse.Namespace) -> int:
    """Merge, and say what was written; return the exit status, or raise what keeps it from being one."""
    given = vars(said)
    folders, into = given["folders"], given.get("into")
    if len(folders) < 2:
        raise ConfigError(f"DIR: {len(folders) or 'none'} given, two folders or more allowed")
    if into is None:
        raise ConfigError(f"--into: none given, {_INTO.allowed()} allowed: where the result goes")
    with told():
        merged = merge_folders(folders, into, given.get("rotate", ""), Progress)
    _tell(merged)
    say(
        f"merged symbols={merged.symbols} files={merged.files} rows={merged.rows} gaps={merged.gaps} "
        f"differ={merged.differ} folder={into}\n"
    )
    return FAILED if merged.differ else DONE


def _tell(merged: Merged) -> None:
    """Say which rows differ, and what was left out."""
    for one in merged.differences:
        complain(program(NAME), _shown(one))
    if merged.differ > len(merged.differences):
        complain(program(NAME), f"and {merged.differ - len(merged.differences)} more rows that differ")
    if merged.set_aside:
        names = ", ".join(map(str, merged.set_aside[:3]))
        more = f" and {len(merged.set_aside) - 3} more" if len(merged.set_aside) > 3 else ""
        complain(program(NAME), f"set aside, not merged: {names}{more}")


def _shown(one: Difference) -> str:
    kept, left = (row.decode("utf-8", "replace")[:SHOWN] for row in (one.kept_row, one.left_row))
    return f"{one.kept} and {one.left} differ: {kept} is kept, not {left}"
