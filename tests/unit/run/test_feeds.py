"""The collector knows of each connection before it is made, and only one that another relieves may end."""

import queue
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import cast

from aster_collect.exchange.events import Wanted
from aster_collect.net.bans import Bans, Handshakes
from aster_collect.net.inbox import Inbox
from aster_collect.run.feeds import Feeds
from aster_collect.run.threads import Aged, Ended, Threads
from aster_collect.settings import Settings


class NoThreads:
    """Takes what is to be started, and starts nothing."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def start(self, name: str, work: Callable[[], None]) -> None:
        self.names.append(name)


class HandOver(unittest.TestCase):
    def setUp(self) -> None:
        self.inbox, self.threads = Inbox(), NoThreads()
        handshakes = Handshakes(Bans(Path(self.enterContext(tempfile.TemporaryDirectory()))), 60)
        control = queue.SimpleQueue()  # type: ignore[var-annotated]
        self.feeds = Feeds(Settings(all_symbols=True), cast(Threads, self.threads), control, self.inbox, handshakes)

    def carry(self, *symbols: str) -> None:
        self.feeds.start(self.feeds.plan(symbols))

    def told(self) -> list[Wanted]:
        """Return which connections the collector was told of since the last call."""
        found = []
        while self.inbox.batches():
            message = self.inbox.get_nowait()
            assert isinstance(message, Wanted)
            found.append(message)
        return found

    def test_a_successor_of_several(self) -> None:
        """It is wanted for all that they carry, in the old one's place, and they may end; it may not."""
        for symbol in ("AUSDT", "BUSDT"):
            self.carry(symbol)
        self.assertEqual(self.told(), [Wanted(1, 1, ("AUSDT",)), Wanted(2, 2, ("BUSDT",))])
        self.assertFalse(self.feeds.may_end(Ended("rest", None)))
        with self.assertLogs("aster_collect.run.feeds", "INFO") as logged:
            self.feeds.hand_over(Aged(2), ())
        self.assertEqual(logged.records[0].getMessage(), "hand-over connection=2")
        self.assertEqual(self.told(), [Wanted(3, 2, ("BUSDT", "AUSDT"))])
        self.assertEqual(self.threads.names, ["connection 1", "connection 2", "connection 3"])
        ends = [self.feeds.may_end(Ended(f"connection {number}", None)) for number in (1, 2, 3)]
        self.assertEqual(ends, [True, True, False])

    def test_one_that_fails_while_it_is_relieved(self) -> None:
        """An error is no end in order, whoever relieves it."""
        self.carry("AUSDT")
        self.feeds.hand_over(Aged(1), ())
        self.assertFalse(self.feeds.may_end(Ended("connection 1", ZeroDivisionError())))

    def test_it_asks_twice(self) -> None:
        """A connection that asks again, or has ended, gets no second successor."""
        self.carry("AUSDT")
        self.feeds.hand_over(Aged(1), ())
        self.feeds.hand_over(Aged(1), ())
        self.feeds.may_end(Ended("connection 1", None))
        self.feeds.hand_over(Aged(1), ())
        self.assertEqual(len(self.told()), 2)


if __name__ == "__main__":
    unittest.main()
