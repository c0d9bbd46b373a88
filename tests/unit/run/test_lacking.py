"""Behind what a record lacks a run goes on as it stood, and what nobody knows of is missing."""

import unittest
from types import SimpleNamespace
from typing import Any

from aster_collect.exchange.events import Gap, Opened, Wanted
from aster_collect.order.entries import Again, Begin, Run, Unrecorded
from aster_collect.run.lacking import Lacking, Stood, destroyed

BEGIN, WANTED = Begin("BTCUSDT", True, {}, {}), Wanted(3, 1, ("BTCUSDT",))
STANDING = (Run("1.2.0", {}, ("BTCUSDT",), 0), BEGIN, WANTED, Opened(3, 1, 1.0))


def lane(kind: str, *, uncovered: bool) -> Any:
    return SimpleNamespace(kind=SimpleNamespace(name=kind, uncovered=uncovered), symbol="BTCUSDT")


class WhatIsSaidAgain(unittest.TestCase):
    def setUp(self) -> None:
        self.lacking = Lacking()

    def say(self) -> None:
        for one in STANDING:
            self.lacking.again(Again(one))

    def test_at_the_beginning_of_an_hour(self) -> None:
        """It is known, where the record lacks nothing before it."""
        self.say()
        self.assertIsNone(self.lacking.stood())

    def test_behind_lines_that_had_no_room(self) -> None:
        """It says how the run stood, once, and is known from then on."""
        self.lacking.lack()
        self.say()
        self.assertEqual(self.lacking.stood(), Stood([BEGIN], [WANTED]))
        self.assertIsNone(self.lacking.stood())
        self.say()
        self.assertIsNone(self.lacking.stood())

    def test_not_yet(self) -> None:
        """What comes before it does not end that the record lacks something."""
        self.lacking.lack()
        self.assertIsNone(self.lacking.stood())
        self.say()
        self.assertEqual(self.lacking.stood(), Stood([BEGIN], [WANTED]))


class WhatIsMissing(unittest.TestCase):
    LANES = (lane("prices", uncovered=True), lane("trades", uncovered=False))

    def test_lines_that_another_program_destroyed(self) -> None:
        """Their time is missing of what nobody can fetch, by clocks that may differ by a second."""
        told = list(destroyed(Unrecorded(7, 10_000_000_000, 12_000_000_000, True), self.LANES))
        self.assertEqual(told, [("BTCUSDT", Gap("prices", 9000, 13_000, None, None, "unrecorded"))])

    def test_lines_that_had_no_room(self) -> None:
        """They are missing where they would be: the connections are told of it."""
        told = list(destroyed(Unrecorded(7, 10_000_000_000, 12_000_000_000, False), self.LANES))
        self.assertEqual(told, [])


if __name__ == "__main__":
    unittest.main()
