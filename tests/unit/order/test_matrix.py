"""Whatever goes wrong, what the exchange made is in the files once and in order, or in the ledger: in virtual time."""

import logging
import unittest
from collections.abc import Mapping
from random import Random

from tests.support import rounds

from .faults import FAULTS
from .judge import judge
from .world import Fault, Setup, World

WORLDS = 40
FAULTS_A_WORLD = 25
OTHERS = ("mark", "fills", "liquidations", "open-interest")


class Case(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable(logging.ERROR)
        self.addCleanup(logging.disable, logging.NOTSET)

    def assert_good(self, world: World, seed: int) -> None:
        wrong = judge(world)
        story = "\n".join(["", *wrong[:12], f"seed {seed}, {world.setup}", *world.faults])
        self.assertFalse(wrong, story)


def lived(chance: Random, faults: Mapping[str, Fault], count: int) -> World:
    """Return a world of any kind that has lived through so many of these faults."""
    kinds = Setup().kinds + tuple(kind for kind in OTHERS if chance.random() < 0.4)
    world = World(chance, Setup(kinds, chance.choice((1, 2)), every_symbol=chance.random() < 0.3))
    names = [chance.choice(list(faults)) for _ in range(count)]
    world.play((chance.uniform(0.5, 8), name, faults[name]) for name in names)
    return world


class Matrix(Case):
    is_long = True

    def test_a_thousand_faults(self) -> None:
        """Every loss is in the ledger, no row is there twice, and all are in order, whatever happens together."""
        for seed, chance in rounds(WORLDS):
            self.assert_good(lived(chance, FAULTS, FAULTS_A_WORLD), seed)
