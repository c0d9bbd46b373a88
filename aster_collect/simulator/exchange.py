"""The simulated exchange: one port on 127.0.0.1 for WebSocket and REST, its connections, and its faults."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from . import faults as fault_words
from .connection import Connection, ConnectionInfo, Sent
from .damage import Step
from .desk import Desk
from .faults import Fault, Schedule
from .front import Front
from .gate import Answer
from .instruments import DEFAULT_SYMBOLS
from .listener import ACCEPT_S, HOST, Listener
from .listing import TRADING
from .maker import FrameMaker
from .market import DEFAULT_RATE, Market
from .recording import Recording
from .replay import Replay
from .supply import Supply
from .venues import FUTURES, Rules, Venue

log = logging.getLogger(__name__)

HANDSHAKE_S = 10.0
STOP_S = 5.0


class Request(NamedTuple):
    """An HTTP request as it was answered; status 101 is an upgrade to WebSocket, 0 a reset without an answer."""

    method: str
    path: str
    query: str
    status: int
    at_ns: int


class Simulator:
    """An exchange that speaks the protocol, for one deterministic market or a recording; a context manager.

    A thread accepts, one thread serves each connection. What they share is guarded by one lock: the connections and
    their sockets.
    """

    def __init__(
        self,
        symbols: Sequence[str] = DEFAULT_SYMBOLS,
        rate: float = DEFAULT_RATE,
        seed: int = 1,
        port: int = 0,
        faults: Sequence[Fault] = (),
        *,
        record: bool = False,
        tls: tuple[str, str] | None = None,
        weight_limit: int | None = None,
        rules: Rules | None = None,
        venue: Venue = FUTURES,
        frames: Recording | None = None,
        once: bool = False,
        speed: float = 1.0,
    ) -> None:
        """`tls` is a certificate file and its key file; port 0 is a free port.

        `frames` is a recording that is played in place of a market: `once`, or over and over, so many times as fast.
        Raises ValueError for what can't be, OSError for `tls`.
        """
        self._replay = None if frames is None else Replay(frames, venue, once=once, speed=speed)
        self._market = None if frames is not None else Market(symbols, rate, seed, venue)
        self._supply: Supply = self._replay or self.market
        self.sent: list[Sent] = []
        self.requests: list[Request] = []
        self._schedule = Schedule([fault_words.check(fault) for fault in faults])
        self._wanted_port = port
        self._record = record
        self._rules = rules or venue.rules
        self._make_frame = FrameMaker()
        self._tls: ssl.SSLContext | None = None
        if tls is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*tls)
        self._lock = threading.Condition()
        self._connections: dict[int, Connection] = {}
        self._opened = 0
        self._sent_before = 0  # data frames of connections that are gone
        self._sockets: dict[threading.Thread, socket.socket] = {}
        self._refuse_upgrades_until = 0.0
        self._steps: list[Step] = []  # how the clock has been set
        self._behind_ns = 0  # by how much new connections are behind
        self._stopping = threading.Event()
        limit = venue.weight_limit if weight_limit is None else weight_limit
        self._desk = Desk(self._supply, limit, self._steps, self._stopping.wait)
        self._listener: Listener | None = None
        self._accepting: threading.Thread | None = None
        self._happenings = {
            "refuse": self._refuse,
            "clock": self._clock,
            "front_behind": self._front_behind,
            "max_age": self._max_age,
            "status": self._status,
            "tick_size": self._tick_size,
            "clear": self._clear,
        }
        self._started_s = 0.0
        self.port = 0

    # Life

    def start(self) -> Simulator:
        """Bind and begin to accept; raises OSError when the port can't be had."""
        self._listener = Listener(self._wanted_port)
        self.port = self._listener.port
        self._started_s = time.monotonic()
        if self._replay is not None:
            self._replay.begin(time.time_ns() // 1000)
        accept = partial(self._accept, self._listener)
        self._accepting = threading.Thread(target=accept, name="simulator-accept", daemon=True)
        self._accepting.start()
        log.info("simulator_start port=%d", self.port)
        return self

    def stop(self) -> None:
        """End every connection and thread; blocks for at most a few seconds, and may be called again."""
        self._stopping.set()
        if self._accepting is not None:
            self._accepting.join(STOP_S)
        with self._lock:
            sockets = dict(self._sockets)
            for connection in self._connections.values():
                connection.stop()
        for sock in sockets.values():
            with contextlib.suppress(OSError):
                # The plain socket's shutdown: the TLS one would take the TLS state from under its thread.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        deadline = time.monotonic() + STOP_S
        for thread in sockets:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                log.warning("simulator_thread_left name=%s", thread.name)
        log.info("simulator_stop frames=%d requests=%d", self.sent_count, len(self.requests))

    def __enter__(self) -> Simulator:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    # What a user asks

    @property
    def market(self) -> Market:
        """The market; raises ValueError where a recording is played."""
        if self._market is None:
            raise ValueError("a recording has no symbols that could be changed")
        return self._market

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that trade now."""
        now_us = time.time_ns() // 1000
        return tuple(listed.symbol for listed in self._supply.listed() if listed.is_trading(now_us))

    @property
    def ws_url(self) -> str:
        """The address for WebSockets, without a path."""
        return f"{'wss' if self._tls else 'ws'}://{HOST}:{self.port}"

    @property
    def rest_url(self) -> str:
        """The address for REST, without a path."""
        return f"{'https' if self._tls else 'http'}://{HOST}:{self.port}"

    @property
    def sent_count(self) -> int:
        """Data frames handed to sockets since the start."""
        with self._lock:
            return self._sent_before + sum(connection.frames for connection in self._connections.values())

    @property
    def connections(self) -> tuple[ConnectionInfo, ...]:
        """The open WebSockets, oldest first."""
        with self._lock:
            return tuple(connection.info() for connection in self._connections.values())

    @property
    def requests_while_banned(self) -> int:
        """Requests that came while the client had been told to stay away."""
        return self._desk.requests_while_banned

    def wait_for_connections(self, count: int, timeout_s: float = 5.0) -> bool:
        """Block until so many WebSockets are open at once, or the time is up; whether they are."""
        with self._lock:
            return self._lock.wait_for(lambda: len(self._connections) >= count, timeout_s)

    def list_symbol(self, symbol: str) -> None:
        """Let a symbol begin to trade now."""
        self.market.list_symbol(symbol.upper(), time.time_ns() // 1000)

    def delist_symbol(self, symbol: str, status: str = "SETTLING") -> None:
        """Let a symbol's events end now; raises ValueError when it is unknown."""
        self.market.delist_symbol(symbol.upper(), time.time_ns() // 1000, status)

    def set_tick_size(self, symbol: str, tick_size: str) -> None:
        """Announce another tick size from now on; raises ValueError when the symbol is unknown."""
        self.market.set_tick_size(symbol.upper(), tick_size)

    def inject(self, fault: Fault) -> None:
        """Let a fault happen now, from any thread; raises ValueError when it can't be done."""
        fault_words.check(fault)
        log.info("fault name=%s seconds=%s count=%s value=%s", fault.name, fault.seconds, fault.count, fault.value)
        until = time.monotonic() + (float("inf") if fault.seconds is None else fault.seconds)
        if fault.name.startswith("rest_"):
            self._desk.inject(fault, until)
        elif fault.name in fault_words.CONNECTION_FAULTS:
            self._order(fault)
        else:
            self._happenings[fault.name](fault, until)

    def _refuse(self, fault: Fault, until: float) -> None:
        if fault.value == "upgrades":
            self._refuse_upgrades_until = until
        elif self._listener is not None:
            self._listener.refuse_until(until, wait=threading.current_thread() is not self._accepting)

    def _clock(self, fault: Fault, _until: float) -> None:
        self._steps.append(Step(time.time_ns() // 1_000_000, round(float(fault.value or 0.0) * 1000)))

    def _front_behind(self, fault: Fault, _until: float) -> None:
        self._behind_ns = round(float(fault.value or 0.0) * 1e9)

    def _max_age(self, fault: Fault, _until: float) -> None:
        self._rules = self._rules._replace(max_age_s=fault.seconds or 0.0)
        self._order(fault)

    def _status(self, fault: Fault, _until: float) -> None:
        symbol = str(fault.symbol)
        if fault.value == TRADING:
            self.list_symbol(symbol)
        else:
            self.delist_symbol(symbol, str(fault.value))

    def _tick_size(self, fault: Fault, _until: float) -> None:
        self.set_tick_size(str(fault.symbol), str(fault.value))

    def _clear(self, fault: Fault, _until: float) -> None:
        self._refuse_upgrades_until = 0.0
        self._behind_ns = 0
        self._refuse(Fault("refuse"), 0.0)
        self._desk.clear()
        self._order(fault)

    def _order(self, fault: Fault) -> None:
        with self._lock:
            for connection in self._targets(fault.connection):
                connection.order(fault)

    def _targets(self, which: int | str | None) -> list[Connection]:
        everyone = list(self._connections.values())
        if which is None:
            return everyone
        if which == "newest":
            return everyone[-1:]
        if which == "oldest":
            return everyone[:1]
        return [connection for connection in everyone if connection.number == which]

    # What a connection's thread asks

    def note_request(self, method: str, path: str, query: str, status: int) -> None:
        """Keep a request for whoever asks what was asked."""
        if self._record:
            self.requests.append(Request(method, path, query, status, time.time_ns()))

    def refuses_upgrades(self) -> bool:
        """Whether WebSockets are answered with 503."""
        return self._refuse_upgrades_until > time.monotonic()

    def answer_rest(self, path: str, params: Mapping[str, str]) -> Answer | None:
        """The answer to a REST call, late where it should be; None to reset the connection."""
        return self._desk.answer(path, params)

    @property
    def max_streams(self) -> int:
        """How many streams a connection may have."""
        return self._rules.max_streams

    def serve_websocket(self, sock: socket.socket, welcome: bytes, streams: Sequence[str], *, wrapped: bool) -> None:
        """Say welcome and serve a WebSocket until it ends.

        It counts as open before the client hears of it, so that a fault right after a client's connect hits it.
        """
        with self._lock:
            self._opened += 1
            behind_ns = self._behind_ns
            connection = Connection(
                self._opened,
                sock,
                self._supply,
                self._make_frame,
                wrapped=wrapped,
                streams=streams,
                rules=self._rules,
                record=self.sent if self._record else None,
                one_send_a_frame=self._tls is not None or self._replay is not None,
                steps=self._steps,
                clock_ns=lambda: time.time_ns() - behind_ns,
            )
            self._connections[connection.number] = connection
            self._lock.notify_all()
        log.info("connection_open connection=%d streams=%d", connection.number, len(streams))
        try:
            sock.sendall(welcome)
            connection.run()
        finally:
            with self._lock:
                del self._connections[connection.number]
                self._sent_before += connection.frames
                self._lock.notify_all()

    # The accepting thread

    def _accept(self, listener: Listener) -> None:
        while not self._stopping.is_set():
            for fault in self._schedule.due(time.monotonic() - self._started_s):
                try:
                    self.inject(fault)
                except ValueError as error:
                    log.warning("fault_impossible name=%s reason=%s", fault.name, error)
            try:
                sock = listener.accept()
            except OSError as error:  # such as too many open files
                log.warning("accept_failed reason=%s", error)
                self._stopping.wait(ACCEPT_S)
                continue
            if sock is None:
                continue
            thread = threading.Thread(target=self._serve, args=(sock,), name="simulator-connection", daemon=True)
            with self._lock:
                self._sockets[thread] = sock
            thread.start()
        listener.close()

    def _serve(self, sock: socket.socket) -> None:
        thread = threading.current_thread()
        try:
            sock.settimeout(HANDSHAKE_S)
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._sockets[thread] = sock
            sock.settimeout(None)
            if not self._stopping.is_set():
                # The handler asks only for the few methods of this class that it knows.
                Front(sock, sock.getpeername(), cast(Any, self))
        except OSError as error:
            log.info("connection_failed reason=%s", error)
        finally:
            with self._lock:
                self._sockets.pop(thread, None)
            sock.close()
