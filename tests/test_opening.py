"""What is wanted at the start is collected as soon as it trades, and not before."""

import math
import unittest

from aster_collect.errors import ConfigError
from aster_collect.opening import LIST_AGAIN_S, NO_LIST, NO_TRADING, TRADING_AGAIN_S, Opening
from aster_collect.settings import Settings
from aster_collect.wire import ExchangeInfo


def listed(**statuses: str) -> ExchangeInfo:
    return ExchangeInfo(statuses, dict.fromkeys(statuses, "PERPETUAL"), 2400)


class NamedSymbols(unittest.TestCase):
    def setUp(self) -> None:
        self.opening = Opening(Settings(symbols=("AUSDT", "BUSDT")))

    def test_without_a_list_are_taken_as_given(self) -> None:
        """REST is no condition for collecting."""
        self.assertEqual(self.opening.take(None, 0.0), ["AUSDT", "BUSDT"])

    def test_of_which_one_is_halted(self) -> None:
        """The others are collected, and it is named."""
        with self.assertLogs("aster_collect.opening", "WARNING") as logs:
            self.assertEqual(self.opening.take(listed(AUSDT="TRADING", BUSDT="SETTLING"), 0.0), ["AUSDT"])
        self.assertIn("symbol skipped symbol=BUSDT status=SETTLING", logs.output[0])

    def test_while_all_are_halted_or_nothing_is_listed(self) -> None:
        """Maintenance is waited for, a minute at a time."""
        now_s = 0.0
        for info in (listed(AUSDT="SETTLING", BUSDT="SETTLING"), listed()):
            with self.assertLogs("aster_collect.opening", "WARNING") as logs:
                self.assertIsNone(self.opening.take(info, now_s))
            self.assertEqual(len(logs.output), 1)
            self.assertEqual((self.opening.waits_for, self.opening.again_s), (NO_TRADING, now_s + TRADING_AGAIN_S))
            now_s += TRADING_AGAIN_S
        self.assertEqual(self.opening.take(listed(AUSDT="TRADING", BUSDT="TRADING"), now_s), ["AUSDT", "BUSDT"])

    def test_of_which_one_is_not_listed(self) -> None:
        """Only the user can mend that."""
        with self.assertRaisesRegex(ConfigError, "BUSDT is not listed"):
            self.opening.take(listed(AUSDT="TRADING"), 0.0)


class TheWholeExchange(unittest.TestCase):
    def setUp(self) -> None:
        self.opening = Opening(Settings(all_symbols=True))

    def test_without_a_list_asks_again_soon(self) -> None:
        """There is nothing to collect without it."""
        self.assertEqual(self.opening.again_s, math.inf)
        self.assertIsNone(self.opening.take(None, 7.0))
        self.assertEqual((self.opening.waits_for, self.opening.again_s), (NO_LIST, 7.0 + LIST_AGAIN_S))

    def test_with_nothing_trading_waits(self) -> None:
        """An empty list, or one of halted symbols, is asked for again each minute."""
        for info in (listed(), listed(AUSDT="BREAK")):
            with self.assertLogs("aster_collect.opening", "WARNING"):
                self.assertIsNone(self.opening.take(info, 0.0))
        self.assertEqual(self.opening.take(listed(AUSDT="TRADING"), 60.0), ["AUSDT"])


if __name__ == "__main__":
    unittest.main()
