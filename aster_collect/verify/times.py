"""The times of a history, from row to row and from file to file, held against the ledger."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ..exchange.ledger import MARGIN_MS
from ..exchange.streams.kind import Kind, Lane
from .found import NO_TIME, Back, Ends
from .ledger import Flaw, Ledger, Stretches
from .lines import Lines

MOST_BACK_MS = 1000  # a second: what servers of the exchange differ by
JUMP_MS = 5000  # ahead by so much in one row, and back with the next, a time is odd …
FARTHEST_MS = 86_400_000  # … and that of a first row, which has none before it, where it is days ahead
QUIET = 10  # so much of a whole hour or day without rows, its tenth part, may be quiet beside what the ledger explains
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Times:
    """The times of the rows of one kind.

    A step back is counted. It is broken where no ids prove the order, it is larger than a second, and neither does it
    lead back from one odd time to those around that, nor has the ledger a stretch around it behind which times may
    begin anew. Of what is asked for, a time that comes twice is broken too. Where events come all the time and a file
    follows a closed one, no whole hour or day without rows may lie between them, after which closed files are named,
    but for what the ledger explains.
    """

    def __init__(self, kind: Kind, ledger: Ledger) -> None:
        self._steady = kind.steady
        self._once = kind.lane is Lane.POLLED and not kind.whole_folder
        self._stretches = Stretches(ledger.stretches[kind.name])
        self._explained = ledger.explained(kind.name)
        self._begins_anew = ledger.begins_anew(kind.name)
        self._period_ms = self._period_before_ms = 0
        self._highest_ms = NO_TIME
        self._watch_ms = NO_TIME  # no time up to this one needs a look, if it is not below the last
        self._last_ms = NO_TIME
        self._before_ms = NO_TIME  # the time before the last one, which is another
        self._first_ms = NO_TIME  # of the file
        self._back: Back | None = None  # in the file

    def end_file(self) -> Ends:
        """Return what was found of a file's times, and begin another."""
        ends = Ends(self._first_ms, max(self._highest_ms, self._last_ms), self._back)
        self._first_ms = self._highest_ms = NO_TIME
        self._back = None
        return ends

    @property
    def state(self) -> list[Any]:
        """What of the files so far those that follow depend on, to be written as JSON."""
        return [self._last_ms, self._before_ms, *self._stretches.state]

    def go_on(self, state: list[Any], period_ms: int) -> None:
        """Go on behind a file of such a period that left this state."""
        self._last_ms, self._before_ms, passed_ms, counted = state
        self._stretches.go_on(passed_ms, counted)
        self._period_ms = period_ms if self._steady else 0

    def begin_file(self, period_ms: int) -> None:
        """Note that the rows of another file follow: a closed one of such a period, or with 0 the current one."""
        self._period_before_ms, self._period_ms = self._period_ms, period_ms if self._steady else 0
        self._watch_ms = NO_TIME  # so that its first row is looked at

    def lose_track(self) -> None:
        """Forget how the last file ended: rows that could not be read are no proof of a missing file."""
        self._period_before_ms = self._period_ms = 0

    def take(self, lines: Lines) -> list[Flaw]:
        """Check the times of some rows, whose order ids prove where they have some."""
        flaws: list[Flaw] = []
        name, numbers, times_ms, ids = lines.name, lines.numbers, lines.times_ms, bool(lines.ids)
        first = 1 if self._watch_ms == NO_TIME else 0
        self._look(name, numbers[:first], times_ms[:first], ids, flaws)
        times_ms = times_ms[first:]
        if not self._rises_to(times_ms):
            self._look(name, numbers[first:], times_ms, ids, flaws)
        return flaws

    def _rises_to(self, times_ms: list[int]) -> bool:
        """Go on to the last of these times if they rise and none needs a look; return whether it is so."""
        if not times_ms or times_ms[0] < self._last_ms or times_ms[-1] > self._watch_ms or sorted(times_ms) != times_ms:
            return not times_ms
        if self._once and (times_ms[0] == self._last_ms or len(set(times_ms)) < len(times_ms)):
            return False
        last_ms = times_ms[-1]
        if before := bisect_left(times_ms, last_ms):
            self._before_ms = times_ms[before - 1]
        elif last_ms != self._last_ms:
            self._before_ms = self._last_ms
        self._last_ms = last_ms
        return True

    def _look(self, name: str, lines: Sequence[int], times_ms: list[int], ids: bool, flaws: list[Flaw]) -> None:
        last_ms, before_ms, watch_ms = self._last_ms, self._before_ms, self._watch_ms
        for line, time_ms in zip(lines, times_ms, strict=True):
            if time_ms > watch_ms or time_ms < last_ms or (time_ms == last_ms and self._once):
                self._last_ms, self._before_ms = last_ms, before_ms
                flaws += ((line, why) for why in self._row(name, line, time_ms, ids))
                watch_ms = self._watch_ms
            if time_ms != last_ms:
                before_ms, last_ms = last_ms, time_ms
        self._last_ms, self._before_ms = last_ms, before_ms

    def _row(self, name: str, line: int, time_ms: int, ids: bool) -> list[str]:
        """Look at one row's time, and return what is wrong with it."""
        flaws = []
        if self._first_ms == NO_TIME:
            self._first_ms = time_ms
        if self._last_ms != NO_TIME:
            if time_ms < self._last_ms:
                flaws += self._step_back(name, line, time_ms, ids)
            elif self._once and time_ms == self._last_ms:
                flaws.append("the same time again")
            if self._period_before_ms:
                flaws += self._follow(time_ms)
        self._period_before_ms = 0
        for stretch in self._stretches.row(time_ms):
            flaws.append(f"a second row within the stretch that {stretch.where} calls missing")
        self._watch_ms = self._stretches.watch_ms
        return flaws

    def _step_back(self, name: str, line: int, time_ms: int, ids: bool) -> list[str]:
        step_ms = self._last_ms - time_ms
        self._highest_ms = max(self._highest_ms, self._last_ms)
        self._first_ms = min(self._first_ms, time_ms)
        if not ids and step_ms > MOST_BACK_MS and not self._leads_back(time_ms):
            unexplained_ms, _ = self._begins_anew.unexplained(time_ms, self._last_ms - 1)
            if unexplained_ms > MARGIN_MS:
                return [f"time goes back by {step_ms} ms"]
        back = self._back or Back(0, 0, name, line)
        self._back = back._replace(steps=back.steps + 1, largest_ms=max(back.largest_ms, step_ms))
        return []

    def _leads_back(self, time_ms: int) -> bool:
        """Return whether a step back only undoes a jump ahead that one row before it made."""
        if self._before_ms == NO_TIME:
            return self._last_ms - time_ms > FARTHEST_MS
        return self._last_ms - self._before_ms > JUMP_MS and time_ms >= self._before_ms - MOST_BACK_MS

    def _follow(self, time_ms: int) -> list[str]:
        period_ms = self._period_before_ms
        start_ms, end_ms = (self._last_ms // period_ms + 1) * period_ms, time_ms // period_ms * period_ms
        unexplained_ms, _ = self._explained.unexplained(start_ms, end_ms - 1)
        if start_ms >= end_ms or unexplained_ms <= period_ms // QUIET:
            return []
        return [
            f"no rows from {utc(start_ms)} to {utc(end_ms)}, and no row of the ledger explains "
            f"{unexplained_ms // 1000} s of it: a closed file is missing, or nothing happened for so long"
        ]


def read_time(kind: Kind, row: bytes) -> int | None:
    """Return the time in a line, in milliseconds, None where it has none."""
    cells = row.split(b",")
    cell = cells[kind.time_at] if len(cells) > kind.time_at else b""
    return int(cell.replace(b".", b"")) if re.fullmatch(kind.time.cell.pattern.encode(), cell) else None


def utc(time_ms: int) -> str:
    """Return a time in ISO 8601, UTC."""
    time = _EPOCH + timedelta(milliseconds=time_ms)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
