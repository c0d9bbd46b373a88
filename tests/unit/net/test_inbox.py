"""The inbox is bounded by bytes, makes the sender wait, and loses nothing."""

import queue
import threading
import unittest

from aster_collect.exchange.events import Answer, Ask, Bad, Batch, Delisted, Lost, Reopen
from aster_collect.net.inbox import Inbox, weigh

DEADLINE_S = 5.0


def batch(number: int, size: int = 1000) -> Batch:
    return Batch(0, number, 0.0, b"x" * size, [0, size])


class Sizes(unittest.TestCase):
    def test_everything_weighs_something(self) -> None:
        """Each kind of message weighs at least its text, and never nothing: nothing could not be waited for."""
        answer = Answer(Ask("/x", (), 1), 0, 0, None)
        for message, least in (
            (Batch(0, 0, 0.0, b"", []), 1),
            (Batch(0, 0, 0.0, b"", [0, 0] * 1000), 1000),
            (batch(0, 5000), 5000),
            (Bad(0, 0, "binary", b"x" * 4096), 4096),
            (Lost(0, "reset", False), 1),
            (answer, 1),
        ):
            self.assertGreaterEqual(weigh(message), least)

    def test_the_size_follows_what_is_in_it(self) -> None:
        """The size is the bytes that wait, and returns to nothing."""
        inbox = Inbox()
        messages = [batch(1), Lost(0, "reset", False), batch(2, 3)]
        for message in messages:
            inbox.put(message)
        self.assertEqual((inbox.qsize(), inbox.batches()), (sum(map(weigh, messages)), 3))
        self.assertEqual([inbox.get_nowait() for _ in messages], messages)
        self.assertEqual((inbox.qsize(), inbox.batches()), (0, 0))
        with self.assertRaises(queue.Empty):
            inbox.get_nowait()


class Told(unittest.TestCase):
    def test_what_is_told_does_not_wait_behind_data(self) -> None:
        """A control message enters a full inbox at once, goes before all data, and behind those told before it."""
        inbox = Inbox(2000)
        inbox.put_nowait(batch(1))
        inbox.put_nowait(batch(2))
        inbox.tell(Reopen())
        inbox.tell(Delisted(("BTCUSDT",)))
        self.assertEqual(inbox.batches(), 4)
        got = [inbox.get_nowait() for _ in range(4)]
        self.assertEqual(got, [Reopen(), Delisted(("BTCUSDT",)), batch(1), batch(2)])
        self.assertEqual((inbox.qsize(), inbox.batches()), (0, 0))

    def test_what_is_told_wakes_who_waits(self) -> None:
        """An empty inbox with a control message is not empty."""
        inbox = Inbox()
        inbox.tell(Reopen())
        self.assertEqual(inbox.get(timeout=DEADLINE_S), Reopen())


class Full(unittest.TestCase):
    def test_a_full_inbox_refuses_until_there_is_room(self) -> None:
        """A message is refused while the bytes are reached, and taken once some are gone."""
        inbox = Inbox(2000)
        inbox.put_nowait(batch(1))
        inbox.put_nowait(batch(2))
        with self.assertRaises(queue.Full):
            inbox.put_nowait(batch(3))
        inbox.get_nowait()
        inbox.put_nowait(batch(3))

    def test_a_message_larger_than_the_inbox_still_gets_in(self) -> None:
        """A message larger than the whole bound is taken by an empty inbox, else it would wait for ever."""
        inbox = Inbox(10)
        inbox.put_nowait(batch(1))
        self.assertEqual(inbox.get_nowait(), batch(1))

    def test_senders_wait_and_nothing_is_lost(self) -> None:
        """Several senders into a tiny inbox wait for the receiver, and each message arrives, each sender's in order."""
        inbox = Inbox(3000)

        def send(sender: int) -> None:
            for number in range(200):
                inbox.put(Batch(sender, number, 0.0, b"x" * 700, [0, 700]), timeout=DEADLINE_S)

        threads = [threading.Thread(target=send, args=(sender,), daemon=True) for sender in range(3)]
        for thread in threads:
            thread.start()
        got: dict[int, list[int]] = {0: [], 1: [], 2: []}
        for _ in range(600):
            message = inbox.get(timeout=DEADLINE_S)
            assert isinstance(message, Batch)
            self.assertLess(inbox.qsize(), 3000 + 4 * weigh(message))
            got[message.connection].append(message.received_ns)
        for thread in threads:
            thread.join(DEADLINE_S)
        self.assertEqual(list(got.values()), [list(range(200))] * 3)


if __name__ == "__main__":
    unittest.main()
