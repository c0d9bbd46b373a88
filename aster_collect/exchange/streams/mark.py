"""Mark price, index price and funding rate, once a second. Its absence tells a dead connection from a quiet market."""

from collections.abc import Sequence
from typing import NamedTuple

from ...errors import DecodeError
from ..cells import DECIMAL, MILLISECONDS, SECONDS, SIGNED, Column, milliseconds, seconds
from ..fields import Payload, decimal, decimal_or_blank, signed_or_blank, symbol, time_ms
from .kind import Decoded, Kind, Lane, Options, Wire, Write

_OURS = (
    Column("unix_timestamp", SECONDS),
    Column("mark_price", DECIMAL),
    Column("index_price", DECIMAL.or_blank()),
    Column("settle_price", DECIMAL.or_blank()),
    Column("funding_rate", SIGNED.or_blank()),
    Column("next_funding_ms", MILLISECONDS.or_blank()),
)


class Mark(NamedTuple):
    """One symbol's mark price and funding; what the exchange does not say, or not yet, is blank."""

    id: int
    time_ms: int
    mark_price: str
    index_price: str
    settle_price: str
    funding_rate: str
    next_funding_ms: str
    received_ns: int | None = None


def decode(payload: Payload, received_ns: int) -> Decoded:
    """Return the mark price in a frame: its time is `E`, since `T` is that of the next funding, 0 before the first."""
    sent_ms = time_ms(payload, "E")
    if sent_ms is None:
        raise DecodeError("missing field: E")
    next_ms = None if payload.get("T") == 0 else time_ms(payload, "T")
    index_price, settle_price = decimal_or_blank(payload, "i"), decimal_or_blank(payload, "P")
    funding_rate, next_funding = signed_or_blank(payload, "r"), str(next_ms or "")
    prices = decimal(payload, "p"), index_price, settle_price
    mark = Mark(0, sent_ms, *prices, funding_rate, next_funding, received_ns)
    return Decoded(symbol(payload), mark, sent_ms)


def _write(_: Options) -> Write:
    return lambda marks: [",".join((seconds(mark[1]), *mark[2:7])) for mark in marks]


def _read(cells: Sequence[str]) -> Mark:
    mark_price, index_price, settle_price, funding_rate, next_funding_ms = cells[1 : len(_OURS)]
    return Mark(0, milliseconds(cells[0]), mark_price, index_price, settle_price, funding_rate, next_funding_ms)


KIND = Kind(
    name="mark",
    sentence="mark price, index price and funding rate, once a second",
    lane=Lane.PLAIN,
    columns=lambda _: _OURS,
    write=_write,
    read=_read,
    wire=Wire("markPriceUpdate", lambda _: "markPrice@1s", decode, everyone="!markPrice@arr@1s", by_sending=True),
    markets=("futures",),
    shown=lambda mark: {"mark_price": mark[2], "funding_rate": mark[5]},
    steady=True,
)
