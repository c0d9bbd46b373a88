"""What tells that the update ids of a full book have begun anew, and what still comes of former ones. Pure."""

from collections.abc import Sequence

from ..exchange.streams.depth import Diff
from ..exchange.streams.kind import TIME, Event
from .suspects import FORMER_MS, PROOF_ROWS, START_OVER_MS


class NewIds:
    """Changes and snapshots under ids that are too low, though they were made after the last row.

    Three changes prove it, each made so late that no server is behind by as much; or a snapshot, or three of a quiet
    symbol, that was made not much later than its last row.
    """

    def __init__(self) -> None:
        self._since_ms = 0  # while former ones can come, since when ids are new
        self._changes = 0  # in a row …
        self._snapshots = 0  # … as are these

    def current(self, changes: Sequence[Event], last_ms: int) -> list[Event]:
        """Return the changes that are of the ids that there are: a slow connection still brings former ones."""
        if last_ms > self._since_ms + FORMER_MS:
            self._since_ms = 0
        return [one for one in changes if one[TIME] >= self._since_ms]

    def shown_by(self, old: Sequence[Event], last_ms: int, *, written: bool) -> list[Event]:
        """Return those of too low ids that are new, once they prove it; `written` says that others followed."""
        late = [one for one in old if one[TIME] > last_ms + START_OVER_MS]
        self._changes = len(late) + (0 if written else self._changes)
        if self._changes < PROOF_ROWS:
            return []
        self._changes = 0
        return late

    def has(self, snapshot: Diff, last_id: int, last_ms: int) -> bool:
        """Return whether a snapshot is of new ids: none that is too old was made so late."""
        is_lower = snapshot.id < last_id and snapshot.time_ms > last_ms
        self._snapshots = self._snapshots + 1 if is_lower else 0
        return is_lower and (snapshot.time_ms > last_ms + START_OVER_MS or self._snapshots >= PROOF_ROWS)

    def joined(self, snapshot: Diff, *, anew: bool) -> None:
        """Note with which snapshot the book begins, and whether it is the first of new ids."""
        self._changes = self._snapshots = 0
        if anew:
            self._since_ms = snapshot.time_ms
