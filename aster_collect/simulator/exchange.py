"""The simulated exchange: one port on 127.0.0.1 for WebSocket and REST, its connections, and its faults."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from . import faults as fault_words
from . import framing, rest
from .connection import Connection, ConnectionInfo, Rules, Sent
from .faults import Fault, Frame, Schedule, Step, with_set_clock
from .front import Front
from .instruments import DEFAULT_SYMBOLS
from .market import DEFAULT_RATE, Market, Source

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
ACCEPT_S = 0.02  # how often the accepting thread looks at the schedule and at orders to refuse
BACKLOG = 128
HANDSHAKE_S = 10.0
STOP_S = 5.0
REMEMBERED_FRAMES = 8192  # so that connections with the same streams share what was made once


class Request(NamedTuple):
    """An HTTP request as it was answered; status 101 is an upgrade to WebSocket, 0 a reset without an answer."""

    method: str
    path: str
    query: str
    status: int
    at_ns: int


class FrameMaker:
    """Makes frames of a source's events, and remembers the newest ones for the next connection that asks."""

    def __init__(self) -> None:
        """Starts empty. Safe from any thread: at worst two make the same frame."""
        self._frames: dict[tuple[str, int, bool], Frame] = {}

    def __call__(self, source: Source, number: int, wrapped: bool) -> Frame:
        """The frame of an event."""
        key = source.stream, number, wrapped
        frame = self._frames.get(key)
        if frame is None:
            payload = source.text(number)
            message = f'{{"stream":"{source.stream}","data":{payload}}}' if wrapped else payload
            frame = Frame(source.stream, payload, framing.encode(framing.TEXT, message.encode()))
            if len(self._frames) >= REMEMBERED_FRAMES:
                self._frames = {}
            self._frames[key] = frame
        return frame


class Simulator:
    """An exchange that speaks the protocol, for one deterministic market; a context manager.

    A thread accepts, one thread serves each connection. What they share is guarded by one lock: connections, requests,
    the REST gate and the REST faults.
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
        weight_limit: int = rest.WEIGHT_LIMIT,
        rules: Rules | None = None,
    ) -> None:
        """`tls` is a certificate file and its key file; port 0 is a free port. Raises ValueError, OSError for `tls`."""
        self.market = Market(symbols, rate, seed)
        self.sent: list[Sent] = []
        self.requests: list[Request] = []
        self._schedule = Schedule([fault_words.check(fault) for fault in faults])
        self._wanted_port = port
        self._record = record
        self._rules = rules or Rules()
        self._make_frame = FrameMaker()
        self._tls: ssl.SSLContext | None = None
        if tls is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*tls)
        self._lock = threading.Condition()
        self._gate = rest.Gate(weight_limit)
        self._rest_faults: dict[str, tuple[Fault, float]] = {}  # name → the fault, until (monotonic seconds)
        self._connections: dict[int, Connection] = {}
        self._opened = 0
        self._sent_before = 0  # data frames of connections that are gone
        self._sockets: dict[threading.Thread, socket.socket] = {}
        self._refuse_until = self._refuse_upgrades_until = 0.0
        self._steps: list[Step] = []  # how the clock has been set
        self._behind_ns = 0  # by how much new connections are behind
        self._listener: socket.socket | None = None
        self._is_listening = False
        self._switched = threading.Event()
        self._stopping = threading.Event()
        self._accepting: threading.Thread | None = None
        self._started_s = 0.0
        self.port = 0

    # Life

    def start(self) -> Simulator:
        """Bind and begin to accept; raises OSError when the port can't be had."""
        self._listener = _bound(self._wanted_port)
        self._listener.listen(BACKLOG)
        self._is_listening = True
        self.port = self._listener.getsockname()[1]
        self._started_s = time.monotonic()
        self._accepting = threading.Thread(target=self._accept, name="simulator-accept", daemon=True)
        self._accepting.start()
        log.info("simulator_start port=%d seed=%d", self.port, self.market.seed)
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
        with self._lock:
            return self._gate.requests_while_banned

    def wait_for_connections(self, count: int, timeout_s: float = 5.0) -> bool:
        """Block until so many WebSockets are open at once, or the time is up; whether they are."""
        with self._lock:
            return self._lock.wait_for(lambda: len(self._connections) >= count, timeout_s)

    def list_symbol(self, symbol: str) -> None:
        """Let a symbol begin to trade now."""
        self.market.list_symbol(symbol.upper(), time.time_ns() // 1000)

    def delist_symbol(self, symbol: str) -> None:
        """Let a symbol's events end now; raises KeyError when it is unknown."""
        self.market.delist_symbol(symbol.upper(), time.time_ns() // 1000)

    def inject(self, fault: Fault) -> None:
        """Let a fault happen now, from any thread; raises ValueError when it can't be done."""
        fault_words.check(fault)
        log.info("fault name=%s seconds=%s count=%s value=%s", fault.name, fault.seconds, fault.count, fault.value)
        until = time.monotonic() + (float("inf") if fault.seconds is None else fault.seconds)
        if fault.name == "refuse":
            if fault.value == "upgrades":
                self._refuse_upgrades_until = until
            else:
                self._refuse(until)
        elif fault.name.startswith("rest_"):
            self._inject_rest(fault, until)
        elif fault.name == "clock":
            self._steps.append(Step(time.time_ns() // 1_000_000, round(float(fault.value or 0.0) * 1000)))
        elif fault.name == "front_behind":
            self._behind_ns = round(float(fault.value or 0.0) * 1e9)
        if fault.name == "clear":
            self._refuse_upgrades_until = 0.0
            self._behind_ns = 0
            self._refuse(0.0)
            with self._lock:
                self._rest_faults.clear()
                self._gate.clear()
        with self._lock:
            if fault.name == "max_age":
                self._rules = self._rules._replace(max_age_s=fault.seconds or 0.0)
            if fault.name in fault_words.CONNECTION_FAULTS or fault.name in ("max_age", "clear"):
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

    def _inject_rest(self, fault: Fault, until: float) -> None:
        with self._lock:
            if fault.name == "rest_429":
                self._gate.refuse_next(fault.seconds or 0.0, fault.count or 1)
            elif fault.name == "rest_418":
                self._gate.ban(fault.seconds or 0.0, time.time_ns() // 1000)
            else:
                # The seconds of rest_forget are an age of trades, not how long the fault lasts.
                self._rest_faults[fault.name] = fault, float("inf") if fault.name == "rest_forget" else until

    # What a connection's thread asks

    def note_request(self, method: str, path: str, query: str, status: int) -> None:
        """Keep a request for whoever asks what was asked."""
        if self._record:
            self.requests.append(Request(method, path, query, status, time.time_ns()))

    def refuses_upgrades(self) -> bool:
        """Whether WebSockets are answered with 503."""
        return self._refuse_upgrades_until > time.monotonic()

    def answer_rest(self, path: str, params: Mapping[str, str]) -> rest.Answer | None:
        """The answer to a REST call, late where it should be; None to reset the connection."""
        now_us = time.time_ns() // 1000
        with self._lock:
            now_s = time.monotonic()
            active = {name: fault for name, (fault, until) in self._rest_faults.items() if until > now_s}
            if "rest_down" in active:
                return None
            answer = self._gate.admit(rest.weight(path, params), now_us)
            used = self._gate.used
        if "rest_slow" in active:
            self._stopping.wait(float(active["rest_slow"].value or 0.0))
        if answer is None and "rest_status" in active:
            status = int(active["rest_status"].value or 500)
            answer = rest.Answer(status, (), rest.error_body(-1001, "Internal error; unable to process your request."))
        if answer is None:
            paging = _paging(active)
            now_us = time.time_ns() // 1000
            answer = rest.answer(path, params, self.market, now_us, paging=paging, limit=self._gate.limit)
            answer = answer._replace(body=with_set_clock(answer.body, self._steps))
        return answer._replace(headers=(*answer.headers, ("X-MBX-USED-WEIGHT-1M", str(used))))

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
                self.market,
                self._make_frame,
                wrapped=wrapped,
                streams=streams,
                rules=self._rules,
                record=self.sent if self._record else None,
                one_send_a_frame=self._tls is not None,
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

    def _accept(self) -> None:
        while not self._stopping.is_set():
            for fault in self._schedule.due(time.monotonic() - self._started_s):
                self.inject(fault)
            self._switch_listener()
            if not self._is_listening or self._listener is None:
                self._stopping.wait(ACCEPT_S)
                continue
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:  # such as too many open files
                log.warning("accept_failed reason=%s", error)
                self._stopping.wait(ACCEPT_S)
                continue
            thread = threading.Thread(target=self._serve, args=(sock,), name="simulator-connection", daemon=True)
            with self._lock:
                self._sockets[thread] = sock
            thread.start()
        if self._listener is not None:
            self._listener.close()

    def _refuse(self, until: float) -> None:
        self._switched.clear()
        self._refuse_until = until
        if threading.current_thread() is not self._accepting:
            self._switched.wait(1.0)

    def _switch_listener(self) -> None:
        """Refuse with a socket that is bound but does not listen: the port stays ours, and clients are refused."""
        is_refusing = self._refuse_until > time.monotonic()
        if is_refusing and self._is_listening and self._listener is not None:
            self._listener.close()
            self._listener = _bound(self.port)
            self._is_listening = False
        elif not is_refusing and not self._is_listening and self._listener is not None:
            self._listener.listen(BACKLOG)
            self._is_listening = True
        self._switched.set()

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


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere the option would let two listeners share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
        sock.settimeout(ACCEPT_S)
    except OSError:
        sock.close()
        raise
    return sock


def _paging(active: Mapping[str, Fault]) -> rest.Paging:
    short, holes, forget = active.get("rest_short"), active.get("rest_holes"), active.get("rest_forget")
    return rest.Paging(
        most_rows=None if short is None else short.count,
        omitted_divisor=None if holes is None else int(holes.value or 7),
        first_id=1 if forget is None else int(forget.value or 1),
        oldest_s=None if forget is None else forget.seconds,
    )
