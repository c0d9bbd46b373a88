"""Socket bytes in, whole WebSocket messages out (RFC 6455), however the bytes were cut.

Pure. Most of what an exchange sends is small unfragmented text, so `Splitter.split` finds those in one big read in a
tight loop and says where they lie, without a copy of each: that costs a tenth of the library's `recv` (two or three
reads and several objects a frame). Everything else takes the slower branch.
"""

from typing import NamedTuple

from ..errors import FeedError

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FINAL = 0x80
FINAL_TEXT = FINAL | TEXT

MESSAGE_LIMIT = 1 << 20
KEPT_OF_BAD = 4096


class Odd(NamedTuple):
    """Something that is not a whole text message: a control frame, or a message that can't be used.

    `reason` is "ping", "pong", "close", "binary" or "oversized"; of an unusable message, `data` is the beginning.
    """

    reason: str
    data: bytes


class Split(NamedTuple):
    """Whole text messages, lying in `data` from `bounds[0]` to `bounds[1]`, from `bounds[2]` to `bounds[3]`, …"""

    data: bytes
    bounds: list[int]
    odd: list[Odd]


class Splitter:
    """One connection's bytes, cut into messages.

    ```
    bytes ──▶ [rest + bytes] ──▶ final text ──────────────▶ messages
                    │        ──▶ fragments, put together ─▶ messages
                    │        ──▶ ping, pong, close ───────▶ odd
                    │        ──▶ binary, oversized ───────▶ odd, its payload skipped
                    └── an unfinished frame is kept for the next call
    ```
    """

    def __init__(self) -> None:
        self._rest = b""
        self._skip = 0
        self._fragments: list[bytes] = []
        self._fragment_opcode: int | None = None
        self._fragment_length = 0

    def split(self, data: bytes) -> Split:
        """Return the whole text messages that these bytes complete, and what else they complete.

        Raises `FeedError` where the bytes break the protocol: nothing behind that place can be trusted.
        """
        bounds: list[int] = []
        odd: list[Odd] = []
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if self._rest:
            data = self._rest + data
        position, end = 0, len(data)
        joined: list[bytes] = []
        while end - position >= 2:
            length = data[position + 1]
            start = position + 2
            if length >= 126:
                if length > 127:
                    raise FeedError("protocol", "the server masked a frame")
                start += 2 if length == 126 else 8
                if end < start:
                    break
                length = (data[start - 2] << 8) + data[start - 1] if length == 126 else _wide(data, start)
            stop = start + length
            if (
                data[position] == FINAL_TEXT
                and stop <= end
                and length <= MESSAGE_LIMIT
                and self._fragment_opcode is None
            ):
                bounds += (start, stop)
            elif stop > end and (length <= MESSAGE_LIMIT or end - start < KEPT_OF_BAD):
                self._check(data[position], length)
                break
            else:
                message = self._take(data[position], data[start:stop], length, odd)
                if message is not None:
                    begin = end + sum(map(len, joined))
                    bounds += (begin, begin + len(message))
                    joined.append(message)
                if stop > end:
                    self._skip = stop - end
                    position = end
                    break
            position = stop
        self._rest = data[position:]
        return Split(b"".join((data, *joined)) if joined else data, bounds, odd)

    def _check(self, first: int, length: int) -> None:
        opcode = first & 0x0F
        if first & 0x70:
            raise FeedError("protocol", "reserved bits are set")
        if opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise FeedError("protocol", f"unknown opcode {opcode}")
        if opcode >= CLOSE and (length > 125 or not first & FINAL):
            raise FeedError("protocol", "a control frame is too long or fragmented")
        if opcode == CONTINUATION and self._fragment_opcode is None:
            raise FeedError("protocol", "a continuation without a beginning")
        if opcode in (TEXT, BINARY) and self._fragment_opcode is not None:
            raise FeedError("protocol", "a message begins inside another")

    def _take(self, first: int, payload: bytes, length: int, odd: list[Odd]) -> bytes | None:
        """Take a frame that is not a whole text message; return the message that it completes, if it does."""
        self._check(first, length)
        opcode = first & 0x0F
        if opcode >= CLOSE:
            odd.append(Odd({CLOSE: "close", PING: "ping", PONG: "pong"}[opcode], payload))
            return None
        if opcode != CONTINUATION:
            self._fragment_opcode = opcode
        if payload and self._fragment_length <= MESSAGE_LIMIT:
            self._fragments.append(payload[:MESSAGE_LIMIT])
        self._fragment_length += length
        whole = None
        if first & FINAL:
            message = b"".join(self._fragments)
            if self._fragment_length > MESSAGE_LIMIT:
                odd.append(Odd("oversized", message[:KEPT_OF_BAD]))
            elif self._fragment_opcode == BINARY:
                odd.append(Odd("binary", message[:KEPT_OF_BAD]))
            else:
                whole = message
            self._fragments, self._fragment_opcode, self._fragment_length = [], None, 0
        return whole


def _wide(data: bytes, start: int) -> int:
    return int.from_bytes(data[start - 8 : start], "big")


def close_reason(payload: bytes) -> str:
    """Return a close frame's payload in words: its code and the server's text."""
    if len(payload) < 2:
        return "no code"
    text = payload[2:].decode("utf-8", "replace")
    return f"code={int.from_bytes(payload[:2], 'big')}" + (f" text={text!r}" if text else "")
