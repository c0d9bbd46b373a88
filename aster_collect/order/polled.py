"""The lane of kinds that are asked for every so often: each answer is a row, and one that did not come is a gap.

Pure.
"""

from collections.abc import Sequence

from ..exchange.events import Gap
from ..exchange.streams.kind import TIME, Event, Kind
from .effects import Effect, Missing, Rows
from .lane import Left


class Polled:
    """One symbol's answers in the order of their times, each once; of a kind that changes seldom, what has changed."""

    def __init__(self, kind: Kind, symbol: str, left: Left) -> None:
        """Resume behind what a run before has left; what changes seldom is written whole once a run."""
        self.kind, self.symbol = kind, symbol
        self.last_ms: int = left.last[-1][TIME] if left.last else 0
        self.rows = 0
        self.skipped = 0
        self.frames = 0
        self.duplicates = 0
        # From when on nothing is known, and why: where there is no row yet, since the file, or this run, was begun.
        self._since_ms = self.last_ms or left.touched_ms
        self._cause = "restart" if self._since_ms else "not-polled"
        self._fresh: list[Event] = []
        self._newest: Event | None = None
        self._gaps: list[Effect] = []
        self._ended = False
        self._said: dict[str, Event] = {}  # by key, what is known of it

    @property
    def remembered(self) -> int:
        """Nothing has to be remembered to tell what is late."""
        return 0

    def forget(self) -> None:
        """Do nothing."""

    def paused(self, from_ms: int, to_ms: int) -> None:
        """Do nothing: what is in the file is known by its time."""

    def newest(self) -> Event | None:
        """Return the answer that came last, None if there was none."""
        return self._newest

    def add(self, event: Event) -> None:
        """Take one event of an answer: older than the newest, or the same again, it says nothing new."""
        self.frames += 1
        if self.kind.poll is not None and self.kind.poll.changes:
            key, facts = event[TIME + 1], event[TIME + 2 : -1]
            said = self._said.get(key, facts)
            facts = tuple(new or known for new, known in zip(facts, said, strict=True))
            is_new = self._said.get(key) != facts
            self._said[key] = facts
            event = (*event[: TIME + 2], *facts, event[-1])
        else:
            is_new = event[TIME] > (self._newest[TIME] if self._newest else self.last_ms)
        if is_new:
            self._fresh.append(event)
            self._newest = event
        else:
            self.duplicates += 1

    def begin(self, now_ms: int) -> None:
        """Note that it is asked for from now on."""
        self._since_ms = self._since_ms or now_ms

    def answered(self, events: Sequence[Event], most_ms: int) -> None:
        """Take an answer; `most_ms` is how far apart two are, where none is missing."""
        before_ms = self._newest[TIME] if self._newest else self._since_ms
        for event in events:
            self.add(event)
        if events and before_ms and events[-1][TIME] - before_ms > most_ms:
            self._miss(before_ms, events[-1][TIME])
        self._cause = "not-polled"

    def end(self, now_ms: int, most_ms: int) -> None:
        """Note at the end of a run what was not answered any more; the next tells what was not since another run."""
        before_ms = self._newest[TIME] if self._newest else 0 if self._cause == "restart" else self._since_ms
        if before_ms and now_ms - before_ms > most_ms and not self._ended:
            self._miss(before_ms, now_ms)
        self._ended = True

    def _miss(self, from_ms: int, to_ms: int) -> None:
        if not self.kind.whole_folder:
            self._gaps.append(Missing(self.symbol, Gap.of_time(self.kind.name, from_ms, to_ms, self._cause)))

    def turn(self, remember_s: float | None, now_ms: int) -> list[Effect]:
        """Return what is to be written now."""
        fresh, self._fresh = self._fresh, []
        gaps, self._gaps = self._gaps, []
        if not fresh:
            return gaps
        self.rows += len(fresh)
        self.last_ms = fresh[-1][TIME]
        return [*gaps, Rows(self.kind, self.symbol, fresh, now_ms)]
