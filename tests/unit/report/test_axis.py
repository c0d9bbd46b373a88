"""A page's time is cut into round steps, never more than were asked for, that fit into each other."""

import unittest

from aster_collect.report.axis import axis
from tests.support import rounds

HOUR_MS = 3_600_000


class TheAxis(unittest.TestCase):
    def test_any_time(self) -> None:
        """All of it lies within, in as many points as asked for at most; bars and lines are whole numbers of points."""
        for seed, chance in rounds(2000):
            first_ms = chance.randrange(1 << 41)
            last_ms = first_ms + chance.randrange(1 << chance.randrange(1, 42))
            most = chance.randrange(120, 1500)
            with self.subTest(seed=seed, first=first_ms, last=last_ms, most=most):
                points, bars, lines = axis(first_ms, last_ms, most)
                self.assertLessEqual(points.steps, most)
                self.assertLessEqual(bars.steps, most)
                self.assertLessEqual(lines.steps, 50)
                for cut in (points, bars, lines):
                    self.assertLessEqual(cut.start_ms, first_ms)
                    self.assertGreater(cut.end_ms, last_ms)
                    self.assertFalse(cut.start_ms % cut.step_ms)
                self.assertEqual((points.start_ms, points.end_ms), (bars.start_ms, bars.end_ms))
                self.assertFalse(bars.step_ms % points.step_ms)
                self.assertFalse(lines.step_ms % bars.step_ms)

    def test_a_month_in_hours(self) -> None:
        """Of a month a bar is an hour, and a line of the table a day."""
        _, bars, lines = axis(0, 30 * 24 * HOUR_MS - 1, 720)
        self.assertEqual((bars.step_ms, bars.steps), (HOUR_MS, 720))
        self.assertEqual((lines.step_ms, lines.steps), (24 * HOUR_MS, 30))

    def test_a_time_outside(self) -> None:
        """A row whose time lies before or behind the page's counts to the first or the last step."""
        points = axis(10_000, 90_000, 1000).points
        self.assertEqual(points.at(-5), 0)
        self.assertEqual(points.at(1 << 50), points.steps - 1)
        self.assertEqual((points.share(-5), points.share(1 << 50)), (0.0, 1.0))


if __name__ == "__main__":
    unittest.main()
