"""Files are whole rows, each once, in order, whatever a crash, a full disk or somebody else does to them."""

import contextlib
import errno
import json
import os
import random
import resource
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aster_collect.errors import ConfigError, LockedError, StoreError
from aster_collect.exchange.events import Gap
from aster_collect.files.appender import Appender
from aster_collect.files.folder import aside_name, unwritable
from aster_collect.files.rejects import REJECTS_BYTES, REJECTS_NAME
from tests import rows
from tests.rowstore import RowStore as Store
from tests.rowstore import gap_row
from tests.support import Disk, rounds
from tests.unit.files.test_rotate import Stuck

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
        store.gap("HELP", stretch)
        for _ in range(2):
            store.flush()
            store.reopen()
            store.flush(sync=False)
        self.assertEqual(self.names(), before)
        store.append(rows.PRICES, "HELP", [row(rows.PRICES, 1)])
        store.gap("HELP", gap(7, 8))
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
        store.gap(S, gap(7, 8))
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
            store.gap(S, gap(10 * run, 10 * run + 5))
            store.gap(S, Gap(rows.PRICES, 5, 6, None, None, "restart"))
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
            store.gap(S, gap(10 * number, 10 * number + 1))
        store.flush()
        self.close()
        self.assertEqual(self.store().ledger_end(S)[-2:], [(49980, 49981), (49990, 49991)])


class Repairs(Case):
    def test_any_prefix_of_any_file_reopens_to_whole_rows(self) -> None:
        """Every prefix of every file, with NULs behind it or not, reopens to its whole rows, and the rest is kept."""
        store = self.store()
        for kind in KINDS:
            store.append(kind, S, [row(kind, number) for number in range(3)])
        store.gap(S, gap(5, 9))
        store.gap(S, Gap(rows.PRICES, 5, 6, None, None, "restart"))
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
            store.reject("connection 1", 1, "not JSON", b"x" * size)
        store.flush()
        self.close()
        with (self.folder / REJECTS_NAME).open("ab") as file:
            file.write(b'{"torn')
        self.store()
        self.assertEqual(list(map(len, self.kept())), [10, 200_000])


class SetAside(Case):
    def aside(self, kind: str) -> list[bytes]:
        """Return the files that were set aside."""
        return [path.read_bytes() for path in self.folder.glob(f"{kind}_{S}.*Z*.csv")]

    def test_a_file_with_another_header(self) -> None:
        """A file with other columns is set aside whole under its time, and a fresh one begins."""
        self.folder.mkdir()
        for odd in (
            b"timestamp,id\n1,2\n",
            b"unix_timestamp,bid,ask,mid,receive_time_ns\n1.000,1,1,1,5\n",
            b"\xff\xfe",
            b"\n",
        ):
            self.path(rows.PRICES).write_bytes(odd)
            self.quiet()
            self.close()
            self.assertEqual(self.lines(rows.PRICES), [])
            self.assertIn(odd, self.aside(rows.PRICES))
            self.assertIn(f"prices_{S}.{STAMP}.csv", self.names())
        self.assertEqual(len(self.aside(rows.PRICES)), 4)

    def test_other_levels(self) -> None:
        """A book of other levels is set aside, and the other files go on."""
        store = self.store()
        for kind in KINDS:
            store.append(kind, S, [row(kind, 1)])
        store.flush()
        before = self.path(rows.ORDERBOOK).read_bytes()
        self.close()
        store = self.quiet(levels=10)
        self.assertEqual(self.aside(rows.ORDERBOOK), [before])
        self.assertIsNone(store.last_row(rows.ORDERBOOK, S))
        self.assertEqual(store.last_row(rows.TRADES, S), row(rows.TRADES, 1))

    def test_a_header_that_was_never_written_before_rows_that_were(self) -> None:
        """Rows behind NULs in the header's place are set aside whole: nothing is deleted."""
        self.folder.mkdir()
        header = ",".join(rows.columns(rows.TRADES, 5, False)).encode()
        for begin in (b"\0" * len(header), header[:9] + b"\0" * (len(header) - 9), b"\0" * 5000):
            data = begin + b"\n" + row(rows.TRADES, 1).encode() + b"\n"
            self.path(rows.TRADES).write_bytes(data)
            self.quiet()
            self.close()
            self.assertIn(data, self.aside(rows.TRADES))
            self.assertEqual(self.lines(rows.TRADES), [])

    def test_a_right_header_over_something_else(self) -> None:
        """A file without any row near its end is set aside, not cut."""
        self.store()
        self.close()
        data = self.path(rows.TRADES).read_bytes() + b"x" * 200_000 + b"\n"
        self.path(rows.TRADES).write_bytes(data)
        self.quiet()
        self.assertEqual(self.aside(rows.TRADES), [data])

    def test_the_earlier_scripts_files(self) -> None:
        """They are set aside whole: nothing of them is a reject, and nothing is resumed from a row of theirs."""
        old = {
            rows.PRICES: "unix_timestamp,bid,ask,mid\n1754551358.6812345,114783.7,114783.8,114783.750000\n"
                         "1754551359.681,114783.7,114783.8,114783.750000\n1754551360.1,1e-05,2e-05,0.000015\n",
            rows.TRADES: "id,unix_timestamp_ms,side,price,quantity\n"
                         "205,1754551358528,buy,114783.700000,0.020000\n206,1754551358530,sell,114783.700000,0.020000\n",
        }  # fmt: skip
        for ends in ("\n", "\r\n"):
            for ledger in (False, True):
                self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
                for kind, text in old.items():
                    self.path(kind).write_bytes(text.replace("\n", ends).encode())
                if ledger:
                    self.path(rows.GAPS).write_text(",".join(rows.columns(rows.GAPS, 5, False)) + "\n")
                with self.assertLogs("aster_collect", "WARNING") as logs:
                    store = self.store()
                self.assertEqual(self.kept(), [])
                goes_on = ledger and ends == "\n"  # its form is ours: the exchange is asked whether its ids are
                self.assertEqual(len(logs.records), 1 if goes_on else 2)
                for kind in old:
                    kept = kind == rows.TRADES and goes_on
                    whole = [old[kind].replace("\n", ends).encode()]
                    self.assertEqual(self.aside(kind), [] if kept else whole)
                    self.assertEqual(store.last_row(kind, S) is None, not kept)
                self.close()

    def test_a_file_without_its_ledger(self) -> None:
        """Rows of which nobody knows what is missing are no part of a history: they are set aside, whole."""
        store = self.store()
        store.append(rows.PRICES, S, [row(rows.PRICES, 1)])
        store.flush()
        self.close()
        self.path(rows.GAPS).unlink()
        store = self.quiet()
        self.assertIsNone(store.last_row(rows.PRICES, S))
        self.assertEqual(len(self.aside(rows.PRICES)), 1)
        self.assertEqual(len(self.aside(rows.TRADES)), 0)

    def test_names_that_are_taken(self) -> None:
        """Files set aside in the same second get names of their own, and none replaces another."""
        self.folder.mkdir()
        for number in range(12):
            self.path(rows.TRADES).write_text(f"odd {number}\n")
            self.quiet()
            self.close()
        self.assertEqual(sorted(self.aside(rows.TRADES)), sorted(b"odd %d\n" % number for number in range(12)))
        self.assertEqual(aside_name(self.path(rows.TRADES), WALL_S).name, f"trades_{S}.{STAMP}-12.csv")

    def test_trades_of_another_id_space_take_their_gaps_with_them(self) -> None:
        """The ledger's rows of trades leave with the trades file; what it says of prices stays, also for a restart."""
        store = self.store()
        prices = Gap(rows.PRICES, 5, 6, None, None, "restart")
        for one in (gap(0, 5), prices, gap(8, 9)):
            store.gap(S, one)
        store.append(rows.TRADES, S, [row(rows.TRADES, 7)])
        store.flush()
        before = self.path(rows.GAPS).read_bytes()
        with self.assertLogs("aster_collect", "WARNING"):
            store.set_aside(rows.TRADES, S, "ids_of_another_id_space")
            store.gap(S, gap(100, 101))
            store.append(rows.TRADES, S, [row(rows.TRADES, 102)])
            store.flush()
        self.assertEqual(self.aside(rows.GAPS), [before])
        self.assertEqual(len(self.aside(rows.TRADES)), 1)
        self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, 102)])
        self.assertEqual(self.lines(rows.GAPS), [gap_row(prices), gap_row(gap(100, 101))])
        self.close()
        self.assertEqual(self.store().ledger_end(S), [(100, 101)])

    def test_what_belongs_to_it_waits_for_a_full_disk(self) -> None:
        """Whatever the disk takes, rows and gaps of former ids are in the files that are set aside, and no others."""
        for seed, chance in rounds(60):
            with self.subTest(seed=seed), self.assertLogs("aster_collect", "WARNING"):
                self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
                disk = Disk()
                store = self.store(write=disk)
                quotes = Gap(rows.PRICES, 5, 6, None, None, "restart")
                for one in (quotes, gap(1, 2)):
                    store.gap(S, one)
                store.append(rows.TRADES, S, [row(rows.TRADES, number) for number in (3, 4)])
                disk.room = chance.choice((None, 0, chance.randrange(300)))
                self.may_fail(store)
                store.append(rows.TRADES, S, [row(rows.TRADES, 5)])
                store.gap(S, gap(6, 7))
                store.append(rows.PRICES, S, [row(rows.PRICES, 1)])
                store.set_aside(rows.TRADES, S, "ids_of_another_id_space")
                store.set_aside(rows.PRICES, S, "update_ids_began_anew")
                store.append(rows.TRADES, S, [row(rows.TRADES, 1)])
                store.append(rows.PRICES, S, [row(rows.PRICES, 2)])
                store.gap(S, gap(2, 2))
                store.append(rows.TRADES, S, [row(rows.TRADES, 3)])
                for _ in range(5):
                    disk.room = chance.choice((0, chance.randrange(200)))
                    self.may_fail(store)
                disk.room = None
                store.flush()
                self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, number) for number in (1, 3)])
                self.assertEqual(self.lines(rows.PRICES), [row(rows.PRICES, 2)])
                self.assertEqual(self.lines(rows.GAPS), [gap_row(quotes), gap_row(gap(2, 2))])
                trades, prices, ledger = (
                    [data.decode().splitlines()[1:] for data in self.aside(kind)]
                    for kind in (rows.TRADES, rows.PRICES, rows.GAPS)
                )
                self.assertEqual(trades, [[row(rows.TRADES, number) for number in (3, 4, 5)]])
                self.assertEqual(prices, [[row(rows.PRICES, 1)]])
                self.assertEqual(ledger, [[gap_row(one) for one in (quotes, gap(1, 2), gap(6, 7))]])
                self.close()

    def may_fail(self, store: Store) -> None:
        """Flush, on a disk that may be full."""
        with contextlib.suppress(StoreError):
            store.flush()

    def test_a_name_that_can_not_be_given(self) -> None:
        """An error of the renaming, or of opening the fresh file, is a flush that failed, and is tried again."""
        self.addCleanup(Stuck.why.clear)
        for step in ("rename", "open"):
            self.folder = Stuck(self.enterContext(tempfile.TemporaryDirectory()))
            store = self.store()
            store.append(rows.TRADES, S, [row(rows.TRADES, 9)])
            store.gap(S, gap(1, 8))
            store.gap(S, Gap(rows.PRICES, 5, 6, None, None, "restart"))
            store.flush()
            store.set_aside(rows.TRADES, S, "ids_of_another_id_space")
            store.append(rows.TRADES, S, [row(rows.TRADES, 1)])
            for _ in range(2):
                if step == "rename":
                    Stuck.why[:] = [errno.EACCES]
                    self.assertRaises(StoreError, store.flush)
                    Stuck.why.clear()
                else:
                    with no_descriptors():
                        self.assertRaises(StoreError, store.flush)
            with self.assertLogs("aster_collect", "WARNING"):
                store.flush()
            self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, 1)])
            self.assertEqual(self.lines(rows.GAPS), ["prices,0.005,0.006,,,restart"])
            self.assertEqual([data.count(b"\n") for data in self.aside(rows.TRADES)], [2])
            self.assertEqual([data.count(b"\n") for data in self.aside(rows.GAPS)], [3])
            self.close()

    def test_a_ledger_without_trades_stays(self) -> None:
        """A ledger that says nothing of trades stays when trades are set aside, and any ledger when prices are."""
        store = self.store()
        store.gap(S, Gap(rows.PRICES, 5, 6, None, None, "restart"))
        store.flush()
        before = self.path(rows.GAPS).read_bytes()
        with self.assertLogs("aster_collect", "WARNING"):
            store.set_aside(rows.TRADES, S, "ids_of_another_id_space")
            store.flush()
        store.gap(S, gap(0, 5))
        with self.assertLogs("aster_collect", "WARNING"):
            store.set_aside(rows.PRICES, S, "update_ids_began_anew")
            store.flush()
        self.assertEqual(self.aside(rows.GAPS), [])
        self.assertEqual(self.path(rows.GAPS).read_bytes(), before + gap_row(gap(0, 5)).encode() + b"\n")


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
                        store.gap(symbol, gap(turn, turn))
                    continue
                new = [row(kind, 10 * turn + i) for i in range(chance.randrange(4))]
                mine += new
                store.append(kind, symbol, new)
            if chance.random() < 0.2:
                rejects.append(chance.randbytes(20))
                store.reject("x", 1, "odd", rejects[-1])
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
        self.assertEqual(store.pending_bytes, 0)

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
        store.gap(S, gap(1, 2))
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
        self.assertLess(store.pending_bytes, 1000)
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
                store.gap(S, Gap(rows.PRICES, *times, None, None, causes[number % 2]))
                store.gap(S, Gap(rows.TRADES, *times, number, number, causes[2]))
                store.gap(S, Gap(rows.TRADES, *times, None, None, "not-asked"))
            self.assertRaises(StoreError, store.flush)
        self.assertLess(store.pending_bytes, 600)
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
        self.assertEqual(store.unwritten(), (0, 0, 0, 0))
        disk.room = 40
        for kind in (rows.TRADES, rows.PRICES):
            store.append(kind, S, [row(kind, number) for number in range(3)])
        store.gap(S, gap(1, 2))
        self.assertRaises(StoreError, store.flush)
        files, count, trades, size = store.unwritten()
        self.assertEqual((files, count, trades), (3, 7, 3))
        self.assertEqual(size, store.pending_bytes)
        disk.room = None
        store.flush()
        self.assertEqual(store.unwritten(), (0, 0, 0, 0))

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
        appender.append(b"1\n")
        self.assertRaises(OSError, appender.flush)
        self.assertEqual(appender.flush(), 0)
        self.assertEqual(len(synced), 2)
        appender.close()
        self.assertEqual((self.folder / "file").read_bytes(), b"1\n")


Disturb = Callable[[Store, Path], object]


class SomebodyElse(Case):
    def again(self, store: Store) -> None:
        """Fetch destroyed trades again, as the collector does."""
        for symbol, (gap, waiting, _) in store.take_destroyed_rows():
            if gap.first_missing_id is not None and gap.last_missing_id is not None:
                ids = range(gap.first_missing_id, gap.last_missing_id)
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
        times = [row(kind, number).split(",")[0] for number in (first, last)]
        return f"{kind},{','.join(times)},,,destroyed"

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
            self.assertEqual(store.pending_bytes, 0)
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
                store.gap(S, gap(0, 9))
                store.flush()
                self.close()
                disk = Disk()
                store = self.store(write=disk)
                for number in range(1, 5):
                    store.gap(S, gap(10 * number, 10 * number + 9))
                store.flush()
                disk.room = room
                store.gap(S, gap(50, 59))
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
            store.gap(S, gap(10 * number, 10 * number + 1))
        store.flush()
        os.truncate(self.path(rows.GAPS), 0)
        with self.assertLogs("aster_collect.files.table", "ERROR") as logs:
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
        store.reject("x", 1, "odd", b"data")
        store.flush()
        self.assertEqual(self.kept(), [b"data"])

    def test_the_folder_can_not_be_made_again(self) -> None:
        """While a file stands in the folder's place rows wait in memory, and they are written once it is gone."""
        store = self.store()
        self.remove()
        self.folder.write_text("in the way")
        store.append(rows.TRADES, S, [row(rows.TRADES, 1)])
        store.reject("x", 1, "odd", b"data")
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


class Owners(Case):
    def test_a_second_collector(self) -> None:
        """A second collector is refused with the pid of the first, and leaves its files alone."""
        self.store()
        with self.assertRaises(LockedError) as caught:
            self.store()
        self.assertIn(f"(pid {os.getpid()})", str(caught.exception))
        self.assertIn(str(self.folder), str(caught.exception))
        self.close()
        self.store()

    @unittest.skipIf(sys.platform == "win32", "Windows deletes no open file")
    def test_the_lock_is_deleted(self) -> None:
        """A second collector is refused all the same, and the lock is there again with the next flush."""
        store = self.store()
        (self.folder / ".lock").unlink()
        self.assertRaises(LockedError, self.store)
        (self.folder / ".lock").unlink(missing_ok=True)
        store.flush()
        self.assertEqual((self.folder / ".lock").read_text(), f"{os.getpid()}\n")
        self.assertRaises(LockedError, self.store)

    @unittest.skipIf(sys.platform == "win32", "Windows deletes no open file")
    def test_the_lock_is_anothers(self) -> None:
        """While another program has taken the place of the lock nothing is written, and all is once it is free."""
        import fcntl

        store = self.store()
        (self.folder / ".lock").unlink()
        with (self.folder / ".lock").open("w") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            store.append(rows.TRADES, S, [row(rows.TRADES, 1)])
            store.gap(S, gap(5, 9))
            for _ in range(2):
                with self.assertRaisesRegex(StoreError, "belongs to another collector"):
                    store.flush()
                self.assertEqual((self.lines(rows.TRADES), self.lines(rows.GAPS)), ([], []))
        store.flush()
        self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, 1)])
        self.assertEqual(self.lines(rows.GAPS), [gap_row(gap(5, 9))])

    def test_a_run_ends_in_order(self) -> None:
        """The lock's file is empty: the pid in it could be a stranger's one day."""
        self.store()
        self.close()
        self.assertEqual((self.folder / ".lock").read_bytes(), b"")

    def test_the_owner_was_killed(self) -> None:
        """The lock of a process that was killed is free, though its file is still there."""
        code = (
            "import os, pathlib, sys; from aster_collect.files.lock import Lock;"
            "Lock(pathlib.Path(sys.argv[1])); os.kill(os.getpid(), 9)"
        )
        self.folder.mkdir()
        subprocess.run([sys.executable, "-c", code, str(self.folder)], check=False, timeout=20)
        self.assertTrue((self.folder / ".lock").read_text().strip())
        self.store()

    def test_a_folder_that_can_not_be_made(self) -> None:
        """A folder below a file is one line with the option, the folder and why; no change of owner would mend it."""
        self.folder.write_text("a file")
        for folder in (self.folder, self.folder / "below"):
            self.folder = folder
            with self.assertRaises(ConfigError) as caught:
                self.store()
            line = str(caught.exception)
            self.assertTrue(line.startswith(f"--data-dir: {folder} can't be written: "), line)
            self.assertNotIn("\n", line)
            self.assertNotIn("chown", line)

    @unittest.skipIf(not hasattr(os, "getuid"), "no owners")
    def test_what_mends_it_is_said_by_the_culprits_name(self) -> None:
        """Where the owner is wrong, the command names what is to be changed, and is given in no other case."""
        self.folder.mkdir()
        path = self.folder / "prices X.csv"
        path.touch()
        uid, folder, missing = os.getuid(), self.folder, self.folder / "more"
        forbidden = os.strerror(errno.EACCES)
        for number, culprit, data, mend in (
            (errno.EACCES, path, folder, f"{path}: {forbidden}; uid {uid} must be able to write it: "
                                         f"sudo chown {uid} '{path}'"),
            (errno.EPERM, folder / "new.csv", folder, f"sudo chown -R {uid} {folder}"),
            (errno.EACCES, folder, folder, f"written: {forbidden}; uid {uid} must be able to write it: "
                                           f"sudo chown -R {uid} {folder}"),
            (errno.EACCES, missing, missing, f"; uid {uid} may not make it: sudo install -d -o {uid} {missing}"),
            (errno.EISDIR, path, folder, f"{path}: {os.strerror(errno.EISDIR)}"),
            (errno.ENOTDIR, missing, missing, os.strerror(errno.ENOTDIR)),
            (errno.EROFS, path, folder, f"{path}: {os.strerror(errno.EROFS)}"),
            (errno.EMFILE, path, folder, f"{path}: {os.strerror(errno.EMFILE)}"),
        ):  # fmt: skip
            line = unwritable(data, OSError(number, os.strerror(number), str(culprit)))
            self.assertTrue(line.startswith(f"--data-dir: {data} can't be written: "), line)
            self.assertTrue(line.endswith(mend), line)

    @unittest.skipIf(not hasattr(os, "getuid") or os.getuid() == 0, "this user can write everywhere")
    def test_a_folder_of_somebody_else(self) -> None:
        """A folder without the right to write is refused the same way."""
        self.folder.mkdir(mode=0o500)
        with self.assertRaisesRegex(ConfigError, f"uid {os.getuid()}"):
            self.store()


class Links(Case):
    def test_a_link_at_the_start(self) -> None:
        """A link in a file's place is one line with its name, and what it points at is neither changed nor made."""
        self.store().flush()
        self.close()
        elsewhere = Path(self.enterContext(tempfile.TemporaryDirectory()))
        names = [rows.file_name(kind, S) for kind in (*KINDS, rows.GAPS)]
        for name in (".lock", REJECTS_NAME, *names):
            path = self.folder / name
            before = path.read_bytes()
            for target in (elsewhere / "precious", elsewhere / "nowhere"):
                (elsewhere / "precious").write_bytes(before)
                path.unlink()
                path.symlink_to(target)
                with self.assertRaises(ConfigError) as caught:
                    self.store()
                self.assertIn(f"{path}: is a link", str(caught.exception))
                self.assertNotIn("chown", str(caught.exception))
                self.close()
                self.assertEqual([one.name for one in elsewhere.iterdir()], ["precious"])
                self.assertEqual((elsewhere / "precious").read_bytes(), before)
            path.unlink()
            path.write_bytes(before)
        self.store()

    def test_a_closed_file_is_a_link(self) -> None:
        """The newest closed file of a current one without rows is not read through a link either."""
        self.folder.mkdir()
        for packed in ("", ".gz"):
            path = self.folder / f"trades_{S}.2026-11-21.csv{packed}"
            path.symlink_to("/dev/null")
            with self.assertRaisesRegex(ConfigError, f"{path.name}: is a link"):
                self.store()
            self.close()
            path.unlink()

    def test_a_link_in_place_of_a_file_that_was_deleted(self) -> None:
        """While it runs the link gets another name, nothing is written through it, and rows go on in a fresh file."""
        store = self.store()
        store.append(rows.TRADES, S, [row(rows.TRADES, 1)])
        store.flush()
        path = self.path(rows.TRADES)
        path.unlink()
        path.symlink_to(self.folder / "nowhere")
        store.append(rows.TRADES, S, [row(rows.TRADES, 2)])
        with self.assertLogs("aster_collect", "WARNING"):
            store.flush()
        self.assertFalse((self.folder / "nowhere").exists())
        self.assertTrue((self.folder / f"trades_{S}.{STAMP}.csv").is_symlink())

    def test_a_link_in_place_of_a_file_that_was_moved(self) -> None:
        """A file was moved and a link put in its place: rows go on in it until told, and then in a fresh file."""
        store = self.store()
        path = self.path(rows.PRICES)
        moved = path.rename(self.folder / "moved")
        path.symlink_to(moved)
        store.append(rows.PRICES, S, [row(rows.PRICES, 1)])
        store.reopen()
        store.append(rows.PRICES, S, [row(rows.PRICES, 2)])
        with self.assertLogs("aster_collect", "WARNING"):
            store.flush()
        self.assertEqual(moved.read_text().splitlines()[1:], [row(rows.PRICES, 1)])
        self.assertEqual(self.lines(rows.PRICES), [row(rows.PRICES, 2)])
        self.assertFalse(path.is_symlink())

    @unittest.skipUnless(os.name == "posix", "modes are POSIX's")
    def test_who_may_read(self) -> None:
        """A folder is made for the owner and the group, and so is each file, less what the umask takes."""
        for mask, folder_mode, file_mode in ((0o000, 0o750, 0o640), (0o077, 0o700, 0o600)):
            self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "data"
            before = os.umask(mask)
            try:
                self.store().flush()
            finally:
                os.umask(before)
            self.close()
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in self.folder.iterdir()}
            self.assertEqual(modes, dict.fromkeys(modes, file_mode))
            self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), folder_mode)


class Rejects(Case):
    def test_what_can_not_be_read_is_kept_verbatim(self) -> None:
        """A reject has time, source, reason and every byte."""
        store = self.store()
        data = bytes(range(256)) + "币".encode()
        store.reject("connection 3", 1_764_000_000_123_456_789, "not JSON", data)
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
                    store.reject("x", 1, "binary", b"x" * 400_000)
                    store.flush()
            self.assertEqual((len(logs.records), store.rejects), (1, 60), run)
            size = (self.folder / REJECTS_NAME).stat().st_size
            self.assertTrue(limit - 500_000 < size <= limit)
            self.close()


if __name__ == "__main__":
    unittest.main()
