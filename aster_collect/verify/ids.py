"""The ids of a history, from row to row: they rise by 1 but for what the ledger lists, or rise, or are a chain."""

from operator import lt
from typing import Any, Protocol

from ..exchange.streams.kind import Kind, Lane
from .chain import Chain
from .cross import Cross
from .found import IdsFound
from .ledger import Flaw, Ledger, Ranges
from .lines import Lines


class Ids(Protocol):
    """The ids of the rows of one kind."""

    def take(self, lines: Lines) -> list[Flaw]:
        """Check the ids of some rows."""

    def lose_track(self) -> None:
        """Forget how the last file ended: rows that could not be read are no proof of a hole."""

    def end_file(self) -> IdsFound:
        """Return what was found of a file's ids, and begin another."""

    @property
    def state(self) -> Any:
        """What of the files so far those that follow depend on, to be written as JSON."""

    def go_on(self, state: Any) -> None:
        """Go on behind a file that left this state."""


class Contiguous:
    """Each id once, each next id one higher but for what the ledger lists."""

    def __init__(self, kind: Kind, ledger: Ledger) -> None:
        self._listed = Ranges(ledger.missing[kind.name])
        self._repaired = Ranges(ledger.repaired.get(kind.name, ()))
        self._watch_id = 0
        self._next_id: int | None = None
        self._first_id: int | None = None  # of those that were expected in the file
        self._holes: list[tuple[int, int]] = []

    def take(self, lines: Lines) -> list[Flaw]:
        """Check the ids of some rows."""
        flaws: list[Flaw] = []
        ids = lines.ids
        first, last = ids[0], ids[-1]
        if self._first_id is None:
            self._first_id = first if self._next_id is None else min(first, self._next_id)
        if first != self._next_id or last >= self._watch_id or ids != list(range(first, first + len(ids))):
            for line, number, time_ms in zip(lines.numbers, ids, lines.times_ms, strict=True):
                if number != self._next_id or number >= self._watch_id:
                    flaws += ((line, why) for why in self._jump(number, time_ms))
                self._next_id = number + 1
        self._next_id = last + 1
        return flaws

    def lose_track(self) -> None:
        """Forget the next id: rows that could not be read are no proof of a hole."""
        self._next_id = None

    def end_file(self) -> IdsFound:
        """Return what was found of a file's ids, and begin another."""
        span = None if self._first_id is None or self._next_id is None else (self._first_id, self._next_id)
        found = IdsFound(self._holes, span)
        self._holes, self._first_id = [], None
        return found

    @property
    def state(self) -> int | None:
        """The id that is to follow."""
        return self._next_id

    def go_on(self, state: int | None) -> None:
        """Go on with the id that is to follow."""
        self._next_id = state

    def _jump(self, number: int, time_ms: int) -> list[str]:
        flaws, next_id = [], self._next_id
        if next_id is not None and number < next_id:
            flaws.append(f"id {number} after {next_id - 1}: ids must rise")
        elif next_id is not None and number > next_id:
            self._holes.append((time_ms, number - next_id))
            count, lowest = self._listed.unexplained(next_id, number - 1)
            if count:
                flaws.append(f"{count} ids missing from {lowest} on that no row of the ledger explains")
        if self._listed.holds(number) and not self._repaired.holds(number):
            flaws.append(f"id {number} is here, but the ledger calls it missing")
        self._watch_id = self._listed.next(number + 1)
        return flaws


class Rising:
    """Each id higher than the last, also behind rows that could not be read."""

    def __init__(self, kind: Kind) -> None:
        self._word = kind.ids
        self._last_id = -1

    def take(self, lines: Lines) -> list[Flaw]:
        """Check the ids of some rows."""
        flaws: list[Flaw] = []
        ids = lines.ids
        if ids[0] <= self._last_id or not all(map(lt, ids, ids[1:])):
            for line, number in zip(lines.numbers, ids, strict=True):
                if number <= self._last_id:
                    flaws.append((line, f"{self._word} {number} does not rise from {self._last_id}"))
                self._last_id = number
        self._last_id = ids[-1]
        return flaws

    def lose_track(self) -> None:
        """Nothing to forget."""

    def end_file(self) -> IdsFound:
        """Nothing to tell."""
        return IdsFound()

    @property
    def state(self) -> int:
        """The last id."""
        return self._last_id

    def go_on(self, state: int) -> None:
        """Go on behind the last id."""
        self._last_id = state


def ids_of(kind: Kind, ledger: Ledger, cross: Cross) -> Ids:
    """Return what holds of the ids of a kind; a full book is shown to `cross`, row by row.

    Where nobody knows what is missing they rise.
    """
    if kind.lane is Lane.CHAIN:
        return Chain(kind, ledger, cross)
    return Contiguous(kind, ledger) if kind.lane is Lane.SEQUENCE and ledger.is_known else Rising(kind)
