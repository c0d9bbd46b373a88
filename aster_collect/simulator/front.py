"""What one accepted TCP connection asks for: REST calls, or to become a WebSocket."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from . import framing
from .clerk import Clerk
from .client_socket import reset_on_close
from .connections import Connections
from .gate import Answer, error_body

log = logging.getLogger(__name__)

TARGET_LIMIT = 16_384  # characters of a path with its query


class Request(NamedTuple):
    """An HTTP request as it was answered; status 101 is an upgrade to WebSocket, 0 a reset without an answer."""

    method: str
    path: str
    query: str
    status: int
    at_ns: int


class Reception(NamedTuple):
    """Whom an HTTP request is handed to, and who takes note of it."""

    clerk: Clerk
    connections: Connections
    requests: list[Request] | None  # takes each request
    refuses_upgrades: Callable[[], bool]  # whether WebSockets are answered with 503


class Front(BaseHTTPRequestHandler):
    """Answers HTTP on one connection until it ends; an upgrade is handed to the connections."""

    protocol_version = "HTTP/1.1"
    server_version = "simulator"
    rbufsize = 0  # nothing is read ahead, so that a WebSocket finds all of its bytes in the socket
    disable_nagle_algorithm = True

    @property
    def _reception(self) -> Reception:
        # The library's word for what a handler is given: nothing of it is asked but by this class.
        return cast(Reception, self.server)

    def _note(self, path: str, query: str, status: int) -> None:
        if self._reception.requests is not None:
            self._reception.requests.append(Request("GET", path, query, status, time.time_ns()))

    def log_message(self, template: str, *args: Any) -> None:
        """Keep the standard library's lines out of the way: requests are recorded by the simulator."""
        log.debug("http %s", template % args)

    def do_GET(self) -> None:
        """Answer a GET."""
        # The request line is bytes read as Latin-1; names may be percent-encoded or plain UTF-8.
        target = urlsplit(unquote_plain(self.path))
        headers = self.headers
        if len(self.path) > TARGET_LIMIT:
            self._reply(target.path, target.query, Answer(414, (), error_body(-1000, "URL too long")))
        elif str(headers.get("Upgrade", "")).lower() == "websocket":
            self._upgrade(target.path, target.query, headers)
        else:
            self._call(target.path, target.query)

    def _call(self, path: str, query: str) -> None:
        params = dict(parse_qsl(query, keep_blank_values=True))
        answer = self._reception.clerk.answer(path, params)
        if answer is None:
            self._note(path, query, 0)
            reset_on_close(self.connection)
            self.close_connection = True
            return
        self._reply(path, query, answer)

    def _reply(self, path: str, query: str, answer: Answer) -> None:
        body = answer.body.encode()
        self._note(path, query, answer.status)
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if answer.is_torn else body)
        self.close_connection = self.close_connection or answer.is_torn

    def _upgrade(self, path: str, query: str, headers: Message) -> None:
        self.close_connection = True
        limit = self._reception.connections.rules.max_streams
        key = headers.get("Sec-WebSocket-Key")
        wrapped = path == "/stream"
        if path.startswith("/ws/"):
            streams = [name for name in unquote_names(path[4:]).split("/") if name]
        else:
            named = next((part[8:] for part in query.split("&") if part.startswith("streams=")), "")
            streams = [name for name in unquote_names(named).split("/") if name]
        if not wrapped and path.rstrip("/") != "/ws" and not path.startswith("/ws/"):
            refusal: tuple[int, str] | None = (404, f"no WebSocket at {path}")
        elif key is None or headers.get("Sec-WebSocket-Version") != "13":
            refusal = (400, "a WebSocket key and version 13 are needed")
        elif len(set(streams)) > limit:
            refusal = (400, f"more than {limit} streams")
        elif self._reception.refuses_upgrades():
            refusal = (503, "unavailable")
        else:
            refusal = None
        if refusal is not None or key is None:
            status, message = refusal or (400, "")
            self._reply(path, query, Answer(status, (("Connection", "close"),), error_body(-1000, message)))
            return
        self._note(path, query, 101)
        welcome = framing.welcome(key)
        self._reception.connections.serve(self.connection, welcome, list(dict.fromkeys(streams)), wrapped=wrapped)


def unquote_plain(target: str) -> str:
    """A request target with its bytes read as UTF-8 where they are; percent signs stay as they are."""
    return target.encode("latin-1").decode("utf-8", errors="replace")


def unquote_names(text: str) -> str:
    """Stream names with percent-encoding undone."""
    return unquote_to_bytes(text).decode("utf-8", errors="replace")
