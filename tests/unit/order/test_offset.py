"""A clock that is off is told, one that may be right is not, and the exchange is asked politely."""

import unittest

from aster_collect.order.offset import ASK_APART_S, ASK_EVERY_S, ClockOffset

NOW_MS = 1_764_000_000_000
NOW_NS = NOW_MS * 1_000_000


class Off(unittest.TestCase):
    def offset(self, ahead_ms: int, round_trip_ms: int, most_s: float = 1.0) -> ClockOffset:
        """Return what is found where the exchange's clock is so far ahead as of the middle of the request."""
        one = ClockOffset(most_s, 0.0)
        half_ns = round_trip_ms * 500_000
        one.found(NOW_MS + ahead_ms, NOW_NS - half_ns, NOW_NS + half_ns)
        self.assertEqual((one.offset_ms, one.uncertainty_ms), (ahead_ms, round_trip_ms / 2))
        return one

    def test_two_hours(self) -> None:
        """Ahead or behind, it is off."""
        for ahead_ms in (7_200_000, -7_200_000):
            self.assertTrue(self.offset(ahead_ms, 80).off)

    def test_a_slow_answer(self) -> None:
        """What half the round trip explains is no fault of a clock."""
        for ahead_ms, round_trip_ms, off in (
            (1500, 1000, False),
            (1501, 1000, True),
            (-1501, 1000, True),
            (9, 0, False),
        ):
            with self.subTest(ahead_ms=ahead_ms):
                self.assertEqual(self.offset(ahead_ms, round_trip_ms).off, off)

    def test_nothing_is_known(self) -> None:
        """Without an answer nothing is off."""
        self.assertFalse(ClockOffset(0.001, 0.0).off)


class Asking(unittest.TestCase):
    def asked(self, seconds: int, *connected_s: int) -> list[int]:
        """Return when it is asked, looked at each second, with connections that open at some of them."""
        one = ClockOffset(1.0, 0.0)
        found = []
        for now_s in range(seconds):
            if now_s in connected_s:
                one.connected(now_s)
            if one.due(now_s):
                found.append(now_s)
        return found

    def test_at_the_start_and_every_hour(self) -> None:
        """Nobody reconnects."""
        self.assertEqual(self.asked(8000), [0, int(ASK_EVERY_S), 2 * int(ASK_EVERY_S)])

    def test_after_each_reconnect(self) -> None:
        """At once, and the next hour counts from there."""
        self.assertEqual(self.asked(5000, 500), [0, 500, 500 + int(ASK_EVERY_S)])

    def test_many_reconnects(self) -> None:
        """Once a minute at most."""
        found = self.asked(600, *range(1, 600, 3))
        self.assertEqual(found, list(range(0, 600, int(ASK_APART_S))))


if __name__ == "__main__":
    unittest.main()
