"""Best bid and offer: a row for every change of a price or a quantity at the top of the book."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from ..cells import DECIMAL, SECONDS, WHOLE, Column, middle, milliseconds
from ..exact import Units
from ..fields import Payload, decimal, symbol, times_ms, whole
from . import shapes
from .kind import Add, Check, Decoded, Kind, Lane, Options, Take, Taken, Top, Wire, Write

KNOWN = 16_384  # prices, of all symbols
MIDDLES = 4096  # most changes of a best bid or offer change a quantity only, or bring back a price of a moment ago

_OURS = (Column("unix_timestamp", SECONDS), *(Column(name, DECIMAL) for name in ("bid", "ask", "mid")))
_QUANTITIES = (Column("update_id", WHOLE), Column("bid_qty", DECIMAL), Column("ask_qty", DECIMAL))


class Quote(NamedTuple):
    """One change of the best bid or offer; quantities are there where they are wanted."""

    id: int
    time_ms: int
    bid: str
    ask: str
    bid_quantity: str = ""
    ask_quantity: str = ""
    received_ns: int | None = None


def decode(payload: Payload, received_ns: int) -> Decoded:
    """Return the quote in a frame."""
    made_ms, sent_ms = times_ms(payload, received_ns)
    bid, bid_quantity, ask, ask_quantity = (decimal(payload, key) for key in ("b", "B", "a", "A"))
    quote = Quote(whole(payload, "u"), made_ms, bid, ask, bid_quantity, ask_quantity, received_ns)
    return Decoded(symbol(payload), quote, sent_ms)


def _take(options: Options) -> Take:
    quantity = f"({shapes.DECIMAL})" if options.quantities else f"{shapes.DECIMAL}()"
    shape = re.compile(
        rf'{shapes.WRAPPED}"bookTicker","u":({shapes.ID}),"s":"({shapes.TEXT})","b":"({shapes.DECIMAL})",'
        rf'"B":"{quantity}","a":"({shapes.DECIMAL})","A":"{quantity}","T":({shapes.MS}),"E":({shapes.MS}){shapes.END}'
    ).fullmatch
    # Most prices are those of a moment ago: as one text they take half the memory, which is what many symbols wait for.
    known: dict[str, str] = {}
    same = known.setdefault

    def take(text: str, bounds: Sequence[int], received_ns: int, adds: Mapping[str, Add]) -> Taken:
        if len(known) > KNOWN:
            known.clear()
        left: list[int] = []
        newest = None
        before, made_ms = "", 0
        find = adds.get
        each = iter(bounds)
        for start, stop in zip(each, each, strict=True):
            match = shape(text, start, stop)
            if match is None:
                left += (start, stop)
                continue
            update_id, name, bid, bid_quantity, ask, ask_quantity, made, _ = match.groups()
            add = find(name)
            if add is None:
                left += (start, stop)
                continue
            if made != before:  # bursts share their millisecond
                before, made_ms = made, int(made)
            add((int(update_id), made_ms, same(bid, bid), same(ask, ask), bid_quantity, ask_quantity, received_ns))
            newest = match
        if newest is None:
            return left, 0, 0
        return left, made_ms, max(made_ms, int(newest[8]))

    return take


def _write(options: Options) -> Write:
    mean = lru_cache(maxsize=MIDDLES)(middle)

    def write(quotes: Sequence[Quote]) -> list[str]:
        rows: list[str] = []
        add = rows.append
        before_ms, stamp = -1, ""
        for _, made_ms, bid, ask, _, _, _ in quotes:
            if made_ms != before_ms:  # bursts share their millisecond
                before_ms, stamp = made_ms, f"{made_ms // 1000}.{made_ms % 1000:03d}"
            add(f"{stamp},{bid},{ask},{mean(bid, ask)}")
        return rows

    def write_quantities(quotes: Sequence[Quote]) -> list[str]:
        sizes = (f"{quote[0]},{quote[4]},{quote[5]}" for quote in quotes)
        return [f"{row},{behind}" for row, behind in zip(write(quotes), sizes, strict=True)]

    return write_quantities if options.quantities else write


def _read(cells: Sequence[str]) -> Quote:
    made_ms, bid, ask = milliseconds(cells[0]), cells[1], cells[2]
    if len(cells) < len(_OURS) + len(_QUANTITIES):
        return Quote(0, made_ms, bid, ask)
    return Quote(int(cells[4]), made_ms, bid, ask, cells[5], cells[6])


_units = Units()


def _flaw(quote: Sequence[bytes]) -> str:
    """Say what is wrong with a bid, an ask and their mid; a price of zero is a side that is absent."""
    bid, ask, mid = quote
    if _units[bid] + _units[ask] != 2 * _units[mid]:
        return f"mid {mid.decode()} is not the mean of {bid.decode()} and {ask.decode()}"
    if 0 < _units[ask] <= _units[bid]:
        return f"bid {bid.decode()} is not below ask {ask.decode()}"
    return ""


KIND = Kind(
    name="prices",
    sentence="every change of the best bid and ask",
    lane=Lane.RISING,
    columns=lambda options: (*_OURS, *_QUANTITIES) if options.quantities else _OURS,
    write=_write,
    read=_read,
    wire=Wire("bookTicker", lambda _: "bookTicker", decode, take=_take),
    shown=lambda quote: {"price": middle(quote[2], quote[3])},
    ids="update_id",
    untimed=("spot",),
    steady=True,
    check=Check("bid", lambda _: 3, _flaw, repeats=True),
    top=lambda options: Top(("bid", "bid_qty"), ("ask", "ask_qty")) if options.quantities else None,
)
