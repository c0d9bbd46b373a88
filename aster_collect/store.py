"""The files: rows are appended as bytes, whole, once, and synced; what can't be written yet is kept.

After any crash every file is whole rows again before the first new row. Nothing is ever overwritten or deleted:
a file that this run would not write is set aside under another name.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from . import rows
from .errors import ConfigError, StoreError
from .events import Gap
from .lock import LOCK_NAME, lock_folder
from .tail import Tail, find_tail, read_at

log = logging.getLogger(__name__)

PENDING_BYTES = 64 << 20  # rows that wait for a full disk, over all files
REJECTS_NAME = "rejects.jsonl"
REJECTS_BYTES = 10 << 20
OPEN_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)

Write = Callable[[int, bytes], int]


class Appender:
    """One file that only grows, by unbuffered writes; after an error the unwritten remainder is kept.

    A text file object under `csv.writer` loses or repeats rows after a full disk; a descriptor says what it took.
    """

    def __init__(self, path: Path, *, write: Write = os.write, sync: Callable[[int], None] | None = _sync) -> None:
        self.path = path
        self.descriptor = -1
        self.size = 0
        self.pending_bytes = 0
        self._pending: list[bytes] = []
        self._torn = False
        self._unsynced = False
        self._write, self._sync = write, sync

    def open(self) -> None:
        """Open or make the file."""
        self.descriptor = os.open(self.path, OPEN_FLAGS, 0o644)
        self.size = os.fstat(self.descriptor).st_size

    def append(self, data: bytes) -> None:
        """Keep bytes for the next flush."""
        if data:
            self._pending.append(data)
            self.pending_bytes += len(data)

    def flush(self, *, sync: bool = True) -> int:
        """Write what is pending, and sync what was written; return how many bytes went out.

        Raises `OSError`; nothing is lost by it.
        """
        done = self._write_pending() if self._pending else 0
        if sync and self._unsynced and self._sync is not None:
            self._sync(self.descriptor)
            self._unsynced = False
        return done

    def _write_pending(self) -> int:
        data = b"".join(self._pending)
        view = memoryview(data)
        done = 0
        try:
            while done < len(data):
                done += self._write(self.descriptor, view[done:])  # type: ignore[arg-type]
        finally:
            self.size += done
            self._torn = data[done - 1 : done] != b"\n" if done else self._torn
            self._pending = [data[done:]] if done < len(data) else []
            self.pending_bytes = len(data) - done
            self._unsynced = True
        return done

    def changed(self) -> str:
        """Return what somebody else did to the file since, in a word, or nothing."""
        status = os.fstat(self.descriptor)
        if status.st_nlink == 0:
            return "deleted"
        if status.st_size != self.size:
            return "truncated" if status.st_size < self.size else "written to"
        return ""

    def start_over(self, header: bytes) -> None:
        """Open another file under the same name: its header first, then what is pending, from a whole row on."""
        self.close()
        self.open()
        pending = b"".join(self._pending)
        if self._torn:
            pending = pending.partition(b"\n")[2]
        self._torn = False
        self._pending = [header + pending]
        self.pending_bytes = len(header) + len(pending)

    def cut(self, end: int) -> None:
        """Take away everything from `end` on."""
        os.ftruncate(self.descriptor, end)
        self.size = end

    def close(self) -> None:
        """Close the file; what is pending stays pending."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Loss(NamedTuple):
    """Rows of one file that memory could not hold: their ids (trades) and times."""

    first_id: int | None
    last_id: int | None
    from_ms: int
    to_ms: int


class Sheet:
    """One CSV file: its header, its last row, and what of it was lost to a full disk."""

    def __init__(self, kind: str, symbol: str, header: str, appender: Appender) -> None:
        self.kind, self.symbol = kind, symbol
        self.header = header
        self.appender = appender
        self.last_row: str | None = None
        self.loss: Loss | None = None

    @property
    def header_line(self) -> bytes:
        """The header as the file's first bytes."""
        return (self.header + "\n").encode("ascii")

    def is_row(self, text: str) -> bool:
        """Return whether a line has as many cells as the header, and begins as a row of this kind does."""
        first = text.partition(",")[0]
        begins = first in rows.KINDS if self.kind == rows.GAPS else first.replace(".", "", 1).isdigit()
        return begins and text.count(",") == self.header.count(",")

    def time_ms(self, row: str) -> int:
        """Return the time in a row of this file, in milliseconds."""
        cells = row.split(",", 2)
        return int(cells[1]) if self.kind == rows.TRADES else int(cells[0].replace(".", ""))


class Store:
    """The data folder of one run: locked, with a sheet for each symbol and kind."""

    def __init__(
        self,
        folder: Path,
        *,
        levels: int,
        receive_time: bool,
        sync: bool = True,
        pending_limit: int = PENDING_BYTES,
        write: Write = os.write,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Make and lock the folder; raises `ConfigError` if it can't be written, `LockedError` if it is taken."""
        self.folder = folder
        self.rejects = 0
        self.last_error = ""
        self.pending_bytes = 0
        self._pending_limit = pending_limit
        self._levels, self._receive_time = levels, receive_time
        self._write, self._wall = write, wall
        self._sync = _sync if sync else None
        self._sheets: dict[tuple[str, str], Sheet] = {}
        self._full_said = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = lock_folder(folder)
            self._rejects = self._appender(REJECTS_NAME)
            self._rejects.open()
            self._mend_rejects()
        except OSError as error:
            raise ConfigError(unwritable(folder, error)) from error

    def open(self, symbol: str) -> None:
        """Open a symbol's files: each is whole rows under the right header when this returns."""
        try:
            for kind in rows.KINDS:
                self._open_sheet(kind, symbol)
            self._open_sheet(rows.GAPS, symbol)
        except OSError as error:
            raise ConfigError(unwritable(self.folder, error)) from error

    def last_row(self, kind: str, symbol: str) -> str | None:
        """Return the last row that a file had when it was opened."""
        return self._sheets[kind, symbol].last_row

    def last_time_ms(self, kind: str, symbol: str) -> int | None:
        """Return the time of that row."""
        sheet = self._sheets[kind, symbol]
        return None if sheet.last_row is None else sheet.time_ms(sheet.last_row)

    def ledger_end(self, symbol: str) -> list[tuple[int, int]]:
        """Return the ranges of trade ids, both ends included, that the end of a symbol's ledger calls missing."""
        appender = self._sheets[rows.GAPS, symbol].appender
        low = max(0, appender.size - (1 << 16))
        lines = read_at(appender.descriptor, appender.size - low, low).decode("ascii", "replace").split("\n")
        cells = [line.split(",") for line in lines[1:] if line.startswith(f"{rows.TRADES},") and line.count(",") == 5]
        return [(int(row[3]), int(row[4])) for row in cells if row[3].isdigit() and row[4].isdigit()]

    def append(self, kind: str, symbol: str, lines: list[str]) -> None:
        """Keep rows for the next flush; where memory is full, note what is lost instead."""
        if not lines:
            return
        sheet = self._sheets[kind, symbol]
        if self.pending_bytes > self._pending_limit:
            self._lose(sheet, lines)
            return
        if sheet.loss is not None:
            self._record_loss(sheet, sheet.time_ms(lines[0]))
        data = ("\n".join(lines) + "\n").encode("ascii")
        self.pending_bytes += len(data)
        sheet.appender.append(data)

    def gap(self, symbol: str, gap: Gap) -> None:
        """Keep a row of a symbol's ledger for the next flush."""
        self._sheets[rows.GAPS, symbol].appender.append((rows.gap_row(gap) + "\n").encode("ascii"))

    def flush(self, *, sync: bool = True) -> int:
        """Write everything that is pending, ledgers first, and sync; return the bytes written.

        Raises `StoreError` when some of it could not be written: it is kept, and the next flush goes on with it.
        A row must not be on disk before the gap in front of it is, so a file waits for its ledger.
        """
        errors: list[str] = []
        done = self._flush_sheets(errors, sync)
        lossy = [sheet for sheet in self._sheets.values() if sheet.loss is not None]
        if lossy and self.pending_bytes <= self._pending_limit:
            for sheet in lossy:
                self._record_loss(sheet, 0)
            done += self._flush_sheets(errors, sync)
        try:
            if self._rejects.changed() == "deleted":
                self._rejects.start_over(b"")
                self._full_said = False
            done += self._rejects.flush()
        except OSError as error:
            errors.append(f"{REJECTS_NAME}: {error.strerror or error}")
        if errors:
            self.last_error = errors[0]
            raise StoreError(errors[0] + (f" and {len(errors) - 1} more" if len(errors) > 1 else ""))
        return done

    def _flush_sheets(self, errors: list[str], sync: bool) -> int:
        done = 0
        behind: set[str] = set()
        for sheet in sorted(self._sheets.values(), key=lambda sheet: sheet.kind != rows.GAPS):
            if sheet.symbol in behind:
                continue
            try:
                if sheet.appender.pending_bytes and sync:
                    self._heal(sheet)
                done += sheet.appender.flush(sync=sync or sheet.kind == rows.GAPS)
            except OSError as error:
                errors.append(f"{sheet.appender.path.name}: {error.strerror or error}")
                if sheet.kind == rows.GAPS:
                    behind.add(sheet.symbol)
        self.pending_bytes = sum(sheet.appender.pending_bytes for sheet in self._sheets.values())
        return done

    def reject(self, source: str, received_ns: int, reason: str, data: bytes) -> None:
        """Keep what could not be read, verbatim: `json.loads(line)["data"].encode("utf-8", "surrogateescape")`."""
        self.rejects += 1
        entry = {
            "time": f"{received_ns // 10**9}.{received_ns % 10**9:09d}",
            "source": source,
            "reason": reason,
            "data": data.decode("utf-8", "surrogateescape"),
        }
        line = (json.dumps(entry) + "\n").encode("ascii")
        if self._rejects.size + self._rejects.pending_bytes + len(line) <= REJECTS_BYTES:
            self._rejects.append(line)
        elif not self._full_said:
            self._full_said = True
            log.warning("rejects full file=%s limit_mib=%d further=counted_only", REJECTS_NAME, REJECTS_BYTES >> 20)

    def set_aside(self, kind: str, symbol: str, why: str) -> None:
        """Give a file another name, whole, and begin a fresh one."""
        sheet = self._sheets[kind, symbol]
        path = sheet.appender.path
        sheet.appender.close()
        if path.exists():
            other = aside_name(path, self._wall())
            path.rename(other)
            log.warning("file set aside file=%s as=%s why=%s", path.name, other.name, why)
        sheet.last_row = None
        sheet.appender.start_over(sheet.header_line)

    def close(self) -> None:
        """Close the files and unlock the folder."""
        for sheet in self._sheets.values():
            sheet.appender.close()
        self._rejects.close()
        os.close(self._lock)

    def _appender(self, name: str) -> Appender:
        return Appender(self.folder / name, write=self._write, sync=self._sync)

    def _open_sheet(self, kind: str, symbol: str) -> None:
        header = ",".join(rows.columns(kind, self._levels, self._receive_time))
        sheet = Sheet(kind, symbol, header, self._appender(rows.file_name(kind, symbol)))
        self._sheets[kind, symbol] = sheet
        sheet.appender.open()
        first = sheet.header_line
        begin = read_at(sheet.appender.descriptor, len(first), 0)
        if begin != first:
            if begin and not first.startswith(begin.rstrip(b"\0")):
                self.set_aside(kind, symbol, "other_header")
            else:
                sheet.appender.cut(0)  # nothing yet, or a header that a crash cut short
                sheet.appender.append(first)
            sheet.appender.flush()
            return
        tail = find_tail(sheet.appender.descriptor, len(first), sheet.is_row)
        if tail is None:
            self.set_aside(kind, symbol, "no_whole_row_near_the_end")
            sheet.appender.flush()
            return
        self._mend(sheet.appender, tail)
        sheet.last_row = tail.last_row

    def _mend(self, appender: Appender, tail: Tail) -> None:
        if appender.size == tail.end:
            return
        if tail.torn:
            self.reject(appender.path.name, int(self._wall() * 1e9), "torn tail", tail.torn)
            self._rejects.flush()
        appender.cut(tail.end)
        log.warning(
            "tail repaired file=%s cut_bytes=%d nul_bytes=%d kept_in=%s",
            appender.path.name, len(tail.torn), tail.nuls, REJECTS_NAME,
        )  # fmt: skip

    def _mend_rejects(self) -> None:
        tail = find_tail(self._rejects.descriptor, 0, lambda text: text.startswith("{") and text.endswith("}"))
        self._rejects.cut(tail.end if tail else 0)

    def _heal(self, sheet: Sheet) -> None:
        """Go on in a fresh file where somebody else deleted or changed the one that is being written."""
        change = sheet.appender.changed() if sheet.appender.descriptor >= 0 else "closed"
        if not change:
            return
        log.error("file changed by another program file=%s what=%s", sheet.appender.path.name, change)
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / LOCK_NAME).exists():
            os.close(self._lock)
            self._lock = lock_folder(self.folder)
        self.set_aside(sheet.kind, sheet.symbol, change.replace(" ", "_"))

    def _lose(self, sheet: Sheet, lines: list[str]) -> None:
        trades = sheet.kind == rows.TRADES
        first, last = lines[0], lines[-1]
        loss = Loss(
            int(first.split(",", 1)[0]) if trades else None,
            int(last.split(",", 1)[0]) if trades else None,
            sheet.time_ms(first),
            sheet.time_ms(last),
        )
        if sheet.loss is None:
            log.error("rows lost file=%s why=disk_full_and_memory_full", sheet.appender.path.name)
            sheet.loss = loss
        else:
            sheet.loss = sheet.loss._replace(last_id=loss.last_id, to_ms=loss.to_ms)

    def _record_loss(self, sheet: Sheet, next_ms: int) -> None:
        loss, sheet.loss = sheet.loss, None
        assert loss is not None
        to_ms = loss.to_ms if loss.last_id is not None else max(loss.to_ms, next_ms)
        self.gap(sheet.symbol, Gap(sheet.kind, loss.from_ms, to_ms, loss.first_id, loss.last_id, "overflow"))


def aside_name(path: Path, wall_s: float) -> Path:
    """Return a free name beside a file: its own with the UTC time in it."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(wall_s))
    candidates: Iterable[str] = (f"{stamp}-{number}" if number else stamp for number in range(1000))
    for candidate in candidates:
        other = path.with_name(f"{path.stem}.{candidate}{path.suffix}")
        if not other.exists():
            return other
    raise OSError(f"{path.name}: a thousand files of this second were set aside already")


def unwritable(folder: Path, error: OSError) -> str:
    """Return one line that says why a folder can't be written, and what mends it."""
    user = os.getuid() if hasattr(os, "getuid") else None
    mend = f"; uid {user} must be able to write it: sudo chown -R {user} {folder}" if user is not None else ""
    return f"--data-dir: {folder} can't be written: {error.strerror or error}{mend}"
