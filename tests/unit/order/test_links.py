"""A place keeps its number, its counts and its state over every hand-over of its connections."""

import unittest

from aster_collect.order.links import Links
from aster_collect.order.standing import ConnectionState
from aster_collect.watch.metrics import metrics_text
from tests.unit.watch.snapshots import snapshot


class Places(unittest.TestCase):
    def setUp(self) -> None:
        self.links = Links()
        for number, place in ((1, 1), (2, 2)):
            self.links.wanted(number, place)
            self.links.opened(number, 10 * number)
            self.links.delivered(number, 100 * number, 5)

    def test_a_hand_over_each_day(self) -> None:
        """A successor goes on under the number of the one that it relieves, with its counts and its newest frame."""
        self.links.lost(1)
        self.links.opened(1, 150)
        self.links.wanted(3, 1)
        self.assertEqual(self.links.states()[0], ConnectionState(1, "open", 150, 100, 5, 1))
        self.links.opened(3, 300)
        self.links.delivered(3, 320, 1)
        self.links.delivered(1, 330, 2)
        self.assertEqual(self.links.states()[0], ConnectionState(1, "open", 300, 330, 8, 1))
        self.links.ended(1)
        self.links.delivered(3, 340, 1)
        self.assertEqual(self.links.states(), [ConnectionState(1, "open", 300, 340, 9, 1),
                                               ConnectionState(2, "open", 20, 200, 5, 0)])  # fmt: skip
        text = metrics_text(snapshot(connections=self.links.states()))
        self.assertEqual(text.count('connection_up{connection="1"} 1\n'), 1)
        self.assertNotIn('connection="3"', text)

    def test_the_predecessor_is_lost_during_the_hand_over(self) -> None:
        """A place stands as the better one of its connections: open, being opened, or lost."""
        self.links.wanted(3, 1)
        self.links.lost(1)
        self.assertEqual(self.links.states()[0].state, "connecting")
        self.links.lost(3)
        self.assertEqual(self.links.states()[0].state, "lost")
        self.links.opened(3, 400)
        self.assertEqual(self.links.states()[0], ConnectionState(1, "open", 400, 100, 5, 2))

    def test_a_place_that_is_given_up(self) -> None:
        """Without a connection a place is gone, and what is told of one that is not wanted is passed over."""
        self.links.ended(2)
        for tell in (self.links.lost, self.links.ended):
            tell(2)
        self.links.opened(2, 5)
        self.links.delivered(2, 5, 5)
        self.assertEqual([state.number for state in self.links.states()], [1])
        self.assertEqual([self.links.place(number) for number in (1, 7)], [1, 7])


if __name__ == "__main__":
    unittest.main()
