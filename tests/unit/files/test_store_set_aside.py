"""What this run would not have written keeps another name, whole, and what belongs together goes together."""

import contextlib
import errno
import tempfile
import unittest
from pathlib import Path

from aster_collect.errors import StoreError
from aster_collect.exchange.events import Gap
from aster_collect.files.folder import aside_name
from tests import rows
from tests.rowstore import RowStore as Store
from tests.rowstore import gap_row
from tests.support import Disk, rounds
from tests.unit.files.rotating import Stuck
from tests.unit.files.storing import KINDS, STAMP, WALL_S, Case, S, gap, no_descriptors, row


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
        touched_ms = {kind: store.sheets.all[kind, S].resumed.touched_ms for kind in KINDS}
        self.assertEqual([kind for kind, at_ms in touched_ms.items() if not at_ms], [rows.ORDERBOOK])

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
            store.backlog.gap(S, one)
        store.append(rows.TRADES, S, [row(rows.TRADES, 7)])
        store.flush()
        before = self.path(rows.GAPS).read_bytes()
        with self.assertLogs("aster_collect", "WARNING"):
            store.set_aside(rows.TRADES, S, "ids_of_another_id_space")
            store.backlog.gap(S, gap(100, 101))
            store.append(rows.TRADES, S, [row(rows.TRADES, 102)])
            store.flush()
        self.assertEqual(self.aside(rows.GAPS), [before])
        self.assertEqual(len(self.aside(rows.TRADES)), 1)
        self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, 102)])
        self.assertEqual(self.lines(rows.GAPS), [gap_row(prices), gap_row(gap(100, 101))])
        self.close()
        self.assertEqual(self.store().ledger_end(S), [(100, 101)])

    def test_when_ids_began_anew_is_read_from_the_ledger(self) -> None:
        """The newest row of a stream that tells so counts, and no other cause or stream."""
        store = self.store()
        self.assertEqual(store.sheets.anew_ms(rows.PRICES, S), 0)
        for stream, to_ms, cause in (
            (rows.PRICES, 2000, "new-ids"), (rows.PRICES, 3500, "new-ids"),
            (rows.PRICES, 9000, "reconnect"), (rows.ORDERBOOK, 8000, "new-ids"),
        ):  # fmt: skip
            store.backlog.gap(S, Gap(stream, 1000, to_ms, None, None, cause))
        self.assertEqual(store.sheets.anew_ms(rows.PRICES, S), 3500)
        store.flush()
        self.close()
        self.assertEqual(self.store().sheets.anew_ms(rows.PRICES, S), 3500)

    def test_what_belongs_to_it_waits_for_a_full_disk(self) -> None:
        """Whatever the disk takes, rows and gaps of former ids are in the files that are set aside, and no others."""
        for seed, chance in rounds(60):
            with self.subTest(seed=seed), self.assertLogs("aster_collect", "WARNING"):
                self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
                disk = Disk()
                store = self.store(write=disk)
                quotes = Gap(rows.PRICES, 5, 6, None, None, "restart")
                for one in (quotes, gap(1, 2)):
                    store.backlog.gap(S, one)
                store.append(rows.TRADES, S, [row(rows.TRADES, number) for number in (3, 4)])
                disk.room = chance.choice((None, 0, chance.randrange(300)))
                self.may_fail(store)
                store.append(rows.TRADES, S, [row(rows.TRADES, 5)])
                store.backlog.gap(S, gap(6, 7))
                store.append(rows.PRICES, S, [row(rows.PRICES, 1)])
                store.set_aside(rows.TRADES, S, "ids_of_another_id_space")
                store.set_aside(rows.PRICES, S, "update_ids_began_anew")
                store.append(rows.TRADES, S, [row(rows.TRADES, 1)])
                store.append(rows.PRICES, S, [row(rows.PRICES, 2)])
                store.backlog.gap(S, gap(2, 2))
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
            store.backlog.gap(S, gap(1, 8))
            store.backlog.gap(S, Gap(rows.PRICES, 5, 6, None, None, "restart"))
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
        store.backlog.gap(S, Gap(rows.PRICES, 5, 6, None, None, "restart"))
        store.flush()
        before = self.path(rows.GAPS).read_bytes()
        with self.assertLogs("aster_collect", "WARNING"):
            store.set_aside(rows.TRADES, S, "ids_of_another_id_space")
            store.flush()
        store.backlog.gap(S, gap(0, 5))
        with self.assertLogs("aster_collect", "WARNING"):
            store.set_aside(rows.PRICES, S, "update_ids_began_anew")
            store.flush()
        self.assertEqual(self.aside(rows.GAPS), [])
        self.assertEqual(self.path(rows.GAPS).read_bytes(), before + gap_row(gap(0, 5)).encode() + b"\n")


if __name__ == "__main__":
    unittest.main()
