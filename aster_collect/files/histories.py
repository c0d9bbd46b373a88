"""A data folder as histories: which files make up each, in order, opened so that a running collector does no harm."""

import logging
import os
import re
import stat
from collections.abc import Container, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..exchange.streams.kind import Kind
from .names import PACKED, TABLE, Entry, Part, read_name
from .plain import LINK
from .source import Damaged, Source

log = logging.getLogger(__name__)

_NUMBER = re.compile(rb"[0-9]{1,19}(?:\.[0-9]{3})?")
_ATTEMPTS = 6
_NAMED = 3


class NotAFolder(Exception):
    """A call that can't be answered; the text says what was given and what to do."""


class Histories:
    """The histories of a data folder, as they were when it was listed last."""

    def __init__(self, folder: Path, *, live: bool = False) -> None:
        """List a folder; `live` says that a collector is writing to it.

        Raises `NotAFolder` when there is no such folder or no data file in it.
        """
        self._folder, self._live = folder, live
        self._list()

    def _list(self) -> None:
        self.set_aside: list[Entry] = []
        self._parts: dict[str, dict[str, set[Part]]] = {}  # by symbol and kind
        try:
            entries = sorted(list_folder(self._folder))
        except OSError as error:
            raise NotAFolder(f"{self._folder}: {error.strerror}; give the folder that holds prices_*.csv") from None
        for entry in entries:
            if entry.aside_ms:
                self.set_aside.append(entry)
            else:
                self._parts.setdefault(entry.part.symbol, {}).setdefault(entry.part.kind, set()).add(entry.part)
        if not self._parts:
            raise NotAFolder(f"{self._folder}: no data files in it{_elsewhere(self._folder)}")

    @property
    def symbols(self) -> list[str]:
        """Of which symbols there are files."""
        return sorted(self._parts)

    def parts(self, symbol: str) -> dict[str, set[Part]]:
        """Return by kind, in the order of the table, which files a symbol has."""
        found = self._parts.get(symbol, {})
        return {kind: found[kind] for kind in TABLE if kind in found}

    @contextmanager
    def open(self, symbol: str, without: Container[Part] = ()) -> Iterator[dict[str, Iterator[Source]]]:
        """Open a symbol's histories: by kind its files, oldest first, each to be read before the next one is taken.

        The growing files are opened at once, the ledger last, and what is written to them later is not read: so every
        row that is read was written before the ledger was opened. In a live folder the closed files are those that
        there are when that is done; one that is compressed later is found under its other name, and one that is
        deleted later is left out. In one that is not live that raises `FileNotFoundError`.

        Closed files are left out that are among `without` when the first file of their history is taken.
        """
        with ExitStack() as opened:
            growing = self._open_growing(symbol, opened)
            parts = self.parts(symbol)
            yield {kind: self._in_turn(found, without, growing.get(kind)) for kind, found in parts.items()}

    def _open_growing(self, symbol: str, opened: ExitStack) -> dict[str, Source]:
        """Open the growing files, the ledger last; live, list the folder then, and begin again if one was closed.

        While a file is open no other one has its inode.
        """
        parts = [Part(kind.name, symbol) for kind in TABLE.values() if kind.whole_folder == (not symbol)]
        for _ in range(_ATTEMPTS):
            with ExitStack() as attempt:
                growing = {
                    part.kind: attempt.enter_context(source) for part in parts if (source := self._open_one(part))
                }
                if self._live:
                    self._list()
                    inodes = {kind: source.inode for kind, source in growing.items()}
                    if any(_inode(self._folder / part.name) != inodes.get(part.kind, 0) for part in parts):
                        continue
                opened.push(attempt.pop_all())
                return growing
        raise NotAFolder(f"{self._folder}: the files of {symbol} are renamed faster than they can be opened; try again")

    def _open_one(self, part: Part) -> Source | None:
        """Open a growing file; None where there is none."""
        path = self._folder / part.name
        if not (_inode(path) if self._live else part in self._parts.get(part.symbol, {}).get(part.kind, ())):
            return None
        try:
            return Source(path, part, growing=self._live, links=True)
        except FileNotFoundError:
            if not self._live:
                raise
            return None

    def _in_turn(self, parts: set[Part], without: Container[Part], growing: Source | None) -> Iterator[Source]:
        closed = (part for part in parts if part.period and part not in without)
        for part in in_order(self._folder, closed, links=True):
            try:
                source = open_closed(self._folder, part, links=True)
            except FileNotFoundError:
                if not self._live:
                    raise
                continue
            with source:
                yield source
        if growing is not None:
            yield growing

    def first_row(self, entry: Entry) -> bytes:
        """Return the first row of a file that was set aside, empty where there is none that can be read."""
        try:
            with Source(self._folder / entry.name, entry.part, links=True) as source:
                return source.first_row()
        except (FileNotFoundError, Damaged):
            return b""


def list_folder(folder: Path) -> Iterator[Entry]:
    """Yield the data files of a folder as they come: there may be too many to remember. Raises `OSError`."""
    with os.scandir(folder) as entries:
        for entry in entries:
            found = read_name(entry.name)
            if found is not None and (entry.is_file() or entry.is_symlink()):
                yield found


def in_order(folder: Path, parts: Iterable[Part], *, links: bool = False) -> list[Part]:
    """Return closed files of one history, each once, oldest first.

    Their names say the order, but on a day in which rotation was changed between days and hours their first rows do.
    """
    parts = set(parts)
    whole_days = {part.period for part in parts}
    mixed = {part.day for part in parts if part.day != part.period} & whole_days

    def age(part: Part) -> tuple[str, int, str, int]:
        return part.day, _first_number(folder, part, links) if part.day in mixed else 0, part.period, part.number

    return sorted(parts, key=age)


def _first_number(folder: Path, part: Part, links: bool) -> int:
    """Return the first id or time of a closed file, 0 where it has none that can be read: who reads it is told why."""
    try:
        with open_closed(folder, part, links=links) as source:
            match = _NUMBER.match(source.first_row())
    except (OSError, Damaged):
        return 0
    return int(match[0].replace(b".", b"")) if match else 0


def open_closed(folder: Path, part: Part, *, links: bool = False) -> Source:
    """Open a closed file: where it is there both plain and compressed the plain one, which is deleted last.

    Raises `OSError`, for a link too unless `links` are followed.
    """
    path = folder / part.name
    try:
        return Source(path, part, links=links)
    except FileNotFoundError:
        return Source(path.with_name(path.name + PACKED), part, links=links)


def last_row(folder: Path, parts: Iterable[Part], kind: Kind, *, links: bool = False) -> str | None:
    """Return the last row of the newest of a history's closed files that has one, and say which of them have none.

    Raises `OSError` for a link unless `links` are followed.
    """
    for part in reversed(in_order(folder, parts, links=links)):
        try:
            with open_closed(folder, part, links=links) as source:
                row = source.last_row(kind)
        except FileNotFoundError:
            continue  # deleted since the folder was listed
        except (OSError, Damaged) as error:
            if isinstance(error, OSError) and error.errno in LINK:
                raise
            log.error("closed file unreadable file=%s why=%s", part.name, error)
            continue
        if row is not None:
            return row
        log.warning("closed file without rows file=%s", part.name)
    return None


def _inode(path: Path) -> int:
    """Return a file's inode, 0 where there is none under that name."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0
    return status.st_ino if stat.S_ISREG(status.st_mode) else 0


def _elsewhere(folder: Path) -> str:
    """Return where data files are instead, and what to do."""
    below = sorted(path for path in folder.iterdir() if path.is_dir())
    holds = [path for path in below if any(_is_data(file.name) for file in path.iterdir())]
    if not holds:
        return "; give the folder that holds prices_*.csv"
    return f", but in {', '.join(map(str, holds[:_NAMED]))}; give {'that' if len(holds) == 1 else 'one of those'}"


def _is_data(name: str) -> bool:
    found = read_name(name)
    return found is not None and not found.aside_ms
