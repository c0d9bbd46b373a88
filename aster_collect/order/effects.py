"""What the engine wants done: each is a value, and the loop carries them out in their order."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..exchange.events import Ask, Gap
from ..exchange.streams.kind import Event, Kind


class Rows(NamedTuple):
    """Events to be written, in order; `now_ms` is what the exchange's clock says.

    `opening` makes of an event the row that a file of its own needs before it, where there is any.
    """

    kind: Kind
    symbol: str
    events: Sequence[Event]
    now_ms: int
    opening: Callable[[Event], Event | None] | None = None


class Missing(NamedTuple):
    """A row of a symbol's ledger."""

    symbol: str
    gap: Gap


class Uncovered(NamedTuple):
    """Rows of the ledger of streams, by symbol and kind, that were not covered together."""

    gaps: Mapping[tuple[str, str], Gap]


class Aside(NamedTuple):
    """A file, and all closed ones before it, are of another history: once it has its rows it gets another name."""

    kind: Kind
    symbol: str
    why: str


class Request(NamedTuple):
    """A REST request to be made."""

    ask: Ask


class Reject(NamedTuple):
    """What could not be read, or fits in nowhere, to be kept verbatim."""

    source: str
    received_ns: int
    reason: str
    data: bytes


class Flush(NamedTuple):
    """What was written so far is to go to the disk."""

    sync: bool


class Say(NamedTuple):
    """A line for the log: its level, its text as the logger takes it, and the values."""

    level: str
    text: str
    values: tuple[object, ...] = ()


Effect = Rows | Missing | Uncovered | Aside | Request | Reject | Flush | Say
