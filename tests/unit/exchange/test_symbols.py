"""A symbol is collected when it trades; for one that is not listed the likeliest names are told."""

import unittest

from aster_collect.errors import ConfigError
from aster_collect.exchange.pages import ExchangeInfo
from aster_collect.exchange.symbols import Shard, check_listed, divide, guesses, markets
from aster_collect.exchange.venues import FUTURES

LISTED = ("ASTERUSDT", "BNBUSDT", "BTCUSD1", "BTCUSDT", "ETHUSDT", "1000PEPEUSDT", "SOLUSDT", "USD1USDT",
          "币安人生USDT")  # fmt: skip


def info(*symbols: str, **statuses: str) -> ExchangeInfo:
    """Return an answer that lists symbols as trading, and others with a status."""
    told = {**dict.fromkeys(symbols, "TRADING"), **statuses}
    return ExchangeInfo(told, dict.fromkeys(told, "PERPETUAL"), None)


class Shards(unittest.TestCase):
    def test_each_symbol_is_of_one_part(self) -> None:
        """However many collectors there are, each symbol is taken by one of them."""
        for of in (1, 2, 3, 7):
            takers = [[symbol for symbol in LISTED if Shard(number, of).takes(symbol)] for number in range(1, of + 1)]
            self.assertEqual(sorted(symbol for taken in takers for symbol in taken), sorted(LISTED))

    def test_the_parts_of_then_and_of_elsewhere(self) -> None:
        """Which part a symbol is of is written down, so that no other version of this program moves it."""
        parts = {"BTCUSDT": 3, "ETHUSDT": 4, "ASTERUSDT": 5, "SOLUSDT": 1, "币安人生USDT": 5}
        for symbol, number in parts.items():
            self.assertEqual([one for one in range(1, 6) if Shard(one, 5).takes(symbol)], [number])


class NotListed(unittest.TestCase):
    def test_the_asset_alone(self) -> None:
        """An asset without a quote currency means its market, in USDT first."""
        self.assertEqual(guesses("BTC", LISTED), ["BTCUSDT", "BTCUSD1"])
        self.assertEqual(guesses("SOL", LISTED), ["SOLUSDT"])
        self.assertEqual(guesses("币安人生", LISTED), ["币安人生USDT"])

    def test_an_asset_that_is_listed_by_the_thousand(self) -> None:
        """What holds the name is told, though it does not begin with it."""
        self.assertEqual(guesses("PEPE", LISTED), ["1000PEPEUSDT"])
        self.assertEqual(guesses("PEPEUSDT", LISTED)[0], "1000PEPEUSDT")

    def test_another_quote_currency(self) -> None:
        """A market in a currency that is not listed means the same asset in another one."""
        self.assertEqual(guesses("ETHUSDC", LISTED)[0], "ETHUSDT")
        self.assertEqual(guesses("BTCUSD", LISTED), ["BTCUSDT", "BTCUSD1"])

    def test_another_way_to_write_it(self) -> None:
        """A dash or an underscore between the two is no part of a name here."""
        for written in ("BTC-USDT", "BTC_USDT"):
            self.assertEqual(guesses(written, LISTED)[0], "BTCUSDT")

    def test_a_letter_wrong(self) -> None:
        """Two letters swapped, or one wrong, mean the name that comes closest."""
        self.assertEqual(guesses("ASTREUSDT", LISTED)[0], "ASTERUSDT")
        self.assertEqual(guesses("BNVUSDT", LISTED)[0], "BNBUSDT")

    def test_nothing_comes_close(self) -> None:
        """A symbol unlike any other gets no guess, and no symbol gets more than three."""
        for unlike in ("HELP", "QQQ", "-", "X"):
            self.assertEqual(guesses(unlike, LISTED), [])
        self.assertEqual(len(guesses("USD", LISTED)), 3)

    def test_what_is_said(self) -> None:
        """One line names each symbol that is not listed; what no longer trades is no guess."""
        listed = info("BTCUSDT", BTCUSD1="SETTLING")
        check_listed(["BTCUSDT", "BTCUSD1"], listed)
        with self.assertRaises(ConfigError) as caught:
            check_listed(["BTC", "BTCUSDT", "HELP"], listed)
        self.assertEqual(str(caught.exception), "symbols: BTC is not listed; did you mean BTCUSDT?; HELP is not listed")


class Trading(unittest.TestCase):
    def test_some_are_halted(self) -> None:
        """Symbols that trade are told from the others, whose status is given."""
        listed = info("BTCUSDT", ETHUSDT="SETTLING")
        self.assertEqual(divide(["ETHUSDT", "BTCUSDT"], listed), (["BTCUSDT"], {"ETHUSDT": "SETTLING"}))

    def test_a_name_that_no_file_can_have(self) -> None:
        """Of all that trade, in order, those are collected whose name can be a file's; why not is told."""
        found, refused = markets(info("ETHUSDT", "../x", "BTCUSDT", OLDUSDT="CLOSE"), FUTURES)
        self.assertEqual(found, ["BTCUSDT", "ETHUSDT"])
        self.assertEqual(len(refused), 1)
        self.assertIn("'../x' given", refused[0])

    def test_what_is_no_perpetual(self) -> None:
        """A contract of another type is left out."""
        listed = info("BTCUSDT", "ETHUSDT")
        listed.contract_types["ETHUSDT"] = ""
        self.assertEqual(markets(listed, FUTURES), (["BTCUSDT"], []))


if __name__ == "__main__":
    unittest.main()
