"""The time of which a book knows nothing is one row of the ledger, from its earliest beginning to its end."""

import unittest
from typing import Any

from aster_collect.exchange.streams.depth import KIND, SNAPSHOT, Diff
from aster_collect.order.effects import Aside, Effect, Missing
from aster_collect.order.lane import Left
from aster_collect.order.lapse import Lapse

ROW = Diff(10, 5000, 9, "", "", None)


def told(effects: list[Effect]) -> list[Any]:
    """Return the cause and times of rows of the ledger, and why a file is set aside."""
    return [
        (one.gap.cause, one.gap.from_ms, one.gap.to_ms) if isinstance(one, Missing) else one.why
        for one in effects
        if isinstance(one, Missing | Aside)
    ]


class Lapses(unittest.TestCase):
    def begin(self, *left: Diff, anew_ms: int = 0) -> Lapse:
        """Begin behind what a run before has left."""
        return Lapse(KIND, "BTCUSDT", Left(left, anew_ms=anew_ms), 100.0)

    def test_a_first_start(self) -> None:
        """Nothing is missing of a time in which nobody collected."""
        lapse = self.begin()
        lapse.note(1000)
        self.assertEqual((lapse.is_open, told(lapse.end(9000))), (False, []))

    def test_a_restart(self) -> None:
        """It reaches back to the last row, or to the ids that began anew; where a book opens the file a batch more."""
        opening = ROW._replace(previous_id=SNAPSHOT)
        for lapse, from_ms in (
            (self.begin(ROW), 5000),
            (self.begin(opening), 4000),
            (self.begin(anew_ms=3000), 3000),
            (self.begin(ROW, anew_ms=3000), 5000),
        ):
            self.assertTrue(lapse.is_open)
            self.assertEqual(told(lapse.end(9000)), [("restart", from_ms, 9000)])
            self.assertEqual((lapse.is_open, lapse.end(9000)), (False, []))

    def test_a_clock_that_was_set_meanwhile(self) -> None:
        """It begins as early as any of both says, and ends no sooner than it began."""
        for noted_ms, ended_ms, row in (
            (4000, 9000, (4000, 9000)),
            (6000, 9000, (5000, 9000)),
            (6000, 10, (5000, 5000)),
        ):
            lapse = self.begin(ROW)
            lapse.note(noted_ms)
            self.assertEqual(told(lapse.end(ended_ms)), [("restart", *row)])

    def test_a_book_is_lost_again(self) -> None:
        """The later loss is the one that is told, and servers that are behind are reckoned with anew."""
        lapse = self.begin(ROW)
        self.assertEqual((lapse.is_fresh(159.0), lapse.is_fresh(161.0)), (True, False))
        lapse.begin("hole", 6000, 150.0)
        self.assertEqual((lapse.is_fresh(161.0), lapse.is_fresh(211.0)), (True, False))
        self.assertEqual(told(lapse.end(9000)), [("hole", 6000, 9000)])

    def test_ids_began_anew(self) -> None:
        """They are the cause, since the last row of the former ones, whose file is set aside in any case."""
        lapse = self.begin(ROW)
        lapse.begin("hole", 6000, 150.0)
        self.assertEqual(told(lapse.end_anew(5500, 9000)), [("new-ids", 5500, 9000), "update_ids_began_anew"])
        self.assertEqual(told(lapse.end_anew(9000, 9500)), ["update_ids_began_anew"])


if __name__ == "__main__":
    unittest.main()
