"""The lane of the kind whose events name the one before: what follows is written, a hole asks for the book anew.

Pure, with a clock that it is given: seconds of a monotonic one.
"""

import json
from collections.abc import Callable, Iterable
from operator import itemgetter

from ..errors import DecodeError
from ..exchange.events import Answer, Gap
from ..exchange.pages import ask_snapshot
from ..exchange.streams.depth import Diff, of_snapshot
from ..exchange.streams.kind import ID, TIME, Event, Kind
from ..exchange.venues import Venue
from .book import Book
from .checks import Checks
from .effects import Aside, Effect, Missing, Reject, Request, Rows
from .fetch import Fetch
from .lane import Left
from .steps import steps_back
from .suspects import PROOF_ROWS, START_OVER_MS

HELD_CHARACTERS = 1 << 18  # of changes that wait for a snapshot; the oldest go first
PREVIOUS = Diff._fields.index("previous_id")


class Chain:
    """One symbol's full book: a snapshot, and each change that follows.

    ```
    add ─▶ fresh ──turn──▶ fits: previous ≤ last < id ──▶ written, naming the row before
             ▲              ├─ id ≤ last: came before; three made long after the last row: ids have begun anew
             │              └─ previous > last ──waits a turn──▶ a hole ─┐
             └────── held until there is a snapshot that they fit ◀──────┘ ◀─ start, restart, mismatch
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
        self._missing: tuple[str, int] | None = ("restart", self.last_ms) if left.last else None  # cause, since when
        self._venue, self._clock = venue, clock
        self._book: Book | None = None
        self._fresh: list[Event] = []
        self._held: list[Event] = []  # until the book, or what lacks between, is there
        self._frames = 0
        self._newest: Event | None = None
        self._stuck_id: int | None = None  # behind which a change lacked the turn before
        self._too_low = 0  # changes in a row whose ids are too low to be new
        self._effects: list[Effect] = []
        self._fetch = Fetch()
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
        """Return what came last, None if there was nothing."""
        return self._fresh[-1] if self._fresh else self._newest

    def begin_outage(self) -> None:
        """Do nothing: the next change shows whether one did not come."""

    def end_outage(self, now_s: float) -> None:
        """Note that a connection delivers: a quiet symbol's book is to be had too."""
        self._fetch.delivered(now_s)

    # What time asks for

    @property
    def stirred(self) -> bool:
        """Whether `step` has anything to do or to tell."""
        return bool(self._effects) or self._book is None

    def step(self, *, settling: bool = False) -> list[Effect]:
        """Return what is to be written behind a snapshot that came, and ask for one; at the end of a run none."""
        effects, self._effects = self._effects, []
        wanted = self._book is None and not settling
        if wanted and self._fetch.due(self._clock(), changed=bool(self._fresh or self._held)):
            effects.append(self._ask())
        return effects

    def _ask(self) -> Request:
        self._fetch.ask()
        return Request(ask_snapshot(self._venue, self.symbol))

    def turn(self, remember_s: float | None, now_ms: int) -> list[Effect]:
        """Return what follows the last row; what does not waits a turn for what lacks between."""
        effects, self._effects = self._effects, []
        fresh = self._fresh[:]
        self._fresh.clear()
        self._frames += len(fresh)
        self._newest = fresh[-1] if fresh else self._newest
        if self._book is None:
            self._hold([*self._held, *fresh])
            return effects
        if not self._fetch.under_way:
            self._book.fold()
        effects += self._follow([*self._held, *fresh], self._book, now_ms)
        if self._book is not None:
            effects += self._check(self._book)
        return effects

    def _hold(self, changes: list[Event]) -> None:
        """Keep the newest of them that memory allows."""
        size = 0
        for at in range(len(changes) - 1, -1, -1):
            size += len(changes[at][3]) + len(changes[at][4])
            if size > HELD_CHARACTERS:
                changes = changes[at + 1 :]
                break
        self._held = changes

    # What follows

    def _follow(self, changes: list[Event], book: Book, now_ms: int) -> list[Effect]:
        rows: list[Event] = []
        old: list[Event] = []
        beyond: list[Event] = []
        for change in sorted(changes, key=itemgetter(ID)):
            if change[ID] <= book.id:
                old.append(change)
            elif change[PREVIOUS] > book.id:
                beyond.append(change)
            else:  # where connections cut differently it may overlap: quantities are absolute
                row = (change[ID], change[TIME], book.id, *change[PREVIOUS + 1 :])
                book.apply(row)
                rows.append(row)
                old += beyond
                beyond = []
        self._held = beyond
        self.duplicates += len(old)
        effects = self._written(rows, book, now_ms)
        self._too_low = sum(one[TIME] > self.last_ms + START_OVER_MS for one in old) + (0 if rows else self._too_low)
        if self._too_low >= PROOF_ROWS:
            return [*effects, *self._begin_anew(old)]
        if beyond and self._stuck_id == book.id:
            self.skipped += 1
            effects += self._lose("hole", self.last_ms)
        self._stuck_id = book.id if beyond else None
        return effects

    def _written(self, rows: list[Event], book: Book, now_ms: int) -> list[Effect]:
        if not rows:
            return []
        self.rows += len(rows)
        self._last_id = book.id
        steps = steps_back(self.kind.name, self.last_ms, rows)
        self.last_ms = rows[-1][TIME]
        return [
            *(Missing(self.symbol, gap) for gap in steps),
            Rows(self.kind, self.symbol, rows, now_ms, book.opening),
        ]

    def _lose(self, cause: str, from_ms: int) -> list[Effect]:
        """Let the book be asked for anew; what lies between is missing, since then."""
        self._book = None
        self._missing = cause, from_ms
        return self.step()

    def _begin_anew(self, old: Iterable[Event]) -> list[Effect]:
        """Set the file of the former ids aside; what came of the new ones waits for a snapshot."""
        new = [one for one in old if one[TIME] > self.last_ms + START_OVER_MS]
        self._fetch.begin_anew()
        self._too_low, self._last_id = 0, -1
        self._hold(new)
        from_ms, anew_ms = self.last_ms, min((one[TIME] for one in new), default=self.last_ms)
        return [
            self._gap("new-ids", from_ms, anew_ms),
            Aside(self.kind, self.symbol, "update_ids_began_anew"),
            *self._lose("new-ids", anew_ms),
        ]

    def _gap(self, cause: str, from_ms: int, to_ms: int) -> Missing:
        return Missing(self.symbol, Gap(self.kind.name, from_ms, max(from_ms, to_ms), None, None, cause))

    # Snapshots

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
                reject = Reject(f"{self.kind.name} of {self.symbol}", answer.received_ns, str(error), kept)
                self._effects.append(reject)
            self._fetch.failed(self._clock())
            return
        if self._book is not None:
            self.checks.found(snapshot)
        elif not self._join(snapshot):
            self._fetch.failed(self._clock())

    def _join(self, snapshot: Diff) -> bool:
        """Begin with a snapshot, if it is not too old for what is there and what came since."""
        anew = snapshot.id < self._last_id and snapshot.time_ms > self.last_ms + START_OVER_MS
        if snapshot.id < self._last_id and not anew:
            return False
        former_ms = snapshot.time_ms - START_OVER_MS  # what is older, under a higher id, is of former ids
        later = [one for one in [*self._held, *self._fresh] if one[ID] > snapshot.id and one[TIME] >= former_ms]
        if later and not any(one[PREVIOUS] <= snapshot.id for one in later):
            return False
        if self._missing:
            cause, from_ms = ("new-ids", self.last_ms) if anew else self._missing
            self._effects.append(self._gap(cause, from_ms, snapshot.time_ms))
        if anew:
            self._effects.append(Aside(self.kind, self.symbol, "update_ids_began_anew"))
        self._fetch.worked()
        self._missing, self._stuck_id, self._too_low = None, None, 0
        self._book = book = Book(snapshot)
        self.checks.begin(snapshot, self._clock())
        self._effects += self._written([snapshot], book, snapshot.time_ms)
        self._frames += len(self._fresh)
        self._fresh.clear()
        self._held = later
        return True

    def _check(self, book: Book) -> list[Effect]:
        """Compare the book with a snapshot that was asked for to do so, and ask for one when it is time."""
        proven_ms = self.checks.proven_ms
        if self.checks.differs(book):
            gap = self._gap("mismatch", proven_ms, self.last_ms)
            return [gap, *self._lose("mismatch", self.last_ms)]
        if not self._fetch.under_way and self.checks.due(self._clock()):
            return [self._ask()]
        return []
