"""What a run counts of its connections: how they stand, why they were lost, how long frames were on their way. Pure."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from ..exchange.events import HAND_OVER, Lost
from .links import Links
from .seen import Seen
from .standing import DELAY_BOUNDS_S, Delays


class Tally:
    """Counts what connections bring."""

    def __init__(self) -> None:
        self.links = Links()
        self.lost_reasons: Counter[str] = Counter()
        self.newest_frame_ns = 0
        self._delays = [0] * (len(DELAY_BOUNDS_S) + 1)
        self._delay_sum_s = 0.0

    def delivered(self, reads: Iterable[Seen]) -> None:
        """Count what was read."""
        for seen in reads:
            self.links.delivered(seen.connection, seen.received_ns, seen.messages)
            self.newest_frame_ns = max(self.newest_frame_ns, seen.received_ns)
            delay_s = seen.received_ns / 1e9 - seen.newest_ms / 1e3
            self._delays[bisect_left(DELAY_BOUNDS_S, delay_s)] += 1
            self._delay_sum_s += delay_s

    def lost(self, lost: Lost) -> None:
        """Count a connection that ended."""
        if lost.reason != HAND_OVER:
            self.lost_reasons[lost.reason] += 1
        (self.links.ended if lost.over else self.links.lost)(lost.connection)

    @property
    def delays(self) -> Delays:
        """How long after it was sent a frame was received."""
        return Delays(tuple(self._delays), self._delay_sum_s)
