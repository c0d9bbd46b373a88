"""A data folder gives its user all rows of a history, in order and once, however its files lie."""

import gzip
import random
import unittest
from datetime import UTC, datetime

from aster_collect import Archive
from aster_collect.archive import DamagedFile, NoLedger, NotAFolder
from aster_collect.exchange.streams.kind import Options
from aster_collect.files.histories import Histories
from tests.support import rounds
from tests.unit.archive.folder import START_MS, Case, S, header_of, trade

DAY, HOUR, NEXT = "2026-11-22", "2026-11-22T16", "2026-11-22T17"


class Listed(Case):
    def test_no_data(self) -> None:
        """A folder that is none, or has no data files, is refused when it is named."""
        for folder in (self.folder, self.folder / "none"):
            with self.assertRaises(NotAFolder):
                Archive(folder)

    def test_symbols_and_kinds(self) -> None:
        """Symbols come in order, in any script, and the kinds of each without the ledger; universe has no symbol."""
        self.put("trades", symbol="ETHUSDT")
        self.put("open-interest", symbol="币安人生USDT")
        self.ledger(symbol="币安人生USDT")
        self.put("universe", symbol="")
        archive = self.archive
        self.assertEqual(archive.symbols(), ["ETHUSDT", "币安人生USDT"])
        self.assertEqual(archive.kinds("币安人生USDT"), ["open-interest"])
        self.assertEqual(archive.kinds(), ["universe"])
        self.assertEqual(archive.kinds("BTCUSDT"), [])
        self.assertEqual([path.name for path in archive.files("gaps", "币安人生USDT")], ["gaps_币安人生USDT.csv"])

    def test_files_in_order(self) -> None:
        """Closed files come in the order of their rows, even where rotation was changed, and the growing one last."""
        self.put("trades", [trade(1)], "2026-11-21", packed=True)
        self.put("trades", [trade(4)], DAY)  # rotation by day came after that by hour
        self.put("trades", [trade(2)], HOUR, packed=True)
        self.put("trades", [trade(3)], HOUR, 2)
        self.put("trades", [trade(5)])
        names = [path.name for path in self.archive.files("trades", S)]
        stem = f"trades_{S}"
        order = [f"{stem}.2026-11-21.csv.gz", f"{stem}.{HOUR}.csv.gz", f"{stem}.{HOUR}-2.csv", f"{stem}.{DAY}.csv"]
        self.assertEqual(names, [*order, f"{stem}.csv"])
        self.assertEqual(self.ids(), [1, 2, 3, 4, 5])

    def test_plain_beside_compressed(self) -> None:
        """Of a file that is there both ways the plain one counts, and half a compressed one is never looked at."""
        self.put("trades", [trade(1)], DAY)
        self.put("trades", [trade(1)], DAY, packed=True).write_bytes(b"half")
        self.assertEqual([path.name for path in self.archive.files("trades", S)], [f"trades_{S}.{DAY}.csv"])
        self.assertEqual(self.ids(), [1])

    def test_set_aside(self) -> None:
        """What was set aside is in no history, nor the halves of what is being made."""
        self.put("trades", [trade(2)])
        for name in ("20261122T152400Z.csv", f"{DAY}.20261122T152400Z-2.csv.gz", f"{HOUR}.csv.gz.tmp"):
            (self.folder / f"trades_{S}.{name}").write_bytes(b"other")
        self.assertEqual([path.name for path in self.archive.files("trades", S)], [f"trades_{S}.csv"])

    def test_files_of_a_time(self) -> None:
        """Files of other periods are left out, but those an hour away, into which a clock set back can put rows."""
        for hour in range(10, 20):
            self.put("trades", [], f"2026-11-22T{hour}", packed=hour % 2 == 0)
        self.put("trades")
        start, end = datetime(2026, 11, 22, 14, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC)
        names = [path.name.split(".")[1] for path in self.archive.files("trades", S, start, end)]
        self.assertEqual(names, ["2026-11-22T13", "2026-11-22T14", "2026-11-22T15", "csv"])
        everything = [path.name for path in self.archive.files("trades", S)]
        self.assertEqual(
            [path.name for path in self.archive.files("trades", S, None, end)], [*everything[:6], "trades_BTCUSDT.csv"]
        )
        self.assertEqual([path.name for path in self.archive.files("trades", S, start)], everything[3:])

    def test_other_words(self) -> None:
        """A kind that there is not is refused, as is a symbol where there is one file for all, and none where not."""
        self.put("trades", [trade(1)])
        archive = self.archive
        for kind, symbol in (("trade", S), ("universe", S), ("trades", "")):
            for ask in (archive.files, archive.rows):
                with self.subTest(kind=kind, symbol=symbol), self.assertRaisesRegex(ValueError, "given, .* allowed"):
                    ask(kind, symbol)
        for start in ("2026-11-22", float("nan"), float("inf"), START_MS):
            with self.assertRaisesRegex(ValueError, "moment: .* given, a datetime or Unix seconds"):
                archive.rows("trades", S, start)  # type: ignore[arg-type]


class Rows(Case):
    def test_columns_of_each_file(self) -> None:
        """A row has the columns of its file: those before --receive-time was given have one less."""
        received = header_of("trades", Options(receive_time=True))
        self.put("trades", [trade(1)], DAY)
        self.put("trades", [f"{trade(2)},", f"{trade(3)},1795363203000000001"], header=received)
        first, second, third = self.archive.rows("trades", S)
        self.assertEqual(first, ("1", str(START_MS + 1000), "buy", "0.10", "2.50"))
        self.assertEqual(
            (first.price, second.receive_time_ns, third.receive_time_ns), ("0.10", "", "1795363203000000001")
        )
        self.assertFalse(hasattr(first, "receive_time_ns"))
        self.assertEqual(third._asdict()["side"], "buy")
        self.assertIn("id='3', ", repr(third))

    def test_columns(self) -> None:
        """The columns of each file are told by its name; a header that is under way has none."""
        received = header_of("trades", Options(receive_time=True))
        self.put("trades", [trade(1)], HOUR, packed=True)
        self.put("trades", [], NEXT, header=received)
        (self.folder / f"trades_{S}.csv").write_bytes(b"id,unix_t")
        plain = tuple(header_of("trades").split(","))
        expected = [(f"trades_{S}.{HOUR}.csv.gz", plain), (f"trades_{S}.{NEXT}.csv", (*plain, "receive_time_ns"))]
        self.assertEqual(list(self.archive.columns("trades", S)), expected)
        self.put("trades", header="id,price")
        with self.assertRaisesRegex(DamagedFile, f"trades_{S}.csv:1: no header of such a file"):
            list(self.archive.columns("trades", S))

    def test_a_time(self) -> None:
        """Rows are those from the start on and before the end; a moment may lie between two milliseconds."""
        self.put("trades", [trade(n) for n in range(1, 5)], HOUR)
        self.put("trades", [trade(n) for n in range(5, 9)])
        self.assertEqual(self.ids(3, 6), [3, 4, 5])
        self.assertEqual(self.ids(3.0001, 6.0001), [4, 5, 6])
        self.assertEqual(self.ids(None, 2), [1])
        self.assertEqual(self.ids(8), [8])
        self.assertEqual(self.ids(9), [])
        with self.subTest("zones"):
            naive = datetime(2026, 11, 22, 16, 0, 7)
            east = datetime.fromisoformat("2026-11-23T01:00:07+09:00")
            for start in (naive, east, START_MS / 1000 + 7, START_MS // 1000 + 7):
                self.assertEqual([row.id for row in self.archive.rows("trades", S, start)], ["7", "8"])

    def test_a_clock_set_back(self) -> None:
        """Rows of times before a file's period are found in it, in the order of ids."""
        late = START_MS + 3_600_000
        self.put("trades", [trade(1, late - 1000), trade(2, late - 2)], HOUR)
        self.put("trades", [trade(3, late), trade(4, late - 1500), trade(5, late + 9)], NEXT)
        self.put("trades", [trade(6, late + 3_600_000)])
        self.assertEqual(self.ids(3598, 3599), [4])
        self.assertEqual(self.ids(0, 3600), [1, 2, 4])

    def test_an_empty_file(self) -> None:
        """A header alone is no row, and a file without one is none, since other readers take it for damage."""
        self.put("trades", [], "2026-11-21", packed=True)
        self.put("trades", [trade(1)], HOUR)
        (self.folder / f"trades_{S}.{NEXT}.csv").write_bytes(b"")
        self.put("trades")
        self.assertEqual(self.ids(), [1])
        names = [path.name.split(".", 1)[1] for path in self.archive.files("trades", S)]
        self.assertEqual(names, ["2026-11-21.csv.gz", f"{HOUR}.csv", "csv"])

    def test_a_row_under_way(self) -> None:
        """The last line of the growing file may be half a row, or half a header; in a closed one it is damage."""
        for end in ("2", "2,1795363202000,buy,0.1", "\0\0\0"):
            self.put("trades", [trade(1)], end=end)
            self.assertEqual(self.ids(), [1])
        self.put("trades", [trade(1)], HOUR)
        (self.folder / f"trades_{S}.csv").write_bytes(b"id,unix_t")
        self.assertEqual(self.ids(), [1])
        self.put("trades", [trade(1)], HOUR, end="2,17")
        with self.assertRaisesRegex(DamagedFile, rf"^trades_{S}\.{HOUR}\.csv:3: incomplete line of 4 bytes; .*verify"):
            self.ids()

    def test_a_line_that_is_no_row(self) -> None:
        """What is good before it is there; then the file, the line and why are named."""
        many = 5000  # more than a block
        for bad, why in (
            ("x", "1 cells instead of 5"),
            ("", "blank line"),
            (trade(9).replace("2.50", "2,50"), "6 cells"),
            (trade(9).replace("0.10", "1e-1"), "price is '1e-1', not a plain decimal"),
        ):
            lines = [trade(n) for n in range(1, many)]
            self.put("trades", [*lines[: many // 2], bad, *lines[many // 2 :]], HOUR, packed=True)
            found: list[str] = []
            with self.assertRaisesRegex(DamagedFile, rf"{HOUR}\.csv\.gz:{many // 2 + 2}: {why}"):
                found.extend(row.id for row in self.archive.rows("trades", S))
            self.assertEqual(len(found), many // 2)
        self.put("trades", [trade(1)], HOUR, header="id,price")
        with self.assertRaisesRegex(DamagedFile, f"{HOUR}.csv:1: no header of such a file: 'id,price'"):
            self.ids()

    def test_a_line_behind_long_ones(self) -> None:
        """Lines are counted right where a header, or a row, ends with what is read at once."""
        levels = ";".join(f"{n}.0 1" for n in range(20_000, 0, -1))
        rows = [f"1.000,,1,{levels},", f"1.000,1,2,{levels},", "x"]
        self.put("depth", rows, DAY, packed=True)
        with self.assertRaisesRegex(DamagedFile, r"csv\.gz:4: "):
            list(self.archive.rows("depth", S))

    def test_many_at_a_time(self) -> None:
        """Rows come as bytes too, with their file and line, and how much of the file was read for them."""
        for packed in (False, True):
            lines = [trade(n) for n in range(5000)]
            path = self.put("trades", lines, HOUR, packed=packed)
            found = list(self.archive.blocks("trades", S))
            self.assertGreater(len(found), 2)
            self.assertEqual([line for rows in found for line in rows.lines], lines)
            self.assertEqual([rows.line for rows in found], [lines.index(rows.lines[0]) + 2 for rows in found])
            self.assertEqual(
                {(rows.file, rows.columns) for rows in found}, {(path.name, tuple(header_of("trades").split(",")))}
            )
            self.assertEqual(sum(rows.taken for rows in found), path.stat().st_size)
            path.unlink()

    def test_half_a_compressed_file(self) -> None:
        """Its rows are there as far as they can be had, and then it is named."""
        path = self.put("trades", [trade(n) for n in range(9999)], DAY, packed=True)
        path.write_bytes(path.read_bytes()[:-9000])
        found: list[int] = []
        with self.assertRaisesRegex(DamagedFile, r"csv\.gz:\d+: the rest can't be unpacked"):
            found.extend(int(row.id) for row in self.archive.rows("trades", S))
        self.assertEqual(found, list(range(len(found))))
        self.assertGreater(len(found), 1000)

    def test_a_file_that_is_closed_while_it_is_read(self) -> None:
        """Rows are those that there were when they were asked for, each once, whatever is closed or compressed then."""
        self.put("trades", [trade(n) for n in range(1, 4)])
        closed = self.folder / f"trades_{S}.{HOUR}.csv"
        for moments in ((), (START_MS / 1000,)):
            rows = self.archive.rows("trades", S, *moments)
            found = [int(next(rows).id)]
            (self.folder / f"trades_{S}.csv").rename(closed)
            self.put("trades", [trade(4)])
            self.assertEqual(found + [int(row.id) for row in rows], [1, 2, 3])
            self.assertEqual(self.ids(0), [1, 2, 3, 4])
            closed.rename(self.folder / f"trades_{S}.csv")

    def test_a_file_that_is_closed_while_files_are_listed(self) -> None:
        """Between the folder's list and the opening of its files none is lost."""
        self.put("trades", [trade(n) for n in range(1, 4)])
        closed, put = self.folder / f"trades_{S}.{HOUR}.csv", self.put

        class Late(Archive):
            def _listed(self) -> Histories:
                listed = super()._listed()
                if not closed.exists():
                    (self.folder / f"trades_{S}.csv").rename(closed)
                    put("trades", [trade(4)])
                return listed

        late = Late.__new__(Late)
        late.folder = self.folder
        self.assertEqual([row.id for row in late.rows("trades", S, START_MS / 1000)], ["1", "2", "3", "4"])

    def test_links(self) -> None:
        """Files that are elsewhere, by links, are read as others are."""
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        for path in (self.put("trades", [trade(1)], HOUR, packed=True), self.put("trades", [trade(2)], NEXT)):
            path.rename(elsewhere / path.name)
            path.symlink_to(elsewhere / path.name)
        self.ledger()
        self.assertEqual(self.ids(), [1, 2])
        self.assertEqual(self.archive.covered(S, "trades", START_MS / 1000 + 1, START_MS / 1000 + 2), 1.0)

    def test_universe(self) -> None:
        """The rows of a kind with one file for all are there without a symbol, in any script."""
        row = "1795527148.471,币安人生USDT,TRADING,PERPETUAL,0.00010,1,1735689600000,"
        self.put("universe", [row], symbol="")
        (found,) = self.archive.rows("universe")
        self.assertEqual((found.symbol, found.funding_interval_h), ("币安人生USDT", ""))

    def test_any_layout(self) -> None:
        """However rows are divided among files, plain, compressed, both, by hours and days: all are there, in order."""
        for seed, chance in rounds(60):
            with self.subTest(seed=seed):
                for path in self.folder.iterdir():
                    path.unlink()
                rows = self.lay(chance)
                found = [",".join(row) for row in self.archive.rows("trades", S)]
                self.assertEqual(found, rows)
                low, high = sorted(chance.uniform(-9e6, 9e7) / 1000 + START_MS / 1000 for _ in range(2))
                of_a_time = [row for row in rows if low * 1000 <= int(row.split(",")[1]) < high * 1000]
                self.assertEqual([",".join(row) for row in self.archive.rows("trades", S, low, high)], of_a_time)

    def lay(self, chance: random.Random) -> list[str]:
        """Write trades into files as a collector might whose rotation is changed now and then; return them."""
        rows, time_ms, number = [], START_MS + chance.randrange(9_000_000), 0
        used: dict[str, int] = {}
        for _ in range(chance.randrange(1, 9)):
            by_day, mine = chance.random() < 0.3, []
            period = datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%d" if by_day else "%Y-%m-%dT%H")
            length_ms = 86_400_000 if by_day else 3_600_000
            end_ms = (time_ms // length_ms + 1) * length_ms
            while time_ms < end_ms and len(mine) < 6:
                number += 1
                mine.append(trade(number, time_ms - chance.choice((0, 0, 50))))
                time_ms += chance.randrange(2_000_000)
            used[period] = used.get(period, 0) + 1
            packed = chance.random() < 0.5
            self.put("trades", mine, period, used[period], packed=packed)
            if packed and chance.random() < 0.3:
                self.put("trades", mine, period, used[period])
            rows += mine
            time_ms = max(time_ms, chance.choice((time_ms, end_ms)))
        mine = [trade(number + n, time_ms + n) for n in range(1, chance.randrange(2, 5))]
        self.put("trades", mine, end=chance.choice(("", "99,17")))
        return rows + mine


class Missing(Case):
    def test_stretches_that_overlap(self) -> None:
        """They are joined, sorted, with each cause once; those of other kinds are not among them."""
        self.put("prices")
        self.ledger("prices,4000,4200,,,restart", "prices,9000,9500,,,late", "prices,3900,7000,,,reconnect",
                    "orderbook,0,9999,,,restart", "prices,7000,7500,,,restart")  # fmt: skip
        stretches, ids = self.archive.gaps(S, "prices")
        at = [((one.start.timestamp() * 1000 - START_MS), one.end.timestamp() * 1000 - START_MS) for one in stretches]
        self.assertEqual(at, [(3900, 7500), (9000, 9500)])
        self.assertEqual([one.causes for one in stretches], [("reconnect", "restart"), ("late",)])
        self.assertEqual((ids, stretches[0].start.tzinfo), ([], UTC))

    def test_ids(self) -> None:
        """Ids of trades are disjoint ranges too."""
        self.put("trades")
        self.ledger("trades,0,900,20,29,gave-up", "trades,5,900,1,9,gave-up", "trades,6,7,25,40,not-available",
                    "trades,8,9,10,12,overflow")  # fmt: skip
        self.assertEqual(self.archive.gaps(S, "trades").ids, [(1, 12), (20, 40)])

    def test_not_asked(self) -> None:
        """It counts until a trade has come behind it, in a closed file too, and for no other cause."""
        self.put("trades", [trade(1), trade(2)])
        self.ledger("trades,2000,60000,,,not-asked", "trades,90000,99000,7,9,gave-up")
        self.assertEqual(len(self.archive.gaps(S, "trades").stretches), 2)
        self.put("trades", [trade(1), trade(2), trade(61)], HOUR, packed=True)
        self.put("trades")
        self.assertEqual([one.causes for one in self.archive.gaps(S, "trades").stretches], [("gave-up",)])

    def test_a_ledger_that_is_gone(self) -> None:
        """Nobody knows what is missing: that is no answer of nothing."""
        self.put("trades", [trade(1), trade(9)])
        for ask in (lambda: self.archive.gaps(S, "trades"), lambda: self.archive.covered(S, "trades", 0, 1)):
            with self.assertRaisesRegex(NoLedger, f"gaps_{S}.csv"):
                ask()

    def test_no_ledger_of_universe(self) -> None:
        """A kind with one file for all has no ledger, and no gaps."""
        self.put("universe", symbol="")
        self.assertEqual(self.archive.gaps("", "universe"), ([], []))

    def test_a_ledger_that_is_damaged(self) -> None:
        """Its line is named, and nothing is taken for whole."""
        self.put("prices")
        self.put("gaps", ["prices,1.000,x,,,restart"])
        with self.assertRaisesRegex(DamagedFile, f"gaps_{S}.csv:2: to_unix_timestamp is 'x'"):
            self.archive.gaps(S, "prices")

    def test_covered(self) -> None:
        """It is the share of a time within the history and outside the ledger's stretches, each moment once."""
        quote = "{:.3f},1.0,2.0,1.5"
        self.put("prices", [quote.format(START_MS / 1000 + s) for s in (0, 3, 8)], HOUR, packed=True)
        self.put("prices", [quote.format(START_MS / 1000 + 10)], end="179")
        self.ledger("prices,4000,6000,,,restart", "prices,5000,6500,,,reconnect", "orderbook,0,9999,,,restart")
        covered = self.archive.covered
        for start, end, share in ((0, 10, 0.75), (0, 4, 1.0), (4, 6.5, 0.0), (-10, 10, 7.5 / 20), (8, 12, 0.5),
                                  (11, 12, 0.0), (-2, -1, 0.0), (3, 5, 0.5)):  # fmt: skip
            with self.subTest(start=start, end=end):
                found = covered(S, "prices", START_MS / 1000 + start, START_MS / 1000 + end)
                self.assertAlmostEqual(found, share)
        self.assertEqual(covered(S, "orderbook", 0, 1), 0.0)
        with self.assertRaisesRegex(ValueError, "end: .* behind start"):
            covered(S, "prices", 5, 5)

    def test_a_first_row_under_way(self) -> None:
        """Half a row is none: a history of it alone covers nothing."""
        self.put("prices", end="1795363200.000,1.")
        self.ledger()
        self.assertEqual(self.archive.covered(S, "prices", START_MS / 1000, START_MS / 1000 + 1), 0.0)

    def test_a_last_file_that_is_packed(self) -> None:
        """Where there is no growing file, or it has no row, the last row is that of the closed ones."""
        self.put("trades", [trade(0), trade(4)], HOUR, packed=True)
        self.put("trades", [], NEXT)
        self.ledger()
        with self.assertLogs("aster_collect.files.histories", "WARNING"):
            self.assertEqual(self.archive.covered(S, "trades", START_MS / 1000, START_MS / 1000 + 8), 0.5)
        packed = gzip.decompress((self.folder / f"trades_{S}.{HOUR}.csv.gz").read_bytes())
        self.assertIn(b"\n4,", packed)


if __name__ == "__main__":
    unittest.main()
