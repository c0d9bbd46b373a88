"""The files: rows are appended as bytes, whole, once, and synced; what can't be written yet is kept.

After any crash every file is whole rows again before the first new row. Nothing is ever overwritten or deleted:
a file that this run would not write is set aside under another name, and one whose period is over is closed under its.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import ConfigError, LockedError, StoreError
from ..exchange.events import Gap
from ..exchange.form import Form
from ..exchange.ledger import LEDGER
from ..exchange.streams.kind import TIME, Event, Kind, Lane, Options
from .appender import Write
from .folder import Folder, refusal
from .rejects import REJECTS_NAME
from .rotate import PERIODS_MS
from .sheet import Destroyed, Sheet

PENDING_BYTES = 64 << 20  # rows that wait for a full disk, over all files


class Unwritten(NamedTuple):
    """What is not on disk: of how many files, how many rows, how many of these are trades, and bytes."""

    files: int
    rows: int
    trades: int
    bytes: int


class Store:
    """A sheet for each symbol and kind, flushed together, each symbol's ledger before its rows."""

    def __init__(
        self,
        folder: Path,
        kinds: Iterable[Kind],
        options: Options,
        *,
        sync: bool = True,
        rotate: str = "none",
        pending_limit: int = PENDING_BYTES,
        write: Write = os.write,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Make and lock the folder; raises `ConfigError` if it can't be written, `LockedError` if it is taken."""
        self.last_error = ""
        self.pending_bytes = 0
        self.written_bytes = 0
        self._folder = Folder(folder, write=write, sync=sync, wall=wall)
        self._pending_limit = pending_limit
        self._period_ms = PERIODS_MS[rotate]
        self._forms = [Form(kind, options) for kind in (*kinds, LEDGER)]
        self._sheets: dict[tuple[str, str], Sheet] = {}
        self._dirty_ledgers: dict[Sheet, None] = {}  # what the next flush has to do, in order
        self._dirty: dict[Sheet, None] = {}
        self._lossy: dict[Sheet, None] = {}
        self._destroyed: list[tuple[str, Destroyed]] = []

    @property
    def rejects(self) -> int:
        """How many entries there were to keep."""
        return self._folder.rejects.count

    def free_bytes(self) -> int:
        """Return how much room the disk has, 0 where the folder is gone."""
        return self._folder.free_bytes()

    def take_closed(self) -> list[Path]:
        """Return the files that were closed since the last call because their period was over, oldest first."""
        return self._folder.take_closed()

    def open(self, symbol: str, *, at_once: bool = True) -> None:
        """Open a symbol's files, or with "" those of the whole folder: each is whole rows under the right header then.

        If not `at_once`, a symbol that has none yet gets them with its first row: nobody knows whether there is such a
        symbol.

        Files beside which no ledger was kept are the earlier script's: they are set aside, and fresh ones begun.

        Raises `ConfigError` when one can't be opened, `StoreError` when the disk is at fault and may be well again.
        """
        forms = self._forms_of(symbol)
        if not forms or (forms[-1].kind.name, symbol) in self._sheets:
            return
        opened: dict[tuple[str, str], Sheet] = {}
        ours = not symbol or self._folder.knows(symbol)
        at_once = at_once or self._folder.has(symbol)
        try:
            for form in forms:
                sheet = Sheet(form, symbol, self._folder, self._period_ms, ours=ours, at_once=at_once)
                opened[form.kind.name, symbol] = sheet
                self.written_bytes += sheet.appender.written_bytes
        except OSError as error:
            for sheet in opened.values():
                sheet.appender.close()
            raise refusal(self._folder.path, error) from error
        self._sheets |= opened

    def _forms_of(self, symbol: str) -> list[Form]:
        return [form for form in self._forms if form.kind.whole_folder == (not symbol)]

    def left(self, kind: Kind, symbol: str) -> list[Event]:
        """Return all events at the end of a file, as it was opened, that bear the time of its last row.

        Where it had none they are of the closed files before it.
        """
        return self._sheets[kind.name, symbol].left

    def touched_ms(self, kind: Kind, symbol: str) -> int:
        """Return when a file had last been changed when it was opened, by this machine's clock."""
        return self._sheets[kind.name, symbol].touched_ms

    def ledger_end(self, stream: str, symbol: str) -> list[tuple[int, int]]:
        """Return the ranges of ids, both ends included, that the end of a symbol's ledger calls missing of a stream."""
        ledger = self._sheets[LEDGER.name, symbol]
        written = ledger.table.end().rpartition(b"\n")[0]  # of a line that is half written the appender has all
        lines = b"\n".join((written, ledger.appender.pending())).decode("ascii", "replace").split("\n")
        cells = [line.split(",") for line in lines if line.startswith(f"{stream},")]
        return [(int(row[3]), int(row[4])) for row in cells if len(row) == 6 and row[3].isdigit() and row[4].isdigit()]

    def append(self, kind: Kind, symbol: str, events: Sequence[Event], now_ms: int | None = None) -> None:
        """Keep events for the next flush; where memory is full, note what is lost instead.

        `now_ms` is what the exchange's clock says, if that is known: a row of long after it ends no period.
        """
        if not events:
            return
        sheet = self._sheets[kind.name, symbol]
        if self.pending_bytes > self._pending_limit:
            self._lose(sheet, sheet.lost(events))
            return
        if sheet.losses:
            self._record_losses(sheet, events[0][TIME])
        self.pending_bytes += sheet.append(events, now_ms)
        self._dirty[sheet] = None
        if not sheet.made:
            self._make(symbol)

    def _make(self, symbol: str) -> None:
        """Let the next flush make all of a symbol's files, the ledger first."""
        for form in self._forms_of(symbol):
            sheet = self._sheets[form.kind.name, symbol]
            (self._dirty_ledgers if form.kind is LEDGER else self._dirty)[sheet] = None

    def gap(self, symbol: str, gap: Gap) -> None:
        """Keep a row of a symbol's ledger for the next flush; where memory is full, add it to what is lost by then.

        Nothing of its stream is kept until that is told, so one row can tell of all that are of one cause. Where there
        is no file yet it waits for the first row.
        """
        if self.pending_bytes > self._pending_limit:
            self._lose(self._sheets[gap.stream, symbol], gap)
        else:
            self._record(symbol, gap)

    def _record(self, symbol: str, gap: Gap) -> None:
        ledger = self._sheets[LEDGER.name, symbol]
        self.pending_bytes += ledger.append([gap])
        if ledger.made:
            self._dirty_ledgers[ledger] = None

    def _lose(self, sheet: Sheet, gap: Gap) -> None:
        sheet.lose(gap)
        self._lossy[sheet] = None

    def _record_losses(self, sheet: Sheet, next_ms: int) -> None:
        self._lossy.pop(sheet, None)
        for gap in sheet.take_losses(next_ms):
            self._record(sheet.symbol, gap)

    def reject(self, source: str, received_ns: int, reason: str, data: bytes) -> None:
        """Keep what could not be read, verbatim, for the next flush."""
        self._folder.rejects.add(source, received_ns, reason, data)

    def set_aside(self, kind: Kind, symbol: str, why: str) -> None:
        """With the next flush, once what is pending is written, give a file and all closed ones before it other names.

        What comes next goes to a fresh file. The ids of former trades leave the ledger with them.
        """
        sheet = self._sheets[kind.name, symbol]
        self._record_losses(sheet, 0)
        sheet.set_aside(why)
        self._dirty[sheet] = None
        if kind.lane is Lane.SEQUENCE:
            ledger = self._sheets[LEDGER.name, symbol]
            ledger.forget(kind.name)
            self._dirty_ledgers[ledger] = None

    def take_destroyed(self) -> list[tuple[str, Destroyed]]:
        """Return what the last flushes found to be destroyed, by symbol: of quotes and books the ledger has it already.

        Trades are to be fetched again, and what is there of them and behind them to be appended anew, in order.
        """
        destroyed, self._destroyed = self._destroyed, []
        return destroyed

    def unwritten(self) -> Unwritten:
        """Return what is not on disk."""
        waiting = {sheet: count for sheet in (*self._dirty_ledgers, *self._dirty) if (count := sheet.waiting_rows())}
        trades = sum(count for sheet, count in waiting.items() if sheet.kind.lane is Lane.SEQUENCE)
        return Unwritten(len(waiting), sum(waiting.values()), trades, self.pending_bytes)

    def reopen(self) -> None:
        """At the next flush, once all that is pending is written, go on in the files that are under the paths by then.

        What was renamed meanwhile stays whole under its new name, and a fresh file begins with its header.
        """
        for sheet in filter(_is_made, self._sheets.values()):
            sheet.reopen()
            (self._dirty_ledgers if sheet.kind is LEDGER else self._dirty)[sheet] = None
        self._folder.rejects.reopen()

    def flush(self, *, sync: bool = True) -> int:
        """Write everything that is pending, ledgers first, and sync; return the bytes written.

        Raises `StoreError` when some of it could not be written: it is kept, and the next flush goes on with it. So it
        is with all of it where the folder is another's by now. A row must not be on disk before the gap in front of it
        is, so a file waits for its ledger.
        """
        errors: list[str] = []
        before = self.written_bytes
        try:
            if self._folder.hold():
                self.reopen()
        except (OSError, LockedError, ConfigError) as error:
            self.last_error = _told(str(self._folder.path), error) if isinstance(error, OSError) else str(error)
            raise StoreError(self.last_error) from error
        damaged = self._heal(errors, sync)
        self._flush_sheets(errors, sync, damaged)
        if self._lossy and self.pending_bytes <= self._pending_limit:
            for sheet in list(self._lossy):
                self._record_losses(sheet, 0)
            self._flush_sheets(errors, sync, damaged)
        self._flush_rejects(errors, sync)
        if sync:
            self._sync_rest(errors)
        if errors:
            self.last_error = errors[0]
            raise StoreError(errors[0] + (f" and {len(errors) - 1} more" if len(errors) > 1 else ""))
        return self.written_bytes - before

    def _heal(self, errors: list[str], sync: bool) -> set[Sheet]:
        """Look what other programs did to the files, and tell what they destroyed, before anything else is written.

        Return the sheets that can't be gone on with yet. Without a sync only files to be written are looked at.
        """
        damaged = set()
        sheets = self._sheets.values() if sync else (*self._dirty_ledgers, *self._dirty)
        for sheet in list(filter(_is_made, sheets)):
            try:
                destroyed = sheet.heal()
            except OSError as error:
                errors.append(_told(sheet.appender.path.name, error))
                damaged.add(sheet)
                continue
            if sheet.appender.pending_bytes:
                (self._dirty_ledgers if sheet.kind is LEDGER else self._dirty)[sheet] = None
            if destroyed is None:
                continue
            self._destroyed.append((sheet.symbol, destroyed))
            if destroyed.gap.first_missing_id is None:
                self.gap(sheet.symbol, destroyed.gap)
            else:
                self._lossy.pop(sheet, None)
        return damaged

    def _flush_sheets(self, errors: list[str], sync: bool, damaged: set[Sheet]) -> None:
        behind = {sheet.symbol for sheet in damaged if sheet.kind is LEDGER}
        for dirty in (self._dirty_ledgers, self._dirty):
            for sheet in list(dirty):
                if sheet.symbol in behind or sheet in damaged:
                    continue
                before = sheet.appender.written_bytes
                try:
                    sheet.flush(sync=sync or sheet.kind is LEDGER)
                except OSError as error:
                    errors.append(_told(sheet.appender.path.name, error))
                    if sheet.kind is LEDGER:
                        behind.add(sheet.symbol)
                else:
                    del dirty[sheet]
                self.written_bytes += sheet.appender.written_bytes - before
        self.pending_bytes = sum(sheet.appender.pending_bytes for sheet in (*self._dirty_ledgers, *self._dirty))

    def _flush_rejects(self, errors: list[str], sync: bool) -> None:
        rejects = self._folder.rejects
        before = rejects.appender.written_bytes
        try:
            if rejects.gone():
                rejects.start_over()
            rejects.flush(sync=sync)
        except OSError as error:
            errors.append(_told(REJECTS_NAME, error))
        self.written_bytes += rejects.appender.written_bytes - before

    def _sync_rest(self, errors: list[str]) -> None:
        """Sync what flushes without a sync have written, and the names of closed files."""
        for sheet in self._sheets.values():
            if sheet.appender.unsynced and sheet not in self._dirty and sheet not in self._dirty_ledgers:
                try:
                    sheet.appender.sync()
                except OSError as error:
                    errors.append(_told(sheet.appender.path.name, error))
        try:
            self._folder.sync_names()
        except OSError as error:
            errors.append(_told(str(self._folder.path), error))

    def close(self) -> None:
        """Close the files and unlock the folder."""
        for sheet in self._sheets.values():
            sheet.appender.close()
        self._folder.close()


def _told(name: str, error: OSError) -> str:
    return f"{name}: {error.strerror or error}"


def _is_made(sheet: Sheet) -> bool:
    return sheet.made
