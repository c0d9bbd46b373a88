"""A handshake's answer is read without its cookies, and what stands behind it stays where it is."""

import socket
import time
import unittest

from aster_collect.net.address import route
from aster_collect.net.cookies import WithoutCookies

BOUND = 1 << 10
FRAME = b"\x81\x01x"


class Cookies(unittest.TestCase):
    def read(self, sent: bytes) -> bytes:
        """Return what is read, up to the end, of a server that sends this and hangs up."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(sent)
            theirs.close()
            bounded = WithoutCookies(ours, route("ws://exchange", {}), time.monotonic() + 30, BOUND, time.monotonic)
            found = bytearray()
            while some := bounded.recv(7):
                found += some
            return bytes(found)

    def test_cookies_among_the_headers(self) -> None:
        """Each is gone, whatever its name and case; the other headers, and a frame that looks like one, are not."""
        sent = b"HTTP/1.1 101 S\r\nSet-Cookie: a@b=1\r\nX: set-cookie: y\r\nset-cookie: c=2\r\n\r\n"
        behind = FRAME + b"\r\nSet-Cookie: d=3\r\n\r\n"
        self.assertEqual(self.read(sent + behind), b"HTTP/1.1 101 S\r\nX: set-cookie: y\r\n\r\n" + behind)

    def test_a_server_that_hangs_up_within_its_headers(self) -> None:
        """What there was is read, and then the end."""
        self.assertEqual(self.read(b"HTTP/1.1 101 S\r\nX: y"), b"HTTP/1.1 101 S\r\nX: y")


if __name__ == "__main__":
    unittest.main()
