"""Trades print at the quote in force, and each is made of fills that add up to it."""

import unittest

from aster_collect.simulator.trades import FIRST_FILL_ID, OFF_BOOK, Trades
from tests.unit.simulator.lines import NOW_US, SALT, WRITER, line, quotes


class Trading(unittest.TestCase):
    def setUp(self) -> None:
        self.quotes = quotes()
        self.trades = Trades(line(10.0, "trades"), self.quotes, WRITER, SALT)
        self.first = self.trades.line.first_after(NOW_US)

    def test_the_price(self) -> None:
        """Who sells meets the bid, and who buys the ask, that was there when it was made."""
        for number in range(self.first, self.first + 200):
            trade = self.trades.trade(number)
            quote = self.quotes.at(trade.time_us)
            self.assertEqual(trade.price, WRITER.price(quote.bid if trade.buyer_is_maker else quote.ask))

    def test_events_in_the_order_of_ids(self) -> None:
        """Each is sent 2 to 22 ms after the match, and none before the one before it."""
        sent = [self.trades.sent_us(number) for number in range(self.first, self.first + 500)]
        self.assertEqual(sent, sorted(sent))
        for number, sent_us in enumerate(sent, self.first):
            self.assertTrue(2000 <= sent_us - self.trades.line.time_us(number) < 22_000)

    def test_fills_of_a_trade(self) -> None:
        """Their ids have no hole from the very first on, and those of the market add up to their trade's quantity."""
        expected = self.trades.first_fill(1)
        self.assertGreaterEqual(expected, FIRST_FILL_ID)
        for number in range(1, 500):
            trade = self.trades.trade(number)
            self.assertEqual(trade.first, expected)
            fills = [self.trades.fill(one) for one in range(trade.first, trade.last + 1)]
            self.assertEqual(sum(fill.steps for fill in fills), trade.steps)
            self.assertEqual({(fill.trade.number, fill.origin) for fill in fills}, {(number, "MARKET")})
            expected = self.trades.first_fill(number + 1)

    def test_fills_off_the_book(self) -> None:
        """Some stand behind a trade that does not have them, and one of them may not say whose it is."""
        ids = range(self.trades.first_fill(1), self.trades.first_fill(2000))
        off = [fill for fill in map(self.trades.fill, ids) if fill.origin != "MARKET"]
        self.assertEqual({fill.origin for fill in off}, set(OFF_BOOK))
        self.assertTrue(all(fill.number == fill.trade.last + 1 for fill in off))

    def test_the_newest_fill(self) -> None:
        """With the time of a trade it is that trade's last, or the one off the book behind it."""
        for number in range(self.first, self.first + 200):
            newest = self.trades.fill(self.trades.last_fill_at(self.trades.line.time_us(number)))
            self.assertEqual(newest.trade.number, number)
            self.assertEqual(newest.number + 1, self.trades.first_fill(number + 1))


if __name__ == "__main__":
    unittest.main()
