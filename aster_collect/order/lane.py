"""What the lanes have in common: how they are asked, and what each is begun with.

Pure. A lane is one symbol's stream of one kind on its way from events to rows in order. It takes events by `add`, once
a turn it answers what is to be done, and it never acts.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..exchange.events import Answer
from ..exchange.streams.kind import Add, Event, Kind
from .effects import Effect


class Left(NamedTuple):
    """What a run before has left in a file.

    `last` are all events at its end that bear the time of the last one, or of a kind told by content the last ones,
    and `touched_ms` is when it was last changed, by this machine's clock; `missing` are the ranges of ids, both ends
    included, that the ledger calls missing. `anew_ms` is up to when it tells that ids began anew, by the exchange's
    clock, 0 where they did not: a file that was begun with them may have none of its rows.
    """

    last: Sequence[Event] = ()
    touched_ms: int = 0
    missing: Sequence[tuple[int, int]] = ()
    anew_ms: int = 0


class Lane(Protocol):
    """One symbol's stream of one kind."""

    kind: Kind
    symbol: str
    last_ms: int  # the time of the newest row, of a run before too; 0 while there is none
    rows: int  # written by this run
    skipped: int  # events that were left out between two that came, where events tell

    @property
    def add(self) -> Add:
        """What takes an event."""

    @property
    def frames(self) -> int:
        """How many events came."""

    @property
    def duplicates(self) -> int:
        """How many of them had come before."""

    @property
    def remembered(self) -> int:
        """How many ids or events are remembered to tell what comes late from what comes twice."""

    def forget(self) -> None:
        """Forget the oldest of them."""

    def paused(self, from_ms: int, to_ms: int) -> None:
        """Take the stretch in which nobody collected before this run, which is in the ledger where that tells of it."""

    def newest(self) -> Event | None:
        """Return the event that came last, None if there was none."""

    def turn(self, remember_s: float | None, now_ms: int) -> list[Effect]:
        """Return what is to be written now; what has come since begins its rest.

        `remember_s` is the time, by our monotonic clock, while more than one connection brings the events; `now_ms` is
        what the exchange's clock says.
        """


class Asker(Lane, Protocol):
    """A lane that asks REST for what it lacks."""

    @property
    def stirred(self) -> bool:
        """Whether `step` has anything to do or to tell."""

    def step(self, *, settling: bool = False) -> list[Effect]:
        """Return what time asks for; `settling` says that the run is about to end."""

    def answer(self, answer: Answer) -> None:
        """Take what REST answered; what follows of it comes with the next step or turn."""

    def begin_outage(self) -> None:
        """Note that no connection brings events: there may be some that no live one shows."""

    def end_outage(self, now_s: float) -> None:
        """Note that one does again."""
