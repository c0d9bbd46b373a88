"""The lane of kinds without ids: in the order of time, and what several connections bring is told by its content.

Pure.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Hashable
from operator import itemgetter

from ..exchange.events import Gap
from ..exchange.streams.kind import TIME, Event, Kind
from .effects import Effect, Missing, Rows
from .lane import Left
from .steps import STEP_BACK_MS, steps_back
from .written import BEHIND_MS, content

REMEMBERED_MS = 120_000  # as in `Reorder`: who lags by more does not cover its streams

_time = itemgetter(TIME)


class Plain:
    """One stream's events by time.

    ```
    add ──▶ at rest ──turn──▶ written; what says the same again is a double, and while several connections bring them
                              what is new but older than the newest row is late: a row of the ledger
    ```

    A double comes from another connection beside, or from one that was made anew and leads to a server that is behind.
    """

    def __init__(self, kind: Kind, symbol: str, left: Left) -> None:
        """Resume behind what a run before has left."""
        self.kind, self.symbol = kind, symbol
        self.last_ms: int = left.last[-1][TIME] if left.last else 0
        self.rows = 0
        self.skipped = 0
        self.duplicates = 0
        self._left_ms = self.last_ms  # the end of the file as it was found, while something of before can come again
        self._left = {content(event) for event in left.last}
        self._frames = 0
        self._fresh: list[Event] = []
        self._rested: list[Event] = []
        self._newest: Event | None = None
        self._known: set[Hashable] = set()
        self._known_when: deque[tuple[int, Hashable]] = deque()
        self.add = self._fresh.append

    @property
    def frames(self) -> int:
        """How many events came."""
        return self._frames + len(self._fresh)

    @property
    def remembered(self) -> int:
        """How many events are remembered to tell what comes late from what comes twice."""
        return len(self._known)

    def forget(self) -> None:
        """Forget the oldest of them."""
        if self._known_when:
            self._known.discard(self._known_when.popleft()[1])

    def newest(self) -> Event | None:
        """Return the event that came last, None if there was none."""
        return next((events[-1] for events in (self._fresh, self._rested) if events), self._newest)

    def turn(self, remember_s: float | None, now_ms: int) -> list[Effect]:
        """Return what is to be written now, and what of it is missing; what has come since begins its rest."""
        fresh = sorted(self._fresh, key=_time)
        self._frames += len(fresh)
        self._fresh.clear()
        fresh = self._new(fresh, now_ms)
        effects: list[Effect] = []
        rested = self._rested
        if rested and fresh:  # what a slower connection, or another server, brings of before finds its place
            newest_ms, redundant = rested[-1][TIME], remember_s is not None
            earliest_ms = self.last_ms if redundant else max(self.last_ms, newest_ms - STEP_BACK_MS)
            stop = bisect_left(fresh, newest_ms, key=_time)
            start = bisect_left(fresh, earliest_ms, 0, stop, key=_time)
            late, early, fresh = fresh[:start], fresh[start:stop], fresh[stop:]
            if not redundant:
                fresh = late + fresh  # a clock that was set back: they are written, and the ledger tells of the step
            elif late:
                effects.append(self._missing(late[0][TIME], late[-1][TIME]))
            if early:
                rested = sorted([*rested, *early], key=_time)
        self._rested = fresh
        if rested:
            steps = steps_back(self.kind.name, self.last_ms, rested)
            effects = [Rows(self.kind, self.symbol, rested, now_ms), *effects]
            effects += [Missing(self.symbol, gap) for gap in steps]
            self.rows += len(rested)
            self.last_ms, self._newest = rested[-1][TIME], rested[-1]
        return effects

    def _new(self, events: list[Event], now_ms: int) -> list[Event]:
        """Return the events that are not known, and know them for a while."""
        if self._left_ms:
            events = self._behind_left(events)
        while self._known_when and self._known_when[0][0] < now_ms - REMEMBERED_MS:
            self.forget()
        new: list[Event] = []
        for event in events:
            said = content(event)
            if said in self._known:
                self.duplicates += 1
                continue
            self._known.add(said)
            self._known_when.append((now_ms, said))
            new.append(event)
        return new

    def _behind_left(self, events: list[Event]) -> list[Event]:
        """Return what is not in the file already: a restart can lead to a server that is behind."""
        oldest_ms = self._left_ms - BEHIND_MS  # what is older by more was made by a clock that was set back: it is new
        new = [
            event
            for event in events
            if event[TIME] > self._left_ms
            or event[TIME] < oldest_ms
            or (event[TIME] == self._left_ms and content(event) not in self._left)
        ]
        self.duplicates += len(events) - len(new)
        if self.last_ms > self._left_ms + BEHIND_MS:
            self._left_ms, self._left = 0, set()
        return new

    def _missing(self, from_ms: int, to_ms: int) -> Missing:
        return Missing(self.symbol, Gap(self.kind.name, from_ms, to_ms, None, None, "late"))
