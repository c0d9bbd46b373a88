"""Whether a file's last row is of the ids that the exchange has now.

Pure.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum

from ..exchange.streams.trades import Trade
from .steps import FARTHEST_STEP_MS
from .suspects import PROOF_ROWS, SAME_MS


class Verdict(Enum):
    """What is found."""

    OPEN = "nobody knows yet"
    SAME = "the same ids"
    FOREIGN = "another id space: the file is to be set aside"


def by_page(last: Trade, page: Sequence[Trade]) -> Verdict:
    """Return what a page says that was asked for from the last row's id on.

    A page that has not got that id proves nothing, a server can be behind, unless all that it has is later: the
    exchange has forgotten it.
    """
    first = page[0] if page else None
    if first is None:
        return Verdict.OPEN
    if first.id == last.id:
        return Verdict.SAME if _agree(first, last) else Verdict.FOREIGN
    return Verdict.SAME if first.time_ms >= last.time_ms else Verdict.OPEN


def without(last: Trade, waiting: Sequence[Trade]) -> Verdict:
    """Return what live trades say, where REST stays away: ids and times that both rise are taken for the same ids.

    Without such a trade as many are needed as for ids that have begun anew: of ids that go on, by a clock that was set
    back, or of others that contradict. With fewer it stays open.
    """
    beyond = [one for one in waiting if one.id > last.id]
    if any(one.time_ms >= last.time_ms for one in beyond):
        return Verdict.SAME
    set_back = sum(one.time_ms >= last.time_ms - FARTHEST_STEP_MS for one in beyond)
    if set_back >= PROOF_ROWS:
        return Verdict.SAME
    return Verdict.FOREIGN if len(waiting) - set_back >= PROOF_ROWS else Verdict.OPEN


def _agree(one: Trade, other: Trade) -> bool:
    """Return whether two tell of the same trade: price, quantity and side agree, the time to a second.

    REST and the stream can differ by a millisecond.
    """
    near = abs(one.time_ms - other.time_ms) <= SAME_MS
    try:
        same = Decimal(one.price) == Decimal(other.price) and Decimal(one.quantity) == Decimal(other.quantity)
    except InvalidOperation:  # the file's row is damaged
        return False
    return near and same and one.side.lower() == other.side.lower()
