"""Rows leave in the order of their ids, each once, though two connections bring them late and twice."""

import random
import unittest

from aster_collect.exchange.streams.kind import Event
from aster_collect.order.rising import REMEMBERED_S, Reorder
from tests.support import rounds


class Texts(Reorder):
    """One whose events are told by a text."""

    def add(self, number: int, text: str) -> None:
        self.fresh.append((number, 0, text, None))

    def turn(self, remember_s: float | None = None) -> list[str]:
        return told(super().turn(remember_s))


def told(events: list[Event]) -> list[str]:
    return [text for _, _, text, _ in events]


def drained(reorder: Texts) -> list[str]:
    """Return all that is left."""
    return reorder.turn() + reorder.turn()


class Incidents(unittest.TestCase):
    def test_a_row_rests_one_turn(self) -> None:
        """A row is returned by the second turn after it came."""
        reorder = Texts()
        reorder.add(5, "five")
        self.assertEqual(reorder.turn(), [])
        self.assertEqual(reorder.turn(), ["five"])
        self.assertEqual(reorder.turn(), [])

    def test_a_late_row_finds_its_place(self) -> None:
        """A row that comes behind a newer one, in the same turn or the next, is written in front of it."""
        for turns in (0, 1):
            reorder = Texts()
            reorder.add(1, "1")
            reorder.add(3, "3")
            early = reorder.turn() if turns else []
            reorder.add(2, "2")
            reorder.add(4, "4")
            self.assertEqual(early + reorder.turn() + drained(reorder), ["1", "2", "3", "4"])

    def test_two_late_rows_find_their_places_among_old_and_new(self) -> None:
        """Late rows that come out of order themselves are sorted among those that rest and those that are new."""
        reorder = Texts()
        for update_id in (10, 30):
            reorder.add(update_id, str(update_id))
        reorder.turn()
        for update_id in (50, 25, 40, 5):
            reorder.add(update_id, str(update_id))
        self.assertEqual(reorder.turn(), ["5", "10", "25", "30"])
        self.assertEqual(drained(reorder), ["40", "50"])

    def test_a_row_that_comes_twice_is_written_once(self) -> None:
        """Of rows with an id that is new, at rest or written, the first is what is written, and it alone."""
        reorder = Texts()
        reorder.add(1, "first")
        reorder.add(1, "again")
        reorder.turn()
        reorder.add(1, "again")
        self.assertEqual(reorder.turn(), ["first"])
        reorder.add(1, "again")
        self.assertEqual(drained(reorder), [])

    def test_a_row_later_than_a_turn_is_too_late(self) -> None:
        """A row below what is written is dropped and counted: ids never go down in the file."""
        reorder = Texts()
        reorder.add(5, "5")
        reorder.turn()
        reorder.turn()
        reorder.add(4, "4")
        reorder.add(6, "6")
        self.assertEqual(drained(reorder), ["6"])

    def test_a_restart_goes_on_behind_the_file(self) -> None:
        """What the file of the previous run ends with is not written again."""
        reorder = Texts(100)
        for update_id in (100, 99, 101):
            reorder.add(update_id, str(update_id))
        self.assertEqual(drained(reorder), ["101"])


class TooLate(unittest.TestCase):
    def reorder(self, *, remember: bool) -> Texts:
        """Return one that has written the ids 10 and 30, in two turns, while they were to be remembered or not."""
        reorder = Texts()
        for update_id in (10, 30):
            reorder.add(update_id, str(update_id))
            reorder.turn(0.0 if remember else None)
        reorder.turn(0.0 if remember else None)
        return reorder

    def test_a_row_too_late_for_its_place_is_told_from_one_that_came_twice(self) -> None:
        """Of rows at or below what is written, those with an id that was never written are late, for one turn."""
        reorder = self.reorder(remember=True)
        for update_id in (10, 20, 30, 5, 40):
            reorder.add(update_id, str(update_id))
        self.assertEqual(reorder.turn(0.0), [])
        self.assertEqual(told(reorder.late), ["20", "5"])
        self.assertEqual(sorted(event[0] for event in reorder.refused), [5, 10, 20])
        self.assertEqual(reorder.turn(0.0), ["40"])
        self.assertEqual((reorder.late, reorder.refused), ([], []))

    def test_one_connection_brings_nothing_late(self) -> None:
        """Where nothing is remembered nothing is called late, since it can't be told from what came twice."""
        reorder = self.reorder(remember=False)
        for update_id in (10, 20):
            reorder.add(update_id, str(update_id))
        reorder.turn()
        self.assertEqual((told(reorder.late), sorted(event[0] for event in reorder.refused)), ([], [10, 20]))

    def test_a_quiet_turn_before_the_late_row(self) -> None:
        """Turns without any row change nothing about what is known to be written."""
        reorder = self.reorder(remember=True)
        for _ in range(5):
            reorder.turn(0.0)
        reorder.add(10, "10")
        reorder.add(20, "20")
        reorder.turn(0.0)
        self.assertEqual(told(reorder.late), ["20"])

    def busy(self, turns: int, size: int) -> Texts:
        """Return one that has written so many even ids, a second a turn, so many a turn."""
        reorder = Texts()
        for turn in range(turns + 1):
            for number in range(turn * size, (turn + 1) * size):
                reorder.add(2 * number, str(2 * number))
            reorder.turn(float(turn))
        return reorder

    def late_of(self, reorder: Texts, now_s: float, *ids: int) -> list[int]:
        """Return which of these ids are late when they come now."""
        for update_id in ids:
            reorder.add(update_id, str(update_id))
        reorder.turn(now_s)
        return [int(row) for row in told(reorder.late)]

    def test_a_connection_that_lags_over_many_thousand_ids(self) -> None:
        """However many were written meanwhile, what was is a double, and what was not is late."""
        reorder = self.busy(60, 2000)
        self.assertEqual(reorder.remembered, 60 * 2000)
        self.assertEqual(self.late_of(reorder, 61.0, 0, 1, 2, 777, 100_000, 100_001, 239_998), [1, 777, 100_001])

    def test_what_was_written_too_long_ago(self) -> None:
        """Of so old an id nothing can be said, and it counts as a double; memory is bounded by time."""
        reorder = self.busy(int(REMEMBERED_S) + 10, 3)
        self.assertEqual(reorder.remembered, 3 * (int(REMEMBERED_S) + 1))
        forgotten = 2 * 3 * 9 - 2
        self.assertEqual(self.late_of(reorder, REMEMBERED_S + 10, 1, forgotten - 1, forgotten + 1), [forgotten + 1])

    def test_memory_is_short(self) -> None:
        """The oldest turn is forgotten on demand, and its ids are doubles then."""
        reorder = self.busy(10, 100)
        reorder.forget()
        self.assertEqual(reorder.remembered, 900)
        self.assertEqual(self.late_of(reorder, 11.0, 101, 199, 201), [199, 201])
        for _ in range(99):
            reorder.forget()
        self.assertEqual(reorder.remembered, 0)

    def test_a_successor_that_is_behind(self) -> None:
        """What was written before a second connection came is no loss where that one brings it too."""
        reorder = Texts()
        for update_id in (10, 20, 30, 40):
            reorder.add(update_id, str(update_id))
            reorder.turn()
        self.assertEqual(self.late_of(reorder, 0.0, 15, 20, 50), [])
        self.assertEqual(self.late_of(reorder, 1.0, 25, 35, 60), [35])

    def test_a_restart_onto_a_slower_connection(self) -> None:
        """What the run before has written, or could not have, is no loss of this one."""
        reorder = Texts(100)
        self.assertEqual(self.late_of(reorder, 0.0, 90, 99, 101), [])


class AnyDelay(unittest.TestCase):
    def test_any_delays_of_two_streams_give_every_row_once_in_order(self) -> None:
        """Two streams of the same events, delayed by up to a turn, with losses, give each event once, ids rising."""
        for seed, chance in rounds(400):
            with self.subTest(seed=seed):
                self.play(chance)

    def play(self, chance: random.Random) -> None:
        ids = sorted(chance.sample(range(100_000), chance.randrange(1, 200)))
        # An event happens in one of the turns; each stream brings it in that turn or the next, or loses it.
        made_in = sorted(chance.randrange(12) for _ in ids)
        brought: list[list[tuple[float, int]]] = [[] for _ in range(14)]
        expected = set()
        for update_id, turn in zip(ids, made_in, strict=True):
            for _ in range(2):
                if chance.random() < 0.85:
                    expected.add(update_id)
                    brought[turn + chance.randrange(2)].append((chance.random(), update_id))
        reorder = Texts()
        written: list[str] = []
        for turn in brought:
            for _, update_id in sorted(turn):
                reorder.add(update_id, str(update_id))
            written += reorder.turn()
        written += drained(reorder)
        self.assertEqual(written, [str(update_id) for update_id in sorted(expected)])

    def test_any_ids_at_all_never_go_down(self) -> None:
        """Ids in any order, however late, are written rising, each at most once, and what is dropped is too late."""
        for seed, chance in rounds(400):
            with self.subTest(seed=seed):
                reorder = Texts()
                in_time, written = set(), []
                for _ in range(chance.randrange(300)):
                    update_id = chance.randrange(chance.choice((20, 1000)))
                    reorder.add(update_id, f"{update_id:04d}")
                    if not written or f"{update_id:04d}" > written[-1]:
                        in_time.add(f"{update_id:04d}")
                    if chance.random() < 0.1:
                        written += reorder.turn()
                written += drained(reorder)
                self.assertEqual(written, sorted(in_time))


if __name__ == "__main__":
    unittest.main()
