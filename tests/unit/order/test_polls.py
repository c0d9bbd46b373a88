"""What is asked for over REST is asked in time, evenly, one at a time; what did not come is a row of the ledger."""

import unittest
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from aster_collect.errors import DecodeError
from aster_collect.exchange.cells import MILLISECONDS, TEXT, Column
from aster_collect.exchange.events import POLL, Answer, Gap
from aster_collect.exchange.streams.kind import Event, Found, Kind, Lane, Poll
from aster_collect.exchange.venues import FUTURES, SPOT
from aster_collect.order.effects import Effect, Missing, Reject, Request, Rows, Say
from aster_collect.order.lane import Left
from aster_collect.order.polled import Polled
from aster_collect.order.polls import AGAIN_S, Polls

START_MS = 1_760_000_000_000
EVERY_S = 60.0


def kind(decode: Any, *, calls: tuple[str, ...] = ("openInterest",), whole: bool = False) -> Kind:
    """Return a kind that is asked for: each event is its time, a name and a word."""
    return Kind(
        name="asked",
        sentence="",
        lane=Lane.POLLED,
        columns=lambda _: (Column("unix_timestamp_ms", MILLISECONDS), Column("name", TEXT), Column("word", TEXT)),
        write=lambda _: lambda events: [",".join(map(str, event[1:4])) for event in events],
        read=lambda cells: (0, int(cells[0]), cells[1], cells[2], None),
        poll=Poll(calls, decode, every_s=3600.0 if whole else None, changes=whole),
        whole_folder=whole,
    )


def decode(symbol: str, answers: Sequence[Any], received_ns: int) -> Found:
    """Return what an answer that is a time says."""
    if not isinstance(answers[-1], int):
        raise DecodeError("not a time")
    return Found([(0, answers[-1], symbol, "word", received_ns)], [])


class Asked:
    """Symbols that are asked for, and a clock that is moved on by a second."""

    def __init__(self, symbols: Sequence[str], one: Kind | None = None, venue: Any = FUTURES) -> None:
        self.now_s = 1000.0
        self.polls = Polls(venue, EVERY_S)
        self.lanes = [Polled(one or kind(decode), symbol, Left()) for symbol in symbols]
        self.polls.begin(self.lanes, self.now_s, 0)

    def pass_s(self, seconds: int) -> list[Request]:
        """Return what is asked for in so many seconds."""
        asked: list[Request] = []
        for _ in range(seconds):
            self.now_s += 1
            asked += [effect for effect in self.polls.step(self.now_s) if isinstance(effect, Request)]
        return asked

    def answer(self, request: Request, value: Any, refused: str = "") -> list[Effect]:
        return self.polls.answer(Answer(request.ask, 0, 7, value, refused), self.now_s)


class WhenItIsAsked(unittest.TestCase):
    def test_all_symbols_in_the_same_second(self) -> None:
        """580 symbols are asked for once a minute, and in no second more than a few."""
        asked = Asked([f"S{number}" for number in range(580)])
        for minute in range(4):
            seconds = [asked.pass_s(1) for _ in range(60)]
            self.assertLessEqual(max(map(len, seconds)), (1 if minute else 2) * (580 // 60 + 3))
            for request in (request for second in seconds for request in second):
                self.assertEqual(request.ask.rank, POLL)
                asked.answer(request, START_MS)
        self.assertEqual(sum(map(len, seconds)), 580)

    def test_a_short_run(self) -> None:
        """Each of a few symbols is asked for within a second of the start, and then each minute at its own time."""
        asked = Asked(["A", "B", "C", "D"])
        times: dict[str, list[float]] = {}
        for _ in range(300):
            for request in asked.pass_s(1):
                times.setdefault(request.ask.symbol, []).append(asked.now_s)
                asked.answer(request, START_MS)
        for first_s, *later_s in times.values():
            self.assertEqual(first_s, 1001)
            between_s = [after - before for before, after in pairwise([first_s, *later_s])]
            self.assertTrue(29 <= between_s[0] <= 91, between_s)
            self.assertEqual(set(between_s[1:]), {EVERY_S})

    def test_answers_that_do_not_come(self) -> None:
        """While one is under way the symbol is not asked for again, and then once."""
        asked = Asked(["A"])
        (request,) = asked.pass_s(1)
        self.assertEqual(asked.pass_s(600), [])
        asked.answer(request, START_MS)
        self.assertEqual(len(asked.pass_s(60)), 1)

    def test_the_whole_folder_at_the_start(self) -> None:
        """What is of all symbols is asked for at once, however many others there are, and then each hour."""
        whole = kind(decode, whole=True)
        asked = Asked(["A", "B"])
        asked.polls.begin([Polled(whole, "", Left())], asked.now_s, 0)
        (request,) = [one for one in asked.pass_s(1) if not one.ask.symbol]
        asked.answer(request, START_MS)
        self.assertNotIn("", [one.ask.symbol for one in asked.pass_s(3598)])
        self.assertIn("", [one.ask.symbol for one in asked.pass_s(2)])

    def test_one_of_two_calls_is_refused(self) -> None:
        """The others are made all the same, and the answer of the last one counts."""
        seen: list[Sequence[Any]] = []

        def both(symbol: str, answers: Sequence[Any], received_ns: int) -> Found:
            seen.append(list(answers))
            return decode(symbol, answers, received_ns)

        asked = Asked([""], kind(both, calls=("fundingInfo", "exchangeInfo"), whole=True))
        (request,) = asked.pass_s(1)
        self.assertEqual(request.ask.path, "/fapi/v3/fundingInfo")
        (request,) = asked.answer(request, None, "404")
        assert isinstance(request, Request)
        self.assertEqual(request.ask.path, "/fapi/v3/exchangeInfo")
        self.assertEqual(asked.answer(request, START_MS), [])
        self.assertEqual(seen, [[None, START_MS]])

    def test_a_market_without_one_of_the_calls(self) -> None:
        """What a venue has not is not asked for."""
        asked = Asked([""], kind(decode, calls=("fundingInfo", "exchangeInfo"), whole=True), SPOT)
        (request,) = asked.pass_s(1)
        self.assertEqual(request.ask.path, "/api/v3/exchangeInfo")
        self.assertEqual(asked.answer(request, START_MS), [])

    def test_an_hourly_answer_of_no_use(self) -> None:
        """It is asked for again in a minute, and what fails is said once a minute at most."""
        asked = Asked([""], kind(decode, whole=True))
        (request,) = asked.pass_s(1)
        reject, say = asked.answer(request, "odd")
        assert isinstance(say, Say) and isinstance(reject, Reject)
        self.assertEqual((reject.source, reject.reason, reject.data), ("asked of all", "not a time", b'"odd"'))
        self.assertIn("not a time", say.values)
        self.assertEqual(len(asked.pass_s(int(AGAIN_S))), 1)

    def test_a_part_of_an_answer_that_cannot_be_read(self) -> None:
        """It is kept verbatim, and the rest counts."""

        def partly(symbol: str, answers: Sequence[Any], received_ns: int) -> Found:
            return decode(symbol, answers, received_ns)._replace(odd=[("odd field: s", {"s": "币"})])

        asked = Asked(["A"], kind(partly))
        (request,) = asked.pass_s(1)
        (reject,) = asked.answer(request, START_MS)
        self.assertEqual(reject, Reject("asked of A", 7, "odd field: s", '{"s": "币"}'.encode()))
        self.assertEqual(len(asked.lanes[0].turn(None, START_MS)), 1)


class WhatDidNotCome(unittest.TestCase):
    def lane(self, *last: Event) -> Polled:
        return Polled(kind(decode), "A", Left(last))

    def bring(self, lane: Polled, after_ms: int) -> list[Effect]:
        lane.answered([(0, START_MS + after_ms, "A", "word", 7)], 90_000)
        return lane.turn(None, START_MS)

    def gap(self, from_ms: int, to_ms: int, cause: str) -> Missing:
        return Missing("A", Gap("asked", START_MS + from_ms, START_MS + to_ms, None, None, cause))

    def test_answers_in_time(self) -> None:
        """Each is a row, and nothing is missing."""
        lane = self.lane()
        effects = [*self.bring(lane, 0), *self.bring(lane, 60_000), *self.bring(lane, 149_000)]
        self.assertEqual([type(effect) for effect in effects], [Rows] * 3)

    def test_one_answer_too_few(self) -> None:
        """The time between two that lie too far apart is a row of the ledger, before the row."""
        lane = self.lane()
        self.bring(lane, 0)
        missing, rows = self.bring(lane, 120_000)
        self.assertEqual(missing, self.gap(0, 120_000, "not-polled"))
        self.assertIsInstance(rows, Rows)

    def test_a_pause_between_two_runs(self) -> None:
        """It is told as a restart, and one that is shorter than two answers lie apart is none."""
        last = (0, START_MS, "A", "word", None)
        self.assertEqual(self.bring(self.lane(last), 600_000)[0], self.gap(0, 600_000, "restart"))
        self.assertEqual(len(self.bring(self.lane(last), 60_000)), 1)

    def test_the_same_answer_again(self) -> None:
        """What is not newer than the last row is no row."""
        last = (0, START_MS, "A", "word", None)
        lane = self.lane(last)
        self.assertEqual(self.bring(lane, 0), [])
        self.assertEqual(self.bring(lane, -5), [])
        self.assertEqual(lane.duplicates, 2)

    def test_no_answer_before_the_end(self) -> None:
        """What was not answered any more is told at the end, once, however often the end is tried."""
        lane = self.lane()
        self.bring(lane, 0)
        for _ in range(3):
            lane.end(START_MS + 500_000, 90_000)
        self.assertEqual(lane.turn(None, START_MS), [self.gap(0, 500_000, "not-polled")])


class TwoColumns(unittest.TestCase):
    def test_a_row_of_two_columns(self) -> None:
        """A row that ends behind its second column is one; what is cut within it is none."""
        one = kind(decode)
        two = replace(one, columns=lambda options: one.columns(options)[:2])
        self.assertTrue(two.is_row(2, "1760000000000,A"))
        self.assertTrue(one.is_row(3, "1760000000000,A,word"))
        for odd in ("1760000000000,", "1760000000000", "x,A", '1760000000000,"'):
            self.assertFalse(two.is_row(2, odd), odd)


class WhatChanges(unittest.TestCase):
    def setUp(self) -> None:
        self.lane = Polled(kind(decode, whole=True), "", Left())

    def bring(self, after_ms: int, **words: str) -> list[Event]:
        self.lane.answered([(0, START_MS + after_ms, name, word, 7) for name, word in words.items()], 90_000)
        return [event for rows in self.lane.turn(None, START_MS) if isinstance(rows, Rows) for event in rows.events]

    def test_only_what_is_new_is_a_row(self) -> None:
        """All at first, then what differs, and what was not there before."""
        self.assertEqual(len(self.bring(0, A="x", B="y")), 2)
        self.assertEqual(self.bring(1, A="x", B="y"), [])
        self.assertEqual(self.bring(2, A="x", B="z", C="x"), [
            (0, START_MS + 2, "B", "z", 7), (0, START_MS + 2, "C", "x", 7),
        ])  # fmt: skip

    def test_what_is_not_said_again(self) -> None:
        """A blank is no change: one of two calls may fail for an hour."""
        self.bring(0, A="x")
        self.assertEqual(self.bring(1, A=""), [])
        self.assertEqual(self.bring(2, A="x"), [])

    def test_an_hour_without_an_answer(self) -> None:
        """There is no ledger of the whole folder, so there is no row of one."""
        self.bring(0, A="x")
        self.lane.answered([(0, START_MS + 10**9, "A", "x", 7)], 90_000)
        self.assertEqual(self.lane.turn(None, START_MS), [])


if __name__ == "__main__":
    unittest.main()
