"""Which stretches of time no connection covered, for one group of streams.

Pure. A connection covers the time from its first frame to its newest, on a scale that no set clock breaks: what it was
sent then, it delivered. While one that began in time goes on, nothing is missed, whatever the others do; when none is
left, the stretch to the beginning of the earliest other one is an outage. One that brings only frames of long ago is
not waited for.
"""

from typing import NamedTuple

from .clock import Moment

STALE_MS = 60_000


class Outage(NamedTuple):
    """A stretch in which events could have been missed: the last frame before and the first one after."""

    last: Moment
    first: Moment


class Coverage:
    """The end of what is covered without a break, and the beginning of each connection that is alive."""

    def __init__(self) -> None:
        self.covered: Moment | None = None
        self._began: dict[int, Moment] = {}
        self._newest: dict[int, Moment] = {}
        self._now_ms = 0

    @property
    def alive(self) -> bool:
        """Whether there is a connection that has delivered."""
        return bool(self._began)

    @property
    def connections(self) -> set[int]:
        """The connections that have delivered."""
        return set(self._began)

    @property
    def settled(self) -> bool:
        """Whether every connection that delivers began in time: none of them can fill an outage any more."""
        covered = self.covered
        return covered is not None and all(began.at_ms <= covered.at_ms for began in self._began.values())

    @property
    def open(self) -> bool:
        """Whether there may be an outage that a connection which is behind can fill yet; or not."""
        return self.alive and not self.settled

    def frame(self, connection: int, moment: Moment) -> Outage | None:
        """Note that a connection delivered; return the outage that this ends, if it does."""
        self._now_ms = max(self._now_ms, moment.at_ms)
        covered = self.covered = self.covered or moment
        began = self._began.setdefault(connection, moment)
        newest = self._newest[connection] = _later(self._newest.get(connection, moment), moment)
        if began.at_ms <= covered.at_ms:
            self.covered = _later(covered, newest)
            return None
        return self._settle()

    def lost(self, connection: int) -> Outage | None:
        """Note that a connection ended; return the outage that is certain now, if there is one."""
        began, newest = self._began.pop(connection, None), self._newest.pop(connection, None)
        if began is not None and newest is not None and self.covered is not None and began.at_ms <= self.covered.at_ms:
            self.covered = _later(self.covered, newest)
        return self._settle()

    def close(self) -> list[Outage]:
        """End all connections, those first that are behind; return the outages that only they could have covered."""
        behind = sorted(self._newest, key=lambda connection: self._newest[connection].at_ms)
        return [outage for connection in behind if (outage := self.lost(connection)) is not None]

    def _settle(self) -> Outage | None:
        """Go on to the earliest beginning of a connection that is alive, unless one that began in time may deliver."""
        waited = [one for one, newest in self._newest.items() if newest.at_ms >= self._now_ms - STALE_MS]
        if not waited or self.covered is None:
            return None
        first = min((self._began[connection] for connection in waited), key=lambda moment: moment.at_ms)
        outage = None
        if first.at_ms > self.covered.at_ms:
            outage = Outage(self.covered, first)
            self.covered = first
        for connection in sorted(waited, key=lambda connection: self._began[connection].at_ms):
            if self._began[connection].at_ms <= self.covered.at_ms:
                self.covered = _later(self.covered, self._newest[connection])
        return outage


def _later(one: Moment, other: Moment) -> Moment:
    return other if other.at_ms >= one.at_ms else one
