"""Closed files: which there are, under which name the next one is closed, which are too old and go."""

import logging
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..exchange.ledger import LEDGER
from .histories import list_folder
from .names import DAY_MS, PACKED, Entry, Part, raw_period, read_name

log = logging.getLogger(__name__)

KNOWN_PARTS = 48  # of a symbol and kind: more than a day of hours, however many years there are

Parts = dict[tuple[str, str], list[Part]]


def closed_part(name: str) -> Part | None:
    """Return which closed file bears a name, compressed or not; None where none does."""
    entry = read_name(name)
    return entry.part if entry is not None and _is_ours(entry) else None


def _closed(folder: Path) -> Iterator[Entry]:
    return filter(_is_ours, list_folder(folder))


def _is_ours(entry: Entry) -> bool:
    """Return whether this program closed a file: no ledger is ever."""
    return entry.is_closed and entry.part.kind != LEDGER.name


def list_parts(folder: Path, keep: int = KNOWN_PARTS) -> Parts:
    """Return the newest closed files of a folder by kind and symbol, `keep` at most, each once, oldest first.

    However many there are, that much is remembered while the folder is read.
    """
    parts: Parts = defaultdict(list)
    for entry in _closed(folder):
        add_part(parts, entry.part, keep)
    return defaultdict(list, {key: _newest(found, keep) for key, found in parts.items()})


def add_part(parts: Parts, part: Part, keep: int = KNOWN_PARTS) -> None:
    """Add a closed file, and forget the oldest now and then."""
    kind, symbol = sys.intern(part.kind), sys.intern(part.symbol)
    found = parts[kind, symbol]
    found.append(Part(kind, symbol, part.period, part.number))
    if len(found) >= 2 * keep:
        found[:] = _newest(found, keep)


def _newest(parts: Iterable[Part], keep: int) -> list[Part]:
    return sorted(set(parts), key=lambda part: (part.period, part.number))[-keep:]


def all_parts(folder: Path, kind: str, symbol: str) -> list[Part]:
    """Return all closed files of a symbol and kind, each once, oldest first. Reads the whole folder."""
    found = {entry.part for entry in _closed(folder) if entry.part[:2] == (kind, symbol)}
    return _newest(found, len(found))


def free_part(folder: Path, kind: str, symbol: str, period: str, known: Iterable[Part]) -> Part:
    """Return a part whose name is free, plain and compressed, and comes behind all that are known of its period."""
    number = max((part.number for part in known if part.period == period), default=0)
    while True:
        number += 1
        part = Part(kind, symbol, period, number)
        if not any((folder / f"{part.name}{packed}").exists() for packed in ("", PACKED)):
            return part


def expired(folder: Path, keep_days: int, now_ms: int) -> list[Path]:
    """Return the closed files, plain or compressed, of days before the last `keep_days`, oldest first.

    They are counted back from the day on which the newest closed file ends: it was closed by a row of that day or a
    later one. `now_ms` is this machine's clock, which may be wrong, and has a word only where a file is of a day ahead
    of it: that counts if a second stream has one of that day too. Nothing else ever expires: no current file, no
    ledger, nothing that was set aside.
    """
    newest_ms = 0
    ahead: dict[str, set[tuple[str, str]]] = defaultdict(set)  # the streams that have a file of a day to come …
    ahead_ms: dict[str, int] = defaultdict(int)  # … and where the last of these ends
    for _, part, _ in _closed(folder):
        if part.end_ms - DAY_MS <= now_ms:
            newest_ms = max(newest_ms, part.end_ms)
        else:
            ahead[part.day].add((part.kind, part.symbol))
            ahead_ms[part.day] = max(ahead_ms[part.day], part.end_ms)
    newest_ms = max([newest_ms, *(ahead_ms[day] for day, streams in ahead.items() if len(streams) > 1)])
    oldest_ms = newest_ms // DAY_MS * DAY_MS - keep_days * DAY_MS
    old = [(part.period, name) for name, part, _ in _closed(folder) if part.end_ms <= oldest_ms]
    return [folder / name for _, name in sorted(old)]


def expired_raw(folder: Path, keep_days: int) -> list[Path]:
    """Return the files of the raw record that are of days before the last `keep_days`, oldest first.

    Days are counted that have some, from the newest on, which is not over: their names are of this machine's clock
    alone, and if that is wrong once, it must not cost the days before.
    """
    with os.scandir(folder) as entries:
        found = sorted((period, entry.name) for entry in entries if (period := raw_period(entry.name)))
    days = sorted({period[:10] for period, _ in found})
    return [folder / name for period, name in found if period[:10] in days[: -keep_days - 1]]


def delete_expired(
    folder: Path, keep_days: int, now_ms: int, note: Callable[[list[Path]], object] = list
) -> list[Path]:
    """Delete what has expired and say so; return what is gone. What can't be deleted is logged, and stays.

    `note` is told which closed files are to go, before the first one does.
    """
    gone: list[Path] = []
    try:
        closed, raw = expired(folder, keep_days, now_ms), expired_raw(folder, keep_days)
    except OSError as error:
        log.error("file not deleted file=%s why=%s", folder.name, error.strerror or error)
        return gone
    if closed:
        note(closed)
    for path in (*closed, *raw):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.error("file not deleted file=%s why=%s", path.name, error.strerror or error)
        else:
            log.info("file deleted file=%s why=older_than_keep_days keep_days=%d", path.name, keep_days)
            gone.append(path)
    return gone


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder outlive a power loss; Windows has no way to ask for it."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
