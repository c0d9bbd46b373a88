"""`replay`: the files that a raw record's runs wrote, or with other options would have written."""

import argparse
import logging
import os
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from ..errors import ConfigError, DecodeError
from ..options import Option, Place
from ..run.recalled import ASKED
from ..run.replay import Replay, read
from ..settings import OPTIONS as OF_A_RUN
from .circles import look_rarely
from .command import Command, program
from .console import complain, say
from .grammar import Grammar
from .statuses import DONE

NAME = "replay"
SENTENCE = "Write the files of a raw record anew: the same bytes, or what other options would have made of it."
NOTES = 20  # lines at most
_FOLDER = Place("--data-dir", "where the files go; made if missing", "DIR", "a folder's name", default="none")
OPTIONS: dict[str, Option] = {
    "data_dir": _FOLDER,
    **{name: replace(OF_A_RUN[name], default="as recorded") for name in ASKED},
}

MORE = f"""\
RAW are files that --record wrote, of one folder, from the first hour of a run
on; they are taken in the order of their names. All that is not asked for with
an option is as the runs were told, which is in the record. There is no more in
it than was collected: no other kinds, and no more levels of the book.

examples:
  {program(NAME)} ASTER_data/raw.*T??.jsonl.gz --data-dir again
  {program(NAME)} ASTER_data/raw.*T??.jsonl.gz --data-dir tops \\
      --streams orderbook --order-book-levels 5 --rotate hour
"""


def command() -> Command:
    """Return the command."""
    return Command(NAME, SENTENCE, grammar, run)


def grammar() -> Grammar:
    """Return the grammar of its words."""
    made = Grammar(NAME, "RAW... --data-dir DIR [OPTION ...]", SENTENCE, MORE)
    made.add_argument("raw", nargs="*", metavar="RAW", type=Path, default=[], help="the files of a raw record")
    made.take(OPTIONS, dict.fromkeys(OPTIONS, ""))
    return made


def run(said: argparse.Namespace) -> int:
    """Replay, and say what was written; return the exit status, or raise what keeps it from being one."""
    asked = dict(vars(said))
    paths, folder = _checked(asked.pop("raw")), asked.pop("data_dir", None)
    if folder is None:
        raise ConfigError(f"--data-dir: none given, {_FOLDER.allowed()} allowed: where the files go")
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)  # a run's log tells of then
    look_rarely()
    replayed = Replay(folder, asked)
    try:
        replayed.play(read(paths))
    except DecodeError as error:
        raise ConfigError(f"RAW: {error}; files of one folder allowed that --record wrote, none left out") from error
    if not replayed.runs:
        raise ConfigError(f"RAW: {paths[0]} given, and no run is in it; files allowed that --record wrote")
    replayed.list_files()
    _tell(replayed.notes)
    say(
        f"replayed runs={replayed.runs} frames={replayed.frames} rows={replayed.rows} gaps={replayed.gaps} "
        f"folder={folder}\n"
    )
    return DONE


def _checked(paths: Iterable[Path]) -> list[Path]:
    """Return the files in order; raise `ConfigError` where one can't be read, or there is none."""
    found = sorted({os.path.realpath(path): path for path in paths}.values(), key=lambda path: path.name)
    if not found:
        raise ConfigError("RAW: none given, at least one file allowed that --record wrote, such as ASTER_data/raw.*")
    for path in found:
        try:
            path.open("rb").close()
        except OSError as error:
            raise ConfigError(f"RAW: {path} given, a file allowed that --record wrote: {error.strerror}") from error
        if not path.is_file():
            raise ConfigError(f"RAW: {path} given, a file allowed that --record wrote: it is no plain file")
    for one, other in pairwise(found):
        if one.name == other.name:
            raise ConfigError(
                f"RAW: {one} and {other} given, files of one folder allowed; replay each folder into one of its own"
            )
    return found


def _tell(notes: list[str]) -> None:
    """Say where the files can't be those of then."""
    for note in notes[:NOTES]:
        complain(program(NAME), note)
    if len(notes) > NOTES:
        complain(program(NAME), f"and {len(notes) - NOTES} more such lines")
