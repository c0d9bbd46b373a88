"""A data folder's symbols, read one after the other, each file once."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..archive.gaps import Gaps, gaps_of
from ..archive.rows import rows_of
from ..exchange.events import Gap
from ..exchange.ledger import LEDGER, NOT_ASKED
from ..exchange.streams.kind import Kind
from ..files.histories import Histories, in_order, last_row, open_closed
from ..files.names import PACKED, TABLE, Part
from ..files.source import Damaged, Source
from .axis import Axis
from .reading import History, Tell, Window

NEAR_MS = 3_600_000  # a closed file may have rows of so long before its period and behind it


class Found(NamedTuple):
    """A history, and what the ledger says is missing of it; None where there is no ledger."""

    history: History
    gaps: Gaps | None


class Folder:
    """The histories of a data folder, of some symbols and of a time."""

    def __init__(self, path: Path, symbols: tuple[str, ...], window: Window) -> None:
        """Raises `NotAFolder` where there is no data; of symbols that it has not got it knows nothing."""
        self.path = path
        self._window = window
        self._histories = Histories(path, live=True)
        self.known = [symbol for symbol in self._histories.symbols if symbol]
        chosen = [symbol for symbol in self._histories.symbols if not symbol or not symbols or symbol in symbols]
        self.sizes = {symbol: self._size(symbol) for symbol in chosen}
        self.set_aside = [entry.name for entry in self._histories.set_aside if entry.part.symbol in self.sizes]

    @property
    def symbols(self) -> list[str]:
        """The symbols, the largest first; the one that is blank has what is for the whole folder."""
        return sorted(self.sizes, key=lambda symbol: (-self.sizes[symbol], symbol))

    @property
    def histories(self) -> int:
        """How many histories there are, without ledgers."""
        return sum(kind != LEDGER.name for symbol in self.sizes for kind in self._histories.parts(symbol))

    @property
    def bytes(self) -> int:
        """How many there are to read."""
        return sum(self.sizes.values())

    def _size(self, symbol: str) -> int:
        """Return how many bytes a symbol has, of all but its ledger."""
        kinds = self._histories.parts(symbol).items()
        parts = (part for kind, of_kind in kinds if kind != LEDGER.name for part in of_kind)
        return sum(self._part_size(part) for part in parts if self._is_near(part))

    def _part_size(self, part: Part) -> int:
        for name in (part.name, part.name + PACKED):
            try:
                return (self.path / name).stat().st_size
            except OSError:
                continue
        return 0  # deleted since, or nothing that can be read: who reads it is told why

    def _is_near(self, part: Part) -> bool:
        start_ms, end_ms = self._window
        return not part.period or (start_ms < part.end_ms + NEAR_MS and part.end_ms - part.length_ms - NEAR_MS < end_ms)

    def extent(self) -> tuple[int, int] | None:
        """Return the times of the first row of all and of the last, of the time that was asked for; None without any.

        They are taken from the first and the last row of each history.
        """
        start_ms, end_ms = self._window
        ends = [
            self._ends(TABLE[kind], symbol, parts)
            for symbol in self.sizes
            for kind, parts in self._histories.parts(symbol).items()
            if kind != LEDGER.name
        ]
        inside = [one for one in ends if one and start_ms <= max(one) and min(one) < end_ms]
        if not inside:
            return None
        return max(start_ms, min(map(min, inside))), min(end_ms - 1, max(map(max, inside)))

    def _ends(self, kind: Kind, symbol: str, parts: set[Part]) -> tuple[int, int] | None:
        """Return the times of a history's first row and of its last, None where it has none that can be read."""
        closed = in_order(self.path, (part for part in parts if part.period), links=True)
        growing = [part for part in parts if not part.period]
        first = next(filter(None, map(self._first_row, (*closed, *growing))), "")
        last = next(filter(None, (self._last_row(kind, part) for part in growing)), None)
        last = last or last_row(self.path, closed, kind, links=True)
        try:
            return (kind.row_time_ms(first), kind.row_time_ms(last)) if first and last else None
        except (IndexError, ValueError):
            return None  # who reads the file is told why

    def _first_row(self, part: Part) -> str:
        try:
            with self._open(part) as source:
                return source.first_row().decode("utf-8", "replace")
        except (FileNotFoundError, Damaged):
            return ""

    def _last_row(self, kind: Kind, part: Part) -> str | None:
        with self._open(part) as source:
            return source.last_row(kind)

    def _open(self, part: Part) -> Source:
        if part.period:
            return open_closed(self.path, part, links=True)
        return Source(self.path / part.name, part, growing=True, links=True)

    def read(self, symbol: str, axis: Axis, tell: Tell) -> list[Found]:
        """Read a symbol's files, each once; raises `DamagedFile` for what is no row, `OSError`."""
        with self._histories.open(symbol) as files:
            ledger = files.pop(LEDGER.name, None)
            gaps = None if ledger is None else self._gaps(ledger)
            return [self._history(TABLE[kind], sources, axis, gaps, tell) for kind, sources in files.items()]

    def _gaps(self, sources: Iterator[Source]) -> list[Gap]:
        start_ms, end_ms = self._window
        rows = (row for source in sources for row in rows_of(LEDGER, source, None, None))
        gaps = (Gap._make(LEDGER.read(row)) for row in rows)
        return [gap for gap in gaps if gap.to_ms >= start_ms and gap.from_ms < end_ms]

    def _history(self, kind: Kind, sources: Iterator[Source], axis: Axis, gaps: list[Gap] | None, tell: Tell) -> Found:
        history = History(kind, axis, self._window)
        for source in sources:
            if self._is_near(source.part):
                history.read(source, tell)
        history.end()
        if gaps is None:
            return Found(history, None)
        own = (gap for gap in gaps if gap.stream == kind.name)
        return Found(history, gaps_of(gap for gap in own if gap.cause != NOT_ASKED or gap.to_ms > history.last_ms))
