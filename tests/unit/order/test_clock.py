"""The scale goes on evenly though the exchange's clock is set, is behind on one front server, or says what can't be."""

import unittest

from aster_collect.order.clock import JUMP_MS, ExchangeClock, Moment

START_MS = 1_764_000_000_000
HOUR_MS = 3_600_000
YEAR_2286_MS = 9_999_999_999_999


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = ExchangeClock()

    def bring(self, connection: int, after_ms: int, ahead_ms: int = 0) -> Moment | None:
        """Bring a frame so long after the start, its sending time ahead; return its moment, from the start on."""
        sent_ms = START_MS + after_ms + ahead_ms
        if self.clock.knows(connection):
            moment = self.clock.next(connection, after_ms, sent_ms)
        else:
            both = self.clock.first(connection, after_ms, sent_ms, sent_ms, START_MS + after_ms)
            if both is None:
                return None
            moment = both[1]
        return Moment(moment.at_ms - START_MS, moment.sent_ms - START_MS)

    def now_ms(self, after_ms: int) -> int:
        now_ms = self.clock.now_ms(after_ms)
        assert now_ms is not None
        return now_ms - START_MS


class SetClocks(Case):
    def test_a_clock_that_is_set(self) -> None:
        """By an hour, back or ahead: doubted once, then believed, and the scale goes on by the time that passed."""
        for step_ms in (-HOUR_MS, -30_000, 30_000, HOUR_MS, YEAR_2286_MS - START_MS):
            with self.subTest(step_ms=step_ms):
                self.clock = ExchangeClock()
                self.assertEqual(self.bring(1, 100), Moment(100, 100))
                self.assertEqual(self.bring(1, 200, step_ms), Moment(200, 200))
                self.assertEqual(self.bring(1, 300, step_ms), Moment(300, 300 + step_ms))
                self.assertEqual(self.bring(1, 400, step_ms), Moment(400, 400 + step_ms))
                self.assertEqual(self.now_ms(500), 500 + step_ms)

    def test_one_odd_time(self) -> None:
        """It is never believed, however often it comes among good ones."""
        self.bring(1, 100)
        for number in range(1, 9):
            after_ms = 100 + 200 * number
            self.assertEqual(self.bring(1, after_ms - 100, HOUR_MS), Moment(after_ms - 100, after_ms - 100))
            self.assertEqual(self.bring(1, after_ms), Moment(after_ms, after_ms))

    def test_two_odd_times_that_do_not_agree(self) -> None:
        """A second absurd sending time proves nothing where it is another one."""
        self.bring(1, 100)
        for number in range(1, 9):
            after_ms = 100 + 100 * number
            self.assertEqual(self.bring(1, after_ms, number * HOUR_MS), Moment(after_ms, after_ms))

    def test_the_first_frame_of_all_is_far_ahead(self) -> None:
        """It is held against our wall clock, and no connection begins by it until the next one agrees."""
        self.assertIsNone(self.bring(1, 0, YEAR_2286_MS - START_MS))
        self.assertIsNone(self.clock.now_ms(0))
        self.assertEqual(self.bring(1, 100), Moment(100, 100))
        self.clock = ExchangeClock()
        self.assertIsNone(self.bring(1, 0, HOUR_MS))
        self.assertEqual(self.bring(1, 100, HOUR_MS), Moment(100 + HOUR_MS, 100 + HOUR_MS), "our clock is off")

    def test_the_first_frame_of_a_connection_is_far_ahead(self) -> None:
        """It begins with the next one, and the time that passed here counts, not the hour that the clock was set by."""
        self.bring(1, 100)
        self.clock.ended(1)
        self.assertIsNone(self.bring(1, 5000, HOUR_MS))
        self.assertEqual(self.bring(1, 5100, HOUR_MS), Moment(5100, 5100 + HOUR_MS))

    def test_a_front_server_whose_clock_is_behind(self) -> None:
        """Its only connection is not three seconds late: where no other says so, the time that passed here counts."""
        self.bring(1, 100)
        self.clock.ended(1)
        self.assertEqual(self.bring(1, 5000, -3000), Moment(5000, 2000))
        self.assertEqual(self.bring(1, 5100, -3000), Moment(5100, 2100))


class Lateness(Case):
    def test_frames_that_come_late(self) -> None:
        """What is late is late on the scale, and catches up, on one connection as on a second."""
        for connection in (1, 2):
            self.clock = ExchangeClock()
            self.bring(1, 100)
            self.bring(connection, 200)
            self.assertEqual(self.bring(connection, 9000, -8700), Moment(300, 300))
            self.assertEqual(self.bring(connection, 9100, -1000), Moment(8100, 8100))
            self.assertEqual(self.bring(connection, 9200), Moment(9200, 9200))

    def test_a_new_connection_that_is_late(self) -> None:
        """It covers from when its first frame came, and its frames are as late as the other's say."""
        self.bring(1, 100)
        both = self.clock.first(2, 200, START_MS - 3800, START_MS - 3800, START_MS + 200)
        self.assertEqual(both, (Moment(START_MS + 200, START_MS - 3800), Moment(START_MS - 3800, START_MS - 3800)))

    def test_a_fresher_connection_shows_that_the_first_is_late(self) -> None:
        """The scale follows the freshest frames."""
        self.bring(1, 100, -4000)
        self.bring(2, 200)
        self.assertEqual(self.bring(1, 300, -4000), Moment(-3700, -3700))
        self.assertEqual(self.now_ms(400), 400)

    def test_a_fresher_connection_shows_by_how_much_the_first_is_late(self) -> None:
        """It is ahead of it on the scale by as much as servers can be behind; by more its clock is another."""
        for behind_ms, ahead_ms in ((4000, 4000), (9000, 9000), (11_000, 0)):
            with self.subTest(behind_ms=behind_ms):
                self.clock = ExchangeClock()
                for after_ms in (50, 100):
                    self.bring(1, after_ms, -behind_ms)
                for after_ms in (200, 250):
                    fresh = self.bring(2, after_ms)
                late = self.bring(1, 250, -behind_ms)
                assert fresh is not None and late is not None
                self.assertEqual(fresh.at_ms - late.at_ms, ahead_ms)

    def test_a_first_read_of_several_seconds(self) -> None:
        """A connection covers from the first frame of its first read, but not from before it was open."""
        for opened_ms, begun_ms in ((None, 5000), (0, 5000), (7000, 7000)):
            self.clock = ExchangeClock()
            if opened_ms is not None:
                self.clock.opened(1, opened_ms)
            both = self.clock.first(1, 8000, START_MS + 5000, START_MS + 8000, START_MS + 8000)
            begun = Moment(START_MS + begun_ms, START_MS + begun_ms)
            self.assertEqual(both, (begun, Moment(START_MS + 8000, START_MS + 8000)))

    def test_our_clock_runs_slow(self) -> None:
        """A drift of a second an hour makes no connection late, and no frame doubted."""
        for drift in (-1 / 3600, 1 / 3600):
            self.clock = ExchangeClock()
            for second in range(24 * 3600):
                moment = self.bring(1, second * 1000, round(second * 1000 * drift))
                assert moment is not None
                self.assertEqual(moment.at_ms, moment.sent_ms)
            self.assertLess(abs(self.clock.scale_ms(second * 1000) - START_MS - moment.at_ms), 100)

    def test_a_long_silence(self) -> None:
        """A sending time that is as far ahead as the time that has passed is believed at once."""
        self.bring(1, 0)
        self.assertEqual(self.bring(1, 24 * HOUR_MS), Moment(24 * HOUR_MS, 24 * HOUR_MS))
        self.assertEqual(self.bring(1, 48 * HOUR_MS, JUMP_MS), Moment(48 * HOUR_MS + JUMP_MS, 48 * HOUR_MS + JUMP_MS))


if __name__ == "__main__":
    unittest.main()
