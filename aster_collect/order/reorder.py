"""One stream's events put in the order of their ids, each once.

Pure. Two connections, or an old and a new one during a hand-over, deliver the same events with different delays,
and a new one can be ahead: what the other then brings is late, not a duplicate. So an event rests for one turn
before it is written, and a late one finds its place meanwhile. A turn is half a flush interval, so that no event
waits longer than the interval, and two seconds at least while more than one connection brings them.
"""

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import lt

from ..exchange.streams.kind import ID, Event

REMEMBERED_S = 120.0  # one that lags by more does not cover its streams: coverage says what nobody else brought


class Reorder:
    """Events by id: newly come, rested one turn, written.

    ```
    fresh ──turn──▶ rested ──turn──▶ returned, to be written; at or below its last id all is late or double
    ```

    `fresh` is one list for ever: who brings frames holds its `append`, which is called for every frame. The first event
    of an id counts. Order and duplicates are looked at once a turn.
    """

    def __init__(self, written_id: int = -1) -> None:
        self.fresh: list[Event] = []
        self.refused: list[Event] = []  # of the last turn: at or below what was written, late or double
        self.late: list[Event] = []  # those of them that were never written
        self.remembered = 0  # how many ids
        self._remembered: deque[tuple[float, array[int]]] = deque()  # of each turn when, and the ids, rising over all
        self._written_id = written_id
        self._unknown_id = written_id  # of ids up to it nobody remembers which of them were written
        self._rested: list[Event] = []

    @property
    def resting(self) -> int:
        """How many events are at rest or fresh."""
        return len(self._rested) + len(self.fresh)

    def newest(self) -> Event | None:
        """Return the event that came last and is not written yet."""
        newest = self.fresh or self._rested
        return newest[-1] if newest else None

    def discard(self, chosen: Callable[[Sequence[Event]], Iterable[int]]) -> None:
        """Forget those of the fresh events whose ids are chosen: they are of another history, or written."""
        ids = set(chosen(self.fresh))
        if ids:
            self.fresh[:] = [event for event in self.fresh if event[ID] not in ids]

    def begin_anew(self, fresh: Iterable[Event]) -> None:
        """Begin another history with these events."""
        self.fresh[:] = fresh
        self._rested, self.refused, self.late = [], [], []
        self._remembered.clear()
        self.remembered = 0
        self._written_id = self._unknown_id = -1

    def turn(self, remember_s: float | None = None) -> list[Event]:
        """Return the events that have rested, in order; what is fresh begins its rest.

        `remember_s` is the time, by our monotonic clock, while more than one connection brings the events: then what
        comes too late is told from what comes twice by the ids written lately. Of older ids nothing can be said. They
        count as come twice: whoever is so far behind has been outrun, and what the others lacked is an outage.
        """
        self.refused, self.late = [], []
        while self._remembered and (remember_s is None or self._remembered[0][0] < remember_s - REMEMBERED_S):
            self.forget()
        rested, fresh = self._rested, self.fresh[:]
        if not (rested or fresh):
            return []
        self.fresh.clear()
        last_id = rested[-1][ID] if rested else self._written_id
        ids = [event[ID] for event in fresh]
        if ids and not (ids[0] > max(last_id, self._written_id) and all(map(lt, ids, islice(ids, 1, None)))):
            rested, fresh = self._sorted_in(rested, fresh, remember_s)
        self._written_id = max(self._written_id, last_id)
        if remember_s is None:
            self._unknown_id = self._written_id
        elif rested:
            self._remembered.append((remember_s, array("q", [event[ID] for event in rested])))
            self.remembered += len(rested)
        self._rested = fresh
        return rested

    def _sorted_in(
        self, rested: list[Event], fresh: list[Event], remember_s: float | None
    ) -> tuple[list[Event], list[Event]]:
        """Return what has rested with what belongs among it, and the rest of what is fresh: in order, each once."""
        known = {event[ID] for event in rested}
        first: dict[int, Event] = {}
        for event in fresh:
            first.setdefault(event[ID], event)
        self.refused = [event for one, event in first.items() if one < self._written_id]
        if self.refused and remember_s is not None:
            self.late = self._never_written()
        new = sorted(one for one in first if one > self._written_id and one not in known)
        at = bisect_left(new, rested[-1][ID]) if rested else 0
        if at:
            rested = sorted([*rested, *(first[one] for one in new[:at])], key=lambda event: event[ID])
        return rested, [first[one] for one in new[at:]]

    def forget(self) -> None:
        """Forget the ids of the oldest turn that is remembered, if there is one."""
        if self._remembered:
            _, ids = self._remembered.popleft()
            self._unknown_id = ids[-1]
            self.remembered -= len(ids)

    def _never_written(self) -> list[Event]:
        """Return those of the refused events whose ids are none of those remembered, and not too old to be."""
        turns = [ids for _, ids in self._remembered]
        ends = [ids[-1] for ids in turns]
        late = []
        for event in self.refused:
            if event[ID] > self._unknown_id:
                ids = turns[bisect_left(ends, event[ID])]
                if ids[bisect_left(ids, event[ID])] != event[ID]:
                    late.append(event)
        return late
