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
from ..exchange.venues import FUTURES
from .appender import Write
from .bound import Bound
from .destroyed import Destroyed
from .flush import Flush, is_made, told
from .folder import Folder
from .period import PERIODS_MS
from .sheet import Opening, Sheet
from .sheets import Sheets

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
        market: str = FUTURES.name,
        sync: bool = True,
        rotate: str = "none",
        pending_limit: int = PENDING_BYTES,
        write: Write = os.write,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Make and lock the folder; raises `ConfigError` if it can't be written, `LockedError` if it is taken."""
        self.last_error = ""
        self._folder = Folder(folder, market, write=write, sync=sync, wall=wall)
        self._bound = Bound(pending_limit)
        forms = [Form(kind, options) for kind in (*kinds, LEDGER)]
        self.sheets = Sheets(self._folder, forms, PERIODS_MS[rotate])
        self._flush = Flush(self._folder)
        self._destroyed: list[tuple[str, Destroyed]] = []

    @property
    def pending_bytes(self) -> int:
        """How many bytes wait for the disk."""
        return self._bound.pending_bytes

    @property
    def written_bytes(self) -> int:
        """How many bytes went to the disk."""
        return self._flush.written_bytes

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
        """Open a symbol's files, or with "" those of the whole folder, as `Sheets.open` does."""
        self._flush.written_bytes += self.sheets.open(symbol, at_once=at_once)

    def append(
        self, kind: Kind, symbol: str, events: Sequence[Event], now_ms: int | None = None,
        opening: Opening | None = None,
    ) -> None:  # fmt: skip
        """Keep events for the next flush; where memory is full, note what is lost instead.

        `now_ms` is what the exchange's clock says, if that is known: a row of long after it ends no period. `opening`
        is as in `Sheet.append`.
        """
        if not events:
            return
        sheet = self.sheets.all[kind.name, symbol]
        bound = self._bound
        if bound.pending_bytes > bound.limit_bytes:
            bound.lose(sheet, events)
            return
        if sheet.losses:
            self._record_losses(sheet, events[0][TIME])
        bound.pending_bytes += sheet.append(events, now_ms, opening)
        self._flush.add(sheet)
        if not sheet.made:
            for other in self.sheets.of(symbol):  # the next flush makes all of a symbol's files, the ledger first
                self._flush.add(other)

    def gap(self, symbol: str, gap: Gap) -> None:
        """Keep a row of a symbol's ledger for the next flush; where memory is full, add it to what is lost by then.

        Nothing of its stream is kept until that is told, so one row can tell of all that are of one cause. Where there
        is no file yet it waits for the first row.
        """
        if self._bound.pending_bytes > self._bound.limit_bytes:
            self._bound.lose_gap(self.sheets.all[gap.stream, symbol], gap)
        else:
            self._record(symbol, gap)

    def _record(self, symbol: str, gap: Gap) -> None:
        ledger = self.sheets.all.get((LEDGER.name, symbol))
        if ledger is None:  # what is of the whole folder has none: the log tells
            return
        self._bound.pending_bytes += ledger.append([gap])
        if ledger.made:
            self._flush.add(ledger)

    def _record_losses(self, sheet: Sheet, next_ms: int) -> None:
        for gap in self._bound.take(sheet, next_ms):
            self._record(sheet.symbol, gap)

    def reject(self, source: str, received_ns: int, reason: str, data: bytes) -> None:
        """Keep what could not be read, verbatim, for the next flush."""
        self._folder.rejects.add(source, received_ns, reason, data)

    def set_aside(self, kind: Kind, symbol: str, why: str) -> None:
        """With the next flush, once what is pending is written, give a file and all closed ones before it other names.

        What comes next goes to a fresh file. The ids of former trades leave the ledger with them.
        """
        sheet = self.sheets.all[kind.name, symbol]
        self._record_losses(sheet, 0)
        sheet.set_aside(why)
        self._flush.add(sheet)
        if kind.lane is Lane.SEQUENCE:
            ledger = self.sheets.all[LEDGER.name, symbol]
            ledger.forget(kind.name)
            self._flush.add(ledger)

    def take_destroyed(self) -> list[tuple[str, Destroyed]]:
        """Return what the last flushes found to be destroyed, by symbol: of quotes and books the ledger has it already.

        Trades are to be fetched again, and what is there of them and behind them to be appended anew, in order.
        """
        destroyed, self._destroyed = self._destroyed, []
        return destroyed

    def unwritten(self) -> Unwritten:
        """Return what is not on disk."""
        waiting = {sheet: count for sheet in self._flush.dirty if (count := sheet.waiting_rows())}
        trades = sum(count for sheet, count in waiting.items() if sheet.kind.lane is Lane.SEQUENCE)
        return Unwritten(len(waiting), sum(waiting.values()), trades, self.pending_bytes)

    def reopen(self) -> None:
        """At the next flush, once all that is pending is written, go on in the files that are under the paths by then.

        What was renamed meanwhile stays whole under its new name, and a fresh file begins with its header.
        """
        for sheet in filter(is_made, self.sheets.all.values()):
            sheet.reopen()
            self._flush.add(sheet)
        self._folder.rejects.reopen()

    def flush(self, *, sync: bool = True) -> int:
        """Write everything that is pending, ledgers first, and sync; return the bytes written.

        Raises `StoreError` when some of it could not be written: it is kept, and the next flush goes on with it. So it
        is with all of it where the folder is another's by now. A row must not be on disk before the gap in front of it
        is, so a file waits for its ledger.
        """
        errors: list[str] = []
        before = self.written_bytes
        self._hold()
        flush = self._flush
        # Without a sync only files that are to be written are looked at.
        destroyed, damaged = flush.heal(list(self.sheets.all.values()) if sync else flush.dirty, errors)
        self._settle(destroyed)
        flush.write(errors, damaged, sync=sync)
        self._bound.pending_bytes = flush.pending_bytes
        if lossy := self._bound.lossy():
            for sheet in lossy:
                self._record_losses(sheet, 0)
            flush.write(errors, damaged, sync=sync)
            self._bound.pending_bytes = flush.pending_bytes
        flush.write_rejects(errors, sync=sync)
        if sync:
            flush.sync_rest(self.sheets.all.values(), errors)
        if errors:
            self.last_error = errors[0]
            raise StoreError(errors[0] + (f" and {len(errors) - 1} more" if len(errors) > 1 else ""))
        return self.written_bytes - before

    def _hold(self) -> None:
        """Make sure that the folder is still ours, and go on in it where it was made again; raises `StoreError`."""
        try:
            if self._folder.hold():
                self.reopen()
        except (OSError, LockedError, ConfigError) as error:
            self.last_error = told(str(self._folder.path), error) if isinstance(error, OSError) else str(error)
            raise StoreError(self.last_error) from error

    def _settle(self, destroyed: list[tuple[Sheet, Destroyed]]) -> None:
        """Note what other programs destroyed: of quotes and books in the ledger, of trades for who fetches them."""
        for sheet, found in destroyed:
            self._destroyed.append((sheet.symbol, found))
            if found.gap.first_missing_id is None:
                self.gap(sheet.symbol, found.gap)
            else:
                self._bound.forget(sheet)

    def close(self) -> None:
        """Close the files and unlock the folder."""
        for sheet in self.sheets.all.values():
            sheet.appender.close()
        self._folder.close()
