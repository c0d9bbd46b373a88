"""REST's requests on the wire: threads that make one at a time each, and tell what came of it."""

import queue
import time
from collections.abc import Callable
from typing import NamedTuple

from .. import __version__
from ..errors import NetworkError
from ..exchange.events import Ask
from .dial import get
from .reply import Reply

USER_AGENT = f"aster-collect/{__version__}"


class Call(NamedTuple):
    """A request that may be made now: its path with the query, and since when, by our monotonic clock."""

    ask: Ask
    path: str
    sent_s: float


class Called(NamedTuple):
    """What came of it; the times are those between which it was under way, by our clock."""

    call: Call
    asked_ns: int
    received_ns: int
    reply: Reply | NetworkError


def make(
    url: str,
    calls: "queue.SimpleQueue[Call | None]",
    told: Callable[[Called], None],
    *,
    get: Callable[..., Reply] = get,
    wall_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Make requests in turn until None comes; each blocks as long as `dial.get` does at most."""
    while (call := calls.get()) is not None:
        told(made(url, call, get=get, wall_ns=wall_ns))


def made(url: str, call: Call, *, get: Callable[..., Reply] = get, wall_ns: Callable[[], int] = time.time_ns) -> Called:
    """Make one request, and return what came of it; blocks as long as `dial.get` does at most."""
    asked_ns = wall_ns()
    try:
        reply: Reply | NetworkError = get(url, call.path, {"User-Agent": USER_AGENT}, most_bytes=call.ask.most_bytes)
    except NetworkError as error:
        reply = error
    return Called(call, asked_ns, wall_ns(), reply)
