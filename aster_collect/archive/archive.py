"""A data folder as its user reads it."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from ..exchange.events import Gap
from ..exchange.ledger import LEDGER, NOT_ASKED
from ..exchange.streams.kind import Kind
from ..files.histories import Histories, in_order, last_row
from ..files.names import HOUR_MS, PACKED, TABLE, Part
from .gaps import Gaps, gaps_of
from .moment import Moment, milliseconds
from .rows import Row, rows_of

NEAR_MS = HOUR_MS  # a file may have rows of so long before its period and behind it
_ENDLESS_MS = 1 << 62


class Archive:
    """The files of a data folder, also of one that is being written to.

    A history is the rows of one kind and symbol over all its files: the closed ones, compressed or not, and the one
    that grows. What was set aside is in none. A kind with one file for all symbols, as universe, has the symbol "".
    Moments are datetimes, of UTC where they name no zone, or Unix seconds. A time is from its start up to, and without,
    its end.
    """

    def __init__(self, folder: str | PathLike[str] = "ASTER_data") -> None:
        """Raises `NotAFolder` when there is no such folder, or no data file in it."""
        self.folder = Path(folder)
        self._listed()

    def _listed(self) -> Histories:
        return Histories(self.folder, live=True)

    def symbols(self) -> list[str]:
        """Return of which symbols there are files, sorted."""
        return [symbol for symbol in self._listed().symbols if symbol]

    def kinds(self, symbol: str = "") -> list[str]:
        """Return of which kinds a symbol has files; without one, which have a file for the whole folder."""
        return [kind for kind in self._listed().parts(symbol) if kind != LEDGER.name]

    def files(self, kind: str, symbol: str = "", start: Moment | None = None, end: Moment | None = None) -> list[Path]:
        """Return the files of a history in order, the one that grows last.

        Of a time only those that can have rows of it. The kind `gaps` is the ledger. Raises `ValueError` for a kind
        that there is not.
        """
        first_ms, last_ms = _bounds(start, end)
        parts = self._listed().parts(symbol).get(_kind(kind).name, set())
        closed = [
            part
            for part in in_order(self.folder, (part for part in parts if part.period), links=True)
            if part.end_ms - part.length_ms - NEAR_MS < last_ms and first_ms < part.end_ms + NEAR_MS
        ]
        growing = [part for part in parts if not part.period]
        return [self._path(part) for part in (*closed, *growing)]

    def _path(self, part: Part) -> Path:
        """Return where a file is: where it is there both plain and compressed the plain one, which is deleted last."""
        plain = self.folder / part.name
        return plain if plain.exists() or not part.period else plain.with_name(plain.name + PACKED)

    def rows(
        self, kind: str, symbol: str = "", start: Moment | None = None, end: Moment | None = None
    ) -> Iterator[Row]:
        """Yield the rows of a history, of all of it or of a time, in the order of the files.

        A row is a named tuple: its cells as text, by the names of the columns of its file. Raises `ValueError` for a
        kind that there is not, `DamagedFile` at a line that is no row, `OSError` when a file can't be read.
        """
        table, bounds = _kind(kind), _bounds(start, end)
        names = {path.name.removesuffix(PACKED) for path in self.files(kind, symbol, start, end)}
        with self._listed().open(symbol) as histories:
            for source in histories.get(table.name, ()):
                if source.part.name in names or not source.part.period:
                    yield from rows_of(table, source, *bounds)

    def gaps(self, symbol: str, kind: str) -> Gaps:
        """Return what the ledger says is missing of a history, without overlaps.

        A stretch of `not-asked` counts while no trade has come behind it: those that follow without a hole in the ids
        prove that none is missing.
        """
        rows = [Gap._make(LEDGER.read(row)) for row in self.rows(LEDGER.name, symbol) if row.stream == _kind(kind).name]
        asked_ms = self._extent(_kind(kind), symbol)[1] if any(row.cause == NOT_ASKED for row in rows) else 0
        return gaps_of(row for row in rows if row.cause != NOT_ASKED or row.to_ms > asked_ms)

    def covered(self, symbol: str, kind: str, start: Moment, end: Moment) -> float:
        """Return which share of a time is covered: 1.0 where no stretch of the ledger lies in it, less where one does.

        What lies before the first row of the history or behind its last one is not covered. Raises `ValueError` for a
        kind that there is not, or a time that ends before it has begun.
        """
        start_ms, end_ms = _bounds(start, end)
        if start_ms >= end_ms:
            raise ValueError(f"end: {end} given, a moment behind start allowed, which is {start}")
        first_ms, last_ms = self._extent(_kind(kind), symbol)
        missing_ms = max(0, min(end_ms, first_ms) - start_ms) + max(0, end_ms - max(start_ms, last_ms))
        if missing_ms >= end_ms - start_ms:
            return 0.0
        for stretch in self.gaps(symbol, kind).stretches:
            from_ms, to_ms = milliseconds(stretch.start), milliseconds(stretch.end)
            missing_ms += max(0, min(end_ms, last_ms, to_ms) - max(start_ms, first_ms, from_ms))
        return 1 - missing_ms / (end_ms - start_ms)

    def _extent(self, kind: Kind, symbol: str) -> tuple[int, int]:
        """Return the times of the first and the last row of a history, in milliseconds; 0 and 0 where it has none."""
        with self._listed().open(symbol) as histories:
            first = next((row for source in histories.get(kind.name, ()) if (row := source.first_row())), b"")
        last = self._last_row(kind, symbol)
        return (kind.row_time_ms(first.decode()), kind.row_time_ms(last)) if first and last else (0, 0)

    def _last_row(self, kind: Kind, symbol: str) -> str:
        """Return the last row of a history, empty where it has none."""
        listed = self._listed()
        with listed.open(symbol) as histories:
            growing = [source for source in histories.get(kind.name, ()) if not source.part.period]
            row = growing[0].last_row(kind) if growing else None
        parts = [part for part in listed.parts(symbol).get(kind.name, ()) if part.period]
        return row or last_row(self.folder, parts, kind) or ""


def _kind(name: str) -> Kind:
    if name not in TABLE:
        raise ValueError(f"kind: {name!r} given, one of {', '.join(TABLE)} allowed")
    return TABLE[name]


def _bounds(start: Moment | None, end: Moment | None) -> tuple[int, int]:
    """Return a time in milliseconds; where an end of it is not given, all is in it."""
    return 0 if start is None else milliseconds(start), _ENDLESS_MS if end is None else milliseconds(end)
