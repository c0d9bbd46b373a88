"""The lane of kinds whose ids rise without being contiguous: each event once, in order, and late ones find their place.

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

from ..exchange.events import Gap
from ..exchange.streams.kind import ID, TIME, Event, Kind
from .effects import Aside, Effect, Missing, Rows
from .lane import Left
from .steps import steps_back
from .suspects import FORMER_MS, PROOF_ROWS, START_OVER_MS
from .written import Written

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

    def discard(self, chosen: Callable[[Sequence[Event]], Iterable[int]]) -> list[Event]:
        """Forget, and return, those of the fresh events whose ids are chosen: of another history, or written."""
        ids = set(chosen(self.fresh))
        if not ids:
            return []
        discarded = [event for event in self.fresh if event[ID] in ids]
        self.fresh[:] = [event for event in self.fresh if event[ID] not in ids]
        return discarded

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


class Rising:
    """One stream's events by id, over restarts, redundant connections, and ids that begin anew.

    ```
    add ──▶ at rest ──turn──▶ written
              │ too low an id ─┬─ made before the newest row ──▶ late (a row of the ledger), or double
              └                └─ made long after it, three times ──▶ ids have begun anew: the file is set aside
    ```
    """

    def __init__(self, kind: Kind, symbol: str, left: Left) -> None:
        """Resume behind what a run before has left: by its ids, or where its rows bear none by what they say."""
        self.kind, self.symbol = kind, symbol
        last_id = left.last[-1][ID] if left.last else 0
        self.last_ms: int = left.last[-1][TIME] if left.last else 0
        self.rows = 0
        self.skipped = 0
        self._frames = 0
        self._reorder = Reorder(last_id or -1)
        self._written = Written(() if last_id else left.last)
        self._paused = (self.last_ms, self.last_ms)
        self._newest: Event | None = None
        self._too_low = 0  # events in a row whose ids are too low to be new
        self._anew_ms = 0  # since when ids are new, while former ones can come
        self.add = self._reorder.fresh.append

    @property
    def frames(self) -> int:
        """How many events came."""
        return self._frames + len(self._reorder.fresh)

    @property
    def duplicates(self) -> int:
        """How many of them had come before."""
        return self.frames - self._reorder.resting - self.rows

    @property
    def remembered(self) -> int:
        """How many ids are remembered to tell what comes late from what comes twice."""
        return self._reorder.remembered

    def forget(self) -> None:
        """Forget the oldest of them."""
        self._reorder.forget()

    def paused(self, from_ms: int, to_ms: int) -> None:
        """Remember it: what comes again of that time needs no other row of the ledger."""
        self._paused = from_ms, to_ms

    def newest(self) -> Event | None:
        """Return the event that came last, None if there was none."""
        return self._reorder.newest() or self._newest

    def turn(self, remember_s: float | None, now_ms: int) -> list[Effect]:
        """Return what is to be written now, and what of it is missing; what has come since begins its rest.

        What a run before has written is not written again.
        """
        reorder = self._reorder
        self._frames += len(reorder.fresh)
        if self._anew_ms:
            self._discard_former()
        effects: list[Effect] = []
        if not self._written.over(self.last_ms):
            effects += self._again(reorder.discard(self._written.again))
        events = reorder.turn(remember_s)
        if events:
            steps = steps_back(self.kind.name, self.last_ms, events)
            effects += [self._rows(events, now_ms), *(Missing(self.symbol, gap) for gap in steps)]
            self.last_ms = events[-1][TIME]
            self._too_low = 0
        if reorder.refused:
            effects += self._refused(now_ms)
        return effects

    def _again(self, discarded: Sequence[Event]) -> list[Effect]:
        """Return a row of the ledger for what counts as written, unless it is of the pause: the clock may be set back.

        Then it is new, and looks like what a server that is behind brings.
        """
        from_ms, to_ms = self._paused
        times_ms = [event[TIME] for event in discarded if not from_ms <= event[TIME] <= to_ms]
        return [self._missing(min(times_ms), max(times_ms), "clock")] if times_ms else []

    def _rows(self, events: Sequence[Event], now_ms: int) -> Rows:
        self.rows += len(events)
        if self.kind.previous is not None:
            self._count_skipped(events, self.kind.previous)
        self._newest = events[-1]
        return Rows(self.kind, self.symbol, events, now_ms)

    def _count_skipped(self, events: Sequence[Event], previous: int) -> None:
        """Count the events whose predecessor is another than the one before them; an outage is one too."""
        before = [event[ID] for event in ((self._newest,) if self._newest else ()) + tuple(events[:-1])]
        behind = events[len(events) - len(before) :]
        self.skipped += sum(event[previous] not in (-1, one) for one, event in zip(before, behind, strict=True))

    def _refused(self, now_ms: int) -> list[Effect]:
        """Tell what too low an id is: late, or, three times and made after all others, that ids have begun anew.

        What is late or double was made before the last row that was written; one odd frame alone is no proof.
        """
        late_ms = [event[TIME] for event in self._reorder.late]
        self._too_low += sum(event[TIME] > self.last_ms + START_OVER_MS for event in self._reorder.refused)
        if self._too_low >= PROOF_ROWS:
            return self._begin_anew(now_ms)
        return [self._missing(min(late_ms), max(late_ms), "late")] if late_ms else []

    def _begin_anew(self, now_ms: int) -> list[Effect]:
        """Write the last of the former ids, and set their file aside; what was refused comes with the next turns."""
        reorder = self._reorder
        refused = [event for event in reorder.refused if event[TIME] > self.last_ms]
        anew_ms = min(event[TIME] for event in refused)
        former = reorder.turn()
        fresh = [event for event in refused if event[TIME] >= anew_ms]
        reorder.begin_anew(fresh)
        self._frames -= len(fresh)  # they come again
        self._written, self._too_low, self._anew_ms = Written(()), 0, anew_ms
        rows = [self._rows(former, now_ms)] if former else []
        return [
            *rows,
            self._missing(self.last_ms, anew_ms, "new-ids"),
            Aside(self.kind, self.symbol, "update_ids_began_anew"),
        ]

    def _discard_former(self) -> None:
        """Leave out what a slow connection still brings of former ids: it would be written behind the new ones."""
        self._reorder.discard(lambda fresh: [event[ID] for event in fresh if event[TIME] < self._anew_ms])
        if self.last_ms > self._anew_ms + FORMER_MS:
            self._anew_ms = 0

    def _missing(self, from_ms: int, to_ms: int, cause: str) -> Missing:
        return Missing(self.symbol, Gap.of_time(self.kind.name, from_ms, to_ms, cause))
