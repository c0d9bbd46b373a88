"""When a full book is compared with a fresh snapshot of the exchange, and what came of it. Pure.

Times named `_s` are seconds of a monotonic clock, given by the caller.
"""

from ..exchange.streams.depth import Diff
from .book import Book

GOLDEN_RATIO = 0.618_033_988_75  # its multiples lie evenly in any interval
PATIENCE_S = 60.0  # by then what a snapshot has has come over every connection, or it never will


class Checks:
    """One book's comparisons: at a time of its own in each interval, so that those of all books are spread over it."""

    def __init__(self, every_s: float, place: int) -> None:
        """`every_s` is 0 for never; `place` is the book's number among all."""
        self.done = self.mismatches = 0
        self.proven_ms = 0  # until when the book is known to have been the exchange's
        self._every_s = every_s
        self._share = place * GOLDEN_RATIO % 1
        self._due_s: float | None = None
        self._snapshot: Diff | None = None
        self._patient_until_s = 0.0

    def begin(self, snapshot: Diff, now_s: float) -> None:
        """Note the snapshot that a book begins with."""
        self.proven_ms, self._snapshot = snapshot.time_ms, None
        if self._every_s and self._due_s is None:
            self._due_s = now_s + (1 - self._share) * self._every_s

    def due(self, now_s: float) -> bool:
        """Return whether a snapshot is to be asked for now; each is told only once."""
        if self._due_s is None or now_s < self._due_s or self._snapshot is not None:
            return False
        self._due_s = now_s + self._every_s - (now_s - self._due_s) % self._every_s
        return True

    def found(self, snapshot: Diff, now_s: float) -> None:
        """Take the snapshot that was asked for; it is compared once the book has come so far."""
        self._snapshot, self._patient_until_s = snapshot, now_s + min(PATIENCE_S, self._every_s)

    @property
    def waiting(self) -> bool:
        """Whether a snapshot is still to be compared: of its id the book must have all that is needed to tell."""
        return self._snapshot is not None

    def lacks(self, now_s: float) -> bool:
        """Return whether the book has not come so far as a snapshot of a while ago: no change since shows the hole."""
        return self._snapshot is not None and now_s >= self._patient_until_s

    def differs(self, book: Book, now_s: float) -> bool:
        """Return whether the snapshot that came shows another book, if one did; one too old to say comes anew."""
        snapshot = self._snapshot
        if snapshot is None or book.id < snapshot.id:
            return False
        self._snapshot = None
        differs = book.differs(snapshot)
        if differs is None:
            self._due_s = now_s + min(PATIENCE_S, self._every_s)
            return False
        self.done += 1
        self.mismatches += differs
        if not differs:
            self.proven_ms = max(self.proven_ms, snapshot.time_ms)
        return differs
