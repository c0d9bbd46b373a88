"""One history's rows, in order, against all that must hold of its kind: times, ids, and what stands within a row.

What is remembered does not grow with the history.
"""

from collections.abc import Sequence
from typing import Any

from ..exchange.shape import NONE
from ..exchange.streams.kind import Check, Kind
from .cross import Cross
from .found import NO_TIME, FileEnd
from .ids import ids_of
from .ledger import Flaw, Ledger
from .lines import Lines
from .times import Times

CACHED = 1 << 14

Row = tuple[bytes, ...]


class Rows:
    """The rows of one symbol and kind."""

    def __init__(self, kind: Kind, ledger: Ledger, cross: Cross) -> None:
        self._check = kind.check
        self.times = Times(kind, ledger)
        self.ids = ids_of(kind, ledger, cross)
        self._good: set[Row] = set()
        self._before_ms = NO_TIME  # the highest time of the files before

    def take(self, lines: Lines) -> list[Flaw]:
        """Check good lines of a file, and return what is wrong with them."""
        if not lines.cells:
            return []
        flaws = self.times.take(lines)
        if lines.form.id != NONE:
            flaws += self.ids.take(lines)
        if self._check is not None:
            rows = zip(*map(lines.column, lines.form.checked), strict=True)
            flaws += self._flaws(self._check, lines.numbers, list(rows))
        return flaws

    def begin_file(self, period_ms: int) -> None:
        """Note that the rows of another file follow: a closed one of such a period, or with 0 the current one."""
        self.times.begin_file(period_ms)

    def end_file(self) -> FileEnd:
        """Return what was found of a file's times and ids, and begin another."""
        before_ms, ends, found = self._before_ms, self.times.end_file(), self.ids.end_file()
        self._before_ms = max(before_ms, ends.last_ms)
        return FileEnd(
            ends, found, (ends.first_ms if before_ms == NO_TIME else min(before_ms, ends.first_ms), ends.last_ms)
        )

    @property
    def state(self) -> list[Any]:
        """What of the files so far those that follow depend on, to be written as JSON."""
        return [self._before_ms, self.times.state, self.ids.state]

    def go_on(self, state: list[Any], period_ms: int) -> None:
        """Go on behind a file of such a period that left this state."""
        self._before_ms, times, ids = state
        self.times.go_on(times, period_ms)
        self.ids.go_on(ids)

    def lose_track(self) -> None:
        """Forget how the last file ended: rows of it could not be read."""
        self.times.lose_track()
        self.ids.lose_track()

    def _flaws(self, check: Check, numbers: Sequence[int], rows: list[Row]) -> list[Flaw]:
        """Check what stands within rows; one that repeats and was good is not looked at again."""
        if not check.repeats:
            return [(line, why) for line, row in zip(numbers, rows, strict=True) if (why := check.flaw(row))]
        new = {*rows} - self._good
        bad = {row: why for row in new if (why := check.flaw(row))}
        if len(self._good) + len(new) > CACHED:
            self._good.clear()
        self._good |= new - bad.keys()
        return [(line, bad[row]) for line, row in zip(numbers, rows, strict=True) if row in bad] if bad else []
