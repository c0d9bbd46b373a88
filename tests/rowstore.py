"""A store that is told of in rows of text, as they stand in the files, by the names of kinds."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aster_collect.exchange.events import Gap
from aster_collect.exchange.form import Form
from aster_collect.exchange.ledger import LEDGER
from aster_collect.exchange.streams import DEFAULT, KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.files.store import Store

OF_DEFAULT = [kind for name, kind in KINDS.items() if name in DEFAULT]


class RowStore(Store):
    """A store of the kinds that are collected by default."""

    def __init__(self, folder: Path, *, levels: int = 5, receive_time: bool = False, **options: Any) -> None:
        made = Options(levels=levels, receive_time=receive_time)
        self._of_rows = {kind.name: Form(kind, made) for kind in (*OF_DEFAULT, LEDGER)}
        super().__init__(folder, OF_DEFAULT, made, **options)

    def append(self, kind: str, symbol: str, lines: Sequence[str], now_ms: int | None = None) -> None:
        """Keep rows for the next flush."""
        form = self._of_rows[kind]
        events = [form.event(line) for line in lines]
        assert form.rows(events) == list(lines), "a row that the program would not write"
        self.backlog.append(form.kind, symbol, events, now_ms)

    def set_aside(self, kind: str, symbol: str, why: str) -> None:
        """Give a file another name with the next flush."""
        self.backlog.set_aside(self._of_rows[kind].kind, symbol, why)

    def last_rows(self, kind: str, symbol: str) -> list[str]:
        """Return all rows at the end of a file, as it was opened, that bear the time of its last row."""
        form = self._of_rows[kind]
        return form.rows(self.sheets.left(form.kind, symbol))

    def last_row(self, kind: str, symbol: str) -> str | None:
        """Return the last row that a file had when it was opened, or where it had none, the closed files before it."""
        return next(reversed(self.last_rows(kind, symbol)), None)

    def ledger_end(self, symbol: str) -> list[tuple[int, int]]:
        return self.sheets.ledger_end("trades", symbol)

    def take_destroyed_rows(self) -> list[tuple[str, tuple[Gap, list[str], bool]]]:
        """Return what `take_destroyed` does, in rows."""
        rows: Callable[[Gap, list[Any]], list[str]] = lambda gap, events: self._of_rows[gap.stream].rows(events)  # noqa: E731
        return [(symbol, (gap, rows(gap, waiting), begins)) for symbol, (gap, waiting, begins) in self.take_destroyed()]


def gap_row(gap: Gap) -> str:
    """Return a gap as a row of the ledger."""
    return LEDGER.write(Options())([gap])[0]


def row_of(kind: str, event: tuple[Any, ...], levels: int = 5) -> str:
    """Return an event's row."""
    return Form(KINDS[kind], Options(levels=levels)).rows([event])[0]
