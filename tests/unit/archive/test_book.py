"""A side of the full book holds what a plain list of its levels would."""

import random
import unittest
from decimal import Decimal

from aster_collect.archive.book import Book
from tests.support import rounds


class Sides(unittest.TestCase):
    def test_any_changes(self) -> None:
        """Behind any changes its levels are those set last and not to zero, in order, as they were written."""
        for seed, chance in rounds(200):
            with self.subTest(seed=seed):
                book, plain = Book(), ({}, {})  # type: tuple[Book, tuple[dict[Decimal, str], dict[Decimal, str]]]
                book.begin(b"", b"")
                for _ in range(chance.randrange(1, 30)):
                    changes = [self.levels(chance), self.levels(chance)]
                    book.change(*(";".join(levels).encode() for levels in changes))
                    for levels, side in zip(changes, plain, strict=True):
                        self.apply(levels, side)
                bids, asks = plain
                self.assertEqual(book.bids.all(), [bids[price].encode() for price in sorted(bids, reverse=True)])
                self.assertEqual(book.asks.all(), [asks[price].encode() for price in sorted(asks)])
                self.assertEqual(book.asks.top(2), [asks[price].encode() for price in sorted(asks)[:2]])
                self.assertEqual(book.is_crossed, bool(bids and asks) and max(bids) >= min(asks))

    def levels(self, chance: random.Random) -> list[str]:
        """Return some changed levels, now and then in other decimals than before."""
        prices = chance.sample(range(1, 30), chance.randrange(5))
        return [
            f"{price / 10:.{chance.choice((1, 1, 2))}f} {chance.choice(('0', '0.000', '0.010', '10', '7.5'))}"
            for price in prices
        ]

    def apply(self, levels: list[str], side: dict[Decimal, str]) -> None:
        for level in levels:
            price, quantity = map(Decimal, level.split(" "))
            side[price] = level
            if not quantity:
                del side[price]


if __name__ == "__main__":
    unittest.main()
