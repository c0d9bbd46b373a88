"""Open interest, asked for over REST every so often. The exchange keeps no past of it: recording is the only source."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import DecodeError
from ..cells import DECIMAL, MILLISECONDS, Column
from ..fields import decimal, times_ms
from .kind import Found, Kind, Lane, Options, Poll, Write

_OURS = (Column("unix_timestamp_ms", MILLISECONDS), Column("open_interest", DECIMAL))


class OpenInterest(NamedTuple):
    """How many contracts of a symbol were open, in its base currency."""

    id: int
    time_ms: int
    quantity: str
    received_ns: int | None = None


def decode(symbol: str, answers: Sequence[Any], received_ns: int) -> Found:
    """Return the open interest in an answer."""
    answer = answers[-1]
    if not isinstance(answer, dict):
        raise DecodeError("openInterest is not an object")
    if answer.get("symbol", symbol) != symbol:
        raise DecodeError(f"openInterest is of another symbol: {str(answer['symbol'])[:40]!r}")
    made_ms, _ = times_ms({"T": answer.get("time")}, received_ns)
    return Found([OpenInterest(0, made_ms, decimal(answer, "openInterest"), received_ns)], [])


def _write(_: Options) -> Write:
    return lambda answers: [f"{answer[1]},{answer[2]}" for answer in answers]


def _read(cells: Sequence[str]) -> OpenInterest:
    return OpenInterest(0, int(cells[0]), cells[1])


KIND = Kind(
    name="open-interest",
    sentence="open interest, asked for every --poll-interval seconds",
    lane=Lane.POLLED,
    columns=lambda _: _OURS,
    write=_write,
    read=_read,
    poll=Poll(("openInterest",), decode),
    markets=("futures",),
    steady=True,
)
