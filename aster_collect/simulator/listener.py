"""The port on loopback: it accepts, or refuses for real while it stays ours."""

from __future__ import annotations

import os
import socket
import threading
import time

HOST = "127.0.0.1"
ACCEPT_S = 0.02  # how long one look for a client takes
BACKLOG = 128
SWITCHED_S = 1.0  # how long an order to refuse waits until it is obeyed


class Listener:
    """Owned by the accepting thread, but for `refuse_until`, which any thread may call."""

    def __init__(self, port: int) -> None:
        """Bind and listen, at any free port for 0; raises OSError when the port can't be had."""
        self._socket = _bound(port)
        self._socket.listen(BACKLOG)
        self._is_listening = True
        self._refuse_until = 0.0
        self._switched = threading.Event()
        self.port: int = self._socket.getsockname()[1]

    def refuse_until(self, until_s: float, *, wait: bool) -> None:
        """Refuse connections until a time of the monotonic clock; blocks until that is so, or a second."""
        self._switched.clear()
        self._refuse_until = until_s
        if wait:
            self._switched.wait(SWITCHED_S)

    def accept(self) -> socket.socket | None:
        """A client, or None after a moment without one, or while it refuses; raises OSError, as for too many files."""
        self._switch()
        if not self._is_listening:
            time.sleep(ACCEPT_S)
            return None
        try:
            return self._socket.accept()[0]
        except TimeoutError:
            return None

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def _switch(self) -> None:
        """Refuse with a socket that is bound but does not listen: the port stays ours, and clients are refused."""
        is_refusing = self._refuse_until > time.monotonic()
        if is_refusing and self._is_listening:
            self._socket.close()
            self._socket = _bound(self.port)
            self._is_listening = False
        elif not is_refusing and not self._is_listening:
            self._socket.listen(BACKLOG)
            self._is_listening = True
        self._switched.set()


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
