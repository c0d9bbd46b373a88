"""An export that is killed at any moment leaves whole files alone, and the next one goes on from there."""

import shutil
import unittest

from tests.killed import killed_at
from tests.support import rounds
from tests.unit.export.lake import DAYS, NOON, LakeCase, trade

KILLS = 25


class Killed(LakeCase):
    def test_at_any_moment(self) -> None:
        """What bears a name is whole by then; run again, all is there, and nothing that was left over."""
        for number, day in enumerate(DAYS):
            self.put(
                "trades", [trade(n, NOON[day] + n) for n in range(number * 10, number * 10 + 10)], day, packed=True
            )
        self.export()
        wanted = {day: self.ids_of(day) for day in DAYS}
        whole = self.names()
        steps = self.steps()
        left = 0
        for seed, chance in rounds(KILLS):
            shutil.rmtree(self.out)
            step = chance.randrange(steps)
            with self.subTest(seed=seed, step=step):
                self.assertTrue(killed_at(step, self.export))
                left += sum(path.name.startswith(".") for path in self.out.rglob("*.aside"))
                there = [day for day in DAYS if self.part(day).exists()]
                self.assertEqual({day: self.ids_of(day) for day in there}, {day: wanted[day] for day in there})
                self.assertEqual(self.wrote(), [day for day in DAYS if day not in there])
                self.assertEqual(self.names(), whole)
        self.assertGreater(left, 0, "no kill came while a file was written")

    def steps(self) -> int:
        """Return how many lines of the program an export goes through, to within some."""
        low, high = 0, 1 << 14
        while high - low > 16:
            shutil.rmtree(self.out)
            middle = (low + high) // 2
            low, high = (middle, high) if killed_at(middle, self.export) else (low, middle)
        self.export()
        return low


if __name__ == "__main__":
    unittest.main()
