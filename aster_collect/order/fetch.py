"""The snapshots of a full book that are asked for: one at a time, and after answers of no use later each time.

Pure. Times are seconds of a monotonic clock, given by the caller.
"""

import json

from ..errors import DecodeError
from ..exchange.events import Answer
from ..exchange.pages import ask_snapshot
from ..exchange.streams.depth import Diff, of_snapshot
from ..exchange.streams.kind import Kind
from ..exchange.venues import Venue
from .effects import Reject, Request

QUIET_S = 1.0  # without a change, until the book is asked for all the same
LONGEST_WAIT = 7  # doublings of half a second


class Fetch:
    """One symbol's snapshot that is asked for, or none."""

    def __init__(self, kind: Kind, symbol: str, venue: Venue) -> None:
        self.under_way = False
        self._kind, self._symbol, self._venue = kind, symbol, venue
        self._void = False  # what is under way is of former ids
        self._quiet_s: float | None = None  # from when on a change is not waited for
        self._tries = 0
        self._retry_s = 0.0

    def delivered(self, now_s: float) -> None:
        """Note that a connection delivers: a quiet symbol's book is to be had too."""
        if self._quiet_s is None:
            self._quiet_s = now_s + QUIET_S

    def due(self, now_s: float, *, changed: bool) -> bool:
        """Return whether the book that is wanted can be asked for; `changed` says that a change has come."""
        quiet = self._quiet_s is not None and now_s >= self._quiet_s
        return not self.under_way and now_s >= self._retry_s and (changed or quiet)

    def ask(self) -> Request:
        """Return the request for one, which is under way from now on."""
        self.under_way = True
        return Request(ask_snapshot(self._venue, self._symbol))

    def answered(self, answer: Answer, now_s: float) -> tuple[Diff | None, list[Reject]]:
        """Take an answer; return its snapshot, if it has one and is for the ids that there are, or what it is kept as.

        What was refused is not kept: there is nothing to keep.
        """
        valid = not self._void
        self.under_way = self._void = False
        if not valid:
            return None, []
        if answer.refused:
            self.failed(now_s)
            return None, []
        try:
            return of_snapshot(answer.value, answer.received_ns), []
        except DecodeError as error:
            self.failed(now_s)
            kept = json.dumps(answer.value, ensure_ascii=False).encode("utf-8", "surrogatepass")
            return None, [Reject(f"{self._kind.name} of {self._symbol}", answer.received_ns, str(error), kept)]

    def failed(self, now_s: float) -> None:
        """Note that the answer was of no use."""
        self._tries += 1
        self._retry_s = now_s + 0.25 * 2 ** min(self._tries, LONGEST_WAIT)

    def worked(self) -> None:
        """Note that it was of use: another one would have to wait for nothing."""
        self._tries, self._retry_s, self._quiet_s = 0, 0.0, 0.0

    def begin_anew(self) -> None:
        """Let what is under way count for nothing: ids have begun anew."""
        self._void = self.under_way
