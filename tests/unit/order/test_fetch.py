"""A snapshot is asked for one at a time, later after each that was of no use, and what can't be read is kept."""

import unittest

from aster_collect.exchange.events import Answer
from aster_collect.exchange.streams.depth import KIND
from aster_collect.exchange.venues import FUTURES
from aster_collect.order.effects import Reject
from aster_collect.order.fetch import Fetch

BOOK = {"lastUpdateId": 7, "T": 5000, "bids": [["5", "1"]], "asks": []}


class Fetching(unittest.TestCase):
    def setUp(self) -> None:
        self.fetch = Fetch(KIND, "BTCUSDT", FUTURES)

    def answer(self, value: object, refused: str = "", now_s: float = 0.0) -> tuple[int | None, list[Reject]]:
        """Let one be asked for and answered; return the snapshot's id, and what is kept."""
        ask = self.fetch.ask().ask
        self.assertEqual((ask.symbol, dict(ask.query)["symbol"]), ("BTCUSDT", "BTCUSDT"))
        snapshot, odd = self.fetch.answered(Answer(ask, 0, 1, value, refused), now_s)
        return snapshot.id if snapshot else None, odd

    def test_one_that_is_on_its_way(self) -> None:
        """No other is asked for until its answer is there."""
        self.assertTrue(self.fetch.due(0.0, changed=True))
        self.fetch.ask()
        self.assertFalse(self.fetch.due(1e6, changed=True))

    def test_an_answer(self) -> None:
        """It is the snapshot, and the next can be asked for at once."""
        self.assertEqual(self.answer(BOOK), (7, []))
        self.assertTrue(self.fetch.due(0.0, changed=True))

    def test_an_answer_that_is_none(self) -> None:
        """It is kept with its source; one that was refused is not; both are asked for again, later each time."""
        told, (reject,) = self.answer({"lastUpdateId": "币"}, now_s=10.0)
        self.assertEqual(
            (told, reject.source, reject.data), (None, "depth of BTCUSDT", '{"lastUpdateId": "币"}'.encode())
        )
        self.assertEqual([self.fetch.due(at_s, changed=True) for at_s in (10.49, 10.51)], [False, True])
        self.assertEqual(self.answer(None, "-1121 Invalid symbol.", 20.0), (None, []))
        self.assertEqual([self.fetch.due(at_s, changed=True) for at_s in (20.99, 21.01)], [False, True])

    def test_ids_begin_anew_while_one_is_on_its_way(self) -> None:
        """Its answer counts for nothing, and costs no pause; the next counts."""
        ask = self.fetch.ask().ask
        self.fetch.begin_anew()
        self.assertEqual(self.fetch.answered(Answer(ask, 0, 1, BOOK, ""), 0.0), (None, []))
        self.assertTrue(self.fetch.due(0.0, changed=True))
        self.assertEqual(self.answer(BOOK), (7, []))

    def test_a_symbol_without_a_change(self) -> None:
        """It is asked for a second after the first connection delivers."""
        self.assertFalse(self.fetch.due(1e6, changed=False))
        self.fetch.delivered(10.0)
        self.fetch.delivered(10.9)
        self.assertEqual([self.fetch.due(at_s, changed=False) for at_s in (10.9, 11.1)], [False, True])


if __name__ == "__main__":
    unittest.main()
