"""A flush: what other programs did to the files first, then every ledger, then the rows, and all of it synced.

A row must not be on disk before the gap in front of it is, so a file waits for its ledger.
"""

from collections.abc import Iterable

from ..exchange.ledger import LEDGER
from .backlog import Backlog
from .destroyed import Destroyed
from .folder import Folder
from .rejects import REJECTS_NAME
from .sheet import Sheet


class Flush:
    """One flush of what waits; what fails is kept, told in `errors`, and goes out with the next."""

    def __init__(self, folder: Folder, backlog: Backlog, *, sync: bool) -> None:
        self.errors: list[str] = []
        self.written_bytes = 0
        self._folder, self._backlog, self._sync = folder, backlog, sync
        self._damaged: set[Sheet] = set()  # what can't be gone on with yet

    def heal(self, sheets: Iterable[Sheet]) -> list[tuple[Sheet, Destroyed]]:
        """Look what other programs did to files; return what they destroyed."""
        destroyed: list[tuple[Sheet, Destroyed]] = []
        for sheet in list(filter(is_made, sheets)):
            try:
                found = sheet.heal()
            except OSError as error:
                self.errors.append(told(sheet.appender.path.name, error))
                self._damaged.add(sheet)
                continue
            if sheet.appender.pending.size:
                self._backlog.add(sheet)
            if found is not None:
                destroyed.append((sheet, found))
        return destroyed

    def write(self) -> None:
        """Write what waits, but of what is damaged."""
        behind = {sheet.symbol for sheet in self._damaged if sheet.kind is LEDGER}
        for sheet in self._backlog.dirty:
            if sheet.symbol in behind or sheet in self._damaged:
                continue
            before = sheet.appender.written_bytes
            try:
                sheet.flush(sync=self._sync or sheet.kind is LEDGER)
            except OSError as error:
                self.errors.append(told(sheet.appender.path.name, error))
                if sheet.kind is LEDGER:
                    behind.add(sheet.symbol)
            else:
                self._backlog.remove(sheet)
            self.written_bytes += sheet.appender.written_bytes - before
        self._backlog.recount()

    def write_rejects(self) -> None:
        """Write the rejects that wait."""
        rejects = self._folder.rejects
        before = rejects.appender.written_bytes
        try:
            if rejects.gone():
                rejects.start_over()
            rejects.flush(sync=self._sync)
        except OSError as error:
            self.errors.append(told(REJECTS_NAME, error))
        self.written_bytes += rejects.appender.written_bytes - before

    def sync_rest(self, sheets: Iterable[Sheet]) -> None:
        """Sync what flushes without a sync have written, and the names of closed files."""
        waiting = set(self._backlog.dirty)
        for sheet in sheets:
            if sheet.appender.unsynced and sheet not in waiting:
                try:
                    sheet.appender.sync()
                except OSError as error:
                    self.errors.append(told(sheet.appender.path.name, error))
        try:
            self._folder.sync_names()
        except OSError as error:
            self.errors.append(told(str(self._folder.path), error))


def told(name: str, error: OSError) -> str:
    """Return an error in words, with the file's name."""
    return f"{name}: {error.strerror or error}"


def is_made(sheet: Sheet) -> bool:
    """Return whether a sheet has a file yet."""
    return sheet.made
