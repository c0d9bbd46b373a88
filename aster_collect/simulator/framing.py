"""WebSocket bytes of the server's side (RFC 6455): frames out, messages in, the handshake's answer."""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
HANDSHAKE_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MESSAGE_LIMIT = 65_536  # bytes of one client message; a client sends subscriptions, never bulk


class ProtocolError(Exception):
    """The client broke the framing rules; the connection is closed with the code."""

    def __init__(self, code: int, reason: str) -> None:
        """A close code of RFC 6455 section 7.4.1 and a short reason."""
        super().__init__(reason)
        self.code = code


class Message(NamedTuple):
    """A whole message, or a control frame."""

    opcode: int
    payload: bytes


def welcome(key: str) -> bytes:
    """The HTTP answer that turns a connection into a WebSocket, for a client's key (RFC 6455 section 4.2.2)."""
    accept = base64.b64encode(hashlib.sha1(key.encode("latin-1") + HANDSHAKE_GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def encode(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """One unmasked frame."""
    first = opcode | 0x80 if final else opcode
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def encode_close(code: int, reason: str) -> bytes:
    """A close frame; the reason is cut to the 123 bytes that a control frame has room for."""
    text = reason.encode()[:123].decode(errors="ignore").encode()
    return encode(CLOSE, code.to_bytes(2, "big") + text)


def fragmented(frame: bytes) -> bytes:
    """The message of a whole, unmasked text frame in three fragments, with a ping between the first two."""
    payload = frame[{126: 4, 127: 10}.get(frame[1], 2) :]
    third = max(1, len(payload) // 3)
    parts = payload[:third], payload[third : 2 * third], payload[2 * third :]
    return b"".join(
        (
            encode(TEXT, parts[0], final=False),
            encode(PING, b"between"),
            encode(CONTINUATION, parts[1], final=False),
            encode(CONTINUATION, parts[2]),
        )
    )


class Reader:
    """Cuts a client's bytes into messages; fragments are put together, control frames may come between them."""

    def __init__(self) -> None:
        """Starts at a frame boundary, with nothing held."""
        self._held = b""
        self._opcode = CONTINUATION
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[Message]:
        """The messages that the bytes complete, in order; raises ProtocolError."""
        self._held += data
        messages = []
        while (frame := self._next_frame()) is not None:
            message = self._join(*frame)
            if message is not None:
                messages.append(message)
        return messages

    def _next_frame(self) -> tuple[bool, int, bytes] | None:
        held = self._held
        if len(held) < 2:
            return None
        final, opcode, size = bool(held[0] & 0x80), held[0] & 0x0F, held[1] & 0x7F
        if held[0] & 0x70:
            raise ProtocolError(1002, "reserved bits are set")
        if not held[1] & 0x80:
            raise ProtocolError(1002, "client frames must be masked")
        if opcode >= CLOSE and (size > 125 or not final):
            raise ProtocolError(1002, "a control frame is whole and at most 125 bytes")
        start = 2
        if size >= 126:
            width = 2 if size == 126 else 8
            start += width
            if len(held) < start:
                return None
            size = int.from_bytes(held[2:start], "big")
        if size > MESSAGE_LIMIT:
            raise ProtocolError(1009, "message too big")
        if len(held) < start + 4 + size:
            return None
        mask = held[start : start + 4]
        masked = held[start + 4 : start + 4 + size]
        self._held = held[start + 4 + size :]
        # One big exclusive-or is many times faster than a loop over bytes.
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        return final, opcode, (int.from_bytes(masked, "big") ^ key).to_bytes(size, "big")

    def _join(self, final: bool, opcode: int, payload: bytes) -> Message | None:
        if opcode >= CLOSE:
            return Message(opcode, payload)
        if (opcode == CONTINUATION) != bool(self._parts):
            raise ProtocolError(1002, "a fragment is out of place")
        self._opcode = opcode or self._opcode
        self._parts.append(payload)
        if sum(map(len, self._parts)) > MESSAGE_LIMIT:
            raise ProtocolError(1009, "message too big")
        if not final:
            return None
        message = Message(self._opcode, b"".join(self._parts))
        self._parts = []
        return message
