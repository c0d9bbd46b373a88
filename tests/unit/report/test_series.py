"""What charts show of rows is what a slow and simple program finds in them."""

import random
import unittest
from collections.abc import Sequence
from itertools import groupby, pairwise
from math import ceil

from aster_collect.archive.book import Book
from aster_collect.exchange.streams.kind import Options
from aster_collect.report.histogram import OFF
from aster_collect.report.series import SPREAD_PARTS, Books, Delays, Last, Quotes, Sides, Tops
from tests.support import rounds
from tests.unit.report.made import START_MS, quote, rows_of, seconds, trade

FULL = Options()


def in_parts(count: int, chance: random.Random) -> list[slice]:
    """Return slices that follow each other, as blocks of a file do."""
    bounds = sorted({0, count, *(chance.randrange(count + 1) for _ in range(3))})
    return [slice(start, stop) for start, stop in pairwise(bounds)]


class TheQuotes(unittest.TestCase):
    def test_mids_and_spreads(self) -> None:
        """Last, lowest and highest mid are those of the rows; the spread's quantiles are the exact ones, nearly."""
        for seed, chance in rounds(60):
            pairs = [
                (chance.choice((99, 100.5, 0)), chance.choice((101, 100.75, 103, 0)))
                for _ in range(chance.randrange(1, 200))
            ]
            lines = [quote(START_MS + at, str(bid), str(ask)) for at, (bid, ask) in enumerate(pairs)]
            series = Quotes()
            for part in in_parts(len(lines), chance):
                series.take(7, rows_of("prices", lines[part]))
            whole = [pair for pair in pairs if all(pair)]
            with self.subTest(seed=seed):
                if not whole:
                    self.assertEqual(series.points, {})
                    continue
                point = series.points[7]
                mids = [(bid + ask) / 2 for bid, ask in whole]
                self.assertEqual((float(point.last), point.lowest, point.highest), (mids[-1], min(mids), max(mids)))
                spreads = sorted((ask - bid) * 20_000 / (ask + bid) for bid, ask in whole)
                for share in (0.5, 0.95):
                    exact = spreads[ceil(share * len(spreads)) - 1]
                    found = point.spreads.quantile(share) / SPREAD_PARTS
                    self.assertLessEqual(abs(found - exact), exact * OFF + 1 / SPREAD_PARTS)


class TheSides(unittest.TestCase):
    def test_trades_by_side(self) -> None:
        """Rows, quantities and values of both sides are those of the rows."""
        for seed, chance in rounds(40):
            rows = [
                (chance.choice(("buy", "sell")), chance.randint(1, 999) / 10, chance.randint(1, 999) / 100)
                for _ in range(chance.randrange(1, 90))
            ]
            lines = [
                trade(at, START_MS, side, str(price), str(amount)) for at, (side, price, amount) in enumerate(rows)
            ]
            series = Sides("price", "quantity")
            for part in in_parts(len(lines), chance):
                series.take(3, rows_of("trades", lines[part]))
            for side, told in zip(("buy", "sell"), series.bars[3], strict=True):
                own = [(price, amount) for which, price, amount in rows if which == side]
                with self.subTest(seed=seed, side=side):
                    self.assertEqual(told.rows, len(own))
                    self.assertAlmostEqual(told.quantity, sum(amount for _, amount in own))
                    self.assertAlmostEqual(told.value, sum(price * amount for price, amount in own))


class TheLast(unittest.TestCase):
    def test_blanks(self) -> None:
        """The last value of a column is the last that is not blank, as it stands there."""
        lines = [
            f"{seconds(START_MS + at)},10{at}.50,{index},,,,{START_MS}000000"
            for at, index in enumerate(("1.10", "", ""))
        ]
        series = Last("mark_price", "index_price", "settle_price")
        series.take(4, rows_of("mark", lines))
        self.assertEqual(series.columns, {"mark_price": {4: "102.50"}, "index_price": {4: "1.10"}, "settle_price": {}})


class TheDepth(unittest.TestCase):
    def near(self, bids: Sequence[tuple[float, float]], asks: Sequence[tuple[float, float]]) -> tuple[float, float]:
        """Return what lies within ten basis points of the mid."""
        mid = (max(bids)[0] + min(asks)[0]) / 2
        sums = [
            sum(price * amount for price, amount in side if abs(price - mid) <= mid * 0.001) for side in (bids, asks)
        ]
        return sums[0], sums[1]

    def test_the_top_of_the_book(self) -> None:
        """The last row of a point tells its depth, and whether the book that it shows reaches so far."""
        for seed, chance in rounds(40):
            step = chance.choice((0.1, 0.4))
            sides = [
                [(1000 + way * step * (level + 1), chance.randint(1, 99) / 10) for level in range(5)] for way in (-1, 1)
            ]
            cells = ",".join(f"{price:.1f},{amount}" for side in sides for price, amount in side)
            series = Tops()
            series.take(0, rows_of("orderbook", [f"{seconds(START_MS)},1,{cells},{START_MS}000000"]))
            with self.subTest(seed=seed):
                depth = series.points[0]
                for told, exact in zip(depth[:2], self.near(*sides), strict=True):
                    self.assertAlmostEqual(told, exact)
                self.assertEqual(depth.whole, step == 0.4)

    def test_a_side_that_is_empty(self) -> None:
        """A book without asks has no depth."""
        series = Tops()
        series.take(0, rows_of("orderbook", [f"{seconds(START_MS)},1,10,1{',' * 18},{START_MS}000000"]))
        self.assertEqual(series.points, {})

    def test_the_full_book(self) -> None:
        """At the end of each point the depth is that of the book as it is rebuilt, change by change."""
        for seed, chance in rounds(30):
            lines, ats = [], []
            for number in range(60):
                begins = number == 0 or chance.random() < 0.05
                sides = [
                    ";".join(
                        f"{1000.07 + way * (at + 1) / 4:.2f} {chance.randint(1 if begins else 0, 4)}"
                        for at in chance.sample(range(20), chance.randint(1 if begins else 0, 15))
                    )
                    for way in (-1, 1)
                ]
                lines.append(
                    f"{seconds(START_MS + number)},{'' if begins else number},{number + 1},{sides[0]},{sides[1]},"
                )
                ats.append(number // 7)
            series, book, exact = Books(), Book(), {}
            for at, run in groupby(range(len(lines)), ats.__getitem__):
                own = [lines[number] for number in run]
                for part in in_parts(len(own), chance):
                    series.take(at, rows_of("depth", own[part]))
                for line in own:
                    _, before, _, bids, asks, _ = line.encode().split(b",")
                    (book.change if before else book.begin)(bids, asks)
                levels = [[tuple(map(float, one.split(b" "))) for one in side.all()] for side in book.sides]
                if all(levels):
                    exact[at] = self.near(*levels)  # type: ignore[arg-type]
            series.end()
            with self.subTest(seed=seed):
                self.assertEqual(list(series.points), list(exact))
                for at, (bids_value, asks_value) in exact.items():
                    self.assertAlmostEqual(series.points[at].bids, bids_value)
                    self.assertAlmostEqual(series.points[at].asks, asks_value)


class TheDelays(unittest.TestCase):
    def test_delays_of_all_signs(self) -> None:
        """Quantiles are of all rows with a time of receipt; what came early is counted, and the earliest known."""
        for seed, chance in rounds(60):
            delays = [chance.choice((chance.randint(-50, 400), 10**6, None)) for _ in range(chance.randrange(1, 200))]
            lines = [trade(at, START_MS + at, "buy", "1", "1", delay) for at, delay in enumerate(delays)]
            series = Delays()
            for part in in_parts(len(lines), chance):
                series.take(0, rows_of("trades", lines[part]))
            known = sorted(delay for delay in delays if delay is not None)
            with self.subTest(seed=seed):
                self.assertEqual(series.rows, len(known))
                self.assertEqual(series.early, sum(delay < 0 for delay in known))
                if known:
                    self.assertEqual((series.lowest_ms, series.highest_ms), (known[0], known[-1]))
                    for share in (0.5, 0.99):
                        exact = known[ceil(share * len(known)) - 1]
                        found = series.quantile(share)
                        if exact < 0:
                            self.assertIsNone(found)
                        else:
                            self.assertLessEqual(abs((found or 0) - exact), exact * OFF)

    def test_a_part_of_a_millisecond(self) -> None:
        """A row that came half a millisecond early came early: whole milliseconds are rounded down."""
        series = Delays()
        series.take(0, rows_of("trades", [f"1,{START_MS},buy,1,1,{START_MS * 10**6 - 500_000}"]))
        self.assertEqual((series.early, series.lowest_ms), (1, -1))


if __name__ == "__main__":
    unittest.main()
