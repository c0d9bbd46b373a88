"""What another program does to the files is noticed, and costs no row but those that it destroyed."""

import os
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path

from aster_collect.errors import LockedError, StoreError
from aster_collect.files.destroyed import STEP_BACK_MS
from tests import rows
from tests.rowstore import RowStore as Store
from tests.rowstore import gap_row
from tests.support import Disk
from tests.unit.files.storing import KINDS, Case, S, gap, row

Disturb = Callable[[Store, Path], object]


class SomebodyElse(Case):
    def again(self, store: Store) -> None:
        """Fetch destroyed trades again, as the collector does."""
        for symbol, (lost, waiting, _) in store.take_destroyed_rows():
            if lost.first_missing_id is not None and lost.last_missing_id is not None:
                ids = range(lost.first_missing_id, lost.last_missing_id)
                store.append(rows.TRADES, symbol, [row(rows.TRADES, number) for number in ids] + waiting)

    def disturbed(self, disturb: Disturb, kind: str = rows.TRADES, before: int = 1) -> list[str]:
        """Return what is in a file after somebody disturbed it behind so many rows, and two more came."""
        store = self.store()
        store.append(kind, S, [row(kind, number) for number in range(1, before + 1)])
        store.flush()
        disturb(store, self.path(kind))
        store.append(kind, S, [row(kind, before + 1)])
        with self.assertLogs("aster_collect", "ERROR"):
            store.flush()
        self.again(store)
        store.append(kind, S, [row(kind, before + 2)])
        store.flush()
        return self.lines(kind)

    def destroyed(self, kind: str, first: int, last: int) -> str:
        """Return the ledger's row for what was there between two rows."""
        from_ms, to_ms = (rows.row_time_ms(kind, row(kind, number)) for number in (first, last))
        return f"{kind},{rows.seconds(from_ms - STEP_BACK_MS)},{rows.seconds(to_ms + STEP_BACK_MS)},,,destroyed"

    def test_the_file_is_deleted(self) -> None:
        """Collection goes on in a fresh file: trades are fetched again, of quotes the ledger says what is gone."""
        self.assertEqual(
            self.disturbed(lambda store, path: path.unlink(), before=3), [row(rows.TRADES, n) for n in range(1, 6)]
        )
        self.assertEqual(self.lines(rows.GAPS), [])
        self.close()
        for kind in (rows.PRICES, rows.ORDERBOOK):
            self.assertEqual(self.disturbed(lambda store, path: path.unlink(), kind, 3), [row(kind, n) for n in (4, 5)])
            self.assertEqual(self.lines(rows.GAPS)[-1], self.destroyed(kind, 1, 3))
            self.close()

    def test_the_file_is_cut(self) -> None:
        """What is left of it stays where it is, and the ledger says what is gone: from the last row that is there."""
        for kind in (rows.PRICES, rows.ORDERBOOK):
            left = len(",".join(rows.columns(kind, 5, False))) + 1 + 2 * (len(row(kind, 1)) + 1)
            for number, more in enumerate((0, 1, 20)):
                self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
                found = self.disturbed(lambda store, path, size=left + more: os.truncate(path, size), kind, 5)  # type: ignore[misc]
                self.assertEqual(found, [row(kind, n) for n in (1, 2, 6, 7)])
                self.assertEqual(self.lines(rows.GAPS), [self.destroyed(kind, 2, 5)])
                self.assertEqual([len(kept) for kept in self.kept()], [more] * (number > 0))
                self.close()

    def test_the_file_is_emptied(self) -> None:
        """A redirection empties it: header and later rows follow, and what was there is in the ledger or fetched."""
        for size in (0, 5):
            for kind in KINDS:
                self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
                found = self.disturbed(lambda store, path, size=size: os.truncate(path, size), kind, 4)  # type: ignore[misc]
                trades = kind == rows.TRADES
                self.assertEqual(found, [row(kind, n) for n in range(1 if trades else 5, 7)])
                self.assertEqual(self.lines(rows.GAPS), [] if trades else [self.destroyed(kind, 1, 4)])
                self.assertEqual([name for name in self.names() if "Z" in name], [])
                self.close()

    def test_the_rows_of_a_run_before_are_cut_too(self) -> None:
        """What is gone begins with the last row that is left, whoever wrote the rows."""
        for _ in range(2):
            store = self.store()
            number = 1 if store.last_row(rows.PRICES, S) is None else 4
            store.append(rows.PRICES, S, [row(rows.PRICES, number + n) for n in range(3)])
            store.flush()
            if number == 1:
                self.close()
        path = self.path(rows.PRICES)
        os.truncate(path, path.stat().st_size - 5 * (len(row(rows.PRICES, 1)) + 1))
        with self.assertLogs("aster_collect", "ERROR"):
            store.flush()
        self.assertEqual(self.lines(rows.PRICES), [row(rows.PRICES, 1)])
        self.assertEqual(self.lines(rows.GAPS), [self.destroyed(rows.PRICES, 1, 6)])

    def test_trades_are_cut_while_others_wait(self) -> None:
        """What is to be fetched is told by its ids, and what waits for a full disk comes behind it, in order."""
        for room in (0, 7, 40):
            self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
            disk = Disk()
            store = self.store(write=disk)
            store.append(rows.TRADES, S, [row(rows.TRADES, number) for number in range(1, 6)])
            store.flush()
            disk.room = room
            store.append(rows.TRADES, S, [row(rows.TRADES, number) for number in range(6, 9)])
            self.assertRaises(StoreError, store.flush)
            path = self.path(rows.TRADES)
            os.truncate(path, len(path.read_bytes().partition(b"\n3,")[0]) + 1)
            disk.room = None
            with self.assertLogs("aster_collect", "ERROR"):
                store.flush()
            self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, number) for number in (1, 2)])
            ((symbol, (gap, waiting, begins)),) = store.take_destroyed_rows()
            last = 5 if room < 10 else 6
            self.assertEqual((symbol, gap.first_missing_id, gap.last_missing_id, begins), (S, 3, last, False))
            self.assertEqual(waiting, [row(rows.TRADES, number) for number in range(last, 9)])
            self.assertEqual(store.backlog.pending_bytes, 0)
            self.close()

    def test_a_quiet_file_is_cut(self) -> None:
        """It is noticed though there is nothing to write to it."""
        store = self.store()
        store.append(rows.PRICES, S, [row(rows.PRICES, 1)])
        store.flush()
        os.truncate(self.path(rows.PRICES), 0)
        with self.assertLogs("aster_collect", "ERROR"):
            store.flush()
        self.assertEqual(self.lines(rows.GAPS), [self.destroyed(rows.PRICES, 1, 1)])
        self.assertEqual(self.lines(rows.PRICES), [])

    def test_an_editor_saves_fewer_rows(self) -> None:
        """A file that is no beginning of what it was is set aside whole, and the ledger takes in all of it."""

        def save(store: Store, path: Path) -> None:
            lines = path.read_text().splitlines(keepends=True)
            path.write_text("".join(lines[:2] + lines[4:]))

        found = self.disturbed(save, rows.PRICES, 6)
        self.assertEqual(found, [row(rows.PRICES, n) for n in (7, 8)])
        self.assertEqual(self.lines(rows.GAPS), [self.destroyed(rows.PRICES, 1, 6)])
        self.assertEqual(next(self.folder.glob("prices_*Z.csv")).read_text().count("\n"), 5)

    def test_it_is_cut_between_the_look_and_the_write(self) -> None:
        """Rows behind a cut that nobody saw make no file that looks whole: it is set aside, and all of it told."""
        store = self.store()
        store.append(rows.PRICES, S, [row(rows.PRICES, n) for n in range(1, 6)])
        store.flush()
        path = self.path(rows.PRICES)
        os.truncate(path, path.stat().st_size - 3 * (len(row(rows.PRICES, 1)) + 1))
        with path.open("a") as file:
            file.write(row(rows.PRICES, 5) + "\n")
        with self.assertLogs("aster_collect", "ERROR"):
            store.flush()
        self.assertEqual(self.lines(rows.GAPS), [self.destroyed(rows.PRICES, 1, 5)])
        self.assertEqual(self.lines(rows.PRICES), [])
        self.assertEqual(next(self.folder.glob("prices_*Z.csv")).read_text().count("\n"), 4)

    def test_somebody_appends_to_the_file(self) -> None:
        """The file is set aside with what was added, and collection goes on in a fresh one; nothing is destroyed."""
        found = self.disturbed(lambda store, path: path.write_bytes(path.read_bytes() + b"x\n"))
        self.assertEqual(found, [row(rows.TRADES, 2), row(rows.TRADES, 3)])
        aside = next(self.folder.glob("trades_*Z.csv")).read_text()
        self.assertTrue(aside.endswith(row(rows.TRADES, 1) + "\nx\n"))
        self.assertEqual(self.lines(rows.GAPS), [])

    def test_the_ledger(self) -> None:
        """Whatever is done to a ledger, its rows are in it again with the next flush: nothing else could tell them."""

        def append(path: Path) -> None:
            path.write_bytes(path.read_bytes() + b"x\n")

        for disturb in (
            Path.unlink, append, lambda path: os.truncate(path, 0), lambda path: os.truncate(path, 100),
            lambda path: path.write_bytes(b"other\n"), lambda path: path.write_bytes(path.read_bytes()[:-60] + b"x\n"),
        ):  # fmt: skip
            for room in (None, 0, 30):
                self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
                store = self.store()
                store.backlog.gap(S, gap(0, 9))
                store.flush()
                self.close()
                disk = Disk()
                store = self.store(write=disk)
                for number in range(1, 5):
                    store.backlog.gap(S, gap(10 * number, 10 * number + 9))
                store.flush()
                disk.room = room
                store.backlog.gap(S, gap(50, 59))
                if room is not None:
                    self.assertRaises(StoreError, store.flush)
                disk.room = None
                disturb(self.path(rows.GAPS))
                with self.assertLogs("aster_collect", "ERROR"):
                    store.flush()
                self.assertEqual(self.lines(rows.GAPS), [gap_row(gap(n, n + 9)) for n in range(0, 60, 10)])
                self.assertEqual(store.take_destroyed_rows(), [])
                self.close()

    def test_the_end_of_a_long_ledger(self) -> None:
        """Of a ledger that is emptied the newest rows are known still, and what is not is said in the log."""
        store = self.store()
        for number in range(3000):
            store.backlog.gap(S, gap(10 * number, 10 * number + 1))
        store.flush()
        os.truncate(self.path(rows.GAPS), 0)
        with self.assertLogs("aster_collect.files.damage", "ERROR") as logs:
            store.flush()
        found = self.lines(rows.GAPS)
        self.assertEqual(found, [gap_row(gap(10 * n, 10 * n + 1)) for n in range(3000 - len(found), 3000)])
        self.assertGreater(len(found), 500)
        self.assertTrue(any("ledger rows lost" in line for line in logs.output))

    def remove(self, *_: object) -> None:
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()

    def test_the_folder_is_removed(self) -> None:
        """The folder is made and locked again, and collection goes on in fresh files, with the ledger."""
        self.assertEqual(self.disturbed(self.remove), [row(rows.TRADES, number) for number in (1, 2, 3)])
        with self.assertRaises(LockedError):
            self.store()

    def test_the_folder_is_removed_while_there_is_nothing_to_write(self) -> None:
        """A flush without rows makes the folder again, and what comes later is written."""
        store = self.store()
        self.remove()
        with self.assertLogs("aster_collect", "ERROR"):
            store.flush()
        store.rejects.add("x", 1, "odd", b"data")
        store.flush()
        self.assertEqual(self.kept(), [b"data"])

    def test_the_folder_can_not_be_made_again(self) -> None:
        """While a file stands in the folder's place rows wait in memory, and they are written once it is gone."""
        store = self.store()
        self.remove()
        self.folder.write_text("in the way")
        store.append(rows.TRADES, S, [row(rows.TRADES, 1)])
        store.rejects.add("x", 1, "odd", b"data")
        for _ in range(3):
            self.assertRaises(StoreError, store.flush)
        self.folder.unlink()
        with self.assertLogs("aster_collect", "ERROR"):
            store.flush()
        store.append(rows.TRADES, S, [row(rows.TRADES, 2)])
        store.flush()
        self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, 1), row(rows.TRADES, 2)])
        self.assertEqual(self.kept(), [b"data"])

    def test_the_file_is_deleted_while_a_row_is_half_written(self) -> None:
        """The fresh file begins with that row, whole, behind its header."""
        for room in (0, 7):
            self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
            disk = Disk()
            store = self.store(write=disk)
            store.append(rows.TRADES, S, [row(rows.TRADES, 1), row(rows.TRADES, 2)])
            disk.room = room
            self.assertRaises(StoreError, store.flush)
            for _ in range(3):  # deleted again and again, while not even the header fits
                self.path(rows.TRADES).unlink()
                disk.room = 0
                with self.assertLogs("aster_collect", "ERROR"):
                    self.assertRaises(StoreError, store.flush)
            disk.room = None
            store.flush()
            self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, number) for number in (1, 2)])
            self.close()


if __name__ == "__main__":
    unittest.main()
