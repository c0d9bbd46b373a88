"""The lane of kinds whose ids rise without being contiguous: each event once, in order, and late ones find their place.

Pure.
"""

from collections.abc import Sequence

from ..exchange.events import Gap
from ..exchange.streams.kind import ID, TIME, Event, Kind
from .effects import Aside, Effect, Missing, Rows
from .lane import Left
from .reorder import Reorder
from .steps import steps_back
from .suspects import FORMER_MS, PROOF_ROWS, START_OVER_MS
from .written import Written


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
        if not self._written.over(self.last_ms):
            reorder.discard(self._written.again)
        effects: list[Effect] = []
        events = reorder.turn(remember_s)
        if events:
            steps = steps_back(self.kind.name, self.last_ms, events)
            effects += [self._rows(events, now_ms), *(Missing(self.symbol, gap) for gap in steps)]
            self.last_ms = events[-1][TIME]
            self._too_low = 0
        if reorder.refused:
            effects += self._refused(now_ms)
        return effects

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
        return Missing(self.symbol, Gap(self.kind.name, from_ms, to_ms, None, None, cause))
