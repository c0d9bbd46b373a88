"""One connection, kept up: everything that it brings goes to the inbox in order, each loss is said."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..errors import FeedError
from ..exchange.events import HAND_OVER, Bad, Batch, Lost, Opened
from .bans import Handshakes
from .connection import READ_BYTES, Connection
from .frames import Odd, Splitter, close_reason
from .inbox import Inbox
from .outlet import CHECK_S, Outlet
from .pacing import Backoff, connection_age_s

log = logging.getLogger(__name__)

OVERLAP_S = 1.5  # how long a relieved connection is read on: longer than the heartbeat's second
NAP_S = 0.002  # after a read, so that a busy market wakes us 500 times a second and not for every frame
SAID_OF_ALLOWED = 0.8  # of the messages a second at which the exchange ends a connection, pongs included


class Target(NamedTuple):
    """What a feed connects to: its number, its place's, the URL, how patient it is, and how much it may say there."""

    number: int
    place: int
    url: str
    stall_timeout_s: float
    oldest_s: float
    messages_a_second: int


class Feed:
    """Keeps one connection open until it is stopped, or relieved by a successor, which may relieve several.

    ```
    turn ──▶ connect ──▶ read ──▶ … ──┬─ FeedError ──▶ Lost to the inbox ──▶ back-off ──▶ turn
                                      │        └─ where a successor is on its way ──▶ end
                                      ├─ old ──▶ successor wanted; read on until it delivers, overlap, end
                                      └─ stopped ──▶ end
    ```
    """

    def __init__(
        self,
        target: Target,
        inbox: Inbox,
        handshakes: Handshakes,
        want_successor: Callable[[], None],
        predecessors: "Sequence[Feed]" = (),
        *,
        connect: Callable[[str], Connection] = Connection,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.target = target
        self.stopping = threading.Event()
        self.replaced = threading.Event()  # a successor is on its way …
        self.relieved = threading.Event()  # … and delivers
        self._put = Outlet(inbox, target.place, lambda: self.stopping.is_set(), clock=clock).put
        self._handshakes = handshakes
        self._want_successor = want_successor
        self._predecessors = predecessors
        self._connect, self._clock, self._wall_ns, self._sleep = connect, clock, wall_ns, sleep
        self._age_s = connection_age_s(target.oldest_s, draw)
        self._backoff = Backoff(draw)
        self._pong_every_s = 1 / (SAID_OF_ALLOWED * target.messages_a_second)
        self._ponged_s = -self._pong_every_s

    def run(self) -> None:
        """Connect and read, again and again; returns once stopped or relieved."""
        while self._has_turn():
            try:
                self.serve()
                return
            except FeedError as error:
                if error.wait_s:
                    self._handshakes.banned(error.wait_s, str(error))
                over = self.replaced.is_set()
                self._put(Lost(self.target.number, error.reason, over))
                if over:
                    return
                delay_s = max(self._backoff.failed(), error.wait_s)
                log.warning("connection lost connection=%d why=%s retry_s=%.1f", self.target.place, error, delay_s)
                self.stopping.wait(delay_s)

    def _has_turn(self) -> bool:
        """Wait for a turn to connect; return False where stopped meanwhile, or where a successor is on its way."""
        said = False
        while not self.stopping.is_set():
            if self.replaced.is_set():
                self._put(Lost(self.target.number, HAND_OVER, True))
                return False
            wait_s = self._handshakes.take()
            if not wait_s:
                return True
            if not said:
                log.warning("connection waits connection=%d wait_s=%.1f", self.target.place, wait_s)
                said = True
            self.stopping.wait(wait_s)
        return False

    def serve(self) -> None:
        """Connect once and read until stopped or relieved; raises `FeedError` when the connection is of no more use."""
        connection = self._connect(self.target.url)
        self._put(Opened(self.target.number, self._wall_ns(), self._clock()))
        log.info("connection open connection=%d", self.target.place)
        try:
            self._read_on(connection)
        finally:
            connection.close()
        if self.relieved.is_set():
            log.info("connection relieved connection=%d", self.target.place)
            self._put(Lost(self.target.number, HAND_OVER, True))

    def _read_on(self, connection: Connection) -> None:
        splitter = Splitter()
        opened_s = frame_s = self._clock()
        end_s: float | None = None
        asked = False
        while not self.stopping.is_set():
            data = connection.read()
            if not data:
                now_s = self._clock()
                if now_s - frame_s > self.target.stall_timeout_s:
                    raise FeedError("stalled", f"no frame for {self.target.stall_timeout_s:g} s")
                connection.wait(min(CHECK_S, self.target.stall_timeout_s))
            else:
                received_ns, now_s = self._wall_ns(), self._clock()
                split = splitter.split(data)
                if split.bounds:
                    self._put(Batch(self.target.number, received_ns, now_s, split.data, split.bounds))
                    self._delivered(now_s - opened_s)
                    frame_s = now_s
                for one in split.odd:
                    self._answer(connection, one, received_ns)
                if len(data) < READ_BYTES:
                    self._sleep(NAP_S)
            if now_s - opened_s > self._age_s and not asked and not self._predecessors:
                asked = True
                self._want_successor()
            if end_s is None and self.relieved.is_set():
                end_s = now_s + OVERLAP_S
            if end_s is not None and now_s > end_s:
                return

    def _delivered(self, age_s: float) -> None:
        self._backoff.worked(age_s)
        for feed in self._predecessors:
            feed.relieved.set()
        self._predecessors = ()

    def _answer(self, connection: Connection, odd: Odd, received_ns: int) -> None:
        if odd.reason == "ping":
            now_s = self._clock()
            if now_s - self._ponged_s >= self._pong_every_s:
                self._ponged_s = now_s
                connection.pong(odd.data)
        elif odd.reason == "close":
            raise FeedError("closed", close_reason(odd.data))
        elif odd.reason != "pong":
            self._put(Bad(self.target.number, received_ns, odd.reason, odd.data))
