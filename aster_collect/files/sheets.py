"""The sheets of a run: one for each symbol and kind, opened together, and what a run before has left in them."""

import re

from ..exchange.cells import SECONDS, milliseconds
from ..exchange.form import Form
from ..exchange.ledger import LEDGER
from ..exchange.streams.kind import Event, Kind
from .folder import Folder, refusal
from .sheet import Sheet


class Sheets:
    """All sheets, by kind and symbol."""

    def __init__(self, folder: Folder, forms: list[Form], period_ms: int) -> None:
        self.all: dict[tuple[str, str], Sheet] = {}
        self._folder, self._forms, self._period_ms = folder, forms, period_ms

    def open(self, symbol: str, *, at_once: bool) -> int:
        """Open a symbol's files, or with "" those of the whole folder: each is whole rows under the right header then.

        If not `at_once`, a symbol that has none yet gets them with its first row: nobody knows whether there is such a
        symbol.

        Files beside which no ledger was kept are the earlier script's: they are set aside, and fresh ones begun.

        Returns how many bytes were written. Raises `ConfigError` when one can't be opened, `StoreError` when the disk
        is at fault and may be well again.
        """
        forms = self._forms_of(symbol)
        if not forms or (forms[-1].kind.name, symbol) in self.all:
            return 0
        opened: dict[tuple[str, str], Sheet] = {}
        ours = not symbol or self._folder.knows(symbol)
        at_once = at_once or self._folder.has(symbol)
        try:
            for form in forms:
                sheet = Sheet(form, symbol, self._folder, self._period_ms, ours=ours, at_once=at_once)
                opened[form.kind.name, symbol] = sheet
        except OSError as error:
            for sheet in opened.values():
                sheet.appender.close()
            raise refusal(self._folder.path, error) from error
        self.all |= opened
        return sum(sheet.appender.written_bytes for sheet in opened.values())

    def of(self, symbol: str) -> list[Sheet]:
        """Return a symbol's sheets."""
        return [self.all[form.kind.name, symbol] for form in self._forms_of(symbol)]

    def _forms_of(self, symbol: str) -> list[Form]:
        return [form for form in self._forms if form.kind.whole_folder == (not symbol)]

    def left(self, kind: Kind, symbol: str) -> list[Event]:
        """Return all events at the end of a file, as it was opened, that bear the time of its last row.

        Of a kind told by content they are the last, of any time. Where it had none they are of the closed files before.
        """
        return self.all[kind.name, symbol].resumed.events

    def touched_ms(self, kind: Kind, symbol: str) -> int:
        """Return when a file had last been changed when it was opened, by this machine's clock."""
        return self.all[kind.name, symbol].resumed.touched_ms

    def ledger_end(self, stream: str, symbol: str) -> list[tuple[int, int]]:
        """Return the ranges of ids, both ends included, that the end of a symbol's ledger calls missing of a stream."""
        cells = self._told(stream, symbol)
        return [(int(row[3]), int(row[4])) for row in cells if row[3].isdigit() and row[4].isdigit()]

    def anew_ms(self, stream: str, symbol: str) -> int:
        """Return up to when the end of a symbol's ledger tells that a stream's ids began anew; 0 where it does not."""
        cells = [row[2] for row in self._told(stream, symbol) if row[5] == "new-ids"]
        return max((milliseconds(cell) for cell in cells if re.fullmatch(SECONDS.pattern, cell)), default=0)

    def _told(self, stream: str, symbol: str) -> list[list[str]]:
        ledger = self.all[LEDGER.name, symbol]
        written = ledger.table.end().rpartition(b"\n")[0]  # of a line that is half written the appender has all
        lines = b"\n".join((written, ledger.appender.pending.all())).decode("ascii", "replace").split("\n")
        cells = (line.split(",") for line in lines if line.startswith(f"{stream},"))
        return [row for row in cells if len(row) == 6]
