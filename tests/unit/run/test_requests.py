"""What REST answers goes to who asked, and what asks it ends with the run."""

import queue
import tempfile
import unittest
from pathlib import Path

from aster_collect.exchange.events import Answer, Ask
from aster_collect.exchange.pages import ask_exchange_info
from aster_collect.net.bans import Bans
from aster_collect.net.inbox import Inbox
from aster_collect.net.rest import UNDER_WAY
from aster_collect.run.requests import Requests
from aster_collect.run.threads import Control, Threads
from aster_collect.settings import Settings

DEADLINE_S = 30.0


class Asked(unittest.TestCase):
    def setUp(self) -> None:
        self.control: Control = queue.SimpleQueue()
        self.inbox = Inbox()
        self.threads = Threads(self.control, None)
        self.requests = Requests(Settings(), self.threads, self.control, self.inbox)

    def test_lists_of_symbols_for_two(self) -> None:
        """That of the run goes to the main thread; the same of a kind, and all else, to the collector."""
        own = ask_exchange_info(Settings().venue)
        asks = (own, own._replace(kind="universe"), Ask("/fapi/v3/aggTrades", (), 20, "trades", "BTCUSDT"))
        listed, polled, page = (Answer(ask, 0, 1, {}) for ask in asks)
        for answer in (polled, listed, page):
            self.requests.deliver(answer)
        self.assertEqual(self.control.get_nowait(), listed)
        self.assertTrue(self.control.empty())
        self.assertEqual([self.inbox.get_nowait() for _ in range(self.inbox.batches())], [polled, page])

    def test_the_end_of_a_run(self) -> None:
        """All its threads end, those that make calls too."""
        with tempfile.TemporaryDirectory() as folder:
            self.requests.start(Bans(Path(folder)))
            self.requests.stop()
            names = {"rest", *(f"request {number}" for number in range(1, UNDER_WAY + 1))}
            self.assertTrue(self.threads.wait_for(names, DEADLINE_S))


if __name__ == "__main__":
    unittest.main()
