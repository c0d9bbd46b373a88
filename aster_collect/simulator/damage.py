"""What faults do to frames: another clock, frames in pieces, twice, not at all or late, and bad ones."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import framing
from .faults import Fault

OVERSIZED_BYTES = 1_048_577
MANY_LEVELS, FARTHEST_LEVEL = 10, 40  # of those that change at once
_TIMES = re.compile(r'"(E|T|serverTime|time)":(\d+)')
_SENT_TIME = re.compile(r'"(E)":(\d+)')


class Frame(NamedTuple):
    """A data frame: its stream, the event as JSON text without any wrapper, and the bytes as sent."""

    stream: str
    payload: str
    encoded: bytes


def framed(stream: str, payload: str, *, wrapped: bool) -> Frame:
    """The frame of an event."""
    message = f'{{"stream":"{stream}","data":{payload}}}' if wrapped else payload
    return Frame(stream, payload, framing.encode(framing.TEXT, message.encode()))


class Step(NamedTuple):
    """The exchange's clock is set: what it would have stamped from a time on it stamps so much later, or earlier."""

    since_ms: int
    ahead_ms: int


def with_set_clock(text: str, steps: Sequence[Step]) -> str:
    """JSON text with its times (`E`, `T`, `serverTime`) as a clock stamps them that has been set so."""
    if not steps:
        return text

    def stamped(match: re.Match[str]) -> str:
        time_ms = int(match[2])
        return f'"{match[1]}":{time_ms + sum(step.ahead_ms for step in steps if step.since_ms <= time_ms)}'

    # The `T` of a mark price is when the next funding is.
    return (_SENT_TIME if '"markPriceUpdate"' in text else _TIMES).sub(stamped, text)


class FrameFaults:
    """Fragments, repeats, drops, swaps and delays the next frames of one connection.

    A fault's `value` limits it to streams whose name contains it. Of several faults the first that fits takes a frame.
    """

    def __init__(self) -> None:
        """Starts without faults."""
        self._orders: deque[list[Any]] = deque()  # [name, part of a stream name, how many frames are left, delay]
        self._held: list[tuple[str, Frame]] = []  # frames that wait for one to overtake them …
        self._late: list[tuple[float, Frame]] = []  # … and those that wait for a time

    def add(self, fault: Fault) -> None:
        """Begin with the next frame."""
        self._orders.append([fault.name, str(fault.value or ""), fault.count or 1, fault.seconds or 0.0])

    def is_idle(self) -> bool:
        """Whether frames would pass unchanged, and none waits."""
        return not self._orders and not self._held and not self._late

    def apply(self, frames: Sequence[Frame], now_s: float) -> list[Frame]:
        """The frames that go out in place of these, in order; the time is that of any clock that only rises."""
        result = [frame for due_s, frame in self._late if due_s <= now_s]
        self._late = [one for one in self._late if one[0] > now_s]
        for frame in frames:
            overtaken = [held for part, held in self._held if part in frame.stream]
            if overtaken:
                self._held = [(part, held) for part, held in self._held if part not in frame.stream]
                result += [frame, *overtaken]
                continue
            order = next((order for order in self._orders if order[1] in frame.stream), None)
            if order is None:
                result.append(frame)
                continue
            order[2] -= 1
            if not order[2]:
                self._orders.remove(order)
            if order[0] == "swap":
                self._held.append((order[1], frame))
            elif order[0] == "duplicate":
                result += [frame, frame]
            elif order[0] == "fragment":
                result.append(frame._replace(encoded=framing.fragmented(frame.encoded)))
            elif order[0] == "late":
                self._late.append((now_s + order[3], frame))
        return result


class Omission:
    """Takes one level out of each diff of a stream, the same in all, so that who keeps the book has another.

    It is one that changes with many, neither among the best nor beyond what a snapshot shows: else it would be seen.
    """

    def __init__(self, part: str, *, wrapped: bool) -> None:
        """Of streams whose name has this part."""
        self._part = part
        self._wrapped = wrapped
        self._prices: dict[str, str] = {}  # by stream

    def apply(self, frame: Frame) -> Frame:
        """The frame that goes out in place of this one."""
        name = frame.stream.partition("@")[2].partition("@")[0]
        if name != "depth" or self._part not in frame.stream:
            return frame
        diff = json.loads(frame.payload)
        bids = [price for price, quantity in diff["b"] if quantity.strip("0.")]
        if frame.stream not in self._prices and len(bids) >= MANY_LEVELS:
            self._prices[frame.stream] = bids[:FARTHEST_LEVEL][-1]
        price = self._prices.get(frame.stream)
        kept = [level for level in diff["b"] if level[0] != price]
        if len(kept) == len(diff["b"]):
            return frame
        text = json.dumps({**diff, "b": kept}, ensure_ascii=False, separators=(",", ":"))
        return framed(frame.stream, text, wrapped=self._wrapped)


def garbage(kind: str, symbol: str, *, wrapped: bool) -> bytes:
    """One bad frame of a kind, in the name of a symbol."""
    stream = f"{symbol.lower()}@bookTicker"
    good = {"e": "bookTicker", "u": 1, "s": symbol, "b": "1.0", "B": "1", "a": "1.1", "A": "1", "T": 1, "E": 1}
    if kind == "binary":
        return framing.encode(framing.BINARY, bytes(range(256)))
    if kind == "not-json":
        return framing.encode(framing.TEXT, b'{"stream":"' + stream.encode())
    if kind == "not-object":
        return framing.encode(framing.TEXT, b'["bookTicker",1]')
    if kind == "oversized":
        return framing.encode(framing.TEXT, b'{"pad":"' + b"x" * OVERSIZED_BYTES + b'"}')
    if kind == "invalid-utf8":
        return framing.encode(framing.TEXT, b'{"e":"\xff\xfe"}')
    data: dict[str, object] = {
        "missing-field": {key: value for key, value in good.items() if key != "b"},
        "odd-field": {**good, "b": '=1,"\n'},
        "unknown-symbol": {**good, "s": "NOSUCHUSDT"},
        "unknown-event": {**good, "e": "mystery"},
    }[kind]
    if kind == "unknown-symbol":
        stream = "nosuchusdt@bookTicker"
    message = {"stream": stream, "data": data} if wrapped else data
    return framing.encode(framing.TEXT, json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode())
