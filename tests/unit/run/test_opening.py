"""The start waits for what will mend itself, and refuses what only the user can mend; time is virtual."""

import math
import unittest

from aster_collect.errors import ConfigError
from aster_collect.exchange.pages import ExchangeInfo
from aster_collect.run.opening import LIST_AGAIN_S, NO_LIST, NO_TRADING, SAY_AGAIN_S, TRADING_AGAIN_S, Opening
from aster_collect.settings import Settings
from tests.unit.exchange.test_symbols import info

NOTHING = info()
HALTED = info(BTCUSDT="SETTLING", ETHUSDT="SETTLING")
OPEN = info("BTCUSDT", "ETHUSDT")


def opening(*symbols: str) -> Opening:
    """Return the start of a run with these symbols, of all without any."""
    return Opening(Settings(symbols=symbols) if symbols else Settings(all_symbols=True))


class Maintenance(unittest.TestCase):
    def waits(self, one: Opening, answer: ExchangeInfo | None, now_s: float, again_s: float) -> None:
        """Check that an answer begins nothing, and that the next one is asked for so much later."""
        self.assertIsNone(one.take(answer, now_s))
        self.assertEqual(one.again_s, now_s + again_s)

    def test_nothing_trades(self) -> None:
        """With a list that is empty, or halted whole, named symbols and --all wait, and begin when trading resumes."""
        for symbols in ((), ("BTCUSDT", "ETHUSDT")):
            for answer in (NOTHING, HALTED):
                one = opening(*symbols)
                with self.assertLogs("aster_collect.run.opening", "INFO"):
                    for minute in range(3):
                        self.waits(one, answer, 60.0 * minute, TRADING_AGAIN_S)
                        self.assertEqual(one.waits_for, NO_TRADING)
                    self.assertEqual(one.take(OPEN, 180.0), ["BTCUSDT", "ETHUSDT"])

    def test_it_says_so_but_not_each_minute(self) -> None:
        """A day of maintenance is a line at its begin, one an hour, and one at its end."""
        one = opening("BTCUSDT")
        with self.assertLogs("aster_collect.run.opening", "INFO") as logged:
            for minute in range(24 * 60):
                one.take(HALTED, 60.0 * minute)
            one.take(OPEN, 24 * 3600.0)
        levels = [record.levelname for record in logged.records]
        self.assertEqual(levels, ["WARNING"] * int(24 * 3600 / SAY_AGAIN_S) + ["INFO"])
        self.assertIn("waited_s=86400", logged.output[-1])

    def test_rest_fails_while_nothing_trades(self) -> None:
        """An exchange that was seen halted is not taken for open because its list can't be had for a while."""
        one = opening("BTCUSDT")
        with self.assertLogs("aster_collect.run.opening", "INFO"):
            self.waits(one, HALTED, 0.0, TRADING_AGAIN_S)
            self.waits(one, None, 60.0, TRADING_AGAIN_S)
            self.assertEqual(one.waits_for, NO_TRADING)
            self.assertEqual(one.take(OPEN, 120.0), ["BTCUSDT"])

    def test_only_some_trade(self) -> None:
        """Where one of the named symbols trades it is begun with, and the others are warned about."""
        with self.assertLogs("aster_collect.run.opening", "WARNING") as logged:
            self.assertEqual(opening("BTCUSDT", "OLDUSDT").take(info("BTCUSDT", OLDUSDT="SETTLING"), 0.0), ["BTCUSDT"])
        self.assertEqual(len(logged.output), 1)
        self.assertIn("symbol skipped symbol=OLDUSDT status=SETTLING", logged.output[0])


class WhatOnlyTheUserCanMend(unittest.TestCase):
    def test_a_symbol_that_is_not_listed(self) -> None:
        """It is refused by a list that has others, halted or not; an empty list says nothing of it."""
        for answer in (OPEN, HALTED):
            with self.assertRaises(ConfigError):
                opening("BTC").take(answer, 0.0)
        with self.assertLogs("aster_collect.run.opening", "WARNING"):
            self.assertIsNone(opening("BTC").take(NOTHING, 0.0))


class NoList(unittest.TestCase):
    def test_named_symbols(self) -> None:
        """They are collected unchecked."""
        self.assertEqual(opening("BTCUSDT").take(None, 0.0), ["BTCUSDT"])

    def test_all_symbols(self) -> None:
        """Where all are wanted there is nothing to begin with: it is asked again in seconds."""
        one = opening()
        self.assertEqual((one.waits_for, one.again_s), (NO_LIST, math.inf))
        with self.assertLogs("aster_collect.run.opening", "WARNING") as logs:
            self.assertIsNone(one.take(None, 7.0))
        self.assertIn("waiting why=no_list_of_symbols", logs.output[0])
        self.assertEqual((one.waits_for, one.again_s), (NO_LIST, 7.0 + LIST_AGAIN_S))
        self.assertEqual(one.take(OPEN, 12.0), ["BTCUSDT", "ETHUSDT"])


if __name__ == "__main__":
    unittest.main()
