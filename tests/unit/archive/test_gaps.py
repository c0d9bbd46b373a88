"""The ledger as disjoint stretches and ranges says what its rows say, and nothing twice."""

import random
import unittest
from itertools import pairwise

from aster_collect.archive.gaps import gaps_of
from aster_collect.archive.moment import milliseconds
from aster_collect.exchange.events import Gap
from tests.support import rounds


class Joined(unittest.TestCase):
    def test_any_rows(self) -> None:
        """Moments and ids within them are those within the rows; they are sorted, apart, and have the rows' causes."""
        for seed, chance in rounds(300):
            with self.subTest(seed=seed):
                rows = [self.row(chance) for _ in range(chance.randrange(8))]
                stretches, ids = gaps_of(rows)
                at = [(milliseconds(one.start), milliseconds(one.end)) for one in stretches]
                self.assertEqual(
                    {ms for start, end in at for ms in range(start, end)},
                    {ms for row in rows for ms in range(row.from_ms, row.to_ms)},
                )
                self.assertTrue(all(end < start for (_, end), (start, _) in pairwise(at)))
                for one, (start, end) in zip(stretches, at, strict=True):
                    causes = [row.cause for row in rows if start <= row.from_ms <= end]
                    self.assertEqual(sorted(one.causes), sorted(set(causes)))
                self.assertEqual(
                    {number for one in ids for number in range(one.first, one.last + 1)},
                    {
                        number
                        for row in rows
                        if row.first_missing_id and row.last_missing_id
                        for number in range(row.first_missing_id, row.last_missing_id + 1)
                    },
                )
                self.assertTrue(all(one.last + 1 < other.first for one, other in pairwise(ids)))

    def row(self, chance: random.Random) -> Gap:
        start, first = chance.randrange(50), chance.choice((None, chance.randrange(1, 50)))
        last = None if first is None else first + chance.randrange(9)
        return Gap("trades", start, start + chance.randrange(15), first, last, chance.choice(("restart", "late")))


if __name__ == "__main__":
    unittest.main()
