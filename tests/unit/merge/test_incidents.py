"""What can be between two folders, and what comes of it: a row that is kept, or a line that says why not."""

import gzip
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from aster_collect.exchange.form import columns_of
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.files.lock import lock
from aster_collect.files.names import TABLE
from aster_collect.verify import check_folder
from tests.histories import history
from tests.unit.commands.calls import ROOT, Ended, call, environment

S = "BTCUSDT"
T = 1_795_363_200_000


def trade(number: int, quantity: str = "0.1") -> str:
    return f"{number},{T + number},buy,61.50,{quantity}"


def quote(number: int, bid: str = "1.0", at_ms: int | None = None) -> str:
    return f"{seconds(number if at_ms is None else at_ms)},{bid},3.0,2.0"


def mark(number: int, price: str = "61.5") -> str:
    return f"{seconds(1000 * number)},{price},61.4,,0.0001,1795536000000"


def seconds(number: int) -> str:
    return f"{(T + number) // 1000}.{(T + number) % 1000:03d}"


def change(previous: int | str, number: int, bids: str = "1.0 2", asks: str = "3.0 4") -> str:
    return f"{seconds(number)},{previous},{number},{bids},{asks}"


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.base = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.out = self.base / "out"

    def folder(
        self, name: str, *, gaps: list[str] | None = None, options: Options | None = None, **rows: list[str]
    ) -> Path:
        """Write a folder with these rows, by kind, and a ledger."""
        folder = self.base / name
        folder.mkdir(exist_ok=True)
        options = options or Options()
        for prefix, lines in rows.items():
            kind = KINDS[prefix.replace("_", "-")]
            self.write(folder / kind.file_name("" if kind.whole_folder else S), kind.name, options, lines)
        if gaps is not None or rows.keys() - {"universe"}:
            self.write(folder / f"gaps_{S}.csv", "gaps", options, gaps or [])
        return folder

    def write(self, path: Path, kind: str, options: Options, lines: list[str]) -> None:
        header = ",".join(column.name for column in columns_of(TABLE[kind], options))
        path.write_text("".join(f"{line}\n" for line in (header, *lines)))

    def merge(self, *folders: Path, status: int = 0, more: tuple[str, ...] = ()) -> Ended:
        """Merge, and verify what comes of it."""
        ended = call("merge", *map(str, folders), "--into", str(self.out), *more)
        self.assertEqual(ended.status, status, ended)
        if self.out.exists() and any(self.out.iterdir()):
            self.assertEqual(check_folder(self.out).reasons, {})
        return ended

    def refused(self, *folders: Path, why: str, status: int) -> None:
        """Fail unless that is one line, and nothing is left."""
        ended = self.merge(*folders, status=status)
        self.assertEqual((ended.out, ended.err.count("\n")), ("", 1), ended)
        self.assertIn(why, ended.err.replace(f"{self.base}/", ""))
        self.assertEqual([path.name for path in self.base.iterdir() if path.name not in ("a", "b", "c")], [])

    def rows(self, kind: str) -> list[str]:
        return history(self.out, kind, "" if KINDS[kind].whole_folder else S)

    def ledger(self) -> list[str]:
        return (self.out / f"gaps_{S}.csv").read_text().splitlines()[1:]


class WhatIsKept(Case):
    def test_rows_that_differ(self) -> None:
        """They are shown with their places, the first folder's is kept, and the status is 1."""
        a, b = self.folder("a", trades=[trade(1), trade(2)]), self.folder("b", trades=[trade(1), trade(2, "0.7")])
        ended = self.merge(a, b, status=1)
        self.assertEqual(
            ended.err.replace(f"{self.base}/", ""),
            f"aster-collect merge: a/trades_{S}.csv:3 and b/trades_{S}.csv:3 differ: {trade(2)} is kept, "
            f"not {trade(2, '0.7')}\n",
        )
        self.assertIn("symbols=1 files=2 rows=2 gaps=0 differ=1 ", ended.out)
        self.assertEqual(self.rows("trades"), [trade(1), trade(2)])

    def test_a_row_that_came_live_for_one_alone(self) -> None:
        """The earliest time of receipt is kept, and one that there is before none."""
        options = Options(receive_time=True)
        a = self.folder("a", options=options, trades=[f"{trade(1)},", f"{trade(2)},90", f"{trade(3)},"])
        b = self.folder("b", options=options, trades=[f"{trade(1)},70", f"{trade(2)},100", f"{trade(3)},"])
        self.merge(a, b)
        self.assertEqual(self.rows("trades"), [f"{trade(1)},70", f"{trade(2)},90", f"{trade(3)},"])

    def test_quotes_that_look_the_same(self) -> None:
        """Of one time there are as many as the one who saw most of them has."""
        a = self.folder("a", prices=[quote(1), quote(1), quote(1, "2.0"), quote(1)])
        b = self.folder("b", prices=[quote(1), quote(1, "2.0"), quote(1), quote(1, "1.5")])
        self.fixed(a, b)
        self.merge(a, b)
        self.assertEqual(len(self.rows("prices")), 5)
        self.assertIn(b'"rows": 5,', (self.out / "files.jsonl").read_bytes())

    def fixed(self, *folders: Path) -> None:
        """Give quotes the mid that they have."""
        for folder in folders:
            path = folder / f"prices_{S}.csv"
            text = (
                path.read_text()
                .replace(",2.0,3.0,2.0\n", ",2.0,3.0,2.5\n")
                .replace(",1.5,3.0,2.0\n", ",1.5,3.0,2.25\n")
            )
            path.write_text(text)

    def test_a_time_that_steps_back(self) -> None:
        """Rows around it are put together by what they say, not doubled."""
        times = [1000, 2000, 1900, 3000]
        for lost in range(4):
            with self.subTest(lost=lost):
                self.out = self.base / f"out{lost}"
                a = self.folder("a", prices=[quote(0, at_ms=at) for at in times])
                b = self.folder("b", prices=[quote(0, at_ms=at) for at in [*times[:lost], *times[lost + 1 :]]])
                self.merge(a, b)
                self.assertEqual(self.rows("prices"), [quote(0, at_ms=at) for at in times])

    def test_one_odd_time_far_ahead(self) -> None:
        """It stays where it is, and ends no file."""
        odd = quote(0, at_ms=10**9)
        a = self.folder("a", prices=[quote(1000), odd, quote(2000), quote(3000)])
        b = self.folder("b", prices=[quote(1000), odd, quote(3000)])
        self.merge(a, b, more=("--rotate", "day"))
        self.assertEqual(self.rows("prices"), [quote(1000), odd, quote(2000), quote(3000)])
        self.assertEqual([path.name for path in self.out.glob("prices*")], [f"prices_{S}.csv"])

    def test_an_odd_time_at_the_end_of_a_day(self) -> None:
        """The day ends with the first row of the next one that is in order."""
        end = 8 * 3_600_000
        lines = [quote(0, at_ms=at) for at in (end - 9000, 10**9, end - 5000, end + 1000)]
        a = self.folder("a", prices=lines)
        self.merge(a, a, more=("--rotate", "day"))
        self.assertEqual(self.rows("prices"), lines)
        self.assertEqual(len((self.out / f"prices_{S}.2026-11-22.csv").read_text().splitlines()), 4)

    def test_what_is_polled(self) -> None:
        """Answers are told apart by their time; what is listed by what it says."""
        listed = [f"{seconds(one)},ABCUSDT,TRADING,PERPETUAL,0.1,1,1735689600000,8" for one in (1, 2, 3)]
        a = self.folder("a", open_interest=[f"{T + 1},5.0", f"{T + 3},6.0"], universe=listed[:2])
        b = self.folder("b", open_interest=[f"{T + 2},5.0", f"{T + 3},6.0"], universe=listed[1:])
        self.merge(a, b)
        self.assertEqual(self.rows("open-interest"), [f"{T + 1},5.0", f"{T + 2},5.0", f"{T + 3},6.0"])
        self.assertEqual(self.rows("universe"), listed)

    def test_a_symbol_and_a_kind_of_one_folder_alone(self) -> None:
        """They are taken as they are."""
        a, b = self.folder("a", trades=[trade(1)]), self.folder("b", mark=[mark(1)])
        for name in ("trades", "gaps"):
            (b / f"{name}_币安人生USDT.csv").write_bytes((a / f"{name}_{S}.csv").read_bytes())
        self.assertIn("symbols=2 files=5 rows=3 ", self.merge(a, b).out)

    def test_files_without_rows(self) -> None:
        """There is a file with a header where any folder has one."""
        self.merge(self.folder("a", liquidations=[]), self.folder("b", trades=[trade(1)]))
        self.assertEqual(self.rows("liquidations"), [])

    def test_a_book_that_was_wrong(self) -> None:
        """In a stretch of mismatch the other's rows count, and no difference is told."""
        whole = [change("", 1), change(1, 2, "1.0 5", "3.0 5"), change(2, 3, "1.0 6"), change(3, 4, "1.0 7")]
        wrong = [whole[0], change(1, 2, "1.0 9"), change(2, 3, "1.0 8"), change("", 4, "1.0 7")]
        a = self.folder("a", depth=wrong, gaps=[f"depth,{seconds(1)},{seconds(4)},,,mismatch"])
        self.merge(a, self.folder("b", depth=whole))
        self.assertEqual(self.rows("depth"), whole)
        self.assertEqual(self.ledger(), [])

    def test_batches_that_are_cut_differently(self) -> None:
        """Either's row that begins at or before the last id continues the book, and names the row before."""
        a = self.folder("a", depth=[change("", 10), change(10, 20), change(20, 30)])
        b = self.folder("b", depth=[change("", 5), change(5, 15), change(15, 25)])
        self.merge(a, b)
        ids = [tuple(row.split(",")[1:3]) for row in self.rows("depth")]
        self.assertEqual(ids, [("", "5"), ("5", "15"), ("15", "20"), ("20", "25"), ("25", "30")])

    def test_what_neither_has_of_a_book(self) -> None:
        """The first snapshot behind it is next, and the ledger has the stretch."""
        told = f"depth,{seconds(1)},{seconds(9000)},,,hole"
        a = self.folder("a", depth=[change("", 1), change("", 9000)], gaps=[told])
        b = self.folder(
            "b",
            depth=[change("", 1), change("", 5000), change(5000, 9500)],
            gaps=[told.replace(seconds(9000), seconds(5000))],
        )
        self.merge(a, b)
        self.assertEqual(self.rows("depth"), [change("", 1), change("", 5000), change(5000, 9500)])
        self.assertEqual(self.ledger(), [f"depth,{seconds(1)},{seconds(5000)},,,hole"])

    def test_a_book_that_was_closed_by_the_hour(self) -> None:
        """What a file began with is no row of a history that is not closed."""
        a = self.folder("a", depth=[change("", 1), change(1, 2)])
        (a / f"depth_{S}.csv").rename(a / f"depth_{S}.2026-11-22T16.csv")
        later = [f"{seconds(3)},,2,1.0 2,3.0 4", change(2, 3)]
        self.folder("a", depth=later)
        self.merge(a, a, more=("--rotate", "none"))
        self.assertEqual(self.rows("depth"), [change("", 1), change(1, 2), change(2, 3)])

    def test_two_books_of_one_moment(self) -> None:
        """Where one ends at the time at which another begins the ledger says that changes may lie between."""
        a, b = self.folder("a", depth=[change("", 10)]), self.folder("b", depth=[f"{seconds(10)},,12,1.0 2,3.0 4"])
        self.merge(a, b)
        self.assertEqual(self.ledger(), [f"depth,{seconds(10)},{seconds(10)},,,hole"])

    def test_a_folder_that_is_written_to(self) -> None:
        """Half a row at the end of a file that grows is no row yet."""
        a, b = self.folder("a", trades=[trade(1), trade(2)]), self.folder("b", trades=[trade(1)])
        with (b / f"trades_{S}.csv").open("a") as file:
            file.write(trade(2)[:9])
        self.merge(a, b)
        self.assertEqual(self.rows("trades"), [trade(1), trade(2)])

    def test_a_file_that_was_set_aside(self) -> None:
        """It is not merged, which is said, and its time counts as lacking."""
        a = self.folder("a", mark=[mark(1), mark(20)])
        self.write(a / f"mark_{S}.20261122T160010Z.csv", "mark", Options(), [mark(5)])
        b = self.folder("b", mark=[mark(1), mark(20)], gaps=[f"mark,{seconds(2000)},{seconds(19000)},,,reconnect"])
        self.assertIn(f"set aside, not merged: {a}/mark_{S}.20261122T160010Z.csv", self.merge(a, b).err)
        self.assertEqual(self.ledger(), [f"mark,{seconds(5000)},{seconds(10000)},,,restart"])

    def test_trades_that_were_set_aside(self) -> None:
        """Of trades ids tell, and no stretch of time does."""
        a, b = self.folder("a", trades=[trade(1)]), self.folder("b", trades=[trade(2)])
        for folder in (a, b):
            self.write(folder / f"trades_{S}.20261122T160010Z.csv", "trades", Options(), [trade(9)])
        self.merge(a, b)
        self.assertEqual(self.ledger(), [])

    def test_a_row_of_each_within_what_both_lack(self) -> None:
        """One may lie in a stretch of the ledger; of two the stretch is cut, so that it holds none."""
        told = [f"mark,{seconds(1000)},{seconds(20000)},,,reconnect"]
        a = self.folder("a", mark=[mark(1), mark(8), mark(20)], gaps=told)
        self.merge(a, self.folder("b", mark=[mark(1), mark(12), mark(20)], gaps=told))
        self.assertEqual(self.rows("mark"), [mark(one) for one in (1, 8, 12, 20)])
        cuts = [(1000, 8000), (8000, 12000), (12000, 20000)]
        self.assertEqual(self.ledger(), [f"mark,{seconds(start)},{seconds(end)},,,reconnect" for start, end in cuts])

    def test_how_old_a_file_is(self) -> None:
        """It is as old as the one with its last row, so that a collector knows how long nobody collected."""
        a, b = self.folder("a", trades=[trade(1), trade(2)]), self.folder("b", trades=[trade(1)])
        os.utime(a / f"trades_{S}.csv", (T / 1000, T / 1000))
        self.merge(a, b)
        self.assertEqual((self.out / f"trades_{S}.csv").stat().st_mtime, T / 1000)

    def test_spot(self) -> None:
        """The market is kept; of one id the earliest time counts, where that is when a quote was received."""
        options = Options(quantities=True)
        rows = [f"{quote(at)},{number},1,1" for at, number in ((1, 5), (7, 6), (4, 5), (5, 6))]
        a, b = self.folder("a", options=options, prices=rows[:2]), self.folder("b", options=options, prices=rows[2:])
        for folder in (a, b):
            (folder / ".market").write_text("spot\n")
        self.merge(a, b)
        self.assertEqual(self.rows("prices"), [rows[0], rows[3]])
        self.assertEqual((self.out / ".market").read_text(), "spot\n")

    def test_spot_before_and_after(self) -> None:
        """Without ids quotes of spot can be put one behind the other."""
        a, b = self.folder("a", prices=[quote(1), quote(2)]), self.folder("b", prices=[quote(3), quote(4)])
        for folder in (a, b):
            (folder / ".market").write_text("spot\n")
        self.merge(b, a)
        self.assertEqual(self.rows("prices"), [quote(1), quote(2), quote(3), quote(4)])


class WhatIsRefused(Case):
    def test_other_columns(self) -> None:
        """One line names the file, and which columns are others."""
        a, b = self.folder("a", mark=[mark(1)]), self.folder("b", options=Options(receive_time=True), mark=[])
        self.refused(a, b, status=2, why=f"b/mark_{S}.csv: has receive_time_ns, unlike a/mark_{S}.csv; ")

    def test_other_levels(self) -> None:
        """So it is with books of other sizes, also where only a closed file is one."""
        a, b = self.folder("a", orderbook=[]), self.folder("b", orderbook=[])
        self.write(b / f"orderbook_{S}.2026-11-21.csv", "orderbook", Options(levels=20), [])
        why = (
            f"b/orderbook_{S}.2026-11-21.csv: has bid_price_10, bid_qty_10, bid_price_11 and 37 more columns, unlike a/"
        )
        self.refused(a, b, status=2, why=why)

    def test_another_market(self) -> None:
        """Futures and spot are not one history."""
        a, b = self.folder("a", trades=[trade(1)]), self.folder("b", trades=[trade(1)])
        (b / ".market").write_text("spot\n")
        self.refused(a, b, status=2, why="b holds spot, and a futures; give folders of one market")

    def test_quotes_of_spot_that_nothing_tells_apart(self) -> None:
        """Without ids and times of the exchange those of one time can't be merged."""
        a, b = self.folder("a", prices=[quote(1), quote(4)]), self.folder("b", prices=[quote(2), quote(3)])
        for folder in (a, b):
            (folder / ".market").write_text("spot\n")
        self.refused(a, b, status=2, why=f"b/prices_{S}.csv:2: a has rows of this time too")

    def test_ids_that_began_anew(self) -> None:
        """What is hours away from the rows around it by time, and not by id, is of other ids."""
        later = [f"{number},{T + 10**8 + number},buy,1.0,1" for number in (1, 2)]
        a, b = self.folder("a", trades=[trade(5), trade(6)]), self.folder("b", trades=later)
        self.refused(a, b, status=2, why="trades_BTCUSDT.csv:2: by id its rows lie among others that are hours away")
        later = [f"{number},{T + 10**8 + number},buy,1.0,1,MARKET" for number in (2, 4)]
        among = [trade(number) + ",MARKET" for number in (1, 3, 5)], later
        a, b = self.folder("a", fills=among[0]), self.folder("b", fills=among[1])
        for folder in (a, b):
            (folder / f"trades_{S}.csv").unlink()
        self.refused(a, b, status=2, why="fills_BTCUSDT.csv:2: by id its rows lie among others that are hours away")
        depth = [change("", number).replace(seconds(number), seconds(number + 10**8)) for number in (1, 2)]
        a, b = self.folder("a", depth=[change("", 5)]), self.folder("b", depth=depth[:1])
        for folder in (a, b):
            (folder / f"fills_{S}.csv").unlink()
        self.refused(a, b, status=2, why="depth_BTCUSDT.csv:2: by update_id its rows lie among others")

    def test_a_damaged_line(self) -> None:
        """It is named, and nothing is merged."""
        a, b = self.folder("a", trades=[trade(1)]), self.folder("b", trades=[trade(1), "2,x,buy,1,1"])
        self.refused(a, b, status=1, why=f"b/trades_{S}.csv:3: unix_timestamp_ms is 'x', not whole Unix milliseconds; ")

    def test_a_compressed_file_that_is_cut(self) -> None:
        """So it is with what can't be unpacked."""
        a, b = self.folder("a", trades=[trade(1)]), self.folder("b", trades=[trade(2)])
        packed = gzip.compress((a / f"trades_{S}.csv").read_bytes())
        (b / f"trades_{S}.2026-11-21.csv.gz").write_bytes(packed[:-9])
        self.refused(a, b, status=1, why=f"b/trades_{S}.2026-11-21.csv.gz:1: Compressed file ended before")

    def test_a_ledger_that_is_gone(self) -> None:
        """Without it nothing says what a folder lacks."""
        a, b = self.folder("a", trades=[trade(1)]), self.folder("b", trades=[trade(1)])
        (b / f"gaps_{S}.csv").unlink()
        self.refused(a, b, status=1, why=f"b/gaps_{S}.csv: it is not there")

    def test_a_hole_that_a_ledger_does_not_list(self) -> None:
        """What verify calls broken is not made to look whole."""
        a, b = self.folder("a", trades=[trade(1)]), self.folder("b", trades=[trade(1), trade(4)])
        self.refused(
            a, b, status=1, why=f"b/trades_{S}.csv:3: 2 ids missing before it that no row of the ledger explains"
        )

    def test_ids_that_do_not_rise(self) -> None:
        """So it is with ids that go back."""
        a, b = self.folder("a", trades=[trade(1)]), self.folder("b", trades=[trade(3), trade(2)])
        self.refused(a, b, status=1, why=f"b/trades_{S}.csv:3: id 2 does not rise from 3")

    def test_a_chain_that_is_broken(self) -> None:
        """So it is with a change that does not name the row before it."""
        a, b = self.folder("a", depth=[change("", 1)]), self.folder("b", depth=[change("", 1), change(2, 3)])
        why = f"b/depth_{S}.csv:3: previous_update_id 2, but the row before has update_id 1"
        self.refused(a, b, status=1, why=why)

    def test_a_ledger_that_contradicts_itself(self) -> None:
        """So it is with a row of a ledger that none can be."""
        a = self.folder("a", trades=[trade(1)], gaps=[f"trades,{seconds(2)},{seconds(1)},1,2,gave-up"])
        why = f"a/gaps_{S}.csv:2: from_unix_timestamp is after to_unix_timestamp"
        self.refused(a, self.folder("b", trades=[trade(1)]), status=1, why=why)

    def test_the_place_of_the_result(self) -> None:
        """It is not within a folder that is merged, nor one that has something in it."""
        a, b = self.folder("a", trades=[trade(1)]), self.folder("b", trades=[trade(1)])
        for into, why in ((a, "is never touched"), (b / "c", "is never touched"), (self.base, "or is empty, allowed")):
            ended = call("merge", str(a), str(b), "--into", str(into))
            self.assertEqual((ended.status, ended.err.count("\n")), (2, 1), ended)
            self.assertIn(why, ended.err)

    def test_a_call_that_lacks_something(self) -> None:
        """Two folders and a place are needed, and folders with data."""
        for words, why in (
            ((), "DIR: none given, two folders or more allowed"),
            (("a",), "DIR: 1 given, two folders or more allowed"),
            (("a", "b"), "--into: none given, a folder's name allowed"),
            (("a", "b", "--into", str(self.out)), "a: No such file or directory"),
        ):
            ended = call("merge", *words)
            self.assertEqual((ended.status, ended.out), (2, ""))
            self.assertIn(why, ended.err)


class AnEndBeforeTheEnd(Case):
    def test_what_a_killed_run_left(self) -> None:
        """The next run deletes it, and takes its place."""
        a, b = self.folder("a", trades=[trade(1)]), self.folder("b", trades=[trade(2)])
        self.out.mkdir()  # an empty folder is no hindrance
        words = [sys.executable, "-c", KILLED, str(a), str(b), str(self.out)]
        killed = subprocess.run(words, cwd=ROOT, env=environment(), timeout=60)
        self.assertEqual(killed.returncode, 9)
        self.assertTrue((self.base / ".out.merging" / f"trades_{S}.csv").exists())
        self.assertEqual(list(self.out.iterdir()), [])
        self.merge(a, b)
        self.assertEqual(self.rows("trades"), [trade(1), trade(2)])
        self.assertEqual({path.name for path in self.base.iterdir()}, {"a", "b", "out"})

    def test_another_run_to_the_same_place(self) -> None:
        """It is refused while the first one writes."""
        beside = self.base / ".out.merging"
        beside.mkdir()
        descriptor = os.open(beside, os.O_RDONLY)
        self.addCleanup(os.close, descriptor)
        lock(descriptor)
        a, b = self.folder("a", trades=[trade(1)]), self.folder("b", trades=[trade(2)])
        self.assertIn("another merge is writing it", self.merge(a, b, status=3).err)


KILLED = """
import os, sys
from contextlib import contextmanager
from pathlib import Path
from aster_collect.merge import merge_folders

@contextmanager
def begin(_):
    yield lambda rows, bytes_: None
    os._exit(9)

*folders, out = map(Path, sys.argv[1:])
merge_folders(folders, out, "", begin)
"""


if __name__ == "__main__":
    unittest.main()
