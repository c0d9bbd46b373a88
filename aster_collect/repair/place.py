"""Which file of a history each trade belongs to: by its id, and at a file's end by its time. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Protocol

from ..exchange.streams.trades import Trade
from ..files.names import Part
from ..files.period import period_end, period_name


class Extent(Protocol):
    """A file that has rows."""

    @property
    def part(self) -> Part:
        """Which file it is."""

    @property
    def first_id(self) -> int:
        """The id of its first row."""

    @property
    def last_id(self) -> int:
        """The id of its last row."""

    @property
    def first_ms(self) -> int:
        """The time of its first row."""


def places(files: Sequence[Extent], trades: Iterable[Trade]) -> list[tuple[Part, list[Trade]]]:
    """Return trades, whose ids rise, with the file of each.

    Behind the last row of a closed file, and before the first of all, they go where the hour or day is that they were
    made in: into that file, into the next one, or into one before it that is not there yet. Time never goes back to a
    file before.
    """
    found: list[tuple[Part, list[Trade]]] = []
    firsts = [one.first_id for one in files]
    latest_ms = 0  # where the period of the one before ends
    for trade in trades:
        at = bisect_right(firsts, trade.id) - 1
        part = files[max(0, at)].part
        if part.period and at + 1 < len(files) and (at < 0 or trade.id > files[at].last_id):
            latest_ms = max(latest_ms, period_end(trade.time_ms, part.length_ms))
            part = _between(part if at >= 0 else None, files[at + 1], latest_ms, part.length_ms)
        if not found or found[-1][0] != part:
            found.append((part, []))
        found[-1][1].append(trade)
    return found


def _between(part: Part | None, next_: Extent, end_ms: int, length_ms: int) -> Part:
    """Return the file of a period's end: a closed one, where there is one before, the next one, or one between them."""
    if part is not None and end_ms <= part.end_ms:
        return part
    if end_ms >= (next_.part.end_ms if next_.part.period else period_end(next_.first_ms, length_ms)):
        return next_.part
    return Part(next_.part.kind, next_.part.symbol, period_name(end_ms, length_ms))
