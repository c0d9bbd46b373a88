"""Our clocks, held still while one thing is done: what is recorded of them is all that was seen of them."""

import time
from collections.abc import Callable

from ..order.entries import Moment


class Moments:
    """The monotonic and the wall clock, both read once for each thing that is done."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock, self._wall_ns = clock, wall_ns
        self.now = Moment(clock(), wall_ns())

    def look(self) -> None:
        """Read both clocks: what is done next is done now."""
        self.now = Moment(self._clock(), self._wall_ns())

    def clock(self) -> float:
        """Return the monotonic clock's seconds."""
        return self.now.s

    def wall_ns(self) -> int:
        """Return Unix nanoseconds."""
        return self.now.ns

    def wall(self) -> float:
        """Return Unix seconds."""
        return self.now.ns / 1e9
