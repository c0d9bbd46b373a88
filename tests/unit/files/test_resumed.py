"""A run begins with what tells what comes again from what is new: the end of each file."""

import tempfile
import unittest
from pathlib import Path

from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import KNOWN_ROWS, TIME, Options
from aster_collect.exchange.streams.mark import Mark
from aster_collect.exchange.streams.prices import Quote
from aster_collect.files.store import Store

S = "BTCUSDT"
START_MS = 1_764_000_000_000


class Ends(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def open(self) -> Store:
        store = Store(self.folder, [KINDS["prices"], KINDS["mark"]], Options())
        store.open(S)
        return store

    def times(self, kind: str, *after_ms: int) -> list[int]:
        """Write events, and return the times of those that a next run begins with."""
        store = self.open()
        make = {"prices": lambda at_ms: Quote(0, at_ms, "1", "2"), "mark": lambda at_ms: Mark(0, at_ms, *"12345")}[kind]
        store.backlog.append(KINDS[kind], S, [make(START_MS + one) for one in after_ms], START_MS)
        store.flush()
        store.close()
        store = self.open()
        self.addCleanup(store.close)
        return [event[TIME] - START_MS for event in store.sheets.left(KINDS[kind], S)]

    def test_quotes(self) -> None:
        """All that bear the time of the last row are there, and no other."""
        self.assertEqual(self.times("prices", 1000, 2000, 2000), [2000, 2000])

    def test_marks(self) -> None:
        """Without ids only what they say tells them apart: the last are there, whatever their times."""
        self.assertEqual(self.times("mark", 8000, 9000, 2000), [8000, 9000, 2000])

    def test_many_marks(self) -> None:
        """So many of them are, and no more."""
        every = list(range(0, 1000 * KNOWN_ROWS + 5000, 1000))
        self.assertEqual(self.times("mark", *every), every[-KNOWN_ROWS:])


if __name__ == "__main__":
    unittest.main()
