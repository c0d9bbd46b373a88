"""Connections to the exchange, each bounded as a whole: by one deadline, and by how many bytes it may bring.

A socket's own timeout is for one call, and begins anew with every byte: what drips would never end. Only the lookup of
a name has the system's deadline and not ours (resolv.conf: its timeout times its attempts times its servers).
"""

import contextlib
import http.client
import io
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from ..errors import NetworkError
from .address import Endpoint, Route, route
from .reply import Reply, printable, refusal

CONNECT_S = 10.0  # to connect, and until the head of an answer is there
ANSWER_S = 30.0  # for all of it
HEAD_BYTES = 1 << 16
BLOCK_BYTES = 1 << 16


class Bounded:
    """A socket until a deadline, for so many bytes; `http.client` and the WebSocket library take it for a socket.

    It does not own the socket: closing it closes nothing, so that both may do so when they like.
    """

    def __init__(
        self, sock: socket.socket, way: Route, end_s: float, most_bytes: int, clock: Callable[[], float]
    ) -> None:
        self.end_s = end_s
        self._socket, self._way, self._clock = sock, way, clock
        self._most_bytes = self._left = most_bytes

    def recv(self, size: int) -> bytes:
        """Return what has come, empty at the end; raises `NetworkError` once the deadline or the bound is passed."""
        with self._in_time():
            data = self._socket.recv(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise NetworkError("oversized", f"{self._way}: more than {self._most_bytes} bytes")
        return data

    def send(self, data: bytes) -> int:
        """Send some of it; return how much."""
        with self._in_time():
            return self._socket.send(data)

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        with memoryview(data) as view:
            while view:
                view = view[self.send(view) :]  # type: ignore[arg-type]

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        try:
            self._socket.settimeout(_left_s(self.end_s, self._clock))
            yield
        except TimeoutError as error:
            raise NetworkError("timeout", f"{self._way}: no whole answer in time") from error

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what comes as a file."""
        return io.BufferedReader(_Incoming(self))

    def gettimeout(self) -> float:
        """Return any number but 0: it does block."""
        return CONNECT_S

    def settimeout(self, seconds: float | None) -> None:
        """Do nothing: the deadline stands."""

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    def shutdown(self, how: int) -> None:
        """Do nothing: see the class."""

    def close(self) -> None:
        """Do nothing: see the class."""


class _Incoming(io.RawIOBase):
    def __init__(self, source: Bounded) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def connect(way: Route, end_s: float, *, tunnel: bool, clock: Callable[[], float] = time.monotonic) -> socket.socket:
    """Return a socket that is connected, by way of the proxy if there is one, and over TLS where that is wanted.

    `tunnel` asks the proxy for a way through where TLS does not need one anyhow. Blocks until `end_s` of the clock at
    most, and for the lookup of the name; raises `NetworkError`.
    """
    hop = way.proxy or way.to
    where = f"proxy {hop}" if way.proxy else str(hop)
    with network_errors(where):
        sock = _connected(hop, end_s, clock)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if way.proxy and (tunnel or way.to.tls):
            with network_errors(where):
                _tunnel(sock, way, end_s, clock)
        if way.to.tls:
            with network_errors(str(way)):
                sock.settimeout(_left_s(end_s, clock))  # of a TLS handshake it is the whole
                sock = _tls().wrap_socket(sock, server_hostname=way.to.host)
    except BaseException:
        sock.close()
        raise
    return sock


@cache
def _tls() -> ssl.SSLContext:
    """Return what is trusted: the system's certificates, read once, since that takes 15 ms."""
    return ssl.create_default_context()


def _connected(hop: Endpoint, end_s: float, clock: Callable[[], float]) -> socket.socket:
    """Try each address of a host, with a fair share of the time, so that one that swallows all does not take it all."""
    addresses = socket.getaddrinfo(hop.host, hop.port, 0, socket.SOCK_STREAM)
    failure: OSError = OSError("no address")
    for untried, (family, kind, protocol, _, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        share_s = _left_s(end_s, clock) / untried
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(share_s)
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def _left_s(end_s: float, clock: Callable[[], float]) -> float:
    left_s = end_s - clock()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _tunnel(sock: socket.socket, way: Route, end_s: float, clock: Callable[[], float]) -> None:
    """Ask the proxy for a way to the host."""
    assert way.proxy is not None
    bounded = Bounded(sock, way, end_s, HEAD_BYTES, clock)
    lines = [f"CONNECT {way.to} HTTP/1.1", f"Host: {way.to}"]
    if way.proxy.authorization:
        lines.append(f"Proxy-Authorization: {way.proxy.authorization}")
    bounded.sendall("\r\n".join((*lines, "", "")).encode("latin-1"))
    # The file below reads ahead, and finds nothing: who is asked for does not speak first.
    response = http.client.HTTPResponse(bounded, method="CONNECT")  # type: ignore[arg-type]
    response.begin()
    if response.status != 200:
        reply = Reply(f"proxy {way.proxy}", response.status, response.reason, response.headers, b"")
        raise NetworkError("proxy", f"{refusal(reply)}, asked for {way.to}")


def get(
    url: str,
    path: str,
    headers: Mapping[str, str],
    *,
    most_bytes: int,
    connect_s: float = CONNECT_S,
    answer_s: float = ANSWER_S,
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.monotonic,
) -> Reply:
    """Ask the host of a URL for a path, and return what it answers, whatever the status; redirects are not followed.

    Blocks for `connect_s` at most until it begins to answer, and for `answer_s` in all. Raises `NetworkError` for an
    answer that comes not at all, not as HTTP, not whole, too late, or with more than so many bytes.
    """
    way = way_to(url, environment)
    begun_s = clock()
    with connect(way, begun_s + connect_s, tunnel=False, clock=clock) as sock, network_errors(str(way)):
        bounded = Bounded(sock, way, begun_s + connect_s, most_bytes, clock)
        connection = http.client.HTTPConnection(way.to.host, way.to.port)
        connection.sock = bounded
        own = {"Host": way.to.netloc, "Connection": "close"}
        if way.to.authorization:
            own["Authorization"] = way.to.authorization
        if way.proxy and not way.to.tls:
            path = f"http://{way.to.netloc}{path}"
            if way.proxy.authorization:
                own["Proxy-Authorization"] = way.proxy.authorization
        connection.request("GET", path, headers={**own, **headers})
        response = connection.getresponse()
        bounded.end_s = begun_s + answer_s
        blocks: list[bytes] = []
        while block := response.read1(BLOCK_BYTES):
            blocks.append(block)
        if response.length:
            raise NetworkError("eof", f"{way} hung up in the middle of an answer")
        return Reply(str(way), response.status, response.reason, response.headers, b"".join(blocks))


def way_to(url: str, environment: Mapping[str, str] = os.environ) -> Route:
    """Return the way to the host of a URL, as the environment has it; raise `NetworkError` for a proxy that is none."""
    try:
        return route(url, environment)
    except ValueError as error:
        raise NetworkError("proxy", str(error)) from error


@contextlib.contextmanager
def network_errors(where: str) -> Iterator[None]:
    """Turn whatever connecting raises into a `NetworkError` that names who was asked.

    Every exception: what a peer sends makes the libraries raise things that they do not document, such as a
    `CookieError` for a cookie's odd name, and none of it is a reason to end the program.
    """
    try:
        yield
    except NetworkError:
        raise
    except Exception as error:  # the other place: see above
        raise explained(error, where) from error


def explained(error: Exception, where: str) -> NetworkError:
    """Return what makes a `NetworkError` of a library's or the system's error."""
    if isinstance(error, socket.gaierror):
        return NetworkError("dns", f"{where} can't be looked up: {error.strerror}")
    if isinstance(error, ssl.SSLCertVerificationError):
        return NetworkError("tls", f"{where}: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return NetworkError("tls", f"{where}: {getattr(error, 'reason', None) or error}")
    if isinstance(error, TimeoutError):
        return NetworkError("timeout", f"{where} did not answer in time")
    if isinstance(error, ConnectionRefusedError):
        return NetworkError("refused", f"{where}: nothing listens there, or a firewall is in the way")
    if isinstance(error, http.client.RemoteDisconnected):
        return NetworkError("eof", f"{where} hung up without an answer")
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return NetworkError("reset", where)
    if isinstance(error, http.client.BadStatusLine):
        return NetworkError("failed", f"not HTTP from {where}: {printable(str(error))}")
    words = (error.strerror or str(error)) if isinstance(error, OSError) else f"{type(error).__name__} {error}"
    return NetworkError("failed", f"{where}: {printable(words)}")
