"""Aggregate trades: fills of one taker order at one price. Their ids rise by exactly 1, so a jump is a loss."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..fields import Payload, decimal, symbol, times_ms, whole
from . import shapes
from .executions import COLUMNS, taker
from .kind import Add, Decoded, Kind, Lane, Options, Take, Taken, Wire, Write


class Trade(NamedTuple):
    """One aggregate trade; `side` is the taker's."""

    id: int
    time_ms: int
    side: str
    price: str
    quantity: str
    received_ns: int | None = None


def decode(payload: Payload, received_ns: int) -> Decoded:
    """Return the trade in a frame."""
    made_ms, sent_ms = times_ms(payload, received_ns)
    return Decoded(symbol(payload), _trade(payload, made_ms, received_ns), sent_ms)


def of_page(payload: Payload, received_ns: int) -> Trade:
    """Return a trade of a page, which REST sent; it did not come when it was made."""
    return _trade(payload, times_ms(payload, received_ns)[0], None)


def _trade(payload: Payload, made_ms: int, received_ns: int | None) -> Trade:
    side = taker(payload)
    return Trade(whole(payload, "a"), made_ms, side, decimal(payload, "p"), decimal(payload, "q"), received_ns)


_ID, _MS, _TEXT, _DECIMAL = shapes.ID, shapes.MS, shapes.TEXT, shapes.DECIMAL
# The published order of keys has `s` before `a`, the captured one `a` before `s`.
_SHAPE = re.compile(
    rf'{shapes.WRAPPED}"aggTrade","E":({_MS}),(?:"s":"({_TEXT})","a":({_ID})|"a":({_ID}),"s":"({_TEXT})"),'
    rf'"p":"({_DECIMAL})","q":"({_DECIMAL})","f":{_ID},"l":{_ID},"T":({_MS}),"m":(true|false){shapes.END}'
).fullmatch


def _take(_: Options) -> Take:
    def take(text: str, bounds: Sequence[int], received_ns: int, adds: Mapping[str, Add]) -> Taken:
        left: list[int] = []
        made_ms, sent = 0, "0"
        each = iter(bounds)
        for start, stop in zip(each, each, strict=True):
            match = _SHAPE(text, start, stop)
            if match is None:
                left += (start, stop)
                continue
            sent, name, number, captured_number, captured_name, price, quantity, made, maker = match.groups()
            add = adds.get(captured_name if name is None else name)
            if add is None:
                left += (start, stop)
                continue
            made_ms = int(made)
            side = "sell" if maker == "true" else "buy"
            add((int(number or captured_number), made_ms, side, price, quantity, received_ns))
        return left, made_ms, max(made_ms, int(sent))

    return take


def _write(_: Options) -> Write:
    return lambda events: [
        f"{number},{made_ms},{side},{price},{quantity}" for number, made_ms, side, price, quantity, _ in events
    ]


def _read(cells: Sequence[str]) -> Trade:
    number, made_ms, side, price, quantity = cells[: len(COLUMNS)]
    return Trade(int(number), int(made_ms), side, price, quantity)


KIND = Kind(
    name="trades",
    sentence="every trade, its ids without a hole",
    lane=Lane.SEQUENCE,
    columns=lambda _: COLUMNS,
    write=_write,
    read=_read,
    wire=Wire("aggTrade", lambda _: "aggTrade", decode, take=_take),
    ids="id",
)
