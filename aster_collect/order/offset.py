"""By how much the exchange's clock is ahead of this machine's, how sure that is, and when to ask again.

Pure. A REST answer says what the exchange's clock was at some moment between the request and the answer: the middle is
taken, and it is wrong by half of the time between at most.
"""

ASK_EVERY_S = 3600.0
ASK_APART_S = 60.0


class ClockOffset:
    """What was found last; `most_s` is how much is taken for right."""

    def __init__(self, most_s: float, now_s: float) -> None:
        self.offset_ms: float | None = None
        self.uncertainty_ms: float | None = None
        self._most_s = most_s
        self._ask_s = now_s
        self._asked_s = now_s - ASK_APART_S
        self._said_s = now_s - ASK_EVERY_S

    def due(self, now_s: float) -> bool:
        """Return whether to ask; then the next time is in an hour."""
        if now_s < self._ask_s:
            return False
        self._asked_s, self._ask_s = now_s, now_s + ASK_EVERY_S
        return True

    def connected(self, now_s: float) -> None:
        """Note that a connection is open: the network is there, and may have been away; ask, once a minute at most."""
        self._ask_s = min(self._ask_s, max(now_s, self._asked_s + ASK_APART_S))

    def found(self, exchange_ms: int, asked_ns: int, received_ns: int) -> None:
        """Take an answer, and our wall clock before and after."""
        self.offset_ms = exchange_ms - (asked_ns + received_ns) / 2e6
        self.uncertainty_ms = abs(received_ns - asked_ns) / 2e6

    @property
    def off(self) -> bool:
        """Whether it is certain that the clocks differ by more than is taken for right."""
        if self.offset_ms is None or self.uncertainty_ms is None:
            return False
        return abs(self.offset_ms) - self.uncertainty_ms > self._most_s * 1000

    def to_be_said(self, now_s: float) -> bool:
        """Return whether the clocks are certainly off, and that has not been said for an hour; then it has been."""
        if not self.off or now_s - self._said_s < ASK_EVERY_S:
            return False
        self._said_s = now_s
        return True
