"""What the tests of rotation share: rows of a time, and a folder whose files are closed each day."""

import logging
import os
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

from aster_collect.exchange.events import Gap
from aster_collect.files.histories import Histories
from aster_collect.verify import check_folder
from tests import rows
from tests.rowstore import RowStore as Store

KINDS = (rows.PRICES, rows.ORDERBOOK, rows.TRADES)
S = "BTCUSDT"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MIDNIGHT_MS = 1_795_305_600_000  # 2026-11-22T00:00Z
MISSING = Gap(rows.TRADES, MIDNIGHT_MS, MIDNIGHT_MS + 1, 1, 2, "gave-up")


def row(kind: str, number: int, time_ms: int) -> str:
    """Return a good row of a kind with an id, which of a quote is its bid's last digits."""
    return {
        rows.PRICES: f"{rows.seconds(time_ms)},100.{number:08d},200.{number:08d},150.{number:08d}",
        rows.ORDERBOOK: f"{rows.seconds(time_ms)},{number},1.0,2{',' * 8},1.1,2{',' * 8}",
        rows.TRADES: f"{number},{time_ms},buy,100.1,0.5",
    }[kind]


def number_of(kind: str, line: str) -> int:
    """Return the id in a row."""
    cells = line.split(",")
    if kind == rows.PRICES:
        return int(cells[1].partition(".")[2])
    return int(cells[0 if kind == rows.TRADES else 1])


class Stuck(type(Path())):  # type: ignore[misc]
    """A folder in which nothing can be renamed for as long as `why` says so."""

    why: ClassVar[list[int]] = []

    def rename(self, target: Any) -> Any:
        if self.why:
            raise OSError(self.why[0], os.strerror(self.why[0]))
        return super().rename(target)


class Case(unittest.TestCase):
    rotate = "day"

    def setUp(self) -> None:
        self.stores: list[Store] = []
        self.addCleanup(self.crash)
        silent = logging.NullHandler()  # what is repaired and renamed is said in the log
        logging.getLogger("aster_collect").addHandler(silent)
        self.addCleanup(logging.getLogger("aster_collect").removeHandler, silent)
        self.fresh()

    def fresh(self) -> None:
        """Go on in a folder of its own."""
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "data"

    def crash(self) -> None:
        """Close as a crash does: nothing more is written."""
        while self.stores:
            self.stores.pop().close()

    def store(self, *symbols: str, **options: Any) -> Store:
        options = {"levels": 5, "receive_time": False, "sync": False, "rotate": self.rotate} | options
        store = Store(self.folder, **options)
        self.stores.append(store)
        for symbol in symbols or (S,):
            store.open(symbol)
        return store

    def names(self, kind: str = "") -> list[str]:
        return sorted(path.name for path in self.folder.glob(f"{kind}*.csv*"))

    def history(self, kind: str, symbol: str = S) -> dict[str, list[str]]:
        """Return the rows of each of a history's files, in the order of verify, sure that they are whole."""
        header = ",".join(rows.columns(kind, 5, False))
        found = {}
        with Histories(self.folder).open(symbol) as histories:
            for source in histories[kind]:
                data = b"".join(block.data for block in source.blocks())
                first, *lines, rest = data.decode("ascii").split("\n")
                self.assertEqual((first, rest), (header, ""), source.name)
                found[source.name] = lines
        return found

    def all_rows(self, kind: str) -> list[str]:
        return [line for lines in self.history(kind).values() for line in lines]

    def assert_holds(self) -> None:
        """Fail unless verify finds nothing but hours or days without rows that are in no ledger: they are quiet."""
        reasons = [why for found in check_folder(self.folder).reasons.values() for _, why in found]
        self.assertEqual([why for why in reasons if "nothing happened for so long" not in why], [])
