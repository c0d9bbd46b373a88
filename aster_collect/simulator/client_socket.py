"""The bytes to one client, over its socket: sent as a whole and recorded, and how they come to an end."""

from __future__ import annotations

import logging
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from . import framing
from .damage import Frame

log = logging.getLogger(__name__)

LINGER_S = 0.5  # how long to wait for the client's end of a connection that was ended in order
RESET_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends an RST


class Sent(NamedTuple):
    """A data frame that was handed to the socket as a whole: when, and the event as JSON text without any wrapper."""

    connection: int
    stream: str
    sent_ns: int
    payload: str


def reset_on_close(sock: socket.socket) -> None:
    """Let close() end the connection with an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_LINGER)


class ClientSocket:
    """One client's socket, open until it ends. Owned by the connection's thread, but for `halt`."""

    def __init__(
        self,
        number: int,
        sock: socket.socket,
        record: list[Sent] | None,
        clock_ns: Callable[[], int],
        *,
        one_send_a_frame: bool,
    ) -> None:
        """`record` takes each data frame that was handed over to the last byte."""
        self.is_open = True
        self.frames = 0
        self._number = number
        self._sock = sock
        self._record = record
        self._clock_ns = clock_ns
        self._one_send_a_frame = one_send_a_frame
        self._halted = False

    def halt(self) -> None:
        """Give up a send that blocks, from any thread."""
        self._halted = True

    def read(self, wait_s: float) -> bytes:
        """What the client has sent; empty when nothing came in time, or it has ended."""
        try:
            self._sock.settimeout(wait_s)
            data = self._sock.recv(65_536)
        except TimeoutError:
            return b""
        except OSError as error:
            self._lost(error)
            return b""
        if not data:
            self._lost("client_end")
        return data

    def send(self, data: bytes) -> int:
        """Hand bytes to the socket, waiting for a slow client; how many were taken before the connection ended."""
        view, taken = memoryview(data), 0
        while taken < len(data) and self.is_open:
            try:
                taken += self._sock.send(view[taken:])
            except TimeoutError:
                if self._halted:
                    break
            except OSError as error:
                self._lost(error)
        return taken

    def send_frames(self, frames: Sequence[Frame]) -> None:
        """Send them all at once, or one by one."""
        step = 1 if self._one_send_a_frame else max(1, len(frames))
        for start in range(0, len(frames), step):
            batch = frames[start : start + step]
            stamp_ns = self._clock_ns()
            left = self.send(b"".join([frame.encoded for frame in batch]))
            for frame in batch:
                left -= len(frame.encoded)
                if left < 0:
                    return
                self.frames += 1
                if self._record is not None:
                    self._record.append(Sent(self._number, frame.stream, stamp_ns, frame.payload))

    def close(self, code: int, reason: str) -> None:
        """End with a close frame."""
        self._halted = False
        self.send(framing.encode_close(code, reason))
        self.end(f"close_{code}")

    def end(self, why: str) -> None:
        """End with a FIN: what was sent arrives, since nothing unread is left that would turn it into an RST."""
        self.is_open = False
        log.info("connection_end connection=%d reason=%s frames=%d", self._number, why, self.frames)
        deadline = time.monotonic() + LINGER_S
        try:
            socket.socket.shutdown(self._sock, socket.SHUT_WR)
            while (rest_s := deadline - time.monotonic()) > 0:
                self._sock.settimeout(rest_s)
                if not self._sock.recv(65_536):
                    break
        except OSError:
            pass

    def reset(self) -> None:
        """End with an RST."""
        reset_on_close(self._sock)
        self.is_open = False
        log.info("connection_reset connection=%d", self._number)

    def _lost(self, reason: object) -> None:
        self.is_open = False
        log.info("connection_lost connection=%d reason=%s", self._number, reason)
