"""What comes is counted and taken once, by whoever holds the way in."""

import unittest

from aster_collect.exchange.streams.depth import Diff
from aster_collect.order.arrivals import Arrivals


def event(number: int) -> Diff:
    return Diff(number, 0, number - 1, "", "", None)


class Events(unittest.TestCase):
    def test_a_way_in_that_is_held_over_many_turns(self) -> None:
        """It goes on bringing what comes, each to the next turn alone; all of it counts, and the last is the newest."""
        arrivals = Arrivals()
        add = arrivals.add
        self.assertEqual((arrivals.take(), arrivals.frames, arrivals.newest()), ([], 0, None))
        add(event(1))
        add(event(2))
        self.assertEqual((arrivals.frames, arrivals.newest()), (2, event(2)))
        self.assertEqual(arrivals.take(), [event(1), event(2)])
        self.assertEqual((arrivals.take(), arrivals.frames, arrivals.newest()), ([], 2, event(2)))
        add(event(3))
        self.assertEqual((arrivals.take(), arrivals.frames, arrivals.newest()), ([event(3)], 3, event(3)))


if __name__ == "__main__":
    unittest.main()
