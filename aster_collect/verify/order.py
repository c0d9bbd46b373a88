"""One history's rows, in order, against all that must hold of its kind: times, ids, and what stands within a row.

What is remembered does not grow with the history.
"""

from collections.abc import Callable, Sequence

from ..exchange.streams.kind import Kind
from .ids import ids_of
from .ledger import Flaw, Ledger
from .rules import NONE, Form
from .times import Times

CACHED = 1 << 14
SHORT = 8  # cells, of what a feed repeats, such as a quote

Row = tuple[bytes, ...]


class Rows:
    """The rows of one symbol and kind."""

    def __init__(self, kind: Kind, ledger: Ledger) -> None:
        self._kind = kind
        self.times = Times(kind, ledger)
        self._ids = ids_of(kind, ledger)
        self._good: set[Row] = set()

    @property
    def missing_ids(self) -> int:
        """How many ids are not there between those that are."""
        return self._ids.missing

    def take(self, name: str, form: Form, lines: Sequence[int], cells: Sequence[bytes]) -> list[Flaw]:
        """Check the cells of good lines of a file, and return what is wrong with them."""
        if not cells:
            return []
        width = len(form.columns)
        flaws = self.times.take(name, lines, self._milliseconds(cells[form.time :: width]), ids=form.id != NONE)
        if form.id != NONE:
            flaws += self._ids.take(lines, list(map(int, cells[form.id :: width])))
        if self._kind.check is not None:
            rows = zip(*(cells[at::width] for at in form.checked), strict=True)
            flaws += self._check(self._kind.check.flaw, lines, list(rows))
        return flaws

    def begin_file(self, period_ms: int) -> None:
        """Note that the rows of another file follow: a closed one of such a period, or with 0 the current one."""
        self.times.begin_file(period_ms)

    def lose_track(self) -> None:
        """Forget how the last file ended: rows of it could not be read."""
        self.times.lose_track()
        self._ids.lose_track()

    def _milliseconds(self, cells: Sequence[bytes]) -> list[int]:
        if not self._kind.in_seconds:
            return list(map(int, cells))
        return list(map(int, b",".join(cells).replace(b".", b"").split(b",")))

    def _check(self, flaw: Callable[[Row], str], lines: Sequence[int], rows: list[Row]) -> list[Flaw]:
        """Check what stands within rows; a short one that was good is not looked at again."""
        if len(rows[0]) > SHORT:
            return [(line, why) for line, row in zip(lines, rows, strict=True) if (why := flaw(row))]
        new = {*rows} - self._good
        bad = {row: why for row in new if (why := flaw(row))}
        if len(self._good) + len(new) > CACHED:
            self._good.clear()
        self._good |= new - bad.keys()
        return [(line, bad[row]) for line, row in zip(lines, rows, strict=True) if row in bad] if bad else []
