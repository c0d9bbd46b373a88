"""Snapshots of the top of the book, as the exchange makes them: a row each, wide, missing levels blank."""

from collections.abc import Sequence
from operator import gt, lt
from typing import NamedTuple

from ..cells import DECIMAL, SECONDS, WHOLE, Column, milliseconds, seconds
from ..exact import Units
from ..fields import Payload, symbol, times_ms, whole
from . import updates
from .kind import Check, Decoded, Kind, Lane, Options, Top, Wire, Write

LEVELS = (5, 10, 20)


class Book(NamedTuple):
    """One snapshot of the book's top.

    A side is text, `price,quantity,price,quantity,…` from the best level on, empty where the side is: the cells of its
    row, since a book is many values that nothing here looks into. `previous_id` is the update id of the stream's event
    before, -1 where that is not said.
    """

    id: int
    time_ms: int
    previous_id: int
    bids: str
    asks: str
    received_ns: int | None = None


def columns(options: Options) -> tuple[Column, ...]:
    """Return the columns of a file with so many levels a side: all bids by level, then all asks."""
    sides = (Column(name, DECIMAL.or_blank()) for side in _top(options) for name in side)
    return (Column("unix_timestamp", SECONDS), Column("lastUpdateId", WHOLE), *sides)


def _top(options: Options) -> Top:
    bids, asks = (
        tuple(f"{side}_{part}_{level}" for level in range(options.levels) for part in ("price", "qty"))
        for side in ("bid", "ask")
    )
    return Top(bids, asks)


def decode(payload: Payload, received_ns: int) -> Decoded:
    """Return the snapshot in a frame; the spot exchange has other names for its id and its sides."""
    made_ms, sent_ms = times_ms(payload, received_ns)
    update_id = whole(payload, "lastUpdateId" if "u" not in payload and "lastUpdateId" in payload else "u")
    previous_id = whole(payload, "pu") if "pu" in payload else -1
    bids, asks = (
        _side(payload, long if key not in payload and long in payload else key)
        for key, long in (("b", "bids"), ("a", "asks"))
    )
    return Decoded(symbol(payload), Book(update_id, made_ms, previous_id, bids, asks, received_ns), sent_ms)


def _side(payload: Payload, key: str) -> str:
    return ",".join(text for level in updates.levels(payload, key) for text in level)


def _cells(levels: str) -> str:
    """Return `["p","q"],["p","q"]` as `p,q,p,q`; bytes can delete characters in one pass."""
    return levels.encode("ascii").translate(None, b'"[]').decode("ascii")


def side_cells(side: str, levels: int) -> str:
    """Return one side of a book as `levels` price and quantity cells, missing levels blank, more levels cut.

    `side` is text, `price,quantity,price,quantity,…` from the best level on; so is the result.
    """
    missing = 2 * levels - 1 - side.count(",")
    if missing > 0:
        return side + "," * missing
    return side if missing == 0 else ",".join(side.split(",")[: 2 * levels])


def _write(options: Options) -> Write:
    levels = options.levels

    def write(books: Sequence[Book]) -> list[str]:
        return [
            f"{seconds(made_ms)},{update_id},{side_cells(bids, levels)},{side_cells(asks, levels)}"
            for update_id, made_ms, _, bids, asks, _ in books
        ]

    return write


def _read(cells: Sequence[str]) -> Book:
    width = (len(cells) - 2) // 4 * 2  # of a side
    bids, asks = (",".join(cells[start : start + width]).rstrip(",") for start in (2, 2 + width))
    return Book(int(cells[1]), milliseconds(cells[0]), -1, bids, asks)


def _channel(options: Options) -> str:
    speed = "" if options.interval_ms == 250 else f"@{options.interval_ms}ms"
    return f"depth{options.levels}{speed}"


_units = Units()


def _flaw(book: Sequence[bytes]) -> str:
    """Say what is wrong with the two sides of a book: each is ordered, blank at its end alone, and they don't cross."""
    half, best = len(book) // 2, []
    for word, cells, before, ordered in (("bid", book[:half], gt, "descend"), ("ask", book[half:], lt, "ascend")):
        count = cells.index(b"") if b"" in cells else half
        if count % 2 or any(cells[count:]):
            return _hole(word, cells)
        prices = list(map(_units.__getitem__, cells[:count:2]))
        if not all(map(before, prices, prices[1:])):
            return f"{word}s do not {ordered} strictly"
        best += prices[:1]
    return "book crossed: best bid is not below best ask" if len(best) == 2 and best[0] >= best[1] else ""


def _hole(word: str, cells: Sequence[bytes]) -> str:
    for level, (price, quantity) in enumerate(zip(cells[::2], cells[1::2], strict=True)):
        if price and not quantity:
            return f"{word}_price_{level} has no quantity"
        if quantity and not price:
            return f"{word}_price_{level} is blank, but its quantity is not"
    return f"blank {word} level before a filled one"


KIND = Kind(
    name="orderbook",
    sentence="snapshots of the top of the book, 5, 10 or 20 levels a side",
    lane=Lane.RISING,
    columns=columns,
    write=_write,
    read=_read,
    wire=Wire(updates.NAME, _channel, decode, take=lambda _: updates.take("depth[0-9]+(?:@[0-9]+ms)?", _cells)),
    previous=Book._fields.index("previous_id"),
    ids="lastUpdateId",
    untimed=("spot",),
    steady=True,
    check=Check("bid_price_0", lambda options: 4 * options.levels, _flaw),
    top=_top,
)
