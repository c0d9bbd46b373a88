"""Symbols share as few connections as they can, over years of listings, and are never without one; time is virtual."""

import heapq
import unittest
from collections.abc import Sequence
from itertools import count
from random import Random

from aster_collect.exchange.subscribe import Group
from aster_collect.run.fleet import Carrier, Fleet
from tests.support import rounds

MOST = 66  # symbols a connection
HOUR_S = 3600.0
YEAR_H = 365 * 24
SYMBOLS = 300
OLDEST_S = 82_800.0
MOST_CONNECTIONS = 2 * SYMBOLS // MOST + 24  # of a copy: each of two could be half full, and one an hour since
TICK = "btcusdt@markPrice@1s"


def divide(symbols: Sequence[str]) -> list[Group]:
    """Return groups of `MOST` symbols, with one stream each and one that ticks."""
    parts = [tuple(symbols[first : first + MOST]) for first in range(0, len(symbols), MOST)]
    return [Group(part, (TICK, *part)) for part in parts]


def names(prefix: str, number: int) -> list[str]:
    """Return so many symbols."""
    return [f"{prefix}{one}" for one in range(number)]


class HandOver(unittest.TestCase):
    def test_listings_of_several_hours(self) -> None:
        """What was listed at different hours shares a connection from the next hand-over on, in the old one's place."""
        fleet = Fleet(1, divide)
        [old, *_] = [carrier for symbol in ("A", "B", "C") for carrier in fleet.carry([symbol])]
        made = fleet.succeed(old.number)
        assert made is not None
        self.assertEqual(made, Carrier(4, 1, 0, Group(("A", "B", "C"), (TICK, "A", "B", "C")), (1, 2, 3)))
        self.assertTrue(all(fleet.ended(number) for number in (1, 2, 3)))
        self.assertEqual([carrier.place for carrier in fleet.carry(["D"])], [2], "a place that ended is free again")

    def test_as_many_as_fit(self) -> None:
        """A successor carries no more than the limits allow; who does not fit keeps its connection."""
        fleet = Fleet(1, divide)
        sizes = {
            carrier.number: len(carrier.group.symbols)
            for size in (40, 30, 20, 5)
            for carrier in fleet.carry(names(f"{size}_", size))
        }
        made = fleet.succeed(1)
        assert made is not None
        self.assertEqual((made.relieves, len(made.group.symbols)), ((1, 4, 3), 65))
        self.assertEqual(sizes, {1: 40, 2: 30, 3: 20, 4: 5})

    def test_a_full_connection(self) -> None:
        """A connection that is full has a successor that carries the same."""
        fleet = Fleet(1, divide)
        full, small = [*fleet.carry(names("S", MOST)), *fleet.carry(["A"])]
        made = fleet.succeed(full.number)
        assert made is not None
        self.assertEqual((made.group, made.relieves), (full.group, (full.number,)))
        self.assertFalse(fleet.ended(small.number), "nobody relieves it")

    def test_two_copies(self) -> None:
        """With two connections at all times a successor relieves those of one copy, and the other copy goes on."""
        fleet = Fleet(2, divide)
        for symbol in ("A", "B"):
            self.assertEqual([carrier.copy for carrier in fleet.carry([symbol])], [0, 1])
        made = [fleet.succeed(1), fleet.succeed(2)]
        self.assertEqual([one and (one.copy, one.relieves, one.group.symbols) for one in made],
                         [(0, (1, 3), ("A", "B")), (1, (2, 4), ("A", "B"))])  # fmt: skip

    def test_what_is_under_way(self) -> None:
        """A connection has one successor, and who relieves others, or is relieved, is no part of another hand-over."""
        fleet = Fleet(1, divide)
        for symbol in ("A", "B"):
            fleet.carry([symbol])
        first = fleet.succeed(1)
        assert first is not None
        fleet.carry(["C"])
        self.assertIsNone(fleet.succeed(1))
        self.assertIsNone(fleet.succeed(2))
        second = fleet.succeed(4)
        assert second is not None
        self.assertEqual(second.relieves, (4,))
        for number in first.relieves:
            fleet.ended(number)
        third = fleet.succeed(first.number)
        assert third is not None
        self.assertEqual(third.group.symbols, ("A", "B"), "the successor of the fourth has not relieved it yet")

    def test_a_predecessor_that_is_lost_meanwhile(self) -> None:
        """It may end: its successor is on the way; one without a successor may not."""
        fleet = Fleet(1, divide)
        fleet.carry(["A"])
        fleet.succeed(1)
        self.assertTrue(fleet.ended(1))
        self.assertIsNone(fleet.succeed(1))
        self.assertFalse(fleet.ended(2))

    def test_streams_that_bring_all_symbols(self) -> None:
        """Their connection is made once, and handed over for itself."""
        everyone = Group((), ("!markPrice@arr@1s",))
        fleet = Fleet(1, lambda symbols: [everyone, *divide(symbols)])
        self.assertEqual([carrier.group.symbols for carrier in fleet.carry(["A"])], [(), ("A",)])
        self.assertEqual([carrier.group.symbols for carrier in fleet.carry(["B"])], [("B",)])
        made = [fleet.succeed(2), fleet.succeed(1)]
        self.assertEqual([one and (one.group.symbols, one.relieves) for one in made],
                         [(("A", "B"), (2, 3)), ((), (1,))])  # fmt: skip


class Delisted(unittest.TestCase):
    def test_a_symbol_that_is_gone(self) -> None:
        """It is left out at the next hand-over; listed again, it is carried again."""
        fleet = Fleet(1, divide)
        fleet.carry(["A", "B"])
        made = fleet.succeed(1, {"B"})
        assert made is not None
        self.assertEqual(made.group.symbols, ("A",))
        self.assertEqual([one.group.symbols for one in fleet.carry(["A", "B"])], [("B",)])
        self.assertEqual(fleet.carry(["A", "B"]), [])

    def test_one_of_two_copies_has_left_it_out(self) -> None:
        """Listed again, it is carried again by the copy that lacks it, and by no other."""
        fleet = Fleet(2, divide)
        fleet.carry(["A", "B"])
        fleet.succeed(2, {"B"})
        self.assertEqual([(one.copy, one.group.symbols) for one in fleet.carry(["A", "B"])], [(1, ("B",))])

    def test_a_connection_whose_symbols_are_all_gone(self) -> None:
        """It ends with another's hand-over, or takes the next smallest along; alone it stays as it is."""
        fleet = Fleet(1, divide)
        fleet.carry(["A"])
        self.assertIsNone(fleet.succeed(1, {"A"}))
        self.assertEqual(fleet.carry(["A"]), [])
        fleet.carry(["B"])
        made = fleet.succeed(1, {"A"})
        assert made is not None
        self.assertEqual((made.group.symbols, made.relieves), (("B",), (1, 2)))


class Year:
    """A model of the exchange, the connections and the roster, by the hour; events in the order of their times."""

    def __init__(self, random: Random, copies: int) -> None:
        self.fleet = Fleet(copies, divide)
        self.copies = copies
        self.listed = set(names("S", SYMBOLS))
        self.gone: set[str] = set()
        self.made: dict[int, Carrier] = {}
        self.delivers: set[int] = set()
        self.most = 0
        self._random = random
        self._names = (f"N{number}" for number in count())
        self._events: list[tuple[float, int, str, int]] = []
        self._serial = count()
        self.connect(self.fleet.carry(sorted(self.listed)), 0.0)

    def later(self, at_s: float, what: str, number: int) -> None:
        heapq.heappush(self._events, (at_s, next(self._serial), what, number))

    def connect(self, carriers: list[Carrier], now_s: float) -> None:
        """Have connections made: they deliver after a while, sometimes of hours."""
        for carrier in carriers:
            self.made[carrier.number] = carrier
            delay_s = self._random.choice((0.5,) * 30 + (60.0, 5 * HOUR_S))
            self.later(now_s + delay_s, "delivers", carrier.number)

    def run_until(self, end_s: float) -> None:
        while self._events and self._events[0][0] < end_s:
            now_s, _, what, number = heapq.heappop(self._events)
            if number in self.made:
                {"delivers": self.begins, "ages": self.ages, "ends": self.ends}[what](number, now_s)

    def begins(self, number: int, now_s: float) -> None:
        self.delivers.add(number)
        self.later(now_s + OLDEST_S * (1 - 0.1 * self._random.random()), "ages", number)
        for former in self.made[number].relieves:
            self.later(now_s + 1.5, "ends", former)

    def ages(self, number: int, now_s: float) -> None:
        successor = self.fleet.succeed(number, self.gone)
        if successor is None:
            self.later(now_s + HOUR_S, "ages", number)
            return
        self.connect([successor], now_s)
        if not self._random.randrange(10):  # lost, and not made again
            for former in successor.relieves:
                self.later(now_s + 0.1, "ends", former)

    def ends(self, number: int, now_s: float) -> None:
        assert self.fleet.ended(number), "it was relieved"
        del self.made[number]
        self.delivers.discard(number)

    def hour(self, hour: int) -> None:
        """Let the list be read: as many come as go, and now and then one comes back."""
        self.run_until(hour * HOUR_S)
        for _ in range(self._random.choice((0, 1, 1, 2))):
            self.swap(next(self._names))
        if self.gone and not self._random.randrange(50):
            self.swap(self._random.choice(sorted(self.gone)))
        self.connect(self.fleet.carry(sorted(self.listed)), hour * HOUR_S)
        self.most = max(self.most, len(self.made))

    def swap(self, symbol: str) -> None:
        """List a symbol, and delist another."""
        ends = self._random.choice(sorted(self.listed))
        self.listed ^= {symbol, ends}
        self.gone.discard(symbol)
        self.gone.add(ends)


class AYearOfListings(unittest.TestCase):
    def test_connections_stay_few(self) -> None:
        """With a listing each hour for a year, failures and losses, every symbol is carried, by few connections."""
        for seed, random in rounds(1):
            for copies in (1, 2):
                with self.subTest(seed=seed, copies=copies):
                    self.check(Year(random, copies))

    def check(self, year: Year) -> None:
        for hour in range(1, YEAR_H):
            year.hour(hour)
            self.assertLessEqual(year.most, year.copies * MOST_CONNECTIONS)
            if hour % 24:
                continue
            carriers = list(year.made.values())
            for copy in range(year.copies):
                carried = {symbol for one in carriers if one.copy == copy for symbol in one.group.symbols}
                self.assertLessEqual(year.listed, carried)
            self.assertLessEqual(max(len(one.group.symbols) for one in carriers), MOST)
            self.assertLessEqual(max(one.place for one in carriers), year.most)


if __name__ == "__main__":
    unittest.main()
