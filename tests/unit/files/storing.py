"""What the tests of the store share: rows in a row, and a folder that is opened, and left as a crash leaves it."""

import contextlib
import json
import resource
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aster_collect.exchange.events import Gap
from aster_collect.files.rejects import REJECTS_NAME
from tests import rows
from tests.rowstore import RowStore as Store

KINDS = (rows.PRICES, rows.ORDERBOOK, rows.TRADES)
S = "BTCUSDT"
WALL_S = 1_764_000_000.0
STAMP = "20251124T160000Z"


def row(kind: str, number: int) -> str:
    """Return a row of a kind, the later the higher its number."""
    time_ms = 1_764_000_000_000 + number
    return {
        rows.PRICES: f"{rows.seconds(time_ms)},{number % 7}.1,{number % 7}.3,{number % 7}.2",
        rows.ORDERBOOK: f"{rows.seconds(time_ms)},{number}" + ",1.0,2" * 5 + ",," * 5,
        rows.TRADES: f"{number},{time_ms},buy,100.1,0.5",
    }[kind]


def gap(first_id: int, last_id: int) -> Gap:
    return Gap(rows.TRADES, 1_764_000_000_000, 1_764_000_000_001, first_id, last_id, "gave-up")


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    """Let no file be opened for a while: the system's limit is reached."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "data"
        self.stores: list[Store] = []
        self.addCleanup(self.close)

    def close(self) -> None:
        """Close as a crash does: nothing more is written."""
        while self.stores:
            self.stores.pop().close()

    def store(self, *symbols: str, **options: Any) -> Store:
        """Open the folder."""
        options = {"levels": 5, "receive_time": False, "sync": False, "wall": lambda: WALL_S} | options
        store = Store(self.folder, **options)
        self.stores.append(store)
        for symbol in symbols or (S,):
            store.open(symbol)
        return store

    def quiet(self, *symbols: str, **options: Any) -> Store:
        """Open a damaged folder, which is said in the log."""
        with self.assertLogs("aster_collect", "WARNING"):
            return self.store(*symbols, **options)

    def path(self, kind: str, symbol: str = S) -> Path:
        return self.folder / rows.file_name(kind, symbol)

    def lines(self, kind: str, symbol: str = S) -> list[str]:
        """Return a file's rows, once it is sure that they are whole under the right header."""
        text = self.path(kind, symbol).read_bytes().decode("ascii")
        header, *found, rest = text.split("\n")
        self.assertEqual((header, rest), (",".join(rows.columns(kind, 5, False)), ""))
        return found

    def kept(self) -> list[bytes]:
        """Return what the rejects hold."""
        lines = (self.folder / REJECTS_NAME).read_text("ascii").splitlines()
        return [json.loads(line)["data"].encode("utf-8", "surrogateescape") for line in lines]

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())
