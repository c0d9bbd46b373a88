"""What REST says is read, or refused with a reason."""

import json
import unittest
from dataclasses import replace

from aster_collect.errors import DecodeError
from aster_collect.exchange.pages import ask_page, decode_exchange_info, decode_page
from aster_collect.exchange.streams import trades
from aster_collect.exchange.streams.kind import Options
from aster_collect.exchange.venues import FUTURES
from tests.support import rounds
from tests.unit.exchange.test_decoder import PLAIN, RECEIVED_NS, VALUES, changed, recorded


class AnyDamage(unittest.TestCase):
    def test_any_change_of_a_page(self) -> None:
        """A REST page with any values, types and keys changed gives plain trades or DecodeError."""
        page = [json.loads(frame) for frame in recorded("aggTrade")]
        for seed, chance in rounds(1000):
            value = changed(page, chance) if chance.random() < 0.9 else chance.choice(VALUES)
            with self.subTest(seed=seed, value=value):
                try:
                    found, odd = decode_page(FUTURES, value, RECEIVED_NS)
                except DecodeError:
                    continue
                self.assertEqual(len(value), len(found) + len(odd))
                for trade, row in zip(found, trades.KIND.write(Options())(found), strict=True):
                    self.assertRegex(trade.price, PLAIN)
                    self.assertEqual(4, row.count(","))

    def test_any_change_of_the_listing(self) -> None:
        """An exchangeInfo with anything changed gives names and a positive weight, or DecodeError."""
        good = {
            "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400}],
            "symbols": [{"symbol": "BTCUSDT", "status": "TRADING", "contractType": "PERPETUAL"}],
        }
        for seed, chance in rounds(1000):
            value = changed(good, chance)
            with self.subTest(seed=seed, value=value):
                try:
                    info = decode_exchange_info(value)
                except DecodeError:
                    continue
                self.assertTrue(all(isinstance(name, str) for name in info.statuses))
                self.assertTrue(info.weight_a_minute is None or info.weight_a_minute >= 0)


class Listing(unittest.TestCase):
    def test_a_listing_says_symbols_and_weight(self) -> None:
        """An exchangeInfo gives each symbol's status and contract, and the weight a minute."""
        answer = {
            "rateLimits": [
                {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 2, "limit": 4800},
            ],
            "symbols": [{"symbol": "A", "status": "TRADING", "contractType": "PERPETUAL"}, {"symbol": "B"}, 7],
        }
        info = decode_exchange_info(answer)
        self.assertEqual(info, ({"A": "TRADING", "B": ""}, {"A": "PERPETUAL", "B": ""}, 2400))

    def test_a_listing_without_symbols_is_refused(self) -> None:
        """An answer without a list of symbols raises DecodeError."""
        for answer in (None, [], {}, {"symbols": None}, {"code": -1, "msg": "x"}):
            with self.assertRaises(DecodeError):
                decode_exchange_info(answer)


class Asking(unittest.TestCase):
    def test_a_market_of_smaller_pages(self) -> None:
        """A page of more than the market gives at once is refused."""
        small = replace(FUTURES, trades_a_page=2)
        page = [{"a": number, "p": "1.5", "q": "2", "T": 1_760_000_000_000, "m": False} for number in range(3)]
        self.assertEqual(len(decode_page(small, page[:2], RECEIVED_NS)[0]), 2)
        with self.assertRaisesRegex(DecodeError, "has 3 trades, at most 2 were"):
            decode_page(small, page, RECEIVED_NS)

    def test_a_page_is_asked_for_by_id(self) -> None:
        """A page's request names symbol, first id and count, and weighs 20."""
        ask = ask_page(FUTURES, "BTCUSDT", 7, 1000)
        self.assertEqual((ask.path, ask.weight, ask.symbol, ask.first_id), ("/fapi/v3/aggTrades", 20, "BTCUSDT", 7))
        self.assertEqual(dict(ask.query), {"symbol": "BTCUSDT", "fromId": "7", "limit": "1000"})


if __name__ == "__main__":
    unittest.main()
