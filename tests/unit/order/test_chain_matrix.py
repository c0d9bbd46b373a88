"""Whatever goes wrong, the book rebuilt from a file is the exchange's at each id that no ledger row covers."""

import logging
import unittest
from collections import Counter
from random import Random

from aster_collect.order.chain import Chain
from tests.support import rounds

from .chain_judge import judge
from .chain_world import BUSY, Fault, Line, Setup, World

WORLDS = 40
FAULTS_A_WORLD = 25
CALM = Setup()


def some(world: World) -> list[Line]:
    """Return one connection, or all."""
    lines = world.open_lines()
    world.chance.shuffle(lines)
    return lines if world.chance.random() < 0.6 else lines[:1]


def drop(world: World) -> None:
    """Connections break, and with them what is on its way."""
    for line in some(world):
        line.broken = "eof"


def stall(world: World) -> None:
    """Servers send nothing for a while, and then all at once; after 10 s the program gives up on them."""
    for line in some(world):
        line.stalled_until_s = world.now_s + world.chance.choice((1, 5, 12))


def refuse(world: World) -> None:
    """Connections break, and can't be made for a while."""
    world.servers.refuse_until_s = world.now_s + world.chance.random() * 8
    drop(world)


def skip(world: World) -> None:
    """Diffs are left out."""
    for line in some(world):
        line.skips = world.chance.randrange(1, 6)


def double(world: World) -> None:
    """Diffs come twice."""
    for line in some(world):
        line.doubles = world.chance.randrange(1, 10)


def swap(world: World) -> None:
    """Diffs come each after the one behind it."""
    for line in some(world):
        line.swaps = world.chance.randrange(1, 6)


def slow(world: World) -> None:
    """Diffs are long on their way."""
    for line in some(world):
        line.slow_until_s = world.now_s + world.chance.random() * 6


def hand_over(world: World) -> None:
    """A connection gets a successor."""
    lines = [line for line in world.open_lines() if not line.is_replaced]
    if lines:
        line = world.chance.choice(lines)
        world.want(line.symbols, line)


def behind(world: World) -> None:
    """What is connected from now on is a server that is behind; or not any more."""
    world.servers.behind_s = world.chance.choice((0.0, 0.5, 2.5, 6.0))
    drop(world)


def _rest(mood: str, longest_s: float) -> Fault:
    def change(world: World) -> None:
        world.desk.until_s[mood] = world.now_s + world.chance.random() * longest_s
        if world.chance.random() < 0.7:
            skip(world)

    change.__doc__ = f"REST is {mood} for a while, and the book is needed."
    return change


def rest_stale(world: World) -> None:
    """REST's replica is behind."""
    world.desk.stale_s = world.chance.choice((0.3, 1.0, 4.0))
    _rest("stale", 8.0)(world)


def rest_late(world: World) -> None:
    """Snapshots are long on their way."""
    world.desk.late_s = world.chance.choice((0.0, 1.0, 4.0))
    skip(world)


def new_ids(world: World) -> None:
    """Ids of a symbol begin anew, of a book that nobody has told of."""
    market = world.exchange.markets[world.chance.choice(list(world.exchange.markets))]
    market.begin_anew(world.exchange.now_ms(world.now_s), world.now_s)


def new_ids_of_all(world: World) -> None:
    """The ids of all begin anew."""
    for market in world.exchange.markets.values():
        market.begin_anew(world.exchange.now_ms(world.now_s), world.now_s)


def quiet(world: World) -> None:
    """Nothing happens in any market for a while."""
    for market in world.exchange.markets.values():
        market.quiet_until_s = world.now_s + world.chance.random() * 8


def empty(world: World) -> None:
    """A side of a book loses all of its levels."""
    market = world.exchange.markets[world.chance.choice(list(world.exchange.markets))]
    market.change(market.all_of(world.chance.randrange(2)), world.exchange.now_ms(world.now_s), world.now_s)


def busy(world: World) -> None:
    """The program takes nothing for a while."""
    world.be_busy(world.chance.random() * 4)


def stop(world: World) -> None:
    """The program ends in order, and starts again."""
    world.stop(world.chance.uniform(0.2, 6))


def kill(world: World) -> None:
    """The program ends at once."""
    world.kill(world.chance.uniform(0.2, 6))


def kill_in_flush(world: World) -> None:
    """The program ends within its next flush."""
    world.disk.crash_in = world.chance.randrange(0, 5)


def full_disk(world: World) -> None:
    """The disk is full, or freed."""
    world.disk.is_full = not world.disk.is_full


MOODS = {"down": 15.0, "refusing": 8.0, "odd": 6.0}
FAULTS: dict[str, Fault] = {
    **{
        fault.__name__: fault
        for fault in (
            drop, stall, refuse, skip, double, swap, slow, hand_over, behind, rest_stale, rest_late, new_ids,
            new_ids_of_all, quiet, empty, busy, stop, kill, kill_in_flush, full_disk,
        )
    },
    **{f"rest_{mood}": _rest(mood, longest_s) for mood, longest_s in MOODS.items()},
}  # fmt: skip


class Case(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable(logging.ERROR)
        self.addCleanup(logging.disable, logging.NOTSET)

    def assert_good(self, world: World, seed: int) -> None:
        wrong = judge(world)
        story = "\n".join(["", *wrong[:12], f"seed {seed}, {world.setup}", *world.faults])
        self.assertFalse(wrong, story)


def lived(chance: Random, count: int) -> World:
    """Return a world of any kind that has lived through so many faults."""
    setup = Setup(
        redundancy=chance.choice((1, 2)),
        interval_ms=chance.choice((100, 250, 500)),
        period_s=chance.choice((0.0, 17.0)),
    )
    world = World(chance, setup)
    # Where a disk is full while ids begin anew twice, and a run ends, nothing says which of both files was begun.
    unsure = chance.choice(("full_disk", "new_ids"))
    names = [chance.choice([name for name in FAULTS if not name.startswith(unsure)]) for _ in range(count)]
    world.play((chance.uniform(0.3, 9), name, FAULTS[name]) for name in names)
    return world


def causes(world: World) -> Counter[str]:
    """Return how many rows the ledgers have of each cause."""
    return Counter(gap.cause for symbol in world.exchange.markets for gap in world.ledger(symbol))


class Matrix(Case):
    is_long = True

    def test_a_thousand_faults(self) -> None:
        """The rebuilt book is right outside of the ledger's stretches, which cover all else, whatever goes wrong."""
        for seed, chance in rounds(WORLDS):
            world = lived(chance, FAULTS_A_WORLD)
            self.assert_good(world, seed)
            self.assertLessEqual(set(causes(world)), {"hole", "restart", "new-ids"}, seed)


class OneAtATime(Case):
    """What each incident comes to, by the same judge as all of them together."""

    def live(self, *faults: tuple[float, Fault], setup: Setup = CALM) -> World:
        """Return a world that has lived through these faults, each so many seconds after the one before."""
        for seed, chance in rounds(2):
            world = World(chance, setup)
            world.play((after_s, fault.__name__, fault) for after_s, fault in faults)
            self.assert_good(world, seed)
        return world

    def test_nothing_goes_wrong(self) -> None:
        """The ledger has no row at any speed, and each book was asked for once."""
        for interval_ms in (100, 250, 500):
            for redundancy in (1, 2):
                setup = CALM._replace(interval_ms=interval_ms, redundancy=redundancy, check_s=0.0)
                world = self.live((10.0, quiet), (10.0, empty), setup=setup)
                self.assertEqual((causes(world), world.desk.snapshots), (Counter(), len(BUSY)))

    def test_books_are_compared_again_and_again(self) -> None:
        """A snapshot within a batch, ahead of the stream, or of a replica that is behind, is no other book."""
        stale = ((3.0, stale_by(0.4)), (3.0, stale_by(1.5)), (3.0, stale_by(0.4)))
        world = self.live(*stale * 4, setup=CALM._replace(check_s=2.0))
        self.assertEqual(causes(world), Counter())
        checks = [lane.checks for lane in chains(world)]
        self.assertGreater(sum(one.done for one in checks), 30)
        self.assertEqual(sum(one.mismatches for one in checks), 0)

    def test_thirty_ends_of_connections(self) -> None:
        """Each is a hole where something happened meanwhile, and a fresh snapshot."""
        world = self.live(*[(4.0, fault) for fault in (drop, stall, refuse) * 10])
        self.assertEqual(set(causes(world)), {"hole"})

    def test_two_connections_that_cut_differently_and_end_in_turn(self) -> None:
        """Either continues what the other has brought: nothing is missing while one of them delivers."""
        world = self.live(*[(4.0, ending(place)) for place in (0, 1) * 8], setup=CALM._replace(redundancy=2))
        self.assertEqual(causes(world), Counter())

    def test_one_of_two_connections_leaves_out_doubles_and_swaps(self) -> None:
        """The other has it."""
        faults = [(4.0, damaging(name)) for name in ("skips", "doubles", "swaps") * 5]
        world = self.live(*faults, setup=CALM._replace(redundancy=2, check_s=0.0))
        self.assertEqual((causes(world), world.desk.snapshots), (Counter(), len(BUSY)))

    def test_changes_come_twice_and_in_other_places(self) -> None:
        """Neither is a hole."""
        world = self.live(*[(4.0, fault) for fault in (double, damaging("swaps")) * 6])
        self.assertEqual(causes(world), Counter())

    def test_hand_overs_every_few_seconds(self) -> None:
        """A successor that cuts differently leaves nothing out."""
        for redundancy in (1, 2):
            world = self.live(*[(5.0, hand_over)] * 8, setup=CALM._replace(redundancy=redundancy))
            self.assertEqual(causes(world), Counter())

    def test_changes_are_left_out(self) -> None:
        """A hole is one symbol's, and its book alone is asked for anew."""
        world = self.live(*[(6.0, leave_out_of("BTCUSDT"))] * 5, setup=CALM._replace(check_s=0.0))
        self.assertEqual({gap.cause for gap in world.ledger("BTCUSDT")}, {"hole"})
        self.assertEqual((world.ledger("ETHUSDT"), world.ledger("QUIETUSDT")), ([], []))
        self.assertLessEqual(world.desk.snapshots, len(BUSY) + 5)

    def test_snapshots_are_too_old_late_refused_and_odd(self) -> None:
        """A book is asked for until one comes that the changes follow."""
        for mood, fault in (("stale", stale_by(4.0)), ("odd", _rest("odd", 9.0)), ("down", _rest("down", 9.0))):
            with self.subTest(mood):
                world = self.live(
                    (4.0, fault), (0.1, skip), (12.0, fault), (0.1, skip), (9.0, late_by(4.0)), (0.1, skip)
                )
                self.assertEqual(set(causes(world)), {"hole"})

    def test_a_restart_with_a_replica_that_is_behind_the_last_row(self) -> None:
        """Nothing happens that would show it: the file does not go back."""
        self.live(*[(6.0, stale_by(5.0)), (1.0, quiet_for(9.0)), (0.1, kill), (12.0, drop)] * 3)

    def test_stops_and_kills(self) -> None:
        """The time between two runs is a row of the ledger, and the file goes on with a snapshot."""
        for period_s in (0.0, 5.0):
            ends = (stop, kill, kill_in_flush, stop)
            world = self.live(*[(7.0, fault) for fault in ends * 4], setup=CALM._replace(period_s=period_s))
            self.assertEqual(set(causes(world)), {"restart"})

    def test_ids_begin_anew(self) -> None:
        """The file of former ids is set aside, whole, and the next begins with the other book."""
        world = self.live((8.0, new_ids_of_all), (20.0, new_ids_of_all))
        self.assertEqual(causes(world)["new-ids"], 2 * len(BUSY))

    def test_a_run_ends_between_former_and_new_ids(self) -> None:
        """Whatever becomes of the file of new ids, the ledger tells since when."""
        for end in (stop, kill, kill_in_flush):
            for after_s in (0.3, 1.0, 2.5, 3.0, 3.5):
                self.live((8.0, new_ids_of_all), (after_s, full_disk), (0.4, end), (9.0, full_disk))

    def test_an_altered_book(self) -> None:
        """A change that no batch tells of is found by the next comparison, and told since the last one."""
        world = self.live((8.0, hide), (20.0, hide), (20.0, hide))
        found = causes(world)
        self.assertEqual(set(found), {"mismatch"})
        self.assertGreaterEqual(found["mismatch"], 3)

    def test_books_that_are_deeper_than_a_snapshot(self) -> None:
        """What lies beyond it is unknown until it changes, and no comparison takes that for another book."""
        setup = CALM._replace(symbols={"DEEPUSDT": (3.0, 1300)}, check_s=4.0)
        world = self.live((5.0, empty), (5.0, leave_out_of("DEEPUSDT")), (5.0, stop), (5.0, drop), setup=setup)
        self.assertLessEqual(set(causes(world)), {"hole", "restart"})


def chains(world: World) -> list[Chain]:
    """Return the lanes of the last run."""
    return [lane for lane in world.engine.lanes.all.values() if isinstance(lane, Chain)]


def ending(place: int) -> Fault:
    """One of two connections breaks."""

    def end(world: World) -> None:
        lines = world.open_lines()
        if len(lines) > 1:
            lines[place].broken = "eof"

    return end


def damaging(what: str) -> Fault:
    """The first connection damages so many batches."""

    def damage(world: World) -> None:
        for line in world.open_lines()[:1]:
            setattr(line, what, 3)

    return damage


def leave_out_of(symbol: str) -> Fault:
    """Every connection leaves out the next batches of one symbol."""

    def leave_out(world: World) -> None:
        for line in world.open_lines():
            line.skips, line.skips_of = 2, symbol

    return leave_out


def stale_by(seconds: float) -> Fault:
    """REST's replica is so far behind for a while."""

    def change(world: World) -> None:
        world.desk.stale_s, world.desk.until_s["stale"] = seconds, world.now_s + 6.0

    return change


def quiet_for(seconds: float) -> Fault:
    """Nothing happens in any market for a while."""

    def change(world: World) -> None:
        for market in world.exchange.markets.values():
            market.quiet_until_s = world.now_s + seconds

    return change


def late_by(seconds: float) -> Fault:
    """Snapshots are so long on their way."""

    def change(world: World) -> None:
        world.desk.late_s = seconds

    return change


def hide(world: World) -> None:
    """A far level of a book changes, and no batch tells of it."""
    market = world.exchange.markets["BTCUSDT"]
    market.change(market.unseen_level(), world.exchange.now_ms(world.now_s), world.now_s, hidden=True)


if __name__ == "__main__":
    unittest.main()
