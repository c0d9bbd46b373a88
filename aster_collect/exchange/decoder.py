"""A message in, its events out: fast for the exact shapes that are known, by way of JSON for all else. Pure."""

import json
import re
from typing import Any, NamedTuple

from ..errors import DecodeError
from .fields import Payload
from .streams import KINDS
from .streams.kind import Decoded, Kind, Options

_CHANNEL = re.compile(r"@([A-Za-z]+)([0-9]*)")


def _word(stream: str) -> tuple[str, bool]:
    """Return what the channel in a stream's name is called, and whether it says how many levels it has."""
    channel = _CHANNEL.search(stream)
    return (channel[1], bool(channel[2])) if channel else ("", False)


_WIRED = [(kind, kind.wire) for kind in KINDS.values() if kind.wire]
_BY_NAME = {wire.name: kind for kind, wire in reversed(_WIRED)}  # of one name without a stream, the table's first
_BY_CHANNEL = {_word(f"@{wire.channel(Options())}"): kind for kind, wire in _WIRED}
_OF_EVERYONE = [wire.everyone for _, wire in _WIRED if wire.everyone]


class Read(NamedTuple):
    """What a message held: events with their kinds, and what could not be read of it, each with the reason."""

    events: list[tuple[Kind, Decoded]]
    odd: list[tuple[str, bytes]]


def decode(message: bytes, received_ns: int) -> Read:
    """Return the events in one message of any shape; raise `DecodeError` with the reason where it holds none.

    It may be wrapped (`{"stream":…,"data":…}`) or raw, its keys in any order, with keys not known here; `data` of a
    stream that brings all symbols may be a list, of which each that can be read counts.
    """
    try:
        payload = json.loads(str(message, "utf-8"))
    except UnicodeDecodeError as error:
        raise DecodeError("invalid UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise DecodeError("not JSON") from error
    stream = ""
    if isinstance(payload, dict) and payload.get("stream") is not None:
        stream, payload = payload["stream"], payload.get("data")
        if isinstance(payload, list) and stream in _OF_EVERYONE:
            return _many(payload, stream, received_ns)
        if not isinstance(stream, str) or not isinstance(payload, dict):
            raise DecodeError("odd field: stream or data")
    if not isinstance(payload, dict):
        raise DecodeError("not an object")
    return Read([_one(payload, stream, received_ns)], [])


def _many(payloads: list[Any], stream: str, received_ns: int) -> Read:
    read = Read([], [])
    for payload in payloads:
        try:
            if not isinstance(payload, dict):
                raise DecodeError("not an object")
            read.events.append(_one(payload, stream, received_ns))
        except DecodeError as error:
            read.odd.append((str(error), json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass")))
    return read


def _one(payload: Payload, stream: str, received_ns: int) -> tuple[Kind, Decoded]:
    name = payload.get("e")
    channel = _CHANNEL.search(stream)
    kind = None
    said = _BY_CHANNEL.get(_word(stream))
    if isinstance(name, str):  # full and partial books bear one name
        kind = said if said and said.wire and said.wire.name == name else _BY_NAME.get(name)
    elif name is None:  # the spot exchange leaves out what the stream's name says
        kind = said
    if kind is None or kind.wire is None:
        raise DecodeError(f"unknown event: {str(name)[:40]!r}")
    if "s" not in payload and channel is not None and channel.start() and name is None:
        payload = {**payload, "s": stream[: channel.start()].upper()}
    return kind, kind.wire.decode(payload, received_ns)
