"""The times of a history, from row to row and from file to file, held against the ledger."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from .ledger import MARGIN_MS, Broken, Ledger, Stretches

NO_TIME = -1
MOST_BACK_MS = 1000  # a second: what servers of the exchange differ by
JUMP_MS = 5000  # ahead by so much in one row, and back with the next, a time is odd …
FARTHEST_MS = 86_400_000  # … and that of a first row, which has none before it, where it is days ahead
QUIET = 10  # so much of a whole hour or day without rows, its tenth part, may be quiet beside what the ledger explains
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Back(NamedTuple):
    """How often a time was below the one before it, by how much at most, and where first."""

    steps: int
    largest_ms: int
    file: str
    line: int


class Times:
    """The times of the rows of one kind.

    A step back is counted. It is broken where no ids prove the order, it is larger than a second, and neither does it
    lead back from one odd time to those around that, nor has the ledger a stretch around it behind which times may
    begin anew. Where a file follows a closed one, no whole hour or day without
    rows may lie between them, after which closed files are named, but for what the ledger explains.
    """

    def __init__(self, kind: str, ledger: Ledger, broken: Broken, *, ids: bool) -> None:
        self._broken = broken
        self._ids = ids
        self._stretches = Stretches(ledger.stretches[kind])
        self._explained = ledger.explained(kind)
        self._begins_anew = ledger.begins_anew(kind)
        self._period_ms = self._period_before_ms = 0
        self._highest_ms = NO_TIME
        self.watch_ms = self._stretches.watch_ms
        self.first_ms = NO_TIME
        self.last_ms = NO_TIME
        self.before_ms = NO_TIME  # the time before `last_ms`, of rows without ids
        self.back: Back | None = None

    @property
    def end_ms(self) -> int:
        """The highest time."""
        return max(self._highest_ms, self.last_ms)

    def begin_file(self, period_ms: int) -> None:
        """Note that the rows of another file follow: a closed one of such a period, or with 0 the current one."""
        self._period_before_ms, self._period_ms = self._period_ms, period_ms
        self.watch_ms = NO_TIME  # so that its first row is looked at

    def lose_track(self) -> None:
        """Forget how the last file ended: rows that could not be read are no proof of a missing file."""
        self._period_before_ms = self._period_ms = 0

    def row(self, name: str, line: int, time_ms: int) -> None:
        """Check one row's time; needless for one that is not below `last_ms` and not past `watch_ms`."""
        if self.first_ms == NO_TIME:
            self.first_ms = time_ms
        else:
            if time_ms < self.last_ms:
                self._step_back(name, line, time_ms)
            if self._period_before_ms:
                self._follow(name, line, time_ms)
        self._period_before_ms = 0
        for stretch in self._stretches.row(time_ms):
            self._broken(name, line, f"a second row within the stretch that {stretch.where} calls missing")
        self.watch_ms = self._stretches.watch_ms
        self.last_ms = time_ms

    def _step_back(self, name: str, line: int, time_ms: int) -> None:
        step_ms = self.last_ms - time_ms
        self._highest_ms = max(self._highest_ms, self.last_ms)
        self.first_ms = min(self.first_ms, time_ms)
        if not self._ids and step_ms > MOST_BACK_MS and not self._leads_back(time_ms):
            unexplained_ms, _ = self._begins_anew.unexplained(time_ms, self.last_ms - 1)
            if unexplained_ms > MARGIN_MS:
                self._broken(name, line, f"time goes back by {step_ms} ms")
                return
        back = self.back or Back(0, 0, name, line)
        self.back = back._replace(steps=back.steps + 1, largest_ms=max(back.largest_ms, step_ms))

    def _leads_back(self, time_ms: int) -> bool:
        """Return whether a step back only undoes a jump ahead that one row before it made."""
        if self.before_ms == NO_TIME:
            return self.last_ms - time_ms > FARTHEST_MS
        return self.last_ms - self.before_ms > JUMP_MS and time_ms >= self.before_ms - MOST_BACK_MS

    def _follow(self, name: str, line: int, time_ms: int) -> None:
        period_ms = self._period_before_ms
        start_ms, end_ms = (self.last_ms // period_ms + 1) * period_ms, time_ms // period_ms * period_ms
        unexplained_ms, _ = self._explained.unexplained(start_ms, end_ms - 1)
        if start_ms < end_ms and unexplained_ms > period_ms // QUIET:
            self._broken(
                name,
                line,
                f"no rows from {utc(start_ms)} to {utc(end_ms)}, and no row of the ledger explains "
                f"{unexplained_ms // 1000} s of it: a closed file is missing, or nothing happened for so long",
            )


def utc(time_ms: int) -> str:
    """Return a time in ISO 8601, UTC."""
    time = _EPOCH + timedelta(milliseconds=time_ms)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
