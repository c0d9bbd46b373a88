"""What is of the whole folder is collected beside the symbols, over restarts and whatever befalls its file."""

import csv
import json
from pathlib import Path
from typing import Any

from aster_collect.exchange.events import Answer, Ask
from aster_collect.files.store import Store
from aster_collect.settings import Settings
from tests.support import Disk
from tests.unit.run.test_loop import Case

FRAMES = Path(__file__).parents[2] / "frames"
INFO = json.loads((FRAMES / "exchangeInfo.jsonl").read_text("utf-8").splitlines()[0])
FUNDING = json.loads((FRAMES / "fundingInfo.jsonl").read_text("utf-8"))
SYMBOLS = [one["symbol"] for one in INFO["symbols"]]


class Universe(Case):
    def setUp(self) -> None:
        super().setUp()
        self.begin(streams=("trades", "universe"))

    def polled(self, info: Any = INFO, funding: Any = FUNDING) -> list[str]:
        """Answer the calls of one poll, and return what was asked."""
        asked: list[Ask] = []
        for _ in range(2):
            while not (new := [one for one in self.asks if one.kind == "universe"]):
                self.pass_s(10)
            (ask,) = new
            asked.append(ask)
            self.asks.clear()
            value = info if "exchangeInfo" in ask.path else funding
            refused = "" if value is not None else "404"
            self.collector.take(Answer(ask, self.wall_ns(), self.wall_ns(), value, refused))
        self.pass_s(10)
        return [one.path for one in asked]

    def found(self) -> list[tuple[str, str, str]]:
        """Return symbol, status and funding interval of each row."""
        with (self.folder / "universe.csv").open(encoding="utf-8", newline="") as lines:
            return [(row["symbol"], row["status"], row["funding_interval_h"]) for row in csv.DictReader(lines)]

    def later(self, **statuses: str) -> dict[str, Any]:
        """Return the list of an hour later."""
        listed = [{**one, "status": statuses.get(one["symbol"], one["status"])} for one in INFO["symbols"]]
        return {**INFO, "serverTime": INFO["serverTime"] + 3_600_000, "symbols": listed}

    def test_a_symbol_that_is_settled(self) -> None:
        """All are there at the start, and an hour later the one that has changed."""
        self.assertEqual(self.polled(), ["/fapi/v3/fundingInfo", "/fapi/v3/exchangeInfo"])
        self.assertEqual([row[0] for row in self.found()], SYMBOLS)
        self.pass_s(3560)
        self.assertEqual([ask for ask in self.asks if ask.kind == "universe"], [])
        self.polled(self.later(BTCUSDT="SETTLING"), None)
        self.assertEqual(self.found()[len(SYMBOLS) :], [("BTCUSDT", "SETTLING", "8")])
        self.end()

    def again(self, **how: Any) -> None:
        """Start anew in the same folder."""
        self.store.close()
        settings = Settings(symbols=("BTCUSDT",), data_dir=self.folder, streams=("universe",))
        scope = settings.scope()
        self.store = Store(self.folder, scope.kinds, scope.options, sync=False, **how)
        self.addCleanup(self.store.close)
        for symbol in ("BTCUSDT", ""):
            self.store.open(symbol)
        self.collector = self.loop(settings)

    def test_a_restart(self) -> None:
        """The next run writes all of them again, behind the rows that are there."""
        self.polled()
        self.end()
        self.again()
        self.polled(self.later())
        self.assertEqual([row[0] for row in self.found()], 2 * SYMBOLS)
        self.end()

    def test_a_file_that_is_cut(self) -> None:
        """There is no ledger that could tell of it: the run goes on, and writes what changes."""
        self.polled()
        (self.folder / "universe.csv").write_bytes((self.folder / "universe.csv").read_bytes()[:200])
        self.polled(self.later(BTCUSDT="SETTLING"))
        self.assertEqual(self.found()[-1], ("BTCUSDT", "SETTLING", "8"))
        self.end()

    def test_a_disk_that_is_full_longer_than_memory_holds(self) -> None:
        """What is lost of it has no ledger either: the run goes on."""
        disk = Disk()
        self.again(pending_limit=300, write=disk)
        disk.room = 0
        for statuses in ({}, {"BTCUSDT": "SETTLING"}, {"BTCUSDT": "CLOSE"}):
            self.polled(self.later(**statuses))
        disk.room = None
        self.polled(self.later(BTCUSDT="TRADING"))
        self.assertEqual(self.found()[-1][:2], ("BTCUSDT", "TRADING"))
        self.end()
