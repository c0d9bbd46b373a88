"""One WebSocket connection, kept up: everything that it brings goes to the inbox in order, each loss is said.

The only module that imports `websocket`. The library connects (proxy, TLS, handshake) and sends pong and close;
reading is done here, on the bare socket, because one big read brings many frames.
"""

import logging
import queue
import random
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import websocket

from .errors import FeedError
from .events import HAND_OVER, Bad, Batch, Lost, Opened
from .frames import Odd, Splitter, close_reason
from .inbox import Inbox
from .pacing import LONGEST_BAN_S, Backoff, connection_age_s

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
SEND_TIMEOUT_S = 2.0
CHECK_S = 0.25  # how long at most a wait does not look whether to stop
OVERLAP_S = 1.5  # how long a relieved connection is read on: longer than the heartbeat's second
NAP_S = 0.002  # after a read, so that a busy market wakes us 500 times a second and not for every frame
PONG_EVERY_S = 0.25  # the exchange ends a connection that says more than 5 (spot) or 10 things a second, pongs too
FULL_REPEAT_S = 60.0
BANS_S = {429: 60.0, 418: 120.0}  # the least that these ask for, as in rest.py
READ_BYTES = 1 << 16  # four times as much fragments the memory: 2.6 MB more after ten million frames
TLS_RECORD_BYTES = 1 << 14  # one call gives one record, and allocates all that is asked for


class Line(NamedTuple):
    """What a feed connects to: its number, its place's, its group's, the URL, and how patient it is."""

    number: int
    place: int
    group: int
    url: str
    stall_timeout_s: float
    oldest_s: float


class Connection:
    """One open WebSocket connection; every way for it to fail is a `FeedError` with the reason."""

    def __init__(self, url: str, timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        """Connect and shake hands; blocks for about `timeout_s` at most."""
        try:
            sslopt = {"context": ssl.create_default_context()} if url.startswith("wss:") else None
            self._websocket = websocket.create_connection(
                url, timeout=timeout_s, sslopt=sslopt, skip_utf8_validation=True, enable_multithread=False
            )
        except (websocket.WebSocketException, OSError, ValueError) as error:
            raise FeedError(*_why(error)) from error
        if self._websocket.sock is None:
            raise FeedError("handshake", "no connection")
        self._socket = self._websocket.sock
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
                self._failure = FeedError(*_why(error))
                break
            if not chunk:
                self._failure = FeedError("eof", "the server hung up without a close frame")
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
            raise FeedError(*_why(error)) from error

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
    """Keeps one line open until it is stopped, or relieved by a successor.

    ```
    connect ──▶ read ──▶ … ──┬─ FeedError ──▶ Lost to the inbox ──▶ back-off ──▶ connect
                             ├─ old ──▶ successor wanted; read on until it delivers, overlap, end
                             └─ stopped ──▶ end
    ```
    """

    def __init__(
        self,
        line: Line,
        inbox: Inbox,
        want_successor: Callable[["Feed"], None],
        predecessor: "Feed | None" = None,
        *,
        connect: Callable[[str], Connection] = Connection,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.line = line
        self.stopping = threading.Event()
        self.relieved = threading.Event()
        self._inbox = inbox
        self._want_successor = want_successor
        self._predecessor = predecessor
        self._connect, self._clock, self._wall_ns, self._sleep = connect, clock, wall_ns, sleep
        self._age_s = connection_age_s(line.oldest_s, draw)
        self._backoff = Backoff(draw)
        self._ponged_s = -PONG_EVERY_S
        self._full_said_s = -FULL_REPEAT_S
        self.replaced = False

    def run(self) -> None:
        """Connect and read, again and again; returns once stopped or relieved."""
        while not self.stopping.is_set():
            try:
                self.serve()
                return
            except FeedError as error:
                self._put(Lost(self.line.group, self.line.number, error.reason, self.replaced))
                if self.replaced:
                    return
                delay_s = max(self._backoff.failed(), error.wait_s)
                log.warning("connection lost connection=%d why=%s retry_s=%.1f", self.line.place, error, delay_s)
                self.stopping.wait(delay_s)

    def serve(self) -> None:
        """Connect once and read until stopped or relieved; raises `FeedError` when the connection is of no more use."""
        connection = self._connect(self.line.url)
        self._put(Opened(self.line.group, self.line.number, self._wall_ns(), self._clock()))
        log.info("connection open connection=%d", self.line.place)
        try:
            self._read_on(connection)
        finally:
            connection.close()
        if self.relieved.is_set():
            log.info("connection relieved connection=%d", self.line.place)
            self._put(Lost(self.line.group, self.line.number, HAND_OVER, True))

    def _read_on(self, connection: Connection) -> None:
        splitter = Splitter()
        opened_s = frame_s = self._clock()
        end_s: float | None = None
        while not self.stopping.is_set():
            data = connection.read()
            if not data:
                now_s = self._clock()
                if now_s - frame_s > self.line.stall_timeout_s:
                    raise FeedError("stalled", f"no frame for {self.line.stall_timeout_s:g} s")
                connection.wait(min(CHECK_S, self.line.stall_timeout_s))
            else:
                received_ns, now_s = self._wall_ns(), self._clock()
                split = splitter.split(data)
                if split.bounds:
                    line = self.line
                    self._put(Batch(line.group, line.number, received_ns, now_s, split.data, split.bounds))
                    self._delivered(now_s - opened_s)
                    frame_s = now_s
                for one in split.odd:
                    self._answer(connection, one, received_ns)
                if len(data) < READ_BYTES:
                    self._sleep(NAP_S)
            if now_s - opened_s > self._age_s and not self.replaced:
                self.replaced = True
                self._want_successor(self)
            if end_s is None and self.relieved.is_set():
                end_s = now_s + OVERLAP_S
            if end_s is not None and now_s > end_s:
                return

    def _delivered(self, age_s: float) -> None:
        self._backoff.worked(age_s)
        if self._predecessor is not None:
            self._predecessor.relieved.set()
            self._predecessor = None

    def _answer(self, connection: Connection, odd: Odd, received_ns: int) -> None:
        if odd.reason == "ping":
            now_s = self._clock()
            if now_s - self._ponged_s >= PONG_EVERY_S:
                self._ponged_s = now_s
                connection.pong(odd.data)
        elif odd.reason == "close":
            raise FeedError("closed", close_reason(odd.data))
        elif odd.reason != "pong":
            self._put(Bad(self.line.number, received_ns, odd.reason, odd.data))

    def _put(self, message: Opened | Batch | Bad | Lost) -> None:
        """Hand a message over; waits while the inbox is full, and when stopped gives the collector 2 s more."""
        try:
            self._inbox.put_nowait(message)
            return
        except queue.Full:
            if self._clock() - self._full_said_s >= FULL_REPEAT_S:
                self._full_said_s = self._clock()
                log.warning("inbox full connection=%d next=wait", self.line.place)
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


def _why(error: Exception) -> tuple[str, str] | tuple[str, str, float]:
    """Return what makes a `FeedError` of a library's or the system's error: reason, detail, seconds to wait."""
    if isinstance(error, websocket.WebSocketBadStatusException):
        return "handshake", f"status {error.status_code}", _ban_s(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return "tls", error.verify_message
    if isinstance(error, ssl.SSLError):
        return "tls", str(error.reason or error)
    if isinstance(error, websocket.WebSocketTimeoutException | TimeoutError):
        return "timeout", "no answer"
    if isinstance(error, ConnectionRefusedError):
        return "refused", ""
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "reset", ""
    if isinstance(error, websocket.WebSocketAddressException | socket.gaierror):
        return "dns", str(error)
    if isinstance(error, websocket.WebSocketProxyException):
        return "proxy", str(error)
    return "failed", str(error).partition("\n")[0][:200] or type(error).__name__


def _ban_s(error: websocket.WebSocketBadStatusException) -> float:
    """Return how long the exchange wants to be left alone by a handshake that it refused for a limit."""
    if error.status_code not in BANS_S:
        return 0.0
    retry_after = str((error.resp_headers or {}).get("retry-after", "")).strip()
    told_s = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
    return min(max(told_s, BANS_S[error.status_code]), LONGEST_BAN_S)
