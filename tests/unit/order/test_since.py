"""The row of trades that could not be asked for takes in all of them, though a clock was set meanwhile."""

import unittest

from aster_collect.exchange.events import Gap
from aster_collect.exchange.streams import trades
from aster_collect.exchange.streams.trades import Trade
from aster_collect.exchange.venues import FUTURES
from aster_collect.order.effects import Missing
from aster_collect.order.holes import Bounds
from aster_collect.order.lane import Left
from aster_collect.order.sequence import Sequence

START_MS = 1_764_000_000_000
HOUR_MS = 3_600_000
TURN_S = 0.5


class Clocks(unittest.TestCase):
    def setUp(self) -> None:
        self.now_s = 0.0

    def lane(self, last: Trade | None = None) -> Sequence:
        left = Left([last] if last else [])
        return Sequence(trades.KIND, "BTCUSDT", left, FUTURES, Bounds(0, 1000, 1000, 900.0, 1000), lambda: self.now_s)

    def bring(self, lane: Sequence, number: int, at_s: float, step_ms: int = 0) -> None:
        """Bring a trade that was made then, by a clock that was set, and let a turn pass."""
        self.now_s = at_s
        lane.add(Trade(number, START_MS + round(at_s * 1000) + step_ms, "buy", "1", "1"))
        self.now_s += TURN_S
        lane.step()
        lane.turn(None, START_MS + round(self.now_s * 1000) + step_ms)

    def told(self, lane: Sequence, step_ms: int = 0) -> Gap:
        lane.end(START_MS + round(self.now_s * 1000) + step_ms)
        (missing,) = [effect for effect in lane.step() if isinstance(effect, Missing)]
        return missing.gap

    def test_the_clock_is_set_while_a_hole_is_open(self) -> None:
        """The hole lies behind the last trade by the clock of before, and before the end by that of now."""
        for step_ms in (-HOUR_MS, -30_000, 30_000, HOUR_MS):
            with self.subTest(step_ms=step_ms):
                self.now_s = 0.0
                lane = self.lane()
                self.bring(lane, 100, 0.0)
                for second in range(40, 45):
                    self.bring(lane, 105 + second, second, step_ms if second > 42 else 0)
                gap = self.told(lane, step_ms)
                self.assertEqual(gap.cause, "not-asked")
                self.assertLessEqual(gap.from_ms, START_MS + min(0, step_ms))
                self.assertGreaterEqual(gap.to_ms, START_MS + 44_500 + max(0, step_ms))

    def test_no_clock_is_set(self) -> None:
        """The row is from the last trade to the end, to a second, whatever holes were open and closed before."""
        lane = self.lane()
        for second in (1, 9, 17):
            self.bring(lane, 100 + second, second)
            for number in range(101 + second, 108 + second):
                self.bring(lane, number, second + 1)
        self.bring(lane, 140, 30.0)
        gap = self.told(lane)
        self.assertLess(abs(gap.from_ms - START_MS - 18_000), 1001)
        self.assertLess(abs(gap.to_ms - START_MS - 30_500), 1001)

    def test_the_clock_was_set_before_the_restart(self) -> None:
        """The pause before this run is in the row too, wherever it may lie."""
        lane = self.lane(Trade(100, START_MS - 20_000, "buy", "1", "1"))
        lane.since.paused(START_MS - 60_000, START_MS)
        self.bring(lane, 103, 1.0, -30_000)
        gap = self.told(lane, -30_000)
        self.assertLessEqual(gap.from_ms, START_MS - 60_000)
        self.assertGreaterEqual(gap.to_ms, START_MS + 1000)


if __name__ == "__main__":
    unittest.main()
