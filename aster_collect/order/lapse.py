"""The time of which a full book knows nothing, until a snapshot ends it. Pure.

Times named `_ms` are the exchange's, those named `_s` seconds of a monotonic clock, given by the caller.
"""

from ..exchange.events import Gap
from ..exchange.streams.depth import SNAPSHOT
from ..exchange.streams.kind import TIME, Kind
from .effects import Aside, Effect, Missing
from .lane import Left
from .linked import PREVIOUS
from .suspects import FORMER_MS

LONGEST_BATCH_MS = 1000  # a file may begin with a book that bears the time of the change behind it, not of its own


class Lapse:
    """One book's lapse, if there is one: its cause, and since when; once it ends it is a row of the ledger."""

    def __init__(self, kind: Kind, symbol: str, left: Left, now_s: float) -> None:
        """Begin with that of a restart, where a run before has left something."""
        self._kind, self._symbol = kind, symbol
        self._began_s = now_s
        opens = bool(left.last) and left.last[-1][PREVIOUS] == SNAPSHOT
        since_ms = (left.last[-1][TIME] - LONGEST_BATCH_MS * opens if left.last else 0) or left.anew_ms
        self._open: tuple[str, int] | None = ("restart", since_ms) if since_ms else None

    def begin(self, cause: str, since_ms: int, now_s: float) -> None:
        """Let the book be lost, whatever was before."""
        self._open, self._began_s = (cause, since_ms), now_s

    def note(self, since_ms: int) -> None:
        """Note what may let it begin earlier, if there is one."""
        if self._open:
            cause, from_ms = self._open
            self._open = cause, min(from_ms, since_ms)

    @property
    def is_open(self) -> bool:
        """Whether there is one."""
        return self._open is not None

    def is_fresh(self, now_s: float) -> bool:
        """Return whether the book was lost so lately that a slow server can still bring what bears former ids."""
        return now_s < self._began_s + FORMER_MS / 1000

    def end(self, to_ms: int) -> list[Effect]:
        """End it; return its row, if there was one."""
        ended, self._open = self._open, None
        return [missing(self._kind, self._symbol, *ended, to_ms)] if ended else []

    def end_anew(self, last_ms: int, to_ms: int) -> list[Effect]:
        """End it with a book of new ids: they are its cause, since the last row of the former ones, whose file ends."""
        if self._open:
            self._open = "new-ids", last_ms
        return [*self.end(to_ms), Aside(self._kind, self._symbol, "update_ids_began_anew")]


def missing(kind: Kind, symbol: str, cause: str, from_ms: int, to_ms: int) -> Missing:
    """Return the row of such a time, which does not end before it begins, whatever the exchange's clock does."""
    return Missing(symbol, Gap.of_time(kind.name, from_ms, max(from_ms, to_ms), cause))
