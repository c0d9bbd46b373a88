"""Files are whole rows, each once, in order, whatever a crash, a full disk or somebody else does to them."""

import errno
import json
import os
import random
import tempfile
import time
import unittest
from pathlib import Path

from aster_collect.errors import StoreError
from aster_collect.exchange.events import Gap
from aster_collect.files.appender import Appender
from aster_collect.files.rejects import REJECTS_BYTES, REJECTS_NAME
from tests import rows
from tests.rowstore import gap_row
from tests.support import Disk, rounds
from tests.unit.files.storing import KINDS, Case, S, gap, row


class Opening(Case):
    def test_a_new_folder(self) -> None:
        """A new folder has each file with its header, and nothing else to resume from."""
        store = self.store(S, "币安人生USDT")
        store.flush()
        for kind in (*KINDS, rows.GAPS):
            self.assertEqual(self.lines(kind), [])
            self.assertEqual(self.lines(kind, "币安人生USDT"), [])
            self.assertIsNone(store.last_row(kind, S))
            self.assertIsNone(store.last_row(kind, S))
        self.assertEqual(store.ledger_end(S), [])

    def test_a_symbol_that_may_not_exist(self) -> None:
        """It has no file until its first row comes, whatever is flushed, missed or asked meanwhile; then it has all."""
        store = self.store()
        before = self.names()
        store.open("HELP", at_once=False)
        stretch = Gap(rows.PRICES, 5, 6, None, None, "reconnect")
        for kind in KINDS:
            self.assertEqual((store.last_row(kind, "HELP"), store.last_rows(kind, "HELP")), (None, []))
            self.assertIsNone(store.last_row(kind, "HELP"))
        store.backlog.gap("HELP", stretch)
        for _ in range(2):
            store.flush()
            store.reopen()
            store.flush(sync=False)
        self.assertEqual(self.names(), before)
        store.append(rows.PRICES, "HELP", [row(rows.PRICES, 1)])
        store.backlog.gap("HELP", gap(7, 8))
        self.assertEqual(store.ledger_end("HELP"), [(7, 8)])
        store.flush()
        for number in (2, 3):
            store.append(rows.TRADES, "HELP", [row(rows.TRADES, number)])
            store.flush()
        self.assertEqual(self.lines(rows.PRICES, "HELP"), [row(rows.PRICES, 1)])
        self.assertEqual(self.lines(rows.TRADES, "HELP"), [row(rows.TRADES, 2), row(rows.TRADES, 3)])
        self.assertEqual(self.lines(rows.GAPS, "HELP"), [gap_row(stretch), gap_row(gap(7, 8))])
        self.assertEqual(self.lines(rows.ORDERBOOK, "HELP"), [])
        self.assertEqual(store.ledger_end("HELP"), [(7, 8)])

    def test_a_symbol_that_may_not_exist_and_has_files(self) -> None:
        """Where there is any file of it, it is opened at once, and gone on with."""
        self.store().append(rows.PRICES, S, [row(rows.PRICES, 1)])
        self.stores[0].flush()
        self.close()
        self.path(rows.TRADES).unlink()
        store = self.store("ETHUSDT")
        store.open(S, at_once=False)
        self.assertEqual(store.last_row(rows.PRICES, S), row(rows.PRICES, 1))
        self.assertEqual(self.lines(rows.TRADES), [])
        store.backlog.gap(S, gap(7, 8))
        store.flush()
        self.assertEqual(self.lines(rows.GAPS), [gap_row(gap(7, 8))])

    def test_a_first_row_on_a_full_disk(self) -> None:
        """Where the files can't be made the first rows wait, and each is written once when they can."""
        store = self.store(rotate="day")
        store.open("HELP", at_once=False)
        store.append(rows.PRICES, "HELP", [row(rows.PRICES, 1)])
        self.path(rows.GAPS, "HELP").mkdir()
        with self.assertRaises(StoreError):
            store.flush()
        self.assertFalse(self.path(rows.PRICES, "HELP").exists(), "the ledger goes first")
        store.append(rows.PRICES, "HELP", [row(rows.PRICES, 2)])
        self.path(rows.GAPS, "HELP").rmdir()
        store.flush()
        self.assertEqual(self.lines(rows.PRICES, "HELP"), [row(rows.PRICES, 1), row(rows.PRICES, 2)])

    def test_a_second_run_goes_on_behind_the_first(self) -> None:
        """A second run knows each file's last row and the ledger's ids, and appends under the one header."""
        for run in range(2):
            store = self.store()
            for kind in KINDS:
                self.assertEqual(store.last_row(kind, S), row(kind, 1) if run else None)
                store.append(kind, S, [row(kind, 2 * run), row(kind, 2 * run + 1)])
            store.backlog.gap(S, gap(10 * run, 10 * run + 5))
            store.backlog.gap(S, Gap(rows.PRICES, 5, 6, None, None, "restart"))
            store.flush()
            self.close()
        store = self.store()
        self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, number) for number in range(4)])
        self.assertEqual(store.ledger_end(S), [(0, 5), (10, 15)])
        self.assertEqual(rows.row_time_ms(rows.TRADES, store.last_row(rows.TRADES, S)), 1_764_000_000_003)
        self.assertEqual(rows.row_time_ms(rows.PRICES, store.last_row(rows.PRICES, S)), 1_764_000_000_003)

    def test_a_file_of_two_gigabytes_opens_at_once(self) -> None:
        """Opening does not depend on a file's size, for every kind of file."""
        self.store().flush()
        self.close()
        for kind in KINDS:
            with self.path(kind).open("r+b") as file:
                file.seek(2 << 30)
                file.write(b"\n" + row(kind, 7).encode() + b"\n" + row(kind, 8).encode()[:9])
        start_s = time.monotonic()
        store = self.quiet()
        self.assertLess(time.monotonic() - start_s, 0.2)
        for kind in KINDS:
            self.assertEqual(store.last_row(kind, S), row(kind, 7))

    def test_a_long_ledger_is_read_from_its_end(self) -> None:
        """The ranges that matter for a resume are found at the end of a ledger of any length."""
        store = self.store()
        for number in range(5000):
            store.backlog.gap(S, gap(10 * number, 10 * number + 1))
        store.flush()
        self.close()
        self.assertEqual(self.store().ledger_end(S)[-2:], [(49980, 49981), (49990, 49991)])


class Repairs(Case):
    def test_any_prefix_of_any_file_reopens_to_whole_rows(self) -> None:
        """Every prefix of every file, with NULs behind it or not, reopens to its whole rows, and the rest is kept."""
        store = self.store()
        for kind in KINDS:
            store.append(kind, S, [row(kind, number) for number in range(3)])
        store.backlog.gap(S, gap(5, 9))
        store.backlog.gap(S, Gap(rows.PRICES, 5, 6, None, None, "restart"))
        store.flush()
        self.close()
        whole = {kind: self.path(kind).read_bytes() for kind in (*KINDS, rows.GAPS)}
        for kind, data in whole.items():
            header = data.index(b"\n") + 1
            for cut in range(len(data) + 1):
                nuls = (0, 1, 5000)[cut % 3]
                self.path(kind).write_bytes(data[:cut] + b"\0" * nuls)
                end = max(data.rfind(b"\n", 0, cut) + 1, header)
                (self.folder / REJECTS_NAME).unlink()
                damaged = bool(nuls or cut != end) and cut >= header
                self.quiet() if damaged else self.store()
                self.close()
                self.assertEqual(self.path(kind).read_bytes(), data[:end], (kind, cut))
                self.assertEqual(self.kept(), [data[end:cut]] if cut > end else [], (kind, cut))
            self.path(kind).write_bytes(data)
        self.assertFalse([name for name in self.names() if "Z" in name])

    def test_any_damage_is_kept_verbatim(self) -> None:
        """Torn bytes of any values are kept so that they can be had back, and new rows follow the last whole one."""
        for seed, chance in rounds(40):
            with self.subTest(seed=seed):
                self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
                store = self.store()
                store.append(rows.TRADES, S, [row(rows.TRADES, 1)])
                store.flush()
                self.close()
                torn = chance.randbytes(chance.randrange(1, 3000)).rstrip(b"\0") + b"!"
                torn += b"\n" * chance.randrange(2)
                with self.path(rows.TRADES).open("ab") as file:
                    file.write(torn + b"\0" * chance.randrange(3))
                store = self.quiet()
                self.assertEqual(self.kept(), [torn])
                store.append(rows.TRADES, S, [row(rows.TRADES, 2)])
                store.flush()
                self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, 1), row(rows.TRADES, 2)])
                self.close()

    def test_rejects_of_any_length_survive_a_restart(self) -> None:
        """Rejects are cut to their last whole line, and lines longer than any buffer stay."""
        store = self.store()
        for size in (10, 200_000):
            store.rejects.add("connection 1", 1, "not JSON", b"x" * size)
        store.flush()
        self.close()
        with (self.folder / REJECTS_NAME).open("ab") as file:
            file.write(b'{"torn')
        self.store()
        self.assertEqual(list(map(len, self.kept())), [10, 200_000])


class FullDisk(Case):
    def test_any_pattern_of_full_disk_writes_each_row_once(self) -> None:
        """Whatever a disk takes of each write, and whenever it fails, each row is written once, in order, at last."""
        for seed, chance in rounds(150):
            with self.subTest(seed=seed):
                self.play(chance)
                self.close()

    def play(self, chance: random.Random) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        disk = Disk()
        store = self.store(S, "ETHUSDT", write=disk)
        written: dict[tuple[str, str], list[str]] = {(k, s): [] for k in (*KINDS, rows.GAPS) for s in (S, "ETHUSDT")}
        rejects: list[bytes] = []
        for turn in range(40):
            for (kind, symbol), mine in written.items():
                if kind == rows.GAPS:
                    if chance.random() < 0.2:
                        mine.append(gap_row(gap(turn, turn)))
                        store.backlog.gap(symbol, gap(turn, turn))
                    continue
                new = [row(kind, 10 * turn + i) for i in range(chance.randrange(4))]
                mine += new
                store.append(kind, symbol, new)
            if chance.random() < 0.2:
                rejects.append(chance.randbytes(20))
                store.rejects.add("x", 1, "odd", rejects[-1])
            disk.room = chance.choice((None, 0, 1, chance.randrange(300), chance.randrange(3000)))
            try:
                store.flush()
            except StoreError as error:
                self.assertIn("No space left", str(error))
        disk.room = None
        store.flush()
        for (kind, symbol), mine in written.items():
            self.assertEqual(self.lines(kind, symbol), mine)
        self.assertEqual(self.kept(), rejects)
        self.assertEqual(store.backlog.pending_bytes, 0)

    def test_a_crash_while_the_disk_is_full(self) -> None:
        """After any write that was cut short by a crash the file reopens to the rows that were whole."""
        for seed, chance in rounds(60):
            with self.subTest(seed=seed):
                self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
                disk = Disk()
                store = self.store(write=disk)
                mine = [row(rows.TRADES, number) for number in range(30)]
                disk.room = chance.randrange(900)
                for low in range(0, 30, 3):
                    store.append(rows.TRADES, S, mine[low : low + 3])
                    try:
                        store.flush()
                    except StoreError:
                        disk.room = chance.choice((0, 7))
                self.close()
                torn = not self.path(rows.TRADES).read_bytes().endswith(b"\n")
                self.quiet() if torn else self.store()
                found = self.lines(rows.TRADES)
                self.assertEqual(found, mine[: len(found)])
                self.close()

    def test_a_gap_is_on_disk_before_the_rows_behind_it(self) -> None:
        """While a ledger can't be written the symbol's rows wait, and those of other symbols do not."""
        full = True

        def write(descriptor: int, data: bytes) -> int:
            if full and bytes(data).startswith(b"trades,"):
                raise OSError(errno.ENOSPC, "No space left on device")
            return os.write(descriptor, data)

        store = self.store(S, "ETHUSDT", write=write)
        store.backlog.gap(S, gap(1, 2))
        for symbol in (S, "ETHUSDT"):
            store.append(rows.TRADES, symbol, [row(rows.TRADES, 3)])
        with self.assertRaises(StoreError):
            store.flush()
        self.assertEqual(self.lines(rows.TRADES), [])
        self.assertEqual(self.lines(rows.TRADES, "ETHUSDT"), [row(rows.TRADES, 3)])
        full = False
        store.flush()
        self.assertEqual(self.lines(rows.GAPS), [gap_row(gap(1, 2))])
        self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, 3)])

    def test_rows_on_disk_that_could_not_be_synced(self) -> None:
        """An error of the sync writes nothing twice, and the sync is tried again."""
        synced: list[int] = []

        def sync(descriptor: int) -> None:
            synced.append(descriptor)
            if len(synced) == 1:
                raise OSError(errno.EIO, "Input/output error")

        self.folder.mkdir()
        appender = Appender(self.folder / "file", sync=sync)
        appender.open()
        appender.pending.append(b"1\n")
        self.assertRaises(OSError, appender.flush)
        self.assertEqual(appender.flush(), 0)
        self.assertEqual(len(synced), 2)
        appender.close()
        self.assertEqual((self.folder / "file").read_bytes(), b"1\n")


class Rejects(Case):
    def test_what_can_not_be_read_is_kept_verbatim(self) -> None:
        """A reject has time, source, reason and every byte."""
        store = self.store()
        data = bytes(range(256)) + "币".encode()
        store.rejects.add("connection 3", 1_764_000_000_123_456_789, "not JSON", data)
        store.flush()
        entry = json.loads((self.folder / REJECTS_NAME).read_text("ascii"))
        self.assertEqual(
            (entry["time"], entry["source"], entry["reason"]), ("1764000000.123456789", "connection 3", "not JSON")
        )
        self.assertEqual(self.kept(), [data])

    def test_rejects_are_bounded(self) -> None:
        """Beyond the limit rejects are counted and no more written, which is said once, and holds over a restart."""
        limit = REJECTS_BYTES
        self.assertEqual(limit, 10 << 20)
        for run in range(2):
            store = self.store()
            with self.assertLogs("aster_collect", "WARNING") as logs:
                for _ in range(60):
                    store.rejects.add("x", 1, "binary", b"x" * 400_000)
                    store.flush()
            self.assertEqual((len(logs.records), store.rejects.count), (1, 60), run)
            size = (self.folder / REJECTS_NAME).stat().st_size
            self.assertTrue(limit - 500_000 < size <= limit)
            self.close()


if __name__ == "__main__":
    unittest.main()
