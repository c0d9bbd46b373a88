"""All WebSockets of the exchange: they are served, counted, found by their age, and told what goes wrong."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Sequence

from .client_socket import Sent
from .connection import Connection, ConnectionInfo
from .damage import Step
from .faults import Fault
from .maker import FrameMaker
from .supply import Supply
from .venues import Rules

log = logging.getLogger(__name__)


class Connections:
    """The open WebSockets, each served by the thread that calls `serve`; all else may be called from any thread."""

    def __init__(
        self, supply: Supply, rules: Rules, steps: Sequence[Step], record: list[Sent] | None, *, one_send_a_frame: bool
    ) -> None:
        """`steps` says how the exchange's clock is set, and may grow; `record` takes each frame that was sent."""
        self.rules = rules
        self.behind_ns = 0  # by how much new connections are behind …
        self.cut_us = 0  # … and by how much later their batches of depth are cut
        self._supply = supply
        self._steps = steps
        self._record = record
        self._one_send_a_frame = one_send_a_frame
        self._make_frame = FrameMaker()
        self._lock = threading.Lock()  # guards what follows
        self._open: dict[int, Connection] = {}
        self._opened = 0
        self._sent_before = 0  # data frames of connections that are gone

    def serve(self, sock: socket.socket, welcome: bytes, streams: Sequence[str], *, wrapped: bool) -> None:
        """Say welcome and serve a WebSocket until it ends.

        It counts as open before the client hears of it, so that a fault right after a client's connect hits it.
        """
        with self._lock:
            self._opened += 1
            behind_ns = self.behind_ns
            connection = Connection(
                self._opened,
                sock,
                self._supply,
                self._make_frame,
                wrapped=wrapped,
                streams=streams,
                rules=self.rules,
                record=self._record,
                one_send_a_frame=self._one_send_a_frame,
                steps=self._steps,
                cut_us=self.cut_us,
                clock_ns=lambda: time.time_ns() - behind_ns,
            )
            self._open[connection.number] = connection
        log.info("connection_open connection=%d streams=%d", connection.number, len(streams))
        try:
            sock.sendall(welcome)
            connection.run()
        finally:
            with self._lock:
                del self._open[connection.number]
                self._sent_before += connection.info().frames

    def order(self, fault: Fault) -> None:
        """Let a fault happen to the connections that it names."""
        with self._lock:
            for connection in self._named(fault.connection):
                connection.order(fault)

    def _named(self, which: int | str | None) -> list[Connection]:
        everyone = list(self._open.values())
        if which is None:
            return everyone
        if which == "newest":
            return everyone[-1:]
        if which == "oldest":
            return everyone[:1]
        return [connection for connection in everyone if connection.number == which]

    def stop(self) -> None:
        """Let all end soon, whatever they are doing."""
        with self._lock:
            for connection in self._open.values():
                connection.stop()

    @property
    def infos(self) -> tuple[ConnectionInfo, ...]:
        """The open connections, oldest first."""
        with self._lock:
            return tuple(connection.info() for connection in self._open.values())

    @property
    def sent_count(self) -> int:
        """Data frames handed to sockets since the start."""
        with self._lock:
            return self._sent_before + sum(connection.info().frames for connection in self._open.values())
