"""The files: rows are appended as bytes, whole, once, and synced; what can't be written yet is kept.

After any crash every file is whole rows again before the first new row. Nothing is ever overwritten or deleted:
a file that this run would not write is set aside under another name, and one whose period is over is closed under its.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..errors import ConfigError, LockedError, StoreError
from ..exchange.form import Form
from ..exchange.ledger import LEDGER
from ..exchange.streams.kind import Kind, Options
from ..exchange.venues import FUTURES
from .appender import Appender, Write
from .backlog import Backlog
from .destroyed import Destroyed
from .flush import Flush, is_made, told
from .folder import Folder
from .period import PERIODS_MS
from .sheet import Sheet
from .sheets import Sheets

PENDING_BYTES = 64 << 20  # rows that wait for a full disk, over all files


class Store:
    """The folder's sheets: opened, flushed together, each symbol's ledger before its rows, and closed.

    What is to be written is given to the `backlog`, what could not be read to the `rejects`.
    """

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
        self.written_bytes = 0  # to the disk
        self.folder = Folder(folder, market, write=write, sync=sync, wall=wall)
        self.rejects = self.folder.rejects
        forms = [Form(kind, options) for kind in (*kinds, LEDGER)]
        self.sheets = Sheets(self.folder, forms, PERIODS_MS[rotate])
        self.backlog = Backlog(self.sheets, pending_limit)
        self._destroyed: list[tuple[str, Destroyed]] = []

    def open(self, symbol: str, *, at_once: bool = True) -> None:
        """Open a symbol's files, or with "" those of the whole folder, as `Sheets.open` does."""
        self.written_bytes += self.sheets.open(symbol, at_once=at_once)

    def take_destroyed(self) -> list[tuple[str, Destroyed]]:
        """Return what the last flushes found to be destroyed, by symbol: of quotes and books the ledger has it already.

        Trades are to be fetched again, and what is there of them and behind them to be appended anew, in order.
        """
        destroyed, self._destroyed = self._destroyed, []
        return destroyed

    def appenders(self) -> Iterator[Appender]:
        """Yield all files, as they are written."""
        yield from (sheet.appender for sheet in self.sheets.all.values())
        yield self.rejects.appender

    def reopen(self) -> None:
        """At the next flush, once all that is pending is written, go on in the files that are under the paths by then.

        What was renamed meanwhile stays whole under its new name, and a fresh file begins with its header.
        """
        for sheet in filter(is_made, self.sheets.all.values()):
            sheet.reopen()
            self.backlog.add(sheet)
        self.rejects.reopen()

    def flush(self, *, sync: bool = True) -> int:
        """Write everything that is pending, ledgers first, and sync; return the bytes written.

        Raises `StoreError` when some of it could not be written: it is kept, and the next flush goes on with it. So it
        is with all of it where the folder is another's by now. A row must not be on disk before the gap in front of it
        is, so a file waits for its ledger.
        """
        self._hold()
        flush = Flush(self.folder, self.backlog, sync=sync)
        # Without a sync only files that are to be written are looked at.
        self._settle(flush.heal(self.sheets.all.values() if sync else self.backlog.dirty))
        flush.write()
        if self.backlog.record_losses():
            flush.write()
        flush.write_rejects()
        if sync:
            flush.sync_rest(self.sheets.all.values())
        self.written_bytes += flush.written_bytes
        if errors := flush.errors:
            self.last_error = errors[0]
            raise StoreError(errors[0] + (f" and {len(errors) - 1} more" if len(errors) > 1 else ""))
        return flush.written_bytes

    def _hold(self) -> None:
        """Make sure that the folder is still ours, and go on in it where it was made again; raises `StoreError`."""
        try:
            if self.folder.hold():
                self.reopen()
        except (OSError, LockedError, ConfigError) as error:
            self.last_error = told(str(self.folder.path), error) if isinstance(error, OSError) else str(error)
            raise StoreError(self.last_error) from error

    def _settle(self, destroyed: list[tuple[Sheet, Destroyed]]) -> None:
        """Note what other programs destroyed: of quotes and books in the ledger, of trades for who fetches them."""
        for sheet, found in destroyed:
            self._destroyed.append((sheet.symbol, found))
            if found.gap.first_missing_id is None:
                self.backlog.gap(sheet.symbol, found.gap)
            else:
                self.backlog.forget_losses(sheet)

    def close(self) -> None:
        """Close the files and unlock the folder."""
        for sheet in self.sheets.all.values():
            sheet.appender.close()
        self.folder.close()
