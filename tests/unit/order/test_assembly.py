"""Trades go out by id, and what is held behind a hole is not looked at for each that fills it."""

import unittest
from collections.abc import Iterator

from aster_collect.exchange.streams.trades import Trade
from aster_collect.order.assembly import Assembly


class Counted(dict[int, Trade]):
    """Held trades that count how often somebody goes through all of them."""

    looks = 0

    def __iter__(self) -> Iterator[int]:
        self.looks += 1
        return super().__iter__()


class Holes(unittest.TestCase):
    def test_a_page_in_front_of_many_held_trades(self) -> None:
        """Each row of it goes out at once, and no more than one looks at what is held; the last lets all of it go."""
        assembly = Assembly([])
        assembly.held = held = Counted()
        assembly.go_on(1)
        for number in (*range(101, 400), *range(401, 500)):
            self.assertFalse(assembly.put(trade(number)))
        for number in range(1, 101):
            self.assertTrue(assembly.put(trade(number)))
        self.assertEqual(1, held.looks)
        self.assertEqual([*range(1, 400)], [one.id for one in assembly.released])
        self.assertEqual((400, 401, 1), (assembly.next, assembly.first_held, assembly.hole))


def trade(number: int) -> Trade:
    return Trade(number, 1_000_000 + number, "buy", "1.5", "2")


if __name__ == "__main__":
    unittest.main()
