"""Where the times of a stream's events step back: the exchange's clock was set, and times overlap there. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from ..exchange.events import Gap
from ..exchange.streams.kind import TIME, Event

STEP_BACK_MS = 1000  # less is what the exchange's servers differ by …
FARTHEST_STEP_MS = 86_400_000  # … and more is one odd time, and would blot out all that comes
LOOKS_A_SECOND = 8


def steps_back(stream: str, last_ms: int, events: Sequence[Event]) -> list[Gap]:
    """Return the stretch of each step back in the times of events, the first against the last one before.

    A clock that was set stays set: where events are many, the times of some in every second tell whether to look
    closer.
    """
    if not events:
        return []
    stride = max(1, len(events) // (LOOKS_A_SECOND * max(1, (events[-1][TIME] - events[0][TIME]) // 1000 + 1)))
    times = [last_ms, *[event[TIME] for event in events[::stride]], events[-1][TIME]]
    if sorted(times) == times:
        return []
    return [
        Gap.of_time(stream, after_ms, before_ms, "clock")
        for before_ms, after_ms in pairwise([last_ms, *[event[TIME] for event in events]])
        if STEP_BACK_MS < before_ms - after_ms <= FARTHEST_STEP_MS
    ]
