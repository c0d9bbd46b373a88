"""Events without ids are written once, in the order of their times, and what came too late is told."""

import unittest
from collections.abc import Sequence

from aster_collect.exchange.events import Gap
from aster_collect.exchange.streams import mark
from aster_collect.exchange.streams.kind import KNOWN_ROWS
from aster_collect.exchange.streams.mark import Mark
from aster_collect.order.effects import Effect, Missing, Rows
from aster_collect.order.lane import Left
from aster_collect.order.plain import REMEMBERED_MS, Plain
from aster_collect.order.written import BEHIND_MS

START_MS = 1_764_000_000_000
HOUR_MS = 3_600_000


def price(after_ms: int, text: str = "1.5") -> Mark:
    return Mark(0, START_MS + after_ms, text, "", "", "", "", received_ns=after_ms)


def times(effects: Sequence[Effect]) -> list[int]:
    """Return when what is to be written was made, after the start."""
    return [event[1] - START_MS for effect in effects if isinstance(effect, Rows) for event in effect.events]


def gaps(effects: Sequence[Effect]) -> list[Gap]:
    return [effect.gap for effect in effects if isinstance(effect, Missing)]


class Case(unittest.TestCase):
    def lane(self, *last: Mark) -> Plain:
        return Plain(mark.KIND, "BTCUSDT", Left(last))

    def bring(self, lane: Plain, *after_ms: int, now_s: float | None = None) -> list[Effect]:
        """Bring events, and let a turn pass at their end."""
        for one in after_ms:
            lane.add(price(one))
        return lane.turn(now_s, START_MS + max(after_ms, default=0))


class OneConnection(Case):
    def test_events_out_of_order_within_a_turn(self) -> None:
        """They are written in the order of their times, a turn later."""
        lane = self.lane()
        self.assertEqual(self.bring(lane, 2000, 1000), [])
        self.assertEqual(times(self.bring(lane)), [1000, 2000])
        self.assertEqual((lane.frames, lane.rows, lane.last_ms), (2, 2, START_MS + 2000))

    def test_a_reconnect_that_leads_to_a_server_that_is_behind(self) -> None:
        """What it brings again is not written again, though it comes turns later."""
        lane = self.lane()
        self.bring(lane, 1000, 2000, 3000)
        written = times(self.bring(lane))
        written += times(self.bring(lane, 2000, 3000, 4000))
        written += times(self.bring(lane))
        self.assertEqual(written, [1000, 2000, 3000, 4000])
        self.assertEqual(lane.duplicates, 2)

    def test_what_is_remembered_is_bounded(self) -> None:
        """Of longer ago than any server is behind, nothing is."""
        lane = self.lane()
        for after_ms in range(0, 10 * REMEMBERED_MS, 1000):
            self.bring(lane, after_ms)
        self.assertLessEqual(lane.remembered, REMEMBERED_MS / 1000 + 1)

    def test_times_that_change_places_between_two_turns(self) -> None:
        """Less than a second is what the exchange's servers differ by: the later one waits yet, and comes behind."""
        lane = self.lane()
        self.bring(lane, 1000, 3000)
        self.assertEqual(times(self.bring(lane, 2200, 3500)), [1000, 2200, 3000])
        self.assertEqual(times(self.bring(lane)), [3500])

    def test_the_exchange_sets_its_clock_back(self) -> None:
        """What follows is written, and the ledger says where times step back."""
        lane = self.lane()
        self.bring(lane, 100_000)
        self.bring(lane, 70_000)
        self.assertEqual(
            gaps(self.bring(lane)), [Gap("mark", START_MS + 70_000, START_MS + 100_000, None, None, "clock")]
        )
        self.assertEqual(lane.rows, 2)

    def test_the_clock_is_set_ahead_and_a_reconnect_leads_to_a_server_that_is_behind(self) -> None:
        """What it brings again is not written again: an hour by a clock that was set is not long ago."""
        lane = self.lane()
        written = [one for after_ms in (1000, 2000, HOUR_MS, 2000) for one in times(self.bring(lane, after_ms))]
        self.assertEqual(written + times(self.bring(lane)), [1000, 2000, HOUR_MS])

    def test_a_reconnect_that_brings_what_is_older_than_the_newest_row(self) -> None:
        """All of it is written once, in its own order, a turn after the other."""
        lane = self.lane()
        brought = [34_000, 35_000, 32_000, 33_000, 33_500, 36_000]
        written = [one for after_ms in brought for one in times(self.bring(lane, after_ms))]
        self.assertEqual(written + times(self.bring(lane)), brought)


class SeveralConnections(Case):
    def test_both_bring_the_same(self) -> None:
        """Each event is written once, whichever came first and whatever time lies between."""
        lane = self.lane()
        written = []
        for turn in range(8):
            brought = range(turn * 1000, turn * 1000 + 2000, 1000)
            written += times(self.bring(lane, *brought, now_s=2.0 * turn))
        self.assertEqual(written, list(range(0, 8000, 1000)))
        self.assertEqual(lane.duplicates, 7)

    def test_the_slower_one_brings_what_the_faster_lacks(self) -> None:
        """It finds its place among what is at rest; behind what is written it is late, and a row of the ledger."""
        lane = self.lane()
        self.bring(lane, 3000, now_s=0)
        self.assertEqual(times(self.bring(lane, 2000, now_s=2)), [2000, 3000])
        self.bring(lane, 5000, now_s=4)
        told = self.bring(lane, 1000, now_s=6)
        self.assertEqual(gaps(told), [Gap("mark", START_MS + 1000, START_MS + 1000, None, None, "late")])
        self.assertEqual(times(told), [5000])


class Restarts(Case):
    def test_a_restart_that_leads_to_a_server_that_is_behind(self) -> None:
        """What is in the file is not written again, but another event of its last millisecond is."""
        lane = self.lane(price(4000), price(5000))
        for one in (price(4000), price(5000), price(5000, "1.6"), price(6000)):
            lane.add(one)
        lane.turn(None, START_MS)
        self.assertEqual(times(self.bring(lane)), [5000, 6000])
        self.assertEqual(lane.duplicates, 2)

    def test_a_restart_that_leads_to_a_server_that_is_behind_where_the_last_row_is_not_the_newest(self) -> None:
        """None of what the file has at its end is written again."""
        lane = self.lane(price(8000), price(9000), price(2000))
        self.assertEqual(self.bring(lane, 2000, 8000, 9000, 10_000), [])
        self.assertEqual(times(self.bring(lane)), [10_000])

    def test_the_clock_is_set_back_soon_after_a_restart(self) -> None:
        """What follows is written though it bears times of before the restart: the file does not say the same."""
        lane = self.lane(*(price(after_ms) for after_ms in range(1000, 51_000, 1000)))
        written = times(self.bring(lane, 60_000))
        told = []
        for after_ms in range(30_500, 54_000, 1000):
            effects = self.bring(lane, after_ms)
            written += times(effects)
            told += gaps(effects)
        self.assertEqual(written, [60_000, *range(30_500, 53_000, 1000)])
        self.assertEqual(told, [Gap("mark", START_MS + 30_500, START_MS + 60_000, None, None, "clock")])

    def test_a_restart_that_brings_what_is_older_than_all_that_is_known_of_a_long_file(self) -> None:
        """It may be in the file or not: it is not written, and a row of the ledger; in a short file it is not."""
        for count, written in ((KNOWN_ROWS, []), (KNOWN_ROWS - 1, [500])):
            with self.subTest(count=count):
                lane = self.lane(*(price(after_ms) for after_ms in range(1000, 1000 + 10 * count, 10)))
                told = self.bring(lane, 500)
                self.assertEqual(times(self.bring(lane)), written)
                late = [Gap("mark", START_MS + 500, START_MS + 500, None, None, "late")]
                self.assertEqual(gaps(told), [] if written else late)

    def test_a_restart_after_the_clock_was_set_back_by_hours(self) -> None:
        """No server is behind by so much: what comes is new."""
        lane = self.lane(price(5000 + 2 * BEHIND_MS))
        self.bring(lane, 4000)
        self.assertEqual(times(self.bring(lane)), [4000])


if __name__ == "__main__":
    unittest.main()
