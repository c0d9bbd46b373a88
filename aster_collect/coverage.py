"""Which stretches of time no connection covered, for one group of streams.

Pure. A connection covers the time from its first frame to its newest, on the exchange's clock: what it was sent
then, it delivered. While one that began in time goes on, nothing is missed, whatever the others do; when none is
left, the stretch to the beginning of the earliest other one is an outage.
"""

from typing import NamedTuple


class Outage(NamedTuple):
    """A stretch of the exchange's time in which events could have been missed."""

    from_ms: int
    to_ms: int


class Coverage:
    """The end of what is covered without a break, and the beginning of each connection that is alive."""

    def __init__(self) -> None:
        self.covered_ms: int | None = None
        self._began_ms: dict[int, int] = {}
        self._newest_ms: dict[int, int] = {}

    def frame(self, connection: int, sent_ms: int) -> Outage | None:
        """Note that a connection delivered; return the outage that this ends, if it does."""
        if self.covered_ms is None:
            self.covered_ms = sent_ms
        self._began_ms.setdefault(connection, sent_ms)
        self._newest_ms[connection] = max(sent_ms, self._newest_ms.get(connection, 0))
        if self._began_ms[connection] <= self.covered_ms:
            self.covered_ms = max(self.covered_ms, sent_ms)
            return None
        return self._settle()

    def lost(self, connection: int) -> Outage | None:
        """Note that a connection ended; return the outage that is certain now, if there is one."""
        began_ms = self._began_ms.pop(connection, None)
        newest_ms = self._newest_ms.pop(connection, 0)
        if began_ms is not None and self.covered_ms is not None and began_ms <= self.covered_ms:
            self.covered_ms = max(self.covered_ms, newest_ms)
        return self._settle()

    def _settle(self) -> Outage | None:
        if not self._began_ms or self.covered_ms is None:
            return None
        first_ms = min(self._began_ms.values())
        outage = Outage(self.covered_ms, first_ms) if first_ms > self.covered_ms else None
        for connection, began_ms in sorted(self._began_ms.items(), key=lambda item: item[1]):
            if began_ms <= max(first_ms, self.covered_ms):
                self.covered_ms = max(self.covered_ms, self._newest_ms[connection])
        return outage
