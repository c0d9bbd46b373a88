"""Rates are of what came live, and of nobody who went."""

import unittest

from aster_collect.watch.rates import rates
from tests.unit.watch.snapshots import NOW_NS, SECOND, snapshot, streams


class Rates(unittest.TestCase):
    def test_trades_that_were_fetched_are_no_rate(self) -> None:
        """A thousand trades of the past say nothing of how fast the market is: more rows than frames are not live."""
        before = snapshot(now_ns=NOW_NS - 10 * SECOND, streams=streams(frames=0, rows=0, symbols=("BTCUSDT",)))
        now = snapshot(streams=streams(frames=50, rows=1050, symbols=("BTCUSDT",)))
        self.assertEqual(rates(now, before)["trades"], (5.0, 5.0))

    def test_a_listing_and_a_delisting_between(self) -> None:
        """A symbol that came adds what it brought; one that went takes nothing away."""
        before = snapshot(now_ns=NOW_NS - 10 * SECOND, streams=streams(rows=900, symbols=("BTCUSDT", "OLDUSDT")))
        rate, _ = rates(snapshot(streams=streams(symbols=("BTCUSDT", "NEWUSDT"))), before)["prices"]
        self.assertEqual(rate, 90.0)


if __name__ == "__main__":
    unittest.main()
