"""`export`: the files of data folders in the forms that the tools of research read."""

import argparse
import shlex
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ConfigError
from ..export.asked import Asked, Begin
from ..files.names import TABLE
from ..options import ALL, Choice, Names, Option, Place, Switch, Time, Words
from ..settings import DATA_DIR
from .command import Command, program
from .console import say
from .endings import told
from .grammar import Grammar
from .progress import Progress
from .statuses import DONE

NAME = "export"
SENTENCE = "Write the data in the forms that the tools of research read, such as Parquet."

EXTRA = ("numpy", "pyarrow")  # the extra `parquet`


class Format(NamedTuple):
    """A form: its sentence, and which options it alone has, by the name of what they set.

    `export` of the room's file of its name writes it, and returns the line that says what was written.
    """

    sentence: str
    own: tuple[str, ...] = ()


FORMATS = {
    "parquet": Format(
        "a lake: a Parquet file a kind, symbol and day of UTC, in folders that DuckDB, polars, Spark, ClickHouse and "
        "Trino know as partitions; run again it writes only what has changed",
        own=("exact", "open"),
    ),
    "tardis": Format(
        "the CSV files of tardis.dev, a gzipped file a data type, day of UTC and symbol; needs --receive-time, and "
        "for quotes --quantities",
    ),
    "hftbacktest": Format(
        "the events that hftbacktest loads, a .npz a day of UTC and symbol, of trades and depth, or of orderbook where "
        "there is no depth; needs --receive-time",
    ),
}
OPTIONS: dict[str, Option] = {
    "to": Choice("--to", "the form, see below", tuple(FORMATS), default="none"),
    "out": Place("--out", "where the files go; made if missing", "DIR", "a folder's name", default="none"),
    "symbols": Names("--symbols", "only these", "SYMBOL", "symbols with commas between them", default="all"),
    "kinds": Words("--kinds", "only these", tuple(TABLE)),
    "start": Time("--from", "nothing before this moment", default="the first row"),
    "end": Time("--until", "nothing at this moment and behind it", default="the last row"),
    "exact": Switch("--exact", "parquet: prices and quantities as decimal(20, 8) instead of doubles"),
    "open": Switch("--open", "parquet: days too that are not over"),
}
DEFAULTS = {
    "symbols": (),
    "kinds": (ALL,),
    "start": None,
    "end": None,
    "exact": False,
    "open": False,
}

MORE = """\
forms:
{formats}

A folder that a collector is writing to can be read. Files that were set aside
are left out. What was written before an error or Ctrl-C is whole, and the same
call goes on from there.

examples:
  {program} --to parquet --out lake
  {program} /srv/aster /srv/aster/spot --to parquet --out lake
  {program} --to parquet --out lake --kinds trades,depth \\
      --from 2026-11-01 --until 2026-12-01
"""


def command() -> Command:
    """Return the command."""
    return Command(NAME, SENTENCE, grammar, run)


def grammar() -> Grammar:
    """Return the grammar of its words."""
    from textwrap import fill  # only a help needs it

    formats = [
        fill(one.sentence, 78, initial_indent=f"  {name:<13}", subsequent_indent=" " * 15)
        for name, one in FORMATS.items()
    ]
    more = MORE.format(formats="\n".join(formats), program=program(NAME))
    made = Grammar(NAME, "[DIR ...] --to FORMAT --out DIR [OPTION ...]", SENTENCE, more)
    folders = f"the data folders (default: {DATA_DIR})"
    made.add_argument("folders", nargs="*", metavar="DIR", type=Path, default=[], help=folders)
    made.take(OPTIONS, {**dict.fromkeys(OPTIONS), **DEFAULTS})
    return made


def run(said: argparse.Namespace) -> int:
    """Export, and say what was written; return the exit status, or raise what keeps it from being one."""
    given = dict(vars(said))
    form = given.pop("to", None)
    if form is None:
        raise ConfigError(f"--to: none given, {OPTIONS['to'].allowed()} allowed")
    if "out" not in given:
        raise ConfigError(f"--out: none given, {OPTIONS['out'].allowed()} allowed: where the files go")
    for name, one in FORMATS.items():
        other = next((OPTIONS[option].name for option in one.own if option in given and name != form), None)
        if other:
            raise ConfigError(f"{other}: given with --to {form}, only --to {name} has it; leave it out")
    asked = asked_of(given)
    with told():
        say(_loaded(form)(asked, Progress) + "\n")
    return DONE


def _loaded(form: str) -> Callable[[Asked, Begin], str]:
    """Return what writes a form; raises `ConfigError` where what it needs is not installed."""
    try:
        export: Callable[[Asked, Begin], str] = import_module(f"..export.{form}", __package__).export
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRA:
            raise
        mend = f"{shlex.quote(sys.executable)} -m pip install {' '.join(EXTRA)}"
        raise ConfigError(f"the package {package} is not installed; this installs it: {mend}") from error
    return export


def asked_of(given: dict[str, Any]) -> Asked:
    """Return what is asked for; raises `ConfigError` for times that end before they begin."""
    kinds = given.pop("kinds", (ALL,))
    folders = tuple(dict.fromkeys(given.pop("folders"))) or (DATA_DIR,)
    asked = Asked(folders=folders, kinds=() if kinds == (ALL,) else kinds, **given)
    if asked.out.exists() and not asked.out.is_dir():
        raise ConfigError(f"--out: {asked.out} given, a folder allowed, or a name that is free")
    if any(asked.out.resolve() == folder.resolve() for folder in folders):
        raise ConfigError(f"--out: {asked.out} given, another folder than the data's allowed: that is only read")
    if asked.start and asked.end and asked.start >= asked.end:
        raise ConfigError(f"--until: {asked.end.isoformat()} given, a moment behind --from allowed")
    return asked
