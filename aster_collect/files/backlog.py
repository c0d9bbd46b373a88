"""What waits for the next flush: rows and rows of the ledgers, within memory; beyond it, what is lost is noted."""

from collections.abc import Sequence
from typing import NamedTuple

from ..exchange.events import Gap
from ..exchange.ledger import LEDGER
from ..exchange.streams.kind import TIME, Event, Kind, Lane
from .bound import Bound
from .sheet import Opening, Sheet
from .sheets import Sheets


class Unwritten(NamedTuple):
    """What is not on disk: of how many files, how many rows, how many of these are trades, and bytes."""

    files: int
    rows: int
    trades: int
    bytes: int


class Backlog:
    """The sheets that have something to be written, or done, and how much that is."""

    def __init__(self, sheets: Sheets, limit_bytes: int) -> None:
        """`limit_bytes` is how much may wait, over all sheets."""
        self._sheets = sheets
        self._bound = Bound(limit_bytes)
        self._ledgers: dict[Sheet, None] = {}  # what the next flush has to do, in order
        self._others: dict[Sheet, None] = {}

    @property
    def pending_bytes(self) -> int:
        """How many bytes wait for the disk."""
        return self._bound.pending_bytes

    @property
    def dirty(self) -> list[Sheet]:
        """The sheets that have something to be written, ledgers first."""
        return [*self._ledgers, *self._others]

    def add(self, sheet: Sheet) -> None:
        """Note that a sheet has something to be written, or done."""
        (self._ledgers if sheet.kind is LEDGER else self._others)[sheet] = None

    def remove(self, sheet: Sheet) -> None:
        """Note that nothing of a sheet waits any more."""
        del (self._ledgers if sheet.kind is LEDGER else self._others)[sheet]

    def recount(self) -> None:
        """Count anew how many bytes wait, once some were written."""
        self._bound.pending_bytes = sum(sheet.appender.pending.size for sheet in self.dirty)

    def unwritten(self) -> Unwritten:
        """Return what is not on disk."""
        waiting = {sheet: count for sheet in self.dirty if (count := sheet.waiting_rows())}
        trades = sum(count for sheet, count in waiting.items() if sheet.kind.lane is Lane.SEQUENCE)
        return Unwritten(len(waiting), sum(waiting.values()), trades, self.pending_bytes)

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
        sheet = self._sheets.all[kind.name, symbol]
        bound = self._bound
        if bound.pending_bytes > bound.limit_bytes:
            bound.lose(sheet, events)
            return
        if sheet.losses:
            self._record_losses(sheet, events[0][TIME])
        elif stale := sheet.stale(events[0][TIME]):
            self._record(symbol, stale)
        bound.pending_bytes += sheet.append(events, now_ms, opening)
        self.add(sheet)
        if not sheet.made:
            for other in self._sheets.of(symbol):  # the next flush makes all of a symbol's files, the ledger first
                self.add(other)

    def gap(self, symbol: str, gap: Gap) -> None:
        """Keep a row of a symbol's ledger for the next flush; where memory is full, add it to what is lost by then.

        Nothing of its stream is kept until that is told, so one row can tell of all that are of one cause. Where there
        is no file yet it waits for the first row.
        """
        if self._bound.pending_bytes > self._bound.limit_bytes:
            self._bound.lose_gap(self._sheets.all[gap.stream, symbol], gap)
        else:
            self._record(symbol, gap)

    def set_aside(self, kind: Kind, symbol: str, why: str) -> None:
        """With the next flush, once what is pending is written, give a file and all closed ones before it other names.

        What comes next goes to a fresh file. The ids of former trades leave the ledger with them.
        """
        sheet = self._sheets.all[kind.name, symbol]
        self._record_losses(sheet, 0)
        sheet.set_aside(why)
        self.add(sheet)
        if kind.lane is Lane.SEQUENCE:
            ledger = self._sheets.all[LEDGER.name, symbol]
            ledger.forget(kind.name)
            self.add(ledger)

    def record_losses(self) -> bool:
        """Tell in the ledgers what was lost, if there is room by now; return whether there was anything to tell."""
        lossy = self._bound.lossy()
        for sheet in lossy:
            self._record_losses(sheet, 0)
        return bool(lossy)

    def forget_losses(self, sheet: Sheet) -> None:
        """Have nothing to tell of a sheet: what it lost is fetched again."""
        self._bound.forget(sheet)

    def _record_losses(self, sheet: Sheet, next_ms: int) -> None:
        for gap in self._bound.take(sheet, next_ms):
            self._record(sheet.symbol, gap)

    def _record(self, symbol: str, gap: Gap) -> None:
        ledger = self._sheets.all.get((LEDGER.name, symbol))
        if ledger is None:  # what is of the whole folder has none: the log tells
            return
        self._bound.pending_bytes += ledger.append([gap])
        if ledger.made:
            self.add(ledger)
