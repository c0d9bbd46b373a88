"""One CSV file of one symbol: whole rows under its header, closed under its period's name when that is over."""

from collections.abc import Callable, Sequence

from ..exchange.events import Gap
from ..exchange.form import Form
from ..exchange.ledger import LEDGER
from ..exchange.streams.kind import TIME, Event, Lane
from .appender import Divider
from .destroyed import Destroyed, destroyed
from .folder import Folder
from .losses import Losses
from .period import Period
from .resumed import Resumed
from .table import Table
from .turns import ASIDE, CLOSE, FORGET, REOPEN, Turns

Opening = Callable[[Event], Event | None]
LINKED = (Lane.SEQUENCE, Lane.CHAIN)  # a row of theirs is of no use without the one before it


class Sheet:
    """One CSV file, and what of it waits for the disk: rows, and dividers between them for what is done to the file."""

    def __init__(
        self,
        form: Form,
        symbol: str,
        folder: Folder,
        period_ms: int,
        *,
        ours: bool = True,
        at_once: bool = True,
    ) -> None:
        """Open the file; raises `OSError`, and then it is closed. `period_ms` is 0 where it is never to be closed.

        What it holds is set aside if it is not `ours`. If not `at_once` there is no file yet, and the first flush makes
        it.
        """
        self.kind, self.symbol = form.kind, symbol
        self.table = Table(form, folder.appender(self.kind.file_name(symbol)), folder)
        self.appender = self.table.appender
        self._pending = self.appender.pending
        self.losses = Losses(self.kind)
        self._form, self._folder = form, folder
        self._period = Period(0 if self.kind is LEDGER else period_ms)
        self._turns = Turns(self.table, self.kind, symbol, folder)
        self.resumed = Resumed(form, symbol, folder, self.appender)
        self.made = at_once
        self._begins = False  # whether the next row is to stand by itself …
        self._lost: tuple[str, int] | None = None  # … since rows were lost, by what, and when the last of them was made
        if not at_once:
            return
        try:
            last_row = self.table.open(ours=ours)
            self.flush(sync=False)
            self._period.go_on_behind(self.resumed.read(last_row))
        except OSError:
            self.appender.close()
            raise

    def time_ms(self, row: str) -> int:
        """Return the time in a row of this file, in milliseconds."""
        return self.kind.row_time_ms(row)

    def append(self, events: Sequence[Event], now_ms: int | None = None, opening: Opening | None = None) -> int:
        """Keep events for the next flush, a divider where a period ends; return how many bytes their rows are.

        There is at least one. `now_ms` is what the exchange's clock says, if that is known; `opening` makes of an event
        the row that must stand before it where a file begins, or something lacks before it.
        """
        if self._begins:
            events, self._begins, self._lost = _opened(events, opening), False, None
        if events[-1][TIME] < self._period.near_ms:
            return self._keep(events)
        kept = 0
        for ended, piece in self._period.split(events, now_ms):
            if ended:
                self._pending.add_divider(Divider(CLOSE, ended))
                piece = _opened(piece, opening)
            kept += self._keep(piece)
        return kept

    def begin(self, cause: str = "", lost_ms: int = 0) -> None:
        """Let the next row stand by itself: it does not follow the last one, where a cause is given for rows lost."""
        self._begins = True
        self._lost = (cause, lost_ms) if cause else self._lost

    def stale(self, next_ms: int) -> Gap | None:
        """Return the stretch from rows that were lost to the next row, where without them the others say nothing."""
        if self._lost is None or self.kind.lane is not Lane.CHAIN:
            return None
        cause, lost_ms = self._lost
        return Gap.of_time(self.kind.name, lost_ms, max(lost_ms, next_ms), cause)

    def _keep(self, events: Sequence[Event]) -> int:
        data = ("\n".join(self._form.rows(events)) + "\n").encode("utf-8")
        self._pending.append(data)
        return len(data)

    def reopen(self) -> None:
        """Go on, once all that is pending is written, in the file that is under the path by then."""
        self._pending.add_divider(Divider(REOPEN))
        self.begin()

    def set_aside(self, why: str) -> None:
        """Once all that is pending is written, give the file and all closed ones before it other names, whole.

        What comes next is of another history, and goes to a fresh file.
        """
        self._pending.add_divider(Divider(ASIDE, why))
        self._period.start_over()

    def forget(self, stream: str) -> None:
        """Once all that is pending is written, set a ledger aside if it has rows of a stream; the others stay."""
        self._pending.add_divider(Divider(FORGET, stream))

    def flush(self, *, sync: bool) -> None:
        """Write what is pending, through every divider; raises `OSError`, and nothing is lost by it."""
        appender = self.appender
        if not self.made:
            self.table.open(ours=False)
            self.made = True
        try:
            appender.flush(sync=sync)
            while (divider := self._pending.divider) is not None:
                self._turns.take(divider)
                self._pending.pass_divider()
                appender.flush(sync=sync)
        finally:
            self.table.look_on()

    def heal(self) -> Destroyed | None:
        """Go on in what another program left of the file, and return what it destroyed; to be called before a flush.

        Trades can be had again: what is to be written behind them is handed back, to come again in order. Raises
        `OSError`, and is to be called again then, before anything is written.
        """
        cut = self.table.heal()
        if cut is None or self.kind is LEDGER:
            return None
        dividers = self._pending.dividers
        if any(divider.do == ASIDE for divider in dividers):
            return None  # what is gone is of a history that leaves the ledger's
        if self.kind.lane not in LINKED:
            return destroyed(self._form, cut)
        waiting = self._pending.take()
        if waiting.startswith(self.table.header):
            self._pending.append(self.table.header)
        if Divider(REOPEN) in dividers:
            self.reopen()
        if self.kind.lane is Lane.SEQUENCE:
            self.losses.forget()  # they are fetched again with the others
        parts_ms = [part.end_ms - 1 for part in self._folder.parts(self.kind, self.symbol)]
        self._period.go_on_behind([*parts_ms, self.time_ms(cut.left)] if cut.left else parts_ms)
        rows = waiting.removeprefix(self.table.header).decode("utf-8").split("\n")[:-1]
        found = destroyed(self._form, cut, rows)
        self.begin(found.gap.cause, found.gap.to_ms)
        return found

    def waiting_rows(self) -> int:
        """Return how many rows wait to be written."""
        return self._pending.all().removeprefix(self.table.header).count(b"\n")


def _opened(events: Sequence[Event], opening: Opening | None) -> Sequence[Event]:
    """Return events with what must stand before the first of them, if there is any such."""
    first = None if opening is None else opening(events[0])
    return events if first is None else [first, *events]
