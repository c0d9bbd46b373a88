"""The data folders that an export reads: what of each is asked for."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from ..archive.moment import moment_of
from ..errors import ConfigError
from ..exchange.streams.kind import Kind
from ..files.histories import Histories
from ..files.market import market_of
from ..files.names import PACKED, TABLE, Part
from ..files.source import Source
from .asked import Asked


class Folder:
    """A data folder, and which kinds of which symbols of it are asked for; a collector may be writing to it."""

    def __init__(self, path: Path, asked: Asked) -> None:
        """Raises `NotAFolder` where there is no such folder, or no data file in it."""
        self.path = path
        self.listed = Histories(path, live=True)
        self.exchange = f"aster-{market_of(path)}"
        self.chosen = {
            symbol: [TABLE[kind] for kind in self.listed.parts(symbol) if not asked.kinds or kind in asked.kinds]
            for symbol in self.listed.symbols
            if not symbol or not asked.symbols or symbol in asked.symbols
        }

    @property
    def total_bytes(self) -> int:
        """How large the files are that are asked for, as they lie on the disk."""
        parts = (
            part
            for symbol, kinds in self.chosen.items()
            for kind in kinds
            for part in self.listed.parts(symbol)[kind.name]
        )
        return sum(map(self._size, parts))

    def _size(self, part: Part) -> int:
        for name in (part.name, part.name + PACKED):
            try:
                return (self.path / name).stat().st_size
            except FileNotFoundError:
                continue
        return 0  # deleted since the folder was listed

    def last_day(self) -> date | None:
        """Return the day of the latest row at the end of any growing file, of what the exchange says; None for none."""
        days = [
            moment_of(kind.row_time_ms(row)).date()
            for symbol in self.listed.symbols
            for name in self.listed.parts(symbol)
            if not (kind := TABLE[name]).shrinks and (row := self._last_row(kind, symbol))
        ]
        return max(days, default=None)

    def _last_row(self, kind: Kind, symbol: str) -> str | None:
        return self._of_growing(kind, symbol, lambda source: source.last_row(kind))

    def first_day(self, symbol: str) -> date | None:
        """Return the first day of a symbol's data, by the names of closed files, or the first rows of growing ones."""
        days = []
        for name, parts in self.listed.parts(symbol).items():
            kind = TABLE[name]
            closed = [date.fromisoformat(part.day) for part in parts if part.period]
            if closed:
                days.append(min(closed))
            elif not kind.shrinks and (row := self._of_growing(kind, symbol, _first_row)):
                days.append(moment_of(kind.row_time_ms(row)).date())
        return min(days, default=None)

    def _of_growing(self, kind: Kind, symbol: str, ask: Callable[[Source], str | None]) -> str | None:
        part = Part(kind.name, symbol)
        try:
            with Source(self.path / part.name, part, growing=True, links=True) as source:
                return ask(source)
        except FileNotFoundError:
            return None


def _first_row(source: Source) -> str:
    row = source.first_row().decode("utf-8", "replace")
    return row if TABLE[source.part.kind].is_row(row.count(",") + 1, row) else ""


def open_from(folder: Folder, now: datetime) -> date:
    """Return from which day on days are open: rows of them can still come.

    Of the last day in the folder's growing files a collector may be fetching rows while no other has come.
    """
    today = now.astimezone(UTC).date()
    last = folder.last_day()
    return today if last is None else min(today, last)


def folders(asked: Asked) -> Sequence[Folder]:
    """Return the folders; raises `ConfigError` where two have the same history, or none has a symbol that is asked for.

    Raises `NotAFolder` too.
    """
    found = [Folder(path, asked) for path in asked.folders]
    symbols = sorted({symbol for folder in found for symbol in folder.listed.symbols if symbol})
    missing = [symbol for symbol in asked.symbols if symbol not in symbols]
    if missing:
        there = ", ".join(symbols[:10]) + (", …" if len(symbols) > 10 else "")
        raise ConfigError(f"--symbols: {missing[0]} given, {there or 'none'} allowed: of no other are there files")
    seen: dict[tuple[str, str, str], Path] = {}
    for folder in found:
        for symbol, kinds in folder.chosen.items():
            for kind in kinds:
                other = seen.setdefault((folder.exchange, kind.name, symbol), folder.path)
                if other is not folder.path:
                    what = f"{kind.name} of {symbol}" if symbol else kind.name
                    raise ConfigError(
                        f"{what}: in {other} and in {folder.path}, one of them allowed; merge them first, or leave it "
                        "out with --kinds and --symbols"
                    )
    return found
