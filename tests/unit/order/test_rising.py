"""Ids that begin anew are told from frames that are late, and what is late, set back or left out is said."""

import unittest
from collections.abc import Sequence

from aster_collect.exchange.events import Gap
from aster_collect.exchange.streams import orderbook, prices
from aster_collect.exchange.streams.kind import Event
from aster_collect.exchange.streams.orderbook import Book
from aster_collect.exchange.streams.prices import Quote
from aster_collect.order.effects import Aside, Effect, Missing, Rows
from aster_collect.order.lane import Left
from aster_collect.order.rising import Rising
from aster_collect.order.suspects import START_OVER_MS
from tests.support import rounds

S = "BTCUSDT"
START_MS = 1_760_000_000_000


def quotes(*last: Quote) -> Rising:
    return Rising(prices.KIND, S, Left(last))


def quote(number: int, after_ms: int) -> Quote:
    return Quote(number, START_MS + after_ms, f"{number}.0", f"{number + 2}.0")


def turn(lane: Rising, remember_s: float | None = None) -> list[Effect]:
    return lane.turn(remember_s, START_MS)


def ids(effects: Sequence[Effect]) -> list[int]:
    """Return the ids of what is to be written."""
    return [event[0] for effect in effects if isinstance(effect, Rows) for event in effect.events]


def gaps(effects: Sequence[Effect]) -> list[Gap]:
    return [effect.gap for effect in effects if isinstance(effect, Missing)]


def bring(lane: Rising, *events: Event) -> None:
    for event in events:
        lane.add(event)


class UpdateIds(unittest.TestCase):
    def test_ids_that_begin_anew_are_told_from_frames_that_are_late(self) -> None:
        """Low ids start over when they were made long after the last row, and are late or double when not."""
        one = quotes()
        bring(one, quote(1000, 0))
        turn(one)
        turn(one)
        bring(one, quote(5, 0))
        self.assertEqual([], turn(one), "as old as what is written: late or double")
        for number in (6, 7):
            bring(one, quote(number, START_OVER_MS + number))
            self.assertEqual([], turn(one), "an odd frame or two are no proof")
        bring(one, quote(8, START_OVER_MS + 8))
        missing, aside = turn(one)
        self.assertIsInstance(missing, Missing)
        self.assertEqual(Aside(prices.KIND, S, "update_ids_began_anew"), aside)

    def test_an_unchanged_book_that_is_sent_again_is_no_new_beginning(self) -> None:
        """However late the last update id comes once more, and however often, it is a double."""
        one = Rising(orderbook.KIND, S, Left())
        for number in range(9):
            bring(one, Book(104, START_MS + number * START_OVER_MS, -1, "1,1", "2,2"))
            turn(one)
        self.assertEqual([], turn(one))
        self.assertEqual((1, 8), (one.rows, one.duplicates))

    def test_nothing_is_lost_where_ids_begin_anew(self) -> None:
        """The last rows of the former ids are written first, and what was refused comes with the next turns."""
        one = quotes()
        for number in (1000, 1001):
            bring(one, quote(number, number))
            turn(one)
        later_ms = 2 * START_OVER_MS
        bring(one, *(quote(number, later_ms) for number in (3, 4, 5)), quote(1002, 1002))
        effects = turn(one)
        self.assertEqual([1001, 1002], ids(effects))
        self.assertIsInstance(effects[-1], Aside)
        self.assertEqual([Gap("prices", START_MS + 1001, START_MS + later_ms, None, None, "new-ids")], gaps(effects))
        bring(one, quote(6, later_ms + 1))
        self.assertEqual([3, 4, 5, 6], ids([*turn(one), *turn(one), *turn(one)]))
        self.assertEqual((7, 7, 0), (one.frames, one.rows, one.duplicates))

    def test_a_restart_resumes_the_ids_that_the_file_bears(self) -> None:
        """A book that the file has already is not written again after a restart."""
        one = Rising(orderbook.KIND, S, Left([Book(700, START_MS, -1, "1,1", "2,2")]))
        bring(one, Book(700, START_MS, -1, "1,1", "2,2"), Book(701, START_MS, 700, "1,1", "2,2"))
        self.assertEqual([701], ids([*turn(one), *turn(one)]))

    def test_a_restart_where_the_file_bears_no_ids(self) -> None:
        """What says the same as the end of the file is in it."""
        one = quotes(quote(0, 0)._replace(bid="8.0", ask="10.0"))
        bring(one, quote(8, 0), quote(9, 5))
        self.assertEqual([9], ids([*turn(one), *turn(one)]))

    def test_the_clock_is_set_back_soon_after_a_restart(self) -> None:
        """What follows looks like the end of the file: it is in the ledger, where the row of the pause has it not."""
        row = Gap("prices", START_MS - 5000, START_MS - 4000, None, None, "clock")
        for paused_ms, told in ((6000, [row]), (500, [])):
            with self.subTest(paused_ms=paused_ms):
                one = quotes(quote(0, 0))
                one.paused(START_MS - 6000 + paused_ms, START_MS + 20_000)
                bring(one, quote(8, -5000), quote(9, -4000))
                self.assertEqual(told, gaps(turn(one)))


class Skipped(unittest.TestCase):
    def test_a_snapshot_that_the_stream_left_out(self) -> None:
        """The one that a snapshot names as the one before must be the one before; one that comes late is none."""
        one = Rising(orderbook.KIND, S, Left())
        for number, previous in ((10, 5), (12, 10), (20, 15), (18, 12), (90, 20)):
            bring(one, Book(number, START_MS + number, previous, "1,1", "2,2"))
        turn(one)
        turn(one)
        self.assertEqual(1, one.skipped)
        bring(one, Book(100, START_MS + 100, 95, "1,1", "2,2"))
        turn(one)
        turn(one)
        self.assertEqual(2, one.skipped, "also between two turns")


class SetBack(unittest.TestCase):
    def stretches(self, *times_ms: int, turns: bool = False) -> list[tuple[int, int]]:
        """Return where times step back in rows of rising ids, the last of the file before made at the start."""
        one = quotes(quote(1, 0))
        found: list[Gap] = []
        for number, time_ms in enumerate(times_ms, 2):
            bring(one, quote(number, time_ms))
            if turns:
                found += gaps(turn(one))
        for _ in range(2):
            found += gaps(turn(one))
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


class Late(unittest.TestCase):
    def test_rows_too_late_for_their_place_give_the_stretch_of_their_times(self) -> None:
        """The stretch goes from the earliest to the latest row that is missing, and is told once."""
        one = quotes()
        bring(one, quote(1000, 1000), quote(2000, 2000))
        for _ in range(2):
            self.assertEqual([], gaps(turn(one, 0.0)))
        bring(one, *(quote(number, number) for number in (1000, 1400, 1200, 2000, 1900, 2100)))
        stretch = Gap("prices", START_MS + 1200, START_MS + 1900, None, None, "late")
        self.assertEqual([stretch], gaps(turn(one, 0.0)))
        self.assertEqual([], gaps(turn(one, 0.0)))

    def test_what_was_lost_before_it_showed_that_ids_began_anew(self) -> None:
        """The stretch goes from the last row that was written to the first of the new ids that is kept."""
        one = quotes()
        bring(one, quote(1000, 0))
        for _ in range(2):
            turn(one)
        bring(one, quote(1, 500))
        self.assertEqual([], gaps(turn(one)), "too soon to tell; this row is lost")
        bring(one, *(quote(number, START_OVER_MS + number) for number in (2, 3, 4)))
        stretch = Gap("prices", START_MS, START_MS + START_OVER_MS + 2, None, None, "new-ids")
        self.assertEqual([stretch], gaps(turn(one)))


if __name__ == "__main__":
    unittest.main()
