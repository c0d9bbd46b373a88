"""What a backtest sees of the files: all trades, and at each moment the book that there was, or none."""

import random
import unittest
from decimal import Decimal
from typing import Any

import numpy as np

from aster_collect.exchange.streams.kind import Options
from aster_collect.export import events
from aster_collect.files.names import DAY_MS
from tests.support import rounds
from tests.unit.archive.folder import START_MS
from tests.unit.export.exporting import MIDNIGHT_MS, NOON_MS, Export

MS = 1_000_000
Book = dict[str, dict[float, float]]


class Backtest(Export):
    """Data folders with a day's data from noon on, and the events that were made of them."""

    def setUp(self) -> None:
        super().setUp()
        self.ledger()
        self.trades("0")

    def trades(self, *rows: str, period: str = "") -> None:
        """Write trades, each its milliseconds behind noon, and the delay where it came live."""
        lines = []
        for number, row in enumerate(rows):
            ms, _, delay = row.partition(",")
            received = f"{(NOON_MS + int(ms) + int(delay)) * MS}" if delay else ""
            lines.append(f"{number},{NOON_MS + int(ms)},{'buy' if number % 2 else 'sell'},9.5,1.5,{received}")
        self.rows("trades", *lines, period=period)

    def book(self, *rows: str, period: str = "") -> None:
        """Write rows of the full book, each its milliseconds behind noon, ids and sides; all came 5 ms later."""
        lines = []
        for row in rows:
            ms, rest = row.split(",", 1)
            lines.append(f"{(NOON_MS + int(ms)) / 1000:.3f},{rest},{(NOON_MS + int(ms) + 5) * MS}")
        self.rows("depth", *lines, period=period)

    def hole(self, *stretches: str) -> None:
        """Write a ledger, in milliseconds behind noon."""
        rows = []
        for one in stretches:
            kind, start, end, rest = one.split(",", 3)
            rows.append(f"{kind},{NOON_MS - START_MS + int(start)},{NOON_MS - START_MS + int(end)},{rest}")
        self.ledger(*rows)

    def days(self, *words: str) -> dict[str, Any]:
        """Return the events of each day."""
        ended = self.export(*words, to="hftbacktest")
        self.assertEqual((ended.status, ended.err), (0, ""))
        self.out = ended.out
        found = {}
        for name in self.made():
            with np.load(self.work / "out" / name) as file:
                found[name.split("_")[1]] = file["data"]
        return found

    def seen(self, day: str = "2026-11-22", by: int = events.LOCAL, *words: str) -> list[str]:
        """Return what is seen of the book: at how many milliseconds behind noon, and what."""
        made = self.days(*words)[day]
        name = "local_ts" if by == events.LOCAL else "exch_ts"
        mine = made[(made["ev"] & by > 0) & (made["ev"] & 0xFF != events.TRADE)]
        return [f"{int(one[name]) // MS - NOON_MS} {self.word(one)}" for one in mine]

    def word(self, one: Any) -> str:
        what, side = int(one["ev"]) & 0xFF, int(one["ev"]) & (events.BUY | events.SELL)
        if what == events.CLEAR:
            self.assertEqual(side, 0, "of both sides")
            return "clear"
        words = {events.DEPTH: "change", events.SNAPSHOT: "whole"}
        return f"{words[what]} {'bid' if side == events.BUY else 'ask'} {one['px']:g} {one['qty']:g}"


class TheTrades(Backtest):
    def test_trades(self) -> None:
        """Each has the taker's side, both times, its price and quantity; one that was fetched the delay before it."""
        self.trades("0,7", "10")
        self.book("-5,,1,9 1,10 1")
        made = self.days()["2026-11-22"]
        trades = made[made["ev"] & 0xFF == events.TRADE]
        self.assertEqual([int(one["ev"]) for one in trades], [3 << 30 | 1 << 28 | 2, 3 << 30 | 1 << 29 | 2])
        self.assertEqual([int(one["exch_ts"]) // MS - NOON_MS for one in trades], [0, 10])
        self.assertEqual([int(one["local_ts"]) // MS - NOON_MS for one in trades], [7, 17])
        self.assertEqual([(one["px"], one["qty"]) for one in trades.tolist() and trades], [(9.5, 1.5)] * 2)
        self.assertIn("rows=3 fetched=1 ", self.out)

    def test_before_the_book(self) -> None:
        """At one time of both a trade comes before a change of the book, which has it already."""
        self.trades("0", "9,5")
        self.book("0,,1,9 1,10 1", "9,1,2,9 2,")
        made = self.days()["2026-11-22"]
        for flag in (events.EXCHANGE, events.LOCAL):
            kinds = [int(one["ev"]) & 0xFF for one in made if int(one["ev"]) & flag]
            self.assertEqual(kinds[-2:], [events.TRADE, events.DEPTH])

    def test_times_that_can_not_be(self) -> None:
        """A local time before the exchange's is left as it was noted, and told of."""
        self.trades("0,-3", "1,-1")
        self.book("-5,,1,9 1,10 1")
        made = self.days()["2026-11-22"]
        self.assertEqual(int((made["local_ts"] - made["exch_ts"]).min()), -3 * MS)
        self.assertIn("; BTCUSDT has 2 events with a local time before the exchange's, by up to 3.000 ms\n", self.out)


class TheBook(Backtest):
    def test_changes(self) -> None:
        """The book is cleared and whole at the beginning, then each level that changes is an event."""
        self.book("0,,5,9.5 1.0;9.4 2,10 1", "1,5,6,9.5 0.000,", "2,6,7,,")
        expected = ["5 clear", "5 whole bid 9.5 1", "5 whole bid 9.4 2", "5 whole ask 10 1", "6 change bid 9.5 0"]
        self.assertEqual(self.seen(), expected)
        for_exchange = [f"{int(line[0]) - 5}{line[1:]}" for line in expected]
        self.assertEqual(self.seen(by=events.EXCHANGE), for_exchange)

    def test_a_hole(self) -> None:
        """From its beginning on there is no book, for nobody; with the first row behind it there is a whole one."""
        self.book("0,,5,9.5 1,10 1", "1,5,6,9.4 1,", "900,,9,9.3 1,11 1", "901,9,10,9.2 1,")
        self.hole("depth,1,900,,,hole")
        tail = ["905 clear", "905 whole bid 9.3 1", "905 whole ask 11 1", "906 change bid 9.2 1"]
        self.assertEqual(self.seen()[3:], ["6 change bid 9.4 1", "6 clear", *tail])
        self.assertEqual(self.seen(by=events.EXCHANGE)[3:6], ["1 change bid 9.4 1", "1 clear", "900 clear"])

    def test_a_book_that_was_wrong(self) -> None:
        """What lies in a stretch, which reaches back to when the book was right, is no book of a backtest."""
        self.book("0,,5,9.5 1,10 1", "10,5,6,9.4 1,", "20,6,7,9.3 1,", "30,,9,9.2 1,11 1")
        self.hole("depth,10,30,,,mismatch")
        self.assertEqual(self.seen()[3:6], ["15 change bid 9.4 1", "15 clear", "35 clear"])

    def test_trades_that_are_missing(self) -> None:
        """A hole of trades is one too: behind it the book, which goes on, is there again as it is by then."""
        self.book("0,,5,9.5 1,10 1", "15,5,6,9.4 1,", "31,6,7,9.3 1,")
        self.hole("trades,10,30,7,9,gave-up")
        self.assertEqual(
            self.seen()[3:],
            [
                "15 clear",
                "36 clear",
                "36 whole bid 9.5 1",
                "36 whole bid 9.4 1",
                "36 whole ask 10 1",
                "36 change bid 9.3 1",
            ],
        )

    def test_a_hole_at_the_end(self) -> None:
        """Where a day ends with a hole it ends without a book."""
        self.book("0,,5,9.5 1,10 1")
        self.hole("depth,7,90,,,restart")
        self.assertEqual(self.seen()[-1], "12 clear")

    def test_days(self) -> None:
        """Each day has its file, which begins with the book as it is by then; trades alone have one too."""
        until = MIDNIGHT_MS - NOON_MS
        self.trades("0", f"{until - 1}", f"{until + 2 * DAY_MS}")
        self.book("0,,5,9.5 1,10 1", f"{until + 4},5,6,9.4 1,")
        found = self.days()
        self.assertEqual(
            [(day, len(one)) for day, one in found.items()], [("2026-11-22", 5), ("2026-11-23", 4), ("2026-11-25", 1)]
        )
        self.assertEqual(self.seen("2026-11-23"), [
            f"{until + 9} clear", f"{until + 9} whole bid 9.5 1", f"{until + 9} whole ask 10 1",
            f"{until + 9} change bid 9.4 1",
        ])  # fmt: skip
        whole = self.days()["2026-11-23"]
        for path in (self.work / "out").iterdir():
            path.unlink()
        (day,) = self.days("--from", "2026-11-23", "--until", "2026-11-24").items()
        self.assertEqual((day[0], day[1].tolist()), ("2026-11-23", whole.tolist()))

    def test_rows_out_of_order(self) -> None:
        """A row that came before the one it follows can be applied with that one alone."""
        self.rows(
            "depth",
            f"{NOON_MS / 1000:.3f},,5,9.5 1,10 1,{(NOON_MS + 9) * MS}",
            f"{NOON_MS / 1000:.3f},5,6,9.5 2,,{(NOON_MS + 7) * MS}",
        )
        self.assertEqual(self.seen()[-1], "9 change bid 9.5 2")

    def test_the_top_alone(self) -> None:
        """Without depth the order book's rows are made changes, and the levels are told; depth is taken where it is."""
        row = "{:.3f},{},9.5,1,9.4,2,,,,,,,10,1,11,1,,,,,,,{}"
        at = NOON_MS / 1000
        rows = [row.format(at + s, s + 1, (NOON_MS + 1000 * s + 5) * MS) for s in range(2)]
        rows[1] = rows[1].replace("9.5,1,9.4,2,,,", "9.6,1,9.5,3,9.4,2,").replace("10,1,11,1,,,", "10,1,,,,,")
        self.rows("orderbook", *rows, options=Options(levels=5, receive_time=True))
        self.assertEqual(self.seen(), [
            "5 clear", "5 whole bid 9.5 1", "5 whole bid 9.4 2", "5 whole ask 10 1", "5 whole ask 11 1",
            "1005 change bid 9.6 1", "1005 change bid 9.5 3", "1005 change ask 11 0",
        ])  # fmt: skip
        self.assertIn("; the book of BTCUSDT is its top 5 levels alone, from orderbook", self.out)
        self.book("0,,5,9.5 1,10 1")
        self.assertEqual(len(self.seen()), 3)
        self.assertNotIn("levels alone", self.out)

    def test_any_book(self) -> None:
        """At each moment, and on each day by itself, both see the book of the last row, or none within a hole."""
        for seed, chance in rounds(40):
            with self.subTest(seed=seed):
                for path in (*self.folder.iterdir(), *(self.work / "out").glob("*")):
                    path.unlink()
                self.trades("0,1")
                truth, holes = self.lay(chance)
                for day, made in self.days().items():
                    for flag, name, late in ((events.EXCHANGE, "exch_ts", 0), (events.LOCAL, "local_ts", 5)):
                        self.hold(made[made["ev"] & flag > 0], name, late, day, truth, holes)

    def hold(
        self, made: Any, name: str, late: int, day: str, truth: dict[int, Book], holes: list[tuple[int, int]]
    ) -> None:
        book: Book = {"bid": {}, "ask": {}}
        seen: dict[int, Book] = {}
        for one in made:
            what, side = int(one["ev"]) & 0xFF, "bid" if int(one["ev"]) & events.BUY else "ask"
            if what == events.CLEAR:
                book = {"bid": {}, "ask": {}}
            elif what != events.TRADE:
                book[side][float(one["px"])] = float(one["qty"])
                if not one["qty"]:
                    del book[side][float(one["px"])]
            seen[int(one[name]) // MS - late] = {word: dict(levels) for word, levels in book.items()}
        for ms, was in truth.items():
            if np.datetime64(ms, "ms").astype("M8[D]").astype(str) == day and ms in seen:
                hidden = any(start <= ms < end for start, end in holes)  # cleared at its time too
                self.assertEqual(seen[ms], {"bid": {}, "ask": {}} if hidden else was, f"at {ms - NOON_MS}")
        for start, _ in holes:
            self.assertNotIn(
                True, [bool(book["bid"] or book["ask"]) for ms, book in seen.items() if ms == start + late]
            )

    def lay(self, chance: random.Random) -> tuple[dict[int, Book], list[tuple[int, int]]]:
        """Write a full book of some days with holes; return what it was at each row, and the holes."""
        time_ms, number = NOON_MS, 1
        book: dict[str, dict[Decimal, str]] = {"bid": {}, "ask": {}}
        truth: dict[int, Book] = {}
        holes: list[tuple[int, int]] = []
        lines, fresh = [], True
        for _ in range(chance.randrange(2, 50)):
            start_ms = time_ms
            time_ms += chance.choice((2, 100, DAY_MS // 3))
            if not fresh and chance.random() < 0.2:
                lost = chance.random() < 0.5  # else trades are missing, and the book goes on
                holes.append((start_ms, time_ms - (0 if lost else 1)))
                fresh = lost
            before, number = number, number + 1
            changed: dict[str, dict[Decimal, str]] = {"bid": {}, "ask": {}}
            side = chance.choice(("bid", "ask"))
            price = Decimal(chance.randrange(1, 8) + 20 * (side == "ask")) / 10
            changed[side][price] = book[side][price] = chance.choice(("0", "1.0", "2")) if price in book[side] else "1"
            if book[side][price] == "0":
                del book[side][price]
            sides = [
                ";".join(f"{price} {amount}" for price, amount in (book if fresh else changed)[word].items())
                for word in book
            ]
            lines.append(
                f"{time_ms / 1000:.3f},{'' if fresh else before},{number},{','.join(sides)},{(time_ms + 5) * MS}"
            )
            fresh = False
            truth[time_ms] = {word: {float(p): float(a) for p, a in levels.items()} for word, levels in book.items()}
        self.rows("depth", *lines)
        lost_trades = [(a, b) for a, b in holes if b % 2]
        self.ledger(*(
            f"{'trades' if one in lost_trades else 'depth'},{one[0] - START_MS},{one[1] - START_MS},"
            f"{'7,8,gave-up' if one in lost_trades else ',,hole'}"
            for one in holes
        ))  # fmt: skip
        return truth, holes


class Refused(Backtest):
    def test_what_was_not_collected(self) -> None:
        """Without a book, trades or times of receipt it is refused, with what would have brought them."""
        self.refused(self.export(to="hftbacktest"), "BTCUSDT: no depth or orderbook of it", "--streams trades,depth")
        self.rows("depth", options=Options())
        self.refused(self.export(to="hftbacktest"), "depth_BTCUSDT.csv: collected without --receive-time")
        self.refused(self.export("--kinds", "depth", to="hftbacktest"), "BTCUSDT: no trades of it")
        self.refused(
            self.export("--kinds", "prices", to="hftbacktest"),
            "--kinds: prices given, trades, depth, orderbook allowed",
        )

    def test_a_part_of_a_day(self) -> None:
        """It would take the place of the whole one."""
        self.refused(self.export("--until", "2026-11-22T18:00", to="hftbacktest"), "--until: 2026-11-22T18:00:00 given")

    def test_a_digit_too_many(self) -> None:
        """It is refused with its file and line, of a trade and of the book, and nothing half-written stays."""
        self.book("0,,1,9 1,10 1", "1,1,2,9.1234567890123456 1,")
        self.refused(
            self.export(to="hftbacktest"),
            "depth_BTCUSDT.csv:3: 9.1234567890123456 in it, and a double keeps 15",
            status=1,
        )
        self.rows("trades", f"1,{NOON_MS},buy,1,0.12345678901234567,")
        self.refused(self.export(to="hftbacktest"), "trades_BTCUSDT.csv:2: 0.12345678901234567 in it", status=1)
        self.assertEqual(self.made(), [])

    def test_a_ledger_that_is_gone(self) -> None:
        """Nobody knows where the holes are: no backtest may bridge one."""
        self.book("0,,1,9 1,10 1")
        (self.folder / "gaps_BTCUSDT.csv").unlink()
        self.refused(self.export(to="hftbacktest"), "gaps_BTCUSDT.csv", status=1)


if __name__ == "__main__":
    unittest.main()
