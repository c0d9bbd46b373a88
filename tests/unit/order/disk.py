"""The modelled disk: it carries out what the store is told to, and can be full, slow, or end with what it has."""

from collections.abc import Callable, Iterable, Sequence
from random import Random

from aster_collect.errors import StoreError
from aster_collect.exchange.events import Gap
from aster_collect.exchange.form import Form
from aster_collect.exchange.ledger import LEDGER
from aster_collect.exchange.streams.kind import KNOWN_ROWS, Event, Kind, Lane, Options
from aster_collect.order.lane import Left


class Crash(Exception):
    """The program is gone, with all that it had in memory."""


class Sheet:
    """One file: its rows, how many of them are synced, and what waits, with a function for what is done to the file."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.rows: list[str] = []
        self.closed: list[list[str]] = []
        self.synced = 0
        self.touched_ms = 0
        self.waiting: list[str | Callable[[], None]] = []

    def set_aside(self) -> None:
        self.closed.append(self.rows)
        self.rows, self.synced = [], 0

    def write(self, most: int | None = None) -> None:
        """Write so many of what waits, or all."""
        now, self.waiting = self.waiting[:most], [] if most is None else self.waiting[most:]
        for one in now:
            if isinstance(one, str):
                self.rows.append(one)
            else:
                one()


class Backlog:
    """What `files/backlog.py` is to the program."""

    def __init__(self, sheets: dict[tuple[str, str], Sheet]) -> None:
        self.pending_bytes = 0
        self._sheets = sheets

    def append(self, kind: Kind, symbol: str, events: Sequence[Event], now_ms: int, _opening: object = None) -> None:
        sheet = self._sheets[kind.name, symbol]
        sheet.waiting += sheet.form.rows(events)

    def gap(self, symbol: str, gap: Gap) -> None:
        ledger = self._sheets[LEDGER.name, symbol]
        ledger.waiting += ledger.form.rows([gap])

    def set_aside(self, kind: Kind, symbol: str, why: str) -> None:
        sheet = self._sheets[kind.name, symbol]
        sheet.waiting.append(sheet.set_aside)
        if kind.lane is not Lane.SEQUENCE:
            return
        ledger = self._sheets[LEDGER.name, symbol]

        def forget() -> None:
            ledger.closed.append(ledger.rows)
            ledger.rows = [row for row in ledger.rows if not row.startswith(f"{kind.name},")]

        ledger.waiting.append(forget)


class Rejects:
    """What `files/rejects.py` is to the program."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str, bytes]] = []

    @property
    def count(self) -> int:
        return len(self.entries)

    def add(self, source: str, received_ns: int, reason: str, data: bytes) -> None:
        self.entries.append((source, reason, data))


class Disk:
    """What `files/store.py` is to the program, without a file."""

    def __init__(self, kinds: Iterable[Kind], options: Options, chance: Random, wall_ns: Callable[[], int]) -> None:
        self.last_error = ""
        self.is_full = False
        self.crash_in: int | None = None  # after so many more files were written
        self._kinds = list(kinds)
        self._forms = {kind.name: Form(kind, options) for kind in (*self._kinds, LEDGER)}
        self._chance, self._wall_ns = chance, wall_ns
        self.sheets: dict[tuple[str, str], Sheet] = {}
        self.backlog = Backlog(self.sheets)
        self.rejects = Rejects()

    def open(self, symbol: str) -> dict[str, Left]:
        """Open a symbol's files; return what is left in them."""
        kinds = [kind for kind in self._kinds if kind.whole_folder == (not symbol)]
        for kind in (*kinds, *([LEDGER] if symbol else [])):
            self.sheets.setdefault((kind.name, symbol), Sheet(self._forms[kind.name]))
        return {kind.name: self._left(kind, symbol) for kind in kinds}

    def _left(self, kind: Kind, symbol: str) -> Left:
        sheet = self.sheets[kind.name, symbol]
        last = [sheet.form.event(row) for row in sheet.rows[-KNOWN_ROWS:]]
        if not kind.by_content:
            last = [event for event in last if event[1] == last[-1][1]]
        missing = [] if kind.whole_folder else self.ledger_end(kind.name, symbol)
        return Left(last, sheet.touched_ms, missing)

    def ledger_end(self, stream: str, symbol: str) -> list[tuple[int, int]]:
        ledger = self.sheets[LEDGER.name, symbol]
        rows = [row.split(",") for row in (*ledger.rows, *ledger.waiting) if isinstance(row, str)]
        return [(int(row[3]), int(row[4])) for row in rows if row[0] == stream and row[3]]

    def take_destroyed(self) -> list[tuple[str, tuple[Gap, list[Event], bool]]]:
        return []

    def flush(self, *, sync: bool = True) -> int:
        """Write what waits, each symbol's ledger before its rows; where it is full, some of it."""
        waiting = [one for one, sheet in self.sheets.items() if sheet.waiting]
        waiting.sort(key=lambda one: one[0] != LEDGER.name)
        behind: set[str] = set()
        for name, symbol in waiting:
            if symbol in behind:
                continue
            if self.crash_in is not None:
                self.crash_in -= 1
                if self.crash_in < 0:
                    raise Crash
            sheet = self.sheets[name, symbol]
            if self.is_full:
                sheet.write(self._chance.randrange(2))
                behind |= {symbol} if sheet.waiting and name == LEDGER.name else set()
            else:
                sheet.write()
            sheet.touched_ms = self._wall_ns() // 1_000_000
            if name == LEDGER.name:  # before any row of the same flush
                sheet.synced = len(sheet.rows)
        for sheet in self.sheets.values() if sync else ():
            sheet.synced = len(sheet.rows)
        if any(sheet.waiting for sheet in self.sheets.values()):
            self.last_error = "no space left"
            raise StoreError(self.last_error)
        return 0

    def crash(self, *, of_the_machine: bool) -> None:
        """Lose what was not written; with the machine also what was not synced, or a part of it."""
        self.crash_in = None
        for sheet in self.sheets.values():
            sheet.waiting = []
            if of_the_machine and len(sheet.rows) > sheet.synced:
                del sheet.rows[self._chance.randrange(sheet.synced, len(sheet.rows) + 1) :]

    def files(self, kind: str, symbol: str) -> list[list[str]]:
        """Return the rows of each file of a kind, those set aside first."""
        sheet = self.sheets.get((kind, symbol))
        return [*sheet.closed, sheet.rows] if sheet else []

    def ledger(self, symbol: str) -> list[list[str]]:
        """Return all rows of a symbol's ledger as cells, those of ledgers set aside too."""
        every = dict.fromkeys(row for rows in self.files(LEDGER.name, symbol) for row in rows)
        return [row.split(",") for row in every]
