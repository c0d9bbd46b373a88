"""Every promise that `aster_collect.verify` proves: kept by good files, seen broken by damaged ones."""

import contextlib
import gzip
import io
import json
import os
import random
import tempfile
import tracemalloc
import unittest
from collections.abc import Callable
from pathlib import Path

from aster_collect import cli
from aster_collect.exchange.shape import form
from aster_collect.exchange.streams import KINDS
from aster_collect.verify import check_folder
from aster_collect.verify.cross import Cross
from aster_collect.verify.ledger import Ledger
from aster_collect.verify.lines import Lines as GoodLines
from aster_collect.verify.order import Rows
from aster_collect.verify.report import Report
from tests import rows

START_MS = 1_764_000_000_000
Lines = list[str]
PRICES, BOOK, TRADES, GAPS = (rows.file_name(kind, "BTCUSDT") for kind in ("prices", "orderbook", "trades", "gaps"))


def at(seconds: float) -> str:
    """Return a time so many seconds after the start of all test data."""
    return rows.seconds(START_MS + round(seconds * 1000))


def gap(stream: str, start: float, end: float, ids: str = ",", cause: str = "reconnect") -> str:
    """Return a ledger row; `ids` are its two id cells."""
    return f"{stream},{at(start)},{at(end)},{ids},{cause}"


def good() -> dict[str, Lines]:
    """Return a small good folder: one row a second, trades 100 to 109 and 115 to 119, the ledger explains the hole."""
    book = ",".join(rows.columns(rows.ORDERBOOK, 5, False))
    return {
        PRICES: ["unix_timestamp,bid,ask,mid", *(f"{at(s)},100.{s},101.{s},100.{s + 5}" for s in range(5))],
        BOOK: [book, *(f"{at(s)},{7000 + s},10.5,1,10,2.5,,,,,,,11,1,11.5,1,12,1,,,," for s in range(5))],
        TRADES: [
            "id,unix_timestamp_ms,side,price,quantity",
            *(f"{i},{START_MS + i},buy,100.1,0.003" for i in (*range(100, 110), *range(115, 120))),
        ],
        GAPS: [",".join(rows.columns(rows.GAPS, 5, False)), gap("trades", 0, 1, "110,114", "gave-up")],
    }


def main(words: list[str]) -> int:
    """Run the command; return its exit status."""
    return cli.main(["verify", *words])


class Case(unittest.TestCase):
    """A temporary data folder and the program's answer about it."""

    def setUp(self) -> None:
        self.files = good()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self) -> None:
        for old in self.folder.iterdir():
            old.unlink()
        for name, lines in self.files.items():
            data = "".join(f"{line}\n" for line in lines).encode()
            (self.folder / name).write_bytes(gzip.compress(data, 1, mtime=0) if name.endswith(".gz") else data)

    def run_main(self, *options: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main([str(self.folder), *options])
        return status, out.getvalue(), err.getvalue()

    def assert_holds(self, *options: str) -> None:
        status, out, err = self.run_main(*options)
        self.assertEqual((status, err), (0, ""), out)
        self.assertTrue(out.splitlines()[-1].startswith("all promises hold: "), out)

    def assert_broken(self, place: str, reason: str, *options: str, count: int = 1) -> None:
        """Assert that `count` promises are broken, and that one is at `place` (file:line) with that reason in it."""
        status, out, err = self.run_main(*options)
        found = [line for line in out.splitlines() if line.startswith(f"{self.folder}/{place}: ")]
        self.assertTrue(any(reason in line for line in found), out)
        self.assertEqual((status, err, out.splitlines()[-1]), (1, "", f"broken: {count}"), out)

    def holds(self) -> None:
        self.write()
        self.assert_holds()

    def broken(self, place: str, reason: str, count: int = 1) -> None:
        self.write()
        self.assert_broken(place, reason, count=count)


class WholeLines(Case):
    def test_good_folder(self) -> None:
        """A good folder holds every promise and says how much was proven."""
        self.write()
        status, out, _ = self.run_main()
        self.assertEqual((status, out.splitlines()[-1]), (0, "all promises hold: 26 rows in 4 files"))

    def test_power_cut_tears_the_last_line(self) -> None:
        """A last line without its end is broken, in each kind of file."""
        for name in good():
            with self.subTest(name=name):
                self.files = good()
                self.write()
                path, count = self.folder / name, len(self.files[name])
                path.write_bytes(path.read_bytes()[:-1])
                extra = 1 if name == GAPS else 0
                self.assert_broken(f"{name}:{count}", "incomplete line", count=1 + extra)

    def test_reader_catches_a_write_halfway(self) -> None:
        """With --live an incomplete last line of a growing file is a row under way, and so is an unwritten header."""
        self.write()
        with (self.folder / TRADES).open("ab") as file:
            file.write(b"120,17640")
        (self.folder / "prices_NEWUSDT.csv").touch()
        (self.folder / "trades_NEWUSDT.csv").write_bytes(b"id,unix")
        self.assert_holds("--live")
        self.assert_broken(f"{TRADES}:17", "incomplete line", count=3)

    def test_live_forgives_nothing_else(self) -> None:
        """With --live a bad line before the last, and an incomplete line of a closed part, are still broken."""
        self.files[PRICES].insert(3, "")
        self.write()
        self.assert_broken(f"{PRICES}:4", "blank line", "--live")
        self.files = good()
        self.write()
        (self.folder / "prices_BTCUSDT.2025-11-20.csv").write_bytes(b"unix_timestamp,bid,ask,mid\n17")
        self.assert_broken("prices_BTCUSDT.2025-11-20.csv:2", "incomplete line", "--live")

    def test_crash_leaves_a_tail_of_nul(self) -> None:
        """NUL bytes are broken, at the end, within a line and in a run longer than any line."""
        for where, nul in ((-1, 100), (40, 1), (-1, 3_000_000)):
            self.write()
            data = (self.folder / PRICES).read_bytes()
            where %= len(data) + 1
            (self.folder / PRICES).write_bytes(data[:where] + b"\0" * nul + data[where:])
            with self.subTest(where=where, nul=nul):
                self.assert_broken(f"{PRICES}:{7 if where > 40 else 2}", "NUL bytes")

    def test_blank_line(self) -> None:
        """A blank line is broken."""
        self.files[BOOK].append("")
        self.broken(f"{BOOK}:7", "blank line")

    def test_spreadsheet_saves_with_carriage_returns(self) -> None:
        """A carriage return is broken, in a row and in the header."""
        self.files[TRADES][3] += "\r"
        self.broken(f"{TRADES}:4", "carriage return", count=2)
        self.files = good()
        self.files[TRADES][0] += "\r"
        self.broken(f"{TRADES}:1", "not the header")

    def test_cell_lost_or_added(self) -> None:
        """A row with fewer or more cells than the header is broken."""
        self.files[PRICES][2] += ",1"
        self.broken(f"{PRICES}:3", "5 cells instead of 4")
        self.files[PRICES][2] = "1764000001.000,1,2"
        self.broken(f"{PRICES}:3", "3 cells instead of 4")

    def test_header_of_another_program(self) -> None:
        """A missing, changed or foreign header is broken, in each kind of file."""
        for name in (PRICES, BOOK, TRADES):
            for damage in (
                lambda header: header.replace("unix_", ""),
                lambda header: None,
                lambda header: "\ufeff" + header,
            ):
                self.files = good()
                header = damage(self.files[name][0])
                self.files[name][:1] = [header] if header else []
                with self.subTest(name=name, header=header):
                    self.broken(f"{name}:1", "not the header")
        self.files = good()
        self.files[GAPS].pop(0)
        self.broken(f"{GAPS}:1", "not the header", count=2)

    def test_rows_of_other_levels_than_the_header(self) -> None:
        """Rows of five levels under a header of ten are broken."""
        self.files[BOOK][0] = ",".join(rows.columns(rows.ORDERBOOK, 10, False))
        self.broken(f"{BOOK}:2", "22 cells instead of 42", count=5)

    def test_every_shape_of_file(self) -> None:
        """5, 10 and 20 levels, with and without receive times, are good; a receive time that is no number is broken."""
        for levels in (5, 10, 20):
            for received in ("", "1764000000123456789", "soon"):
                names = rows.columns("orderbook", levels, bool(received))
                side = ",".join(["7,1", *["," for _ in range(levels - 1)]])
                row = f"{at(0)},1,{side},{side.replace('7', '8')}"
                self.files[BOOK] = [",".join(names), row + (f",{received}" if received else "")]
                with self.subTest(levels=levels, received=received):
                    if received == "soon":
                        self.broken(f"{BOOK}:2", "receive_time_ns is 'soon'")
                    else:
                        self.holds()
        for name in (PRICES, TRADES):
            self.files[name] = [f"{line},{'176' if line[0].isdigit() else rows.RECEIVE_TIME}" for line in good()[name]]
        self.files[BOOK] = good()[BOOK]
        self.holds()

    def test_trade_that_was_fetched(self) -> None:
        """A trade that did not come live has no receive time; a quote always has."""
        for name in (TRADES, PRICES):
            header, *lines = good()[name]
            self.files[name] = [f"{header},{rows.RECEIVE_TIME}", *(f"{line},176" for line in lines)]
            self.files[name][2] = self.files[name][2].removesuffix("176")
        self.broken(f"{PRICES}:3", "receive_time_ns is '', not a whole number")

    def test_empty_file(self) -> None:
        """A file without even a header is broken; a file of a header alone is good."""
        self.files[PRICES] = []
        self.broken(f"{PRICES}:1", "empty")
        self.files[PRICES] = good()[PRICES][:1]
        self.holds()

    def test_file_of_many_blocks(self) -> None:
        """Line numbers are right behind many blocks, whatever line the blocks end in."""
        start, count = 10**6, 60_000
        self.files[TRADES][1:] = [f"{start + i},{START_MS + i},sell,{i}.5,1" for i in range(count)]
        del self.files[GAPS][1]
        self.holds()
        self.files[TRADES][50_000] = "x"
        self.write()
        self.assert_broken(f"{TRADES}:50001", "1 cells instead of 5", count=2)
        self.assert_broken(f"{TRADES}:50002", f"1 ids missing from {start + 49_999}", count=2)


class Values(Case):
    def test_price_that_is_no_plain_decimal(self) -> None:
        """Exponents, signs, spaces, words, bare points, quotes and other scripts' digits are broken."""
        for value in ("1e5", "-1", "+1", " 1", "nan", "1.", ".5", '"1"', "", "\u0661", "1_0"):
            with self.subTest(value=value):
                self.files = good()
                self.files[TRADES][5] = f"104,{START_MS + 104},buy,1,{value}"
                self.broken(f"{TRADES}:6", "quantity is", count=2)
                self.files = good()
                self.files[PRICES][5] = f"{at(4)},{value},2,1.5"
                self.broken(f"{PRICES}:6", "bid is")

    def test_time_in_another_unit(self) -> None:
        """Prices and books have seconds with exactly three decimals, trades whole milliseconds; all else is broken."""
        for time in (
            "1764000004",
            "1764000004.00",
            "1764000004.0000",
            "1764000004000",
            "01764000004.000",
            "\u0663.000",
        ):
            with self.subTest(time=time):
                self.files = good()
                self.files[PRICES][5] = f"{time},1,2,1.5"
                self.broken(f"{PRICES}:6", "unix_timestamp is")
                self.files = good()
                self.files[BOOK][5] = time + self.files[BOOK][5][14:]
                self.broken(f"{BOOK}:6", "unix_timestamp is")
        self.files = good()
        self.files[TRADES][15] = f"119,{at(1)},buy,1,1"
        self.broken(f"{TRADES}:16", "unix_timestamp_ms is")

    def test_id_that_is_no_whole_number(self) -> None:
        """Trade ids and update ids are whole numbers."""
        self.files[TRADES][15] = f"119.0,{START_MS + 119},buy,1,1"
        self.broken(f"{TRADES}:16", "id is '119.0', not a whole number")
        self.files = good()
        self.files[BOOK][5] = self.files[BOOK][5].replace(",7004,", ",x,")
        self.broken(f"{BOOK}:6", "lastUpdateId is")

    def test_side_in_capitals(self) -> None:
        """A side is buy or sell, and nothing else."""
        self.files[TRADES][15] = self.files[TRADES][15].replace("buy", "BUY")
        self.broken(f"{TRADES}:16", "side is 'BUY', not buy or sell")
        self.files[TRADES][15] = self.files[TRADES][15].replace("BUY", "sell")
        self.holds()


class Order(Case):
    def set_time(self, name: str, line: int, time: str) -> None:
        """Give a row of a file another time."""
        cells = self.files[name][line - 1].split(",")
        cells[1 if name == TRADES else 0] = time
        self.files[name][line - 1] = ",".join(cells)

    def test_times_a_millisecond_back_within_rising_ids(self) -> None:
        """Order books and trades have ids that prove their order: steps back are counted and shown, however large."""
        for kind, name, steps in (
            ("orderbook", BOOK, ((3, at(-0.001)), (5, at(-40)))),
            ("trades", TRADES, ((3, str(START_MS + 99)), (5, str(START_MS - 39_898)))),
        ):
            self.files = good()
            for line, time in steps:
                self.set_time(name, line, time)
            self.set_time(name, 4, self.files[name][2].split(",")[1 if name == TRADES else 0])
            with self.subTest(kind=kind):
                self.write()
                status, out, _ = self.run_main()
                self.assertEqual(status, 0, out)
                largest = 39_999 if kind == "orderbook" else 39_997
                self.assertIn(
                    f"/{name}:3: time goes back 2 times from here on, by {largest} ms at most; counted, not broken\n",
                    out,
                )
                facts = {one["kind"]: one["time_back"] for one in json.loads(self.run_main("--json")[1])["histories"]}
                self.assertEqual(facts.pop(kind), {"steps": 2, "largest_ms": largest, "file": name, "line": 3})
                self.assertEqual(set(facts.values()), {None})

    def test_prices_step_back(self) -> None:
        """Prices have no ids: a step back by a second is counted, a larger one is broken."""
        self.set_time(PRICES, 4, at(1))
        self.holds()
        self.assertNotIn("goes back", self.run_main()[1])
        self.set_time(PRICES, 4, at(0))
        self.holds()
        self.assertIn(f"/{PRICES}:4: time goes back 1 time from here on, by 1000 ms at most", self.run_main()[1])
        self.set_time(PRICES, 4, at(-0.001))
        self.broken(f"{PRICES}:4", "time goes back by 1001 ms")

    def test_one_odd_time_among_prices(self) -> None:
        """It is written as it came: the way back from it to the times around it is counted, however far it was."""
        for line in (2, 3):
            self.files = good()
            self.set_time(PRICES, line, "9999999999.999")
            self.holds()
            self.assertIn("goes back 1 time", self.run_main()[1])

    def test_block_of_prices_doubled(self) -> None:
        """A block that stands there twice is broken, but where the ledger says that times begin anew in it."""
        rows_of = good()[PRICES][1:]
        for cause, start, end, good_so in (
            ("clock", 0, 4, True),
            ("restart", -9, 3, True),
            ("clock", 1.1, 4, False),
            ("restart", 4, 9, False),
            ("reconnect", 0, 4, False),
        ):
            self.files = good()
            self.files[PRICES] += rows_of
            self.files[GAPS].append(gap("prices", start, end, cause=cause))
            with self.subTest(cause=cause, start=start, end=end):
                if good_so:
                    self.holds()
                else:
                    self.broken(f"{PRICES}:7", "time goes back by 4000 ms")
        self.files = good()
        self.files[PRICES] += rows_of
        self.broken(f"{PRICES}:7", "time goes back by 4000 ms")

    def test_shares_where_a_clock_was_set_back(self) -> None:
        """A history's first and last time are its lowest and highest, wherever they stand."""
        self.files[BOOK][1:] = [self.files[BOOK][line].replace(at(line - 1), at(9 - line)) for line in range(1, 6)]
        self.files[GAPS].append(gap("orderbook", 5, 6, cause="clock"))
        self.write()
        _, out, _ = self.run_main()
        self.assertRegex(out, r"BTCUSDT +orderbook +5 +\S+:04.000Z +\S+:08.000Z +1 +1.000 s +75.000 %\n")

    def test_row_back_before_a_stretch(self) -> None:
        """A row whose time went back to before a stretch is none within it."""
        self.files[BOOK][1:] = [self.files[BOOK][1], *self.files[BOOK][3:]]
        self.set_time(BOOK, 3, at(1))
        self.files[GAPS].append(gap("orderbook", -0.5, 9))
        self.set_time(BOOK, 4, at(0.2))
        self.set_time(BOOK, 5, at(99))
        self.holds()

    def test_times_of_different_length(self) -> None:
        """Times are compared as numbers, not as text."""
        self.files[PRICES] = ["unix_timestamp,bid,ask,mid", "8.999,1,2,1.5", "10.000,1,2,1.5"]
        self.holds()
        self.files[PRICES][1:] = self.files[PRICES][:0:-1]
        self.broken(f"{PRICES}:3", "time goes back by 1001 ms")

    def test_snapshot_written_twice(self) -> None:
        """An update id that does not rise is broken."""
        self.files[BOOK].insert(3, self.files[BOOK][2])
        self.broken(f"{BOOK}:4", "lastUpdateId 7001 does not rise from 7001")


class Books(Case):
    def book(self, bids: str, asks: str) -> None:
        """Make the last row of the book have these sides, five levels each."""
        self.files[BOOK][5] = f"{at(4)},7004,{bids},{asks}"

    def test_levels_in_disorder(self) -> None:
        """Bids that do not descend and asks that do not ascend, strictly and as numbers, are broken."""
        full_asks = "11,1,12,1,13,1,14,1,15,1"
        for bids in ("10,1,9,1,8,1,7,1,7.5,1", "10,1,9,1,9,1,7,1,6,1", "10,1,9,1,9.00,1,7,1,6,1", "9,1,10,1,,,,,,"):
            self.book(bids, full_asks)
            with self.subTest(bids=bids):
                self.broken(f"{BOOK}:6", "bids do not descend")
        for asks in ("11,1,12,1,13,1,14,1,13.9,1", "11,1,11.0,1,,,,,,", "100,1,99,1,,,,,,"):
            self.book("10,1,9,1,8,1,7,1,6,1", asks)
            with self.subTest(asks=asks):
                self.broken(f"{BOOK}:6", "asks do not ascend")
        self.book("10,1,9.99999999999999999999,1,9.9,1,9.8,1,9,1", "10.00000000000000000001,1,99,1,100,1,,,,")
        self.holds()

    def test_book_crossed(self) -> None:
        """A best bid at or above the best ask is broken; an empty side can't cross."""
        for bid in ("11", "11.000", "12"):
            self.book(f"{bid},1,,,,,,,,", "11,1,,,,,,,,")
            with self.subTest(bid=bid):
                self.broken(f"{BOOK}:6", "book crossed")
        for bids, asks in (("12,1,,,,,,,,", ",,,,,,,,,"), (",,,,,,,,,", "1,1,,,,,,,,"), (",,,,,,,,,", ",,,,,,,,,")):
            self.book(bids, asks)
            with self.subTest(bids=bids, asks=asks):
                self.holds()

    def test_hole_in_the_levels(self) -> None:
        """Blank levels stand at a side's end only."""
        self.book(",,9,1,,,,,,", "11,1,,,,,,,,")
        self.broken(f"{BOOK}:6", "blank bid level before a filled one")
        self.book("9,1,,,,,,,,", "11,1,,,12,1,,,,")
        self.broken(f"{BOOK}:6", "blank ask level before a filled one")

    def test_half_a_level(self) -> None:
        """Of a level both cells are there or none."""
        self.book("9,1,8,,,,,,,", "11,1,,,,,,,,")
        self.broken(f"{BOOK}:6", "bid_price_1 has no quantity")
        self.book("9,1,,,,,,,,", "11,1,,1,,,,,,")
        self.broken(f"{BOOK}:6", "ask_price_1 is blank, but its quantity is not")

    def test_level_that_is_no_decimal(self) -> None:
        """Every price and quantity of a book is a plain decimal."""
        self.book("9,1,,,,,,,,", "11,1,12,1e-3,,,,,,")
        self.broken(f"{BOOK}:6", "ask_qty_1 is '1e-3', not a plain decimal")


class Mid(Case):
    def quote(self, bid: str, ask: str, mid: str) -> None:
        self.files[PRICES][5] = f"{at(4)},{bid},{ask},{mid}"

    def test_mid_rounded(self) -> None:
        """A mid that is not exactly the mean is broken, even where a float could not tell."""
        for quote in (("1.1", "1.2", "1.1"), ("1", "2", "1.4"), ("0.10000000000000001", "0.3", "0.2")):
            self.quote(*quote)
            with self.subTest(quote=quote):
                self.broken(f"{PRICES}:6", "is not the mean")

    def test_mid_written_differently(self) -> None:
        """A mid is a number: any count of decimals is good."""
        for quote in (("1.1", "1.3", "1.2"), ("1.1", "1.3", "1.200"), ("1.10", "1.30", "1.2"), ("1", "2", "1.5")):
            self.quote(*quote)
            with self.subTest(quote=quote):
                self.holds()
        self.quote("0.10000000000000001", "0.3", rows.middle("0.10000000000000001", "0.3"))
        self.holds()

    def test_quote_crossed(self) -> None:
        """A bid at or above the ask is broken, unless a zero says that a side is absent."""
        for quote in (("2", "1", "1.5"), ("2", "2.0", "2")):
            self.quote(*quote)
            with self.subTest(quote=quote):
                self.broken(f"{PRICES}:6", "is not below ask")
        for quote in (("2", "0", "1"), ("0.00", "2", "1"), ("0", "0.0", "0")):
            self.quote(*quote)
            with self.subTest(quote=quote):
                self.holds()

    def test_bad_quote_again(self) -> None:
        """A bad quote is reported each time that it stands in the file."""
        self.files[PRICES][2:] = [f"{at(s)},2,1,1.5" for s in range(1, 5)]
        self.broken(f"{PRICES}:6", "is not below ask", count=4)


class Tape(Case):
    def test_trade_lost(self) -> None:
        """A missing id that the ledger does not list is broken."""
        del self.files[TRADES][4]
        self.broken(f"{TRADES}:5", "1 ids missing from 103 on")

    def test_trade_written_twice(self) -> None:
        """An id that stands there twice is broken."""
        self.files[TRADES].insert(4, self.files[TRADES][3])
        self.broken(f"{TRADES}:5", "id 102 after 102")

    def test_trades_swapped(self) -> None:
        """Ids that do not rise are broken."""
        trades = [line.replace(line.split(",")[1], str(START_MS)) for line in self.files[TRADES][1:]]
        trades[3], trades[4] = trades[4], trades[3]
        self.files[TRADES][1:] = trades
        self.broken(f"{TRADES}:6", "id 103 after 104", count=3)

    def test_another_id_space_behind(self) -> None:
        """A file that goes on in another id space is broken once, where it begins."""
        self.files[TRADES] += [f"{i},{START_MS + 500},buy,1,1" for i in range(5, 30)]
        self.broken(f"{TRADES}:17", "id 5 after 119")

    def test_ledger_row_lost(self) -> None:
        """A hole is broken when its ledger row, or the whole ledger, is gone."""
        del self.files[GAPS][1]
        self.broken(f"{TRADES}:12", "5 ids missing from 110 on")
        del self.files[GAPS]
        self.broken(f"{TRADES}:12", "5 ids missing from 110 on", count=2)

    def test_hole_in_several_ledger_rows(self) -> None:
        """Ledger rows may adjoin, overlap, repeat, come in any order and reach beyond the file."""
        for parts in (
            ("110,111", "112,114"),
            ("112,114", "110,113"),
            ("110,114", "110,114"),
            ("110,114", "111,112"),
            ("110,114", "120,999", "1,99"),
        ):
            self.files[GAPS][1:] = [gap("trades", 0, 1, ids, "gave-up") for ids in parts]
            with self.subTest(parts=parts):
                self.holds()

    def test_hole_explained_in_part(self) -> None:
        """Each id of a hole must be listed: its ends and its middle."""
        for parts, reason in (
            (("111,114",), "1 ids missing from 110"),
            (("110,113",), "1 ids missing from 114"),
            (("110,111", "113,114"), "1 ids missing from 112"),
            (("111,111", "113,113"), "3 ids missing from 110"),
        ):
            self.files[GAPS][1:] = [gap("trades", 0, 1, ids, "gave-up") for ids in parts]
            with self.subTest(parts=parts):
                self.broken(f"{TRADES}:12", reason)

    def test_listed_trade_is_there(self) -> None:
        """An id that the ledger lists must not be in the file: at a hole's edge, the file's edge or within."""
        for ids, line in (("109,114", 11), ("110,115", 12), ("90,100", 2), ("119,130", 16), ("104,104", 6)):
            self.files[GAPS][1:] = [gap("trades", 0, 1, "110,114"), gap("trades", 0, 1, ids)]
            with self.subTest(ids=ids):
                self.broken(f"{TRADES}:{line}", "is here, but the ledger calls it missing")


class LedgerRows(Case):
    def test_ledger_row_malformed(self) -> None:
        """A ledger row must name a stream, rise in time and ids, have ids for trades alone, and a known cause."""
        for row, reason in (
            (gap("quotes", 0, 1), "stream is 'quotes'"),
            (gap("prices", 1, 0), "from_unix_timestamp is after"),
            (gap("prices", 0, 1, "1,2"), "a gap in prices with ids"),
            (gap("orderbook", 0, 1, "1,"), "a gap in orderbook with ids"),
            (gap("trades", 0, 1), "without its ids"),
            (gap("trades", 0, 1, "200,"), "without its ids"),
            (gap("trades", 0, 1, "201,200"), "first_missing_id is above"),
            (gap("prices", 0, 1, cause="bad luck"), "cause is 'bad luck'"),
            (gap("prices", 0, 1, cause=""), "cause is ''"),
            (gap("trades", 0, 1, "a,b"), "first_missing_id is 'a'"),
            (gap("prices", 0, 1, cause="not-asked"), "not-asked does not stand for prices"),
            (gap("trades", 0, 1, "200,201", "not-asked"), "not-asked stands without ids"),
            (gap("trades", 0, 1, cause="clock"), "without its ids"),
            ("prices,1,2,,,reconnect", "from_unix_timestamp is '1'"),
        ):
            self.files[GAPS][2:] = [row]
            with self.subTest(row=row):
                self.broken(f"{GAPS}:3", reason)

    def test_every_cause(self) -> None:
        """Each cause that any stream can have is known, and a gap of no length is good."""
        causes = [cause for cause in rows.CAUSES if cause not in ("not-asked", "not-polled", "hole", "mismatch")]
        self.files[GAPS] += [gap("prices", 9, 9, cause=cause) for cause in causes]
        self.files[GAPS] += [gap("trades", 9, 9, "200,201", cause) for cause in causes]
        self.holds()

    def test_trades_that_could_not_be_asked_for(self) -> None:
        """A stretch of trades that was not asked for has no ids, may hold trades, and explains no hole."""
        self.files[GAPS].append(gap("trades", 0, 9, cause="not-asked"))
        self.holds()
        del self.files[TRADES][4]
        self.broken(f"{TRADES}:5", "1 ids missing from 103 on")

    def test_rows_in_a_stretch_that_does_not_rule_them_out(self) -> None:
        """Late events, a restart's pause and a clock that was set leave rows in their stretch."""
        for cause in ("late", "restart", "clock"):
            self.files[GAPS][2:] = [gap(kind, -1, 9, cause=cause) for kind in ("prices", "orderbook")]
            with self.subTest(cause=cause):
                self.holds()

    def test_an_outage_after_the_clock_was_set_back(self) -> None:
        """Rows of before bear the times of the outage too: where the clock was set, both may be there."""
        self.files[GAPS] += [gap("prices", -1, 9), gap("prices", -2, 10, cause="clock")]
        self.holds()
        self.files[GAPS][-1] = gap("prices", 2.5, 10, cause="clock")
        self.broken(f"{PRICES}:4", "a second row within the stretch")

    def test_rows_where_the_ledger_says_none(self) -> None:
        """Of a listed stretch, its first and last second aside, a second row is broken, at the same time too."""
        for name, kind in ((PRICES, "prices"), (BOOK, "orderbook")):
            self.files = good()
            self.files[GAPS].append(gap(kind, 0.5, 3.5))
            with self.subTest(kind=kind, rows=1):
                self.holds()
            self.files[GAPS][-1] = gap(kind, 0, 3)
            with self.subTest(kind=kind, rows="at the margins"):
                self.holds()
            self.files[GAPS][-1] = gap(kind, 0, 4)
            with self.subTest(kind=kind, rows="one inside, two at the margins"):
                self.holds()
            self.files[GAPS][-1] = gap(kind, -1, 4)
            with self.subTest(kind=kind, rows="two inside"):
                self.broken(f"{name}:4", f"a second row within the stretch that {GAPS}:3 calls missing")
        self.files = good()
        self.files[PRICES].insert(4, self.files[PRICES][3])
        self.files[GAPS].append(gap("prices", 0.5, 3.5))
        self.broken(f"{PRICES}:5", "a second row within the stretch")

    def test_stretches_overlap(self) -> None:
        """Each stretch allows its own row, and rows after a stretch count for the next."""
        self.files[GAPS] += [gap("prices", -1, 2.5), gap("prices", 0.5, 3.5), gap("prices", 2.5, 5.5)]
        self.holds()
        self.files[GAPS] += [gap("prices", 0.5, 5)]
        self.broken(f"{PRICES}:5", f"{GAPS}:6")


class Parts(Case):
    def rotate(self, name: str, *pieces: tuple[str, int]) -> None:
        """Move the first rows of a file to closed parts: each a suffix and how many rows."""
        header, *lines = self.files.pop(name)
        for suffix, count in pieces:
            self.files[name.replace(".csv", suffix)] = [header, *lines[:count]]
            del lines[:count]
        self.files[name] = [header, *lines]

    def test_days_hours_and_compressed_parts(self) -> None:
        """Closed parts, plain or compressed, are one history with the current file."""
        self.rotate(TRADES, (".2026-11-21.csv.gz", 3), (".2026-11-22T09.csv", 3), (".2026-11-22T10.csv.gz", 3))
        self.rotate(PRICES, (".2026-11-22.csv", 4))
        self.rotate(GAPS, (".2026-11-22.csv.gz", 1))
        self.write()
        _, out, _ = self.run_main("--json")
        trades = next(history for history in json.loads(out)["histories"] if history["kind"] == "trades")
        self.assertEqual((trades["rows"], len(trades["files"]), trades["files"][-1]), (15, 4, TRADES))
        self.assert_holds()

    def test_part_lost(self) -> None:
        """A part that is gone from between others is a hole."""
        self.rotate(TRADES, (".2026-11-21.csv", 3), (".2026-11-22.csv", 3))
        self.holds()
        del self.files["trades_BTCUSDT.2026-11-22.csv"]
        self.broken(f"{TRADES}:2", "3 ids missing from 103")

    def rotate_by_hour(self) -> None:
        """Make prices and order books of one row an hour, 16:00 to 20:00, all but the last closed."""
        for name in (PRICES, BOOK):
            header, *lines = good()[name]
            lines = [f"{at(3600 * hour + 1800)}{line[14:]}" for hour, line in enumerate(lines)]
            self.files |= {
                name.replace(".csv", f".2025-11-24T{16 + hour}.csv"): [header, lines[hour]] for hour in range(4)
            }
            self.files[name] = [header, lines[4]]

    def test_hour_of_quotes_lost(self) -> None:
        """Where an hour's closed file is gone from between others, or its neighbour of the current one, it is told."""
        for name, file in ((PRICES, "prices"), (BOOK, "orderbook")):
            self.files = good()
            self.rotate_by_hour()
            self.holds()
            del self.files[f"{file}_BTCUSDT.2025-11-24T17.csv"]
            why = "no rows from 2025-11-24T17:00:00.000Z to 2025-11-24T18:00:00.000Z, and no row of the ledger explains"
            with self.subTest(file=file):
                self.broken(f"{file}_BTCUSDT.2025-11-24T18.csv:2", f"{why} 3600 s of it: a closed file is missing")
                del self.files[f"{file}_BTCUSDT.2025-11-24T19.csv"]
                self.broken(f"{name}:2", "no rows from 2025-11-24T19:00:00.000Z to 2025-11-24T20:00", count=2)

    def test_hour_without_rows_that_the_ledger_explains(self) -> None:
        """An hour in which the collector was not running, or no connection was there, needs no file."""
        self.rotate_by_hour()
        del self.files["prices_BTCUSDT.2025-11-24T17.csv"]
        for stretches, explained in (
            (((0, 9000),), True),
            (((3700, 7100),), True),
            (((3600, 5000), (4900, 9000)), True),
            (((3600, 6800),), False),
            (((3601, 3602), (7000, 7001)), False),
        ):
            self.files[GAPS][2:] = [gap("prices", start, end, cause="restart") for start, end in stretches]
            with self.subTest(stretches=stretches):
                if explained:
                    self.holds()
                else:
                    self.broken("prices_BTCUSDT.2025-11-24T18.csv:2", "a closed file is missing")

    def test_days_lost(self) -> None:
        """Where a day's closed file is gone, whole days without rows are broken, and less than one is not."""
        day = 86_400
        header, *lines = good()[PRICES]
        lines = [f"{at(day * number)}{line[14:]}" for number, line in enumerate(lines)]
        self.files["prices_BTCUSDT.2025-11-24.csv.gz"] = [header, lines[0]]
        self.files[PRICES] = [header, lines[1]]
        self.holds()
        self.files[PRICES] = [header, lines[4]]
        self.broken(f"{PRICES}:2", "no rows from 2025-11-25T00:00:00.000Z to 2025-11-28T00:00:00.000Z")

    def test_rows_of_the_missing_hours_set_aside(self) -> None:
        """Hours whose rows are in a file that was set aside are not missing."""
        self.rotate_by_hour()
        part = "prices_BTCUSDT.2025-11-24T17.csv"
        rows_of = self.files.pop(part)
        self.files["prices_BTCUSDT.20251124T175900Z.csv"] = [rows_of[0], at(3601) + rows_of[1][14:]]
        self.holds()
        self.files["prices_BTCUSDT.20251124T175900Z.csv"] = ["time,bid", "1764000000,1"]
        self.broken("prices_BTCUSDT.2025-11-24T18.csv:2", "a closed file is missing")

    def test_hour_that_could_not_be_read(self) -> None:
        """Of a file that is damaged, or has a foreign header, the damage is the one reason."""
        for damaged in (b"none", b"a,b\n1,2\n"):
            self.files = good()
            self.rotate_by_hour()
            self.write()
            name = "prices_BTCUSDT.2025-11-24T17.csv" + (".gz" if damaged == b"none" else "")
            (self.folder / "prices_BTCUSDT.2025-11-24T17.csv").unlink()
            (self.folder / name).write_bytes(damaged)
            with self.subTest(damaged=damaged):
                self.assert_broken(f"{name}:1", "damaged" if damaged == b"none" else "not the header")

    def test_ledger_lost(self) -> None:
        """Data without a ledger is broken, once a symbol: the collector always writes one, if only a header."""
        self.files[TRADES][1:] = self.files[TRADES][1:11]
        del self.files[GAPS]
        self.broken(f"{GAPS}:1", "no ledger: it was deleted, or these are the files of an earlier program")
        self.files[GAPS] = good()[GAPS][:1]
        self.holds()

    def test_oldest_part_deleted(self) -> None:
        """Parts deleted from the front are no hole: the history begins later."""
        self.rotate(TRADES, (".2026-11-21.csv", 3), (".2026-11-22.csv", 3))
        del self.files["trades_BTCUSDT.2026-11-21.csv"]
        self.holds()

    def test_rows_in_two_parts(self) -> None:
        """A row that stands in a part and in the next file is broken, and so is a time that goes back there."""
        self.rotate(TRADES, (".2026-11-21.csv", 3))
        self.files[TRADES].insert(1, self.files["trades_BTCUSDT.2026-11-21.csv"][-1])
        self.broken(f"{TRADES}:2", "id 102 after 102")
        self.files = good()
        self.rotate(PRICES, (".2026-11-21.csv", 3))
        self.files[PRICES][1] = self.files[PRICES][1].replace(at(3), at(0.5))
        self.broken(f"{PRICES}:2", "time goes back by 1500 ms")
        self.files = good()
        self.rotate(BOOK, (".2026-11-21.csv", 3))
        self.files[BOOK][1] = self.files[BOOK][1].replace(",7003,", ",7002,")
        self.broken(f"{BOOK}:2", "does not rise")

    def test_killed_between_compressing_and_deleting(self) -> None:
        """Where a part is there plain and compressed the plain one counts, whatever is in the other."""
        self.rotate(TRADES, (".2026-11-21.csv", 3))
        self.write()
        (self.folder / "trades_BTCUSDT.2026-11-21.csv.gz").write_bytes(b"half")
        (self.folder / "trades_BTCUSDT.2026-11-21.csv.gz.tmp").write_bytes(b"half")
        self.assert_holds()

    def test_compressed_part_damaged(self) -> None:
        """A compressed part that is cut, changed or no gzip at all is broken, by one reason."""
        self.rotate(TRADES, (".2026-11-21.csv.gz", 3))
        self.write()
        path = self.folder / "trades_BTCUSDT.2026-11-21.csv.gz"
        data = path.read_bytes()
        for damaged in (data[:-1], data[:30], b"id,unix", data[:-6] + b"\0" + data[-5:]):
            path.write_bytes(damaged)
            with self.subTest(damaged=damaged):
                status, out, _ = self.run_main()
                self.assertEqual((status, out.splitlines()[-1]), (1, "broken: 1"), out)
                self.assertIn("damaged, the rest was not read", out)

    def test_damaged_part_between_good_ones(self) -> None:
        """What a damaged part held is not called missing beside: the damage is the one reason."""
        self.rotate(TRADES, (".2026-11-20.csv", 3), (".2026-11-21.csv.gz", 3))
        self.write()
        (self.folder / "trades_BTCUSDT.2026-11-21.csv.gz").write_bytes(b"none")
        self.assert_broken("trades_BTCUSDT.2026-11-21.csv.gz:1", "damaged")
        (self.folder / "trades_BTCUSDT.2026-11-21.csv").write_bytes(
            f"{self.files[TRADES][0]}\n".encode() + bytes(2**21)
        )
        self.assert_broken("trades_BTCUSDT.2026-11-21.csv:2", "NUL bytes, and more that was not read")

    def test_rotation_changed_within_a_day(self) -> None:
        """On a day that was cut by hour and then whole, or the other way, the parts go by their first rows."""
        day, nine, ten = ".2026-11-22.csv.gz", ".2026-11-22T09.csv.gz", ".2026-11-22T10.csv"
        for pieces in (
            ((nine, 2), (ten, 1), (day, 1)),
            ((day, 2), (nine, 1), (ten, 1)),
            ((nine, 1), (day, 2), (ten, 1)),
        ):
            self.files = good()
            for name in (PRICES, BOOK, TRADES):
                self.rotate(name, *pieces)
            with self.subTest(pieces=pieces):
                self.holds()
        (self.folder / f"prices_BTCUSDT{day}").write_bytes(b"half")
        self.assert_broken(f"prices_BTCUSDT{day}:1", "damaged")

    def test_levels_changed_between_parts(self) -> None:
        """Parts of one history can differ in levels and receive time."""
        self.rotate(BOOK, (".2026-11-21.csv", 3))
        names = rows.columns("orderbook", 20, True)
        row = f"{at(9)},8000,1,1{',' * 38},2,1{',' * 38},17"
        self.files[BOOK] = [",".join(names), row]
        self.holds()

    def test_file_set_aside(self) -> None:
        """What was set aside, and is none of ours, is named and not checked."""
        names = ["prices_BTCUSDT.20261122T152400Z.csv", "trades_BTCUSDT.20261122T152400Z-2.csv"]
        self.files |= {name: ["anything"] for name in names}
        self.write()
        status, out, _ = self.run_main()
        self.assertEqual(status, 0)
        for name in names:
            self.assertIn(f"{self.folder}/{name}: set aside, not checked", out)

    def test_other_files(self) -> None:
        """Files of other names are not looked at."""
        self.files |= {name: ["x"] for name in ("status.json", "rejects.jsonl", ".lock", "notes.csv", "prices_.csv")}
        self.write()
        (self.folder / "prices_X.csv").mkdir()
        try:
            self.assert_holds()
        finally:
            (self.folder / "prices_X.csv").rmdir()

    def test_symbols_of_any_script(self) -> None:
        """Symbols with other scripts, digits, `_` and `-` are checked, each against its own ledger, and lined up."""
        for symbol in ("币安人生USDT", "1000PEPEUSDT", "BTC_USDT-PERP_260327"):
            self.files |= {name.replace("BTCUSDT", symbol): lines for name, lines in good().items()}
        del self.files["gaps_币安人生USDT.csv"]
        self.broken("trades_币安人生USDT.csv:12", "5 ids missing from 110", count=2)
        _, out, _ = self.run_main()
        self.assertIn("币安人生USDT          prices ", out)


class Answers(Case):
    def test_shares(self) -> None:
        """The share covered counts overlapping stretches once, within the data, and is rounded down."""
        self.files[GAPS] += [
            gap("prices", 0.5, 1.5),
            gap("prices", 1, 2),
            gap("prices", 3.5, 99),
            gap("orderbook", 5, 6),
        ]
        self.files[GAPS] += [gap("prices", -7, -5), gap("orderbook", -9, 0.5)]
        self.write()
        status, out, _ = self.run_main("--json")
        answer = json.loads(out)
        facts = {history["kind"]: history for history in answer["histories"]}
        self.assertEqual((status, answer["holds"], answer["broken"], answer["reasons"]), (0, True, 0, []))
        self.assertEqual((answer["rows"], answer["files"]), (32, 4))
        prices = (facts["prices"][key] for key in ("rows", "gaps", "missing_ids", "missing_s", "covered_percent"))
        self.assertEqual(tuple(prices), (5, 4, None, 2.0, 50.0))
        trades = (facts["trades"][key] for key in ("rows", "gaps", "missing_ids", "missing_s", "covered_percent"))
        self.assertEqual(tuple(trades), (15, 1, 5, None, 75.0))
        self.assertEqual((facts["orderbook"]["gaps"], facts["orderbook"]["covered_percent"]), (2, 87.5))
        self.assertEqual((facts["prices"]["first"], facts["gaps"]["rows"]), ("2025-11-24T16:00:00.000Z", 7))
        _, out, _ = self.run_main()
        self.assertRegex(out, r"BTCUSDT +prices +5 +2025-11-24T16:00:00.000Z +\S+:04.000Z +4 +2.000 s +50.000 %\n")
        self.assertRegex(out, r"BTCUSDT +trades +15 .* 1 +5 ids +75.000 %\n")

    def test_one_millisecond_missing_of_a_day(self) -> None:
        """100.000 % is said only of what is whole."""
        row = self.files[PRICES][1][14:]
        self.files[PRICES] = [self.files[PRICES][0], at(0) + row, at(200_000) + row]
        self.files[GAPS].append(gap("prices", 5, 5.001))
        self.write()
        self.assertIn(" 99.999 %", self.run_main()[1])

    def test_everything_broken(self) -> None:
        """At most 20 reasons a file are printed, then how many more there are."""
        self.files[PRICES] += ["x"] * 50
        self.write()
        _, out, _ = self.run_main()
        self.assertEqual(out.count(": 1 cells instead of 4"), 20)
        self.assertIn(f"{self.folder}/{PRICES}: and 30 more\nbroken: 50\n", out)
        answer = json.loads(self.run_main("--json")[1])
        self.assertEqual((answer["broken"], len(answer["reasons"]), answer["holds"]), (50, 20, False))
        self.assertEqual(answer["reasons"][0], {"file": PRICES, "line": 7, "reason": "1 cells instead of 4: 'x'"})

    def test_bad_calls(self) -> None:
        """A call that proves nothing ends with 2 and one line that names what was given."""
        empty = self.folder / "empty"
        empty.mkdir()
        file = self.folder / "file"
        file.touch()
        outer, two = self.folder / "outer", self.folder / "two"
        for path in (outer / "demo" / PRICES, two / "a" / TRADES, two / "b" / f"{BOOK}.gz", two / "b" / PRICES):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        for argv, named in (
            ([str(self.folder / "none")], "none: No such file"),
            ([str(file)], "file: Not a directory"),
            ([str(empty)], "empty: no data files in it; give the folder"),
            ([str(outer)], f"{outer}: no data files in it, but in {outer / 'demo'}; give that"),
            ([str(two)], f"no data files in it, but in {two / 'a'}, {two / 'b'}; give one of those"),
            ([str(self.folder), "--fast"], "--fast"),
            (["a", "b"], "b"),
        ):
            err = io.StringIO()
            with self.subTest(argv=argv), contextlib.redirect_stderr(err):
                self.assertEqual(main(argv), 2)
                self.assertIn(named, err.getvalue())
                self.assertEqual(err.getvalue().count("\n"), 1)
        empty.rmdir()

    def test_folder_without_a_row(self) -> None:
        """Files of headers alone prove nothing: 2, and one line; a ledger's rows are no proof either."""
        self.files = {name: lines[:1] for name, lines in good().items() if name != GAPS} | {GAPS: good()[GAPS]}
        self.write()
        for options in ((), ("--json",), ("--live",)):
            self.assertEqual(
                self.run_main(*options),
                (2, "", f"aster-collect verify: {self.folder}: no rows in its files; nothing was proven\n"),
            )
        self.files[PRICES] = []
        self.broken(f"{PRICES}:1", "empty")

    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_file_of_another_user(self) -> None:
        """A file that can't be read ends with 2 and its name."""
        self.write()
        (self.folder / PRICES).chmod(0)
        status, _, err = self.run_main()
        self.assertEqual(status, 2)
        self.assertIn(f"{PRICES}: Permission denied", err)

    def test_help(self) -> None:
        """The help says what is checked, the exit statuses and the default folder."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(main(["--help"]), 0)
        for word in ("exit status", "ASTER_data", "--live", "--json", "missing_ids", "gaps_<SYMBOL>.csv"):
            self.assertIn(word, out.getvalue())

    def test_terminal_without_the_symbols_letters(self) -> None:
        """A symbol that the terminal can't show is escaped, not a traceback."""
        self.files = {name.replace("BTCUSDT", "币"): lines for name, lines in good().items()}
        self.write()
        out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        with contextlib.redirect_stdout(out):
            self.assertEqual(main([str(self.folder)]), 0)
        self.addCleanup(out.close)


class Memory(Case):
    def peak(self, count: int) -> int:
        """Return the most bytes that a check of so many price, trade and book rows held at once."""
        price = [f"{at(i / 100)},{100 + i % 7}.1,{109 + i % 7}.3,{104 + i % 7}.7" for i in range(count)]
        trade = [f"{i},{START_MS + i},buy,1.5,2" for i in range(count)]
        book = [f"{at(i)},{i},9.5,1,9,1,8,1,7,1,6,1,10,1,11,1,12,1,13,1,14,1" for i in range(count // 10)]
        for name, lines in ((PRICES, price), (TRADES, trade), (BOOK, book)):
            self.files[name][1:] = lines
        del self.files[GAPS][1:]
        self.write()
        del price, trade, book
        tracemalloc.start()
        try:
            self.assertEqual(check_folder(self.folder).total, 0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_a_year_of_rows(self) -> None:
        """Memory does not grow with the file."""
        small, large = self.peak(10_000), self.peak(100_000)
        self.assertLess(large, 12_000_000)
        self.assertLess(large, small * 1.2 + 1_000_000)

    def test_run_of_nul(self) -> None:
        """Memory does not grow with a line that has no end."""
        self.write()
        with (self.folder / PRICES).open("ab") as file:
            file.truncate(100_000_000)
        tracemalloc.start()
        self.assertEqual(check_folder(self.folder).total, 1)
        self.assertLess(tracemalloc.get_traced_memory()[1], 12_000_000)
        tracemalloc.stop()

    def test_prices_that_never_repeat(self) -> None:
        """Memory does not grow with the count of different values: what is remembered of them is bounded."""
        peaks = []
        for count in (70_000, 140_000):
            prices = Rows(KINDS["prices"], Ledger({}, {}), Cross(Report("")))
            shape = form(KINDS["prices"], good()[PRICES][0].encode())
            assert shape is not None
            flaws = []
            tracemalloc.start()
            for start in range(0, count, 7000):
                data = b",".join(b"1.000,%d,%d,%d" % (i, i + 2, i + 1) for i in range(start, start + 7000))
                flaws += prices.take(GoodLines("", shape, range(7000), data.split(b",")))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            self.assertEqual(flaws, [])
        self.assertLess(peaks[1], peaks[0] * 1.1)


class Random(Case):
    """Random good folders hold; the same folders with one thing damaged do not."""

    def folder_of(self, rng: random.Random) -> dict[str, Lines]:
        """Return a good folder: random values, holes, stretches, levels, receive times and parts."""
        received = f",{rng.randrange(10**18)}" if rng.random() < 0.3 else ""
        levels = rng.choice((5, 10, 20))
        heads = {
            kind: ",".join(rows.columns(kind, levels, bool(received))) for kind in ("prices", "orderbook", "trades")
        }
        ledger, data = [], {kind: list[str]() for kind in heads}
        ms, trade_id, update_id = START_MS, rng.randrange(1, 10**10), rng.randrange(10**12)
        for _ in range(rng.randrange(30, 60)):
            step = rng.choice((0, 1, 250, 900))
            if rng.random() < 0.1:
                step = rng.randrange(3000, 9000)
                ledger.append(f"prices,{rows.seconds(ms)},{rows.seconds(ms + step)},,,reconnect")
                ledger.append(f"orderbook,{rows.seconds(ms)},{rows.seconds(ms + step)},,,restart")
            ms += step
            places = rng.randrange(4)
            bid, tick = rng.randrange(10**5, 10**7), rng.randrange(1, 90)
            bids, asks = [self.text(bid, places)], [self.text(bid + tick, places)]
            data["prices"].append(f"{rows.seconds(ms)},{bids[0]},{asks[0]},{rows.middle(bids[0], asks[0])}{received}")
            update_id += rng.randrange(1, 9)
            sides = []
            for best, up in ((bid, -tick), (bid + tick, tick)):
                filled = rng.randrange(levels + 1)
                sides += [f"{self.text(best + level * up, places)},1.5" for level in range(filled)]
                sides += [","] * (levels - filled)
            data["orderbook"].append(f"{rows.seconds(ms)},{update_id},{','.join(sides)}{received}")
            for _ in range(rng.randrange(3)):
                data["trades"].append(
                    f"{trade_id},{ms},{rng.choice(('buy', 'sell'))},{bids[0]},0.{rng.randrange(999)}{received}"
                )
                trade_id += 1
            if rng.random() < 0.15 and data["trades"]:
                length = rng.randrange(6, 20)
                middle = trade_id + rng.randrange(2, length - 3)
                for first, last in rng.choice(
                    (((trade_id, trade_id + length - 1),), ((trade_id, middle), (middle + 1, trade_id + length - 1)))
                ):
                    ledger.append(f"trades,{rows.seconds(ms)},{rows.seconds(ms)},{first},{last},gave-up")
                trade_id += length
                data["trades"].append(f"{trade_id},{ms},buy,1,1{received}")
                trade_id += 1
        rng.shuffle(ledger)
        files = {GAPS: [",".join(rows.columns(rows.GAPS, 5, False)), *ledger]}
        for kind, lines in data.items():
            name = rows.file_name(kind, "BTCUSDT")
            cut = rng.randrange(2, len(lines) - 2)
            if rng.random() < 0.5:
                files[name.replace(".csv", rng.choice((".2026-11-22.csv", ".2026-11-22T13.csv.gz")))] = [
                    heads[kind],
                    *lines[:cut],
                ]
                lines = lines[cut:]
            files[name] = [heads[kind], *lines]
        return files

    @staticmethod
    def text(units: int, places: int) -> str:
        return f"{units / 10**places:.{places}f}"

    def test_any_good_folder(self) -> None:
        """Any good folder holds: there are no false alarms."""
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        for turn in range(60):
            self.files = self.folder_of(rng)
            self.write()
            status, out, _ = self.run_main()
            self.assertEqual(status, 0, f"seed={seed} turn={turn}\n{out}")

    def test_any_damage(self) -> None:
        """Any one damage to a good folder is reported."""
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        for turn in range(60):
            for damage in DAMAGES:
                self.files = self.folder_of(rng)
                done = damage(self.files, rng)
                self.write()
                status, out, _ = self.run_main()
                self.assertEqual(status, 1, f"seed={seed} turn={turn} damage={damage.__name__}: {done}\n{out}")


def any_row(files: dict[str, Lines], rng: random.Random, *kinds: str) -> tuple[Lines, int]:
    """Return a file's lines and the index of a row that is neither its first nor its last."""
    kind = rng.choice(kinds or ("prices", "orderbook", "trades"))
    lines = rng.choice([lines for name, lines in files.items() if name.startswith(kind) and len(lines) > 3])
    return lines, rng.randrange(2, len(lines) - 1)


def drop_a_trade(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng, "trades")
    return lines.pop(at)


def write_a_row_twice(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng, "trades", "orderbook")
    lines.insert(at, lines[at])
    return lines[at]


def swap_rows(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng, "trades", "orderbook")
    lines[at - 1], lines[at] = lines[at], lines[at - 1]
    return lines[at]


def tear_a_line(files: dict[str, Lines], rng: random.Random) -> str:
    """Lose a row's end and its line end, as a crash between two appends does."""
    lines, at = any_row(files, rng, "prices", "trades", "orderbook")
    lines[at] = lines[at][: rng.randrange(20, len(lines[at]))] + lines.pop(at + 1)
    return lines[at]


def change_a_digit_of_mid(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng, "prices")
    cells = lines[at].split(",")
    places = [i for i, digit in enumerate(cells[3]) if digit != "."]
    place = rng.choice(places)
    digit = (int(cells[3][place]) + rng.randrange(1, 10)) % 10
    cells[3] = f"{cells[3][:place]}{digit}{cells[3][place + 1 :]}"
    lines[at] = ",".join(cells)
    return lines[at]


def cross_the_quote(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng, "prices")
    cells = lines[at].split(",")
    cells[1], cells[2] = cells[2], cells[1]
    lines[at] = ",".join(cells)
    return lines[at]


def cross_the_book(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng, "orderbook")
    cells = lines[at].split(",")
    half = 2 + (len(lines[0].split(",")) - 2) // 4 * 2
    cells[2], cells[3], cells[half], cells[half + 1] = "99999999", "1", "1", "1"
    lines[at] = ",".join(cells)
    return lines[at]


def insert_nul(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng)
    place = rng.randrange(len(lines[at]) + 1)
    lines[at] = lines[at][:place] + "\0" * rng.randrange(1, 5000) + lines[at][place:]
    return f"row {at}"


def insert_a_blank_line(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng)
    lines.insert(at, rng.choice(("", " ", "\r")))
    return f"row {at}"


def lose_a_ledger_row(files: dict[str, Lines], rng: random.Random) -> str:
    """Lose a row that explains a hole; where there is none, lose a trade instead."""
    held = [line for line in files[GAPS] if line.startswith("trades,")]
    if not held:
        return drop_a_trade(files, rng)
    files[GAPS].remove(lost := rng.choice(held))
    return lost


def list_a_trade_that_is_there(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng, "trades")
    listed = lines[at].partition(",")[0]
    files[GAPS].append(f"trades,1.000,2.000,{listed},{listed},gave-up")
    return lines[at]


def list_the_whole_time(files: dict[str, Lines], rng: random.Random) -> str:
    kind = rng.choice(("prices", "orderbook"))
    files[GAPS].append(f"{kind},1.000,9999999999.000,,,reconnect")
    return kind


def change_the_header(files: dict[str, Lines], rng: random.Random) -> str:
    lines = rng.choice(list(files.values()))
    cells = lines[0].split(",")
    rng.choice((cells.pop, lambda: cells.append("extra"), cells.reverse, lambda: cells.insert(0, " ")))()
    lines[0] = ",".join(cells)
    return lines[0]


def spoil_a_cell(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng)
    cells = lines[at].split(",")
    place = rng.randrange(len(cells))
    cells[place] = rng.choice(("1e3", "-1", "None", "nan", "0x1", "1,5", " 1", '"1"', "\uff11"))
    lines[at] = ",".join(cells)
    return lines[at]


def lose_a_cell(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng)
    cells = lines[at].split(",")
    cells.pop(rng.randrange(len(cells)))
    lines[at] = ",".join(cells)
    return lines[at]


def set_the_clock_back(files: dict[str, Lines], rng: random.Random) -> str:
    lines, at = any_row(files, rng, "prices")
    lines[at] = ",".join([rows.seconds(START_MS - 1001), *lines[at].split(",")[1:]])
    return lines[at]


def spoil_the_cause(files: dict[str, Lines], rng: random.Random) -> str:
    files[GAPS].append(f"prices,1.000,2.000,,,{rng.choice(('', 'Reconnect', 'reconnect ', 'unknown'))}")
    return files[GAPS][-1]


DAMAGES: list[Callable[[dict[str, Lines], random.Random], str]] = [
    drop_a_trade,
    write_a_row_twice,
    swap_rows,
    tear_a_line,
    change_a_digit_of_mid,
    cross_the_quote,
    cross_the_book,
    insert_nul,
    insert_a_blank_line,
    lose_a_ledger_row,
    list_a_trade_that_is_there,
    list_the_whole_time,
    change_the_header,
    spoil_a_cell,
    lose_a_cell,
    set_the_clock_back,
    spoil_the_cause,
]


if __name__ == "__main__":
    unittest.main()
