"""The lane of kinds without ids: in the order of time, and what several connections bring is told by its content.

Pure.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Hashable
from operator import itemgetter

from ..exchange.events import Gap
from ..exchange.streams.kind import KNOWN_ROWS, TIME, Event, Kind
from .arrivals import Arrivals
from .effects import Effect, Missing, Rows
from .lane import Left
from .steps import STEP_BACK_MS, steps_back
from .written import BEHIND_MS, content

REMEMBERED_MS = 120_000  # as in `Reorder`: who lags by more does not cover its streams
LONGEST_TURN_MS = 10_000  # by more at once a clock was set

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
        self._left = left.last  # while something of before can come again
        # What is older was in the file perhaps; in a short one it was not.
        self._oldest_ms = min(event[TIME] for event in left.last) if len(left.last) == KNOWN_ROWS else 0
        self._arrivals = Arrivals()
        self._rested: list[Event] = []
        self._newest: Event | None = None
        self._known: set[Hashable] = set()
        self._known_when: deque[tuple[int, Hashable]] = deque()
        self._now_ms = self._even_ms = 0  # what the exchange's clock says, and how it would have gone on if never set
        self.add = self._arrivals.add

    @property
    def frames(self) -> int:
        """How many events came."""
        return self._arrivals.frames

    @property
    def remembered(self) -> int:
        """How many events are remembered to tell what comes late from what comes twice."""
        return len(self._known)

    def forget(self) -> None:
        """Forget the oldest of them."""
        if self._known_when:
            self._known.discard(self._known_when.popleft()[1])

    def paused(self, from_ms: int, to_ms: int) -> None:
        """Do nothing: what is in the file is known by what it says."""

    def newest(self) -> Event | None:
        """Return the event that came last, None if there was none."""
        return next((events[-1] for events in (self._arrivals.fresh, self._rested) if events), self._newest)

    def turn(self, remember_s: float | None, now_ms: int) -> list[Effect]:
        """Return what is to be written now, and what of it is missing; what has come since begins its rest."""
        fresh = sorted(self._arrivals.take(), key=_time)
        fresh, effects = self._behind_left(fresh)
        fresh = self._new(fresh, now_ms)
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
        self._even_ms += min(max(0, now_ms - self._now_ms), LONGEST_TURN_MS)
        self._now_ms = now_ms
        while self._known_when and self._known_when[0][0] < self._even_ms - REMEMBERED_MS:
            self.forget()
        new: list[Event] = []
        for event in events:
            said = content(event)
            if said in self._known:
                self.duplicates += 1
                continue
            self._known.add(said)
            self._known_when.append((self._even_ms, said))
            new.append(event)
        return new

    def _behind_left(self, events: list[Event]) -> tuple[list[Event], list[Effect]]:
        """Know what is in the file, and return what is not older, and that the other is missing, if it is not there.

        A restart can lead to a server that is behind. Where clocks are set, or a server brought what others lacked, the
        last row of a file is not its newest.
        """
        for event in self._left:
            self._known.add(said := content(event))
            self._known_when.append((self._even_ms, said))
        self._left = ()
        if not self._oldest_ms:
            return events, []
        # What is older by more was made by a clock that was set back: it is new.
        older = [event for event in events if self._oldest_ms - BEHIND_MS <= event[TIME] < self._oldest_ms]
        self.duplicates += len(older)
        if self.last_ms > self._oldest_ms + REMEMBERED_MS + BEHIND_MS:
            self._oldest_ms = 0
        if not older:
            return events, []
        return [event for event in events if event not in older], [self._missing(older[0][TIME], older[-1][TIME])]

    def _missing(self, from_ms: int, to_ms: int) -> Missing:
        return Missing(self.symbol, Gap.of_time(self.kind.name, from_ms, to_ms, "late"))
