"""The lane of the kind whose events name the one before: what follows is written, a hole asks for the book anew.

Pure, with a clock that it is given: seconds of a monotonic one.
"""

from collections.abc import Callable
from typing import Any

from ..exchange.events import Answer
from ..exchange.streams.depth import Diff
from ..exchange.streams.kind import ID, TIME, Event, Kind
from ..exchange.venues import Venue
from .arrivals import Arrivals
from .book import Book
from .checks import Checks
from .effects import Effect, Missing, Rows
from .fetch import Fetch
from .lane import Left
from .lapse import Lapse, missing
from .linked import Linked
from .newids import NewIds
from .steps import steps_back


class Chain:
    """One symbol's full book: a snapshot, and each change that follows.

    ```
    add ─▶ fresh ──turn──▶ follows ──▶ written, naming the row before
             ▲              ├─ old: came before; three made long after the last row: ids have begun anew
             │              └─ lacks what is between ──for a while──▶ a hole ─┐
             └────── held until there is a snapshot that it follows ◀─────────┘◀─ start, restart, mismatch
    ```
    """

    def __init__(
        self, kind: Kind, symbol: str, left: Left, venue: Venue, checks: Checks, clock: Callable[[], float]
    ) -> None:
        """Resume behind what a run before has left, with a snapshot."""
        self.kind, self.symbol, self.checks = kind, symbol, checks
        self.rows = self.duplicates = self.skipped = 0
        self.last_ms: int = left.last[-1][TIME] if left.last else 0
        self._last_id = left.last[-1][ID] if left.last else -1
        self._clock = clock
        self._arrivals, self._linked, self._new_ids = Arrivals(), Linked(), NewIds()
        self._lapse, self._fetch = Lapse(kind, symbol, left, clock()), Fetch(kind, symbol, venue)
        self._now_ms = 0  # as the last turn said
        self._effects: list[Effect] = []
        self.add = self._arrivals.add

    @property
    def frames(self) -> int:
        """How many changes came."""
        return self._arrivals.frames

    @property
    def remembered(self) -> int:
        """Nothing has to be remembered: ids tell."""
        return 0

    def forget(self) -> None:
        """Do nothing."""

    def newest(self) -> Event | None:
        """Return what came last, None if nothing did."""
        return self._arrivals.newest()

    def paused(self, from_ms: int, to_ms: int) -> None:
        """Take the stretch in which nobody collected: a clock that was set may let it begin earlier."""
        self._lapse.note(from_ms)

    def begin_outage(self) -> None:
        """Do nothing: the next change shows whether one did not come."""

    def end_outage(self, now_s: float) -> None:
        """Note that a connection delivers: a quiet symbol's book is to be had too."""
        self._fetch.delivered(now_s)

    def end(self, now_ms: int) -> list[Effect]:
        """Tell of what lacks at the end of a run, since no snapshot of this one ends it."""
        if not self._lapse.is_open and self._linked.lacks:
            self._lapse.begin("hole", self.last_ms, self._clock())
        return self._lapse.end(now_ms)

    @property
    def stirred(self) -> bool:
        """Whether `step` has anything to do or to tell."""
        return bool(self._effects) or self._linked.book is None or bool(self._linked.held)

    def step(self, *, settling: bool = False) -> list[Effect]:
        """Return what follows of an answer, and the request for a book that is wanted; at the end of a run none is."""
        effects, self._effects = self._effects, []
        linked = self._linked
        if linked.book is not None and linked.has_hole(self._clock()):
            effects += self._follow(self._taken(), linked.book, self._now_ms)
        changed = bool(self._arrivals.fresh or linked.held)
        if linked.book is None and not settling and self._fetch.due(self._clock(), changed=changed):
            effects.append(self._fetch.ask())
        return effects

    def turn(self, remember_s: float | None, now_ms: int) -> list[Effect]:
        """Return what follows the last row; what does not waits a while for what lacks between."""
        effects, self._effects = self._effects, []
        book, fresh = self._linked.book, self._taken()
        self._now_ms, self._linked.redundant = now_ms, remember_s is not None
        if book is None:
            self._linked.hold([*self._linked.held, *fresh])
            return effects
        if not self._fetch.under_way and not self.checks.waiting:
            book.fold()
        return effects + self._follow(fresh, book, now_ms)

    def _follow(self, fresh: list[Event], book: Book, now_ms: int) -> list[Effect]:
        linked, now_s = self._linked, self._clock()
        rows = linked.follow(fresh, now_s)
        self.duplicates += len(linked.old)
        effects = self._written(rows, book, now_ms)
        if new := self._new_ids.shown_by(linked.old, self.last_ms, written=bool(rows)):
            return [*effects, *self._begin_anew(new)]
        if linked.has_hole(now_s):
            self.skipped += 1
            return [*effects, *self._lose("hole", self.last_ms)]
        return [*effects, *self._check(book)]

    def _taken(self) -> list[Event]:
        return self._new_ids.current(self._arrivals.take(), self.last_ms)

    def _written(self, rows: list[Any], book: Book, now_ms: int) -> list[Effect]:
        if not rows:
            return []
        self.rows += len(rows)
        steps = steps_back(self.kind.name, self.last_ms, rows)
        self._last_id, self.last_ms = book.id, rows[-1][TIME]
        written = Rows(self.kind, self.symbol, rows, now_ms, book.opening)
        return [*(Missing(self.symbol, gap) for gap in steps), written]

    def _check(self, book: Book) -> list[Effect]:
        """Compare the book with a snapshot that was asked for to do so, and ask for one when it is time."""
        proven_ms = self.checks.proven_ms
        if self.checks.differs(book, self._clock()):
            row = missing(self.kind, self.symbol, "mismatch", proven_ms, self.last_ms)
            return [row, *self._lose("mismatch", self.last_ms)]
        if self.checks.lacks(self._clock()):
            return self._lose("hole", self.last_ms)
        return [self._fetch.ask()] if not self._fetch.under_way and self.checks.due(self._clock()) else []

    def _lose(self, cause: str, from_ms: int) -> list[Effect]:
        """Let the book be asked for anew; what lies between is missing, since then."""
        self._linked.drop()
        self._lapse.begin(cause, from_ms, self._clock())
        return self.step()

    def _begin_anew(self, new: list[Event]) -> list[Effect]:
        """Let what came of new ids wait for a snapshot, with which a file of its own begins.

        Until then the file of the former ids is the file: a run that ends before is followed by one that finds its row.
        """
        self._fetch.begin_anew()
        self._linked.hold(new)
        return self._lose("hole", self.last_ms)

    def answer(self, answer: Answer) -> None:
        """Take a snapshot, to begin with or to compare with; the effects come with the next step."""
        snapshot, odd = self._fetch.answered(answer, self._clock())
        self._effects += odd
        if snapshot is None:
            return
        anew = self._new_ids.has(snapshot, self._last_id, self.last_ms)
        if self._linked.book is not None and anew:
            self._effects = self._lose("hole", self.last_ms)  # another one proves it
        elif self._linked.book is not None:
            self.checks.found(snapshot, self._clock())
        elif not self._join(snapshot, anew=anew):
            self._fetch.failed(self._clock())

    def _join(self, snapshot: Diff, *, anew: bool) -> bool:
        """Begin with a snapshot, if it is not too old for what is there and what came since."""
        self._linked.hold([*self._linked.held, *self._taken()])
        # Under a higher id it is of former ids; but for long only a clock that was set back says that it is older.
        is_older = snapshot.time_ms < self.last_ms and self._lapse.is_fresh(self._clock())
        if (snapshot.id < self._last_id and not anew) or is_older or not self._linked.join(snapshot, anew=anew):
            return False
        lapse, to_ms = self._lapse, snapshot.time_ms
        self._effects += lapse.end_anew(self.last_ms, to_ms) if anew else lapse.end(to_ms)
        self._fetch.worked()
        self._new_ids.joined(snapshot, anew=anew)
        self.checks.begin(snapshot, self._clock())
        assert self._linked.book is not None
        self._effects += self._written([snapshot], self._linked.book, snapshot.time_ms)
        return True
