"""What one read of a connection says of that connection: what is counted, and how far it covers its streams. Pure."""

from typing import NamedTuple

from ..exchange.events import Bad


class Seen(NamedTuple):
    """A read: when it came by our clocks, and when the newest of its messages was sent, 0 where none could be read.

    `first_ms` is when the first was sent, of a connection that begins; else it says nothing more than `newest_ms`.
    `lag_ms` is by how much a sending time lay behind its event's, None where no fast shape says so; `odd` could not be
    read.
    """

    connection: int
    received_ns: int
    received_s: float
    messages: int
    first_ms: int
    newest_ms: int
    lag_ms: int | None
    odd: list[Bad]
