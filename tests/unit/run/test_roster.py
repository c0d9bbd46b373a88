"""What is collected follows the exchange's lists; time is virtual."""

import math
import unittest

from aster_collect.errors import ConfigError
from aster_collect.exchange.symbols import Shard
from aster_collect.run.roster import FILES_BESIDE, GONE_S, RELIST_S, Change, Roster
from aster_collect.settings import Settings
from tests.unit.exchange.test_symbols import LISTED, info


class Files:
    """Stands in for the system's limit of open files."""

    def __init__(self, symbols: int = 1000) -> None:
        self.symbols = symbols

    def __call__(self, needed: int) -> None:
        if needed > 4 * self.symbols + FILES_BESIDE:
            raise ConfigError("too many")


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.files = Files()

    def roster(self, *listed: str) -> Roster:
        """Return the roster of a run with `--all` that has begun with these symbols, at 0 s."""
        roster = Roster(Settings(all_symbols=True), allow_files=self.files)
        self.assertEqual(roster.first(info(*listed), 0.0), sorted(listed))
        return roster


class TheStart(Case):
    def test_a_list_that_can_not_be_had(self) -> None:
        """Named symbols are begun with unchecked, and the exchange is not asked again."""
        roster = Roster(Settings(symbols=("BTCUSDT",)), allow_files=self.files)
        self.assertEqual(roster.first(None, 0.0), ["BTCUSDT"])
        self.assertEqual((roster.checked, roster.again_s), (False, math.inf))

    def test_a_ban_while_it_waits(self) -> None:
        """The list is asked for once the ban is over, and not before."""
        roster = Roster(Settings(all_symbols=True), allow_files=self.files)
        with self.assertLogs("aster_collect.run.opening", "WARNING"):
            self.assertEqual(roster.first(None, 0.0), [])
        self.assertFalse(roster.wants_list(4.0, 0.0))
        self.assertFalse(roster.wants_list(5.0, 600.0))
        self.assertFalse(roster.wants_list(604.0, 0.0))
        self.assertTrue(roster.wants_list(605.0, 0.0))
        self.assertFalse(roster.wants_list(605.0, 0.0), "one answer at a time")

    def test_more_files_than_may_be_open(self) -> None:
        """A start that can't have its files open is refused."""
        self.files.symbols = 1
        with self.assertRaises(ConfigError):
            self.roster("BTCUSDT", "ETHUSDT")


class EachHour(Case):
    def test_the_list_is_asked_for_each_hour(self) -> None:
        """With `--all` the list is asked for an hour after each time that it was, whether it came or not."""
        roster = self.roster("BTCUSDT")
        asked_s = [minute * 60.0 for minute in range(24 * 60) if roster.wants_list(minute * 60.0, 0.0)]
        self.assertEqual(asked_s, [hour * RELIST_S for hour in range(1, 24)])

    def test_a_new_listing(self) -> None:
        """A symbol that is listed anew is told once; one that is gone, and that it is back, as often as it happens."""
        roster = self.roster("BTCUSDT", "ETHUSDT")
        both, new = ("BTCUSDT", "NEWUSDT"), ("NEWUSDT",)
        with self.assertLogs("aster_collect.run.roster", "INFO") as logged:
            self.assertEqual(
                roster.relist(info("BTCUSDT", "ETHUSDT", *new), 1.0), Change(new, ("BTCUSDT", "ETHUSDT", *new))
            )
            self.assertEqual(roster.relist(info(*both), 2.0), Change((), both, ("ETHUSDT",)))
            self.assertEqual(roster.relist(info(*both), 3.0), Change((), both))
            self.assertEqual(roster.relist(info("ETHUSDT", *both), 4.0), Change((), ("BTCUSDT", "ETHUSDT", *new), ()))
        words = [record.getMessage() for record in logged.records]
        self.assertEqual(words, ["listed symbols=NEWUSDT", "delisted symbols=ETHUSDT", "delisted symbols=none"])

    def test_a_listing_of_another_part(self) -> None:
        """Of several collectors each takes up what is listed of its own part, and lets nothing of others' go."""
        mine = Shard(1, 2)
        symbols = sorted(LISTED, key=mine.takes, reverse=True)
        others = [symbol for symbol in symbols if not mine.takes(symbol)]
        roster = Roster(Settings(all_symbols=True, shard=mine), allow_files=self.files)
        begun = roster.first(info(symbols[0], *others), 0.0)
        self.assertEqual(begun, [symbols[0]])
        with self.assertLogs("aster_collect.run.roster", "INFO"):
            change = roster.relist(info(symbols[0], symbols[1]), 1.0)
        self.assertEqual(change, Change((symbols[1],), (symbols[0], symbols[1])))

    def test_a_symbol_that_is_halted_for_a_while(self) -> None:
        """It is gone for good when no list of a whole day has had it; what comes back before begins that day anew."""
        roster = self.roster("BTCUSDT", "ETHUSDT")
        with self.assertLogs("aster_collect.run.roster", "INFO"):
            roster.relist(info("BTCUSDT"), 0.0)
            roster.relist(info("BTCUSDT", "ETHUSDT"), GONE_S - 2.0)
            roster.relist(info("BTCUSDT"), GONE_S - 1.0)
            roster.relist(info("BTCUSDT"), 2 * GONE_S - 2.0)
        self.assertEqual(roster.gone(2 * GONE_S - 2.0), set())
        self.assertEqual(roster.gone(2 * GONE_S - 1.0), {"ETHUSDT"})

    def test_a_list_without_anything(self) -> None:
        """A list in which nothing trades says nothing of a symbol: maintenance delists none."""
        roster = self.roster("BTCUSDT")
        with self.assertLogs("aster_collect.run.roster", "WARNING"):
            self.assertEqual(roster.relist(info(), 0.0), Change())
        self.assertEqual(roster.gone(GONE_S), set())

    def test_a_listing_that_has_no_room_for_its_files(self) -> None:
        """A symbol whose files can't be open is not collected now, and is new again in an hour."""
        roster = self.roster("BTCUSDT")
        self.files.symbols = 1
        with self.assertLogs("aster_collect.run.roster", "ERROR"):
            self.assertEqual(roster.relist(info("BTCUSDT", "NEWUSDT"), 0.0), Change((), ("BTCUSDT",)))
        self.files.symbols = 2
        listed = roster.relist(info("BTCUSDT", "NEWUSDT"), 1.0)
        self.assertEqual(listed, Change(("NEWUSDT",), ("BTCUSDT", "NEWUSDT")))


class NamedSymbols(Case):
    def test_one_that_is_halted_at_the_start(self) -> None:
        """It is looked for each hour, and collected once it trades; then the list is asked for no more."""
        both = ("BTCUSDT", "NEWUSDT")
        roster = Roster(Settings(symbols=both), allow_files=self.files)
        with self.assertLogs("aster_collect.run", "INFO"):
            self.assertEqual(roster.first(info("BTCUSDT", NEWUSDT="PENDING"), 0.0), ["BTCUSDT"])
            self.assertTrue(roster.wants_list(RELIST_S, 0.0))
            self.assertEqual(roster.relist(info("BTCUSDT", NEWUSDT="PENDING"), RELIST_S), Change((), ("BTCUSDT",)))
            self.assertTrue(roster.wants_list(2 * RELIST_S, 0.0))
            self.assertEqual(roster.relist(info("ETHUSDT", *both), 2 * RELIST_S), Change(("NEWUSDT",), both))
        self.assertEqual(roster.again_s, math.inf)

    def test_the_others_are_halted_meanwhile(self) -> None:
        """Who was named is never let go of, and of a list without it nothing is concluded."""
        roster = Roster(Settings(symbols=("BTCUSDT", "NEWUSDT")), allow_files=self.files)
        with self.assertLogs("aster_collect.run", "INFO"):
            roster.first(info("BTCUSDT", NEWUSDT="PENDING"), 0.0)
            self.assertEqual(roster.relist(info(BTCUSDT="SETTLING", NEWUSDT="PENDING"), 0.0), Change())
            self.assertEqual(roster.relist(info("ETHUSDT"), 0.0), Change())
            self.assertEqual(roster.relist(info("NEWUSDT"), 0.0), Change(("NEWUSDT",), ("NEWUSDT",)))
        self.assertEqual(roster.gone(GONE_S), set())

    def test_all_of_them_trade(self) -> None:
        """There is nothing to look for."""
        roster = Roster(Settings(symbols=("BTCUSDT",)), allow_files=self.files)
        roster.first(info("BTCUSDT"), 0.0)
        self.assertEqual(roster.again_s, math.inf)


if __name__ == "__main__":
    unittest.main()
