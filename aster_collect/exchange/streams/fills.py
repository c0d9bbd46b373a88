"""Single fills, those off the book too. The exchange sends them without publishing that on futures: ids rise, no more.

They have an id space of their own, which says nothing of aggregate trades, and nothing is fetched afterwards.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..cells import WORD, Column
from ..fields import Payload, decimal, symbol, times_ms, whole, word_or_blank
from . import shapes
from .executions import COLUMNS, taker
from .kind import Add, Decoded, Kind, Lane, Options, Take, Taken, Wire, Write

_OURS = (*COLUMNS, Column("origin", WORD.or_blank()))


class Fill(NamedTuple):
    """One fill; `side` is the taker's, `origin` what the exchange says of where it was made, blank where nothing."""

    id: int
    time_ms: int
    side: str
    price: str
    quantity: str
    origin: str
    received_ns: int | None = None


def decode(payload: Payload, received_ns: int) -> Decoded:
    """Return the fill in a frame."""
    made_ms, sent_ms = times_ms(payload, received_ns)
    side = taker(payload)
    number, price, quantity = whole(payload, "t"), decimal(payload, "p"), decimal(payload, "q")
    fill = Fill(number, made_ms, side, price, quantity, word_or_blank(payload, "X"), received_ns)
    return Decoded(symbol(payload), fill, sent_ms)


# As captured from futures; `X` may be absent.
_SHAPE = re.compile(
    rf'{shapes.WRAPPED}"trade","E":({shapes.MS}),"T":({shapes.MS}),"s":"({shapes.TEXT})","t":({shapes.ID}),'
    rf'"p":"({shapes.DECIMAL})","q":"({shapes.DECIMAL})",(?:"X":"({WORD.pattern})",)?"m":(true|false){shapes.END}'
).fullmatch


def _take(_: Options) -> Take:
    def take(text: str, bounds: Sequence[int], received_ns: int, adds: Mapping[str, Add]) -> Taken:
        left: list[int] = []
        made_ms, sent = 0, "0"
        each = iter(bounds)
        for start, stop in zip(each, each, strict=True):
            match = _SHAPE(text, start, stop)
            add = None if match is None else adds.get(match[3])
            if match is None or add is None:
                left += (start, stop)
                continue
            sent, made, _, number, price, quantity, origin, maker = match.groups()
            made_ms = int(made)
            side = "sell" if maker == "true" else "buy"
            add((int(number), made_ms, side, price, quantity, origin or "", received_ns))
        return left, made_ms, max(made_ms, int(sent))

    return take


def _write(_: Options) -> Write:
    return lambda fills: [
        f"{number},{made_ms},{side},{price},{quantity},{origin}"
        for number, made_ms, side, price, quantity, origin, _ in fills
    ]


def _read(cells: Sequence[str]) -> Fill:
    number, made_ms, side, price, quantity, origin = cells[: len(_OURS)]
    return Fill(int(number), int(made_ms), side, price, quantity, origin)


KIND = Kind(
    name="fills",
    sentence="every single fill, those off the book too",
    lane=Lane.RISING,
    columns=lambda _: _OURS,
    write=_write,
    read=_read,
    wire=Wire("trade", lambda _: "trade", decode, take=_take),
    ids="id",
)
