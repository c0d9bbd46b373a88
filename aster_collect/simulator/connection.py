"""One WebSocket client: its thread reads what it asks for and sends it the events that are due."""

from __future__ import annotations

import json
import logging
import queue
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import framing
from .damage import Frame, FrameFaults, Step, garbage, with_set_clock
from .due import Due
from .faults import FRAME_FAULTS, Fault
from .supply import Source, Supply
from .venues import Rules

log = logging.getLogger(__name__)

TICK_S = 0.006  # how long events gather before they are sent together
BATCH_EVENTS = 2000  # at most so many events in one send, so that a backlog does not grow into one huge buffer
LINGER_S = 0.5  # how long to wait for the client's end of a connection that was ended in order
RESET_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends an RST
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS")


class Sent(NamedTuple):
    """A data frame that was handed to the socket as a whole: when, and the event as JSON text without any wrapper."""

    connection: int
    stream: str
    sent_ns: int
    payload: str


class ConnectionInfo(NamedTuple):
    """An open connection: its number from 1, its streams, when it was opened, and data frames sent."""

    number: int
    streams: tuple[str, ...]
    opened_ns: int
    frames: int


def reset_on_close(sock: socket.socket) -> None:
    """Let close() end the connection with an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_LINGER)


class Connection:
    """The server's side of one WebSocket, after the handshake.

    `run` is the connection's own thread and owns all state. Other threads call `order` (a queue), `stop` (a flag), and
    `info`, which reads single values.
    """

    def __init__(
        self,
        number: int,
        sock: socket.socket,
        supply: Supply,
        encode: Callable[[Source, int, bool], Frame],
        *,
        wrapped: bool,
        streams: Sequence[str],
        rules: Rules,
        record: list[Sent] | None,
        one_send_a_frame: bool,
        steps: Sequence[Step] = (),
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`encode` turns a source's event into a frame, wrapped or not; `record` takes each frame that was sent.

        `steps` says how the exchange's clock is set, and may grow; `clock_ns` decides what is due.
        """
        self.number = number
        self.opened_ns = clock_ns()
        self.frames = 0
        self._sock = sock
        self._wrapped = wrapped
        self._rules = rules
        self._record = record
        self._one_send_a_frame = one_send_a_frame
        self._steps = steps
        self._clock_ns = clock_ns
        self._due = Due(supply, lambda source, number: encode(source, number, wrapped))
        self._reader = framing.Reader()
        self._client_messages: deque[float] = deque(maxlen=rules.messages_a_second)
        self._orders: queue.SimpleQueue[Fault] = queue.SimpleQueue()
        self._frame_faults = FrameFaults()
        self._frozen: dict[str, float] = {}  # stream → until, monotonic seconds
        self._stalled_until = self._silent_until = 0.0
        self._cut_next = False
        self._behind = False
        self._open = True
        self._halted = False  # set by other threads: give up a send that blocks
        self._stopped = False  # set by another thread: end without ceremony
        self._opened_s = self._pinged_s = self._ponged_s = time.monotonic()
        self._due.subscribe(streams, self._now_us())

    def order(self, fault: Fault) -> None:
        """Let a fault happen to this connection, from any thread."""
        self._orders.put(fault)
        if fault.name in ("drop", "reset", "close"):
            self._halted = True

    def stop(self) -> None:
        """Let `run` return soon, whatever it is doing, from any thread; the caller shuts the socket down."""
        self._halted = self._stopped = True

    def info(self) -> ConnectionInfo:
        """What can be said of the connection now, from any thread."""
        return ConnectionInfo(self.number, self._due.streams, self.opened_ns, self.frames)

    def run(self) -> None:
        """Serve until the connection ends; the caller closes the socket."""
        while self._open and not self._stopped:
            while self._open and not self._orders.empty():
                self._obey(self._orders.get())
            if self._open and self._silent_until > time.monotonic():
                time.sleep(TICK_S)
            elif self._open:
                self._read()
                self._keep_alive()
                if self._open and self._stalled_until <= time.monotonic():
                    self._send_due()

    # Faults

    def _obey(self, fault: Fault) -> None:
        until = time.monotonic() + (float("inf") if fault.seconds is None else fault.seconds)
        if fault.name == "drop":
            self._end("drop")
        elif fault.name == "reset":
            reset_on_close(self._sock)
            self._open = False
            log.info("connection_reset connection=%d", self.number)
        elif fault.name == "close":
            self._close(int(fault.value or 1001), fault.reason or "")
        elif fault.name == "stall":
            self._stalled_until = until
        elif fault.name == "silent":
            self._silent_until = until
        elif fault.name == "freeze_stream":
            self._frozen[str(fault.value)] = until
        elif fault.name == "cut":
            self._cut_next = True
        elif fault.name == "garbage":
            symbol = next((stream.partition("@")[0].upper() for stream in self._due.streams), "BTCUSDT")
            self._send(garbage(str(fault.value), symbol, wrapped=self._wrapped) * (fault.count or 1))
        elif fault.name == "max_age":
            self._rules = self._rules._replace(max_age_s=fault.seconds or 0.0)
        elif fault.name in FRAME_FAULTS:
            self._frame_faults.add(fault)
        elif fault.name == "clear":
            self._stalled_until = self._silent_until = 0.0
            self._frozen.clear()

    # Ends

    def _close(self, code: int, reason: str) -> None:
        self._halted = False
        self._send(framing.encode_close(code, reason))
        self._end(f"close_{code}")

    def _end(self, why: str) -> None:
        """End with a FIN: what was sent arrives, since nothing unread is left that would turn it into an RST."""
        self._open = False
        log.info("connection_end connection=%d reason=%s frames=%d", self.number, why, self.frames)
        deadline = time.monotonic() + LINGER_S
        try:
            socket.socket.shutdown(self._sock, socket.SHUT_WR)
            while (rest_s := deadline - time.monotonic()) > 0:
                self._sock.settimeout(rest_s)
                if not self._sock.recv(65_536):
                    break
        except OSError:
            pass

    # What the client says

    def _read(self) -> None:
        try:
            self._sock.settimeout(0.0002 if self._behind else TICK_S)
            data = self._sock.recv(65_536)
        except TimeoutError:
            return
        except OSError as error:
            self._open = False
            log.info("connection_lost connection=%d reason=%s", self.number, error)
            return
        if not data:
            self._open = False
            log.info("connection_lost connection=%d reason=client_end", self.number)
            return
        try:
            for message in self._reader.feed(data):
                if not self._open:
                    return
                self._hear(message)
        except framing.ProtocolError as error:
            self._close(error.code, str(error))

    def _hear(self, message: framing.Message) -> None:
        if message.opcode == framing.CLOSE:
            self._send(framing.encode(framing.CLOSE, message.payload[:2]))
            self._end("client_close")
            return
        now_s = time.monotonic()
        stamps = self._client_messages
        if len(stamps) == stamps.maxlen and now_s - stamps[0] < 1.0:
            self._close(1008, "too many messages")
            return
        stamps.append(now_s)
        if message.opcode == framing.PING:
            self._send(framing.encode(framing.PONG, message.payload))
        elif message.opcode == framing.PONG:
            self._ponged_s = now_s
        elif message.opcode == framing.TEXT:
            self._answer(message.payload)
        else:
            self._close(1003, "text only")

    def _answer(self, payload: bytes) -> None:
        try:
            request = json.loads(payload)
        except ValueError:
            self._say({"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"})
            return
        request = request if isinstance(request, dict) else {}
        method, params, number = request.get("method"), request.get("params", []), request.get("id")
        problem = ""
        if method not in METHODS:
            problem = f"unknown variant `{method}`, expected one of " + ", ".join(f"`{name}`" for name in METHODS)
        elif not isinstance(params, list) or not all(isinstance(name, str) for name in params):
            problem = "params must be a list of stream names"
        elif method == "SUBSCRIBE" and len({*self._due.streams, *params}) > self._rules.max_streams:
            problem = f"more than {self._rules.max_streams} streams"
        if problem:
            answer = {"code": 2, "msg": f"Invalid request: {problem}"}
            self._say(answer if number is None else {**answer, "id": number})
            if problem.startswith("more than"):
                self._close(1008, "too many streams")
            return
        result = list(self._due.streams) if method == "LIST_SUBSCRIPTIONS" else None
        if method == "SUBSCRIBE":
            self._due.subscribe(params, self._now_us())
        elif method == "UNSUBSCRIBE":
            self._due.unsubscribe(params)
        self._say({"result": result, "id": number})

    def _say(self, answer: dict[str, Any]) -> None:
        text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        self._send(framing.encode(framing.TEXT, text.encode()))

    def _keep_alive(self) -> None:
        now_s = time.monotonic()
        if now_s - self._pinged_s >= self._rules.ping_interval_s:
            self._pinged_s = now_s
            self._send(framing.encode(framing.PING, str(self._clock_ns() // 1_000_000).encode()))
        if now_s - self._ponged_s >= self._rules.pong_timeout_s:
            self._close(1008, "no pong")
        elif now_s - self._opened_s >= self._rules.max_age_s:
            self._close(1001, "connection age limit")

    # What is due

    def _now_us(self) -> int:
        return self._clock_ns() // 1000

    def _due_frames(self) -> list[Frame]:
        frames = self._due.frames(self._now_us(), BATCH_EVENTS)
        self._behind = len(frames) == BATCH_EVENTS
        return [self._stamped(frame) for frame in frames] if self._steps else frames

    def _stamped(self, frame: Frame) -> Frame:
        payload = with_set_clock(frame.payload, self._steps)
        message = f'{{"stream":"{frame.stream}","data":{payload}}}' if self._wrapped else payload
        return Frame(frame.stream, payload, framing.encode(framing.TEXT, message.encode()))

    def _send_due(self) -> None:
        frames = self._due_frames()
        if self._frozen:
            now_s = time.monotonic()
            self._frozen = {stream: until for stream, until in self._frozen.items() if until > now_s}
            frames = [frame for frame in frames if frame.stream not in self._frozen]
        if not self._frame_faults.is_idle():
            frames = self._frame_faults.apply(frames)
        if not frames:
            return
        if self._cut_next:
            self._send_frames(frames[:-1])
            half = frames[-1].encoded
            self._send(half[: len(half) // 2])
            self._end("cut")
        else:
            self._send_frames(frames)

    def _send_frames(self, frames: Sequence[Frame]) -> None:
        """Send them all at once, or one by one, and record those that were handed over to the last byte."""
        step = 1 if self._one_send_a_frame else max(1, len(frames))
        for start in range(0, len(frames), step):
            batch = frames[start : start + step]
            stamp_ns = self._clock_ns()
            left = self._send(b"".join([frame.encoded for frame in batch]))
            for frame in batch:
                left -= len(frame.encoded)
                if left < 0:
                    return
                self.frames += 1
                if self._record is not None:
                    self._record.append(Sent(self.number, frame.stream, stamp_ns, frame.payload))

    def _send(self, data: bytes) -> int:
        """Hand bytes to the socket, waiting for a slow client; how many were taken before the connection ended."""
        view, taken = memoryview(data), 0
        while taken < len(data) and self._open:
            try:
                taken += self._sock.send(view[taken:])
            except TimeoutError:
                if self._halted:
                    break
            except OSError as error:
                self._open = False
                log.info("connection_lost connection=%d reason=%s", self.number, error)
        return taken
