"""A data folder that tests of its readers write, file by file."""

import gzip
import tempfile
import unittest
from collections.abc import Iterable
from pathlib import Path

from aster_collect.archive import Archive
from aster_collect.exchange.form import columns_of
from aster_collect.exchange.streams.kind import Options
from aster_collect.files.names import TABLE, Part

S = "BTCUSDT"
START_MS = 1_795_363_200_000  # 2026-11-22, midnight less eight hours: 16:00
LEDGER_HEADER = "stream,from_unix_timestamp,to_unix_timestamp,first_missing_id,last_missing_id,cause"


def trade(number: int, time_ms: int | None = None) -> str:
    """Return a row of a trade: the next second's for each number."""
    return f"{number},{START_MS + 1000 * number if time_ms is None else time_ms},buy,0.10,2.50"


def header_of(kind: str, options: Options = Options()) -> str:  # noqa: B008
    """Return what files of a kind begin with."""
    return ",".join(column.name for column in columns_of(TABLE[kind], options))


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def put(
        self,
        kind: str,
        rows: Iterable[str] = (),
        period: str = "",
        number: int = 1,
        *,
        symbol: str = S,
        packed: bool = False,
        header: str = "",
        end: str = "",
    ) -> Path:
        """Write a file of a history; `end` goes behind its last line."""
        lines = "".join(f"{line}\n" for line in (header or header_of(kind), *rows)) + end
        path = self.folder / (Part(kind, symbol, period, number).name + ".gz" * packed)
        path.write_bytes(gzip.compress(lines.encode(), 1) if packed else lines.encode())
        return path

    def ledger(self, *rows: str, symbol: str = S) -> None:
        """Write a symbol's ledger; a row is a stream, from and to in milliseconds behind the start, and the rest."""
        lines = []
        for row in rows:
            stream, start, end, rest = row.split(",", 3)
            stamps = (f"{(START_MS + int(ms)) / 1000:.3f}" for ms in (start, end))
            lines.append(",".join((stream, *stamps, rest)))
        self.put("gaps", lines, symbol=symbol)

    @property
    def archive(self) -> Archive:
        return Archive(self.folder)

    def ids(self, *bounds: float | None, symbol: str = S) -> list[int]:
        """Return the ids of the trades, of a time too, in seconds behind the start."""
        moments = [None if one is None else START_MS / 1000 + one for one in bounds]
        return [int(row.id) for row in self.archive.rows("trades", symbol, *moments)]
