"""A stretch that no connection covered is an outage, once; a stretch that one covered is none."""

import random
import unittest

from aster_collect.order.clock import Moment
from aster_collect.order.coverage import STALE_MS, Coverage, Outage
from tests.support import rounds

STEP_MS = 5_000_000  # the exchange's own clock is something else than the scale


def at(at_ms: int) -> Moment:
    return Moment(at_ms, at_ms + STEP_MS)


def missed(last_ms: int, first_ms: int) -> Outage:
    return Outage(at(last_ms), at(first_ms))


class Incidents(unittest.TestCase):
    def setUp(self) -> None:
        self.coverage = Coverage()

    def frames(self, connection: int, *sent_ms: int) -> None:
        """Deliver frames that end no outage."""
        for one in sent_ms:
            self.assertIsNone(self.coverage.frame(connection, at(one)))

    def test_one_connection_is_lost_and_comes_back(self) -> None:
        """The outage runs from the last frame before to the first after."""
        self.frames(1, 100, 200, 300)
        self.assertIsNone(self.coverage.lost(1))
        self.assertEqual(self.coverage.frame(1, at(900)), missed(300, 900))
        self.frames(1, 1000)

    def test_the_first_frame_of_all_ends_nothing(self) -> None:
        """A connection that is lost before any frame came is no outage of anything known."""
        self.assertIsNone(self.coverage.lost(1))
        self.frames(1, 100)
        self.assertEqual(self.coverage.covered, at(100))

    def test_a_quiet_market_is_no_outage(self) -> None:
        """A long time between two frames of a living connection is covered."""
        self.frames(1, 100, 900_000)

    def test_of_two_connections_one_is_lost_and_comes_back(self) -> None:
        """Nothing is missing while the other goes on."""
        self.frames(1, 100, 120)
        self.frames(2, 110, 200, 300)
        self.assertIsNone(self.coverage.lost(1))
        self.frames(2, 400, 510)
        self.frames(1, 505)
        self.assertIsNone(self.coverage.lost(2))
        self.frames(1, 600)

    def test_both_are_lost(self) -> None:
        """The outage runs from the newest frame of either to the first frame of either."""
        self.frames(1, 100, 300)
        self.frames(2, 110, 350)
        self.coverage.lost(1)
        self.coverage.lost(2)
        self.assertEqual(self.coverage.frame(2, at(700)), missed(350, 700))
        self.frames(1, 710)

    def test_one_stalls_while_the_other_is_lost_and_comes_back(self) -> None:
        """What only a stalled connection can have covered is an outage once that one is lost without delivering it."""
        self.frames(1, 100, 200)
        self.frames(2, 100, 200, 300)
        self.assertIsNone(self.coverage.lost(2))
        self.frames(2, 600, 700)
        self.assertEqual(self.coverage.lost(1), missed(300, 600))
        self.frames(2, 800)
        self.assertEqual(self.coverage.covered, at(800))

    def test_a_stalled_one_delivers_late(self) -> None:
        """What a stalled connection delivers after all is no outage."""
        self.frames(1, 100, 200)
        self.frames(2, 100, 300)
        self.coverage.lost(2)
        self.frames(2, 600)
        self.frames(1, 400, 650)
        self.assertIsNone(self.coverage.lost(1))
        self.frames(2, 700)

    def test_a_stalled_one_delivers_only_a_part(self) -> None:
        """The outage begins where the stalled connection's late frames ended."""
        self.frames(1, 100, 200)
        self.frames(2, 100, 300)
        self.coverage.lost(2)
        self.frames(2, 600)
        self.frames(1, 400)
        self.assertEqual(self.coverage.lost(1), missed(400, 600))

    def test_a_hand_over(self) -> None:
        """A new connection that begins before the old one ends leaves nothing out, whoever is ahead."""
        self.frames(1, 100, 200)
        self.frames(2, 210)  # ahead of the old one, which is still to deliver 210 itself
        self.frames(1, 205, 212)
        self.assertIsNone(self.coverage.lost(1))
        self.frames(2, 300)

    def test_a_hand_over_to_one_that_is_behind(self) -> None:
        """A new connection whose first frame is older than the old one's newest covers without a break."""
        self.frames(1, 100, 200)
        self.frames(2, 190)
        self.assertIsNone(self.coverage.lost(1))
        self.frames(2, 220)
        self.assertEqual(self.coverage.covered, at(220))

    def test_a_stalled_one_catches_up_to_one_that_is_lost(self) -> None:
        """What a new connection covered counts once an older one has delivered up to where it began."""
        self.frames(1, 100, 200)
        self.frames(2, 220, 250)
        self.frames(1, 240)
        self.assertIsNone(self.coverage.lost(2))
        self.assertIsNone(self.coverage.lost(1))
        self.assertEqual(self.coverage.frame(3, at(300)), missed(250, 300))

    def test_two_come_back_in_the_same_millisecond(self) -> None:
        """What either of two that began together covers is covered, whichever is named first."""
        for first, second in ((1, 2), (2, 1)):
            self.coverage = Coverage()
            self.frames(9, 100, 200)
            self.frames(first, 500, 600)
            self.frames(second, 500)
            self.assertEqual(self.coverage.lost(9), missed(200, 500))
            self.coverage.lost(first)
            self.coverage.lost(second)
            self.assertEqual(self.coverage.frame(9, at(700)), missed(600, 700))

    def test_one_that_brings_only_frames_of_long_ago(self) -> None:
        """What the others did not cover is an outage at once, though the late one never ends; one a little late may."""
        for late_ms, outage in ((STALE_MS - 5000, None), (STALE_MS + 1, missed(100_000, 105_000))):
            with self.subTest(late_ms=late_ms):
                self.coverage = Coverage()
                self.frames(1, 30_000, 100_000)
                self.frames(2, 40_000, 100_000 - late_ms)
                self.assertIsNone(self.coverage.lost(1))
                self.frames(2, 105_000 - late_ms)
                self.assertEqual(self.coverage.frame(1, at(105_000)), outage)

    def test_the_end_while_one_is_behind(self) -> None:
        """What a connection that is behind may still have brought is an outage at the end, and told once."""
        self.frames(1, 100, 200)
        self.frames(2, 100, 300)
        self.coverage.lost(2)
        self.frames(2, 600, 700)
        self.assertEqual(self.coverage.close(), [missed(300, 600)])
        self.assertEqual(self.coverage.close(), [])

    def test_frames_out_of_order(self) -> None:
        """A frame that is older than the one before it takes nothing back."""
        self.frames(1, 100, 300, 250)
        self.coverage.lost(1)
        self.assertEqual(self.coverage.frame(1, at(400)), missed(300, 400))


class AnyOrder(unittest.TestCase):
    def test_any_order_of_losses_stalls_and_late_frames(self) -> None:
        """In any order, each moment that nobody covered lies in exactly one outage, and a covered one in none."""
        for seed, chance in rounds(1500):
            with self.subTest(seed=seed):
                self.play(chance)

    def play(self, chance: random.Random) -> None:
        coverage = Coverage()
        outages: list[Outage] = []
        alive: dict[int, list[int]] = {}  # each living connection's first and newest frame
        stalled: set[int] = set()
        covered: set[int] = set()  # the milliseconds [m, m + 1) that somebody covered
        unknown: set[int] = set()  # covered by one that is gone before an older, stalled one is: it may be told missing
        now_ms = first_ms = chance.randrange(1000)

        def lose(connection: int) -> None:
            nonlocal covered, unknown
            began, newest = alive.pop(connection)
            covered |= set(range(began, newest))
            if any(other_newest < began for _, other_newest in alive.values()):
                unknown |= set(range(began, newest))
            stalled.discard(connection)
            outages.extend(filter(None, [coverage.lost(connection)]))

        for _ in range(chance.randrange(5, 80)):
            now_ms += chance.randrange(1, 10)
            connection = chance.randrange(3)
            action = chance.random()
            if connection in alive and action < 0.15:
                lose(connection)
            elif connection in alive and action < 0.3:
                stalled ^= {connection}
            elif connection not in stalled:
                sent_ms = max(now_ms - chance.randrange(5), first_ms)
                if connection in alive:
                    sent_ms = max(sent_ms, alive[connection][1])
                elif outages:  # one that begins before the end of what is told already comes too late to untell it
                    unknown |= set(range(sent_ms, outages[-1].first.at_ms))
                began = alive.get(connection, [sent_ms, 0])[0]
                first_ms = first_ms if coverage.covered is not None else sent_ms
                alive[connection] = [began, sent_ms]
                outages.extend(filter(None, [coverage.frame(connection, at(sent_ms))]))
        for connection in list(alive):
            lose(connection)
        outages.extend(filter(None, [coverage.frame(9, at(now_ms + 5))]))
        if coverage.covered is None or not covered:
            return

        told = [one for outage in outages for one in range(outage.last.at_ms, outage.first.at_ms)]
        self.assertTrue(all(outage.last.at_ms < outage.first.at_ms for outage in outages))
        self.assertEqual(len(told), len(set(told)), "a moment is in two outages")
        missing = set(range(first_ms, now_ms + 5)) - covered
        self.assertFalse(sorted(missing - set(told))[:9], "a moment that nobody covered is in no outage")
        self.assertFalse(sorted(set(told) - missing - unknown)[:9], "a moment that somebody covered is in an outage")


if __name__ == "__main__":
    unittest.main()
