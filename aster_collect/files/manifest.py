"""The manifest of a data folder, as it is written: for the collector, and for tools that make or change a folder.

    collector   begin ──▶ note … ──▶ close
    a tool      settle, once all is made; where it changes files: take_back, announce …, settle

What can't be written waits, and is told; it never fails who writes.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from .appender import Appender, Write, fdatasync
from .contents import NOTHING, Counted, contents, grown, never
from .histories import list_folder
from .listed import (
    ASIDE,
    CLOSED,
    DELETED,
    GROWING,
    MANIFEST_NAME,
    Content,
    Listed,
    line_of,
    read_line,
    read_lines,
    unpacked,
)
from .names import PACKED, Entry, read_name
from .rotate import sync_folder
from .source import Damaged
from .tail import last_line_end, read_at

log = logging.getLogger(__name__)

Stopped = Callable[[], bool]


class Writer:
    """Appends lines to a folder's manifest, whole, and keeps those that can't be written yet."""

    def __init__(self, folder: Path, *, sync: bool = True, write: Write = os.write) -> None:
        self.folder = folder
        self._syncs = sync
        self._appender = Appender(folder / MANIFEST_NAME, write=write, sync=fdatasync if sync else None)
        self._said = ""  # what keeps it from being written

    def begin(self) -> None:
        """Take back what is said of files that grow, since they will; to be called before they do."""
        self._try(self._begin)

    def note(self, lines: Iterable[Listed]) -> bool:
        """Write lines, in order; return whether another manifest, or none, was there, so that it lacks earlier ones."""
        data = b"".join(map(line_of, lines))
        if data:
            self._appender.pending.append(data)
        changed = self._changed()
        if changed:
            log.error("file changed by another program file=%s what=%s", MANIFEST_NAME, changed)
            self._appender.close()
        self._try(self._flush)
        return bool(changed)

    def close(self) -> None:
        """Close the file."""
        self._appender.close()

    def _try(self, do: Callable[[], None]) -> None:
        try:
            do()
        except OSError as error:
            why = error.strerror or str(error)
            if why != self._said:
                log.error("write failed why=%s: %s next=retry", MANIFEST_NAME, why)
            self._said = why
        else:
            if self._said:
                log.warning("write works again file=%s", MANIFEST_NAME)
            self._said = ""

    def _changed(self) -> str:
        if self._appender.descriptor < 0:
            return ""
        return self._appender.changed() or ("" if self._appender.is_at_path() else "moved")

    def _open(self) -> None:
        """Open the file where it is not, and cut what a crash left of a line."""
        appender = self._appender
        if appender.descriptor < 0:
            appender.open()
            appender.pending.begin_line()
            if (end := last_line_end(appender.descriptor)) < appender.size:
                appender.cut(end)

    def _flush(self) -> None:
        self._open()
        if self._syncs:
            sync_folder(self.folder)  # the names that lines are about come first
        self._appender.flush()

    def _begin(self) -> None:
        if not os.path.lexists(self._appender.path):
            return
        self._open()
        end, kept = self._end_of_files()
        if end < self._appender.size:
            self._appender.cut(end)
            if self._syncs:
                fdatasync(self._appender.descriptor)
            self._appender.pending.put_first(kept)
        self._flush()

    def _end_of_files(self) -> tuple[int, bytes]:
        """Return where the lines about growing files begin that stand at the end, and what else stands among them."""
        appender, length = self._appender, 1 << 16
        while True:
            low = max(0, appender.size - length)
            lines = read_at(appender.descriptor, appender.size - low, low).splitlines(keepends=True)
            end, kept, growing = appender.size, list[bytes](), appender.size
            for line in reversed(lines if low == 0 else lines[1:]):
                said = read_line(line)
                if said is None or said.what not in (GROWING, DELETED):
                    return growing, b"".join(kept)
                end -= len(line)
                if said.what == GROWING:
                    growing = end
                else:
                    kept.insert(0, line)
            if low == 0:
                return growing, b"".join(kept)
            length *= 4


def closed_line(path: Path, stopped: Stopped = never) -> Listed | None:
    """Return the line about a file that was closed or set aside; None if stopped, or where there is no such file.

    It may have been compressed since. Raises `OSError`, and `Damaged`.
    """
    entry = read_name(path.name)
    if entry is None:
        return None
    for there in (path, path.with_name(path.name + PACKED)):
        with contextlib.suppress(FileNotFoundError):
            found = contents(there, entry.part, stopped)
            return None if found is None else _line(entry, found)
    return None


def _line(entry: Entry, content: Content) -> Listed:
    is_aside = bool(entry.aside_ms)
    was = entry.part.name if is_aside else ""
    return Listed(unpacked(entry.name), ASIDE if is_aside else CLOSED, content, was)


def sized_line(path: Path) -> Listed | None:
    """Return as much of such a line as is known without reading the file: how long it is, unless it is compressed."""
    entry = read_name(path.name)
    try:
        size = path.lstat().st_size
    except OSError:
        return None
    return _line(entry, Content(bytes=size if path.name == unpacked(path.name) else None)) if entry else None


def deleted_line(path: Path) -> Listed:
    """Return the line about a file that is to be deleted on purpose."""
    return Listed(unpacked(path.name), DELETED)


def lacking(folder: Path) -> Iterator[Path]:
    """Yield the closed files and those set aside that the manifest lacks, or knows by their length alone.

    Those set aside come first, so that who has their names now is listed anew. Raises `OSError`.
    """
    known = _known(folder)
    aside = [one for one in list_folder(folder) if one.aside_ms and hash(unpacked(one.name)) not in known]
    known -= {hash(one.part.name) for one in aside}
    closed = [one for one in list_folder(folder) if one.is_closed and hash(unpacked(one.name)) not in known]
    for entry in (*sorted(aside), *sorted(closed, key=lambda one: (one.part.period, one.name))):
        yield folder / entry.name


def _known(folder: Path) -> set[int]:
    """Return the hashes of the names whose content the manifest lists: there may be too many to remember more."""
    known = set[int]()
    try:
        for data in read_lines(folder):
            if (said := read_line(data)) is not None:
                known.discard(hash(said.was))
                (known.add if said.content.sha256 else known.discard)(hash(said.name))
    except FileNotFoundError:
        pass
    return known


def growing_lines(folder: Path, counted: Mapping[str, Counted], stopped: Stopped = never) -> Iterator[Listed]:
    """Yield the lines about the files that grow, as they are now; nobody writes to them. Raises `OSError`."""
    for entry in sorted(list_folder(folder)):
        if not entry.part.period and not entry.aside_ms:
            try:
                content = grown(folder / entry.name, entry.part, counted.get(entry.name, NOTHING), stopped)
            except FileNotFoundError:
                continue
            yield Listed(entry.name, GROWING, content)


def has_manifest(folder: Path) -> bool:
    """Return whether a folder has one: that of an earlier version has none, and its next run begins it."""
    return os.path.lexists(folder / MANIFEST_NAME)


def take_back(folder: Path, *, sync: bool = True) -> None:
    """Take back what a folder's manifest says of growing files: for a tool that is about to change them."""
    writer = Writer(folder, sync=sync)
    writer.begin()
    writer.close()


def settle(folder: Path, *, sync: bool = True) -> None:
    """Bring the manifest of a folder up to date that nobody is writing to; begin one where there is none.

    Reads all files that it lacks, which takes about a second for 500 MB. Raises `OSError`.
    """
    writer = Writer(folder, sync=sync)
    try:
        writer.begin()
        for path in lacking(folder):
            try:
                line = closed_line(path)
            except Damaged:
                continue  # verify tells
            writer.note([line] if line else [])
        writer.note(growing_lines(folder, {}))
    finally:
        writer.close()


def announce(folder: Path, path: Path, beside: Path, *, sync: bool = True) -> None:
    """Note that a closed file is about to become what lies beside it: until it is renamed, either is good.

    Raises `OSError`, and `Damaged`.
    """
    entry = read_name(path.name)
    if entry is None:
        return
    now, then = contents(path, entry.part), contents(beside, entry.part)
    if now is not None and then is not None:
        writer = Writer(folder, sync=sync)
        writer.note([_line(entry, then)._replace(before=now.sha256)])
        writer.close()
