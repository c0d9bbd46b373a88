"""Any true files of a full book hold, and what they prove is known; any one damage to them is found."""

import json
import random
import unittest
from collections.abc import Callable

from tests.support import rounds
from tests.unit.verify.book_market import Market
from tests.unit.verify.test_verify import BOOK, PRICES, Case, Lines

Damage = Callable[[Market, random.Random], bool]


class RandomBook(Case):
    def test_any_true_files(self) -> None:
        """They hold, and the full book proves all rows at its ids outside the ledger's stretches, and no others."""
        for seed, chance in rounds(60):
            market = Market(chance)
            self.files = market.play(chance.choice((1, 9, 80)) if seed % 20 else 4000)
            self.write()
            status, out, _ = self.run_main("--json")
            with self.subTest(seed=seed):
                self.assertEqual(status, 0, out)
                proofs = {one["kind"]: one["proven"] for one in json.loads(out)["histories"]}
                for kind, name in (("orderbook", BOOK), ("prices", PRICES)):
                    proven, rows = len(market.proven(name)), len(self.files[name]) - 1
                    said = {"rows": proven, "unsaid": rows - proven} if rows else None
                    self.assertEqual(proofs[kind], said)

    def test_any_damage(self) -> None:
        """One damage to them is broken."""
        done = dict.fromkeys(DAMAGES, 0)
        for seed, chance in rounds(20):
            for damage in DAMAGES:
                market = Market(chance)
                market.play(60)
                if not damage(market, chance):
                    continue  # there was nothing of the kind
                done[damage] += 1
                self.files = market.files()
                self.write()
                with self.subTest(seed=seed, damage=damage.__name__):
                    status, out, _ = self.run_main()
                    self.assertEqual(status, 1, out)
        self.assertEqual([damage.__name__ for damage, times in done.items() if times < 5], [])


def joined_row(market: Market, chance: random.Random) -> tuple[Lines, int]:
    """Return a file and the index of a row that names the one before it."""
    number, at = chance.choice(market.joined)
    return market.depth[number], at


def remove_a_row(market: Market, chance: random.Random) -> bool:
    lines, at = joined_row(market, chance)
    del lines[at - 1]
    return True


def swap_two_rows(market: Market, chance: random.Random) -> bool:
    lines, at = joined_row(market, chance)
    lines[at - 1], lines[at] = lines[at], lines[at - 1]
    return at > 1


def double_a_row(market: Market, chance: random.Random) -> bool:
    lines, at = joined_row(market, chance)
    lines.insert(at, lines[at])
    return True


def alter_an_id(market: Market, chance: random.Random) -> bool:
    lines, at = joined_row(market, chance)
    cells = lines[at].split(",")
    place = chance.choice((1, 2) if (len(market.depth) - 1, at) != market.joined[-1] else (1,))
    cells[place] = str(int(cells[place]) + chance.choice((-1, 1)))
    lines[at] = ",".join(cells)
    following = lines[at + 1].split(",")[1] if at + 1 < len(lines) else ""
    return place == 1 or bool(following)


def double_a_level(market: Market, chance: random.Random) -> bool:
    lines, at = joined_row(market, chance)
    cells = lines[at].split(",")
    side = 3 if cells[3] else 4
    cells[side] += f";{chance.choice(cells[side].split(';'))}"
    lines[at] = ",".join(cells)
    return True


def cross_the_book(market: Market, chance: random.Random) -> bool:
    """Put in a bid above all asks, where a row of a later time follows."""
    number, at = chance.choice(market.joined)
    if (number, at + 1) not in market.joined:
        return False
    cells = market.depth[number][at].split(",")
    cells[3] = ";".join(filter(None, (cells[3], "99999999 1")))
    market.depth[number][at] = ",".join(cells)
    return True


def begin_a_file_with_another_book(market: Market, chance: random.Random) -> bool:
    ends = [lines[-1].split(",")[2] for lines in market.depth]
    begun = [(lines, end) for lines, end in zip(market.depth[1:], ends, strict=False) if len(lines) > 1]
    opened = [lines for lines, end in begun if lines[1].split(",")[2] == end]
    if not opened:
        return False
    lines = chance.choice(opened)
    lines[1] = alter_a_quantity(lines[1], chance)
    return True


def lose_a_ledger_row(market: Market, chance: random.Random) -> bool:
    if len(market.ledger) < 2:
        return False
    del market.ledger[chance.randrange(1, len(market.ledger))]
    return True


def alter_an_order_book(market: Market, chance: random.Random) -> bool:
    return alter_what_is_shown(market, chance, BOOK)


def alter_a_quote(market: Market, chance: random.Random) -> bool:
    return alter_what_is_shown(market, chance, PRICES)


def alter_what_is_shown(market: Market, chance: random.Random, name: str) -> bool:
    if not (proven := market.proven(name)):
        return False
    lines, at = market.files()[name], chance.choice(proven)
    lines[at] = alter_a_quantity(lines[at], chance)
    return True


def alter_a_quantity(line: str, chance: random.Random) -> str:
    """Return a line with another quantity; those of the market end with .0, which nothing else does."""
    places = [at for at in range(len(line)) if line.startswith(".0", at) and line[at + 2 : at + 3] in (",", ";", "")]
    at = chance.choice(places)
    return f"{line[: at + 1]}{chance.randrange(1, 10)}{line[at + 2 :]}"


DAMAGES: list[Damage] = [
    remove_a_row,
    swap_two_rows,
    double_a_row,
    alter_an_id,
    double_a_level,
    cross_the_book,
    begin_a_file_with_another_book,
    lose_a_ledger_row,
    alter_an_order_book,
    alter_a_quote,
]


if __name__ == "__main__":
    unittest.main()
