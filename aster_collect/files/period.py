"""When a file's period ends, by its rows' own time: an hour or a day of UTC. Pure."""

import time
from collections.abc import Iterable, Sequence
from math import inf

from ..exchange.streams.kind import TIME, Event
from .names import DAY_MS, HOUR_MS

PERIODS_MS = {"none": 0, "hour": HOUR_MS, "day": DAY_MS}
NEAR_MS = 60_000  # the farthest that rows change places in time
AHEAD_MS = 600_000  # by more no row is ahead of the exchange's clock, but for an odd one


class Period:
    """The period that is being written of one file: none until a row begins one, and never any of length 0."""

    def __init__(self, length_ms: int) -> None:
        self._length_ms = length_ms
        self.start_over()

    def start_over(self) -> None:
        """Let the next row begin a period, whatever its time is."""
        self._end_ms = 0
        self.near_ms = -inf if self._length_ms else inf  # events whose last is before it end no period

    def go_on_behind(self, times_ms: Iterable[int]) -> None:
        """Go on in the period of the latest of the times of what is written already, if there are any."""
        self.start_over()
        latest_ms = max(times_ms, default=None)
        if self._length_ms and latest_ms is not None:
            self._begin(latest_ms)

    def _begin(self, time_ms: int) -> None:
        self._end_ms = period_end(time_ms, self._length_ms)
        self.near_ms = self._end_ms - NEAR_MS

    def split(self, events: Sequence[Event], now_ms: int | None) -> list[tuple[str, Sequence[Event]]]:
        """Return events in order, in pieces, each with what the period before it is called: "" where none ends there.

        Time never goes back to an earlier period: such an event stays in the one that is being written. So does one of
        far ahead of `now_ms`, what the exchange's clock says: no other would end a period after it.
        """
        latest_ms = inf if now_ms is None else now_ms + AHEAD_MS
        pieces: list[tuple[str, Sequence[Event]]] = []
        ended, start = "", 0
        for at, event in enumerate(events):
            time_ms = event[TIME]
            if self._end_ms <= time_ms <= latest_ms:
                pieces.append((ended, events[start:at]))
                ended, start = period_name(self._end_ms, self._length_ms) if self._end_ms else "", at
                self._begin(time_ms)
        pieces.append((ended, events[start:]))
        return [(name, piece) for name, piece in pieces if piece]


def period_end(time_ms: int, length_ms: int) -> int:
    """Return where the period ends that a time lies in."""
    return (time_ms // length_ms + 1) * length_ms


def period_name(end_ms: int, length_ms: int) -> str:
    """Return what a period is called, by its end."""
    form = "%Y-%m-%dT%H" if length_ms == HOUR_MS else "%Y-%m-%d"
    return time.strftime(form, time.gmtime((end_ms - length_ms) // 1000))
