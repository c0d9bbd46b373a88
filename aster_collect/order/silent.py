"""A kind of which nothing comes though others come: the exchange may not serve its stream, and that is said once.

Pure. Times are seconds of a monotonic clock, given by the caller.
"""

from collections import Counter
from collections.abc import Iterable
from math import inf

from .effects import Say
from .lane import Lane
from .standing import NEVER_DELIVERED_S

QUIET_S = 3600.0  # of a kind of which nothing may come for a while: of liquidations, say
LOOK_S = 5.0


class Silent:
    """What each kind has brought since the first frame of all came."""

    def __init__(self) -> None:
        self._look_s = 0.0
        self._since_s = inf
        self._said: set[str] = set()

    def step(self, lanes: Iterable[Lane], now_s: float) -> list[Say]:
        """Return what is to be said, which is little, and seldom."""
        if now_s < self._look_s:
            return []
        self._look_s = now_s + LOOK_S
        frames, patience_s = Counter[str](), dict[str, float]()
        for lane in lanes:
            if lane.kind.wire:
                frames[lane.kind.name] += lane.frames
                patience_s[lane.kind.name] = NEVER_DELIVERED_S if lane.kind.steady else QUIET_S
        if not any(frames.values()):
            return []
        self._since_s = min(self._since_s, now_s)
        silent_s = now_s - self._since_s
        new = [name for name, count in frames.items() if not count and silent_s >= patience_s[name]]
        new = [name for name in new if name not in self._said]
        self._said.update(new)
        return [
            Say("warning", "nothing came streams=%s seconds=%.0f why=perhaps_not_served next=the_rest_goes_on", facts)
            for facts in ((name, silent_s) for name in new)
        ]
