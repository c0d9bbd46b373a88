"""Pages of trades are asked for politely, and what an exchange may answer is no trade that it is not."""

import unittest
from dataclasses import replace
from typing import Any

from aster_collect.errors import DataError, NetworkError, RestError
from aster_collect.exchange.venues import FUTURES
from aster_collect.repair.fetch import SERVER_BEHIND_S, TRIES, Pages
from tests.unit.net.test_rest import Response, Server, failure

VENUE = replace(FUTURES, trades_a_page=3)


def items(*ids: int) -> list[dict[str, Any]]:
    """Return what a page has of these trades."""
    return [{"a": one, "p": "1.50", "q": "2", "f": one, "l": one, "T": 1_795_500_000_000, "m": True} for one in ids]


class Case(unittest.TestCase):
    def ask(self, first: int, last: int, *answers: Any) -> list[list[int]]:
        """Return the ids of the pages that come of these answers."""
        self.server = Server(*answers)
        self.slept: list[float] = []
        pages = Pages(VENUE, self.server.rest(), self.server.make, self.sleep)
        return [[trade.id for trade in page] for page in pages.trades("BTCUSDT", first, last)]

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.server.now_s += seconds

    def asked(self) -> list[str]:
        return [url.rpartition("fromId=")[2] for url in self.server.urls]


class WhatThereIs(Case):
    def test_more_than_a_page(self) -> None:
        """Page by page, each from behind the last one, and of the last no more than is wanted."""
        found = self.ask(5, 11, Response(items(5, 6, 7)), Response(items(8, 9, 10)), Response(items(11)))
        self.assertEqual(found, [[5, 6, 7], [8, 9, 10], [11]])
        self.assertEqual(self.asked(), ["5&limit=3", "8&limit=3", "11&limit=1"])

    def test_a_server_that_is_behind(self) -> None:
        """What an answer lacks is asked for once more, a second later: another server may have it."""
        self.assertEqual(self.ask(5, 6, Response(items(5)), Response(items(5, 6))), [[5, 6]])
        self.assertEqual(self.slept, [SERVER_BEHIND_S])

    def test_what_the_exchange_has_forgotten(self) -> None:
        """It answers with the oldest that it has, or with none: what lies before that is left out."""
        forgotten = Response(items(9, 10, 11))
        self.assertEqual(self.ask(5, 10, forgotten, forgotten), [[9, 10]])
        self.assertEqual(self.ask(5, 6, forgotten, forgotten), [])
        self.assertEqual(self.ask(5, 6, Response([]), Response([])), [])

    def test_a_hole_of_the_exchange(self) -> None:
        """Ids that it never gave away are asked for twice, and gone past."""
        holed = Response(items(5, 8, 9))
        self.assertEqual(self.ask(5, 9, holed, holed), [[5, 8, 9]])


class NoAnswer(Case):
    def test_for_a_while(self) -> None:
        """Whatever is wrong, the page is asked for again after growing pauses."""
        wrong = (NetworkError("refused", "host"), failure(503), Response({"no": "page"}), Response(items(6, 5)))
        self.assertEqual(self.ask(5, 6, *wrong, Response(items(5, 6))), [[5, 6]])
        self.assertEqual(self.asked(), ["5&limit=2"] * 5)
        self.assertGreater(sum(self.slept), 1)

    def test_for_good(self) -> None:
        """After some tries one line says why, and what to do."""
        with self.assertRaisesRegex(RestError, "^BTCUSDT: refused: host; run this again later$"):
            self.ask(5, 6, *[NetworkError("refused", "host")] * TRIES)

    def test_a_symbol_that_is_gone(self) -> None:
        """What will be answered so each time is asked for once."""
        with self.assertRaisesRegex(DataError, "Invalid symbol"):
            self.ask(5, 6, failure(400, {"code": -1121, "msg": "Invalid symbol."}))

    def test_a_ban(self) -> None:
        """A short one is waited for; of a long one a line says how long it is."""
        again = self.ask(5, 5, failure(429, retry_after="30"), Response(items(5)))
        self.assertEqual((again, self.slept), ([[5]], [30]))
        with self.assertRaisesRegex(RestError, "left alone for 7200 s more; run this again then"):
            self.ask(5, 5, failure(418, retry_after="7200"))
        self.assertEqual(len(self.server.urls), 1)
