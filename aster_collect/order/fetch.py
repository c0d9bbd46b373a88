"""When a snapshot of a full book is asked for: one at a time, and after answers of no use later each time.

Pure. Times are seconds of a monotonic clock, given by the caller.
"""

QUIET_S = 1.0  # without a change, until the book is asked for all the same
LONGEST_WAIT = 7  # doublings of half a second


class Fetch:
    """The one snapshot that is asked for, or none."""

    def __init__(self) -> None:
        self.under_way = False
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

    def ask(self) -> None:
        """Note that it is asked for."""
        self.under_way = True

    def answered(self) -> bool:
        """Note an answer; return whether it is for the ids that there are."""
        valid = not self._void
        self.under_way = self._void = False
        return valid

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
