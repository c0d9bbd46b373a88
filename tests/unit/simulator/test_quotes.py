"""A quote is the state of the best bid and offer until the next."""

import unittest

from tests.unit.simulator.lines import NOW_US, quotes


class Quoting(unittest.TestCase):
    def test_the_quote_in_force(self) -> None:
        """It is the last that is not after a time, up to the very microsecond before the next."""
        all_quotes = quotes()
        first = all_quotes.line.first_after(NOW_US)
        for number in range(first, first + 200):
            quote, after = all_quotes.quote(number), all_quotes.quote(number + 1)
            self.assertEqual(all_quotes.at(quote.time_us), quote)
            self.assertEqual(all_quotes.at(after.time_us - 1), quote)

    def test_a_spread(self) -> None:
        """Bids are below asks, mostly by one tick or two, never by more than four."""
        all_quotes = quotes()
        first = all_quotes.line.first_after(NOW_US)
        spreads = [quote.ask - quote.bid for quote in map(all_quotes.quote, range(first, first + 2000))]
        self.assertEqual((min(spreads), set(spreads) <= {1, 2, 3, 4}), (1, True))
        self.assertGreater(sum(spread <= 2 for spread in spreads), 1800)


if __name__ == "__main__":
    unittest.main()
