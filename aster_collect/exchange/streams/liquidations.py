"""Liquidations, as the exchange publishes them: a sample, at most the latest of each symbol within a second.

They can't be had afterwards, so recording them is the only source.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ...errors import DecodeError
from ..cells import DECIMAL, MILLISECONDS, SIDE, WORD, Column
from ..fields import Payload, decimal, symbol, times_ms, word
from .kind import Decoded, Kind, Lane, Options, Wire, Write

_OURS = (
    Column("unix_timestamp_ms", MILLISECONDS),
    Column("side", SIDE),
    Column("order_type", WORD),
    Column("time_in_force", WORD),
    *(Column(name, DECIMAL) for name in ("price", "average_price", "quantity", "last_filled", "filled")),
    Column("status", WORD),
)
_SIDES = {"BUY": "buy", "SELL": "sell"}


class Liquidation(NamedTuple):
    """One forced order; `side` is the order's, so that a long position that is liquidated sells."""

    id: int
    time_ms: int
    side: str
    order_type: str
    time_in_force: str
    price: str
    average_price: str
    quantity: str
    last_filled: str
    filled: str
    status: str
    received_ns: int | None = None


def decode(payload: Payload, received_ns: int) -> Decoded:
    """Return the liquidation in a frame: its facts are the order's, within `o`, and only `E` is beside it."""
    order = payload.get("o")
    if not isinstance(order, dict):
        raise DecodeError("odd field: o")
    made_ms, sent_ms = times_ms({"T": order.get("T"), "E": payload.get("E")}, received_ns)
    side = _SIDES.get(word(order, "S"))
    if side is None:
        raise DecodeError("odd field: S")
    words = side, word(order, "o"), word(order, "f")
    price, average_price, quantity, last_filled, filled = (decimal(order, key) for key in ("p", "ap", "q", "l", "z"))
    amounts = price, average_price, quantity, last_filled, filled
    return Decoded(symbol(order), Liquidation(0, made_ms, *words, *amounts, word(order, "X"), received_ns), sent_ms)


def _write(_: Options) -> Write:
    return lambda liquidations: [f"{one[1]},{','.join(one[2:11])}" for one in liquidations]


def _read(cells: Sequence[str]) -> Liquidation:
    made_ms, side, order_type, time_in_force, price, average_price, quantity, last_filled, filled, status = cells[:10]
    words = side, order_type, time_in_force
    return Liquidation(0, int(made_ms), *words, price, average_price, quantity, last_filled, filled, status)


KIND = Kind(
    name="liquidations",
    sentence="forced orders: a sample, at most the latest of each symbol within a second",
    lane=Lane.PLAIN,
    columns=lambda _: _OURS,
    write=_write,
    read=_read,
    wire=Wire("forceOrder", lambda _: "forceOrder", decode, everyone="!forceOrder@arr"),
    markets=("futures",),
)
