"""Events as they come, until a turn takes them, and how many came in all. Pure."""

from ..exchange.streams.kind import Event


class Arrivals:
    """`fresh` is one list for ever: who brings frames holds its `append`, which is called for every frame."""

    def __init__(self) -> None:
        self.fresh: list[Event] = []
        self.add = self.fresh.append
        self._taken = 0
        self._last: Event | None = None  # of those taken

    @property
    def frames(self) -> int:
        """How many events came."""
        return self._taken + len(self.fresh)

    def newest(self) -> Event | None:
        """Return the event that came last, None if none did."""
        return self.fresh[-1] if self.fresh else self._last

    def take(self) -> list[Event]:
        """Return what has come since the last time."""
        fresh = self.fresh[:]
        self.fresh.clear()
        if fresh:
            self._taken, self._last = self._taken + len(fresh), fresh[-1]
        return fresh
