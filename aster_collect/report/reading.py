"""The files of a history, read once: how many rows they have, from when to when, and what charts show of them."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from ..archive.rows import Lines
from ..exchange.shape import NONE, Form, form
from ..exchange.streams.kind import Kind, Lane
from ..files.source import Source
from .axis import Axis, Cut
from .recipes import RECIPES, Recipe, Series
from .rows import Rows

Tell = Callable[[int, int], object]  # gets how many rows and bytes more have been read
Window = tuple[int, int]  # in milliseconds, without its end


class History:
    """What was found of one kind and symbol."""

    def __init__(self, kind: Kind, axis: Axis, window: Window) -> None:
        self.kind = kind
        self.rows = 0
        self.files = 0
        self.bytes = 0
        self.first_ms = self.last_ms = 0
        self.series: dict[Recipe, Series] = {}
        self._axis, self._window = axis, window
        self._first_id = self._last_id = 0
        self._shape: Form | None = None
        self._fit: list[Recipe] = []

    @property
    def missing_ids(self) -> int | None:
        """How many ids are missing between the first and the last, None of a kind whose ids may leave some out."""
        if self.kind.lane is not Lane.SEQUENCE or not self.rows:
            return None
        return self._last_id - self._first_id + 1 - self.rows

    def read(self, source: Source, tell: Tell) -> None:
        """Read a file; raises `DamagedFile` for what is no row, `OSError` when it can't be read."""
        self.files += 1
        self.bytes += source.status.st_size
        lines, taken = Lines(self.kind, source), 0
        for some in lines:
            shape = form(self.kind, ",".join(some.columns).encode())
            assert shape is not None
            cells = some.data[:-1].replace(b"\n", b",").split(b",")
            for rows in _within(Rows(shape, cells, _times_ms(shape, cells)), self._window):
                self._take(rows)
            tell(len(cells) // len(some.columns), source.taken_bytes - taken)
            taken = source.taken_bytes
        tell(0, source.taken_bytes - taken)

    def _take(self, rows: Rows) -> None:
        if not self.rows:
            self.first_ms, self._first_id = rows.times_ms[0], _id(rows, 0)
        self.rows += len(rows)
        self.last_ms, self._last_id = rows.times_ms[-1], _id(rows, -1)
        for recipe in self._recipes(rows.form):
            series = self.series[recipe]
            for at, run in _runs(rows, recipe.cut(self._axis)):
                series.take(at, run)

    def _recipes(self, shape: Form) -> list[Recipe]:
        """Return what files of a shape, which can have other columns than the one before, have charts of."""
        if shape is not self._shape:
            self._shape = shape
            made = {recipe: series for recipe in RECIPES if (series := recipe.make(shape))}
            self._fit = [*made]
            self.series = made | self.series
        return self._fit

    def end(self) -> None:
        """Let the charts know that there is no more."""
        for series in self.series.values():
            series.end()


def _id(rows: Rows, at: int) -> int:
    return 0 if rows.form.id == NONE else int(rows.cell(rows.form.columns[rows.form.id].name, at))


def _times_ms(shape: Form, cells: Sequence[bytes]) -> list[int]:
    column = cells[shape.time :: len(shape.columns)]
    return list(map(int, b",".join(column).replace(b".", b"").split(b",") if shape.in_seconds else column))


def _within(rows: Rows, window: Window) -> Iterator[Rows]:
    """Yield the rows of a time, those that follow each other at once."""
    start_ms, end_ms = window
    if start_ms <= min(rows.times_ms) and max(rows.times_ms) < end_ms:
        yield rows
        return
    at = 0
    for inside, run in groupby(start_ms <= time_ms < end_ms for time_ms in rows.times_ms):
        count = len(list(run))
        if inside:
            yield rows.part(at, at + count)
        at += count


def _runs(rows: Rows, cut: Cut) -> Iterator[tuple[int, Rows]]:
    """Yield the rows by the step of a cut that they lie in, those that follow each other at once."""
    if cut.at(min(rows.times_ms)) == cut.at(max(rows.times_ms)):
        yield cut.at(rows.times_ms[0]), rows
        return
    start = 0
    for step, run in groupby((time_ms - cut.start_ms) // cut.step_ms for time_ms in rows.times_ms):
        stop = start + len(list(run))
        yield min(max(step, 0), cut.steps - 1), rows.part(start, stop)
        start = stop
