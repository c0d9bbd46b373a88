"""A flush: what other programs did to the files first, then every ledger, then the rows, and all of it synced.

A row must not be on disk before the gap in front of it is, so a file waits for its ledger.
"""

from collections.abc import Iterable

from ..exchange.ledger import LEDGER
from .destroyed import Destroyed
from .folder import Folder
from .rejects import REJECTS_NAME
from .sheet import Sheet


class Flush:
    """The sheets that have something to write, and how it is written; what fails is kept, and told.

    `errors` are told of, and what is kept goes out with the next flush.
    """

    def __init__(self, folder: Folder) -> None:
        self.written_bytes = 0
        self._folder = folder
        self._ledgers: dict[Sheet, None] = {}  # what the next one has to do, in order
        self._others: dict[Sheet, None] = {}

    def add(self, sheet: Sheet) -> None:
        """Note that a sheet has something to be written, or done."""
        (self._ledgers if sheet.kind is LEDGER else self._others)[sheet] = None

    @property
    def dirty(self) -> list[Sheet]:
        """The sheets that have something to be written, ledgers first."""
        return [*self._ledgers, *self._others]

    @property
    def pending_bytes(self) -> int:
        """How many bytes wait."""
        return sum(sheet.appender.pending.size for sheet in self.dirty)

    def heal(self, sheets: Iterable[Sheet], errors: list[str]) -> tuple[list[tuple[Sheet, Destroyed]], set[Sheet]]:
        """Look what other programs did to files; return what they destroyed, and what can't be gone on with yet."""
        destroyed: list[tuple[Sheet, Destroyed]] = []
        damaged = set()
        for sheet in list(filter(is_made, sheets)):
            try:
                found = sheet.heal()
            except OSError as error:
                errors.append(told(sheet.appender.path.name, error))
                damaged.add(sheet)
                continue
            if sheet.appender.pending.size:
                self.add(sheet)
            if found is not None:
                destroyed.append((sheet, found))
        return destroyed, damaged

    def write(self, errors: list[str], damaged: set[Sheet], *, sync: bool) -> None:
        """Write what waits, but of what is damaged."""
        behind = {sheet.symbol for sheet in damaged if sheet.kind is LEDGER}
        for dirty in (self._ledgers, self._others):
            for sheet in list(dirty):
                if sheet.symbol in behind or sheet in damaged:
                    continue
                before = sheet.appender.written_bytes
                try:
                    sheet.flush(sync=sync or sheet.kind is LEDGER)
                except OSError as error:
                    errors.append(told(sheet.appender.path.name, error))
                    if sheet.kind is LEDGER:
                        behind.add(sheet.symbol)
                else:
                    del dirty[sheet]
                self.written_bytes += sheet.appender.written_bytes - before

    def write_rejects(self, errors: list[str], *, sync: bool) -> None:
        """Write the rejects that wait."""
        rejects = self._folder.rejects
        before = rejects.appender.written_bytes
        try:
            if rejects.gone():
                rejects.start_over()
            rejects.flush(sync=sync)
        except OSError as error:
            errors.append(told(REJECTS_NAME, error))
        self.written_bytes += rejects.appender.written_bytes - before

    def sync_rest(self, sheets: Iterable[Sheet], errors: list[str]) -> None:
        """Sync what flushes without a sync have written, and the names of closed files."""
        for sheet in sheets:
            if sheet.appender.unsynced and sheet not in self._others and sheet not in self._ledgers:
                try:
                    sheet.appender.sync()
                except OSError as error:
                    errors.append(told(sheet.appender.path.name, error))
        try:
            self._folder.sync_names()
        except OSError as error:
            errors.append(told(str(self._folder.path), error))


def told(name: str, error: OSError) -> str:
    """Return an error in words, with the file's name."""
    return f"{name}: {error.strerror or error}"


def is_made(sheet: Sheet) -> bool:
    """Return whether a sheet has a file yet."""
    return sheet.made
