"""Which files of a folder make up one history, in which order, and opened so that a running collector does no harm."""

import gzip
import io
import os
import re
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ..exchange.rows import GAPS, ORDERBOOK, PRICES, TRADES, file_name

KINDS = (PRICES, ORDERBOOK, TRADES, GAPS)  # the ledger last: see open_current

_KIND = "(" + "|".join(KINDS) + ")"
_SYMBOL = r"([\w-]+)"
_PERIOD = r"(\d{4}-\d\d-\d\d(?:T\d\d)?(?:-(?:[2-9]|[1-9]\d+))?)"  # the last: which of several parts of that period
_PIECES = re.compile(r"(.{10})(T..)?(?:-(.+))?")
_CURRENT = re.compile(rf"{_KIND}_{_SYMBOL}\.csv")
_PART = re.compile(rf"{_KIND}_{_SYMBOL}\.{_PERIOD}\.csv(\.gz)?")
_SET_ASIDE = re.compile(rf"{_KIND}_{_SYMBOL}(?:\.{_PERIOD})?\.(\d{{8}}T\d{{6}}Z)(?:-\d+)?\.csv(?:\.gz)?")
_HOUR_MS = 3_600_000
_RELISTS = 5
_NAMED = 3
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
    """An opened file: its name, its bytes up to `size` (None: to the end), whether rows may still be under way.

    And how long the hour or day is that a closed part is named after, 0 for a growing file.
    """

    name: str
    stream: io.FileIO | gzip.GzipFile
    size: int | None
    growing: bool
    period_ms: int


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
        raise NotAFolder(f"{folder}: no data files in it{_elsewhere(folder)}")
    return listing


def _elsewhere(folder: Path) -> str:
    """Return where data files are instead, and what to do."""
    below = sorted(path for path in folder.iterdir() if path.is_dir())
    holds = [path for path in below if any(map(_is_data, path.iterdir()))]
    if not holds:
        return "; give the folder that holds prices_*.csv"
    return f", but in {', '.join(map(str, holds[:_NAMED]))}; verify {'that' if len(holds) == 1 else 'one of those'}"


def _is_data(path: Path) -> bool:
    return (_CURRENT.fullmatch(path.name) or _PART.fullmatch(path.name)) is not None


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
    if live and GAPS not in listing.symbols.get(symbol, {}):  # its first files were being made
        listing = list_folder(folder)
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
    match = re.match(rb"[0-9]{1,19}(?:\.[0-9]{3})?", _first_row(folder, name, live))
    return int(match[0].replace(b".", b"")) if match else 0


def set_aside_times(folder: Path, listing: Listing, live: bool) -> dict[str, dict[str, list[tuple[int, int]]]]:
    """Return by symbol and kind which times, in milliseconds, files hold that were set aside.

    A file holds those from its first row's to that in its name; of one whose rows begin with no time nothing is known.
    """
    found: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for name in listing.set_aside:
        match = _SET_ASIDE.fullmatch(name)
        first = re.match(rb"([0-9]{1,11})\.([0-9]{3}),", _first_row(folder, name, live))
        if match and first:
            end = datetime.strptime(match[4], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            times = (int(first[1] + first[2]), int(end.timestamp()) * 1000)
            found.setdefault(match[2], {}).setdefault(match[1], []).append(times)
    return found


def _first_row(folder: Path, name: str, live: bool) -> bytes:
    """Return the line behind a file's header, empty when there is none that can be read."""
    if source := open_part(folder, name, live):
        with source.stream:
            try:
                lines = source.stream.read(_HEAD_BYTES).split(b"\n", 2)
            except (gzip.BadGzipFile, EOFError, zlib.error):
                return b""
        return lines[1] if len(lines) > 1 else b""
    return b""


def _open(path: Path, growing: bool) -> Source:
    match = _PART.fullmatch(path.name)
    period_ms = 0 if match is None else _HOUR_MS if "T" in match[3] else 24 * _HOUR_MS
    if path.suffix == ".gz":
        return Source(path.name, gzip.open(path, "rb"), None, False, period_ms)
    stream = io.FileIO(path, "rb")
    return Source(path.name, stream, os.fstat(stream.fileno()).st_size, growing, period_ms)
