"""How connections, streams and delays stand, in numbers: what a run tells of itself. Pure.

Times named `_ns` are our clock's Unix nanoseconds, `_ms` the exchange's Unix milliseconds; 0 is what has not happened.
"""

from typing import NamedTuple

from ..exchange.streams import KINDS
from ..exchange.streams.kind import Lane

NEVER_DELIVERED_S = 60  # so long after the start a stream without a frame is called by its name

# Upper bounds, in seconds, of the histogram of how long after it was sent a frame was received.
DELAY_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ConnectionState(NamedTuple):
    """One place of a connection, which its successors keep: `state` is "connecting", "open" or "lost".

    The times are 0 for what has not happened yet; all else is of every connection that had the place.
    """

    number: int
    state: str
    opened_ns: int
    last_frame_ns: int
    frames: int
    reconnects: int


class StreamState(NamedTuple):
    """One symbol's stream of one kind; `missing` counts the trades of the hole being filled, `held` those behind it."""

    symbol: str
    kind: str
    frames: int
    rows: int
    last_row_ms: int
    gaps: int
    missing: int
    held: int

    @property
    def has_ids(self) -> bool:
        """Whether its rows are proven by their ids, and what is missing can be asked for."""
        return KINDS[self.kind].lane is Lane.SEQUENCE


class Delays(NamedTuple):
    """A histogram: how many batches came within each bound of `DELAY_BOUNDS_S` and the next, and past the last."""

    counts: tuple[int, ...]
    sum_s: float
