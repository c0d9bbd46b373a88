"""Each answer of a poll is one row, in order, and one that did not come is a row of the ledger."""

import unittest
from collections.abc import Sequence

from aster_collect.exchange.events import Gap
from aster_collect.exchange.streams import open_interest
from aster_collect.exchange.streams.open_interest import OpenInterest
from aster_collect.order.effects import Effect, Missing, Rows
from aster_collect.order.lane import Left
from aster_collect.order.polled import Polled

START_MS = 1_764_000_000_000
MOST_MS = 90_000


def answer(after_s: float, quantity: str = "1.5") -> OpenInterest:
    return OpenInterest(0, START_MS + round(after_s * 1000), quantity)


class Case(unittest.TestCase):
    def lane(self, *last: OpenInterest, touched_ms: int = 0) -> Polled:
        return Polled(open_interest.KIND, "BTCUSDT", Left(last, touched_ms))

    def take(self, lane: Polled, *after_s: float) -> list[Effect]:
        for one in after_s:
            lane.answered([answer(one)], MOST_MS)
        return lane.turn(None, START_MS)

    def times(self, effects: Sequence[Effect]) -> list[float]:
        rows = [effect for effect in effects if isinstance(effect, Rows)]
        return [(event[1] - START_MS) / 1000 for effect in rows for event in effect.events]

    def gaps(self, effects: Sequence[Effect]) -> list[Gap]:
        return [effect.gap for effect in effects if isinstance(effect, Missing)]

    def gap(self, from_s: float, to_s: float, cause: str) -> Gap:
        times = (START_MS + round(one * 1000) for one in (from_s, to_s))
        return Gap("open-interest", *times, None, None, cause)


class Answers(Case):
    def test_answers_in_time(self) -> None:
        """Each is a row, and the ledger says nothing."""
        told = self.take(self.lane(), 0, 60, 149)
        self.assertEqual((self.times(told), self.gaps(told)), ([0, 60, 149], []))

    def test_an_answer_of_before_or_the_same_again(self) -> None:
        """It says nothing new, also where the run before has written it."""
        lane = self.lane(answer(60))
        self.assertEqual(self.times(self.take(lane, 30, 60, 120, 120, 90)), [120])
        self.assertEqual(lane.duplicates, 4)

    def test_an_answer_that_did_not_come(self) -> None:
        """The stretch between its neighbours is a row of the ledger, which stands before them."""
        told = self.take(self.lane(), 0, 120)
        self.assertEqual(self.gaps(told), [self.gap(0, 120, "not-polled")])
        self.assertIsInstance(told[0], Missing)


class Runs(Case):
    def test_a_restart(self) -> None:
        """The pause is told as one, and what is missing after it as what was not answered."""
        told = self.take(self.lane(answer(0)), 200, 400)
        self.assertEqual(self.gaps(told), [self.gap(0, 200, "restart"), self.gap(200, 400, "not-polled")])

    def test_the_end_of_a_run_that_was_answered_no_more(self) -> None:
        """It is told once; a run that was never answered leaves it to the next."""
        lane = self.lane()
        self.take(lane, 0)
        for _ in range(2):
            lane.end(START_MS + 200_000, MOST_MS)
        self.assertEqual(self.gaps(lane.turn(None, 0)), [self.gap(0, 200, "not-polled")])
        lane = self.lane(answer(0))
        lane.end(START_MS + 200_000, MOST_MS)
        self.assertEqual(lane.turn(None, 0), [])

    def test_a_first_run_that_is_never_answered(self) -> None:
        """The time since it began is a row of the ledger, at its end or with an answer that comes late."""
        for late_s, gap in ((None, self.gap(0, 200, "not-polled")), (150, self.gap(0, 150, "not-polled"))):
            with self.subTest(late_s=late_s):
                lane = self.lane()
                lane.begin(START_MS)
                if late_s is not None:
                    lane.answered([answer(late_s)], MOST_MS)
                lane.end(START_MS + 200_000, MOST_MS)
                self.assertEqual(self.gaps(lane.turn(None, 0)), [gap])

    def test_a_restart_where_no_row_was_written_before(self) -> None:
        """Nothing is known since the file was made."""
        lane = self.lane(touched_ms=START_MS)
        lane.begin(START_MS + 290_000)
        self.assertEqual(self.gaps(self.take(lane, 300)), [self.gap(0, 300, "restart")])


if __name__ == "__main__":
    unittest.main()
