"""A page of trades as REST sends it: what of it can be read is used, and what can't is kept with its reason."""

import json
import unittest

from aster_collect.exchange.events import Answer
from aster_collect.exchange.streams import trades
from aster_collect.exchange.streams.trades import Trade
from aster_collect.exchange.venues import FUTURES
from aster_collect.order.effects import Effect, Reject, Request, Rows, Say
from aster_collect.order.holes import Bounds
from aster_collect.order.lane import Left
from aster_collect.order.sequence import Sequence

BOUNDS = Bounds(history=0, backfill_limit=1000, hold_trades=1000, hold_s=60.0, page_trades=1000)
START_MS = 1_760_000_000_000


def trade(number: int, **odd: object) -> dict[str, object]:
    return {"a": number, "p": "100.1", "q": "0.5", "T": START_MS, "m": False} | odd


class Pages(unittest.TestCase):
    def page(self, value: object, refused: str = "") -> list[Effect]:
        """Give a lane that waits for the ids 2 to 4 a page; return what follows, of rows those that were missing."""
        now_s = 0.0
        lane = Sequence(trades.KIND, "BTCUSDT", Left(), FUTURES, BOUNDS, lambda: now_s)
        for number in (1, 5):
            lane.add(Trade(number, START_MS, "buy", "1", "1"))
        now_s = 10.0
        (request,) = lane.step()
        assert isinstance(request, Request)
        self.assertEqual((2, "BTCUSDT", "trades"), (request.ask.first_id, request.ask.symbol, request.ask.kind))
        lane.answer(Answer(request.ask, 0, START_MS * 1_000_000, value, refused))
        return lane.turn(None, START_MS)

    def test_an_unreadable_trade_in_a_page(self) -> None:
        """What can't be read is kept with its reason, and the other trades of the page are used."""
        bad = trade(3, p="cheap")
        *odd, rows = self.page([trade(2), bad, 7, trade(4)])
        assert isinstance(rows, Rows)
        self.assertEqual([1, 2], [event[0] for event in rows.events])
        self.assertEqual((2, START_MS, "buy", "100.1", "0.5", None), tuple(rows.events[1]))
        self.assertEqual(
            [("odd field: p", json.dumps(bad).encode()), ("not an object", b"7")],
            [(one.reason, one.data) for one in odd if isinstance(one, Reject)],
        )

    def test_a_page_that_is_no_list(self) -> None:
        """A page that is no list, or that was refused, gives the reason and nothing else."""
        for value, refused, why in (({}, "", "aggTrades is not a list"), (None, "status 400", "status 400")):
            said, rows = self.page(value, refused)
            assert isinstance(said, Say) and isinstance(rows, Rows)
            self.assertEqual(("BTCUSDT", 2, why), said.values)
            self.assertEqual(1, len(rows.events))

    def test_a_page_of_more_than_was_asked_for(self) -> None:
        """A page of more trades than a page can have is refused whole, and no part of it is kept as unreadable."""
        for value in ([0] * 1001, [trade(number) for number in range(2, 1003)]):
            said, rows = self.page(value)
            assert isinstance(said, Say) and isinstance(rows, Rows)
            self.assertIn("aggTrades has 1001 trades, at most 1000 were asked for", said.values)
            self.assertEqual(1, len(rows.events))
        self.assertEqual(1000, sum(isinstance(one, Reject) for one in self.page([0] * 1000)))

    def test_an_id_of_far_ahead(self) -> None:
        """No time away explains it: it is kept as what it is, and opens no hole."""
        lane = Sequence(trades.KIND, "BTCUSDT", Left(), FUTURES, BOUNDS, lambda: 100.0)
        for number in (1, 10**12):
            lane.add(Trade(number, START_MS, "buy", "1", "1"))
        (reject,) = lane.step()
        assert isinstance(reject, Reject)
        self.assertEqual(f"{10**12},{START_MS},buy,1,1".encode(), reject.data)
        self.assertEqual([], lane.step())


if __name__ == "__main__":
    unittest.main()
