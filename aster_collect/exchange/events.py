"""What the exchange says, in the field's words: the values that the parts of the program hand to each other.

Prices and quantities are the exchange's own decimal strings. Times named `_ms` are the exchange's Unix
milliseconds, times named `_ns` our own clock's Unix nanoseconds, times named `_s` our monotonic clock's seconds.
"""

from typing import NamedTuple

HAND_OVER = "hand-over"  # the reason of a loss that is none: another connection carries on


class Trade(NamedTuple):
    """One aggregate trade; `side` is the taker's."""

    symbol: str
    id: int
    event_ms: int | None
    sent_ms: int | None
    side: str
    price: str
    quantity: str


class Item(NamedTuple):
    """One trade on its way to the file: its id and time, and its row."""

    id: int
    time_ms: int
    row: str


class Quote(NamedTuple):
    """One change of the best bid or offer."""

    symbol: str
    update_id: int
    event_ms: int | None
    sent_ms: int | None
    bid: str
    ask: str


class Depth(NamedTuple):
    """One snapshot of the book's top.

    A side is text, `price,quantity,price,quantity,…` from the best level on, empty where the side is: the cells of
    its row, since a book is many values that nothing here looks into.
    """

    symbol: str
    update_id: int
    previous_update_id: int | None
    event_ms: int | None
    sent_ms: int | None
    bids: str
    asks: str


class Heartbeat(NamedTuple):
    """A mark price: it ticks every second, so its absence tells a dead connection from a quiet market."""

    sent_ms: int


Event = Trade | Quote | Depth | Heartbeat


class Gap(NamedTuple):
    """What is known to be missing: ids for trades, a stretch of time for prices and orderbook."""

    stream: str
    from_ms: int
    to_ms: int
    first_missing_id: int | None
    last_missing_id: int | None
    cause: str


class Batch(NamedTuple):
    """What one read of one connection brought: whole messages, in order, with one receive stamp.

    The messages lie in `data` from `bounds[0]` to `bounds[1]`, from `bounds[2]` to `bounds[3]`, and so on: one copy
    of what was read, and not one object for each.
    """

    group: int
    connection: int
    received_ns: int
    received_s: float
    data: bytes
    bounds: list[int]


class Wanted(NamedTuple):
    """A connection is to be made, and is to be told of until it ends; its successor has the same place."""

    group: int
    connection: int
    place: int


class Opened(NamedTuple):
    """A connection is open; its frames are still to come."""

    group: int
    connection: int
    opened_ns: int
    opened_s: float


class Bad(NamedTuple):
    """A message that can't be text of the protocol, cut to a bounded length."""

    connection: int
    received_ns: int
    reason: str
    data: bytes


class Lost(NamedTuple):
    """A connection ended; nothing more comes from it until its next batch. `over` says that no other follows."""

    group: int
    connection: int
    reason: str
    over: bool


class Ask(NamedTuple):
    """A REST request to make: path and query, its weight, and for a page of trades the symbol and first id.

    `most_bytes` is how large the answer may be. A patient one goes behind all others.
    """

    path: str
    query: tuple[tuple[str, str], ...]
    weight: int
    symbol: str = ""
    first_id: int = 0
    most_bytes: int = 4 << 20
    patient: bool = False


class Listed(NamedTuple):
    """The exchange lists new symbols: they make a group of their own, of the next number."""

    symbols: tuple[str, ...]


class Delisted(NamedTuple):
    """The exchange does not trade these of the collected symbols any more, and does all others."""

    symbols: tuple[str, ...]


class Reopen(NamedTuple):
    """The files may have been renamed: close them, and open them by name again."""


class Answer(NamedTuple):
    """What REST said: a JSON value, or where it refused for good, the reason."""

    ask: Ask
    asked_ns: int
    received_ns: int
    value: object
    refused: str = ""
