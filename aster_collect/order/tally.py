"""What a run counts of its connections: how they stand, why they were lost, how long frames were on their way. Pure."""

from bisect import bisect_left
from collections import Counter

from ..exchange.events import HAND_OVER, Batch, Lost
from .links import Links
from .standing import DELAY_BOUNDS_S, Delays


class Tally:
    """Counts what connections bring."""

    def __init__(self) -> None:
        self.links = Links()
        self.lost_reasons: Counter[str] = Counter()
        self.newest_frame_ns = 0
        self._delays = [0] * (len(DELAY_BOUNDS_S) + 1)
        self._delay_sum_s = 0.0

    def delivered(self, batch: Batch, newest_ms: int) -> None:
        """Count a batch, whose newest frame was sent then."""
        self.links.delivered(batch.connection, batch.received_ns, len(batch.bounds) // 2)
        self.newest_frame_ns = max(self.newest_frame_ns, batch.received_ns)
        delay_s = batch.received_ns / 1e9 - newest_ms / 1e3
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
