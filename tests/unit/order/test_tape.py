"""Trades come out whole: each id once, in order, and what can't be had is a gap."""

import random
import unittest
from collections.abc import Iterable
from itertools import pairwise

from aster_collect.exchange.events import Gap
from aster_collect.exchange.streams.trades import KIND as TRADES
from aster_collect.exchange.streams.trades import Trade
from aster_collect.order.asking import GONE_S, GRACE_S
from aster_collect.order.holes import Bounds
from aster_collect.order.identity import Outcome
from aster_collect.order.since import Since
from aster_collect.order.tape import AWAY_S, Tape
from tests.support import rounds

BOUNDS = Bounds(history=0, backfill_limit=10_000, hold_trades=10_000, hold_s=900.0, page_trades=1000)
DAY_MS = 86_400_000
Missing = tuple[int, int, str]


def item(trade_id: int, price: str = "1.5") -> Trade:
    """Return a trade as the exchange always tells it, live or over REST."""
    time_ms = 1_000_000 + 10 * trade_id
    return Trade(trade_id, time_ms, "buy", price, "2")


def items(*ids: int) -> list[Trade]:
    """Return trades with these ids."""
    return [item(trade_id) for trade_id in ids]


class Run:
    """A tape with what it has put out so far, and a clock that only goes on when told."""

    def __init__(
        self, bounds: Bounds = BOUNDS, last: Trade | None = None, recorded: Iterable[tuple[int, int]] = ()
    ) -> None:
        self.tape = Tape(bounds, last, recorded)
        self.now_s = 1000.0
        self.ids: list[int] = []
        self.rows: list[Trade] = []
        self.gaps: list[Gap] = []
        self.odd: list[Trade] = []
        self.foreign = 0
        self.aside: list[list[int]] = []  # the ids in files that were set aside

    def take(self, outcome: Outcome) -> None:
        """Write what came out, as the program does: a foreign file aside first."""
        if outcome.former is not None:
            self.take(outcome.former)
            self.foreign += 1
            self.aside.append(self.ids)
            self.ids, self.rows = [], []
        self.odd += outcome.odd
        self.rows += outcome.trades
        self.ids += [row.id for row in outcome.trades]
        self.gaps += outcome.gaps

    def live(self, *ids: int) -> None:
        """Deliver live trades, by the short way where they pass."""
        for one in items(*ids):
            if self.tape.passes(one.id, one.time_ms):
                self.take(Outcome([one], []))
            else:
                self.take(self.tape.add(one, self.now_s))

    def page(self, first_id: int, *ids: int) -> None:
        """Deliver REST's answer."""
        self.take(self.tape.page(first_id, items(*ids), self.now_s))

    def later(self, seconds: float = GRACE_S) -> tuple[int, int] | None:
        """Let time pass; return the page that is then wanted."""
        self.now_s += seconds
        self.take(self.tape.tick(self.now_s))
        return self.tape.ask(self.now_s)

    def end(self, now_s: float | None = None) -> None:
        """Close the tape; the exchange's time is then that of trade 1000."""
        now_s = self.now_s if now_s is None else now_s
        self.take(self.tape.close(now_s, item(1000).time_ms, Since(now_s)))

    def asked(self) -> tuple[int, int] | None:
        """Return the page that is wanted now for want of a live trade."""
        self.take(self.tape.tick(self.now_s))
        return self.tape.holes.ask_quiet(self.now_s)

    def missing(self) -> list[Missing]:
        """Return the gaps' ids and causes."""
        return [(gap.first_missing_id or 0, gap.last_missing_id or 0, gap.cause) for gap in self.gaps]


class Case(unittest.TestCase):
    def written(self, run: Run, ids: Iterable[int], missing: Iterable[Missing] = ()) -> None:
        self.assertEqual((run.ids, run.missing()), (list(ids), list(missing)))

    def running(self, bounds: Bounds = BOUNDS) -> Run:
        """Return a run that has written trade 100."""
        run = Run(bounds)
        run.live(100)
        self.written(run, [100])
        return run


class Starts(Case):
    def test_a_fresh_file_starts_with_a_past(self) -> None:
        """A fresh file waits for the history before its first live trade, and begins with it."""
        run = Run(BOUNDS._replace(history=5))
        run.live(100, 101)
        self.written(run, [])
        self.assertEqual(run.later(), (95, 6))
        run.page(95, 95, 96, 97, 98, 99)
        self.written(run, range(95, 102))
        run.live(102)
        self.written(run, range(95, 103))

    def test_a_long_history_comes_in_pages(self) -> None:
        """A history of more than a page is asked for page by page, oldest first, each at once after the other."""
        run = Run(BOUNDS._replace(history=2500))
        run.live(3000)
        asked = []
        wanted = run.later()
        while wanted:
            asked.append(wanted)
            run.page(wanted[0], *range(wanted[0], sum(wanted)))
            wanted = run.later()
        self.assertEqual(asked, [(500, 1000), (1500, 1000), (2500, 501)])
        self.written(run, range(500, 3001))

    def test_an_exchange_of_smaller_pages(self) -> None:
        """What is asked for at once is what the exchange gives at once, and a full page is asked behind."""
        run = Run(BOUNDS._replace(history=250, page_trades=100))
        run.live(3000)
        asked = []
        while wanted := run.later():
            asked.append(wanted)
            run.page(wanted[0], *range(wanted[0], sum(wanted)))
        self.assertEqual(asked, [(2750, 100), (2850, 100), (2950, 51)])
        self.written(run, range(2750, 3001))

    def test_history_that_is_gone_is_no_gap(self) -> None:
        """A fresh file whose history the exchange has no more just starts later."""
        run = Run(BOUNDS._replace(history=5))
        run.live(100)
        self.assertEqual(run.later(), (95, 6))
        run.page(95, 98, 99)
        self.written(run, [98, 99, 100])

    def test_history_when_rest_is_away_is_no_gap(self) -> None:
        """A fresh file whose history can't be had in time begins with its first live trade."""
        run = Run(BOUNDS._replace(history=5, hold_s=60))
        run.live(100)
        run.later()
        run.later(61)
        self.written(run, [100])

    def test_a_new_listing_has_no_past(self) -> None:
        """A history longer than the symbol's life begins with id 0."""
        run = Run(BOUNDS._replace(history=1000))
        run.live(3)
        self.assertEqual(run.later(), (0, 4))
        run.page(0, 0, 1, 2)
        self.written(run, [0, 1, 2, 3])

    def test_no_history_is_asked_for_where_none_is_wanted(self) -> None:
        """A fresh file without history, or without backfill, begins with its first live trade at once."""
        for bounds in (BOUNDS, BOUNDS._replace(history=1000, backfill_limit=0)):
            run = Run(bounds)
            run.live(100)
            self.assertIsNone(run.later())
            self.written(run, [100])


class Restarts(Case):
    def test_a_restart_goes_on_behind_the_last_row(self) -> None:
        """A restart proves that the last row is the exchange's, fills what it missed, and repeats nothing."""
        run = Run(last=item(100))
        self.assertEqual(run.later(0), (100, 1000))
        run.live(105, 106)
        self.written(run, [])
        run.page(100, 100, 101, 102, 103, 104, 105)
        self.written(run, range(101, 107))
        run.live(107)
        self.written(run, range(101, 108))

    def test_a_restart_without_a_loss(self) -> None:
        """A restart between two trades writes the next one, without a gap."""
        run = Run(last=item(100))
        run.later(0)
        run.page(100, 100)
        run.live(101)
        self.written(run, [101])

    def test_a_crash_between_the_ledger_and_the_file_behind_a_gap(self) -> None:
        """What the ledger calls missing right behind the last row is not asked for again, and not recorded twice."""
        run = Run(last=item(100), recorded=[(101, 110)])
        run.later(0)
        run.page(100, 100, 111, 112)
        self.written(run, [111, 112])
        run.live(113)
        self.written(run, [111, 112, 113])

    def test_a_crash_between_the_ledger_and_the_file_before_a_gap(self) -> None:
        """Rows between the file's end and a gap that the ledger has already are fetched, and the gap stays one."""
        run = Run(last=item(100), recorded=[(105, 110), (1, 50)])
        run.later(0)
        run.page(100, 100, 101, 102)
        run.live(113)
        self.assertEqual(run.later(), (103, 3))
        run.page(103, 103, 104)
        self.written(run, [101, 102, 103, 104])
        self.assertEqual(run.later(), (111, 3))
        run.page(111, 111, 112)
        self.written(run, [101, 102, 103, 104, 111, 112, 113])

    def test_ids_that_the_ledger_calls_missing_stay_missing(self) -> None:
        """A trade that the ledger calls missing is not written when REST has it after all: no id is both."""
        run = Run(last=item(100), recorded=[(102, 103)])
        run.later(0)
        run.page(100, 100, 101, 102, 103, 104)
        self.written(run, [101, 104])

    def test_the_feed_reaches_ids_that_the_ledger_calls_missing(self) -> None:
        """Live trades that the ledger calls missing are not written either, and those behind them are."""
        run = Run(last=item(100), recorded=[(102, 103)])
        run.later(0)
        run.page(100, 100)
        run.live(101, 102, 103, 104, 105)
        self.written(run, [101, 104, 105])

    def test_a_gap_up_to_one_in_the_ledger_ends_before_it(self) -> None:
        """A hole that is given up in front of a gap of the ledger is a gap of its own, without an id of the other."""
        run = Run(last=item(100), recorded=[(103, 105)])
        run.later(0)
        run.page(100, 100)
        run.live(110)
        for _ in range(2):
            run.later(1000)
        self.written(run, [110], [(101, 102, "gave-up"), (106, 109, "gave-up")])


class Foreign(Case):
    def test_a_file_with_another_trade_under_its_last_id(self) -> None:
        """A file whose last id is another trade for the exchange is set aside, and a fresh one begins."""
        run = Run(BOUNDS._replace(history=2), last=item(100, price="9"))
        run.live(200)
        run.later(0)
        run.page(100, 100, 101)
        self.assertEqual(run.foreign, 1)
        self.assertEqual(run.later(), (198, 3))
        run.page(198, 198, 199)
        self.written(run, [198, 199, 200])

    def test_a_file_with_another_time_side_or_quantity_under_its_last_id(self) -> None:
        """Price, quantity and side have to agree, and the time to a second; the format does not matter."""
        for row, foreign in (
            ("100,1001000,BUY,1.50,2.0", 0),
            ("100,1001001,buy,1.5,2", 0),
            ("100,1000000,buy,1.5,2", 0),
            ("100,1002001,buy,1.5,2", 1),
            ("100,1001000,sell,1.5,2", 1),
            ("100,1001000,buy,1.5,2.1", 1),
            ("100,1001000,buy,x,2", 1),
        ):
            run = Run()
            run.tape = Tape(BOUNDS, TRADES.read(row.split(",")))
            run.later(0)
            run.page(100, 100)
            self.assertEqual(run.foreign, foreign, row)

    def test_a_server_that_does_not_have_the_last_id_yet(self) -> None:
        """An empty page, or one with lower ids alone, proves nothing, whatever came live: it is asked for again."""
        run = Run(last=item(100))
        run.live(99, 100)
        for answer in ((), (97, 98), ()):
            self.assertEqual(run.later(60), (100, 1000))
            run.page(100, *answer)
        self.assertEqual((run.foreign, run.ids), (0, []))
        run.later(60)
        run.page(100, 100, 101)
        run.live(102)
        self.assertEqual(run.foreign, 0)
        self.written(run, [101, 102])

    def test_a_page_above_the_last_id_with_earlier_trades(self) -> None:
        """What was made before the last row can't follow it: such a page proves nothing either."""
        run = Run(last=item(100)._replace(time_ms=9_000_000))
        run.later(0)
        run.page(100, 105, 106)
        self.assertEqual((run.foreign, run.ids, run.tape.waiting), (0, [], True))

    def test_live_ids_below_the_last_id_of_the_file(self) -> None:
        """A file whose last id the exchange has not reached yet is set aside at the third live trade that says so."""
        run = Run(last=item(90_000)._replace(time_ms=1_000_500))
        run.live(200, 300)  # made less than 2 s after that last row, and 2.5 s after
        self.assertEqual(run.later(0), (90_000, 1000))
        run.page(90_000)
        run.live(301)
        self.assertEqual(run.foreign, 0)
        run.live(302)
        self.assertEqual(run.foreign, 1)
        run.later()
        run.page(201, *range(201, 300))
        self.written(run, range(200, 303))

    def test_a_file_older_than_the_exchange_remembers(self) -> None:
        """A file whose last id is gone is resumed when what REST still has is later than its last row."""
        run = Run(last=item(100))
        run.live(205)
        run.later(0)
        run.page(100, *range(200, 205))
        self.assertEqual(run.foreign, 0)
        for _ in range(2):
            self.written(run, [])
            run.later(GONE_S)
            run.page(101, *range(200, 205))
        self.written(run, range(200, 206), [(101, 199, "not-available")])

    def test_a_proof_while_rest_is_away_and_ids_rise(self) -> None:
        """Without REST, a file is resumed on trust when ids and times both rise, and the hole is a gap."""
        run = Run(BOUNDS._replace(hold_s=60), last=item(100))
        run.live(105)
        run.later(61)
        run.later(0)
        self.assertEqual(run.foreign, 0)
        self.written(run, [105], [(101, 104, "gave-up")])

    def test_a_proof_while_rest_is_away_and_ids_fall(self) -> None:
        """Without REST, a file is set aside when three live ids lie below its last, or their times a day before it."""
        early = [Trade(one, 5, "buy", "1", "1") for one in (105, 106, 107)]
        for three, last_ms in ((items(50, 51, 52), item(100).time_ms), (early, DAY_MS + 6)):
            run = Run(BOUNDS._replace(hold_s=60), last=item(100)._replace(time_ms=last_ms))
            for number, one in enumerate(three):
                run.take(run.tape.add(one, run.now_s))
                run.later(61)
                self.assertEqual(run.foreign, number == 2, one)
            self.written(run, [one.id for one in three])

    def test_a_proof_while_rest_is_away_and_the_clock_was_set_back(self) -> None:
        """Without REST, a file is resumed on trust when three ids rise and the times are less than a day earlier."""
        run = Run(BOUNDS._replace(hold_s=60), last=item(100))
        for number, one in enumerate((7, 105, 106, 107)):  # the first is none of them
            run.take(run.tape.add(Trade(one, 5 if one > 7 else 2_000_000, "buy", "1", "1"), run.now_s))
            run.later(61)
            run.later(0)
            self.assertEqual((run.foreign, len(run.ids)), (0, 3 if number == 3 else 0))
        self.assertEqual(run.ids, [105, 106, 107])
        self.assertEqual(run.missing(), [(101, 104, "gave-up")])

    def test_a_foreign_file_and_no_trade_yet(self) -> None:
        """A foreign file that is found out before the first live trade leaves a fresh start behind."""
        run = Run(last=item(100, price="9"))
        run.later(0)
        run.page(100, 100)
        self.assertEqual((run.foreign, run.tape.waiting), (1, False))
        run.live(300, 301)
        self.written(run, [300, 301])


class Holes(Case):
    def test_a_duplicate_is_written_once(self) -> None:
        """A trade that comes again, written or held, is dropped and counted."""
        run = self.running()
        run.live(100, 102, 102, 99, 101, 101)
        self.written(run, [100, 101, 102])
        self.assertEqual(run.tape.duplicates, 4)

    def test_swapped_frames_ask_for_nothing(self) -> None:
        """Two frames that change places within the grace are put right without a request."""
        run = self.running()
        run.live(102)
        self.assertIsNone(run.tape.ask(run.now_s))
        self.assertIsNone(run.later(GRACE_S / 2))
        run.live(101)
        self.assertIsNone(run.later())
        self.written(run, [100, 101, 102])

    def test_a_hole_is_filled_before_what_lies_behind(self) -> None:
        """A hole is asked for once, and nothing behind it is written before its page."""
        run = self.running()
        run.live(105, 106)
        self.assertEqual(run.later(), (101, 5))
        self.assertIsNone(run.later())
        run.live(107)
        self.written(run, [100])
        run.page(101, 101, 102, 103, 104)
        self.written(run, range(100, 108))

    def test_a_page_comes_late(self) -> None:
        """A page that comes after its hole was closed by the feed, or given up, brings duplicates only."""
        run = self.running(BOUNDS._replace(hold_s=60))
        run.live(103)
        self.assertEqual(run.later(), (101, 3))
        run.live(101, 102)
        run.page(101, 101, 102)
        run.live(106)
        self.assertEqual(run.later(), (104, 3))
        run.later(61)
        run.page(104, 104, 105)
        self.written(run, [100, 101, 102, 103, 106], [(104, 105, "gave-up")])

    def test_a_page_overlaps(self) -> None:
        """A page that brings what is written and what is held too brings each id once."""
        run = self.running()
        run.live(103, 104)
        run.later()
        run.page(101, *range(95, 108))
        self.written(run, range(100, 108))

    def test_a_page_comes_short(self) -> None:
        """A page with fewer trades than asked for fills what it can, and the rest is asked for at once."""
        run = self.running()
        run.live(106)
        self.assertEqual(run.later(), (101, 6))
        run.page(101, 101, 102)
        self.written(run, [100, 101, 102])
        self.assertEqual(run.later(), (103, 4))
        run.page(103, 103, 104, 105)
        self.written(run, range(100, 107))

    def test_a_page_comes_empty(self) -> None:
        """An empty page is asked for again after a growing pause, and never makes a gap by itself."""
        run = self.running()
        run.live(102)
        self.assertEqual(run.later(), (101, 2))
        pauses = []
        for _ in range(8):
            run.page(101)
            pause = 0.0
            while run.tape.ask(run.now_s) is None:
                run.now_s += 0.5
                pause += 0.5
            pauses.append(pause)
        self.assertEqual(pauses, [1, 2, 4, 8, 16, 32, 32, 32])
        run.page(101, 101)
        self.written(run, [100, 101, 102])

    def test_a_page_comes_twice(self) -> None:
        """A page that comes again changes nothing."""
        run = self.running()
        run.live(104)
        run.later()
        run.page(101, 101, 102)
        run.page(101, 101, 102)
        run.page(103, 103)
        run.page(103, 103)
        self.written(run, [100, 101, 102, 103, 104])

    def test_a_page_has_holes(self) -> None:
        """Ids that later ones surround are gone when a second answer leaves them out a minute later, and only those."""
        run = self.running()
        run.live(110)
        began_s = run.now_s
        while not run.gaps:
            self.written(run, [100])
            self.assertIsNotNone(run.later(GONE_S / 4))
            run.page(101, 103, 104, 107, 108, 109)
        self.assertGreaterEqual(run.now_s - began_s, GONE_S)
        self.written(run, [100, 103, 104], [(101, 102, "not-available")])
        self.assertEqual(run.later(), (105, 3))
        run.page(105, 107, 108)
        self.written(
            run, [100, 103, 104, 107, 108, 109, 110], [(101, 102, "not-available"), (105, 106, "not-available")]
        )

    def test_a_server_is_behind_and_has_the_trades_seconds_later(self) -> None:
        """Holes of a page, however often they come within a minute, are no gap: what is there in the end is written."""
        run = self.running()
        run.live(110)
        for _ in range(5):
            run.later(11)
            run.page(101, 103, 104, 109)
        self.written(run, [100])
        run.later(11)
        run.page(101, *range(101, 110))
        self.written(run, range(100, 111))

    def test_rest_lags_and_then_leaves_one_out(self) -> None:
        """Empty answers do not count against an id: it is gone when two a minute apart have later ids alone."""
        run = self.running()
        run.live(103)
        for answer in ((), (), (), (102,)):
            run.later(60)
            run.page(101, *answer)
        self.written(run, [100])
        run.later(59)
        run.page(101, 102)
        self.written(run, [100])
        run.later(60)
        run.page(101, 101, 102)
        self.written(run, [100, 101, 102, 103])

    def test_the_hold_limit_is_over(self) -> None:
        """A hole is given up as gone where a page has left it out, and else as not had in time."""
        for answer, cause in (((102,), "not-available"), ((), "gave-up")):
            run = self.running(BOUNDS._replace(hold_s=30))
            run.live(103)
            run.later()
            run.page(101, *answer)
            run.later(31)
            if not answer:
                self.written(run, [100, 103], [(101, 102, cause)])
            else:
                self.written(run, [100, 102, 103], [(101, 101, cause)])

    def test_several_holes(self) -> None:
        """Several holes are filled one after the other, oldest first, and rows come as far as they can."""
        run = self.running()
        run.live(103, 104, 107, 110)
        self.assertEqual(run.later(), (101, 3))
        run.page(101, 101, 102)
        self.written(run, range(100, 105))
        self.assertEqual(run.later(), (105, 3))
        run.page(105, 105, 106)
        self.assertEqual(run.later(), (108, 3))
        run.page(108, 108, 109)
        self.written(run, range(100, 111))

    def test_a_gap_says_when(self) -> None:
        """A gap's times are those of the rows around it."""
        run = self.running(BOUNDS._replace(hold_s=60))
        run.live(105)
        run.later(61)
        self.assertEqual(run.gaps, [Gap("trades", item(100).time_ms, item(105).time_ms, 101, 104, "gave-up")])


class Limits(Case):
    def test_a_hole_larger_than_the_backfill_limit(self) -> None:
        """Of a hole that is too large the newest part is fetched and the older part is a gap."""
        run = self.running(BOUNDS._replace(backfill_limit=3))
        run.live(110)
        run.later()
        self.written(run, [100], [(101, 106, "backfill-limit")])
        self.assertEqual(run.later(), (107, 4))
        run.page(107, 107, 108, 109)
        self.written(run, [100, *range(107, 111)], [(101, 106, "backfill-limit")])

    def test_a_hole_of_just_the_backfill_limit(self) -> None:
        """A hole of just the limit is fetched whole."""
        run = self.running(BOUNDS._replace(backfill_limit=3))
        run.live(104)
        self.assertEqual(run.later(), (101, 4))

    def test_backfill_turned_off(self) -> None:
        """With a limit of 0 every hole is a gap after the grace, and nothing is asked for."""
        run = self.running(BOUNDS._replace(backfill_limit=0))
        run.live(102)
        self.assertIsNone(run.later(GRACE_S / 2))
        self.written(run, [100])
        self.assertIsNone(run.later())
        self.written(run, [100, 102], [(101, 101, "backfill-limit")])

    def test_backfill_turned_off_at_a_restart(self) -> None:
        """With a limit of 0 a restart asks for its proof alone, and the hole is a gap."""
        run = Run(BOUNDS._replace(backfill_limit=0), last=item(100))
        self.assertEqual(run.later(0), (100, 1))
        run.live(110)
        run.page(100, 100)
        run.later()
        self.written(run, [110], [(101, 109, "backfill-limit")])

    def test_too_many_held(self) -> None:
        """When more is held than allowed the hole is given up at once, and what was held is written."""
        run = self.running(BOUNDS._replace(hold_trades=3))
        run.live(102, 103, 104)
        run.later()
        self.written(run, [100])
        run.live(105)
        run.later(0)
        self.written(run, [100, 102, 103, 104, 105], [(101, 101, "gave-up")])

    def test_held_too_long(self) -> None:
        """When a hole stays open longer than allowed it is given up; the clock starts again with each progress."""
        run = self.running(BOUNDS._replace(hold_s=60))
        run.live(104)
        run.later(50)
        run.page(101, 101)
        run.later(50)
        self.written(run, [100, 101])
        run.later(11)
        self.written(run, [100, 101, 104], [(102, 103, "gave-up")])

    def test_memory_is_needed_elsewhere(self) -> None:
        """A tape that is told to gives up its first hole, and without one does nothing."""
        run = self.running()
        run.take(run.tape.give_up(run.now_s))
        run.live(102, 104)
        run.take(run.tape.give_up(run.now_s))
        self.written(run, [100, 102], [(101, 101, "gave-up")])


class Quiet(Case):
    def test_trades_of_an_outage_and_no_live_one_after_it(self) -> None:
        """Ten seconds after an outage one page is asked for; what it brings is written, and then nothing is open."""
        run = self.running()
        run.tape.holes.begin_outage()
        run.now_s += 100
        self.assertIsNone(run.asked(), "as long as it lasts")
        run.tape.holes.end_outage(run.now_s)
        run.now_s += 9
        self.assertIsNone(run.asked(), "a server can be behind")
        run.now_s += 1
        self.assertEqual(run.asked(), (101, 1000))
        self.assertIsNone(run.asked(), "once")
        run.page(101, 101, 102)
        self.assertFalse(run.tape.waiting)
        run.live(103)
        self.written(run, [100, 101, 102, 103])

    def test_a_live_trade_after_the_outage(self) -> None:
        """It answers the question: nothing is asked for but the hole that it shows."""
        for live, hole in ((101, None), (103, (101, 3))):
            run = self.running()
            run.tape.holes.begin_outage()
            run.tape.holes.end_outage(run.now_s)
            run.live(live)
            self.assertEqual(run.later(60), hole)
            self.assertIsNone(run.asked())

    def test_more_trades_than_one_page_holds(self) -> None:
        """A full page leaves open what is behind it."""
        run = self.running()
        run.tape.holes.end_outage(run.now_s)
        run.now_s += 10
        self.assertEqual(run.asked(), (101, 1000))
        run.page(101, *range(101, 1101))
        self.assertEqual(run.asked(), (1101, 1000))
        run.page(1101)
        self.assertFalse(run.tape.waiting)
        self.written(run, range(100, 1101))

    def test_the_page_has_a_hole(self) -> None:
        """A page that leaves trades out is a hole like any other."""
        run = self.running()
        run.tape.holes.end_outage(run.now_s)
        run.now_s += 10
        run.asked()
        run.page(101, 103)
        self.assertEqual(run.later(1), (101, 3))
        run.page(101, 101, 102)
        self.written(run, range(100, 104))
        self.assertFalse(run.tape.waiting)

    def test_an_answer_of_no_use(self) -> None:
        """What is no page answers nothing: it is asked for again a minute later."""
        run = self.running()
        run.tape.holes.end_outage(run.now_s)
        run.now_s += 10
        run.asked()
        run.take(run.tape.page(101, None, run.now_s))
        self.assertIsNone(run.asked())
        run.now_s += 60
        self.assertEqual(run.asked(), (101, 1000))

    def test_a_page_of_a_hole_that_closed_meanwhile(self) -> None:
        """It was asked for before the outage, and answers nothing that was asked after it."""
        run = self.running()
        run.live(103)
        self.assertEqual(run.later(), (101, 3))
        run.live(101, 102)
        run.tape.holes.begin_outage()
        run.tape.holes.end_outage(run.now_s)
        run.now_s += 10
        self.assertEqual(run.asked(), (104, 1000))
        run.page(101, 101, 102, 103)
        self.assertTrue(run.tape.unanswered)
        run.page(104, 104)
        self.assertFalse(run.tape.waiting)
        self.written(run, [100, 101, 102, 103, 104])

    def test_an_answer_from_before_the_next_outage(self) -> None:
        """It says nothing of what was made since; its trades count."""
        run = self.running()
        run.tape.holes.end_outage(run.now_s)
        run.now_s += 10
        run.asked()
        run.tape.holes.begin_outage()
        run.page(101, 101)
        self.written(run, [100, 101])
        self.assertTrue(run.tape.unanswered)

    def test_a_restart_that_proves_its_file_before_a_connection_is_open(self) -> None:
        """What was made between the page that proved it and the first frame is asked for as after an outage."""
        run = Run(last=item(100))
        run.later(0)
        run.page(100, 100)
        self.assertTrue(run.tape.unanswered)
        run.tape.holes.end_outage(run.now_s)
        run.now_s += 10
        self.assertEqual(run.asked(), (101, 1000))
        run.page(101)
        self.assertFalse(run.tape.unanswered)

    def test_backfill_turned_off(self) -> None:
        """With a limit of 0 nothing is asked for; at the end the ledger says that it was not."""
        run = self.running(BOUNDS._replace(backfill_limit=0))
        run.tape.holes.end_outage(run.now_s)
        run.now_s += 60
        self.assertIsNone(run.asked())
        run.end()
        self.assertEqual(run.gaps, [Gap("trades", item(100).time_ms, item(1000).time_ms, None, None, "not-asked")])

    def test_another_program_destroys_the_trades_of_a_quiet_symbol(self) -> None:
        """They are asked for at once, since no live trade shows that they are gone."""
        run = Run()
        run.live(100, 101, 102)
        gap = Gap("trades", item(100).time_ms, item(102).time_ms, 101, 102, "destroyed")
        run.take(run.tape.rewind(gap, [], [], run.now_s, begins=False))
        self.assertEqual(run.asked(), (101, 1000))
        run.page(101, 101, 102)
        self.written(run, [100, 101, 102, 101, 102])
        self.assertFalse(run.tape.waiting)

    def test_another_outage_while_the_page_of_the_last_is_under_way(self) -> None:
        """It is asked once more when that one has been answered, which says nothing of it, and not beside it."""
        run = self.running()
        run.tape.holes.end_outage(run.now_s)
        run.now_s += 10
        self.assertEqual(run.asked(), (101, 1000))
        run.tape.holes.begin_outage()
        run.tape.holes.end_outage(run.now_s)
        run.now_s += 10
        self.assertIsNone(run.asked())
        run.page(101)
        self.assertTrue(run.tape.unanswered)
        self.assertEqual(run.asked(), (101, 1000))
        run.page(101)
        self.assertFalse(run.tape.unanswered)

    def test_the_page_of_a_hole_and_that_of_a_question_are_under_way(self) -> None:
        """The answer to the one does not have the other asked for a second time."""
        run = self.running()
        run.tape.holes.end_outage(run.now_s)
        run.now_s += 10
        self.assertEqual(run.asked(), (101, 1000))
        run.live(101, 105)
        self.assertEqual(run.later(), (102, 4))
        run.page(101)
        self.assertIsNone(run.later())
        run.page(102, 102, 103, 104)
        self.written(run, [100, 101, 102, 103, 104, 105])

    def test_a_stop_while_a_question_is_open(self) -> None:
        """It is asked at once, also a second time; without an answer the ledger says from when to when."""
        run = self.running()
        run.tape.holes.begin_outage()
        run.tape.holes.hurry()
        self.assertEqual(run.asked(), (101, 1000))
        run.tape.holes.hurry()
        self.assertEqual(run.asked(), (101, 1000))
        run.end()
        self.assertEqual(run.gaps, [Gap("trades", item(100).time_ms, item(1000).time_ms, None, None, "not-asked")])

    def test_a_stop_with_an_answer(self) -> None:
        """A page in time answers it, and the ledger says nothing; nor does it of a symbol without any trade."""
        run = self.running()
        run.tape.holes.begin_outage()
        run.tape.holes.hurry()
        run.asked()
        run.page(101, 101)
        run.end()
        self.written(run, [100, 101])
        run = Run()
        run.tape.holes.begin_outage()
        run.end()
        self.written(run, [])


class Ends(Case):
    def test_a_stop_while_rest_works_leaves_the_hole_to_the_next_start(self) -> None:
        """At a stop with a young hole the file ends before it, the ledger says so, and the next start fetches it."""
        run = self.running()
        run.live(103)
        run.later()
        run.end(run.now_s + AWAY_S - 1)
        self.written(run, [100], [(0, 0, "not-asked")])
        again = Run(last=item(100))
        again.later(0)
        again.page(100, 100, 101, 102, 103)
        self.written(again, [101, 102, 103])

    def test_a_stop_while_rest_is_away_releases_what_is_held(self) -> None:
        """At a stop with holes that made no progress for long, they are gaps and what is held is written."""
        run = self.running()
        run.live(103, 106)
        run.end(run.now_s + AWAY_S + 1)
        self.assertEqual(run.ids[:2], [100, 103])
        self.assertEqual(run.missing()[0], (101, 102, "gave-up"))

    def test_a_stop_before_the_history_came(self) -> None:
        """At a stop before the first row, what came live is written, though its history is not there."""
        run = Run(BOUNDS._replace(history=1000))
        run.live(5000, 5001)
        run.end()
        self.written(run, [5000, 5001])

    def test_a_stop_before_the_proof(self) -> None:
        """At a stop before the file is proven, young holes wait for the next start and old ones end on trust."""
        run = Run(last=item(100))
        run.live(103)
        run.end()
        self.written(run, [], [(0, 0, "not-asked")])
        run = Run(last=item(100))
        run.live(103)
        run.end(run.now_s + AWAY_S + 1)
        self.written(run, [103], [(101, 102, "gave-up")])


class Exchange:
    """All trades there are, what REST has of them, and how badly it answers today."""

    def __init__(self, chance: random.Random, away: bool) -> None:
        self.chance = chance
        self.newest = chance.randrange(50, 3000)
        share = chance.choice((0, 0, 0.003, 0.03))
        self.gone = {one for one in range(self.newest + 5000) if chance.random() < share}
        if chance.random() < 0.3:
            self.gone |= set(range(chance.randrange(self.newest + 300)))
        self.away_from = chance.randrange(300) if away else None
        self.odd = chance.choice((0, 0.2, 0.6))
        self._hidden_s: dict[int, float] = {}

    def answer(self, first_id: int, count: int, now_s: float) -> list[int]:
        """Return one page: as it should be, or empty, short, overlapping, or with a hole that is not always there."""
        known = self.newest - (self.chance.randrange(20) if self.chance.random() < 0.3 else 0)
        ids = [one for one in range(first_id, known + 1) if one not in self.gone][:count]
        kind = self.chance.choice(("empty", "short", "overlap", "holed")) if self.chance.random() < self.odd else ""
        if kind == "empty":
            return []
        if kind == "overlap":
            before = [one for one in range(max(0, first_id - 5), first_id) if one not in self.gone]
            ids = before + ids
        if kind == "holed":  # never for as long as what is gone for good
            hidden = {one for one in ids if now_s - self._hidden_s.setdefault(one, now_s) < GONE_S - 1}
            return [one for one in ids if one not in hidden or self.chance.random() < 0.5]
        return ids[: self.chance.randrange(1, len(ids) + 1)] if kind == "short" and ids else ids


class Disk:
    """A trades file and its ledger, with what is not flushed yet; the ledger goes first."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.rows: list[Trade] = []
        self.gaps: list[Gap] = []
        self._new_rows: list[Trade] = []
        self._new_gaps: list[Gap] = []

    def append(self, outcome: Outcome) -> None:
        assert outcome.former is None, "the exchange's own file was set aside"
        self._new_rows += outcome.trades
        self._new_gaps += outcome.gaps

    def flush(self, rows: bool = True) -> None:
        self.gaps += self._new_gaps
        self._new_gaps = []
        if rows:
            self.rows += self._new_rows
            self._new_rows = []

    def crash(self) -> None:
        """Lose what was not flushed; the flush under way may have got as far as the ledger, or half the rows."""
        if self.chance.random() < 0.7:
            self.flush(rows=False)
            self.rows += self._new_rows[: self.chance.choice((0, self.chance.randrange(len(self._new_rows) + 1)))]
        self._new_rows, self._new_gaps = [], []

    def tape(self, bounds: Bounds) -> Tape:
        recorded = [
            (gap.first_missing_id, gap.last_missing_id)
            for gap in self.gaps
            if gap.first_missing_id is not None and gap.last_missing_id is not None
        ]
        return Tape(bounds, self.rows[-1] if self.rows else None, recorded)


class AnyOrder(unittest.TestCase):
    def test_any_loss_duplication_swaps_and_pages_while_rest_lives(self) -> None:
        """Any order of loss, duplicates, swaps, crashes and odd pages gives a tape that lacks only what is gone."""
        for seed, chance in rounds(250):
            with self.subTest(seed=seed):
                history = chance.choice((0, 10, 1500))
                exchange, disk = self.play(chance, Bounds(history, 10**6, 10**6, 10**6, 1000), away=False)
                missing = self.whole(disk)
                self.assertFalse(sorted(missing - exchange.gone)[:9], "a gap for trades that REST would have given")
                self.assertLessEqual({gap.cause for gap in disk.gaps}, {"not-available"})

    def test_any_loss_while_rest_fails_for_good_and_bounds_are_small(self) -> None:
        """With REST failing, small bounds and any order of everything else, every id is a row or in one gap."""
        for seed, chance in rounds(250):
            with self.subTest(seed=seed):
                bounds = Bounds(
                    chance.choice((0, 10, 1500)), chance.choice((0, 1, 7, 10**6)), chance.choice((1, 5, 50, 10**6)),
                    chance.choice((1, 5, 10**6)), 1000,
                )  # fmt: skip
                _, disk = self.play(chance, bounds, away=chance.random() < 0.5)
                self.whole(disk)
                self.assertLessEqual(
                    {gap.cause for gap in disk.gaps}, {"not-available", "gave-up", "backfill-limit", "not-asked"}
                )

    def whole(self, disk: Disk) -> set[int]:
        """Hold a file and its ledger against the promise; return the ids that the ledger calls missing."""
        ids = [row.id for row in disk.rows]
        self.assertTrue(ids)
        self.assertTrue(all(one < next_one for one, next_one in pairwise(ids)), "ids do not rise")
        for trade_id, row in zip(ids, disk.rows, strict=True):
            self.assertEqual(row, item(trade_id))
        missing: set[int] = set()
        for gap in disk.gaps:
            if gap.first_missing_id is None or gap.last_missing_id is None:
                self.assertEqual("not-asked", gap.cause)
                continue
            self.assertLessEqual(gap.from_ms, gap.to_ms)
            own = set(range(gap.first_missing_id, gap.last_missing_id + 1))
            self.assertTrue(own, gap)
            self.assertFalse(sorted(own & missing)[:9], "an id is in two gaps")
            missing |= own
        self.assertFalse(sorted(missing & set(ids))[:9], "an id is both")
        self.assertFalse(sorted(set(range(ids[0], ids[-1] + 1)) - set(ids) - missing)[:9], "an id is neither")
        return missing

    def play(self, chance: random.Random, bounds: Bounds, away: bool) -> tuple[Exchange, Disk]:
        exchange, disk = Exchange(chance, away), Disk(chance)
        tape = disk.tape(bounds)
        now_s, lossy = 50.0, False
        loss, crashes = chance.choice((0, 0.05, 0.3)), chance.choice((0, 0, 0.01, 0.05))
        pages: list[tuple[float, int, int]] = []
        late: list[int] = []
        for turn in range(300):
            now_s += chance.expovariate(5)
            disk.append(tape.tick(now_s))
            if chance.random() < loss:
                lossy = not lossy
            live = range(exchange.newest + 1, exchange.newest + 1 + chance.randrange(4))
            exchange.newest = live.stop - 1
            brought = late + [one for one in live if not lossy or chance.random() < 0.1]
            late = [one for one in brought if chance.random() < 0.05]
            brought = [one for one in brought if one not in late or chance.random() < 0.5]
            if chance.random() < 0.2:
                chance.shuffle(brought)
            self.deliver(tape, disk, brought, now_s)
            wanted = tape.ask(now_s)
            if wanted and (exchange.away_from is None or turn < exchange.away_from):
                pages.append((now_s + chance.choice((0, 0.1, 1, 5)), *wanted))
                if chance.random() < 0.1:
                    pages.append((now_s + chance.choice((0.1, 1, 20)), *wanted))
            for page in [page for page in pages if page[0] <= now_s]:
                pages.remove(page)
                disk.append(tape.page(page[1], items(*exchange.answer(*page[1:], now_s)), now_s))
            if chance.random() < 0.3:
                disk.flush()
            if chance.random() < crashes:
                if bounds.hold_s < 10**6 and chance.random() < 0.3:  # a stop does not wait for a slow REST
                    disk.append(tape.close(now_s, 10**9, Since(now_s)))
                    disk.flush()
                disk.crash()
                tape, pages, late = disk.tape(bounds), [], []
        self.finish(exchange, tape, disk, now_s, pages)
        disk.flush()
        return exchange, disk

    def deliver(self, tape: Tape, disk: Disk, ids: list[int], now_s: float) -> None:
        for one in items(*ids):
            passed = tape.passes(one.id, one.time_ms)
            disk.append(Outcome([one], []) if passed else tape.add(one, now_s))

    def finish(
        self, exchange: Exchange, tape: Tape, disk: Disk, now_s: float, pages: list[tuple[float, int, int]]
    ) -> None:
        """Let the feed and, unless it fails for good, REST work well until nothing is held."""
        exchange.odd = 0
        exchange.newest += 1
        exchange.gone.discard(exchange.newest)  # nothing behind the last one would tell of it
        self.deliver(tape, disk, [exchange.newest], now_s)
        for page in pages:
            disk.append(tape.page(page[1], items(*exchange.answer(*page[1:], now_s)), now_s))
        for _ in range(3000):
            if not tape.waiting:
                break
            now_s += 100
            disk.append(tape.tick(now_s))
            wanted = tape.ask(now_s)
            if wanted and exchange.away_from is None:
                disk.append(tape.page(wanted[0], items(*exchange.answer(*wanted, now_s)), now_s))
        for _ in range(300 if exchange.away_from is not None else 0):
            now_s += 10**7
            disk.append(tape.tick(now_s))
        self.assertFalse(tape.waiting, "something is held for ever")


if __name__ == "__main__":
    unittest.main()
