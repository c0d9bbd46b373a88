"""A simulated connection is pinged, kept while the client answers, and closed for its silence or its age."""

import unittest
from unittest import mock

from aster_collect.simulator import Rules
from aster_collect.simulator.pulse import Pulse

RULES = Rules(ping_interval_s=10.0, pong_timeout_s=25.0, max_age_s=100.0)


class AConnection(unittest.TestCase):
    def setUp(self):
        self.clock = self.enterContext(mock.patch("aster_collect.simulator.pulse.time.monotonic", return_value=0.0))
        self.line = mock.Mock()
        self.pulse = Pulse(self.line, RULES, lambda: 0)

    def beat_until(self, end_s, *, answers):
        for now_s in range(int(self.clock.return_value) + 1, end_s + 1):
            self.clock.return_value = float(now_s)
            self.pulse.beat()
            if answers:
                self.pulse.heard()

    def test_is_kept_while_it_answers_and_closed_when_it_stops(self):
        """A pong starts the wait for the next anew."""
        self.beat_until(50, answers=True)
        self.assertEqual(self.line.send.call_count, 5)
        self.beat_until(74, answers=False)
        self.line.close.assert_not_called()
        self.beat_until(75, answers=False)
        self.line.close.assert_called_once_with(1008, "no pong")

    def test_is_closed_at_its_age_though_it_answers(self):
        """The rules say how old one may get."""
        self.beat_until(99, answers=True)
        self.line.close.assert_not_called()
        self.beat_until(100, answers=True)
        self.line.close.assert_called_once_with(1001, "connection age limit")


if __name__ == "__main__":
    unittest.main()
