import unittest

from aster_collect.exchange import rows, wire
from aster_collect.exchange.events import Answer, Depth, Gap
from aster_collect.order.market import START_OVER_MS, Market
from aster_collect.order.tape import Bounds, Item
from tests.support import rounds

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
        for update_id in (6, 7):
            one.quotes.add(update_id, quote(START_MS + START_OVER_MS + update_id))
            one.turn()
            self.assertFalse(one.starts_over(rows.PRICES), "an odd frame or two are no proof")
        one.quotes.add(8, quote(START_MS + START_OVER_MS + 8))
        one.turn()
        self.assertTrue(one.starts_over(rows.PRICES))
        self.assertFalse(one.starts_over(rows.ORDERBOOK))

    def test_an_unchanged_book_that_is_sent_again_is_no_new_beginning(self) -> None:
        """However late the last update id comes once more, and however often, it is a double."""
        one = market()
        one.books.add(104, quote(START_MS))
        for _ in range(2):
            one.turn()
        for number in range(1, 9):
            one.books.add(104, quote(START_MS + number * START_OVER_MS))
            one.turn()
            self.assertFalse(one.starts_over(rows.ORDERBOOK))

    def test_nothing_is_lost_where_ids_begin_anew(self) -> None:
        """The last rows of the former ids are given out first, and what was refused comes with the next turns."""
        one = market()
        for number in (1000, 1001):
            one.quotes.add(number, quote(START_MS + number, number))
            one.turn()
        later_ms = START_MS + 2 * START_OVER_MS
        for number in (3, 4, 5):
            one.quotes.add(number, quote(later_ms, number))
        one.quotes.add(1002, quote(START_MS + 1002, 1002))
        self.assertEqual([quote(START_MS + 1001, 1001)], written(one, rows.PRICES))
        self.assertTrue(one.starts_over(rows.PRICES))
        self.assertEqual([quote(START_MS + 1002, 1002)], one.start_over(rows.PRICES))
        one.quotes.add(6, quote(later_ms + 1, 6))
        self.assertEqual([], written(one, rows.PRICES))
        wanted = [*(quote(later_ms, number) for number in (3, 4, 5)), quote(later_ms + 1, 6)]
        self.assertEqual(wanted, written(one, rows.PRICES))

    def test_a_restart_resumes_the_books_ids(self) -> None:
        """A book that the file has already is not written again after a restart."""
        last = f"{rows.seconds(START_MS)},700," + ",".join(["1.0"] * 20)
        one = market(orderbook=last)
        one.books.add(700, last)
        one.turn()
        self.assertEqual([], written(one, rows.ORDERBOOK))


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


class SetBackTest(unittest.TestCase):
    def stretches(self, *times_ms: int, turns: bool = False) -> list[tuple[int, int]]:
        """Return where times step back in rows of rising ids, the last of the file before made at the start."""
        one = market(prices=quote(START_MS))
        found = []
        for number, time_ms in enumerate(times_ms, 1):
            one.quotes.add(number, quote(START_MS + time_ms))
            if turns:
                one.turn()
                found += one.set_back(rows.PRICES)
        for _ in range(2):
            one.turn()
            found += one.set_back(rows.PRICES)
        self.assertEqual({"clock"} if found else set(), {gap.cause for gap in found})
        return [(gap.from_ms - START_MS, gap.to_ms - START_MS) for gap in found]

    def test_the_clock_was_set_back_within_rising_ids(self) -> None:
        """Each step back of over a second is a stretch in which times overlap, within a turn and between two."""
        for turns in (False, True):
            with self.subTest(turns=turns):
                self.assertEqual([(2000, 9000)], self.stretches(8000, 9000, 2000, 2500, turns=turns))
                self.assertEqual([(900, 2500), (400, 3000)], self.stretches(2500, 900, 3000, 400, turns=turns))
                self.assertEqual([(-90_000, 0)], self.stretches(-90_000, turns=turns), "against the file of before")

    def test_the_clock_was_set_back_among_many_rows(self) -> None:
        """By more than a second, wherever it is in a busy turn."""
        for seed, chance in rounds(50):
            with self.subTest(seed=seed):
                count, step_ms, place = 3000, chance.randrange(1100, 5000), chance.randrange(3000)
                times_ms = [number - step_ms * (number >= place) for number in range(count)]
                stretch = (place - step_ms, max(0, place - 1))
                self.assertEqual([stretch], self.stretches(*times_ms))

    def test_times_that_change_places(self) -> None:
        """A second is what the exchange's servers differ by."""
        self.assertEqual([], self.stretches(1999, 999, 1000, 1000, 2000, 1500))

    def test_one_odd_time_of_far_ahead(self) -> None:
        """It does not blot out all that comes: the year 2286 is no stretch of the ledger."""
        self.assertEqual([], self.stretches(5, 9_999_999_999_999 - START_MS, 10))
        self.assertEqual([(10, 3_600_000)], self.stretches(5, 3_600_000, 10))


class LateTest(unittest.TestCase):
    def test_rows_too_late_for_their_place_give_the_stretch_of_their_times(self) -> None:
        """The stretch goes from the earliest to the latest row that is missing, each stream's by itself."""
        one = market()
        one.quotes.add(1000, quote(START_MS + 1000))
        one.quotes.add(2000, quote(START_MS + 2000))
        for _ in range(2):
            one.turn(0.0)
        self.assertIsNone(one.late(rows.PRICES))
        for number in (1000, 1400, 1200, 2000, 1900, 2100):
            one.quotes.add(number, quote(START_MS + number))
        one.turn(0.0)
        stretch = Gap(rows.PRICES, START_MS + 1200, START_MS + 1900, None, None, "late")
        self.assertEqual(stretch, one.late(rows.PRICES))
        self.assertIsNone(one.late(rows.ORDERBOOK))
        one.turn(0.0)
        self.assertIsNone(one.late(rows.PRICES), "told once")

    def test_what_was_lost_before_it_showed_that_ids_began_anew(self) -> None:
        """The stretch goes from the last row that was written to the first of the new ids that is kept."""
        one = market()
        one.quotes.add(1000, quote(START_MS))
        for _ in range(2):
            one.turn()
        one.quotes.add(1, quote(START_MS + 500))
        one.turn()
        self.assertFalse(one.starts_over(rows.PRICES), "too soon to tell; this row is lost")
        for number in (2, 3, 4):
            one.quotes.add(number, quote(START_MS + START_OVER_MS + number))
        one.turn()
        self.assertTrue(one.starts_over(rows.PRICES))
        stretch = Gap(rows.PRICES, START_MS, START_MS + START_OVER_MS + 2, None, None, "new-ids")
        self.assertEqual(stretch, one.lost_ids(rows.PRICES))


class PageTest(unittest.TestCase):
    def page(self, one: Market, value: object, refused: str = "") -> tuple[list[str], str, list[tuple[str, object]]]:
        """Give a tape that waits for the ids 2 to 4 a page; return the rows to write, why it is unusable, the odd."""
        for number in (1, 5):
            one.tape.add(Item(number, START_MS, f"live {number}"), 0.0)
        wanted = one.tape.ask(10.0)
        assert wanted is not None
        ask = wire.ask_page("BTCUSDT", *wanted)
        outcome, why, odd = one.page(Answer(ask, 0, START_MS * 1_000_000, value, refused), False, 10.0)
        return outcome.rows, why, odd

    def trade(self, number: int, **odd: object) -> dict[str, object]:
        return {"a": number, "p": "100.1", "q": "0.5", "T": START_MS, "m": False} | odd

    def test_an_unreadable_trade_in_a_page(self) -> None:
        """What can't be read is returned apart with its reason, and the other trades of the page are used."""
        bad = self.trade(3, p="cheap")
        given, why, odd = self.page(market(), [self.trade(2), bad, 7, self.trade(4)])
        self.assertEqual([f"2,{START_MS},buy,100.1,0.5"], given)
        self.assertEqual("", why)
        self.assertEqual([("odd field: p", bad), ("not an object", 7)], odd)

    def test_a_page_that_is_no_list(self) -> None:
        """A page that is no list, or that was refused, gives the reason and nothing else."""
        for value, refused, reason in (({}, "", "aggTrades is not a list"), (None, "status 400", "status 400")):
            self.assertEqual(([], reason, []), self.page(market(), value, refused))

    def test_a_page_of_more_than_was_asked_for(self) -> None:
        """A page of more trades than a page can have is refused whole, and no part of it is kept as unreadable."""
        why = "aggTrades has 1001 trades, at most 1000 were asked for"
        for value in ([0] * 1001, [self.trade(number) for number in range(2, 1003)]):
            self.assertEqual(([], why, []), self.page(market(), value))
        self.assertEqual(1000, len(self.page(market(), [0] * 1000)[2]))


if __name__ == "__main__":
    unittest.main()
