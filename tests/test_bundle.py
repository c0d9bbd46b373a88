"""What was not carried is told, though sending times jump and lag, and connections hand over."""

import unittest

from aster_collect.bundle import LAG_MS, Bundle
from aster_collect.coverage import Outage

START_MS = 1_764_000_000_000
DAY_MS = 86_400_000


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.bundle = Bundle(("BTCUSDT",))

    def frame(self, connection: int, after_ms: int, ahead_ms: int = 0, first_ms: int | None = None) -> Outage | None:
        """Bring a batch so long after the start, its sending time ahead; return the outage from the start on."""
        sent_ms = START_MS + after_ms + ahead_ms
        begun_ms = sent_ms if first_ms is None else START_MS + first_ms
        return self.bundle.frames(connection, begun_ms, sent_ms, START_MS + after_ms)

    def outage(self, from_ms: int, to_ms: int) -> Outage:
        return Outage(START_MS + from_ms, START_MS + to_ms)


class SendingTimes(Case):
    def test_one_sending_time_a_day_ahead(self) -> None:
        """An absurd sending time does not hide the outages after it."""
        self.assertIsNone(self.frame(1, 0))
        self.assertIsNone(self.frame(1, 100, DAY_MS))
        self.assertIsNone(self.frame(1, 200))
        self.bundle.lost(1, False)
        self.assertEqual(self.frame(1, 9000), self.outage(200, 9000))

    def test_two_absurd_sending_times_that_do_not_agree(self) -> None:
        """A second absurd sending time proves nothing where it is another one."""
        for after_ms, ahead_ms in ((0, 0), (100, DAY_MS), (200, 3 * DAY_MS), (300, 0)):
            self.assertIsNone(self.frame(1, after_ms, ahead_ms))
        self.bundle.lost(1, False)
        self.assertEqual(self.frame(1, 9000), self.outage(300, 9000))

    def test_the_exchange_sets_its_clock_ahead(self) -> None:
        """A jump that a second sending time agrees with is believed, and what follows is told in the new time."""
        self.assertIsNone(self.frame(1, 0))
        self.assertIsNone(self.frame(1, 100, DAY_MS))
        self.assertIsNone(self.frame(1, 200, DAY_MS))
        self.bundle.lost(1, False)
        self.assertEqual(self.frame(1, 9000, DAY_MS), self.outage(DAY_MS + 200, DAY_MS + 9000))

    def test_a_long_silence_is_no_jump(self) -> None:
        """A sending time that is as far ahead as the time that has passed is believed at once."""
        self.frame(1, 0)
        self.bundle.lost(1, False)
        self.assertEqual(self.frame(1, DAY_MS), self.outage(0, DAY_MS))

    def test_an_outage_while_the_exchange_lags(self) -> None:
        """An outage is told in the rows' time where the exchange sends 3 seconds late, and as it is where hardly."""
        for lag_ms, shift_ms in ((3000, 3000), (LAG_MS, LAG_MS), (LAG_MS - 1, 0), (0, 0), (-3000, 0)):
            with self.subTest(lag_ms=lag_ms):
                self.bundle = Bundle(("BTCUSDT",))
                self.frame(1, 0)
                self.bundle.lags(lag_ms)
                self.bundle.lost(1, False)
                self.assertEqual(self.frame(1, 9000), self.outage(-shift_ms, 9000 - shift_ms))

    def test_an_outage_that_shows_when_a_connection_ends_while_the_exchange_lags(self) -> None:
        """What is certain only with the end of a connection is told in the rows' time too."""
        self.frame(1, 0)
        self.bundle.lost(1, False)
        self.frame(1, 9000)
        self.frame(2, 15_000)
        self.bundle.lags(3000)
        self.assertEqual(self.bundle.lost(1, False), self.outage(6000, 12_000))


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

    def test_a_successor_that_begins_in_time(self) -> None:
        """A successor whose first frame is older than the last of its predecessor leaves nothing out."""
        self.frame(1, 0)
        self.frame(1, 5000)
        self.assertIsNone(self.bundle.lost(1, True))
        self.assertIsNone(self.frame(2, 7000, first_ms=4900))

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


if __name__ == "__main__":
    unittest.main()
