"""One WebSocket connection, from its handshake to its close: what it brings is read as bytes.

The only module that imports `websocket`. The library shakes hands on a socket that `dial` has connected, and sends pong
and close; reading is done here, on the bare socket, because one big read brings many frames.
"""

import selectors
import socket
import ssl
import time
from http.client import responses

import websocket

from ..errors import FeedError, NetworkError
from .address import Route
from .cookies import WithoutCookies
from .dial import CONNECT_S, HEAD_BYTES, Bounded, connect, explained, network_errors, way_to
from .reply import BANS_S, Reply, ban_s, printable, refusal

SEND_TIMEOUT_S = 2.0
SWITCHING_PROTOCOLS = 101
READ_BYTES = 1 << 16  # four times as much fragments the memory: 2.6 MB more after ten million frames
TLS_RECORD_BYTES = 1 << 14  # one call gives one record, and allocates all that is asked for


class Connection:
    """One open WebSocket connection; every way for it to fail is a `FeedError` with the reason."""

    def __init__(self, url: str, timeout_s: float = CONNECT_S) -> None:
        """Connect and shake hands; blocks for `timeout_s` at most, and for the lookup of the host's name."""
        try:
            way = way_to(url)
            self._websocket, self._socket = _shake_hands(url, way, time.monotonic() + timeout_s)
        except NetworkError as error:
            raise FeedError(error.reason, error.detail, error.wait_s) from error
        self._where = str(way)
        self._socket.setblocking(False)
        self._tls = isinstance(self._socket, ssl.SSLSocket)
        self._size = TLS_RECORD_BYTES if self._tls else READ_BYTES
        self._failure: FeedError | None = None
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)

    def wait(self, timeout_s: float) -> bool:
        """Block until there is something to read, `timeout_s` at most; return whether there is."""
        return bool(self._selector.select(timeout_s))

    def read(self) -> bytes:
        """Return what has arrived, empty if nothing has; does not block."""
        if self._failure:
            raise self._failure
        chunks: list[bytes] = []
        room = READ_BYTES
        while room > 0:
            try:
                chunk = self._socket.recv(self._size)
            except (BlockingIOError, ssl.SSLWantReadError):
                break
            except OSError as error:
                self._failure = self._explained(error)
                break
            if not chunk:
                self._failure = FeedError("eof", f"{self._where} hung up without a close frame")
                break
            chunks.append(chunk)
            room -= len(chunk)
            if not self._tls and len(chunk) < self._size:
                break  # the socket is empty; over TLS only another try can tell
        if self._failure and not chunks:
            raise self._failure
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def pong(self, payload: bytes) -> None:
        """Answer a ping."""
        self._socket.settimeout(SEND_TIMEOUT_S)
        try:
            self._websocket.pong(payload)
            self._socket.setblocking(False)
        except (websocket.WebSocketException, OSError) as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> FeedError:
        why = explained(error, self._where)
        return FeedError(why.reason, why.detail)

    def close(self) -> None:
        """Say good-bye and hang up; never fails, blocks for `SEND_TIMEOUT_S` at most."""
        self._selector.close()
        try:
            self._socket.settimeout(SEND_TIMEOUT_S)
            self._websocket.send_close()
        except (websocket.WebSocketException, OSError):
            pass  # it is gone already
        self._websocket.shutdown()  # type: ignore[no-untyped-call]


def _shake_hands(url: str, way: Route, end_s: float) -> tuple[websocket.WebSocket, socket.socket]:
    """Return a connection on which the frames come next; raises `NetworkError`."""
    sock = connect(way, end_s, tunnel=True)
    made = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    try:
        with network_errors(str(way)):
            _ask_to_upgrade(made, url, way, WithoutCookies(sock, way, end_s, HEAD_BYTES, time.monotonic))
    except BaseException:
        sock.close()
        raise
    made.sock = sock
    return made, sock


def _ask_to_upgrade(made: websocket.WebSocket, url: str, way: Route, bounded: Bounded) -> None:
    header = [f"Authorization: {way.to.authorization}"] if way.to.authorization else []
    failure: websocket.WebSocketException | None = None
    try:
        made.connect(url, socket=bounded, redirect_limit=0, header=header)  # type: ignore[no-untyped-call]
    except websocket.WebSocketBadStatusException as error:
        headers, body = error.resp_headers or {}, error.resp_body or b""
        status = error.status_code or 0
        reply = Reply(str(way), status, responses.get(status, ""), headers, body)  # 1.8 of the library keeps no phrase
        wait_s = max(ban_s(reply, time.time()), BANS_S[reply.status]) if reply.status in BANS_S else 0.0
        raise NetworkError("handshake", refusal(reply), wait_s) from error
    except websocket.WebSocketException as error:
        failure = error
    response = made.handshake_response
    if response is not None and response.status != SWITCHING_PROTOCOLS:
        raise NetworkError("handshake", refusal(Reply(str(way), response.status, "", response.headers, b"")))
    if failure is not None:
        raise NetworkError("handshake", f"{way}: {printable(str(failure))}") from failure
