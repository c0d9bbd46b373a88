"""A message in, effects out: when rows are to be written, and how an end waits for what REST could answer."""

import json
import unittest

from aster_collect.exchange.events import Answer, Batch, Lost, Opened, Wanted
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.exchange.subscribe import Scope
from aster_collect.exchange.venues import FUTURES
from aster_collect.order.effects import Effect, Flush, Missing, Reject, Request, Rows
from aster_collect.order.engine import REDUNDANT_REST_S, SETTLE_S, Engine, Pace
from aster_collect.order.holes import Bounds

S = "BTCUSDT"
START_MS = 1_764_000_000_000
TURN_S = 0.5


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.now_s = 0.0
        scope = Scope(FUTURES, (KINDS["prices"], KINDS["trades"]), Options())
        self.engine = Engine(
            scope, Bounds(0, 100, 100, 60.0, 1000), Pace(TURN_S, 60.0, 2.0), clock=lambda: self.now_s,
            wall_ns=lambda: START_MS * 1_000_000 + round(self.now_s * 1e9),
        )  # fmt: skip
        self.engine.begin(S, {})
        self.number = 0

    def want(self, *connections: int) -> None:
        for connection in connections:
            self.engine.take(Wanted(connection, connection, (S,)))
            self.engine.take(Opened(connection, 0, self.now_s))

    def bring(self, connection: int, data: dict[str, object]) -> list[Effect]:
        message = json.dumps({"stream": "x@x", "data": data}).encode()
        received_ns = START_MS * 1_000_000 + round(self.now_s * 1e9)
        return self.engine.take(Batch(connection, received_ns, self.now_s, message, [0, len(message)]))

    def quote(self, connection: int, number: int) -> list[Effect]:
        at_ms = START_MS + round(self.now_s * 1000)
        quote = {"e": "bookTicker", "u": number, "s": S, "b": "1", "B": "1", "a": "2", "A": "1", "T": at_ms, "E": at_ms}
        return self.bring(connection, quote)

    def trade(self, connection: int, number: int) -> list[Effect]:
        at_ms = START_MS + round(self.now_s * 1000)
        trade = {"e": "aggTrade", "E": at_ms, "s": S, "a": number, "p": "1", "q": "1", "T": at_ms, "m": False}
        return self.bring(connection, trade)

    def step(self, seconds: float) -> list[Effect]:
        """Let time pass in steps of half a turn; return what is to be done meanwhile."""
        effects: list[Effect] = []
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += TURN_S / 2
            effects += self.engine.step()
        return effects

    def ids(self, effects: list[Effect]) -> list[int]:
        return [event[0] for effect in effects if isinstance(effect, Rows) for event in effect.events]

    def asked(self, effects: list[Effect]) -> list[Request]:
        return [effect for effect in effects if isinstance(effect, Request) and effect.ask.kind]


class Turns(Case):
    def test_one_connection(self) -> None:
        """A row is written after a turn, and then synced."""
        self.want(1)
        self.quote(1, 1)
        told = self.step(2 * TURN_S)
        self.assertEqual(self.ids(told), [1])
        self.assertIsInstance(told[-1], Flush)

    def test_two_connections_of_which_one_is_slower(self) -> None:
        """Rows rest as long as a slower connection may take, so that what it brings finds its place."""
        self.want(1, 2)
        self.quote(1, 1)
        self.quote(2, 1)
        self.step(10)
        self.quote(1, 3)
        self.assertEqual(self.ids(self.step(REDUNDANT_REST_S / 2)), [])
        self.quote(2, 2)
        self.quote(2, 3)
        self.assertEqual(self.ids(self.step(3 * REDUNDANT_REST_S)), [2, 3])

    def test_what_can_not_be_read(self) -> None:
        """It is a reject, and no sign that its connection delivers."""
        self.want(1)
        (reject,) = self.bring(1, {"e": "unheard of"})
        self.assertIsInstance(reject, Reject)
        self.engine.step()
        self.assertEqual(self.engine.tally.newest_frame_ns, 0)


class Ends(Case):
    def lose(self) -> Request:
        """Bring a trade and lose the connection; return what the end asks then."""
        self.want(1)
        self.trade(1, 100)
        self.step(1)
        self.engine.take(Lost(1, "eof", False))
        self.assertEqual(self.asked(self.step(1)), [])
        (request,) = self.asked(self.engine.settle(self.now_s))
        return request

    def test_trades_of_an_outage_that_had_no_end(self) -> None:
        """The end asks for them, waits for the answer, and writes it."""
        request = self.lose()
        self.assertEqual(request.ask.first_id, 101)
        self.assertFalse(self.engine.settled)
        page = [{"a": 101, "p": "1", "q": "1", "T": START_MS + 1500, "m": True}]
        self.engine.take(Answer(request.ask, 0, START_MS * 1_000_000, page))
        self.assertTrue(self.engine.settled)
        self.assertEqual(self.ids(self.engine.close()), [101])

    def test_no_answer_in_time(self) -> None:
        """The end goes on without, and the ledger says since when nobody knows; a second end adds nothing."""
        self.lose()
        self.step(SETTLE_S)
        self.assertTrue(self.engine.settled)
        (missing,) = [effect for effect in self.engine.close() if isinstance(effect, Missing)]
        self.assertEqual(missing.gap.cause, "not-asked")
        self.assertEqual([effect for effect in self.engine.close() if not isinstance(effect, Flush)], [])


if __name__ == "__main__":
    unittest.main()
