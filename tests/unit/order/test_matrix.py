"""Whatever goes wrong, what the exchange made is in the files once and in order, or in the ledger: in virtual time."""

import logging
import unittest
from collections import Counter
from collections.abc import Mapping
from random import Random

from tests.support import rounds

from . import faults
from .faults import FAULTS, OF_CLOCKS
from .judge import judge
from .world import BOUNDS, Fault, Setup, World

WORLDS = 40
FAULTS_A_WORLD = 25
OTHERS = ("mark", "fills", "liquidations", "open-interest")
CALM = Setup()
EVERY = (*CALM.kinds, *OTHERS)


class Case(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable(logging.ERROR)
        self.addCleanup(logging.disable, logging.NOTSET)

    def assert_good(self, world: World, seed: int) -> None:
        wrong = judge(world)
        story = "\n".join(["", *wrong[:12], f"seed {seed}, {world.setup}", *world.faults])
        self.assertFalse(wrong, story)


def lived(chance: Random, known: Mapping[str, Fault], count: int) -> World:
    """Return a world of any kind that has lived through so many of these faults."""
    kinds = Setup().kinds + tuple(kind for kind in OTHERS if chance.random() < 0.4)
    world = World(chance, Setup(kinds, chance.choice((1, 2)), every_symbol=chance.random() < 0.3))
    names = [chance.choice(list(known)) for _ in range(count)]
    world.play((chance.uniform(0.5, 8), name, known[name]) for name in names)
    return world


def causes(world: World, kind: str) -> Counter[str]:
    """Return how many rows of the ledgers say what of a kind."""
    symbols = world.exchange.markets
    return Counter(row[5] for symbol in symbols for row in world.disk.ledger(symbol) if row[0] == kind)


class Matrix(Case):
    is_long = True

    def test_a_thousand_faults(self) -> None:
        """Every loss is in the ledger, no row is there twice, and all are in order, whatever happens together."""
        for seed, chance in rounds(WORLDS):
            self.assert_good(lived(chance, FAULTS, FAULTS_A_WORLD), seed)


class OneAtATime(Case):
    """What the tests of the whole program show, by the same judge as all of it together."""

    def live(self, *faults: tuple[float, Fault], setup: Setup = CALM) -> World:
        """Return a world that has lived through these faults, each so many seconds after the one before."""
        for seed, chance in rounds(2):
            world = World(chance, setup)
            world.play((after_s, fault.__name__, fault) for after_s, fault in faults)
            self.assert_good(world, seed)
        return world

    def causes(self, world: World) -> dict[str, int]:
        """Return what the ledgers say of trades."""
        return dict(causes(world, "trades"))

    def test_nothing_goes_wrong(self) -> None:
        """The ledger has no row, and no trade is asked for but the past of the first of each symbol."""
        world = self.live()
        self.assertEqual([world.disk.ledger(symbol) for symbol in world.exchange.markets], [[], [], []])
        self.assertLess(world.desk.asked, 10)

    def test_thirty_ends_of_connections(self) -> None:
        """Trades stay whole, and quotes are in the ledger for as long as nobody brought them."""
        ends = [(3.0, fault) for fault in (faults.drop, faults.stall, faults.refuse) * 10]
        world = self.live(*ends)
        self.assertEqual(self.causes(world), {})
        self.assertGreater(causes(world, "prices")["reconnect"], 0)

    def test_two_connections_of_which_either_ends_again_and_again(self) -> None:
        """Nothing is missing while one of them delivers."""
        ends = [(4.0, ending(place)) for place in (0, 1) * 8]
        world = self.live(*ends, setup=CALM._replace(redundancy=2))
        self.assertEqual([world.disk.ledger(symbol) for symbol in world.exchange.markets], [[], [], []])

    def test_the_slower_of_two_connections_brings_what_the_other_lacks(self) -> None:
        """It finds its place: no later event is written while it may come."""
        both = ((5.0, stalling(1)), (1.0, ending(0)), (9.0, ending(1)))
        world = self.live(*both * 4, setup=CALM._replace(kinds=EVERY, redundancy=2))
        self.assertEqual([world.disk.ledger(symbol) for symbol in world.exchange.markets], [[], [], []])

    def test_a_kill_while_only_a_stalled_connection_could_fill_an_outage(self) -> None:
        """No row is on disk behind an outage before the ledger tells of it."""
        ends = ((5.0, stalling(1)), (1.0, ending(0)), (4.5, faults.kill))
        world = self.live(*ends * 4, setup=CALM._replace(kinds=EVERY, redundancy=2))
        self.assertGreater(causes(world, "prices")["restart"], 0)

    def test_hand_overs_every_few_seconds(self) -> None:
        """A successor that delivers before its predecessor ends leaves nothing out, and nothing twice."""
        for redundancy in (1, 2):
            world = self.live(*[(5.0, faults.hand_over)] * 8, setup=CALM._replace(redundancy=redundancy))
            self.assertEqual([world.disk.ledger(symbol) for symbol in world.exchange.markets], [[], [], []])

    def test_listings_that_share_connections_from_a_hand_over_on(self) -> None:
        """What is listed at different hours is carried together then, through the ends of connections after it."""
        later = [(3.0, fault) for fault in (faults.merge, faults.drop, faults.new_symbol, faults.merge, faults.stop)]
        world = self.live((3.0, faults.new_symbol), (3.0, faults.new_symbol), *later)
        self.assertEqual(len(world.engine.lanes.symbols), 6)
        self.assertEqual(self.causes(world), {})

    def test_frames_are_lost_doubled_and_change_places(self) -> None:
        """Trades are fetched, and all is there once and in order."""
        world = self.live(*[(3.0, fault) for fault in (faults.skip, faults.double, faults.swap) * 5])
        self.assertEqual(self.causes(world), {})

    def test_stops_and_kills(self) -> None:
        """Trades stay whole, and what was not written or not collected of all else is in the ledger."""
        ends = (faults.stop, faults.kill, faults.kill_in_flush, faults.stop)
        world = self.live(*[(8.0, fault) for fault in ends * 3])
        self.assertLessEqual(set(self.causes(world)), {"not-asked"})
        self.assertGreater(causes(world, "orderbook")["restart"], 0)

    def test_a_front_server_that_is_behind_at_a_restart(self) -> None:
        """What it brings again is not written again."""
        self.live((3.0, behind_by(2.5)), (5.0, faults.stop), (9.0, faults.kill), setup=CALM._replace(kinds=EVERY))

    def test_the_exchange_sets_its_clock(self) -> None:
        """What is missing is told in a time that takes in both sides of the step, also with connections lost."""
        for fault in OF_CLOCKS.values():
            for redundancy in (1, 2):
                self.live((4.0, fault), (9.0, fault), setup=CALM._replace(redundancy=redundancy))

    def test_the_clock_is_set_back_and_a_restart_meets_a_server_that_is_behind(self) -> None:
        """Nothing is written twice, and the pause is told though the first frame seems to be of before it."""
        self.live((6.0, set_back), (5.0, behind_by(2.5)), (1.0, faults.stop), (8.0, faults.stop))

    def test_a_full_disk_that_is_freed(self) -> None:
        """It costs nothing while memory holds what waits."""
        world = self.live((3.0, faults.full_disk), (20.0, faults.full_disk))
        self.assertEqual([world.disk.ledger(symbol) for symbol in world.exchange.markets], [[], [], []])

    def test_rest_is_down_for_less_than_the_limit(self) -> None:
        """The trades of an outage come late, and none is missing."""
        moods = ("down", "failing", "odd", "short", "behind")
        world = self.live(*[step for mood in moods for step in ((5.0, resting(mood, 8.0)), (0.1, lossy), (9.0, lossy))])
        self.assertEqual(self.causes(world), {})

    def test_rest_is_down_for_longer_than_the_limit(self) -> None:
        """The trades of an outage are a gap, and collecting goes on."""
        world = self.live((5.0, resting("down", 70.0)), (0.1, lossy), (75.0, lossy))
        self.assertGreater(self.causes(world)["gave-up"], 0)

    def test_more_trades_are_held_than_allowed(self) -> None:
        """The hole in front of them is a gap."""
        bounds = BOUNDS._replace(hold_trades=20, hold_s=1000.0)
        world = self.live((5.0, resting("down", 40.0)), (0.1, lossy), (50.0, lossy), setup=CALM._replace(bounds=bounds))
        self.assertGreater(self.causes(world)["gave-up"], 0)

    def test_rest_has_banned_us(self) -> None:
        """Nothing is asked until it is over, also by the next run."""
        world = self.live((5.0, resting("banning", 9.0)), (0.1, lossy), (4.0, faults.kill), (20.0, lossy))
        self.assertEqual(world.desk.wrongs, [])

    def test_rest_has_forgotten_the_trades(self) -> None:
        """Each hole is a gap once two answers a minute apart have left it out."""
        bounds = BOUNDS._replace(hold_s=1000.0)
        world = self.live((5.0, faults.forget), (100.0, lossy), setup=CALM._replace(bounds=bounds))
        self.assertGreater(self.causes(world)["not-available"], 0)

    def test_only_the_newest_part_of_a_hole_is_wanted(self) -> None:
        """What lies before it is a gap."""
        bounds = BOUNDS._replace(history=0, backfill_limit=5)
        world = self.live((5.0, lossy), (9.0, faults.stop), setup=CALM._replace(bounds=bounds))
        self.assertGreater(self.causes(world)["backfill-limit"], 0)

    def test_rest_is_not_to_be_asked(self) -> None:
        """Every hole is a gap at once, and of an outage the ledger says that nobody knows."""
        bounds = BOUNDS._replace(history=0, backfill_limit=0)
        world = self.live((5.0, lossy), (9.0, faults.stop), setup=CALM._replace(bounds=bounds))
        self.assertGreater(self.causes(world)["backfill-limit"], 0)

    def test_a_quiet_symbol_has_trades_in_an_outage(self) -> None:
        """No live trade shows them: they are asked for."""
        world = self.live((5.0, faults.refuse), (30.0, faults.refuse), setup=CALM._replace(symbols={"QUIETUSDT": 0.05}))
        self.assertEqual(self.causes(world), {})

    def test_books_are_left_out_between_two_that_came(self) -> None:
        """It is counted, since each names the one before it."""
        world = World(Random(1), CALM)
        world.play([(5.0, "without_books", without("orderbook")), (5.0, "with_books", without(""))])
        self.assertGreater(sum(lane.skipped for lane in world.engine.lanes.all.values()), 0)


def lossy(world: World) -> None:
    """Each connection leaves out the next trades."""
    for line in world.conns():
        line.conn.skips = 12


def without(kind: str) -> Fault:
    """No connection brings a kind from now on, and nothing says so."""

    def change(world: World) -> None:
        for line in world.conns():
            line.conn.without = kind

    return change


def set_back(world: World) -> None:
    world.exchange.step_ms -= 30_000


def behind_by(seconds: float) -> Fault:
    """What is connected from now on is a server that is so far behind."""

    def change(world: World) -> None:
        world.front.behind_s = seconds

    return change


def stalling(place: int) -> Fault:
    def stall(world: World) -> None:
        lines = world.conns()
        if len(lines) > place:
            lines[place].conn.stalled_until_s = world.now_s + 8

    return stall


def resting(mood: str, seconds: float) -> Fault:
    def change(world: World) -> None:
        world.desk.until_s[mood] = world.now_s + seconds

    return change


def ending(place: int) -> Fault:
    def end(world: World) -> None:
        lines = world.conns()
        if len(lines) > 1:
            lines[place].conn.broken = "eof"

    return end
