"""The lane of the kind whose events name the one before: what follows is written, a hole asks for the book anew.

Pure, with a clock that it is given: seconds of a monotonic one.
"""

import json
from collections.abc import Callable
from typing import Any

from ..errors import DecodeError
from ..exchange.events import Answer, Gap
from ..exchange.pages import ask_snapshot
from ..exchange.streams.depth import SNAPSHOT, Diff, of_snapshot
from ..exchange.streams.kind import ID, TIME, Event, Kind
from ..exchange.venues import Venue
from .book import Book
from .checks import Checks
from .effects import Aside, Effect, Missing, Reject, Request, Rows
from .fetch import Fetch
from .lane import Left
from .linked import PREVIOUS, Linked
from .newids import NewIds
from .steps import steps_back
from .suspects import FORMER_MS

PATIENCE_S = 0.5  # two that changed places have found each other by then …
REDUNDANT_PATIENCE_S = 2.0  # … and the slower of two connections has brought what the other left out
LONGEST_BATCH_MS = 1000  # a file may begin with a book that bears the time of the change behind it, not of its own


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
        opens = bool(left.last) and left.last[-1][PREVIOUS] == SNAPSHOT
        since_ms = self.last_ms - LONGEST_BATCH_MS * opens or left.anew_ms
        self._missing: tuple[str, int] | None = ("restart", since_ms) if since_ms else None  # cause, since when …
        self._lost_s = clock()  # … and the same by ours
        self._venue, self._clock = venue, clock
        self._linked, self._fetch, self._new_ids = Linked(), Fetch(), NewIds()
        self._fresh: list[Event] = []
        self._frames = 0
        self._newest: Event | None = None
        self._patience_s, self._now_ms = PATIENCE_S, 0  # as the last turn said
        self._effects: list[Effect] = []
        self.add = self._fresh.append

    @property
    def frames(self) -> int:
        """How many changes came."""
        return self._frames + len(self._fresh)

    @property
    def remembered(self) -> int:
        """Nothing has to be remembered: ids tell."""
        return 0

    def forget(self) -> None:
        """Do nothing."""

    def newest(self) -> Event | None:
        """Return what came last, None if nothing did."""
        return self._fresh[-1] if self._fresh else self._newest

    def paused(self, from_ms: int, to_ms: int) -> None:
        """Take the stretch in which nobody collected: a clock that was set may let it begin earlier."""
        if self._missing:
            cause, since_ms = self._missing
            self._missing = cause, min(since_ms, from_ms)

    def begin_outage(self) -> None:
        """Do nothing: the next change shows whether one did not come."""

    def end_outage(self, now_s: float) -> None:
        """Note that a connection delivers: a quiet symbol's book is to be had too."""
        self._fetch.delivered(now_s)

    def end(self, now_ms: int) -> list[Effect]:
        """Tell of what lacks at the end of a run, since no snapshot of this one ends it."""
        if self._missing is None and self._linked.lacking_s(0.0) is not None:
            self._missing = "hole", self.last_ms
        missing, self._missing = self._missing, None
        return [self._gap(*missing, now_ms)] if missing else []

    @property
    def stirred(self) -> bool:
        """Whether `step` has anything to do or to tell."""
        return bool(self._effects) or self._linked.book is None or bool(self._linked.held)

    def step(self, *, settling: bool = False) -> list[Effect]:
        """Return what follows of an answer, and the request for a book that is wanted; at the end of a run none is."""
        effects, self._effects = self._effects, []
        linked = self._linked
        if linked.book is not None and (linked.lacking_s(self._clock()) or 0) >= self._patience_s:
            effects += self._follow(self._taken(), linked.book, self._now_ms)
        changed = bool(self._fresh or linked.held)
        if linked.book is None and not settling and self._fetch.due(self._clock(), changed=changed):
            effects.append(self._ask())
        return effects

    def _ask(self) -> Request:
        self._fetch.ask()
        return Request(ask_snapshot(self._venue, self.symbol))

    def turn(self, remember_s: float | None, now_ms: int) -> list[Effect]:
        """Return what follows the last row; what does not waits a while for what lacks between."""
        effects, self._effects = self._effects, []
        book, fresh = self._linked.book, self._taken()
        self._now_ms = now_ms
        self._patience_s = PATIENCE_S if remember_s is None else REDUNDANT_PATIENCE_S
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
        if (linked.lacking_s(now_s) or 0) >= self._patience_s:
            self.skipped += 1
            return [*effects, *self._lose("hole", self.last_ms)]
        return [*effects, *self._check(book)]

    def _taken(self) -> list[Event]:
        fresh = self._fresh[:]
        self._fresh.clear()
        self._frames += len(fresh)
        self._newest = fresh[-1] if fresh else self._newest
        return self._new_ids.current(fresh, self.last_ms)

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
            return [self._gap("mismatch", proven_ms, self.last_ms), *self._lose("mismatch", self.last_ms)]
        if self.checks.lacks(self._clock()):
            return self._lose("hole", self.last_ms)
        return [self._ask()] if not self._fetch.under_way and self.checks.due(self._clock()) else []

    def _lose(self, cause: str, from_ms: int) -> list[Effect]:
        """Let the book be asked for anew; what lies between is missing, since then."""
        self._linked.drop()
        self._lost_s = self._clock()
        self._missing = cause, from_ms
        return self.step()

    def _begin_anew(self, new: list[Event]) -> list[Effect]:
        """Let what came of new ids wait for a snapshot, with which a file of its own begins.

        Until then the file of the former ids is the file: a run that ends before is followed by one that finds its row.
        """
        self._fetch.begin_anew()
        self._linked.hold(new)
        return self._lose("hole", self.last_ms)

    def _gap(self, cause: str, from_ms: int, to_ms: int) -> Missing:
        return Missing(self.symbol, Gap(self.kind.name, from_ms, max(from_ms, to_ms), None, None, cause))

    def answer(self, answer: Answer) -> None:
        """Take a snapshot, to begin with or to compare with; the effects come with the next step."""
        if not self._fetch.answered():
            return
        try:
            if answer.refused:
                raise DecodeError(answer.refused)
            snapshot = of_snapshot(answer.value, answer.received_ns)
        except DecodeError as error:
            if not answer.refused:
                kept = json.dumps(answer.value, ensure_ascii=False).encode("utf-8", "surrogatepass")
                source = f"{self.kind.name} of {self.symbol}"
                self._effects.append(Reject(source, answer.received_ns, str(error), kept))
            self._fetch.failed(self._clock())
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
        is_older = snapshot.time_ms < self.last_ms and self._clock() < self._lost_s + FORMER_MS / 1000
        if (snapshot.id < self._last_id and not anew) or is_older or not self._linked.join(snapshot, anew=anew):
            return False
        if self._missing:
            cause, from_ms = ("new-ids", self.last_ms) if anew else self._missing
            self._effects.append(self._gap(cause, from_ms, snapshot.time_ms))
        if anew:
            self._effects.append(Aside(self.kind, self.symbol, "update_ids_began_anew"))
        self._fetch.worked()
        self._new_ids.joined(snapshot, anew=anew)
        self._missing = None
        self.checks.begin(snapshot, self._clock())
        assert self._linked.book is not None
        self._effects += self._written([snapshot], self._linked.book, snapshot.time_ms)
        return True
