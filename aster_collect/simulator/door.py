"""The exchange's door: a thread that accepts on the port, and a thread for each TCP connection."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable

from .listener import ACCEPT_S, Listener

log = logging.getLogger(__name__)

HANDSHAKE_S = 10.0
STOP_S = 5.0


class Door:
    """Lets clients in, over TLS or plain, until it is closed."""

    def __init__(
        self, listener: Listener, tls: ssl.SSLContext | None, welcome: Callable[[socket.socket], object]
    ) -> None:
        """`welcome` serves a client on the thread of its own; the socket is closed after it."""
        self._listener = listener
        self._tls = tls
        self._welcome = welcome
        self._closing = threading.Event()
        self._lock = threading.Lock()  # guards the sockets
        self._sockets: dict[threading.Thread, socket.socket] = {}
        self._accepting: threading.Thread | None = None

    def open(self, look: Callable[[], None]) -> None:
        """Begin to accept; `look` is called on the accepting thread, every moment."""
        self._accepting = threading.Thread(target=self._accept, args=(look,), name="simulator-accept", daemon=True)
        self._accepting.start()

    def refuse_until(self, until_s: float) -> None:
        """Refuse TCP connections until a time of the monotonic clock; blocks for a moment until that is so."""
        self._listener.refuse_until(until_s, wait=threading.current_thread() is not self._accepting)

    def close(self, stop: Callable[[], None]) -> None:
        """Accept no more, call `stop`, end every socket and thread; blocks for at most a few seconds."""
        self._closing.set()
        if self._accepting is not None:
            self._accepting.join(STOP_S)
        stop()
        with self._lock:
            sockets = dict(self._sockets)
        for sock in sockets.values():
            with contextlib.suppress(OSError):
                # The plain socket's shutdown: the TLS one would take the TLS state from under its thread.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        deadline = time.monotonic() + STOP_S
        for thread in sockets:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                log.warning("simulator_thread_left name=%s", thread.name)

    def _accept(self, look: Callable[[], None]) -> None:
        while not self._closing.is_set():
            look()
            try:
                sock = self._listener.accept()
            except OSError as error:  # such as too many open files
                log.warning("accept_failed reason=%s", error)
                self._closing.wait(ACCEPT_S)
                continue
            if sock is None:
                continue
            thread = threading.Thread(target=self._serve, args=(sock,), name="simulator-connection", daemon=True)
            with self._lock:
                self._sockets[thread] = sock
            thread.start()
        self._listener.close()

    def _serve(self, sock: socket.socket) -> None:
        thread = threading.current_thread()
        try:
            sock.settimeout(HANDSHAKE_S)
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._sockets[thread] = sock
            sock.settimeout(None)
            if not self._closing.is_set():
                self._welcome(sock)
        except OSError as error:
            log.info("connection_failed reason=%s", error)
        finally:
            with self._lock:
                self._sockets.pop(thread, None)
            sock.close()
