"""`report`: a data folder as one page of HTML."""

import argparse
import time
from datetime import datetime
from pathlib import Path

from .. import __version__
from ..errors import ConfigError
from ..files.aside import aside
from ..options import Names, Option, Place, Time
from ..report.axis import axis, points_of_each
from ..report.folder import Folder
from ..report.page import MOST_BYTES, About, Page
from ..settings import DATA_DIR
from ..wording import shortened
from .command import PROGRAM, Command, program
from .console import say
from .endings import told
from .grammar import Grammar
from .progress import Progress
from .statuses import DONE

NAME = "report"
SENTENCE = "Write a page of HTML that shows what a data folder holds, what is missing, and what the market did."
MODE = 0o644  # so that a web server can read it
MOST_HISTORIES = 1500  # of more the coverage alone would make the page too large
_FOREVER_MS = 1 << 62

OPTIONS: dict[str, Option] = {
    "out": Place("--out", "the page; what is there is replaced", "FILE", "a file's name"),
    "symbols": Names("--symbols", "only these", "SYMBOL", "symbols with commas between them", default="all"),
    "start": Time("--from", "nothing before this moment", default="the first row"),
    "end": Time("--until", "nothing at this moment and behind it", default="the last row"),
}
DEFAULTS = {"out": Path("report.html"), "symbols": (), "start": None, "end": None}

MORE = f"""\
The page is one file that loads nothing and has no script: coverage of each
symbol and kind with gaps by their cause, a table of all files, and for each
symbol, folded, mid, spread, trades and volume by side, delays (of files with
receive_time_ns), depth within 10 basis points, marks, funding, open interest
and liquidations, each with its numbers as a table. docs/report.md explains
them all. It has {MOST_BYTES // 1_000_000} MB at most; of symbols whose charts don't fit it says so.

A folder that a collector is writing to can be read. Files that were set aside
are left out.

examples:
  {program(NAME)}
  {program(NAME)} /srv/aster --out /srv/www/aster.html
  {program(NAME)} --symbols BTCUSDT,ETHUSDT --from 2026-11-01
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
    """Write the page, and say what is in it; return the exit status, or raise what keeps it from being one."""
    with told():
        folder = _folder(said)
        extent = folder.extent()
        if extent is None:
            when = " of that time" if said.start or said.end else ""
            raise ConfigError(f"{said.folder}: no rows{when} in its files; nothing to show")
        symbols = len([symbol for symbol in folder.symbols if symbol])
        made = axis(*extent, points_of_each(symbols))
        page = Page(made)
        with Progress(folder.bytes) as progress:
            for symbol in folder.symbols:
                page.add(symbol, folder.read(symbol, made, progress))
        about = About(_name(said.folder), f"{PROGRAM} {__version__}", int(time.time()) * 1000, folder.set_aside)
        size = _write(said.out, page, about)
    say(f"report rows={page.rows} symbols={symbols} bytes={size} file={said.out}\n")
    return DONE


def _folder(said: argparse.Namespace) -> Folder:
    """Return the folder that is asked for; raises `ConfigError` for symbols that it has not, and times of no length."""
    if said.start and said.end and said.start >= said.end:
        raise ConfigError(f"--until: {said.end.isoformat()} given, a moment behind --from allowed")
    folder = Folder(said.folder, said.symbols, (_ms(said.start, 0), _ms(said.end, _FOREVER_MS)))
    unknown = [symbol for symbol in said.symbols if symbol not in folder.known]
    if unknown:
        there = shortened(", ".join(folder.known))
        raise ConfigError(f"--symbols: {shortened(unknown[0])} given, some of those in {said.folder} allowed: {there}")
    if folder.histories > MOST_HISTORIES:
        raise ConfigError(
            f"{said.folder}: {folder.histories} histories, of which at most {MOST_HISTORIES} fit on a page; "
            "choose some with --symbols"
        )
    return folder


def _ms(moment: datetime | None, default: int) -> int:
    return default if moment is None else round(moment.timestamp() * 1000)


def _name(folder: Path) -> str:
    return folder.name or folder.resolve().name or str(folder)


def _write(path: Path, page: Page, about: About) -> int:
    """Write the page; return how many bytes it has. Raises `ConfigError` where there is no place for it."""
    if path.is_dir():
        raise ConfigError(f"--out: {path} given, a file's name allowed: it is a folder")
    try:
        with aside(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(page.html(about))
            beside.chmod(MODE)
        return path.stat().st_size
    except FileNotFoundError as error:
        raise ConfigError(f"--out: {path} given, a file's name allowed: there is no such folder") from error
