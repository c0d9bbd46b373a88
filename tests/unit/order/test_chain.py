"""A full book's changes are written behind a snapshot, each naming the row before; what lacks is told, and mended."""

import unittest
from typing import Any

from aster_collect.exchange.events import Answer
from aster_collect.exchange.streams.depth import KIND, SNAPSHOT, Diff
from aster_collect.exchange.venues import FUTURES
from aster_collect.order.chain import Chain
from aster_collect.order.checks import Checks
from aster_collect.order.effects import Aside, Effect, Missing, Reject, Request, Rows
from aster_collect.order.lane import Left

START_MS = 1_764_000_000_000


def diff(previous_id: int, update_id: int, bids: str = "", asks: str = "", *, ms: int | None = None) -> Diff:
    """Return a change; ids are tenths of seconds unless said otherwise."""
    return Diff(update_id, START_MS + (update_id * 100 if ms is None else ms), previous_id, bids, asks, 1)


class Chained(unittest.TestCase):
    """A lane in virtual time."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, left: Left | None = None, check_s: float = 0.0) -> None:
        """Begin a lane, behind what a run before has left."""
        self.now_s = 1000.0
        self.lane = Chain(KIND, "BTCUSDT", left or Left(), FUTURES, Checks(check_s, 0), lambda: self.now_s)

    def turn(self, *changes: Diff) -> list[Effect]:
        """Let changes come, and a turn."""
        for change in changes:
            self.lane.add(change)
        return self.lane.turn(None, START_MS)

    def answer(self, update_id: int, bids: str = "5 1", asks: str = "", *, ms: int | None = None) -> list[Effect]:
        """Let a snapshot come."""
        time_ms = START_MS + (update_id * 100 if ms is None else ms)
        value = {"lastUpdateId": update_id, "T": time_ms, "bids": pairs(bids), "asks": pairs(asks)}
        return self.said(value)

    def said(self, value: object, refused: str = "") -> list[Effect]:
        """Let an answer come."""
        (request,) = self.requested
        self.requested = []
        self.lane.answer(Answer(request.ask, 0, 1, value, refused))
        return self.step()

    requested: list[Request]

    def step(self) -> list[Effect]:
        """Let time be looked at; note what is asked for."""
        effects = self.lane.step()
        self.requested = getattr(self, "requested", []) + [one for one in effects if isinstance(one, Request)]
        return [one for one in effects if not isinstance(one, Request)]

    def live(self) -> None:
        """Bring the lane to where changes follow: behind id 10."""
        self.assertEqual(self.turn(diff(9, 10)), [])
        self.step()
        self.assertEqual(ids(self.answer(10)), [(SNAPSHOT, 10)])

    def lost(self, effects: list[Effect]) -> list[tuple[str, int, int]]:
        """Return the rows of the ledger among effects: their causes, from when, and to when."""
        gaps = [one.gap for one in effects if isinstance(one, Missing)]
        return [(gap.cause, gap.from_ms - START_MS, gap.to_ms - START_MS) for gap in gaps]

    def asked(self, effects: list[Effect]) -> None:
        """Note what a turn asked for; it must ask for a snapshot."""
        self.requested = [one for one in effects if isinstance(one, Request)]
        self.assertEqual(len(self.requested), 1)


def pairs(side: str) -> list[list[str]]:
    """Return a side as REST has it."""
    return [level.split(" ") for level in side.split(";")] if side else []


def ids(effects: list[Any]) -> list[tuple[int, int]]:
    """Return which row each row names, and its id."""
    return [(row[2], row[0]) for one in effects if isinstance(one, Rows) for row in one.events]


class Joining(Chained):
    def test_the_first_change_asks_for_a_snapshot_which_is_written_before_it(self) -> None:
        """What is older is left out; the first row behind it names the snapshot, though the change begins before."""
        self.turn(diff(1, 4), diff(4, 9))
        self.step()
        self.assertEqual(self.requested[0].ask.query, (("symbol", "BTCUSDT"), ("limit", "1000")))
        self.assertEqual(ids(self.answer(6)), [(SNAPSHOT, 6)])
        self.assertEqual(ids(self.turn(diff(9, 11))), [(6, 9), (9, 11)])

    def test_a_quiet_symbol_gets_its_snapshot_all_the_same(self) -> None:
        """A second after a connection delivers, and not before."""
        self.assertEqual((self.step(), self.requested), ([], []))
        self.lane.end_outage(self.now_s)
        self.now_s += 0.9
        self.assertEqual((self.step(), self.requested), ([], []))
        self.now_s += 0.2
        self.step()
        self.assertEqual(ids(self.answer(6, "", "")), [(SNAPSHOT, 6)])

    def test_a_snapshot_that_is_too_old_is_asked_for_again_later(self) -> None:
        """What came does not follow it; each time the pause is longer."""
        self.turn(diff(9, 10))
        for pause_s in (0.5, 1.0, 2.0):
            self.step()
            self.assertEqual(self.answer(8), [])
            self.now_s += pause_s - 0.01
            self.assertEqual((self.step(), self.requested), ([], []))
            self.now_s += 0.02
        self.step()
        self.assertEqual(ids(self.answer(9)), [(SNAPSHOT, 9)])
        self.assertEqual(ids(self.turn()), [(9, 10)])

    def test_an_answer_that_is_none_is_kept_and_asked_for_again(self) -> None:
        """A refused one is not kept: there is nothing to keep."""
        self.turn(diff(9, 10))
        self.step()
        (reject,) = self.said({"lastUpdateId": 3})
        self.assertIsInstance(reject, Reject)
        self.now_s += 1
        self.step()
        self.assertEqual(self.said(None, "-1121 Invalid symbol."), [])
        self.now_s += 2
        self.step()
        self.assertEqual(len(self.requested), 1)

    def test_what_waits_for_a_snapshot_is_bounded(self) -> None:
        """While REST is away the oldest changes go; a later snapshot does without."""
        for at in range(10, 3010):
            self.lane.add(diff(at, at + 1, "1000.0 1;" * 20 + "1 1"))
        self.turn()
        self.step()
        self.assertEqual(ids(self.answer(3000)), [(SNAPSHOT, 3000)])
        self.assertEqual(ids(self.turn())[:1], [(3000, 3001)])


class Following(Chained):
    def test_batches_that_are_cut_differently(self) -> None:
        """Whichever follows is written, and names the row before; what it overlaps is left out."""
        self.live()
        self.assertEqual(ids(self.turn(diff(10, 15), diff(12, 18), diff(15, 20), diff(18, 24))), [
            (10, 15), (15, 18), (18, 20), (20, 24),
        ])  # fmt: skip
        self.assertEqual((self.turn(diff(10, 24)), self.lane.duplicates), ([], 1))

    def test_two_that_change_places_are_no_hole(self) -> None:
        """The one that is too early waits for the other, however many turns there are meanwhile."""
        self.live()
        self.assertEqual(ids([*self.turn(diff(12, 14)), *self.turn(), *self.step()]), [])
        self.assertEqual(ids(self.turn(diff(10, 12))), [(10, 12), (12, 14)])

    def test_a_hole_is_a_row_of_the_ledger_and_a_snapshot(self) -> None:
        """What came behind it waits; the stretch reaches from the last row to the snapshot."""
        self.live()
        self.assertEqual(self.turn(diff(12, 14)), [])
        self.now_s += 0.4
        self.assertEqual((self.turn(diff(14, 16)), self.step(), self.requested), ([], [], []))
        self.now_s += 0.2
        self.step()
        effects = self.answer(15)
        self.assertEqual((self.lost(effects), ids(effects)), ([("hole", 1000, 1500)], [(SNAPSHOT, 15)]))
        self.assertEqual(ids(self.turn(diff(16, 17))), [(15, 16), (16, 17)])

    def test_the_slower_of_two_connections_has_longer(self) -> None:
        """What one left out the other can bring: for two seconds nothing is asked for."""
        self.live()
        self.lane.add(diff(12, 14))
        self.assertEqual(self.lane.turn(self.now_s, START_MS), [])
        self.now_s += 1.9
        self.assertEqual((self.step(), self.requested), ([], []))
        self.now_s += 0.2
        self.step()
        self.assertEqual(len(self.requested), 1)

    def test_a_run_ends_before_the_snapshot_comes(self) -> None:
        """The hole is in the ledger up to the end, once; without one nothing is."""
        self.live()
        self.assertEqual(self.lane.end(START_MS + 2000), [])
        self.turn(diff(12, 14))
        self.assertEqual(self.lost(self.lane.end(START_MS + 2000)), [("hole", 1000, 2000)])
        self.now_s += 0.6
        self.step()
        self.assertEqual(self.lost(self.lane.end(START_MS + 3000)), [("hole", 1000, 3000)])
        self.assertEqual(self.lane.end(START_MS + 3000), [])

    def test_ids_begin_anew(self) -> None:
        """Three low ids, made long after the last row, prove it: with the next snapshot another file begins."""
        self.live()
        self.assertEqual(self.turn(diff(1, 2, ms=9000), diff(2, 3, ms=9100)), [])
        effects = self.turn(diff(3, 4, ms=9200))
        self.assertEqual(self.lost(effects), [])
        self.asked(effects)
        effects = self.answer(4, ms=9300)
        self.assertEqual((self.lost(effects), ids(effects)), ([("new-ids", 1000, 9300)], [(SNAPSHOT, 4)]))
        self.assertTrue(any(isinstance(one, Aside) for one in effects))

    def test_ids_begin_anew_and_a_snapshot_is_of_former_ones(self) -> None:
        """One that is behind is not what the other file begins with."""
        self.live()
        self.asked(self.turn(diff(1, 2, ms=9000), diff(2, 3, ms=9100), diff(3, 4, ms=9200)))
        self.assertEqual(self.answer(9, ms=900), [])
        self.now_s += 1.0
        self.step()
        self.assertEqual(ids(self.answer(4, ms=9300)), [(SNAPSHOT, 4)])

    def test_former_ids_end_with_a_hole(self) -> None:
        """The change behind it, made just before the new ones, does not wait for what can't come any more."""
        self.live()
        self.turn(diff(60, 61))
        self.now_s += 1
        self.asked(self.turn())
        effects = self.answer(4, ms=6200)
        self.assertEqual((self.lost(effects), ids(effects)), ([("new-ids", 1000, 6200)], [(SNAPSHOT, 4)]))

    def test_former_ids_come_behind_new_ones(self) -> None:
        """Of a slow connection or a replica that is behind they are no hole, and not what the file goes on with."""
        self.live()
        self.asked(self.turn(diff(1, 2, ms=9000), diff(2, 3, ms=9100), diff(3, 4, ms=9200)))
        self.answer(4, ms=9200)
        self.assertEqual(self.turn(diff(10, 11)), [])
        self.now_s += 5
        self.assertEqual((self.step(), self.requested), ([], []))
        self.turn(diff(6, 7, ms=9300))
        self.now_s += 5
        self.step()
        self.assertEqual(self.answer(12), [])
        self.now_s += 5
        self.step()
        self.assertEqual(ids(self.answer(7, ms=9300)), [(SNAPSHOT, 7)])

    def test_a_run_ends_before_the_book_of_new_ids_is_there(self) -> None:
        """The next run finds the last row of the former ones, and tells of all since."""
        self.live()
        self.asked(self.turn(diff(1, 2, ms=9000), diff(2, 3, ms=9100), diff(3, 4, ms=9200)))
        self.requested = []
        self.begin(Left([diff(9, 10)._replace(received_ns=None)]))
        self.turn(diff(29, 30, ms=20_000))
        self.step()
        effects = self.answer(30, ms=20_000)
        self.assertEqual(self.lost(effects), [("restart", 1000, 20_000)])

    def test_ids_begin_anew_of_a_quiet_symbol(self) -> None:
        """A comparison's snapshot that is later under a lower id, and another one, prove it without a change."""
        self.begin(check_s=10.0)
        self.live()
        self.now_s += 20.0
        self.asked(self.turn(diff(10, 11)))
        self.assertEqual(self.answer(4, ms=9300), [])
        self.assertEqual(len(self.requested), 1)
        effects = self.answer(4, ms=9300)
        self.assertEqual((self.lost(effects), ids(effects)), ([("new-ids", 1100, 9300)], [(SNAPSHOT, 4)]))


class Restarting(Chained):
    def left(self) -> Left:
        """Return what a run before has left: a row of id 10."""
        return Left([diff(9, 10)._replace(received_ns=None)])

    def test_the_time_between_is_a_row_of_the_ledger(self) -> None:
        """A restart begins with a snapshot, which the file goes on with."""
        self.begin(self.left())
        self.turn(diff(29, 30))
        self.step()
        effects = self.answer(30)
        self.assertEqual((self.lost(effects), ids(effects)), ([("restart", 1000, 3000)], [(SNAPSHOT, 30)]))

    def test_a_server_that_is_behind(self) -> None:
        """A snapshot of before the last row is not written."""
        self.begin(self.left())
        self.lane.end_outage(self.now_s - 2)
        self.step()
        self.assertEqual(self.answer(8), [])

    def test_a_snapshot_that_is_older_under_a_higher_id(self) -> None:
        """It is of ids that the file knows nothing of; after a minute it can only be a clock that was set back."""
        self.begin(self.left())
        self.lane.end_outage(self.now_s - 2)
        self.step()
        self.assertEqual(self.answer(12, ms=900), [])
        self.now_s += 61
        self.step()
        self.assertEqual(ids(self.answer(12, ms=900)), [(SNAPSHOT, 12)])

    def test_ids_have_begun_anew_meanwhile(self) -> None:
        """The file of before is set aside."""
        self.begin(self.left())
        self.turn(diff(1, 2, ms=60_000))
        self.step()
        effects = self.answer(2, ms=60_100)
        self.assertEqual(self.lost(effects), [("new-ids", 1000, 60_100)])
        self.assertEqual([type(one) for one in effects], [Missing, Aside, Rows])

    def test_ids_have_begun_anew_of_a_symbol_that_was_quiet_since(self) -> None:
        """Three snapshots under a lower id that were made after the last row prove it, however little later."""
        self.begin(self.left())
        self.lane.end_outage(self.now_s - 2)
        self.step()
        for _ in range(2):
            self.assertEqual(self.answer(2, ms=1500), [])
            self.now_s += 5
            self.step()
        effects = self.answer(2, ms=1500)
        self.assertEqual((self.lost(effects), ids(effects)), ([("new-ids", 1000, 1500)], [(SNAPSHOT, 2)]))

    def test_a_file_that_ends_with_its_first_row(self) -> None:
        """That may bear the time of the change behind it, which was lost: the ledger tells of a batch more."""
        self.begin(Left([diff(SNAPSHOT, 100)._replace(received_ns=None)]))
        self.turn(diff(199, 200))
        self.step()
        self.assertEqual(self.lost(self.answer(200)), [("restart", 9000, 20_000)])

    def test_a_file_of_new_ids_that_has_none_of_its_rows(self) -> None:
        """The time since the ledger told of them is a row of it."""
        self.begin(Left(anew_ms=START_MS + 2000))
        self.turn(diff(29, 30))
        self.step()
        self.assertEqual(self.lost(self.answer(30)), [("restart", 2000, 3000)])


class Comparing(Chained):
    def test_a_book_that_changes_much_meanwhile(self) -> None:
        """What changed since a snapshot is not put together before it was compared."""
        self.begin(check_s=60)
        self.live()
        much = ";".join(f"{price} 1" for price in range(10_000, 20_000))
        self.now_s += 61
        self.asked(self.turn(diff(10, 20, much)))
        self.turn(diff(20, 30, much))
        self.assertEqual(self.answer(25, f"{much};5 1"), [])
        self.turn(diff(30, 40))
        self.assertEqual((self.lane.checks.done, self.lane.checks.mismatches), (1, 0))

    def test_a_snapshot_too_old_to_be_compared(self) -> None:
        """Another one is asked for a minute later, and not an interval."""
        self.begin(check_s=3600)
        self.live()
        self.now_s += 3601
        self.asked(self.turn(diff(10, 20)))
        self.answer(9)
        self.turn(diff(20, 30))
        self.assertEqual(self.lane.checks.done, 0)
        self.now_s += 61
        self.asked(self.turn(diff(30, 40)))

    def test_a_snapshot_has_what_never_comes(self) -> None:
        """Of a quiet symbol no change shows that one was lost: after a while the book is asked for anew."""
        self.begin(check_s=60)
        self.live()
        self.now_s += 61
        self.asked(self.turn())
        self.assertEqual(self.answer(25, "5 2"), [])
        self.now_s += 59
        self.assertEqual(self.turn(), [])
        self.now_s += 2
        self.asked(self.turn())
        effects = self.answer(25, "5 2")
        self.assertEqual((self.lost(effects), ids(effects)), ([("hole", 1000, 2500)], [(SNAPSHOT, 25)]))

    def test_a_book_that_differs_is_told_since_it_was_known_to_be_right(self) -> None:
        """The stretch begins with the last snapshot that it equalled, and another book is asked for."""
        self.begin(check_s=60)
        self.live()
        self.turn(diff(10, 20, "4 1"))
        self.now_s += 61
        self.asked(self.turn(diff(20, 30, "3 1")))
        self.assertEqual(self.answer(25, "5 1;4 1"), [])
        self.turn(diff(30, 40))
        self.assertEqual((self.lane.checks.done, self.lane.checks.mismatches), (1, 0))
        self.now_s += 61
        self.asked(self.turn(diff(40, 50, "2 1")))
        self.answer(40, "5 1;4 2;3 1")
        effects = self.turn(diff(50, 60))
        self.assertEqual(self.lost(effects), [("mismatch", 2500, 6000)])
        self.asked(effects)
        effects = self.answer(60, "5 1;4 2;3 1")
        self.assertEqual((self.lost(effects), ids(effects)), ([("mismatch", 6000, 6000)], [(SNAPSHOT, 60)]))
        self.assertEqual((self.lane.checks.done, self.lane.checks.mismatches), (2, 1))

    def test_never(self) -> None:
        """An interval of 0 asks for nothing."""
        self.live()
        self.now_s += 1e6
        self.assertEqual(ids(self.turn(diff(10, 20))), [(10, 20)])
