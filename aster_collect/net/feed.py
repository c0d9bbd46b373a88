"""One WebSocket connection, kept up: everything that it brings goes to the inbox in order, each loss is said.

The only module that imports `websocket`. The library shakes hands on a socket that `dial` has connected, and sends pong
and close; reading is done here, on the bare socket, because one big read brings many frames.
"""

import io
import logging
import queue
import random
import re
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from http.client import responses
from typing import NamedTuple

import websocket

from ..errors import FeedError, NetworkError
from ..exchange.events import HAND_OVER, Bad, Batch, Lost, Opened
from .address import Route
from .bans import Handshakes
from .dial import CONNECT_S, HEAD_BYTES, Bounded, connect, explained, network_errors, way_to
from .frames import Odd, Splitter, close_reason
from .inbox import Inbox
from .pacing import Backoff, connection_age_s
from .reply import BANS_S, Reply, ban_s, printable, refusal

log = logging.getLogger(__name__)

SEND_TIMEOUT_S = 2.0
CHECK_S = 0.25  # how long at most a wait does not look whether to stop
OVERLAP_S = 1.5  # how long a relieved connection is read on: longer than the heartbeat's second
NAP_S = 0.002  # after a read, so that a busy market wakes us 500 times a second and not for every frame
SAID_OF_ALLOWED = 0.8  # of the messages a second at which the exchange ends a connection, pongs included
FULL_REPEAT_S = 60.0
SWITCHING_PROTOCOLS = 101
SET_COOKIE = re.compile(rb"^set-cookie:[^\n]*\n", re.IGNORECASE | re.MULTILINE)
READ_BYTES = 1 << 16  # four times as much fragments the memory: 2.6 MB more after ten million frames
TLS_RECORD_BYTES = 1 << 14  # one call gives one record, and allocates all that is asked for


class Target(NamedTuple):
    """What a feed connects to: its number, its place's, the URL, how patient it is, and how much it may say there."""

    number: int
    place: int
    url: str
    stall_timeout_s: float
    oldest_s: float
    messages_a_second: int


class _WithoutCookies(Bounded):
    """A socket whose first answer sets no cookie: nothing here needs one, and the library chokes on odd names."""

    _head: io.BytesIO | None = None

    def recv(self, size: int) -> bytes:
        """Return what has come, as `Bounded` does."""
        if self._head is None:
            self._head = io.BytesIO(SET_COOKIE.sub(b"", self._read_head()))
        return self._head.read(size) or super().recv(size)

    def _read_head(self) -> bytes:
        head = bytearray()
        while not head.endswith(b"\n\r\n"):
            byte = super().recv(1)  # not one more: the frames come next
            if not byte:
                break
            head += byte
        return bytes(head)


class Connection:
    """One open WebSocket connection; every way for it to fail is a `FeedError` with the reason."""

    def __init__(self, url: str, timeout_s: float = CONNECT_S) -> None:
        """Connect and shake hands; blocks for `timeout_s` at most, and for the lookup of the host's name."""
        try:
            way = way_to(url)
            self._websocket, self._socket = _shake_hands(url, way, time.monotonic() + timeout_s)
        except NetworkError as error:
            raise FeedError(error.reason, error.detail, error.wait_s) from error
        self._where = str(way)
        self._socket.setblocking(False)
        self._tls = isinstance(self._socket, ssl.SSLSocket)
        self._size = TLS_RECORD_BYTES if self._tls else READ_BYTES
        self._failure: FeedError | None = None
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)

    def wait(self, timeout_s: float) -> bool:
        """Block until there is something to read, `timeout_s` at most; return whether there is."""
        return bool(self._selector.select(timeout_s))

    def read(self) -> bytes:
        """Return what has arrived, empty if nothing has; does not block."""
        if self._failure:
            raise self._failure
        chunks: list[bytes] = []
        room = READ_BYTES
        while room > 0:
            try:
                chunk = self._socket.recv(self._size)
            except (BlockingIOError, ssl.SSLWantReadError):
                break
            except OSError as error:
                self._failure = self._explained(error)
                break
            if not chunk:
                self._failure = FeedError("eof", f"{self._where} hung up without a close frame")
                break
            chunks.append(chunk)
            room -= len(chunk)
            if not self._tls and len(chunk) < self._size:
                break  # the socket is empty; over TLS only another try can tell
        if self._failure and not chunks:
            raise self._failure
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def pong(self, payload: bytes) -> None:
        """Answer a ping."""
        self._socket.settimeout(SEND_TIMEOUT_S)
        try:
            self._websocket.pong(payload)
            self._socket.setblocking(False)
        except (websocket.WebSocketException, OSError) as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> FeedError:
        why = explained(error, self._where)
        return FeedError(why.reason, why.detail)

    def close(self) -> None:
        """Say good-bye and hang up; never fails, blocks for `SEND_TIMEOUT_S` at most."""
        self._selector.close()
        try:
            self._socket.settimeout(SEND_TIMEOUT_S)
            self._websocket.send_close()
        except (websocket.WebSocketException, OSError):
            pass  # it is gone already
        self._websocket.shutdown()  # type: ignore[no-untyped-call]


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
        self._inbox = inbox
        self._handshakes = handshakes
        self._want_successor = want_successor
        self._predecessors = predecessors
        self._connect, self._clock, self._wall_ns, self._sleep = connect, clock, wall_ns, sleep
        self._age_s = connection_age_s(target.oldest_s, draw)
        self._backoff = Backoff(draw)
        self._pong_every_s = 1 / (SAID_OF_ALLOWED * target.messages_a_second)
        self._ponged_s = -self._pong_every_s
        self._full_said_s = -FULL_REPEAT_S

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

    def _put(self, message: Opened | Batch | Bad | Lost) -> None:
        """Hand a message over; waits while the inbox is full, and when stopped gives the collector 2 s more."""
        try:
            self._inbox.put_nowait(message)
            return
        except queue.Full:
            if self._clock() - self._full_said_s >= FULL_REPEAT_S:
                self._full_said_s = self._clock()
                log.warning("inbox full connection=%d next=wait", self.target.place)
        patience_s = self._clock() + SEND_TIMEOUT_S
        while True:
            if not self.stopping.is_set():
                patience_s = self._clock() + SEND_TIMEOUT_S
            try:
                self._inbox.put(message, timeout=CHECK_S)
                return
            except queue.Full:
                if self._clock() > patience_s:
                    return


def _shake_hands(url: str, way: Route, end_s: float) -> tuple[websocket.WebSocket, socket.socket]:
    """Return a connection on which the frames come next; raises `NetworkError`."""
    sock = connect(way, end_s, tunnel=True)
    made = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    try:
        with network_errors(str(way)):
            _ask_to_upgrade(made, url, way, _WithoutCookies(sock, way, end_s, HEAD_BYTES, time.monotonic))
    except BaseException:
        sock.close()
        raise
    made.sock = sock
    return made, sock


def _ask_to_upgrade(made: websocket.WebSocket, url: str, way: Route, bounded: Bounded) -> None:
    header = [f"Authorization: {way.to.authorization}"] if way.to.authorization else []
    failure: websocket.WebSocketException | None = None
    try:
        made.connect(url, socket=bounded, redirect_limit=0, header=header)  # type: ignore[no-untyped-call]
    except websocket.WebSocketBadStatusException as error:
        headers, body = error.resp_headers or {}, error.resp_body or b""
        status = error.status_code or 0
        reply = Reply(str(way), status, responses.get(status, ""), headers, body)  # 1.8 of the library keeps no phrase
        wait_s = max(ban_s(reply, time.time()), BANS_S[reply.status]) if reply.status in BANS_S else 0.0
        raise NetworkError("handshake", refusal(reply), wait_s) from error
    except websocket.WebSocketException as error:
        failure = error
    response = made.handshake_response
    if response is not None and response.status != SWITCHING_PROTOCOLS:
        raise NetworkError("handshake", refusal(Reply(str(way), response.status, "", response.headers, b"")))
    if failure is not None:
        raise NetworkError("handshake", f"{way}: {printable(str(failure))}") from failure
