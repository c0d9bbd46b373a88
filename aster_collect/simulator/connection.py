"""One WebSocket client: its thread reads what it asks for and sends it the events that are due."""

from __future__ import annotations

import queue
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from . import framing, subscriptions
from .client_socket import ClientSocket, Sent
from .damage import Frame, Step, framed, garbage, with_set_clock
from .due import Due
from .faults import Fault
from .pulse import Pulse
from .supply import Source, Supply
from .troubles import Troubles
from .venues import Rules

TICK_S = 0.006  # how long events gather before they are sent together
BATCH_EVENTS = 2000  # at most so many events in one send, so that a backlog does not grow into one huge buffer


class ConnectionInfo(NamedTuple):
    """An open connection: its number from 1, its streams, when it was opened, and data frames sent."""

    number: int
    streams: tuple[str, ...]
    opened_ns: int
    frames: int


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
        cut_us: int = 0,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`encode` turns a source's event into a frame, wrapped or not; `record` takes each frame that was sent.

        `steps` says how the exchange's clock is set, and may grow; `clock_ns` decides what is due; batches of depth are
        cut so much later than elsewhere.
        """
        self.number = number
        self._opened_ns = clock_ns()
        self._client = ClientSocket(number, sock, record, clock_ns, one_send_a_frame=one_send_a_frame)
        self._wrapped = wrapped
        self._max_streams = rules.max_streams
        self._pulse = Pulse(self._client, rules, clock_ns)
        self._steps = steps
        self._clock_ns = clock_ns
        self._due = Due(supply, lambda source, number: encode(source, number, wrapped), cut_us)
        self._reader = framing.Reader()
        self._client_messages: deque[float] = deque(maxlen=rules.messages_a_second)
        self._orders: queue.SimpleQueue[Fault] = queue.SimpleQueue()
        self._troubles = Troubles(wrapped=wrapped)
        self._behind = False
        self._stopped = False  # set by another thread: end without ceremony
        self._due.subscribe(streams, self._now_us())

    def order(self, fault: Fault) -> None:
        """Let a fault happen to this connection, from any thread."""
        self._orders.put(fault)
        if fault.name in ("drop", "reset", "close"):
            self._client.halt()

    def stop(self) -> None:
        """Let `run` return soon, whatever it is doing, from any thread; the caller shuts the socket down."""
        self._stopped = True
        self._client.halt()

    def info(self) -> ConnectionInfo:
        """What can be said of the connection now, from any thread."""
        return ConnectionInfo(self.number, self._due.streams, self._opened_ns, self._client.frames)

    def run(self) -> None:
        """Serve until the connection ends; the caller closes the socket."""
        client = self._client
        while client.is_open and not self._stopped:
            while client.is_open and not self._orders.empty():
                self._obey(self._orders.get())
            if client.is_open and self._troubles.is_silent:
                time.sleep(TICK_S)
            elif client.is_open:
                self._read()
                self._pulse.beat()
                if client.is_open and not self._troubles.is_stalled:
                    self._send_due()

    def _obey(self, fault: Fault) -> None:
        if fault.name == "drop":
            self._client.end("drop")
        elif fault.name == "reset":
            self._client.reset()
        elif fault.name == "close":
            self._client.close(int(fault.value or 1001), fault.reason or "")
        elif fault.name == "garbage":
            symbol = next((stream.partition("@")[0].upper() for stream in self._due.streams), "BTCUSDT")
            self._client.send(garbage(str(fault.value), symbol, wrapped=self._wrapped) * (fault.count or 1))
        elif fault.name == "max_age":
            self._pulse.max_age_s = fault.seconds or 0.0
        else:
            self._troubles.add(fault)

    # What the client says

    def _read(self) -> None:
        data = self._client.read(0.0002 if self._behind else TICK_S)
        try:
            for message in self._reader.feed(data):
                if not self._client.is_open:
                    return
                self._hear(message)
        except framing.ProtocolError as error:
            self._client.close(error.code, str(error))

    def _hear(self, message: framing.Message) -> None:
        if message.opcode == framing.CLOSE:
            self._client.send(framing.encode(framing.CLOSE, message.payload[:2]))
            self._client.end("client_close")
            return
        now_s = time.monotonic()
        stamps = self._client_messages
        if len(stamps) == stamps.maxlen and now_s - stamps[0] < 1.0:
            self._client.close(1008, "too many messages")
            return
        stamps.append(now_s)
        if message.opcode == framing.PING:
            self._client.send(framing.encode(framing.PONG, message.payload))
        elif message.opcode == framing.PONG:
            self._pulse.heard()
        elif message.opcode == framing.TEXT:
            self._answer(message.payload)
        else:
            self._client.close(1003, "text only")

    def _answer(self, payload: bytes) -> None:
        try:
            answer = subscriptions.obey(payload, self._due, self._max_streams, self._now_us())
        except subscriptions.TooManyStreamsError as error:
            self._client.send(framing.encode(framing.TEXT, str(error).encode()))
            self._client.close(1008, "too many streams")
            return
        self._client.send(framing.encode(framing.TEXT, answer.encode()))

    # What is due

    def _now_us(self) -> int:
        return self._clock_ns() // 1000

    def _stamped(self, frame: Frame) -> Frame:
        return framed(frame.stream, with_set_clock(frame.payload, self._steps), wrapped=self._wrapped)

    def _send_due(self) -> None:
        frames: Sequence[Frame] = self._due.frames(self._now_us(), BATCH_EVENTS)
        self._behind = len(frames) == BATCH_EVENTS
        if self._steps:
            frames = [self._stamped(frame) for frame in frames]
        frames = self._troubles.apply(frames)
        if frames and self._troubles.is_cut_next:
            self._client.send_frames(frames[:-1])
            half = frames[-1].encoded
            self._client.send(half[: len(half) // 2])
            self._client.end("cut")
        elif frames:
            self._client.send_frames(frames)
