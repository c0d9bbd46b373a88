"""A liquidated order is filled at the quote in force, whole or in pieces."""

import unittest
from decimal import Decimal

from aster_collect.simulator.liquidations import Liquidations
from tests.unit.simulator.lines import NOW_US, WRITER, line, quotes


class Liquidated(unittest.TestCase):
    def test_at_its_limit_or_better(self) -> None:
        """One that sells gets the bid, one that buys the ask; what came in pieces had a limit farther away."""
        all_quotes = quotes()
        liquidations = Liquidations(line(1 / 6, "liquidations"), all_quotes, WRITER)
        first = liquidations.line.first_after(NOW_US)
        seen = set()
        for number in range(first, first + 200):
            order = liquidations.liquidation(number)
            quote = all_quotes.at(order.time_us)
            worse = {"SELL": -1, "BUY": 1}[order.side]
            self.assertEqual(order.average_price, WRITER.price(quote.bid if worse < 0 else quote.ask))
            in_pieces = order.last_quantity != order.quantity
            beyond = (Decimal(order.price) - Decimal(order.average_price)) * worse
            self.assertEqual(beyond > 0, in_pieces)
            self.assertGreaterEqual(beyond, 0)
            seen.add((order.side, in_pieces))
        self.assertEqual(len(seen), 4)


if __name__ == "__main__":
    unittest.main()
