"""A connection is kept up politely: bans are obeyed, flapping slows down, silence ends it, and nothing is dropped."""

import socket
import tempfile
import threading
import unittest
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from aster_collect.errors import FeedError
from aster_collect.exchange.events import HAND_OVER, Bad, Batch, Lost, Opened
from aster_collect.net.bans import Bans, Handshakes
from aster_collect.net.connection import Connection
from aster_collect.net.feed import OVERLAP_S, Feed, Target
from aster_collect.net.inbox import Inbox, Message
from tests.unit.net.wires import Clock, SlowInbox, Stopping, Wire, text

STALL_S = 10.0
OLDEST_S = 1000.0
MESSAGES_A_SECOND = 5
QUIET = b""
LOST = FeedError("eof", "the server hung up without a close frame")
PING, PONG = b"\x89\x01p", b"\x8a\x00"
LOOPBACK = "127.0.0.1"


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.inbox = Inbox()
        self.asked: list[Feed] = []
        self.successors = 0
        self.on_successor: Callable[[], None] = lambda: None
        self.allow()

    def allow(self) -> None:
        """Forget all bans, and all connections that were tried."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.handshakes = Handshakes(Bans(folder), 60, clock=self.clock)

    def feed(self, connect: Callable[[str], Any], delays: int = 1, **options: Any) -> tuple[Feed, Stopping]:
        """Return a feed that longest delays hold up, and that is stopped by so many of them."""
        feed = Feed(
            Target(7, 3, options.pop("url", "ws://x"), STALL_S, OLDEST_S, MESSAGES_A_SECOND),
            options.pop("inbox", self.inbox),
            self.handshakes,
            self.want_successor,
            options.pop("predecessors", ()),
            connect=connect,
            clock=self.clock,
            wall_ns=self.clock.wall_ns,
            sleep=self.clock.sleep,
            draw=lambda: 1.0,
        )
        stopping = Stopping(self.clock, delays)
        feed.stopping = stopping  # type: ignore[assignment]
        return feed, stopping

    def want_successor(self) -> None:
        self.successors += 1
        self.on_successor()

    def messages(self) -> list[Message]:
        """Return what the inbox has."""
        found = []
        while self.inbox.batches():
            found.append(self.inbox.get_nowait())
        return found

    def payloads(self, messages: list[Message]) -> list[str]:
        """Return the text messages of all batches."""
        return [
            one.data[start:stop].decode("ascii")
            for one in messages
            if isinstance(one, Batch)
            for start, stop in zip(one.bounds[::2], one.bounds[1::2], strict=True)
        ]


class Refusals(Case):
    def delay_after(self, status: str) -> float:
        """Return how long a feed waits after a handshake that a server on this machine answers so."""
        self.allow()
        with socket.create_server((LOOPBACK, 0)) as server:
            thread = threading.Thread(target=self.refuse, args=(server, status))
            thread.start()
            feed, stopping = self.feed(Connection, url=f"ws://{LOOPBACK}:{server.getsockname()[1]}/stream")
            with self.assertLogs("aster_collect.net.feed", "WARNING"):
                feed.run()
            thread.join(30)
        self.assertEqual([Lost(7, "handshake", False)], self.messages())
        return stopping.delays_s[0]

    def refuse(self, server: socket.socket, status: str) -> None:
        connection, _ = server.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096)
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    def test_a_ban_in_the_handshake(self) -> None:
        """A handshake refused with 418 is not tried again before Retry-After is over, or 2 minutes without it."""
        self.assertEqual(3600, self.delay_after("418 I'm a teapot\r\nRetry-After: 3600"))
        self.assertEqual(120, self.delay_after("418 I'm a teapot"))

    def test_a_ban_without_end(self) -> None:
        """A Retry-After longer than the longest ban is cut to 3 days."""
        for endless in ("9999999", "9" * 400):
            self.assertEqual(3 * 86_400, self.delay_after(f"418 I'm a teapot\r\nRetry-After: {endless}"))

    def test_a_limit_in_the_handshake(self) -> None:
        """A handshake refused with 429 waits for a minute at least, whatever Retry-After says."""
        for told in ("", "\r\nRetry-After: 5", "\r\nRetry-After: soon", "\r\nRetry-After: -700"):
            self.assertEqual(60, self.delay_after(f"429 Too Many Requests{told}"))

    def test_a_ban_of_another_connection(self) -> None:
        """A connection waits for the end of a ban that another one has met, and a stop ends the wait."""
        self.handshakes.banned(600.0, "handshake: 418")
        urls: list[str] = []

        def away(url: str) -> Any:
            urls.append(url)
            raise FeedError("refused")

        feed, stopping = self.feed(away, delays=2)
        with self.assertLogs("aster_collect.net.feed", "WARNING") as logs:
            feed.run()
        self.assertEqual(([600.0, 0.5], 1), (stopping.delays_s, len(urls)))
        self.assertIn("connection waits connection=", logs.output[0])
        feed, stopping = self.feed(away, delays=1)
        self.handshakes.banned(600.0, "handshake: 418")
        with self.assertLogs("aster_collect.net.feed", "WARNING"):
            feed.run()
        self.assertEqual(([600.0], 1), (stopping.delays_s, len(urls)))

    def test_more_connections_than_a_minute_may_have(self) -> None:
        """When sixty connections were tried within a minute, the next waits for the oldest to be a minute old."""
        for _ in range(60):
            self.assertEqual(0.0, self.handshakes.take())

        def away(url: str) -> Any:
            raise FeedError("refused")

        self.clock.now_s += 20
        feed, stopping = self.feed(away, delays=2)
        with self.assertLogs("aster_collect.net.feed", "WARNING"):
            feed.run()
        self.assertEqual([40.0, 0.5], stopping.delays_s)

    def test_another_refusal(self) -> None:
        """A handshake refused for another reason is tried again after the usual delay."""
        self.assertEqual(0.5, self.delay_after("503 Service Unavailable\r\nRetry-After: 3600"))

    def test_a_server_that_is_away(self) -> None:
        """A server that refuses every connection is tried less and less, up to every 30 seconds."""

        def away(url: str) -> Any:
            raise FeedError("refused")

        feed, stopping = self.feed(away, delays=8)
        with self.assertLogs("aster_collect.net.feed", "WARNING"):
            feed.run()
        self.assertEqual([0.5, 1, 2, 4, 8, 16, 30, 30], stopping.delays_s)


class Flapping(Case):
    def delays_s(self, delivers_s: float, delays: int) -> list[float]:
        """Return the delays between connections that deliver for so long and are lost then, again and again."""
        wires: list[Wire] = []

        def connect(url: str) -> Any:
            frames = [text("first"), text("last")] if delivers_s else [text("only")]
            wires.append(Wire(iter([*frames, LOST]), self.clock, delivers_s / 2))
            return wires[-1]

        feed, stopping = self.feed(connect, delays)
        with self.assertLogs("aster_collect.net.feed", "WARNING"):
            feed.run()
        self.assertEqual(delays, len(wires))
        self.assertTrue(all(wire.closed for wire in wires))
        self.assertEqual(delays, sum(isinstance(one, Lost) for one in self.messages()))
        return stopping.delays_s

    def test_a_server_that_hangs_up_after_one_frame(self) -> None:
        """A server that accepts, sends one frame and hangs up is tried ever more slowly, up to every 2 seconds."""
        self.assertEqual([0.5, 1, 2, 2, 2, 2], self.delays_s(0.0, 6))
        self.assertEqual([0.5, 1, 2, 2], self.delays_s(29.0, 4))

    def test_a_connection_that_delivered_for_half_a_minute(self) -> None:
        """After 30 seconds of delivery the delays start over."""
        self.assertEqual([0.5, 0.5, 0.5], self.delays_s(31.0, 3))

    def test_a_server_that_accepts_and_sends_nothing_of_use(self) -> None:
        """Connections that bring no message count as failed, and their delays grow to 30 seconds."""
        feed, stopping = self.feed(lambda url: Wire(iter([PING, LOST]), self.clock), 8)
        with self.assertLogs("aster_collect.net.feed", "WARNING"):
            feed.run()
        self.assertEqual([0.5, 1, 2, 4, 8, 16, 30, 30], stopping.delays_s)


class Reading(Case):
    def test_a_server_that_pings_and_sends_nothing_else(self) -> None:
        """A connection without a message is given up after the timeout, though pings come and are answered."""
        wire = Wire(chain([text("one")], *repeat((PING * 10, QUIET, PONG), 1000)), self.clock, 0.1)
        feed, _ = self.feed(lambda url: wire)
        began_s = self.clock.now_s
        with self.assertRaisesRegex(FeedError, "stalled: no frame for 10 s"):
            feed.serve()
        self.assertTrue(wire.closed)
        self.assertTrue(STALL_S < self.clock.now_s - began_s < STALL_S + 1)
        self.assertLessEqual(10, len(wire.ponged))
        self.assertLessEqual(len(wire.ponged), STALL_S * MESSAGES_A_SECOND)
        self.assertEqual({b"p"}, set(wire.ponged))

    def test_a_message_after_a_long_silence(self) -> None:
        """A message within the timeout starts it anew."""
        silence = [QUIET] * 35  # of a quarter of a second each
        wire = Wire(iter([*silence, text("one"), *silence, text("two"), LOST]), self.clock)
        feed, _ = self.feed(lambda url: wire)
        with self.assertRaisesRegex(FeedError, "eof"):
            feed.serve()
        self.assertEqual(["one", "two"], self.payloads(self.messages()))

    def test_a_close_frame(self) -> None:
        """What came before a close frame is handed over, and the loss bears the server's code and words."""
        wire = Wire(iter([text("last") + b"\x88\x05\x03\xf3bye"]), self.clock)
        feed, _ = self.feed(lambda url: wire)
        with self.assertLogs("aster_collect.net.feed", "WARNING") as logs:
            feed.run()
        self.assertIn("code=1011 text='bye'", logs.output[0])
        opened, *rest, lost = self.messages()
        self.assertEqual(Opened(7, 5000 * 10**9, 5000.0), opened)
        self.assertEqual((["last"], Lost(7, "closed", False)), (self.payloads(rest), lost))

    def test_a_binary_message(self) -> None:
        """A message that is no text is handed over as bad, and the connection goes on."""
        wire = Wire(iter([b"\x82\x02\xff\x00" + text("next"), LOST]), self.clock)
        feed, _ = self.feed(lambda url: wire)
        with self.assertRaises(FeedError):
            feed.serve()
        messages = self.messages()
        self.assertIn(Bad(7, 5000 * 10**9, "binary", b"\xff\x00"), messages)
        self.assertEqual(["next"], self.payloads(messages))


class FullInbox(Case):
    def test_a_collector_that_is_slow(self) -> None:
        """A connection waits while the inbox is full, for minutes if need be, and every message arrives in order."""
        self.inbox = inbox = SlowInbox(self.clock, waits=40)
        names = [f"m{number}" for number in range(50)]
        feed, _ = self.feed(lambda url: Wire(chain(map(text, names), [LOST]), self.clock))
        with self.assertLogs("aster_collect.net", "WARNING") as logs:
            feed.run()
        messages = inbox.taken + self.messages()
        self.assertEqual(names, self.payloads(messages))
        self.assertEqual(Lost(7, "eof", False), messages[-1])
        self.assertLessEqual(40 * 40, inbox.waited)
        said = [line for line in logs.output if "inbox full" in line]
        self.assertTrue(2 <= len(said) <= 10, "said once a minute")


class HandOver(Case):
    def test_a_relieved_connection(self) -> None:
        """A relieved connection is read on for the overlap, hands all of it over, and is lost for good by hand-over."""
        relieved_s = self.clock.now_s + 3.0
        feeds: list[Feed] = []

        def frames() -> Iterator[bytes]:
            while True:
                if self.clock.now_s >= relieved_s:
                    feeds[0].relieved.set()
                yield text(f"{self.clock.now_s:.3f}")

        wire = Wire(frames(), self.clock, 0.1)
        feed, stopping = self.feed(lambda url: wire)
        feeds.append(feed)
        feed.run()
        messages = self.messages()
        self.assertEqual(Lost(7, HAND_OVER, True), messages[-1])
        last_s = float(self.payloads(messages)[-1])
        self.assertTrue(relieved_s + OVERLAP_S - 0.01 <= last_s <= relieved_s + OVERLAP_S + 0.3, last_s - relieved_s)
        self.assertTrue(wire.closed)
        self.assertEqual([], stopping.delays_s)

    def test_an_old_connection(self) -> None:
        """An old connection wants one successor; lost before that delivers, it is lost for good and not made again."""
        frames = chain(repeat(text("x"), 20), [LOST])
        feed, stopping = self.feed(lambda url: Wire(frames, self.clock, OLDEST_S / 18))
        self.on_successor = feed.replaced.set
        with self.assertNoLogs("aster_collect.net.feed", "WARNING"):
            feed.run()
        self.assertEqual(1, self.successors)
        self.assertEqual(Lost(7, "eof", True), self.messages()[-1])
        self.assertEqual([], stopping.delays_s)

    def test_an_old_connection_that_nobody_relieves(self) -> None:
        """Where no successor is made, an old connection that is lost is made again, and wants one when it is old."""
        wires = [Wire(chain(repeat(text("x"), 20), [LOST]), self.clock, OLDEST_S / 18) for _ in range(2)]
        feed, stopping = self.feed(lambda url: wires.pop(), delays=2)
        with self.assertLogs("aster_collect.net.feed", "WARNING"):
            feed.run()
        self.assertEqual((2, 2), (self.successors, len(stopping.delays_s)))

    def test_a_connection_that_is_down_when_it_is_relieved(self) -> None:
        """One that another's successor takes over while it waits to be made again ends, and is not made again."""
        wires = [Wire(iter([LOST]), self.clock)]
        feed, stopping = self.feed(lambda url: wires.pop(), delays=2)
        wait = stopping.wait

        def replace(seconds: float) -> bool:
            feed.replaced.set()
            return wait(seconds)

        stopping.wait = replace  # type: ignore[method-assign]
        with self.assertLogs("aster_collect.net.feed", "WARNING"):
            feed.run()
        self.assertEqual([Lost(7, "eof", False), Lost(7, HAND_OVER, True)], self.messages()[1:])

    def test_a_successor_that_is_old_before_it_delivers(self) -> None:
        """A successor that brings nothing wants no successor of its own: those that it is to relieve go on."""
        former, _ = self.feed(lambda url: None)
        silence = chain(repeat(PONG, 20), [LOST])
        feed, _ = self.feed(lambda url: Wire(silence, self.clock, OLDEST_S / 18), predecessors=[former])
        feed.target = feed.target._replace(stall_timeout_s=OLDEST_S * 2)
        self.assertRaises(FeedError, feed.serve)
        self.assertEqual(0, self.successors)

    def test_a_successor_that_opens_and_brings_nothing(self) -> None:
        """Predecessors are relieved by their successor's first message, not by the handshake or a ping."""
        formers = [self.feed(lambda url: None)[0] for _ in range(3)]
        feed, _ = self.feed(lambda url: Wire(iter([PING, QUIET, LOST]), self.clock), predecessors=formers)
        self.assertRaises(FeedError, feed.serve)
        self.assertFalse(any(former.relieved.is_set() for former in formers))
        feed, _ = self.feed(lambda url: Wire(iter([text("x"), LOST]), self.clock), predecessors=formers)
        self.assertRaises(FeedError, feed.serve)
        self.assertTrue(all(former.relieved.is_set() for former in formers))


if __name__ == "__main__":
    unittest.main()
