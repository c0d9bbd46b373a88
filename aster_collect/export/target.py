"""Where the files of one symbol go that have a form by the day, and of which time they are."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..archive import Rows
from ..archive.moment import milliseconds
from .asked import Tell
from .found import Found

ENDLESS_MS = 1 << 62


class Written(NamedTuple):
    """What came of it: files, rows in them, and of all rows those without a time of receipt, or of no book."""

    files: int = 0
    rows: int = 0
    fetched: int = 0
    lost: int = 0

    def __add__(self, other: object) -> "Written":
        """Return the sums."""
        assert isinstance(other, Written)
        return Written(*map(sum, zip(self, other, strict=True)))

    def told(self, where: object) -> str:
        """Return it as a line, with what is to know of it."""
        told = (
            f"exported files={self.files} rows={self.rows} fetched={self.fetched} unjoined={self.lost} folder={where}"
        )
        hints = [
            "; the local time of fetched rows is an estimate" if self.fetched else "",
            "; unjoined rows of depth are of no book, and left out" if self.lost else "",
        ]
        return told + "".join(hints)


class Target:
    """One symbol's rows of a time, of which a tool is told as they are read."""

    def __init__(self, found: Found, tell: Tell) -> None:
        self.found, self._tell = found, tell
        start, end = found.asked.start, found.asked.end
        self.start_ms = 0 if start is None else milliseconds(start)
        self.end_ms = ENDLESS_MS if end is None else milliseconds(end)

    def blocks(self, kind: str) -> Iterator[Rows]:
        """Yield the rows of a kind, those of the time among them."""
        for rows in self.found.blocks(kind):
            yield rows
            self._tell(rows.data.count(b"\n"), rows.taken)

    def is_within(self, time_ms: int) -> bool:
        """Return whether a time is one that is asked for."""
        return self.start_ms <= time_ms < self.end_ms

    def are_within(self, times_ms: Sequence[int]) -> bool:
        """Return whether all of some times are."""
        return self.start_ms <= min(times_ms) and max(times_ms) < self.end_ms
