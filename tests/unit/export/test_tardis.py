"""Files of tardis.dev's form say what the data says, and a reader of theirs rebuilds the same book from them."""

import random
from bisect import bisect_right
from decimal import Decimal

from aster_collect.exchange.streams.kind import Options
from aster_collect.files.names import DAY_MS
from tests.support import rounds
from tests.unit.archive.folder import START_MS
from tests.unit.commands.calls import call
from tests.unit.export.exporting import MIDNIGHT_MS, NOON_MS, Export

HEAD = "exchange,symbol,timestamp,local_timestamp,"
Book = dict[str, dict[Decimal, str]]


class TheRows(Export):
    def test_trades(self) -> None:
        """Cells are verbatim, times in microseconds; a trade that was fetched has the delay of the one before it."""
        self.rows("trades", f"1,{NOON_MS},buy,0.10,2.50,{NOON_MS}012345", f"2,{NOON_MS + 5},sell,100000.0,3,")
        found = self.exported()
        self.assertEqual(self.made(), ["aster-futures_trades_2026-11-22_BTCUSDT.csv.gz"])
        first, second = (f"aster-futures,BTCUSDT,{ms}000,{ms}012" for ms in (NOON_MS, NOON_MS + 5))
        self.assertEqual(
            found["trades_2026-11-22_BTCUSDT"],
            [f"{HEAD}id,side,price,amount", f"{first},1,buy,0.10,2.50", f"{second},2,sell,100000.0,3"],
        )
        hint = "; the local time of fetched rows is an estimate"
        self.assertEqual(self.out, f"exported files=1 rows=2 fetched=1 unjoined=0 folder=out{hint}\n")

    def test_quotes(self) -> None:
        """They have their quantities, and ask before bid, as tardis has them."""
        self.rows("prices", f"{NOON_MS // 1000}.000,1.0,2.0,1.5,77,3.30,4.00,{NOON_MS}999999")
        self.assertEqual(
            self.exported()["quotes_2026-11-22_BTCUSDT"],
            [
                f"{HEAD}ask_amount,ask_price,bid_price,bid_amount",
                f"aster-futures,BTCUSDT,{NOON_MS}000,{NOON_MS}999,4.00,2.0,1.0,3.30",
            ],
        )

    def test_books(self) -> None:
        """Levels stand side by side, asks first, blank where there is none; other numbers of levels in other files."""
        for levels, period in ((5, "2026-11-22T11"), (10, "2026-11-22T12"), (5, "")):
            side = ",".join(f"{level}.1,{level}.2" for level in range(1, levels)) + ",,"
            asks = side.replace(".1,", ".3,")
            options = Options(levels=levels, receive_time=True)
            self.rows(
                "orderbook", f"{NOON_MS // 1000}.123,9,{side},{asks},{NOON_MS}123000", period=period, options=options
            )
        found = self.exported()
        self.assertEqual(list(found), ["book_snapshot_10_2026-11-22_BTCUSDT", "book_snapshot_5_2026-11-22_BTCUSDT"])
        five = found["book_snapshot_5_2026-11-22_BTCUSDT"]
        columns, values = five[0].split(",")[4:], five[1].split(",")[4:]
        self.assertEqual(
            columns[:5], ["asks[0].price", "asks[0].amount", "bids[0].price", "bids[0].amount", "asks[1].price"]
        )
        self.assertEqual(values[:8], ["1.3", "1.2", "1.1", "1.2", "2.3", "2.2", "2.1", "2.2"])
        self.assertEqual((values[-4:], len(values), len(columns), five[1:]), ([""] * 4, 20, 20, [five[1]] * 2))

    def test_liquidations(self) -> None:
        """Only those that were filled are there, with what was filled, as tardis's own mapper takes them."""
        forced = "sell,LIMIT,IOC,9.5,9.4,2.0,1.0,{},{}," + f"{NOON_MS}000001"
        self.rows(
            "liquidations",
            f"{NOON_MS},{forced.format('1.0', 'PARTIALLY_FILLED')}",
            f"{NOON_MS},{forced.format('2.00', 'FILLED')}",
        )
        found = self.exported()["liquidations_2026-11-22_BTCUSDT"]
        self.assertEqual(found[1:], [f"aster-futures,BTCUSDT,{NOON_MS}000,{NOON_MS}000,,sell,9.5,2.00"])

    def test_a_ticker(self) -> None:
        """Each row has what the other kind said last; what was not collected is blank, and what a hole made old."""
        mark = "{}.000,{},8.5,,{},{},{}"
        at = NOON_MS // 1000
        funding = f"{MIDNIGHT_MS}"
        marks = [
            mark.format(at + s, f"7.{s}", "-0.0001" if s else "", funding if s else "", f"{at + s}000000007")
            for s in (0, 2, 4)
        ]
        self.rows("mark", *marks)
        self.ledger(f"open-interest,{NOON_MS - START_MS + 1900},{NOON_MS - START_MS + 3000},,,not-polled")
        alone = self.exported()["derivative_ticker_2026-11-22_BTCUSDT"]
        self.assertEqual(
            alone[0],
            f"{HEAD}funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price,mark_price",
        )

        def stamp(s: int) -> str:
            return f"aster-futures,BTCUSDT,{at + s}000000,{at + s}000000"

        rate = f"{funding}000,-0.0001,,,,8.5"
        self.assertEqual(alone[1:], [f"{stamp(0)},,,,,,8.5,7.0", f"{stamp(2)},{rate},7.2", f"{stamp(4)},{rate},7.4"])
        self.rows("open-interest", f"{NOON_MS + 1000},55.50,{at + 1}000000000")
        both = self.exported()["derivative_ticker_2026-11-22_BTCUSDT"]
        self.assertEqual(both[1:], [
            alone[1], f"{stamp(1)},,,,55.50,,8.5,7.0", f"{stamp(2)},{rate},7.2", alone[3],
        ])  # fmt: skip

    def test_days(self) -> None:
        """A day of UTC has its file, by the exchange's time; --from and --until are whole days, and others stay."""
        rows = [f"{n},{MIDNIGHT_MS + ms},buy,1,1,{MIDNIGHT_MS + ms + 50}000000" for n, ms in enumerate((-1, 0, DAY_MS))]
        self.rows("trades", *rows[:1], period="2026-11-22")
        self.rows("trades", *rows[1:])
        self.assertEqual(list(self.exported()), [f"trades_2026-11-{day}_BTCUSDT" for day in (22, 23, 24)])
        whole = self.read("aster-futures_trades_2026-11-22_BTCUSDT.csv.gz")
        self.exported("--from", "2026-11-23", "--until", "2026-11-24")
        self.assertEqual(self.read("aster-futures_trades_2026-11-22_BTCUSDT.csv.gz"), whole)
        self.assertIn("files=1 rows=1 ", self.out)
        self.refused(
            self.export("--from", "2026-11-23T10:00"), "--from: 2026-11-23T10:00:00 given, the beginning of a day"
        )

    def test_another_market(self) -> None:
        """Spot has tardis's name of it, and a symbol in any script its own."""
        (self.folder / ".market").write_text("spot\n")
        self.rows("trades", f"1,{NOON_MS},buy,0.10,2.50,", symbol="币安人生USDT")
        self.exported()
        self.assertEqual(self.made(), ["aster_trades_2026-11-22_币安人生USDT.csv.gz"])
        self.assertTrue(self.read(self.made()[0])[1].startswith("aster,币安人生USDT,"))


class TheBook(Export):
    def book(self, period: str, *rows: str) -> None:
        lines = []
        for row in rows:
            ms, rest = row.split(",", 1)
            lines.append(f"{(NOON_MS + int(ms)) / 1000:.3f},{rest},{NOON_MS + int(ms)}000000")
        self.rows("depth", *lines, period=period)

    def levels(self, *words: str) -> list[str]:
        """Return the lines of the book: when, and what of it."""
        found = self.exported(*words)["incremental_book_L2_2026-11-22_BTCUSDT"]
        self.assertEqual(found[0], f"{HEAD}is_snapshot,side,price,amount")
        return [f"{int(line.split(',')[2]) // 1000 - NOON_MS} {','.join(line.split(',')[4:])}" for line in found[1:]]

    def test_changes(self) -> None:
        """A snapshot is told as one, each level of a change is a line, and a level that goes has the amount sent."""
        self.book("", "0,,5,9.5 1.0;9.4 2,10 1", "1,5,6,9.5 0.000,", "2,6,7,,", "3,7,8,9.3 1,10 2")
        self.assertEqual(self.levels(), [
            "0 true,bid,9.5,1.0", "0 true,bid,9.4,2", "0 true,ask,10,1", "1 false,bid,9.5,0.000",
            "3 false,bid,9.3,1", "3 false,ask,10,2",
        ])  # fmt: skip

    def test_the_first_row_of_a_closed_file(self) -> None:
        """The book as it was is told again where a day begins with it, and not for each hour."""
        self.book("2026-11-22T12", "0,,5,9.5 1,10 1", "1,5,6,9.4 1,")
        self.book("2026-11-22T13", "3600000,,6,9.5 1;9.4 1,10 1", "3600000,6,7,9.3 1,")
        self.assertEqual(self.levels(), [
            "0 true,bid,9.5,1", "0 true,ask,10,1", "1 false,bid,9.4,1", "3600000 false,bid,9.3,1",
        ])  # fmt: skip

    def test_a_day_that_begins_within_a_file(self) -> None:
        """Its file begins with the book as it is by then, though no row of it is a snapshot."""
        self.book("", f"{-DAY_MS},,5,9.5 1,10 1", f"{1 - DAY_MS},5,6,9.4 1,", "1,6,7,9.4 0,11 1")
        expected = [
            "1 true,bid,9.5,1", "1 true,bid,9.4,1", "1 true,ask,10,1", "1 false,bid,9.4,0", "1 false,ask,11,1",
        ]  # fmt: skip
        self.assertEqual(self.levels("--from", "2026-11-22"), expected)
        self.assertIn("files=1 rows=1 ", self.out)
        self.assertEqual(self.levels(), expected)
        self.assertIn("files=2 rows=3 ", self.out)

    def test_two_snapshots_in_a_row(self) -> None:
        """Between them a line stands that changes nothing, so that no reader takes them for one."""
        self.book("", "0,,5,9.5 1,10 1", "9,,8,9.4 1,10 1", "10,8,9,9.4 2,")
        self.assertEqual(self.levels(), [
            "0 true,bid,9.5,1", "0 true,ask,10,1", "0 false,bid,9.5,1", "0 false,ask,10,1",
            "9 true,bid,9.4,1", "9 true,ask,10,1", "10 false,bid,9.4,2",
        ])  # fmt: skip

    def test_rows_of_no_book(self) -> None:
        """What joins no row before it is left out and counted, up to the next snapshot."""
        self.book("", "0,4,5,9.5 1,", "1,,6,9.5 1,10 1", "2,7,8,9.4 1,", "3,8,9,9.4 1,", "4,,10,9 1,10 1")
        self.assertEqual(
            [line for line in self.levels() if "bid" in line],
            ["1 true,bid,9.5,1", "1 false,bid,9.5,1", "4 true,bid,9,1"],
        )
        self.assertIn("unjoined=3 folder=out; unjoined rows of depth are of no book, and left out", self.out)

    def test_any_book(self) -> None:
        """A reader of the files has at each moment the book that the exchange had, however days and files begin."""
        for seed, chance in rounds(40):
            with self.subTest(seed=seed):
                for path in (*self.folder.iterdir(), *(self.work / "out").glob("*")):
                    path.unlink()
                truth = self.lay(chance)
                days = self.exported()
                self.assertEqual(len(days), len({ms // DAY_MS for ms in truth}))
                seen: dict[int, Book] = {}
                for lines in days.values():
                    self.assertEqual(lines[1].split(",")[4] if len(lines) > 1 else "true", "true")
                    seen |= self.rebuilt(lines[1:])
                times = sorted(seen)
                for ms, book in truth.items():
                    at = bisect_right(times, ms)
                    if at:
                        self.assertEqual(seen[times[at - 1]], book)

    def rebuilt(self, lines: list[str]) -> dict[int, Book]:
        """Return the book behind each moment of a file, as tardis tells its readers to rebuild it."""
        book: Book = {"bid": {}, "ask": {}}
        found: dict[int, Book] = {}
        was_snapshot = False
        for line in lines:
            _, _, time_us, _, is_snapshot, side, price, amount = line.split(",")
            if is_snapshot == "true" and not was_snapshot:
                book = {"bid": {}, "ask": {}}
            was_snapshot = is_snapshot == "true"
            book[side][Decimal(price)] = amount
            if not Decimal(amount):
                del book[side][Decimal(price)]
            found[int(time_us) // 1000] = {side: dict(levels) for side, levels in book.items()}
        return found

    def lay(self, chance: random.Random) -> dict[int, Book]:
        """Write the full book of some days, with holes and closed files; return what it was at each row's time."""
        time_ms, number, parts = NOON_MS, 1, 0
        book: Book = {"bid": {}, "ask": {}}
        truth: dict[int, Book] = {}
        lines: list[str] = []
        fresh = True
        for _ in range(chance.randrange(2, 60)):
            time_ms += chance.choice((1, 100, DAY_MS // 3))
            before, number = number, number + chance.randrange(1, 4)
            changed: dict[str, dict[Decimal, str]] = {"bid": {}, "ask": {}}
            for _ in range(chance.randrange(1, 5)):
                side = chance.choice(("bid", "ask"))
                price = Decimal(chance.randrange(1, 20) + 20 * (side == "ask")) / 10
                known = price in book[side] and sum(map(len, book.values())) > 1  # of no level there is no line
                amount = chance.choice(("0", "1.0", "2", "3.50") if known else ("1", "2.0"))
                changed[side][price] = amount
                book[side][price] = amount
                if amount == "0":
                    del book[side][price]
            if fresh or chance.random() < 0.1:
                sides, previous, fresh = self.whole(book), "", False
            else:
                sides, previous = (
                    tuple(";".join(f"{p} {a}" for p, a in changed[side].items()) for side in book),
                    str(before),
                )
            lines.append(f"{time_ms / 1000:.3f},{previous},{number},{sides[0]},{sides[1]},{time_ms}000000")
            truth[time_ms] = {side: dict(levels) for side, levels in book.items()}
            if chance.random() < 0.1:
                parts += 1
                self.rows("depth", *lines, period=f"2026-11-{10 + parts}")
                time_ms += 1
                lines = [f"{time_ms / 1000:.3f},,{number},{','.join(self.whole(book))},"]
                truth[time_ms] = truth[max(truth)]
        self.rows("depth", *lines)
        return truth

    def whole(self, book: Book) -> tuple[str, ...]:
        return tuple(
            ";".join(f"{price} {book[side][price]}" for price in sorted(book[side], reverse=side == "bid"))
            for side in book
        )


class Interrupted(Export):
    def test_what_a_killed_run_left(self) -> None:
        """The next run deletes it, and writes all that is asked for."""
        self.rows("trades", f"1,{NOON_MS},buy,0.10,2.50,")
        (self.work / "out").mkdir()
        (self.work / "out" / ".aster-futures_trades_2026-11-22_BTCUSDT.csv.gz.aside").write_bytes(b"half")
        (self.work / "out" / ".aster-futures_trades_2026-11-21_BTCUSDT.csv.gz.aside").write_bytes(b"half")
        self.exported()
        self.assertEqual(self.made(), ["aster-futures_trades_2026-11-22_BTCUSDT.csv.gz"])

    def test_a_row_under_way(self) -> None:
        """The files of a collector that runs are read up to its last whole row."""
        path = self.rows("trades", f"1,{NOON_MS},buy,0.10,2.50,")
        path.write_bytes(path.read_bytes() + b"2,17953")
        self.assertEqual(len(self.exported()["trades_2026-11-22_BTCUSDT"]), 2)
        self.rows("prices").write_bytes(b"unix_timest")
        self.assertEqual(list(self.exported()), ["trades_2026-11-22_BTCUSDT"])


class Refused(Export):
    def test_what_was_not_collected(self) -> None:
        """A file without a column that is needed is named with the option, before anything is written."""
        self.rows("trades", f"1,{NOON_MS},buy,1,1,", period="2026-11-22")
        self.rows("trades", options=Options())
        self.refused(
            self.export(), "data/trades_BTCUSDT.csv: collected without --receive-time, which --to tardis needs"
        )
        self.rows("trades")
        self.rows("prices", options=Options(receive_time=True))
        self.refused(self.export(), "data/prices_BTCUSDT.csv: collected without --quantities", "--kinds")
        self.assertEqual(self.made(), [])
        self.assertEqual(self.export("--kinds", "trades").status, 0)

    def test_other_kinds(self) -> None:
        """A kind that tardis has no form of is refused by name, and left out where all are asked for."""
        self.put("universe", symbol="")
        self.rows("fills", f"1,{NOON_MS},buy,1,1,MARKET,")
        self.refused(self.export("--kinds", "fills"), "--kinds: fills given, prices, orderbook, trades, depth, ")
        self.refused(self.export(), "nothing there of what is asked for")

    def test_two_folders(self) -> None:
        """A symbol that is in two folders is refused, whatever kinds they have of it."""
        self.rows("mark")
        first, self.folder = self.folder, self.work / "other"
        self.folder.mkdir()
        self.rows("open-interest")
        ended = call("export", "data", "other", "--to", "tardis", "--out", "out")
        self.refused(ended, "BTCUSDT: in data and in other, one of them allowed; merge them first")
        (first / ".market").write_text("spot\n")
        self.assertEqual(call("export", "data", "other", "--to", "tardis", "--out", "out").status, 1)

    def test_a_damaged_line(self) -> None:
        """It is told by file and line, and nothing half-written stays."""
        self.rows("trades", f"1,{NOON_MS},buy,1,1,", "x")
        ended = self.export()
        self.refused(ended, "trades_BTCUSDT.csv:3: 1 cells instead of 6", "aster-collect verify", status=1)
        self.assertEqual(self.made(), [])

    def test_a_ledger_that_is_gone(self) -> None:
        """Where what is known is carried on from row to row, a hole must be known."""
        self.rows("mark")
        self.refused(self.export(), "gaps_BTCUSDT.csv", status=1)
