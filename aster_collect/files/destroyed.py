"""What another program destroyed of a file, as a gap, and what of it is to be written anew. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from ..exchange.events import Gap
from ..exchange.form import Form
from ..exchange.streams.kind import ID, Event, Lane
from .damage import Cut
from .losses import with_ids

STEP_BACK_MS = 1000  # by so much times go back at most in the order of ids


class Destroyed(NamedTuple):
    """Rows that somebody took out of a file, as a gap.

    Of trades also what is still there to be written, in order: the last of them, and all that waited behind; `begins`
    says that no row is left before.
    """

    gap: Gap
    waiting: list[Event]
    begins: bool


def destroyed(form: Form, cut: Cut, waiting: Sequence[str] = ()) -> Destroyed:
    """Return what rows that were cut are as a gap; `waiting` are those of trades that were behind, in order."""
    kind = form.kind
    from_ms, to_ms = kind.row_time_ms(cut.left or cut.first), kind.row_time_ms(cut.last)
    if kind.lane is Lane.CHAIN and waiting:  # they can't stand without what was before them
        to_ms = max(to_ms, kind.row_time_ms(waiting[-1]))
    if kind.ids and kind.lane is not Lane.SEQUENCE:  # they order the rows, so that times among those may lie outside
        from_ms, to_ms = from_ms - STEP_BACK_MS, to_ms + STEP_BACK_MS
    gap = Gap.of_time(kind.name, min(from_ms, to_ms), to_ms, "destroyed")
    if kind.lane is not Lane.SEQUENCE:
        return Destroyed(gap, [], cut.left is None)
    last = form.event(cut.last)
    first_id = form.event(cut.left)[ID] + 1 if cut.left else _first_id(cut.first)
    return Destroyed(with_ids(gap, first_id, last[ID]), [last, *map(form.event, waiting)], cut.left is None)


def _first_id(begin: str) -> int:
    """Return the id that a row begins with."""
    return int(begin.partition(",")[0])
