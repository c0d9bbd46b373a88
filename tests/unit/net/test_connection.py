"""A connection is made in time and in bounds, or not at all, whatever a server answers."""

import contextlib
import socket
import threading
import unittest
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from hashlib import sha1

from aster_collect.errors import FeedError
from aster_collect.net.connection import Connection

LOOPBACK = "127.0.0.1"
SHORT_S = 0.3
DEADLINE_S = 30.0
FRAME = b"\x81\x05first"
UPGRADED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: PROOF\r\n\r\n"
)


class AHandshake(unittest.TestCase):
    """A server on this machine answers a handshake with these bytes, and then does what `then` does."""

    def failure(
        self, answer: bytes, then: Callable[[socket.socket], None] = lambda one: None, patience_s: float = DEADLINE_S
    ) -> FeedError:
        """Return what connecting raises."""
        with socket.create_server((LOOPBACK, 0)) as server:
            thread = threading.Thread(target=self.serve, args=(server, answer, then))
            thread.start()
            self.host = f"{LOOPBACK}:{server.getsockname()[1]}"
            with self.assertRaises(FeedError) as caught:
                Connection(f"ws://{self.host}/stream", timeout_s=patience_s)
            thread.join(30)
        self.assertIn(self.host, str(caught.exception))
        self.assertTrue(str(caught.exception).isprintable())
        return caught.exception

    def serve(self, server: socket.socket, answer: bytes, then: Callable[[socket.socket], None]) -> None:
        connection, _ = server.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096)
            key = request.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
            proof = b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            try:
                connection.sendall(answer.replace(b"PROOF", proof))
                then(connection)
            except OSError:
                pass  # the other side hung up

    def test_headers_that_drip(self) -> None:
        """A handshake whose headers come a byte at a time is given up in time, as a whole."""

        def drip(connection: socket.socket) -> None:
            while True:
                connection.sendall(b"x")
                connection.settimeout(0.01)
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(1):
                        return

        self.assertEqual(self.failure(b"HTTP/1.1 101 Switching\r\nX: ", drip, SHORT_S).reason, "timeout")

    def test_a_header_without_end(self) -> None:
        """A header line, headers or a body without end are given up at 64 KiB, and no more of them is kept."""

        def flood(block: bytes, connection: socket.socket) -> None:
            while True:
                connection.sendall(block)

        for begin, block in (
            (b"HTTP/1.1 101 Switching\r\nX: ", b"x" * 65536),
            (b"HTTP/1.1 101 Switching\r\n", b"X: x\r\n" * 1000),
            (b"HTTP/1.1 503 Unavailable\r\nContent-Length: 99999999999\r\n\r\n", b"x" * 65536),
        ):
            error = self.failure(begin, partial(flood, block))
            self.assertEqual(error.reason, "oversized")
            self.assertIn("more than 65536 bytes", str(error))

    def test_a_cookie_with_an_odd_name(self) -> None:
        """A cookie that the library chokes on is let go, and the frame right behind the handshake is the first read."""
        answer = UPGRADED.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a@b=1\r\nset-cookie: c=2; Domain=.x\r\n\r\n")
        with socket.create_server((LOOPBACK, 0)) as server:
            thread = threading.Thread(target=self.serve, args=(server, answer + FRAME, lambda one: None))
            thread.start()
            connection = Connection(f"ws://{LOOPBACK}:{server.getsockname()[1]}/stream")
            thread.join(30)
            self.assertEqual(connection.read(), FRAME)
            connection.close()

    def test_an_answer_that_is_none(self) -> None:
        """Whatever stands in the place of an answer is a lost connection, whatever the library raises over it."""
        for odd in (b"", b"\r\n", b"\x00\xff\r\n\r\n", b"HTTP/1.1 x\r\n\r\n", b"HTTP/1.1 200 OK\r\nodd\r\n\r\n",
                    b"HTTP/1.1 500 E\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 101 S\r\n\r\n"):  # fmt: skip
            self.failure(odd)

    def test_a_redirect(self) -> None:
        """A redirect is not followed: it is told with the host that it leads to."""
        error = self.failure(b"HTTP/1.1 307 Temporary\r\nLocation: wss://evil.example/stream\r\n\r\n")
        self.assertEqual(error.reason, "handshake")
        self.assertIn("answered 307 with a redirect to evil.example, not followed", str(error))

    def test_a_firewall(self) -> None:
        """A page for people in the place of a handshake is told with its status and meaning."""
        page = b"<!DOCTYPE html>\x1b[31m"
        error = self.failure(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))
        self.assertEqual(
            str(error), f"handshake: HTML from {self.host}: 403 Forbidden (its firewall refuses this address)"
        )


if __name__ == "__main__":
    unittest.main()
