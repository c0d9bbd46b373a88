"""A replay of what was recorded writes the files that the runs wrote, whatever had happened to them."""

import logging
import tempfile
import unittest
from pathlib import Path
from random import Random

from tests.support import rounds
from tests.unit.order.faults import FAULTS, OF_CLOCKS
from tests.unit.order.test_matrix import OTHERS
from tests.unit.order.world import Setup
from tests.unit.run.recorded import RecordedWorld, differences, replayed

WORLDS = 8
FAULTS_A_WORLD = 15
KNOWN = {**FAULTS, **OF_CLOCKS}


class Case(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.base = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def lived(self, seed: int, chance: Random) -> RecordedWorld:
        """Return a world of any kind that was recorded through some faults."""
        kinds = Setup().kinds + tuple(kind for kind in OTHERS if chance.random() < 0.4)
        setup = Setup(kinds, chance.choice((1, 2)), every_symbol=chance.random() < 0.3)
        options = {
            "receive_time": chance.random() < 0.5,
            "quantities": chance.random() < 0.5,
            "rotate": chance.choice(("none", "hour")),
        }
        world = RecordedWorld(chance, setup, self.base / f"{seed}", **options)
        names = [chance.choice(list(KNOWN)) for _ in range(FAULTS_A_WORLD)]
        world.play((chance.uniform(0.5, 8), name, KNOWN[name]) for name in names)
        world.end()
        return world


class TheSameBytes(Case):
    is_long = True

    def test_a_hundred_faults(self) -> None:
        """Every file of the runs is in the replay, of the same name, to the last byte, and no other is."""
        for seed, chance in rounds(WORLDS):
            world = self.lived(seed, chance)
            again = self.base / f"{seed}-again"
            replayed(world.lines_of_record, again)
            wrong = differences(world.settings.data_dir, again)
            self.assertFalse(wrong, "\n".join(["", *wrong[:12], f"seed {seed}, {world.settings}", *world.faults]))


if __name__ == "__main__":
    unittest.main()
