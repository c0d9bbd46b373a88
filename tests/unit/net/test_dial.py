"""A server that drips, never ends, lies or hangs up costs a bounded time and a bounded memory, and is told by name."""

import socket
import ssl
import threading
import unittest
from collections.abc import Callable
from http.client import BadStatusLine
from http.cookies import CookieError

from aster_collect.errors import NetworkError
from aster_collect.net.address import Endpoint, Route
from aster_collect.net.dial import connect, explained, get, network_errors

LOOPBACK = "127.0.0.1"
SHORT_S = 0.3
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Serve = Callable[[socket.socket], None]


class Case(unittest.TestCase):
    def serve(self, serve: Serve, *, reads: bool = True) -> int:
        """Let a thread serve each connection to a port of this machine, after its request has come; return the port."""
        server = socket.create_server((LOOPBACK, 0))
        self.requests: list[bytes] = []
        self.over = threading.Event()

        def run() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    request = b""
                    try:
                        while reads and b"\r\n\r\n" not in request:
                            request += connection.recv(4096)
                        self.requests.append(request)
                        serve(connection)
                    except OSError:
                        pass  # the other side hung up

        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def end() -> None:
            self.over.set()
            server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join(10)

        self.addCleanup(end)
        return int(server.getsockname()[1])

    def drip(self, connection: socket.socket, data: bytes) -> None:
        """Send data again and again, a byte at a time, until the other side hangs up."""
        while not self.over.wait(0.01):
            for at in range(len(data)):
                connection.sendall(data[at : at + 1])
                if self.over.wait(0.01):
                    return

    def refused(self, serve: Serve, *, most_bytes: int = 1 << 20, **options: float) -> NetworkError:
        """Return what asking such a server raises; the message names it."""
        port = self.serve(serve)
        with self.assertRaises(NetworkError) as caught:
            get(f"http://{LOOPBACK}:{port}", "/x", {}, most_bytes=most_bytes, **options)  # type: ignore[arg-type]
        self.assertIn(f"{LOOPBACK}:{port}", caught.exception.detail)
        return caught.exception


class AnAnswer(Case):
    def test_a_good_one(self) -> None:
        """The request names path, host and what was given; the answer is status, headers and body, chunked or not."""
        bodies = [b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"\r\n{}"]
        port = self.serve(lambda connection: connection.sendall(HEAD + bodies.pop(0)))
        for _ in range(3):
            reply = get(f"http://{LOOPBACK}:{port}", "/fapi?x=1", {"User-Agent": "me"}, most_bytes=1000)
            self.assertEqual((reply.status, reply.phrase, reply.body), (200, "OK", b"{}"))
            self.assertEqual(reply.header("content-type"), "application/json")
            self.assertEqual(reply.where, f"{LOOPBACK}:{port}")
        line, *headers = self.requests[0].decode().split("\r\n")
        self.assertEqual(line, "GET /fapi?x=1 HTTP/1.1")
        self.assertLess({f"Host: {LOOPBACK}:{port}", "User-Agent: me", "Connection: close"}, set(headers))

    def test_a_head_that_drips(self) -> None:
        """Headers a byte at a time are given up once the time to begin an answer is over, as a whole."""
        error = self.refused(lambda one: self.drip(one, HEAD), connect_s=SHORT_S)
        self.assertEqual(error.reason, "timeout")

    def test_a_body_that_drips(self) -> None:
        """A body a byte at a time is given up once the time for an answer is over."""

        def serve(connection: socket.socket) -> None:
            connection.sendall(HEAD + b"\r\n")
            self.drip(connection, b"[0,")

        error = self.refused(serve, answer_s=2 * SHORT_S)
        self.assertEqual(error.reason, "timeout")

    def test_a_server_that_says_nothing(self) -> None:
        """A server that takes a request and does not answer is given up in time."""
        error = self.refused(lambda one: bool(one.recv(1)), connect_s=SHORT_S)  # type: ignore[arg-type, return-value]
        self.assertEqual(error.reason, "timeout")

    def test_an_answer_without_end(self) -> None:
        """A body, header or chunk without end is given up at the bound, however fast it comes."""

        def endless(begin: bytes, block: bytes) -> Serve:
            def serve(connection: socket.socket) -> None:
                connection.sendall(begin)
                while not self.over.is_set():
                    connection.sendall(block)

            return serve

        for begin, block in (
            (HEAD + b"\r\n", b" " * 65536),
            (HEAD + b"Content-Length: 99999999999999\r\n\r\n", b" " * 65536),
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10\r\n0123456789abcdef\r\n"),
            (HEAD + b"X: ", b"x" * 65536),
            (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ):
            error = self.refused(endless(begin, block), most_bytes=300_000)
            self.assertIn(error.reason, ("oversized", "failed"))

    def test_an_answer_of_just_the_size(self) -> None:
        """An answer that fits the bound to the byte is good, and one byte more is too much."""
        body = b"7" * 100_000
        head = HEAD + b"Content-Length: 100000\r\n\r\n"
        port = self.serve(lambda one: one.sendall(head + body))
        url = f"http://{LOOPBACK}:{port}"
        self.assertEqual(get(url, "/", {}, most_bytes=len(head + body)).body, body)
        with self.assertRaisesRegex(NetworkError, "oversized"):
            get(url, "/", {}, most_bytes=len(head + body) - 1)

    def test_an_answer_that_breaks_off(self) -> None:
        """An answer shorter than it says is none."""
        for tail in (b"Content-Length: 9\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n9\r\n{}"):
            self.refused(lambda one, tail=tail: one.sendall(HEAD + tail))  # type: ignore[misc]
        self.assertEqual(self.refused(lambda one: None).reason, "eof")

    def test_something_that_is_no_web_server(self) -> None:
        """A server that does not speak HTTP is told with what it said."""
        error = self.refused(lambda one: one.sendall(b"220 mail\x1b ESMTP\r\n"))
        self.assertIn("not HTTP from", error.detail)
        self.assertTrue(str(error).isprintable())

    def test_a_redirect(self) -> None:
        """A redirect is an answer like any other: nobody else is asked."""
        port = self.serve(lambda one: one.sendall(b"HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n"))
        self.assertEqual(get(f"http://{LOOPBACK}:{port}", "/x", {}, most_bytes=1000).status, 302)
        self.assertEqual(len(self.requests), 1)


class AProxy(Case):
    def test_a_request_without_tls(self) -> None:
        """The proxy is asked for the whole URL, with its own password and not with that of the URL's host."""
        port = self.serve(lambda one: one.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}"))
        environment = {"http_proxy": f"http://me:pw@{LOOPBACK}:{port}"}
        reply = get("http://rest.invalid:81", "/fapi", {}, most_bytes=1000, environment=environment)
        self.assertEqual(reply.where, f"rest.invalid:81 by way of proxy {LOOPBACK}:{port}")
        line, *headers = self.requests[0].decode().split("\r\n")
        self.assertEqual(line, "GET http://rest.invalid:81/fapi HTTP/1.1")
        self.assertLess({"Host: rest.invalid:81", "Proxy-Authorization: Basic bWU6cHc="}, set(headers))

    def test_it_refuses_the_way(self) -> None:
        """A proxy that does not let through is told with its status and what was asked for."""
        port = self.serve(lambda one: one.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"))
        with self.assertRaises(NetworkError) as caught:
            get("https://rest.invalid", "/", {}, most_bytes=1, environment={"https_proxy": f"{LOOPBACK}:{port}"})
        self.assertEqual(
            str(caught.exception),
            f"proxy: proxy {LOOPBACK}:{port}: 407 Proxy Authentication Required "
            "(the proxy wants a user and a password), asked for rest.invalid:443",
        )
        self.assertEqual(self.requests[0].split(b"\r\n")[0], b"CONNECT rest.invalid:443 HTTP/1.1")

    def test_it_drips(self) -> None:
        """A proxy whose answer drips is given up in time."""
        port = self.serve(lambda one: self.drip(one, b"HTTP/1.1 200 OK\r\nX: "))
        environment = {"https_proxy": f"{LOOPBACK}:{port}"}
        with self.assertRaisesRegex(NetworkError, f"timeout: rest.invalid:443 by way of proxy {LOOPBACK}:{port}"):
            get("https://rest.invalid", "/", {}, most_bytes=1, environment=environment, connect_s=SHORT_S)

    def test_nobody_is_there(self) -> None:
        """A proxy that refuses the connection is named, and so is one that is none."""
        with socket.socket() as closed:
            closed.bind((LOOPBACK, 0))  # bound but not listening: refused, and nobody else can have the port
            proxy = f"{LOOPBACK}:{closed.getsockname()[1]}"
            with self.assertRaisesRegex(NetworkError, f"refused: proxy {proxy}"):
                get("https://rest.invalid", "/", {}, most_bytes=1, environment={"https_proxy": proxy})
            with self.assertRaisesRegex(NetworkError, f"refused: {proxy}"):
                get(f"https://{proxy}", "/", {}, most_bytes=1, environment={})
        with self.assertRaisesRegex(NetworkError, "proxy: https_proxy: 'socks5://h' given"):
            get("https://rest.invalid", "/", {}, most_bytes=1, environment={"https_proxy": "socks5://h"})


class Tls(Case):
    def test_a_handshake_that_never_comes(self) -> None:
        """A host that takes the connection and says nothing of TLS is given up in time."""
        port = self.serve(lambda one: bool(self.over.wait(30)), reads=False)  # type: ignore[arg-type, return-value]
        with self.assertRaisesRegex(NetworkError, f"timeout: {LOOPBACK}:{port}"):
            get(f"https://{LOOPBACK}:{port}", "/", {}, most_bytes=1, connect_s=SHORT_S)

    def test_a_host_that_does_not_speak_it(self) -> None:
        """A host that answers TLS in plain text is told as such."""
        port = self.serve(lambda one: one.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), reads=False)
        with self.assertRaisesRegex(NetworkError, f"tls: {LOOPBACK}:{port}: "):
            get(f"https://{LOOPBACK}:{port}", "/", {}, most_bytes=1)


class TheTime(Case):
    def test_a_lookup_that_took_all_of_it(self) -> None:
        """Where the system took longer to look a name up than there was time, nothing is tried after it."""
        now_s = iter((100.0,))
        with self.assertRaisesRegex(NetworkError, f"timeout: {LOOPBACK}:1"):
            connect(Route(Endpoint(LOOPBACK, 1), None), 99.0, tunnel=False, clock=lambda: next(now_s))


class Reasons(unittest.TestCase):
    def test_each_is_a_word_and_a_line(self) -> None:
        """Whatever the system and the libraries raise is one of few words, and a printable line with who was asked."""
        for error, reason, words in (
            (socket.gaierror(-2, "Name or service not known"), "dns", "h:1 can't be looked up: Name or service"),
            (ssl.SSLError(1, "[SSL] odd"), "tls", "h:1: "),
            (TimeoutError("timed out"), "timeout", "h:1 did not answer in time"),
            (ConnectionRefusedError(111, "x"), "refused", "h:1"),
            (ConnectionResetError(104, "x"), "reset", "h:1"),
            (BrokenPipeError(32, "x"), "reset", "h:1"),
            (BadStatusLine("\x1bodd"), "failed", "not HTTP from h:1: "),
            (OSError(113, "No route to host"), "failed", "h:1: No route to host"),
            (ValueError("odd\nline\x1b" * 100), "failed", "h:1: ValueError odd"),
        ):
            told = explained(error, "h:1")
            self.assertEqual(told.reason, reason)
            self.assertIn(words, told.detail)
            self.assertTrue(told.detail.isprintable())
            self.assertLess(len(told.detail), 120)

    def test_what_no_library_documents(self) -> None:
        """Any exception is a network error, except those that end a program."""
        for error in (CookieError("Illegal key 'a@b'"), KeyError("x"), MemoryError()):
            with self.assertRaises(NetworkError), network_errors("h:1"):
                raise error
        with self.assertRaises(KeyboardInterrupt), network_errors("h:1"):
            raise KeyboardInterrupt


if __name__ == "__main__":
    unittest.main()
