"""Files of one kind and symbol, one a day of UTC, each written aside and whole when it has its name."""

import gzip
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from ..files.aside import aside
from ..files.names import DAY_MS

LEVEL = 4  # of compression: of a day's quotes twice as fast as 6, and a twentieth larger


def day_of(time_ms: int) -> int:
    """Return which day a time is of, counted from 1970."""
    return time_ms // DAY_MS


def day_name(day: int) -> str:
    """Return a day as 2026-11-22."""
    return datetime.fromtimestamp(day * DAY_MS // 1000, UTC).strftime("%Y-%m-%d")


class Days:
    """Gzipped files of lines, each under a header. A row of an earlier day than the one before it stays with that one.

    Used in a `with`: at its end the last file gets its name, and after an exception none that is not whole.
    """

    def __init__(self, path: Callable[[str], Path], header: str) -> None:
        """`path` makes the path of a day's file of the day's name."""
        self._path, self._header = path, header
        self._day = -1
        self._open: ExitStack | None = None
        self.files = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is not None:
            self._open.__exit__(kind, error, trace)

    def add(self, times_ms: Sequence[int], lines: Sequence[str]) -> None:
        """Write the lines of rows, of each with its line end, in the files of their days."""
        if not times_ms:
            return
        if self._day == day_of(min(times_ms)) == day_of(max(times_ms)):
            self._write(lines)
            return
        start = 0
        for at, time_ms in enumerate(times_ms):
            if day_of(time_ms) > self._day:
                self._write(lines[start:at])
                start = at
                self._begin(day_of(time_ms))
        self._write(lines[start:])

    def _begin(self, day: int) -> None:
        self.__exit__(None, None, None)
        self._open, self._day = None, day
        with ExitStack() as opening:
            beside = opening.enter_context(aside(self._path(day_name(day))))
            file = opening.enter_context(beside.open("wb"))
            packed = gzip.GzipFile("", "wb", LEVEL, file, mtime=0)  # the same rows are the same bytes
            self._file = opening.enter_context(packed)
            self._open = opening.pop_all()
        self._write([self._header])
        self.files += 1

    def _write(self, lines: Iterable[str]) -> None:
        if data := "".join(lines):
            self._file.write(data.encode("utf-8", "surrogateescape"))
