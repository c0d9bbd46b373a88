"""What was not carried is told, and where it lay, though clocks are set, frames lag and connections hand over."""

import random
import unittest
from itertools import pairwise
from typing import NamedTuple

from aster_collect.order.bundle import (
    LONGEST_OPEN_S,
    MARGIN_MS,
    PAUSE_LIMIT_MS,
    Bundle,
    Stretch,
    pause,
)
from aster_collect.order.clock import BEHIND_MS
from tests.support import rounds

START_MS = 1_764_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
YEAR_2286_MS = 9_999_999_999_999
SKEW_MS = 3000
EDGE_MS = 1000  # what verify leaves out at both ends of a stretch


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.bundle = Bundle(("BTCUSDT",))

    def frame(
        self, connection: int, after_ms: int, ahead_ms: int = 0, first_ms: int | None = None, lag_ms: int | None = 0
    ) -> Stretch | None:
        """Bring a batch so long after the start, its sending time ahead; return the outage that it ends."""
        sent_ms = START_MS + after_ms + ahead_ms
        begun_ms = sent_ms if first_ms is None else START_MS + first_ms
        return self.bundle.frames(connection, begun_ms, sent_ms, after_ms / 1000, START_MS + after_ms, lag_ms)

    def outage(self, last_ms: int, first_ms: int, cause: str = "reconnect", lag_ms: int = 0) -> Stretch:
        """Return the stretch that is told of an outage, from the start on."""
        from_ms = START_MS + last_ms - MARGIN_MS
        return Stretch(from_ms, START_MS + first_ms + MARGIN_MS, cause, lag_ms, lag_ms)


class SetClocks(Case):
    def test_one_sending_time_a_day_ahead(self) -> None:
        """An absurd sending time does not hide the outages after it, nor does it get into the ledger."""
        for ahead_ms in (DAY_MS, YEAR_2286_MS - START_MS):
            self.bundle = Bundle(("BTCUSDT",))
            self.assertIsNone(self.frame(1, 0))
            self.assertIsNone(self.frame(1, 100, ahead_ms))
            self.bundle.lost(1, False)
            self.assertEqual(self.frame(1, 9000), self.outage(100, 9000))

    def test_the_very_first_sending_time_is_far_ahead(self) -> None:
        """The outage after it is told."""
        self.assertIsNone(self.frame(1, 0, YEAR_2286_MS - START_MS))
        self.assertIsNone(self.bundle.begun_ms)
        self.assertIsNone(self.frame(1, 100))
        self.assertEqual(self.bundle.begun_ms, START_MS + 100)
        self.bundle.lost(1, False)
        self.assertEqual(self.frame(1, 9000), self.outage(100, 9000))

    def test_the_exchange_sets_its_clock(self) -> None:
        """Outages after it are told in the new time, and there is none where it is set."""
        for step_ms in (-DAY_MS, -HOUR_MS, -30_000, 30_000, DAY_MS):
            with self.subTest(step_ms=step_ms):
                self.bundle = Bundle(("BTCUSDT",))
                self.assertIsNone(self.frame(1, 0))
                for after_ms in (100, 200, 300):
                    self.assertIsNone(self.frame(1, after_ms, step_ms))
                self.bundle.lost(1, False)
                self.assertEqual(self.frame(1, 9000, step_ms), self.outage(step_ms + 300, step_ms + 9000))

    def test_the_exchange_sets_its_clock_during_an_outage(self) -> None:
        """The row of the ledger is right whether it was set at the outage's beginning or at its end."""
        for step_ms in (-HOUR_MS, -30_000, -3000, 3000, 30_000, HOUR_MS):
            with self.subTest(step_ms=step_ms):
                self.bundle = Bundle(("BTCUSDT",))
                self.frame(1, 0)
                self.bundle.lost(1, False)
                told = self.frame(1, 9000, step_ms) or self.frame(1, 9000, step_ms)
                elapsed_ms = max(9000, 9000 + step_ms) if abs(step_ms) <= 5000 else 9000
                begin_ms = min(0, 9000 + step_ms - elapsed_ms)
                end_ms = max(9000 + step_ms, 9000 - MARGIN_MS)
                if step_ms == 3000:
                    self.assertEqual(told, self.outage(begin_ms, end_ms))
                else:
                    self.assertEqual(told, self.outage(begin_ms - BEHIND_MS, end_ms + BEHIND_MS, "clock"))

    def test_the_exchange_sets_its_clock_and_the_server_of_before_was_behind(self) -> None:
        """The row takes in what was made since, though no clock here tells by how much that server was behind."""
        for behind_ms in (2500, 9000):
            with self.subTest(behind_ms=behind_ms):
                self.bundle = Bundle(("BTCUSDT",))
                for after_ms in (0, 100):
                    self.frame(1, after_ms, -behind_ms)
                self.bundle.lost(1, False)
                told = self.frame(1, 300, -30_000) or self.frame(1, 400, -30_000)
                assert told is not None
                self.assertLessEqual(told.from_ms, START_MS - 30_000 - behind_ms)
                self.assertGreaterEqual(told.to_ms, START_MS + 300)

    def test_a_long_silence_is_no_jump(self) -> None:
        """A sending time that is as far ahead as the time that has passed is believed at once."""
        self.frame(1, 0)
        self.bundle.lost(1, False)
        self.assertEqual(self.frame(1, DAY_MS), self.outage(0, DAY_MS))


class Lags(Case):
    def test_an_outage_while_the_exchange_lags(self) -> None:
        """An outage is told in the rows' time where the exchange sends 3 seconds late, and as it is where hardly."""
        for lag_ms, shift_ms in ((3000, 3000), (MARGIN_MS, MARGIN_MS), (MARGIN_MS - 1, 0), (0, 0), (-3000, 0)):
            with self.subTest(lag_ms=lag_ms):
                self.bundle = Bundle(("BTCUSDT",))
                self.frame(1, 0, lag_ms=lag_ms)
                self.bundle.lost(1, False)
                self.assertEqual(self.frame(1, 9000, lag_ms=lag_ms), self.outage(0, 9000, lag_ms=shift_ms))

    def test_the_exchange_stops_lagging_in_an_outage(self) -> None:
        """The end of the outage is told by what the first batch after it says, or as unsure where it says nothing."""
        told = self.outage(0, 9000)
        for lag_ms, cause in ((0, "reconnect"), (None, "clock")):
            with self.subTest(lag_ms=lag_ms):
                self.bundle = Bundle(("BTCUSDT",))
                self.frame(1, 0, lag_ms=3000)
                self.bundle.lost(1, False)
                self.assertEqual(self.frame(1, 9000, lag_ms=lag_ms), told._replace(from_lag_ms=3000, cause=cause))

    def test_the_exchange_lags_behind_an_outage_but_not_before(self) -> None:
        """It may have begun before, when what was made last was not sent yet: the stretch begins as much earlier."""
        self.frame(1, 0, lag_ms=0)
        self.bundle.lost(1, False)
        told = self.outage(0, 9000, "clock", lag_ms=3000)
        self.assertEqual(self.frame(1, 9000, lag_ms=3000), told)

    def test_the_first_frames_of_another_connection_are_not_believed(self) -> None:
        """What they say of the lag is not that of before the outage."""
        self.frame(1, 0, lag_ms=3000)
        self.bundle.lost(1, False)
        self.assertIsNone(self.frame(1, 9000, -6000, lag_ms=0))
        told = self.frame(1, 9100, -6000, lag_ms=0)
        assert told is not None
        self.assertEqual((told.from_lag_ms, told.to_lag_ms), (3000, 0))

    def test_a_quiet_symbol_while_the_exchange_lags(self) -> None:
        """What other connections say of the lag is taken too: its own frames may say nothing, or say it of long ago."""
        for own_ms in (None, 0):
            with self.subTest(own_ms=own_ms):
                self.bundle = Bundle(("BTCUSDT",))
                self.frame(1, 0, lag_ms=own_ms)
                self.bundle.suppose(3000)
                self.frame(1, 1000, lag_ms=None)
                self.bundle.lost(1, False)
                told = self.frame(1, 9000, lag_ms=0)
                self.assertEqual(told, self.outage(1000, 9000)._replace(from_lag_ms=3000))

    def test_other_connections_say_that_the_exchange_lags_and_the_first_frame_behind_does_not_say(self) -> None:
        """It may have begun before the outage, or be over behind it."""
        self.frame(1, 0)
        self.bundle.lost(1, False)
        self.bundle.suppose(3000)
        told = self.frame(1, 9000, lag_ms=None)
        self.assertEqual(told, self.outage(0, 9000, "clock")._replace(from_lag_ms=3000))

    def test_an_outage_that_shows_when_a_connection_ends_while_the_exchange_lags(self) -> None:
        """What is certain only with the end of a connection is told in the rows' time too: that of before, and behind.

        What came since, without a lag by then, says nothing of that.
        """
        for before_ms, behind_ms, cause in ((3000, 3000, "reconnect"), (0, 3000, "clock"), (3000, 0, "reconnect")):
            with self.subTest(before_ms=before_ms, behind_ms=behind_ms):
                self.bundle = Bundle(("BTCUSDT",))
                self.frame(1, 0)
                self.frame(2, 0)
                self.frame(2, 6000, lag_ms=before_ms)
                self.bundle.lost(2, False)
                self.assertIsNone(self.frame(2, 15_000, lag_ms=behind_ms))
                self.assertIsNone(self.frame(2, 16_000, lag_ms=0))
                told = self.outage(6000, 15_000, cause)._replace(from_lag_ms=3000, to_lag_ms=behind_ms)
                self.assertEqual(self.bundle.lost(1, False), told)

    def test_the_end_of_the_run_while_a_connection_stalls(self) -> None:
        """What the stalled one has not brought by then is told."""
        self.frame(1, 0)
        self.frame(2, 0)
        self.bundle.lost(2, False)
        self.assertIsNone(self.frame(2, 9000))
        self.assertEqual(self.bundle.close(), [self.outage(0, 9000)])

    def test_what_a_stalled_connection_may_fill_is_waited_for(self) -> None:
        """Until it has filled it, or is lost, or too long a time has passed in which the other is lost again."""
        self.frame(1, 0)
        self.frame(2, 0)
        self.assertFalse(self.bundle.waits(0.0))
        self.bundle.lost(2, False)
        self.frame(2, 9000)
        self.assertTrue(self.bundle.waits(9.0))
        self.frame(1, 9000)
        self.assertFalse(self.bundle.waits(9.0), "it is filled")
        self.bundle.lost(2, False)
        self.frame(2, 15_000)
        self.assertTrue(self.bundle.waits(15.0))
        self.assertTrue(self.bundle.waits(14.9 + LONGEST_OPEN_S))
        self.assertFalse(self.bundle.waits(15.0 + LONGEST_OPEN_S))
        self.bundle.lost(1, False)
        self.assertFalse(self.bundle.waits(16.0 + LONGEST_OPEN_S))


class Pauses(unittest.TestCase):
    def stretch(self, last_ms: int, paused_ms: int) -> tuple[int, int]:
        """Return what is told where the first frame is sent at 0."""
        told = pause(START_MS + last_ms, START_MS, paused_ms)
        self.assertEqual(told.cause, "restart")
        return told.from_ms - START_MS, told.to_ms - START_MS - MARGIN_MS

    def test_a_restart(self) -> None:
        """From the last row to the first frame, whatever less our clock says."""
        for paused_ms in (60_000, 55_000, 0, -DAY_MS):
            self.assertEqual(self.stretch(-60_000, paused_ms), (-60_000, 0))

    def test_the_last_row_is_later_than_the_first_frame(self) -> None:
        """The clock was set back, or the front server is slow: our clock says how long the pause was."""
        self.assertEqual(self.stretch(20_000, 0), (0, 20_000 - MARGIN_MS))
        self.assertEqual(self.stretch(20_000, 8000), (-8000, 28_000 - MARGIN_MS))
        self.assertEqual(self.stretch(HOUR_MS, 8000)[1], HOUR_MS + 8000 - MARGIN_MS)

    def test_our_clock_can_not_be_right(self) -> None:
        """It is left out of it."""
        self.assertEqual(self.stretch(-60_000, 400 * DAY_MS), (-60_000, 0))
        self.assertEqual(self.stretch(20_000, 400 * DAY_MS), (0, 20_000 - MARGIN_MS))

    def test_a_last_row_of_the_year_2286(self) -> None:
        """Our clock alone says how long the pause was."""
        self.assertEqual(self.stretch(YEAR_2286_MS - START_MS, 8000), (-8000, 0))
        self.assertEqual(self.stretch(PAUSE_LIMIT_MS + 1, -8000), (0, 0))


class Connections(Case):
    def test_a_first_batch_of_several_seconds(self) -> None:
        """A connection covers the time from the first frame of its first batch, not from the newest."""
        self.assertIsNone(self.frame(1, 3000, first_ms=0))
        self.bundle.lost(1, False)
        self.assertTrue(self.bundle.is_new(1))
        self.assertEqual(self.frame(1, 9000, first_ms=5000), self.outage(3000, 5000))
        self.assertFalse(self.bundle.is_new(1))

    def test_a_connection_that_is_lost_after_its_first_batch(self) -> None:
        """A first batch that ends an outage covers the time up to its newest frame, though no second one follows."""
        self.frame(1, 0)
        self.bundle.lost(1, False)
        self.assertEqual(self.frame(1, 9000, first_ms=5000), self.outage(0, 5000))
        self.bundle.lost(1, False)
        self.assertEqual(self.frame(1, 12_000), self.outage(9000, 12_000))

    def test_a_connection_that_begins_with_frames_of_before_the_outage(self) -> None:
        """It was not there: that its frames are old, or its clock behind, does not make the outage none."""
        self.frame(1, 0)
        self.frame(1, 50_000)
        self.bundle.lost(1, False)
        told = self.frame(1, 52_000, -3000)
        assert told is not None
        self.assertEqual("clock", told.cause)
        self.assertTrue(told.from_ms <= START_MS + 49_000 and told.to_ms >= START_MS + 52_000, told)

    def test_a_connection_that_brings_only_old_frames(self) -> None:
        """It does not cover what the other one, lost and back, did not bring."""
        self.frame(1, 0)
        self.frame(2, 0)
        for after_ms in range(1000, 100_000, 1000):
            self.frame(1, after_ms)
            self.frame(2, after_ms, -after_ms * 3 // 4)
        self.bundle.lost(1, False)
        self.frame(2, 104_000, -104_000 * 3 // 4)
        self.assertEqual(self.frame(1, 105_000), self.outage(99_000, 105_000))

    def test_a_successor_that_begins_in_time(self) -> None:
        """A successor that is there before the last frame of its predecessor leaves nothing out."""
        self.frame(1, 0)
        self.assertIsNone(self.frame(2, 4900))
        self.frame(1, 5000)
        self.assertIsNone(self.bundle.lost(1, True))
        self.assertIsNone(self.frame(2, 7000))

    def test_a_hand_over_is_redundant_until_it_is_over(self) -> None:
        """More than one connection carries the streams from the wish for a successor to the predecessor's end."""
        self.assertFalse(self.bundle.redundant)
        self.bundle.wanted(1)
        self.assertFalse(self.bundle.redundant)
        self.bundle.wanted(2)
        self.assertTrue(self.bundle.redundant)
        self.bundle.lost(1, True)
        self.assertFalse(self.bundle.redundant)

    def test_a_connection_that_is_lost_but_not_for_good(self) -> None:
        """A connection that will be made again still counts: what it brings then can be late or double."""
        self.bundle.wanted(1)
        self.bundle.wanted(2)
        for _ in range(2):
            self.bundle.lost(2, False)
            self.assertTrue(self.bundle.redundant)
        self.bundle.lost(2, True)
        self.assertFalse(self.bundle.redundant)


class Event(NamedTuple):
    """An event by true time: when it was made and sent, and what the exchange's clock said when it was made."""

    made: int
    sent: int
    made_ms: int


class Exchange:
    """A day of trouble by true time: the clock is set, front servers are behind, connections stall and are lost.

    The clock is set once an outage at most: an hour back and ahead again while nobody listens leaves no trace.
    """

    def __init__(self, chance: random.Random, connections: int) -> None:
        self.chance = chance
        self.length = chance.randrange(60_000, 200_000)
        places = sorted(chance.sample(range(5000, self.length, 50_000), chance.choice((0, 0, 1, 1, 2))))
        steps = (-HOUR_MS, -30_000, -8000, -1500, 1500, 8000, 30_000, HOUR_MS)
        self.steps = [(place, chance.choice(steps)) for place in places]
        self.events: list[Event] = []
        made = 0
        while made < self.length:
            made += chance.randrange(5, 250)
            self.events.append(Event(made, made + chance.randrange(0, 300), self.says(made)))
        self.actions: list[tuple[int, int, str, list[Event]]] = []  # when, which connection, what, and what it brings
        self.skews: dict[tuple[int, int], int] = {}
        for connection in range(1, connections + 1):
            self.live(connection)
        self.actions.sort(key=lambda action: action[0])

    def says(self, now: int) -> int:
        """Return what the exchange's clock says."""
        return START_MS + now + sum(step for place, step in self.steps if place <= now)

    def live(self, connection: int) -> None:
        """Let a connection live and be lost, again and again; the last time it lives to the end."""
        chance, now = self.chance, self.chance.randrange(1, 2000)
        while now < self.length + 5000:
            end = min(now + chance.randrange(3000, 90_000), self.length + 5000)
            if end > self.length - 8000:
                end = self.length + 5000
            self.actions.append((now, connection, "opened", []))
            delay, stall_from = chance.randrange(1, 150), chance.randrange(now, now + 60_000)
            stall_to = stall_from + chance.choice((0, 0, 700, 4000))
            reads: dict[int, list[Event]] = {}
            for event in sorted(self.events, key=lambda event: event.sent):
                received = event.sent + delay + chance.randrange(3)
                if stall_from <= received < stall_to:
                    received = stall_to
                if event.sent >= now and received < end:
                    reads.setdefault(received // 20 * 20 + 20, []).append(event)
            self.skews[connection, now] = skew = chance.choice((0, 0, 0, SKEW_MS))
            self.actions += [(read, connection, f"read {skew}", events) for read, events in reads.items() if read < end]
            self.actions.append((end, connection, "lost", []))
            now = end + chance.choice((1, 300, 2000, 15_000, 40_000))


class AnyDay(unittest.TestCase):
    def test_whatever_was_missed_is_in_the_ledger(self) -> None:
        """Set clocks, slow front servers, stalls and outages: each event that no connection brought is in a row."""
        for seed, chance in rounds(300):
            with self.subTest(seed=seed):
                self.play(chance, chance.choice((1, 1, 2, 3)))

    def play(self, chance: random.Random, connections: int) -> None:
        exchange = Exchange(chance, connections)
        bundle, told = Bundle(()), []
        got: set[Event] = set()
        reads: list[int] = []  # the newest that each brought
        for now, connection, what, events in exchange.actions:
            if what == "opened":
                bundle.opened(connection, now / 1000)
            elif what == "lost":
                told.append(bundle.lost(connection, False))
            else:
                skew = int(what.split()[1])
                sent = [max(exchange.says(event.sent) - skew, event.made_ms) for event in events]
                told.append(bundle.frames(connection, sent[0], max(sent), now / 1000, START_MS + now))
                got |= set(events)
                reads.append(max(event.sent for event in events))
        stretches = [stretch for stretch in [*told, *bundle.close()] if stretch is not None]
        if len(reads) < 2:
            return
        first, last = min(event.sent for event in got), max(reads[:-1])  # nothing can confirm the last one's time
        for event in exchange.events:
            torn = any(event.made < place <= event.sent for place, _ in exchange.steps)  # made and sent by two clocks
            if event not in got and not torn and first < event.sent < last:
                inside = any(from_ms <= event.made_ms <= to_ms for from_ms, to_ms, *_ in stretches)
                self.assertTrue(inside, (event, exchange.steps, stretches))
        for from_ms, to_ms, cause, *_ in stretches:
            self.assertLess(from_ms, to_ms)
            rows = [e for e in got if cause == "reconnect" and from_ms + EDGE_MS < e.made_ms < to_ms - EDGE_MS]
            steps = sum(abs(step) for _, step in exchange.steps)
            self.assertLess(len(rows) if not steps else 0, 2, (rows[:3], stretches))
            silence = max(later - made for made, later in pairwise(sorted(event.made for event in got)))
            wide = silence + 2 * steps + 2 * SKEW_MS + 2 * EDGE_MS + 2 * BEHIND_MS * (cause == "clock")
            self.assertLess(to_ms - from_ms, wide, (stretches, exchange.steps))


if __name__ == "__main__":
    unittest.main()
