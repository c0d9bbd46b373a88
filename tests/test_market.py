import unittest

from aster_collect import rows, tape
from aster_collect.events import Depth
from aster_collect.market import START_OVER_MS, Market
from aster_collect.tape import Bounds, Item

BOUNDS = Bounds(history=0, backfill_limit=1000, hold_trades=1000, hold_s=60.0)
START_MS = 1_760_000_000_000


def market(**last_rows: str) -> Market:
    return Market("BTCUSDT", {kind: last_rows.get(kind) for kind in rows.KINDS}, [], BOUNDS)


def quote(time_ms: int, number: int = 0) -> str:
    return f"{rows.seconds(time_ms)},{number}.0,{number + 2}.0,{number + 1}.0"


def written(one: Market, kind: str) -> list[str]:
    return dict(one.turn())[kind]


class UpdateIdsTest(unittest.TestCase):
    def test_ids_that_begin_anew_are_told_from_frames_that_are_late(self) -> None:
        """Rows with low ids start over when they were made long after the last one, and are late when they were not."""
        one = market()
        one.quotes.add(1000, quote(START_MS))
        one.turn()
        one.turn()
        one.quotes.add(5, quote(START_MS))
        one.turn()
        self.assertFalse(one.starts_over(rows.PRICES), "as old as what is written: late or double")
        one.quotes.add(6, quote(START_MS + START_OVER_MS + 1))
        one.turn()
        self.assertTrue(one.starts_over(rows.PRICES))
        self.assertFalse(one.starts_over(rows.ORDERBOOK))

    def test_nothing_is_lost_where_ids_begin_anew(self) -> None:
        """The last rows of the former ids are given out first, and what was refused comes with the next turns."""
        one = market()
        for number in (1000, 1001):
            one.quotes.add(number, quote(START_MS + number, number))
            one.turn()
        later_ms = START_MS + 2 * START_OVER_MS
        one.quotes.add(5, quote(later_ms, 5))
        one.quotes.add(1002, quote(START_MS + 1002, 1002))
        self.assertEqual([quote(START_MS + 1001, 1001)], written(one, rows.PRICES))
        self.assertTrue(one.starts_over(rows.PRICES))
        self.assertEqual([quote(START_MS + 1002, 1002)], one.start_over(rows.PRICES))
        one.quotes.add(6, quote(later_ms + 1, 6))
        self.assertEqual([], written(one, rows.PRICES))
        self.assertEqual([quote(later_ms, 5), quote(later_ms + 1, 6)], written(one, rows.PRICES))

    def test_a_restart_resumes_the_books_ids(self) -> None:
        """A book that the file has already is not written again after a restart."""
        last = f"{rows.seconds(START_MS)},700," + ",".join(["1.0"] * 20)
        one = market(orderbook=last)
        one.books.add(700, last)
        one.turn()
        self.assertEqual([], written(one, rows.ORDERBOOK))


class TradeIdsTest(unittest.TestCase):
    def test_trade_ids_that_begin_anew_give_a_fresh_file(self) -> None:
        """A live trade with a lower id, made long after the last one, is of another id space, and so is the file."""
        one = market().tape
        one.add(Item(500, START_MS, "old"), 0.0)
        late = one.add(Item(499, START_MS, "late"), 0.0)
        self.assertEqual(([], False), (late.rows, late.foreign))
        anew = one.add(Item(3, START_MS + tape.START_OVER_MS + 1, "new"), 0.0)
        self.assertTrue(anew.foreign)
        self.assertEqual(["new"], anew.rows)
        self.assertEqual([], anew.gaps)


class SkippedBooksTest(unittest.TestCase):
    def book(self, update_id: int, previous_id: int) -> Depth:
        return Depth("BTCUSDT", update_id, previous_id, START_MS, START_MS, "", "")

    def test_a_snapshot_that_the_stream_left_out_is_counted_once_for_each_connection(self) -> None:
        """The one that a snapshot names as previous must be the last that came on the same connection."""
        one = market()
        steps = [(1, 10, 5, False), (1, 12, 10, False), (1, 20, 15, True), (2, 20, 15, False), (1, 18, 17, False)]
        for connection, update_id, previous_id, skipped in steps:
            self.assertEqual(skipped, one.skips_a_book(self.book(update_id, previous_id), connection), update_id)
        one.lost(1)
        self.assertFalse(one.skips_a_book(self.book(90, 80), 1), "an outage is in the ledger, and is no skip")


if __name__ == "__main__":
    unittest.main()
