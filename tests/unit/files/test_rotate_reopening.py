"""Files that logrotate has renamed, and fresh ones under their names after a SIGHUP: each row is in one of them."""

import errno
import unittest

from aster_collect.errors import StoreError
from aster_collect.files.rejects import REJECTS_NAME
from tests import rows
from tests.rowstore import RowStore as Store
from tests.support import Disk, rounds
from tests.unit.files.rotating import DAY_MS, KINDS, MIDNIGHT_MS, MISSING, Case, S, Stuck, number_of, row


class Reopening(Case):
    """logrotate renames files, and sends SIGHUP afterwards."""

    def write(self, store: Store, number: int, time_ms: int = MIDNIGHT_MS) -> None:
        for kind in KINDS:
            store.append(kind, S, [row(kind, number, time_ms + number)])
        store.backlog.gap(S, MISSING._replace(first_missing_id=1000 + number, last_missing_id=1000 + number))
        store.rejects.add("x", 1, "odd", b"%d" % number)

    def move(self) -> None:
        for path in list(self.folder.iterdir()):
            if path.suffix in (".csv", ".jsonl"):
                path.rename(self.folder / f"{path.name}.1")

    def assert_rows(self, suffix: str, *numbers: int) -> None:
        for kind in KINDS:
            header, *lines, rest = (self.folder / f"{kind}_{S}.csv{suffix}").read_text().split("\n")
            self.assertEqual((header, rest), (",".join(rows.columns(kind, 5, False)), ""))
            self.assertEqual([number_of(kind, line) for line in lines], list(numbers), kind)
        header, *lines, _ = (self.folder / f"gaps_{S}.csv{suffix}").read_text().split("\n")
        self.assertEqual((header, len(lines)), (",".join(rows.columns(rows.GAPS, 5, False)), len(numbers)))
        self.assertEqual(len((self.folder / f"{REJECTS_NAME}{suffix}").read_text().splitlines()), len(numbers))

    def test_files_are_renamed_and_reopened(self) -> None:
        """Rows until then are in the renamed files, those behind in fresh ones with their headers, none twice."""
        store = self.store()
        self.write(store, 1)
        store.flush()
        self.move()
        self.write(store, 2)
        store.flush()
        self.assert_rows(".1", 1, 2)
        self.write(store, 3)
        store.reopen()
        store.flush()
        self.write(store, 4)
        store.flush()
        self.assert_rows(".1", 1, 2, 3)
        self.assert_rows("", 4)
        self.crash()
        self.assertEqual(self.store().last_row("trades", S), row("trades", 4, MIDNIGHT_MS + 4))

    def test_nothing_was_renamed(self) -> None:
        """A signal without a renaming changes nothing, however often it comes."""
        store = self.store()
        for number in range(1, 4):
            self.write(store, number)
            store.reopen()
            store.reopen()
            store.flush(sync=number % 2 == 0)
        self.assert_rows("", 1, 2, 3)

    def test_an_empty_file_was_made_in_its_place(self) -> None:
        """A file that is there already, empty, or begun by nobody knows whom, is gone on with or set aside."""
        store = self.store()
        self.write(store, 1)
        store.flush()
        self.move()
        (self.folder / f"prices_{S}.csv").touch(0o600)
        (self.folder / f"trades_{S}.csv").write_text("notes\n")
        (self.folder / f"orderbook_{S}.csv").write_text((self.folder / f"orderbook_{S}.csv.1").read_text() + "7.1")
        store.reopen()
        with self.assertLogs("aster_collect", "WARNING"):
            store.flush()
        self.write(store, 2)
        store.flush()
        self.assertEqual(len((self.folder / f"prices_{S}.csv").read_text().splitlines()), 2)
        self.assertEqual(len((self.folder / f"trades_{S}.csv").read_text().splitlines()), 2)
        book = (self.folder / f"orderbook_{S}.csv").read_text().splitlines()
        self.assertEqual([number_of("orderbook", line) for line in book[1:]], [1, 2])
        self.assertEqual([path.read_text() for path in self.folder.glob("trades_*Z.csv")], ["notes\n"])

    def test_on_a_full_disk(self) -> None:
        """A row of which a part was written is ended in the renamed file, and the next begins the fresh one."""
        for seed, chance in rounds(20):
            with self.subTest(seed=seed):
                self.fresh()
                disk = Disk()
                store = self.store(write=disk)
                disk.room = chance.randrange(400)
                self.write(store, 1)
                with self.assertRaises(StoreError):
                    store.flush()
                    disk.room = 0
                    self.write(store, 0)
                    store.flush()
                self.move()
                store.reopen()
                self.write(store, 2)
                for _ in range(4):
                    disk.room = chance.randrange(200)
                    try:
                        store.flush()
                    except StoreError:
                        continue
                disk.room = None
                store.flush()
                for kind in KINDS:
                    old, new = ((self.folder / f"{kind}_{S}.csv{suffix}").read_text() for suffix in (".1", ""))
                    self.assertTrue(old.startswith(new.partition("\n")[0]) and old.endswith("\n"))
                    self.assertEqual([number_of(kind, line) for line in new.splitlines()[1:]], [2], kind)
                self.crash()

    def test_a_period_ends_after_the_reopening(self) -> None:
        """Both ways of rotating go together: what logrotate left is closed when the day is over."""
        store = self.store()
        self.write(store, 1)
        self.move()
        store.reopen()
        store.flush()
        self.write(store, 2)
        store.flush()
        self.write(store, 3, MIDNIGHT_MS + DAY_MS)
        self.move()  # unsaid: the next day's rows need a file of their own all the same
        store.flush()
        self.assertEqual(
            (self.folder / f"trades_{S}.csv").read_text().splitlines()[1:],
            [row("trades", 3, MIDNIGHT_MS + DAY_MS + 3)],
        )
        self.assertEqual(self.names("trades"), [f"trades_{S}.csv", f"trades_{S}.csv.1"])

    def test_a_folder_stands_in_the_place_of_a_renamed_file(self) -> None:
        """The error says what is in the way, and once that is gone the rows are written, each once."""
        store = self.store()
        self.write(store, 1)
        store.flush()
        self.move()
        in_the_way = self.folder / f"trades_{S}.csv"
        in_the_way.mkdir()
        store.reopen()
        self.write(store, 2)
        for _ in range(2):
            self.assertRaisesRegex(StoreError, f"{in_the_way.name}: .*directory", store.flush)
        in_the_way.rmdir()
        self.write(store, 3)
        store.flush()
        found = [path.read_text().splitlines()[1:] for path in (self.folder / f"trades_{S}.csv.1", in_the_way)]
        self.assertEqual([[number_of("trades", line) for line in lines] for lines in found], [[1], [2, 3]])

    def test_the_folder_was_renamed(self) -> None:
        """A folder that was moved away whole is left to whoever did it, and a new one is made and locked."""
        store = self.store()
        self.write(store, 1)
        store.flush()
        moved = self.folder.rename(self.folder.with_name("moved"))
        store.reopen()
        self.write(store, 2)
        store.flush()
        self.assertEqual((moved / f"trades_{S}.csv").read_text().count("\n"), 2)
        self.write(store, 3)
        store.flush()
        self.assert_rows("", 2, 3)
        self.assertTrue((self.folder / ".lock").exists())

    def test_while_a_damaged_file_can_not_be_set_aside(self) -> None:
        """Rows wait while a file that is another's by now can't be renamed, and go to fresh files as soon as it can."""
        self.folder = Stuck(self.folder)
        self.addCleanup(Stuck.why.clear)
        store = self.store()
        store.append("prices", S, [row("prices", 1, MIDNIGHT_MS - 1)])
        store.flush()
        with (self.folder / f"prices_{S}.csv").open("a") as file:
            file.write("x\n")
        store.append("prices", S, [row("prices", 2, MIDNIGHT_MS - 1)])
        store.reopen()
        store.append("prices", S, [row("prices", 3, MIDNIGHT_MS)])
        Stuck.why[:] = [errno.EACCES]
        for _ in range(3):
            self.assertRaises(StoreError, store.flush)
        Stuck.why.clear()
        store.flush()
        self.assertEqual([number_of("prices", line) for line in self.all_rows("prices")], [2, 3])
        self.assertEqual([path.read_text()[-2:] for path in self.folder.glob("prices_*Z.csv")], ["x\n"])


if __name__ == "__main__":
    unittest.main()
