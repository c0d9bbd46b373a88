"""The end of a file, as far as a run has left it that wrote these rows in another form, or to another file."""

import os
from collections.abc import Sequence
from pathlib import Path

from ..exchange.form import Form
from ..exchange.streams.kind import ID, TIME, Event
from ..files.tail import BLOCK, read_at


def ends_so(path: Path, size: int, form: Form, last: Sequence[Event]) -> bool:
    """Return whether of a file's first bytes the last whole row is the last of these, as far as that can be told.

    Where there is no row, or the file is of another form, it can't. Raises `OSError`.
    """
    with path.open("rb") as file:
        descriptor, start = file.fileno(), len(form.header)
        if read_at(descriptor, start, 0) != form.header:
            return True
        low = max(start, size - BLOCK)
        rows = read_at(descriptor, max(0, size - low), low).split(b"\n")[low > start : -1]
    return not rows or (bool(last) and rows[-1] == form.rows(last[-1:])[0].encode("utf-8"))


def cut_behind(path: Path, form: Form, last: Sequence[Event]) -> None:
    """Cut a file's rows that come after the last ones of a run, which has none where there are no such.

    A file of another form is left alone. Raises `OSError`.
    """
    with path.open("r+b") as file:
        descriptor, start = file.fileno(), len(form.header)
        if read_at(descriptor, start, 0) != form.header:
            return
        end, length = path.stat().st_size, BLOCK
        kept, low = 0, end
        while not kept and low > start:
            low = max(start, end - length)
            rows = read_at(descriptor, end - low, low).split(b"\n")[low > start : -1]
            kept = _kept(form, rows, last)
            length *= 2
        if end > start:
            os.ftruncate(descriptor, end - sum(len(row) + 1 for row in rows[kept:]))


def _kept(form: Form, rows: Sequence[bytes], last: Sequence[Event]) -> int:
    """Return how many of these rows, the last of a file, do not come after those.

    Of a kind told by content the last row may not be the newest: there the end is known by what rows say.
    """
    if not last:
        return 0
    events = [form.event(row.decode("utf-8")) for row in rows]
    for kept in range(len(events), 0, -1) if form.kind.by_content else ():
        if all(map(_say_the_same, events[:kept][-len(last) :][::-1], last[::-1])):
            return kept
    has_ids = bool(events and events[-1][ID] and last[-1][ID])
    by, time_ms, kept = ID if has_ids else TIME, last[-1][TIME], len(events)
    while kept and events[kept - 1][by] > last[-1][by]:
        kept -= 1
    if not has_ids:  # of one time there are as many as there were
        kept -= max(0, _count(events[:kept], time_ms) - _count(last, time_ms))
    return kept


def _say_the_same(one: Event, other: Event) -> bool:
    return bool(one[TIME:-1] == other[TIME:-1])


def _count(events: Sequence[Event], time_ms: int) -> int:
    return sum(event[TIME] == time_ms for event in events)
