"""A kind that the exchange does not serve is said once, and no kind that is only quiet."""

import unittest

from aster_collect.exchange.streams import KINDS
from aster_collect.order.lane import Left
from aster_collect.order.polled import Polled
from aster_collect.order.rising import Rising
from aster_collect.order.silent import LOOK_S, QUIET_S, Silent
from aster_collect.order.standing import NEVER_DELIVERED_S


class Nothing(unittest.TestCase):
    def setUp(self) -> None:
        self.silent = Silent()
        self.now_s = 1000.0
        names = ("prices", "orderbook", "fills")
        self.lanes = {(name, symbol): Rising(KINDS[name], symbol, Left()) for name in names for symbol in ("A", "B")}

    def said(self, seconds: float) -> list[str]:
        """Let time pass, and return which kinds were named."""
        names: list[str] = []
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += 1
            names += [str(say.values[0]) for say in self.silent.step(self.lanes.values(), self.now_s)]
        return names

    def bring(self, *names: str) -> None:
        for name in names:
            self.lanes[name, "A"].add((1, 1_760_000_000_000, "1", "2", "", "", 7))

    def test_a_market_without_books(self) -> None:
        """A minute after others came it is said, once; one symbol that has some is enough for it not to be."""
        self.bring("prices", "fills")
        self.assertEqual(self.said(NEVER_DELIVERED_S - LOOK_S), [])
        self.assertEqual(self.said(2 * LOOK_S), ["orderbook"])
        self.assertEqual(self.said(2 * QUIET_S), [])

    def test_a_kind_that_may_be_quiet(self) -> None:
        """It is given an hour."""
        self.bring("prices", "orderbook")
        self.assertEqual(self.said(QUIET_S - LOOK_S), [])
        self.assertEqual(self.said(2 * LOOK_S), ["fills"])

    def test_no_connection(self) -> None:
        """While nothing comes at all nothing is said, and the minute begins with the first frame."""
        self.assertEqual(self.said(10 * NEVER_DELIVERED_S), [])
        self.bring("prices", "fills")
        self.assertEqual(self.said(NEVER_DELIVERED_S - LOOK_S), [])
        self.bring("orderbook")
        self.assertEqual(self.said(2 * QUIET_S), [])

    def test_what_is_polled(self) -> None:
        """It comes over no connection, and tells of its failures itself."""
        self.lanes = {("prices", "A"): self.lanes["prices", "A"]}
        lanes = [*self.lanes.values(), Polled(KINDS["open-interest"], "A", Left())]
        self.bring("prices")
        says = [say for now_s in range(0, 600, 5) for say in self.silent.step(lanes, float(now_s))]
        self.assertEqual(says, [])


if __name__ == "__main__":
    unittest.main()
