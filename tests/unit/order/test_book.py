"""A full book kept as text is the true one at each update id, and differs from no other."""

import random
import unittest
from decimal import Decimal

from aster_collect.exchange.streams.depth import SNAPSHOT, Diff
from aster_collect.order.book import Book
from tests.support import rounds

Side = dict[Decimal, str]


def text(levels: Side, *, falling: bool = False) -> str:
    """Return a side as its row has it."""
    return ";".join(f"{price} {levels[price]}" for price in sorted(levels, reverse=falling))


class Market:
    """A book that changes at random, and what it was at each id."""

    def __init__(self, chance: random.Random, levels: int = 6) -> None:
        self.chance, self.id = chance, 100
        self.sides: tuple[Side, Side] = ({}, {})
        for _ in range(levels):
            self.touch()
        self.was = {self.id: tuple(map(dict, self.sides))}

    def touch(self) -> tuple[int, Decimal]:
        """Change one level; return which."""
        side = self.chance.randrange(2)
        price = Decimal(self.chance.randrange(1, 30)).scaleb(-1)
        if self.chance.random() < 0.4:
            self.sides[side].pop(price, None)
        else:
            self.sides[side][price] = f"{self.chance.randrange(1, 9)}.0"
        return side, price

    def change(self) -> Diff:
        """Change a few levels; return the change, which also takes away what is not there."""
        before, self.id = self.id, self.id + self.chance.randrange(1, 4)
        touched = [self.touch() for _ in range(self.chance.randrange(4))]
        self.was[self.id] = tuple(map(dict, self.sides))
        bids, asks = (
            ";".join(f"{p} {self.sides[at].get(p, '0.00')}" for p in dict.fromkeys(p for s, p in touched if s == at))
            for at in (0, 1)
        )
        return Diff(self.id, self.id * 10, before, bids, asks)

    def snapshot(self, update_id: int) -> Diff:
        """Return what the exchange would say of the book at an id."""
        bids, asks = self.was[update_id]
        return Diff(update_id, update_id * 10, SNAPSHOT, text(bids, falling=True), text(asks))


class AnyBook(unittest.TestCase):
    def test_each_id_that_is_kept_shows_the_true_book(self) -> None:
        """Whatever changes, and whenever it is put together, what a file would begin with is the book before it."""
        for seed, chance in rounds(60):
            market = Market(chance)
            book = Book(market.snapshot(market.id))
            changes: list[Diff] = []
            for _ in range(chance.randrange(1, 40)):
                changes.append(market.change())
                book.apply(changes[-1])
                if chance.random() < 0.1:
                    book.fold(0)
                    changes.clear()
                for change in changes:
                    with self.subTest(seed=seed, id=change.previous_id):
                        true = market.snapshot(change.previous_id)
                        self.assertEqual(book.opening(change), true._replace(time_ms=change.time_ms))
                        self.assertIs(book.differs(market.snapshot(change.id)), False)

    def test_a_snapshot_within_a_change_says_nothing_of_its_levels(self) -> None:
        """Of all others it does; one level that lacks, is too many, or has another quantity is a difference."""
        for seed, chance in rounds(60):
            market = Market(chance)
            book = Book(market.snapshot(market.id))
            market.id += 5
            before = market.snapshot(market.id - 5)._replace(id=market.id - 2)
            change = market.change()._replace(previous_id=market.id - 5)
            book.apply(change._replace(previous_id=before.id - 3))
            touched = {one.split(" ")[0] for one in change.bids.split(";")}
            levels = [one for one in before.bids.split(";") if one and one.split(" ")[0] not in touched]
            with self.subTest(seed=seed):
                self.assertIs(book.differs(before), False)
                if not levels:
                    continue
                one = chance.choice(levels)
                for other in (before.bids.replace(one, f"{one}1"), ";".join(x for x in levels if x != one)):
                    self.assertIs(book.differs(before._replace(bids=other)), True)

    def test_a_snapshot_from_before_all_that_is_kept_can_not_be_compared(self) -> None:
        """Of an id that was put together nothing can be said."""
        market = Market(random.Random(1))
        book = Book(market.snapshot(market.id))
        for _ in range(3):
            book.apply(market.change())
        book.fold(0)
        self.assertIsNone(book.differs(market.snapshot(100)))
        self.assertIs(book.differs(market.snapshot(market.id)), False)


class BeyondAThousandLevels(unittest.TestCase):
    def test_what_neither_shows_is_no_difference(self) -> None:
        """A snapshot has at most 1000 levels a side: what lies beyond is unknown until it is touched."""
        bids = [f"{9000 - at}.0 1" for at in range(1003)]
        book = Book(Diff(1, 1, SNAPSHOT, ";".join(bids[:1000]), ""))
        self.assertIs(book.differs(Diff(1, 1, SNAPSHOT, ";".join(bids[:1000]), "")), False)
        book.apply(Diff(2, 2, 1, f"9000.0 0;{bids[1002]}", ""))
        self.assertIs(book.differs(Diff(2, 2, SNAPSHOT, ";".join(bids[1:1001]), "")), False)
        self.assertIs(book.differs(Diff(2, 2, SNAPSHOT, ";".join(bids[2:1002]), "")), True)
        opening = book.opening(Diff(3, 3, 2, "", ""))
        assert opening is not None
        self.assertEqual(opening.bids.count(";"), 999)

    def test_a_price_is_one_however_many_zeros_end_it(self) -> None:
        """Where prices have different decimals they are compared as numbers."""
        book = Book(Diff(1, 1, SNAPSHOT, "2.50 1;2 1", "3 1"))
        book.apply(Diff(2, 2, 1, "2.5 0;2.0 7", "3.00 2"))
        opening = book.opening(Diff(3, 3, 2, "", ""))
        assert opening is not None
        self.assertEqual((opening.bids, opening.asks), ("2.0 7", "3.00 2"))

    def test_a_snapshot_is_no_change_to_begin_before(self) -> None:
        """A file that begins with one needs nothing before it."""
        snapshot = Diff(1, 1, SNAPSHOT, "", "")
        self.assertIsNone(Book(snapshot).opening(snapshot))
