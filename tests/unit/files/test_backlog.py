"""What waits for a full disk is bounded, and what is lost beyond that is told by the ledger."""

import unittest

from aster_collect.errors import StoreError
from aster_collect.exchange.events import Gap
from tests import rows
from tests.support import Disk
from tests.unit.files.storing import Case, S, gap, row


class FullMemory(Case):
    def test_memory_is_full_too(self) -> None:
        """Rows beyond the memory bound are one gap with its cause, ids and times, and the rest is written in order."""
        disk = Disk(0)
        with self.subTest("open"):
            disk.room = None
            store = self.store(write=disk, pending_limit=400)
        disk.room = 0
        with self.assertLogs("aster_collect", "ERROR") as logs:
            for number in range(0, 60, 2):
                for kind in (rows.TRADES, rows.PRICES):
                    store.append(kind, S, [row(kind, number), row(kind, number + 1)])
                with self.assertRaises(StoreError):
                    store.flush()
        self.assertEqual(len(logs.records), 2)
        self.assertLess(store.backlog.pending_bytes, 1000)
        disk.room = None
        store.flush()
        for kind in (rows.TRADES, rows.PRICES):
            store.append(kind, S, [row(kind, 60)])
        store.flush()
        found = self.lines(rows.TRADES)
        ids = [int(line.split(",")[0]) for line in found]
        ledger = [line.split(",") for line in self.lines(rows.GAPS)]
        lost = [cells for cells in ledger if cells[0] == rows.TRADES]
        self.assertEqual(len(lost), 1)
        first, last = int(lost[0][3]), int(lost[0][4])
        self.assertEqual([*ids[:-1], *range(first, last + 1), 60], list(range(61)))
        self.assertEqual(found, [row(rows.TRADES, number) for number in ids])
        quotes = [cells for cells in ledger if cells[0] == rows.PRICES]
        self.assertEqual([(cells[3], cells[4], cells[5]) for cells in quotes], [("", "", "overflow")])
        self.assertEqual(lost[0][5], "overflow")
        last_quote = self.lines(rows.PRICES)[-2].split(",")[0]
        self.assertLess(last_quote, quotes[0][1])
        self.assertGreaterEqual(quotes[0][2], row(rows.PRICES, 59).split(",")[0])

    def test_memory_is_full_and_ledgers_grow(self) -> None:
        """Gaps beyond the memory bound become one for each stream and cause, which takes in all, and none is lost."""
        disk = Disk()
        store = self.store(write=disk, pending_limit=400)
        disk.room = 0
        causes = ("late", "reconnect", "gave-up")
        with self.assertLogs("aster_collect", "ERROR"):
            for number in range(5000):
                times = (1_764_000_000_000 + number, 1_764_000_000_000 + number + 1)
                store.backlog.gap(S, Gap(rows.PRICES, *times, None, None, causes[number % 2]))
                store.backlog.gap(S, Gap(rows.TRADES, *times, number, number, causes[2]))
                store.backlog.gap(S, Gap(rows.TRADES, *times, None, None, "not-asked"))
            self.assertRaises(StoreError, store.flush)
        self.assertLess(store.backlog.pending_bytes, 600)
        store.append(rows.TRADES, S, [row(rows.TRADES, 5000)])
        disk.room = None
        store.flush()
        cells = [line.split(",") for line in self.lines(rows.GAPS)]
        self.assertLess(len(cells), 20)
        for stream, cause in ((rows.PRICES, causes[0]), (rows.PRICES, causes[1]), (rows.TRADES, "not-asked")):
            told = [(row[1], row[2]) for row in cells if (row[0], row[5]) == (stream, cause)]
            self.assertLessEqual(min(told)[0], "1764000000.001")
            self.assertGreaterEqual(max(to for _, to in told), "1764000004.999")
        ids = sorted((int(row[3]), int(row[4])) for row in cells if row[3])
        self.assertEqual((ids[0][0], ids[-1][1]), (0, 5000))
        self.assertEqual([last + 1 for _, last in ids[:-1]], [first for first, _ in ids[1:]])
        self.assertEqual({row[5] for row in cells if not row[3] and row[0] == rows.TRADES}, {"not-asked"})

    def test_what_is_not_on_disk(self) -> None:
        """The files, rows, trades and bytes that wait are counted, a half-written row as one, headers as none."""
        disk = Disk()
        store = self.store(write=disk)
        self.assertEqual(store.backlog.unwritten(), (0, 0, 0, 0))
        disk.room = 40
        for kind in (rows.TRADES, rows.PRICES):
            store.append(kind, S, [row(kind, number) for number in range(3)])
        store.backlog.gap(S, gap(1, 2))
        self.assertRaises(StoreError, store.flush)
        files, count, trades, size = store.backlog.unwritten()
        self.assertEqual((files, count, trades), (3, 7, 3))
        self.assertEqual(size, store.backlog.pending_bytes)
        disk.room = None
        store.flush()
        self.assertEqual(store.backlog.unwritten(), (0, 0, 0, 0))

    def test_rows_that_come_before_the_loss_is_told(self) -> None:
        """A loss is told in front of the first row that fits again."""
        disk = Disk()
        store = self.store(write=disk, pending_limit=10)
        disk.room = 0
        with self.assertLogs("aster_collect", "ERROR"):
            store.append(rows.PRICES, S, [row(rows.PRICES, 1)])
            store.append(rows.PRICES, S, [row(rows.PRICES, 2)])
        disk.room = None
        store.flush()
        store.append(rows.PRICES, S, [row(rows.PRICES, 9)])
        store.flush()
        self.assertEqual(self.lines(rows.PRICES), [row(rows.PRICES, 1), row(rows.PRICES, 9)])
        self.assertEqual([line.split(",")[-1] for line in self.lines(rows.GAPS)], ["overflow"])


if __name__ == "__main__":
    unittest.main()
