"""How far a tool is, on one line of a terminal; where standard error is none, nothing at all."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ..watch.terminal import StatusHandler

EVERY_S = 0.2  # drawn at most so often
UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


class Progress:
    """Counts rows, and bytes or another unit of so many; shows both, the share that is done, and the time that is left.

    The line is there within the `with` alone.
    """

    def __init__(
        self,
        total: int,
        *,
        unit: str = "",
        terminal: StatusHandler | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._unit = total, unit
        self._terminal = StatusHandler() if terminal is None else terminal
        self._clock = clock
        self._begun = self._drawn = clock()
        self._rows = self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._terminal.close()

    def __call__(self, rows: int, done: int) -> None:
        """Count more rows, and more of what there is to do."""
        self._rows += rows
        self._done += done
        now = self._clock()
        if now - self._drawn >= EVERY_S:
            self._drawn = now
            self._terminal.show(self._line(now - self._begun))

    def _line(self, passed_s: float) -> str:
        done = min(self._done, self._total)
        if self._unit:
            told = f"{done:,} of {self._total:,} {self._unit}, {self._rows:,} found"
        else:
            told = f"{self._rows:,} rows, {_size(done)} of {_size(self._total)}"
        if not done:
            return told
        left_s = round(passed_s * (self._total - done) / done)
        return f"{told}, {100 * done // self._total} %, {_duration(left_s)} left"


def _size(count: int) -> str:
    for unit, name in UNITS:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} B"


def _duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
