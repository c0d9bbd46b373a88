"""Which files of a folder make up one history, in which order, and opened so that a running collector does no harm."""

import gzip
import io
import os
import re
import zlib
from pathlib import Path
from typing import NamedTuple

from ..rows import GAPS, ORDERBOOK, PRICES, TRADES, file_name

KINDS = (PRICES, ORDERBOOK, TRADES, GAPS)  # the ledger last: see open_current

_KIND = "(" + "|".join(KINDS) + ")"
_SYMBOL = r"([\w-]+)"
_PERIOD = r"(\d{4}-\d\d-\d\d(?:T\d\d)?(?:-(?:[2-9]|[1-9]\d+))?)"  # the last: which of several parts of that period
_PIECES = re.compile(r"(.{10})(T..)?(?:-(.+))?")
_CURRENT = re.compile(rf"{_KIND}_{_SYMBOL}\.csv")
_PART = re.compile(rf"{_KIND}_{_SYMBOL}\.{_PERIOD}\.csv(\.gz)?")
_SET_ASIDE = re.compile(rf"{_KIND}_{_SYMBOL}(?:\.{_PERIOD})?\.\d{{8}}T\d{{6}}Z(?:-\d+)?\.csv(?:\.gz)?")
_RELISTS = 5
_HEAD_BYTES = 1 << 16


class NotAFolder(Exception):
    """A call that can't be answered; the text says what was given and what to do."""


class Files(NamedTuple):
    """One history's files: closed parts by period, and the inode of the growing file, None when there is none."""

    parts: dict[str, str]
    current_inode: int | None


class Listing(NamedTuple):
    """The data files of a folder by symbol and kind, and the names that were set aside."""

    symbols: dict[str, dict[str, Files]]
    set_aside: list[str]


class Source(NamedTuple):
    """An opened file: its name, its bytes up to `size` (None: to the end), and whether rows may still be under way."""

    name: str
    stream: io.FileIO | gzip.GzipFile
    size: int | None
    growing: bool


def list_folder(folder: Path) -> Listing:
    """Return the data files of a folder; raise `NotAFolder` when there is no such folder or none in it.

    Of a closed part that is there both plain and compressed the plain one counts: it is deleted last.
    """
    listing = Listing({}, [])
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_file())
    except OSError as error:
        raise NotAFolder(f"{folder}: {error.strerror}; give the folder that holds prices_*.csv") from None
    for name in names:
        if _SET_ASIDE.fullmatch(name):
            listing.set_aside.append(name)
        elif match := _CURRENT.fullmatch(name):
            files = _files(listing, match[2], match[1])
            listing.symbols[match[2]][match[1]] = files._replace(current_inode=_inode(folder / name))
        elif match := _PART.fullmatch(name):
            _files(listing, match[2], match[1]).parts.setdefault(match[3], name)
    if not listing.symbols:
        raise NotAFolder(f"{folder}: no data files in it; give the folder that holds prices_*.csv")
    return listing


def _inode(path: Path) -> int:
    """Return a file's inode, 0 when it was renamed meanwhile: opening it fails too, so the folder is listed again."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _files(listing: Listing, symbol: str, kind: str) -> Files:
    return listing.symbols.setdefault(symbol, {}).setdefault(kind, Files({}, None))


def open_current(folder: Path, listing: Listing, symbol: str, live: bool) -> tuple[Listing, dict[str, Source]]:
    """Open a symbol's growing files, the ledger last, and note their sizes: what is read later is no newer than that.

    So every row that will be read was written before the ledger was opened. When a file was rotated away since the
    folder was listed, the folder is listed again: the new listing is returned beside the opened files.
    """
    for _ in range(_RELISTS if live else 1):
        opened: dict[str, Source] = {}
        current = {kind: files.current_inode for kind, files in listing.symbols.get(symbol, {}).items()}
        try:
            for kind in KINDS:
                if current.get(kind) is not None:
                    opened[kind] = _open(folder / file_name(kind, symbol), live)
            if not live or all(os.fstat(opened[kind].stream.fileno()).st_ino == current[kind] for kind in opened):
                return listing, opened
            close(opened)
        except OSError as error:
            close(opened)
            if not (live and isinstance(error, FileNotFoundError)):
                raise
        listing = list_folder(folder)
    raise NotAFolder(f"{folder}: the files of {symbol} are renamed faster than they can be opened; try again")


def close(opened: dict[str, Source]) -> None:
    """Close what `open_current` opened."""
    for source in opened.values():
        source.stream.close()


def open_part(folder: Path, name: str, live: bool) -> Source | None:
    """Open a closed part; None when it has been deleted by a running collector meanwhile."""
    try:
        return _open(folder / name, False)
    except FileNotFoundError:
        if not live:
            raise
    try:
        return _open(folder / f"{name}.gz", False)
    except FileNotFoundError:
        return None


def in_order(folder: Path, parts: dict[str, str], live: bool) -> list[str]:
    """Return the names of a history's closed parts, oldest first.

    Their names say the order, but on a day in which rotation was changed between days and hours their first rows do.
    """
    pieces = {period: match.groups() for period in parts if (match := _PIECES.fullmatch(period))}
    mixed = {day for day, hour, _ in pieces.values() if hour} & {day for day, hour, _ in pieces.values() if not hour}

    def key(period: str) -> tuple[str, int, str, int]:
        day, hour, number = pieces[period]
        return day, _first_number(folder, parts[period], live) if day in mixed else 0, hour or "", int(number or 1)

    return [parts[period] for period in sorted(parts, key=key)]


def _first_number(folder: Path, name: str, live: bool) -> int:
    """Return the first id or time of a part, 0 when it has none that can be read: checking it will say why."""
    if source := open_part(folder, name, live):
        with source.stream:
            try:
                lines = source.stream.read(_HEAD_BYTES).split(b"\n", 2)
            except (gzip.BadGzipFile, EOFError, zlib.error):
                return 0
        if match := re.match(rb"[0-9]{1,19}(?:\.[0-9]{3})?", lines[1] if len(lines) > 1 else b""):
            return int(match[0].replace(b".", b""))
    return 0


def _open(path: Path, growing: bool) -> Source:
    if path.suffix == ".gz":
        return Source(path.name, gzip.open(path, "rb"), None, False)
    stream = io.FileIO(path, "rb")
    return Source(path.name, stream, os.fstat(stream.fileno()).st_size, growing)
