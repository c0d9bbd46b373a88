"""Closed files: which period a row belongs to, what a closed file is called, what its last row is, which are too old.

The period is an hour or a day of UTC, by the rows' own time. A closed file is `prices_BTCUSDT.2026-11-22.csv` or
`….2026-11-22T13.csv`, `….2026-11-22-2.csv` where that name was taken, and `….csv.gz` once it is compressed.
"""

import gzip
import logging
import os
import re
import sys
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ..exchange import rows
from .plain import LINK, open_plain, read_plain
from .tail import BLOCK, find_tail, read_at

log = logging.getLogger(__name__)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PERIODS_MS = {"none": 0, "hour": HOUR_MS, "day": DAY_MS}
PACKED = ".gz"
KNOWN_PARTS = 48  # of a symbol and kind: more than a day of hours, however many years there are
_READ_BYTES = 1 << 20
_NAME = re.compile(
    rf"({'|'.join(rows.KINDS)})_([\w-]+)\.(\d{{4}}-\d\d-\d\d(?:T\d\d)?)(?:-([2-9]|[1-9]\d+))?\.csv({re.escape(PACKED)})?"
)


class Part(NamedTuple):
    """A closed file: the period in its name, and which of several of that period it is, from 1 on."""

    kind: str
    symbol: str
    period: str
    number: int

    @property
    def name(self) -> str:
        """The file's name while it is not compressed."""
        again = f"-{self.number}" if self.number > 1 else ""
        return f"{self.kind}_{self.symbol}.{self.period}{again}.csv"

    @property
    def day(self) -> str:
        """The day that the period is, or lies in."""
        return self.period[:10]

    @property
    def end_ms(self) -> int:
        """Where the period ends."""
        length_ms = PERIODS_MS["hour" if "T" in self.period else "day"]
        return int(datetime.fromisoformat(self.period).replace(tzinfo=UTC).timestamp()) * 1000 + length_ms


Parts = dict[tuple[str, str], list[Part]]


def period_end(time_ms: int, length_ms: int) -> int:
    """Return where the period ends that a time lies in."""
    return (time_ms // length_ms + 1) * length_ms


def period_name(end_ms: int, length_ms: int) -> str:
    """Return what a period is called, by its end."""
    form = "%Y-%m-%dT%H" if length_ms == HOUR_MS else "%Y-%m-%d"
    return time.strftime(form, time.gmtime((end_ms - length_ms) // 1000))


def read_name(name: str) -> Part | None:
    """Return which part bears a name, compressed or not; None if it is no part's name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    part = Part(match[1], match[2], match[3], int(match[4] or 1))
    try:
        return part if part.end_ms else None
    except ValueError:  # no such day
        return None


def list_parts(folder: Path, keep: int = KNOWN_PARTS) -> Parts:
    """Return the newest closed files of a folder by kind and symbol, `keep` at most, each once, oldest first.

    However many there are, that much is remembered while the folder is read.
    """
    parts: Parts = defaultdict(list)
    for part, _ in _named_parts(folder):
        add_part(parts, part, keep)
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
    found = {part for part, _ in _named_parts(folder) if (part.kind, part.symbol) == (kind, symbol)}
    return _newest(found, len(found))


def free_part(folder: Path, kind: str, symbol: str, period: str, known: Iterable[Part]) -> Part:
    """Return a part whose name is free, plain and compressed, and comes behind all that are known of its period."""
    number = max((part.number for part in known if part.period == period), default=0)
    while True:
        number += 1
        part = Part(kind, symbol, period, number)
        if not any((folder / f"{part.name}{packed}").exists() for packed in ("", PACKED)):
            return part


def last_row(folder: Path, parts: Iterable[Part]) -> str | None:
    """Return the last row of the newest of a file's parts that has one: at once, or if it is packed by reading it.

    The names say which is the newest, but on a day in which rotation was changed between days and hours the first
    rows do. Raises `OSError` for a link.
    """
    parts = list(parts)
    days = {part.period for part in parts}
    mixed = {period[:10] for period in days if "T" in period} & days

    def age(part: Part) -> tuple[str, int, str, int]:
        first = _first_number(folder, part) if part.day in mixed else 0
        return part.day, first, part.period, part.number

    for part in sorted(parts, key=age, reverse=True):
        try:
            row = _last_row(folder, part)
        except FileNotFoundError:
            continue  # deleted since the folder was listed
        except (OSError, EOFError, zlib.error) as error:
            if isinstance(error, OSError) and error.errno in LINK:
                raise
            log.error("closed file unreadable file=%s why=%s", part.name, error)
            continue
        if row is not None:
            return row
        log.warning("closed file without rows file=%s", part.name)
    return None


def _last_row(folder: Path, part: Part) -> str | None:
    try:
        descriptor = open_plain(folder / part.name, os.O_RDONLY)
    except FileNotFoundError:
        return _last_packed_row(folder, part)
    try:
        header, newline, _ = read_at(descriptor, BLOCK, 0).partition(b"\n")
        cells = header.count(b",") + 1
        tail = find_tail(descriptor, len(header + newline), lambda text: rows.is_row(part.kind, cells, text))
        return tail.last_row if tail else None
    finally:
        os.close(descriptor)


def _last_packed_row(folder: Path, part: Part) -> str | None:
    with _packed(folder / f"{part.name}{PACKED}") as stream:
        cells = stream.readline(BLOCK).count(b",") + 1
        end = b""
        while block := stream.read(_READ_BYTES):
            end = (end + block)[-BLOCK:]
    lines = end.decode("ascii", "replace").split("\n")[:-1]
    return next((line for line in reversed(lines) if rows.is_row(part.kind, cells, line)), None)


@contextmanager
def _packed(path: Path) -> Iterator[gzip.GzipFile]:
    with read_plain(path) as file, gzip.GzipFile(fileobj=file) as stream:
        yield stream


def _first_number(folder: Path, part: Part) -> int:
    """Return the first id or time of a part, 0 where it can't be read."""
    plain, packed = folder / part.name, folder / f"{part.name}{PACKED}"
    try:
        with read_plain(plain) if os.path.lexists(plain) else _packed(packed) as stream:
            cell = [stream.readline(BLOCK) for _ in range(2)][1].partition(b",")[0].replace(b".", b"")
    except (OSError, EOFError, zlib.error):
        return 0
    return int(cell) if cell.isdigit() else 0


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
    for part, _ in _named_parts(folder):
        if part.end_ms - DAY_MS <= now_ms:
            newest_ms = max(newest_ms, part.end_ms)
        else:
            ahead[part.day].add((part.kind, part.symbol))
            ahead_ms[part.day] = max(ahead_ms[part.day], part.end_ms)
    newest_ms = max([newest_ms, *(ahead_ms[day] for day, streams in ahead.items() if len(streams) > 1)])
    oldest_ms = newest_ms // DAY_MS * DAY_MS - keep_days * DAY_MS
    old = [(part.period, name) for part, name in _named_parts(folder) if part.end_ms <= oldest_ms]
    return [folder / name for _, name in sorted(old)]


def _named_parts(folder: Path) -> Iterator[tuple[Part, str]]:
    """Yield each closed file of a folder with its name, plain or compressed: there may be too many to remember."""
    with os.scandir(folder) as entries:
        for entry in entries:
            part = read_name(entry.name)
            if part is not None:
                yield part, entry.name


def delete_expired(folder: Path, keep_days: int, now_ms: int) -> list[Path]:
    """Delete what has expired and say so; return what is gone. What can't be deleted is logged, and stays."""
    gone: list[Path] = []
    try:
        paths = expired(folder, keep_days, now_ms)
    except OSError as error:
        log.error("file not deleted file=%s why=%s", folder.name, error.strerror or error)
        return gone
    for path in paths:
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
