"""A data folder as its user reads it."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from ..exchange.events import Gap
from ..exchange.ledger import LEDGER, NOT_ASKED
from ..exchange.streams.kind import Kind
from ..files.histories import Histories, in_order, last_row
from ..files.names import HOUR_MS, PACKED, TABLE, Part
from ..files.source import Source
from .gaps import Gaps, NoLedger, gaps_of
from .moment import Moment, milliseconds
from .rows import Lines, Row, Rows, rows_of

NEAR_MS = HOUR_MS  # a file may have rows of so long before its period and behind it

Bounds = tuple[int | None, int | None]  # in milliseconds; None where all is meant


class Archive:
    """The files of a data folder, also of one that is being written to.

    A history is the rows of one kind and symbol over all its files: the closed ones, compressed or not, and the one
    that grows. What was set aside is in none. A kind with one file for all symbols, as universe, has the symbol "".

    Moments are datetimes, of UTC where they name no zone, or Unix seconds. What is asked for of a time is from its
    start on, and before its end, by the times of rows. It is looked for in files of up to an hour before and behind it:
    should the exchange's clock ever be set back by more, ask for more, or for all.

    Nothing is remembered but the folder: each call finds the files as they are by then. All raise `OSError` when a file
    can't be read, `ValueError` for a kind that there is not, a symbol where the kind has one file for all of them, none
    where it has not, and what is no moment.
    """

    def __init__(self, folder: str | PathLike[str] = "ASTER_data") -> None:
        """Raises `NotAFolder` when there is no such folder, or no data file in it."""
        self.folder = Path(folder)
        self._listed()

    def __repr__(self) -> str:
        return f"Archive({str(self.folder)!r})"

    def _listed(self) -> Histories:
        return Histories(self.folder, live=True)

    def symbols(self) -> list[str]:
        """Return of which symbols there are files, sorted."""
        return [symbol for symbol in self._listed().symbols if symbol]

    def kinds(self, symbol: str = "") -> list[str]:
        """Return of which kinds a symbol has files; without one, which have a file for the whole folder."""
        return [kind for kind in self._listed().parts(symbol) if kind != LEDGER.name]

    def files(self, kind: str, symbol: str = "", start: Moment | None = None, end: Moment | None = None) -> list[Path]:
        """Return the files of a history in order, the one that grows last; none where there are none.

        Of a time those that can have rows of it. Each has its own header: files may differ in their columns, where
        options were. The kind `gaps` is the ledger.
        """
        bounds = _bounds(start, end)
        parts = self._listed().parts(symbol).get(_kind(kind, symbol).name, set())
        closed = in_order(self.folder, (part for part in parts if part.period and _is_near(part, bounds)), links=True)
        growing = [part for part in parts if not part.period]
        return [path for part in (*closed, *growing) if (path := self._path(part)) is not None]

    def _path(self, part: Part) -> Path | None:
        """Return where a file is: where it is there both plain and compressed the plain one, which is deleted last.

        None where it has been deleted since, or has not even a header yet, which other readers take for damage.
        """
        for packed in ("", PACKED):
            path = self.folder / (part.name + packed)
            try:
                return path if path.stat().st_size else None
            except FileNotFoundError:
                continue
        return None

    def columns(
        self, kind: str, symbol: str = "", start: Moment | None = None, end: Moment | None = None
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the name and the columns of each of `files`, but one whose header is not whole yet.

        Raises `DamagedFile` where one begins with no header of its kind.
        """
        table, bounds = _kind(kind, symbol), _bounds(start, end)
        for source in self._sources(table, symbol, bounds):
            if columns := Lines(table, source).header():
                yield source.name, columns

    def rows(
        self, kind: str, symbol: str = "", start: Moment | None = None, end: Moment | None = None
    ) -> Iterator[Row]:
        """Yield the rows of a history, of all of it or of a time, in the order of the files, as they stand there.

        A row is a named tuple: its cells as text, by the names of the columns of its file. Memory does not grow with
        the files. Raises `DamagedFile` at a line that is no row, behind all that are; the last line of a file that
        grows may be under way, and is left out.
        """
        return self._rows(_kind(kind, symbol), symbol, _bounds(start, end))

    def blocks(
        self, kind: str, symbol: str = "", start: Moment | None = None, end: Moment | None = None
    ) -> Iterator[Rows]:
        """Yield the rows of a history, many at a time as lines of bytes, for programs that want them fast.

        Of a time all rows of the files that can have some of it; else as `rows` does.
        """
        table, bounds = _kind(kind, symbol), _bounds(start, end)
        return (rows for source in self._sources(table, symbol, bounds) for rows in Lines(table, source))

    def _rows(self, kind: Kind, symbol: str, bounds: Bounds) -> Iterator[Row]:
        for source in self._sources(kind, symbol, bounds):
            yield from rows_of(kind, source, *bounds)

    def _sources(self, kind: Kind, symbol: str, bounds: Bounds) -> Iterator[Source]:
        with self._listed().open(symbol) as histories:
            for source in histories.get(kind.name, ()):
                if not source.part.period or _is_near(source.part, bounds):
                    yield source

    def gaps(self, symbol: str, kind: str) -> Gaps:
        """Return what the ledger says is missing of a history, without overlaps: stretches of time, and of trades ids.

        A stretch of `not-asked` counts while no trade has come behind it: those that follow without a hole in the ids
        prove that none is missing. A kind with one file for all symbols has no ledger, and no gaps. Raises `NoLedger`
        where a symbol has none, and `DamagedFile` as `rows` does.
        """
        wanted = _kind(kind, symbol)
        if wanted.whole_folder:
            return gaps_of(())
        if LEDGER.name not in self._listed().parts(symbol):
            name = self.folder / LEDGER.file_name(symbol)
            raise NoLedger(f"{name}: there is none, so nobody knows what is missing; 'aster-collect verify' says more")
        rows = [Gap._make(LEDGER.read(row)) for row in self.rows(LEDGER.name, symbol) if row.stream == wanted.name]
        asked_ms = self._extent(wanted, symbol)[1] if any(row.cause == NOT_ASKED for row in rows) else 0
        return gaps_of(row for row in rows if row.cause != NOT_ASKED or row.to_ms > asked_ms)

    def covered(self, symbol: str, kind: str, start: Moment, end: Moment) -> float:
        """Return which share of a time is covered: 1.0 where no stretch of the ledger lies in it, less where one does.

        What lies before the first row of the history or behind its last one is not covered. Raises as `gaps` does, and
        `ValueError` for a time that does not end behind its start.
        """
        start_ms, end_ms = milliseconds(start), milliseconds(end)
        if start_ms >= end_ms:
            raise ValueError(f"end: {end} given, a moment behind start allowed, which is {start}")
        stretches = self.gaps(symbol, kind).stretches
        first_ms, last_ms = self._extent(_kind(kind, symbol), symbol)
        from_ms, to_ms = max(start_ms, first_ms), min(end_ms, last_ms)
        known_ms = max(0, to_ms - from_ms)
        for stretch in stretches:
            known_ms -= max(0, min(to_ms, milliseconds(stretch.end)) - max(from_ms, milliseconds(stretch.start)))
        return known_ms / (end_ms - start_ms)

    def _extent(self, kind: Kind, symbol: str) -> tuple[int, int]:
        """Return the times of the first and the last row of a history, in milliseconds; 0 and 0 where it has none."""
        first = next(self._rows(kind, symbol, (None, None)), None)
        last = self._last_row(kind, symbol) if first else ""
        return (kind.row_time_ms(",".join(first)), kind.row_time_ms(last)) if first and last else (0, 0)

    def _last_row(self, kind: Kind, symbol: str) -> str:
        """Return the last row of a history, empty where it has none."""
        try:
            path, part = self.folder / kind.file_name(symbol), Part(kind.name, symbol)
            with Source(path, part, growing=True, links=True) as growing:
                row = growing.last_row(kind)
        except FileNotFoundError:
            row = None
        parts = [part for part in self._listed().parts(symbol).get(kind.name, ()) if part.period]
        return row or last_row(self.folder, parts, kind, links=True) or ""


def _kind(name: str, symbol: str) -> Kind:
    if name not in TABLE:
        raise ValueError(f"kind: {name!r} given, one of {', '.join(TABLE)} allowed")
    if TABLE[name].whole_folder == bool(symbol):
        allowed = "none allowed: it has one file for all" if symbol else "one allowed: it has a file for each"
        raise ValueError(f"symbol of {name}: {symbol!r} given, {allowed}")
    return TABLE[name]


def _bounds(start: Moment | None, end: Moment | None) -> Bounds:
    return None if start is None else milliseconds(start), None if end is None else milliseconds(end)


def _is_near(part: Part, bounds: Bounds) -> bool:
    """Return whether a closed file can have rows of a time."""
    start_ms, end_ms = bounds
    return (start_ms is None or start_ms < part.end_ms + NEAR_MS) and (
        end_ms is None or part.end_ms - part.length_ms - NEAR_MS < end_ms
    )
