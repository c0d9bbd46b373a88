"""A full inbox makes a connection wait, and nothing that it has is lost but for a stop."""

import unittest

from aster_collect.exchange.events import Opened
from aster_collect.net.outlet import Outlet
from tests.unit.net.wires import Clock, SlowInbox


class AFullInbox(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.stopped = False

    def outlet(self, waits: float) -> SlowInbox:
        """Return an inbox of which one message is taken after so many waits of an outlet."""
        inbox = SlowInbox(self.clock, waits)
        self.put = Outlet(inbox, 3, lambda: self.stopped, clock=self.clock).put
        return inbox

    def test_a_collector_that_is_slow(self) -> None:
        """Each message waits for as long as it takes, all come in order, and it is said once a minute."""
        inbox = self.outlet(waits=40)
        sent = [Opened(7, number, 0.0) for number in range(50)]
        began_s = self.clock.now_s
        with self.assertLogs("aster_collect.net.outlet", "WARNING") as logs:
            for one in sent:
                self.put(one)
        while inbox.batches():
            inbox.taken.append(inbox.get_nowait())
        self.assertEqual(inbox.taken, sent)
        minutes = (self.clock.now_s - began_s) / 60
        self.assertTrue(minutes - 1 <= len(logs.output) <= minutes + 1, (minutes, logs.output))

    def test_a_stop_while_the_inbox_is_full(self) -> None:
        """A connection that is stopped waits 2 seconds more, and lets go."""
        inbox = self.outlet(waits=float("inf"))
        while not inbox.full():
            inbox.put_nowait(Opened(7, 0, 0.0))
        self.stopped = True
        began_s = self.clock.now_s
        with self.assertLogs("aster_collect.net.outlet", "WARNING"):
            self.put(Opened(7, 1, 1.0))
        self.assertTrue(2.0 < self.clock.now_s - began_s < 3.0)


if __name__ == "__main__":
    unittest.main()
