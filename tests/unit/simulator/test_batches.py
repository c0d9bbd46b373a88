"""Depth events of any speed cut the same changes, each where one in real time ends."""

import unittest
from itertools import pairwise

from aster_collect.simulator.batches import BATCH_DELAY_US, Batches
from tests.unit.simulator.lines import NOW_US, line, quotes

SPEEDS = (0, 1)
CUTS_US = (0, 30_000)


class Cutting(unittest.TestCase):
    def setUp(self) -> None:
        self.quotes = quotes(80.0)
        self.batches = Batches([line(10.0, "depth 100"), line(2.0, "depth 500")], self.quotes, 3)

    def test_changes_between_two_events(self) -> None:
        """Each event begins where the one before it ended, and is sent in time: not before its last change."""
        for speed in SPEEDS:
            for cut_us in CUTS_US:
                first = self.batches.first_after(speed, NOW_US, cut_us)
                events = [self.batches.batch(speed, number, cut_us) for number in range(first, first + 100)]
                for before, event in pairwise(events):
                    self.assertEqual(event.before, before.last)
                    self.assertLess(event.before.number, event.last.number)
                    self.assertLess(before.sent_us, event.sent_us)
                    self.assertTrue(0 <= event.sent_us - event.last.time_us <= BATCH_DELAY_US)

    def test_one_book_from_events_of_two_speeds(self) -> None:
        """Where those of a speed end, one in real time ends too, wherever they are cut."""
        for cut_us in CUTS_US:
            start = self.batches.first_real_time_after(NOW_US)
            ends = {self.batches.real_time(number, cut_us).last.number for number in range(start - 99, start + 2000)}
            for speed in SPEEDS:
                first = self.batches.first_after(speed, NOW_US, cut_us)
                found = {self.batches.batch(speed, number, cut_us).last.number for number in range(first, first + 20)}
                self.assertLessEqual(found, ends)

    def test_events_in_real_time(self) -> None:
        """Each tells of three quotes, and goes out with the last; cut later, they end elsewhere."""
        number = self.batches.first_real_time_after(NOW_US)
        event = self.batches.real_time(number, 0)
        self.assertEqual(event.last.number - event.before.number, 3)
        self.assertEqual(event.sent_us, event.last.time_us)
        self.assertEqual(self.batches.real_time_sent_us(number, 0), event.sent_us)
        self.assertNotEqual(self.batches.real_time(number, self.quotes.line.spacing_us).last, event.last)


if __name__ == "__main__":
    unittest.main()
