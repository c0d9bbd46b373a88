"""The frames called depthUpdate: the top of the book and changes of the full one differ by the stream's name alone."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import DecodeError
from ..fields import PLAIN_DECIMAL, Payload, field
from . import shapes
from .kind import Add, Take, Taken

NAME = "depthUpdate"


def levels(payload: Payload, key: str) -> list[list[str]]:
    """Return one side of a payload, each level its price and its quantity; raise `DecodeError` if it is none."""
    side = field(payload, key)
    if not isinstance(side, list) or not all(map(_is_level, side)):
        raise DecodeError(f"odd field: {key}")
    return side


def _is_level(level: Any) -> bool:
    is_pair = isinstance(level, list) and len(level) == 2
    return is_pair and all(isinstance(text, str) and PLAIN_DECIMAL.fullmatch(text) for text in level)


def take(channel: str, cells: Callable[[str], str]) -> Take:
    """Return what takes such frames of the streams whose name, behind the @, has the pattern `channel`.

    `cells` makes the text of an event's side of `["price","quantity"],["price","quantity"]`. An event is its update id,
    when it was made, the id of the one before, both sides, and when it came.
    """
    shape = re.compile(
        rf'{shapes.wrapped(channel)}"{NAME}","E":({shapes.MS}),"T":({shapes.MS}),"s":"({shapes.TEXT})","U":{shapes.ID},'
        rf'"u":({shapes.ID}),"pu":({shapes.ID}),"b":{shapes.SIDE},"a":{shapes.SIDE}{shapes.END}'
    ).fullmatch

    def taken(text: str, bounds: Sequence[int], received_ns: int, adds: Mapping[str, Add]) -> Taken:
        left: list[int] = []
        made_ms, sent = 0, "0"
        each = iter(bounds)
        for start, stop in zip(each, each, strict=True):
            match = shape(text, start, stop)
            add = None if match is None else adds.get(match[3])
            if match is None or add is None:
                left += (start, stop)
                continue
            sent_then, made, _, last, before, bids, asks = match.groups()
            update_id, previous_id = int(last), int(before)
            if previous_id > update_id:  # nothing comes before what is before it
                left += (start, stop)
                continue
            sent, made_ms = sent_then, int(made)
            add((update_id, made_ms, previous_id, cells(bids), cells(asks), received_ns))
        return left, made_ms, max(made_ms, int(sent))

    return taken
