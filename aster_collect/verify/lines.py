"""Good lines of a file: where they stand, and what their cells hold."""

from collections.abc import Sequence
from functools import cached_property

from ..exchange.shape import NONE, Form


class Lines:
    """Some lines of one file, each of which is a row of its form; `cells` are those of all of them in a row."""

    def __init__(self, name: str, form: Form, numbers: Sequence[int], cells: Sequence[bytes]) -> None:
        self.name = name
        self.form = form
        self.numbers = numbers
        self.cells = cells

    def column(self, at: int) -> Sequence[bytes]:
        """Return the cells of one column."""
        return self.cells[at :: len(self.form.columns)]

    def row(self, at: int) -> Sequence[bytes]:
        """Return the cells of one row."""
        width = len(self.form.columns)
        return self.cells[at * width : (at + 1) * width]

    @cached_property
    def times_ms(self) -> list[int]:
        """The times of the rows, in milliseconds."""
        cells = self.column(self.form.time)
        if not self.form.in_seconds:
            return list(map(int, cells))
        return list(map(int, b",".join(cells).replace(b".", b"").split(b",")))

    @cached_property
    def ids(self) -> list[int]:
        """The ids of the rows; none in a file without any."""
        return [] if self.form.id == NONE else list(map(int, self.column(self.form.id)))
