"""How a run stands is told in one snapshot, of the rows and of the raw record."""

import tempfile
import unittest
from pathlib import Path

from aster_collect.files.store import Store
from aster_collect.order.entries import Moment
from aster_collect.run.build import build_engine
from aster_collect.run.desk import Desk, Done
from aster_collect.run.moments import Moments
from aster_collect.settings import Settings
from aster_collect.watch.snapshot import Recorded, Snapshot

NOW = Moment(5.0, 1_764_000_000_000_000_000)
EARLIER_NS, LATER_NS = NOW.ns - 9_000_000_000, NOW.ns - 3_000_000_000


class AFullDisk(unittest.TestCase):
    def seen(self, rows_since_ns: int, record_since_ns: int, record_error: str = "raw.jsonl.gz: full") -> Snapshot:
        """Return how a run stands, rows or a record of which can't be written since then."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        settings, moments = Settings(("BTCUSDT",), data_dir=folder), Moments(lambda: NOW.s, lambda: NOW.ns)
        store = Store(folder, settings.scope().kinds, settings.scope().options, sync=False)
        self.addCleanup(store.close)
        store.last_error = "trades_BTCUSDT.csv: full" if rows_since_ns else ""
        engine, _ = build_engine(settings, store, lambda ask: None, moments)
        desk = Desk(settings, engine, store, moments, lambda: Recorded(0, 0, 0, record_since_ns, record_error))
        return desk.snapshot(Done({}, rows_since_ns), 0, 0)

    def test_it_takes_neither_rows_nor_the_record(self) -> None:
        """Writing fails since the first of both did, and that one's error is told."""
        for rows_ns, record_ns, since_ns, error in (
            (0, 0, 0, "raw.jsonl.gz: full"),
            (LATER_NS, 0, LATER_NS, "trades_BTCUSDT.csv: full"),
            (0, LATER_NS, LATER_NS, "raw.jsonl.gz: full"),
            (EARLIER_NS, LATER_NS, EARLIER_NS, "trades_BTCUSDT.csv: full"),
            (LATER_NS, EARLIER_NS, EARLIER_NS, "raw.jsonl.gz: full"),
        ):
            seen = self.seen(rows_ns, record_ns)
            self.assertEqual((seen.failing_since_ns, seen.last_error), (since_ns, error))

    def test_it_has_always_taken_all(self) -> None:
        """Nothing is told."""
        seen = self.seen(0, 0, "")
        self.assertEqual((seen.failing_since_ns, seen.last_error), (0, ""))


if __name__ == "__main__":
    unittest.main()
