"""The end of a file, as far as a run has left it that wrote the same rows in another form: what is behind is cut."""

import os
from collections.abc import Sequence
from pathlib import Path

from ..exchange.form import Form
from ..exchange.streams.kind import ID, TIME, Event
from ..files.tail import BLOCK, read_at


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
    """Return how many of these rows, the last of a file, do not come after those."""
    if not last:
        return 0
    events = [form.event(row.decode("utf-8")) for row in rows]
    kept = len(events)
    while kept and _is_after(events[kept - 1], last[-1]):
        kept -= 1
    if kept and not _have_ids(events[kept - 1], last[-1]):  # of one time there are as many as there were
        time_ms = last[-1][TIME]
        kept -= max(0, _count(events[:kept], time_ms) - _count(last, time_ms))
    return kept


def _is_after(event: Event, last: Event) -> bool:
    by = ID if _have_ids(event, last) else TIME
    return bool(event[by] > last[by])


def _have_ids(event: Event, last: Event) -> bool:
    return bool(event[ID] and last[ID])


def _count(events: Sequence[Event], time_ms: int) -> int:
    return sum(event[TIME] == time_ms for event in events)
