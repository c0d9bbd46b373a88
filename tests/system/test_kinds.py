"""Runs of every kind: all that there is of a market is in the files, over a lost connection and a restart."""

import csv
import unittest

from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Kind
from aster_collect.simulator import Fault
from aster_collect.simulator.venues import VENUES
from aster_collect.verify import check_folder
from tests.support import EndToEnd, now_ms

CHINESE = "币安人生USDT"
FREQUENT = ("prices", "orderbook", "depth", "trades", "fills", "mark")


class EveryKind(EndToEnd):
    def listed(self) -> list[str]:
        """Return the symbols of the rows of what is listed."""
        with (self.folder / "universe.csv").open(encoding="utf-8", newline="") as lines:
            return [row["symbol"] for row in csv.DictReader(lines)]

    def newest_ms(self, kind: Kind) -> int:
        """Return the time of the last row of a kind's file, -1 while it has none."""
        path = self.folder / kind.file_name(CHINESE)
        rows = path.read_text("utf-8").split("\n")[1:-1] if path.exists() else []
        return kind.row_time_ms(rows[-1]) if rows else -1

    def wait_for_all(self, *names: str, since_ms: int = 0) -> None:
        for kind in map(KINDS.__getitem__, names):
            self.collector.wait_for(lambda kind=kind: self.newest_ms(kind) >= since_ms, kind.name)

    def test_a_lost_connection_and_a_restart(self) -> None:
        """Each kind goes on, what was missed is told, and what is listed is told again."""
        self.begin(("BTCUSDT", CHINESE))
        self.collect("--streams", "all")
        self.wait_for_all(*FREQUENT, "open-interest")
        self.exchange.inject(Fault("drop"))
        self.wait_for_all(*FREQUENT, since_ms=now_ms() + 500)
        self.assertEqual(self.collector.stop(), 0)
        names = self.listed()
        self.assertIn(CHINESE, names)
        self.assertEqual(len(names), len(set(names)))
        self.collect("--streams", "all")
        self.wait_for_all(*FREQUENT, since_ms=now_ms())
        self.collector.wait_for(lambda: len(self.listed()) == 2 * len(names), "the list again")
        self.assertEqual(self.collector.stop(), 0)
        report = check_folder(self.folder)
        self.assertEqual(0, report.total, list(report.text()))
        self.assertEqual({history.kind for history in report.histories}, {*KINDS, "gaps"})

    def test_spot(self) -> None:
        """All that a spot market has of every symbol is there, and a folder of it is for spot alone."""
        self.begin(("BTCUSDT", CHINESE), venue=VENUES["spot"])
        self.collect("--market", "spot", "--all", "--streams", "all", symbols=())
        self.wait_for_all("prices", "orderbook", "depth", "trades", "fills")
        self.collector.wait_for(lambda: CHINESE in self.listed(), "the list")
        self.assertEqual(self.collector.stop(), 0)
        self.assertFalse(any(self.folder.glob("*_TEST*")), "what begins with TEST is no market")
        report = check_folder(self.folder)
        self.assertEqual(0, report.total, list(report.text()))
        self.assertEqual(
            {history.kind for history in report.histories},
            {"prices", "orderbook", "depth", "trades", "fills", "universe", "gaps"},
        )
        self.collect()
        self.assertEqual(self.collector.wait(), 2)
        self.assertIn(f"--market: futures given, but {self.folder} holds spot", self.collector.tail())


if __name__ == "__main__":
    unittest.main()
