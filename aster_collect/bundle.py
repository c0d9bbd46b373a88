"""The streams that share connections: which connections carry them, and what of them was not carried.

Pure. The exchange stamps a frame when it sends it (`E`) and an event when it makes it (`T`). Coverage is known in
the former, rows carry the latter: where the exchange lags, an outage is told in the rows' time.
"""

from .coverage import Coverage, Outage

JUMP_MS = 5000  # a sending time that is ahead of the last by so much more than the time that has passed is doubted
LAG_MS = 500  # of less the ledger's precision of a second takes no notice
LAG_LIMIT_MS = 60_000


class Bundle:
    """One group of symbols, whose streams every one of its connections carries."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.moved_s = 0.0
        self.was_redundant = False
        self._coverage = Coverage()
        self._wanted: set[int] = set()
        self._delivered: set[int] = set()
        self._lag_ms = 0
        self._clock: tuple[int, int] | None = None  # the newest sending time that was believed, and when it came
        self._doubted: tuple[int, int] | None = None

    @property
    def begun(self) -> bool:
        """Whether any frame has come."""
        return self._coverage.covered_ms is not None

    @property
    def redundant(self) -> bool:
        """Whether more than one connection carries it, by choice or during a hand-over."""
        return len(self._wanted) > 1

    def wanted(self, connection: int) -> None:
        """Note that a connection is to carry it."""
        self._wanted.add(connection)

    def is_new(self, connection: int) -> bool:
        """Return whether a connection has delivered nothing since it was opened."""
        return connection not in self._delivered

    def frames(self, connection: int, first_ms: int, newest_ms: int, received_ms: int) -> Outage | None:
        """Note what a batch covers, in sending times; return the outage that this ends, if it does."""
        if not self._believes(newest_ms, received_ms):
            return None
        outage = None
        if connection not in self._delivered:
            self._delivered.add(connection)
            outage = self._coverage.frame(connection, min(max(first_ms, newest_ms - LAG_LIMIT_MS), newest_ms))
        later = self._coverage.frame(connection, newest_ms)
        return self._told(outage or later)

    def lags(self, lag_ms: int) -> None:
        """Note by how much a sending time is behind the event's; to be told after `frames` of the same batch."""
        self._lag_ms = max(0, min(lag_ms, LAG_LIMIT_MS))

    def lost(self, connection: int, over: bool) -> Outage | None:
        """Note that a connection ended, for good or not; return the outage that is certain now, if there is one."""
        self._delivered.discard(connection)
        if over:
            self._wanted.discard(connection)
        return self._told(self._coverage.lost(connection))

    def _told(self, outage: Outage | None) -> Outage | None:
        if outage is None or self._lag_ms < LAG_MS:
            return outage
        return Outage(outage.from_ms - self._lag_ms, outage.to_ms - self._lag_ms)

    def _believes(self, sent_ms: int, received_ms: int) -> bool:
        """Doubt a sending time that jumps ahead, until a second one agrees: it would hide every outage up to it."""
        now = (sent_ms, received_ms)
        if self._clock is not None and _ahead(now, self._clock) > JUMP_MS:
            confirmed = self._doubted is not None and abs(_ahead(now, self._doubted)) <= JUMP_MS
            self._doubted = now
            if not confirmed:
                return False
        if self._clock is None or sent_ms > self._clock[0]:
            self._clock = now
        return True


def _ahead(now: tuple[int, int], then: tuple[int, int]) -> int:
    return (now[0] - then[0]) - (now[1] - then[1])
