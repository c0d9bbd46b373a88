"""Some rows of one file by their columns. Pure."""

from collections.abc import Sequence

from ..exchange.shape import Form


class Rows:
    """Rows that follow each other; `cells` are those of all of them, one after the other."""

    def __init__(self, form: Form, cells: Sequence[bytes], times_ms: Sequence[int]) -> None:
        self.form = form
        self.cells = cells
        self.times_ms = times_ms

    def __len__(self) -> int:
        return len(self.times_ms)

    def column(self, name: str) -> Sequence[bytes]:
        """Return the cells of a column."""
        return self.cells[self.form.at(name) :: len(self.form.columns)]

    def cell(self, name: str, at: int) -> bytes:
        """Return a cell of a row, which may be counted from the end."""
        return self.cells[range(0, len(self.cells), len(self.form.columns))[at] + self.form.at(name)]

    @property
    def last(self) -> Sequence[bytes]:
        """The cells of the last row."""
        return self.cells[-len(self.form.columns) :]

    def part(self, start: int, stop: int) -> "Rows":
        """Return the rows from one to before another."""
        width = len(self.form.columns)
        return Rows(self.form, self.cells[start * width : stop * width], self.times_ms[start:stop])
