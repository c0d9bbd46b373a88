"""Ids that begin anew are believed at the third trade that says so, an odd frame never; no trade that came is lost."""

import random
import unittest
from bisect import bisect_right
from collections.abc import Iterable
from itertools import takewhile
from typing import NamedTuple

from aster_collect.exchange.streams.trades import Trade
from aster_collect.order.assembly import RECENT
from aster_collect.order.holes import Bounds
from aster_collect.order.identity import Outcome
from aster_collect.order.suspects import MOST, PROOF_ROWS, START_OVER_MS
from tests.support import rounds
from tests.unit.order.test_tape import BOUNDS, Run

MINUTE_MS = 60_000


def made(trade_id: int, time_ms: int, price: str = "1.5") -> Trade:
    return Trade(trade_id, time_ms, "buy", price, "2")


class Feed(Run):
    """A tape to which trades of any id and time come, each when it is made."""

    def bring(self, *items: Trade) -> None:
        for one in items:
            self.now_s = max(self.now_s, one.time_ms / 1000)
            self.bring_now(one)

    def bring_now(self, one: Trade) -> None:
        if self.tape.passes(one.id, one.time_ms):
            self.rows.append(one)
            self.ids.append(one.id)
        else:
            self.take(self.tape.add(one, self.now_s))

    def take(self, outcome: Outcome) -> None:
        """Keep the rows of the file that is set aside."""
        if outcome.former is not None:
            self.former_rows = [*self.rows, *outcome.former.trades]
        super().take(outcome)

    def former(self, count: int = 50, every_ms: int = 60) -> int:
        """Bring so many trades from id 5000 on; return when the next is due."""
        start_ms = 2_000_000
        self.bring(*(made(5000 + number, start_ms + every_ms * number) for number in range(count)))
        return start_ms + every_ms * count


class IdsBeginAnew(unittest.TestCase):
    def test_at_any_rate_nothing_that_came_is_missing(self) -> None:
        """The new file begins at the lowest new id that came, also of what was made in the first two seconds."""
        for a_second in (0.01, 1, 17, 100, 1000):
            for history in (0, 20):
                feed = Feed(BOUNDS._replace(history=history))
                every_ms = int(1000 / a_second)
                next_ms = feed.former(every_ms=every_ms)
                if history:
                    feed.take(feed.tape.page(4980, [made(one, 1_000_000) for one in range(4980, 5000)], feed.now_s))
                count = 3 + 2100 // every_ms
                feed.bring(*(made(7 + number, next_ms + every_ms * number) for number in range(count)))
                self.assertEqual((1, []), (feed.foreign, feed.gaps), a_second)
                self.assertEqual(list(range(5000 - history, 5050)), feed.aside[0])
                if history:
                    self.assertEqual((0, 8), feed.later())
                    feed.take(feed.tape.page(0, [made(one, next_ms - 1) for one in range(7)], feed.now_s))
                self.assertEqual(list(range(0 if history else 7, 7 + count)), feed.ids)
                self.assertEqual([], feed.odd)

    def test_one_of_them_has_the_time_of_the_last_former_one(self) -> None:
        """A new trade made in the same millisecond as the last former one is none of those that came twice."""
        feed = Feed()
        next_ms = feed.former()
        feed.bring(*(made(7 + number, next_ms - 60 + 1000 * number) for number in range(6)))
        self.assertEqual((1, list(range(7, 13))), (feed.foreign, feed.ids))

    def test_while_a_hole_is_open(self) -> None:
        """What is held of the former ids goes into the former file, with a gap in front of it."""
        feed = Feed()
        next_ms = feed.former()
        feed.bring(made(5060, next_ms), made(5061, next_ms))
        self.assertEqual((5050, 11), feed.later())
        feed.bring(*(made(1 + number, next_ms + 3000 * (number + 1)) for number in range(3)))
        self.assertEqual([[*range(5000, 5050), 5060, 5061]], feed.aside)
        self.assertEqual([(5050, 5059, "new-ids")], feed.missing())
        self.assertEqual([1, 2, 3], feed.ids)
        late = [made(one, next_ms) for one in range(5050, 5061)]
        feed.take(feed.tape.page(5050, late, feed.now_s))  # asked for in the former ids
        self.assertEqual(([1, 2, 3], False), (feed.ids, feed.tape.waiting))

    def test_before_the_file_is_proven(self) -> None:
        """While REST is away, three trades prove it at a restart too, and what came of the former ids is kept."""
        feed = Feed(last=made(5000, 2_000_000))
        feed.bring(made(5003, 2_000_100), made(5000, 2_000_000))
        feed.bring(*(made(1 + number, 2_003_000 + number) for number in range(3)))
        self.assertEqual([[5003]], feed.aside)
        self.assertEqual([(5001, 5002, "new-ids")], feed.missing())
        self.assertEqual([1, 2, 3], feed.ids)

    def test_before_the_history_has_come(self) -> None:
        """A fresh file that waits for its past is no other case: what it holds is written, and a new one begun."""
        feed = Feed(BOUNDS._replace(history=1000))
        feed.bring(made(5000, 2_000_000))
        feed.bring(*(made(1 + number, 2_003_000 + number) for number in range(3)))
        self.assertEqual(([[5000]], 1), (feed.aside, feed.foreign))
        feed.later()
        feed.take(feed.tape.page(0, [made(0, 2_002_000)], feed.now_s))
        self.assertEqual([0, 1, 2, 3], feed.ids)

    def test_a_slow_connection_still_brings_former_ones(self) -> None:
        """What is in the former file comes twice, what is not is odd, and neither gets among the new ids."""
        feed = Feed()
        next_ms = feed.former()
        feed.bring(*(made(1 + number, next_ms + 3000 + number) for number in range(3)))
        feed.bring(made(5049, next_ms - 60), made(5050, next_ms), made(4, next_ms + 4000))
        self.assertEqual(([1, 2, 3, 4], [made(5050, next_ms)]), (feed.ids, feed.odd))
        feed.bring(made(5, next_ms + 3000 + MINUTE_MS + 1), made(6, next_ms + 100_000))
        self.assertTrue(feed.tape.passes(7, next_ms + 100_001))

    def test_a_slow_server_still_gives_former_ones(self) -> None:
        """A page of the former trades under low ids is no history of the new ones."""
        feed = Feed(BOUNDS._replace(history=5))
        feed.bring(made(5000, 2_000_000))
        feed.later()
        feed.take(feed.tape.page(4995, [made(one, 1_999_000) for one in range(4995, 5001)], feed.now_s))
        feed.bring(*(made(7 + number, 2_003_000 + number) for number in range(3)))
        self.assertEqual((2, 6), feed.later())
        feed.take(feed.tape.page(2, [made(one, 1_000_000, "9") for one in range(2, 7)], feed.now_s))
        self.assertEqual([], feed.ids)
        feed.later(1)
        feed.take(feed.tape.page(2, [made(one, 2_001_000) for one in range(2, 7)], feed.now_s))
        self.assertEqual(list(range(2, 10)), feed.ids)

    def test_twice(self) -> None:
        """A second time is like the first."""
        feed = Feed()
        next_ms = feed.former()
        for times in range(1, 3):
            feed.bring(*(made(1 + number, next_ms + times * 100_000 + number) for number in range(5 - times)))
            self.assertEqual(times, feed.foreign)
        self.assertEqual([1, 2, 3], feed.ids)
        self.assertEqual([], feed.gaps)


class OddFrames(unittest.TestCase):
    def test_an_old_id_and_a_time_ahead(self) -> None:
        """One frame, a minute or a year ahead, changes nothing; what is held stays held, and it is kept as odd."""
        for ahead_ms in (MINUTE_MS, 365 * 1440 * MINUTE_MS):
            feed = Feed()
            next_ms = feed.former()
            feed.bring(made(5052, next_ms))
            feed.take(feed.tape.add(made(4000, next_ms + ahead_ms), feed.now_s))
            self.assertEqual((0, 1), (feed.foreign, feed.tape.held))
            feed.later()
            feed.take(feed.tape.page(5050, [made(5050, next_ms), made(5051, next_ms)], feed.now_s))
            feed.bring(*(made(5053 + number, next_ms + 60 * number) for number in range(2000)))
            self.assertEqual((0, list(range(5000, 7053))), (feed.foreign, feed.ids))
            self.assertEqual([made(4000, next_ms + ahead_ms)], feed.odd)
            self.assertEqual([], feed.gaps)

    def test_three_in_as_many_hours(self) -> None:
        """They are no proof together, since the former ids went on between."""
        feed = Feed()
        next_ms = feed.former()
        for number in range(3):
            hour_ms = next_ms + number * 60 * MINUTE_MS
            feed.take(feed.tape.add(made(4000 + number, hour_ms + MINUTE_MS), hour_ms / 1000))
            feed.bring(*(made(5050 + 10 * number + one, hour_ms + MINUTE_MS * one) for one in range(10)))
        self.assertEqual((0, 3, 80), (feed.foreign, len(feed.odd), len(feed.ids)))

    def test_some_in_a_minute_in_which_the_former_ids_go_on(self) -> None:
        """They are no proof either, however well they fit to each other: what has begun anew does not go on."""
        feed = Feed()
        next_ms = feed.former()
        for number in range(5):
            odd_ms = next_ms + number * 5000
            feed.take(feed.tape.add(made(4000 + number, odd_ms + MINUTE_MS), odd_ms / 1000))
            feed.bring(*(made(5050 + 10 * number + one, odd_ms + one) for one in range(10)))
        self.assertEqual((0, list(range(5000, 5100))), (feed.foreign, feed.ids))

    def test_the_next_id_and_a_time_ahead(self) -> None:
        """It is written, since nothing shows that it is odd; ids that begin anew right after it are believed still."""
        for after in (0, 1, 5):
            feed = Feed()
            next_ms = feed.former()
            feed.take(feed.tape.add(made(5050, next_ms + 10**9), feed.now_s))
            feed.bring(*(made(5051 + number, next_ms) for number in range(after)))
            feed.bring(*(made(1 + number, next_ms + 3000 + number) for number in range(3)))
            self.assertEqual((1, [1, 2, 3]), (feed.foreign, feed.ids), after)

    def test_one_among_the_first_new_ids(self) -> None:
        """An odd frame with a high id does not get into the new file, and does not delay it."""
        feed = Feed()
        next_ms = feed.former()
        odd = made(5049, next_ms + 10**9)
        feed.take(feed.tape.add(odd, feed.now_s))
        feed.bring(*(made(1 + number, next_ms + 3000 + number) for number in range(3)))
        self.assertEqual((1, [1, 2, 3], [odd]), (feed.foreign, feed.ids, feed.odd))

    def test_one_at_a_restart(self) -> None:
        """An odd live frame and an empty page are no proof that the file is foreign."""
        feed = Feed(last=made(5000, 2_000_000))
        feed.later(0)
        feed.bring(made(4000, 2_060_000))
        feed.take(feed.tape.page(5000, [], feed.now_s))
        feed.later(60)
        feed.take(feed.tape.page(5000, [made(5000, 2_000_000), made(5001, 2_001_000)], feed.now_s))
        feed.bring(made(5002, 2_070_000))
        self.assertEqual((0, [5001, 5002], 1), (feed.foreign, feed.ids, len(feed.odd)))

    def test_more_than_are_kept(self) -> None:
        """Memory is bounded: past it they are odd at once."""
        feed = Feed()
        next_ms = feed.former()
        feed.bring(*(made(number, next_ms) for number in range(MOST + 5)))
        self.assertLessEqual(5, len(feed.odd))
        self.assertEqual(0, feed.foreign)

    def test_a_stop_with_some_that_are_not_proven(self) -> None:
        """They are in no file, but kept."""
        feed = Feed()
        next_ms = feed.former()
        two = [made(1 + number, next_ms + 3000 + number) for number in range(2)]
        feed.bring(*two)
        feed.end()
        self.assertEqual(list(two), feed.odd)


class Twice(unittest.TestCase):
    def test_the_clock_steps_back_and_a_connection_is_behind(self) -> None:
        """What it brings again was made an hour after the newest trade, by the times; it proves nothing."""
        feed = Feed()
        next_ms = feed.former(200)
        feed.bring(*(made(5200 + number, next_ms - 60 * MINUTE_MS + 60 * number) for number in range(20)))
        for number in range(150, 200):
            feed.take(feed.tape.add(made(5000 + number, 2_000_000 + 60 * number), feed.now_s))
        self.assertEqual((0, 220, 50, []), (feed.foreign, len(feed.ids), feed.tape.duplicates, feed.odd))

    def test_a_connection_is_far_behind(self) -> None:
        """What it brings again is told by its time, however many trades ago it came."""
        feed = Feed()
        feed.former(3 * RECENT)
        for number in range(3 * RECENT):
            feed.take(feed.tape.add(made(5000 + number, 2_000_000 + 60 * number), feed.now_s))
        self.assertEqual((0, 3 * RECENT, []), (feed.foreign, feed.tape.duplicates, feed.odd))

    def test_a_connection_is_behind_a_gap(self) -> None:
        """What it brings of a gap, long after the trade before it, is no proof."""
        feed = Feed(BOUNDS._replace(backfill_limit=0))
        next_ms = feed.former()
        feed.bring(made(5060, next_ms + MINUTE_MS))
        feed.later()
        self.assertEqual([(5050, 5059, "backfill-limit")], feed.missing())
        feed.bring(*(made(5050 + number, next_ms + 5000 * number) for number in range(10)))
        self.assertEqual((0, 10, []), (feed.foreign, feed.tape.duplicates, feed.odd))

    def test_rest_and_stream_differ_by_a_millisecond(self) -> None:
        """A trade of a page that then comes live, made a millisecond later, comes twice."""
        feed = Feed()
        next_ms = feed.former()
        feed.bring(made(5053, next_ms + 9000))
        feed.later()
        feed.take(feed.tape.page(5050, [made(one, next_ms + 3000 * (one - 5050)) for one in (5050, 5051, 5052)], 3e6))
        feed.bring(*(made(5050 + number, next_ms + 3000 * number + 1) for number in range(4)))
        self.assertEqual((0, 4, []), (feed.foreign, feed.tape.duplicates, feed.odd))


class Told(NamedTuple):
    """A trade as a connection tells it, and when, in milliseconds."""

    at_ms: float
    anew: bool
    item: Trade


class World:
    """An exchange whose ids begin anew once, and two connections and a REST server that are each behind by seconds."""

    def __init__(self, chance: random.Random) -> None:
        every_ms = chance.choice((10, 20, 60, 300, 2000))
        count = max(30, 6000 // every_ms)
        first = (chance.randrange(4000, 5000), chance.randrange(60))
        self.trades: tuple[list[Trade], list[Trade]] = ([], [])
        now_ms = 2_000_000.0
        for anew in (0, 1):
            for number in range(count):
                now_ms += chance.expovariate(1 / every_ms)
                price = f"{anew}.{chance.randrange(9)}"
                self.trades[anew].append(made(first[anew] + number, int(now_ms), price))
            now_ms += chance.choice((0, 500, 5000))
        self.rest_behind_ms = chance.choice((0, 0, 3000, 8000))
        self.told: list[Told] = []
        for lag_ms in [chance.choice((1, 50)), *[chance.choice((1, 3000, 10_000))] * chance.randrange(2)]:
            loss, lossy = chance.choice((0, 0, 0.05)), False
            for anew in (0, 1):
                for one in self.trades[anew]:
                    lossy = not lossy if chance.random() < loss else lossy
                    if not lossy:
                        self.told.append(Told(one.time_ms + lag_ms, bool(anew), one))
        self.odd: Trade | None = None
        self.told.sort(key=lambda one: one.at_ms)
        self.before = list(takewhile(lambda one: not one.anew, self.told))
        before = self.before
        if chance.random() < 0.5 and len(before) > 1:
            after = chance.randrange(1, len(before))
            at_ms, _, known = before[after]._replace(item=chance.choice(before[:after]).item)
            self.odd = made(known.id, int(at_ms) + chance.choice((MINUTE_MS, 10**10)), "7")
            self.told.insert(self.told.index(before[after]) + 1, Told(at_ms, False, self.odd))

    def page(self, first_id: int, count: int, now_ms: float) -> list[Trade]:
        """Return what REST says: of the ids that count for the server that is asked, as far as it knows them."""
        now_ms -= self.rest_behind_ms
        trades = self.trades[now_ms >= self.trades[1][0].time_ms]
        known = trades[: bisect_right(trades, now_ms, key=lambda one: one.time_ms)]
        return [one for one in known if one.id >= first_id][:count]


class AnyOrder(unittest.TestCase):
    def test_any_rate_loss_and_lag_around_ids_that_begin_anew(self) -> None:
        """Nothing that came is lost: it is in the file that was set aside, in the new one, in a gap, or kept as odd."""
        for seed, chance in rounds(150):
            with self.subTest(seed=seed):
                world = World(chance)
                since_ms = world.trades[0][-1].time_ms + START_OVER_MS
                if len({one.item for one in world.told if one.anew and one.item.time_ms > since_ms}) < PROOF_ROWS:
                    continue  # too little came to tell
                if len(world.before) < PROOF_ROWS:
                    continue  # of the former ids too
                feed = Feed(Bounds(chance.choice((0, 0, 20)), 10_000, 10_000, 900.0, 1000))
                lowest = self.play(world, feed, chance)
                self.assertEqual(1, feed.foreign)
                gone = self.named(feed, world.trades[0][-1].id)
                self.whole(feed.former_rows, world.trades[0], gone)
                self.whole(feed.rows, world.trades[1], set())
                self.assertLessEqual(feed.ids[0], lowest)
                odd = set(feed.odd)
                written = set(feed.former_rows) | set(feed.rows) | odd
                for one in world.told:
                    if one.item not in written and one.item is not world.odd:
                        below = one.item.id < (feed.ids[0] if one.anew else feed.former_rows[0].id)
                        self.assertTrue(below or (not one.anew and one.item.id in gone), one)
                former_ends = {one.item for one in world.told if not one.anew}
                self.assertLessEqual(odd, former_ends)

    def play(self, world: World, feed: "Feed", chance: random.Random) -> int:
        """Let all be told, and then REST until nothing waits; return the lowest new id that came before the proof."""
        pages: list[tuple[float, int, list[Trade]]] = []
        came: list[int] = []
        lowest = -1
        now_ms = 0.0

        def turn() -> None:
            nonlocal pages
            feed.now_s = now_ms / 1000
            feed.take(feed.tape.tick(feed.now_s))
            pages += [
                (now_ms + chance.choice((1, 200, 2000)), wanted[0], world.page(*wanted, now_ms))
                for wanted in (feed.tape.ask(feed.now_s), feed.tape.holes.ask_quiet(feed.now_s))
                if wanted
            ]
            for due in [page for page in pages if page[0] <= now_ms]:
                pages.remove(due)
                feed.take(feed.tape.page(due[1], due[2], feed.now_s))

        for one in world.told:
            now_ms = one.at_ms
            turn()
            if one.anew and not feed.foreign:
                came.append(one.item.id)
            feed.bring_now(one.item)
            if feed.foreign and lowest < 0:
                lowest = min(came)
        for _ in range(3000):
            if not feed.tape.waiting and not pages:
                return lowest
            now_ms += 200
            turn()
        self.fail("something is held for ever")

    def named(self, feed: "Feed", last_id: int) -> set[int]:
        """Return the ids that the ledger calls missing: of the former ids alone, since REST has all of the new ones."""
        self.assertLessEqual({gap.cause for gap in feed.gaps}, {"new-ids"})
        return {one for first, last, _ in feed.missing() for one in range(first, last + 1) if one <= last_id}

    def whole(self, rows: Iterable[Trade], trades: list[Trade], gone: set[int]) -> None:
        """Hold a file against the trades of its ids: each once and in order, but for what is gone."""
        rows = list(rows)
        first, last = (row.id for row in (rows[0], rows[-1]))
        self.assertEqual([one for one in trades if first <= one.id <= last and one.id not in gone], rows)


if __name__ == "__main__":
    unittest.main()
