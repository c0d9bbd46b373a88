"""What a file is resumed from: its last rows, when these were written, when it was changed."""

import os
from collections.abc import Iterator
from itertools import islice, takewhile
from pathlib import Path

from ..exchange.form import Form
from ..exchange.ledger import LEDGER
from ..exchange.streams.kind import KNOWN_ROWS, Event
from .appender import Appender
from .folder import Folder
from .histories import last_row
from .names import DAY_MS
from .tail import lines_before


class Resumed:
    """The end that a file had when it was opened; to be made before that, and read once it is whole rows."""

    def __init__(self, form: Form, symbol: str, folder: Folder, appender: Appender) -> None:
        # How large it was, and when it had last been changed, by our clock, in milliseconds; None where there was none.
        self.found, self._inode = _found(appender.path)
        self.touched_ms = self.found[1] if self.found else 0  # also where what there was is set aside
        self._form, self._symbol, self._folder, self._appender = form, symbol, folder, appender
        self._rows: list[str] = []

    def read(self, last: str | None) -> list[int]:
        """Read what is behind the closed files, up to the `last` row; return times up to which rows are written.

        Where there is no last row it is that of the closed files. Raises `OSError`.
        """
        if self._inode != os.fstat(self._appender.descriptor).st_ino:
            self.touched_ms = 0
        kind = self._form.kind
        parts = self._folder.parts(kind, self._symbol)
        if last is None and parts:
            last = last_row(self._folder.path, parts, kind)
        written_ms = [part.end_ms - 1 for part in parts]
        if last is None or kind is LEDGER:
            return written_ms
        last_ms = kind.row_time_ms(last)
        newest = self._newest(last)
        of_last_ms = takewhile(lambda row: kind.row_time_ms(row) == last_ms, newest)
        self._rows = list(islice(newest, KNOWN_ROWS) if kind.by_content else of_last_ms)[::-1]
        # One odd time, far ahead of when it was written, is none; where all are it is this machine's that is odd.
        times_ms = map(kind.row_time_ms, self._newest(last))
        return [*written_ms, next((one for one in times_ms if one <= self.touched_ms + DAY_MS), last_ms)]

    def _newest(self, last: str) -> Iterator[str]:
        """Yield the last rows of the file, newest first, or if it has none the last one before it, of any columns."""
        lines = lines_before(self._appender.descriptor, len(self._form.header), self._appender.size)
        return filter(self._form.is_row, reversed(lines)) if lines else iter([last])

    @property
    def events(self) -> list[Event]:
        """All events at the end that bear the time of the last row, or of a kind told by content the last, in order."""
        return [event for row in self._rows if (event := self._event(row)) is not None]

    def _event(self, row: str) -> Event | None:
        try:
            return self._form.event(row)
        except (ValueError, IndexError):
            return None


def _found(path: Path) -> tuple[tuple[int, int] | None, int]:
    """Return how large a file is and when it was last changed, and its inode; None and 0 where there is none."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None, 0
    return (status.st_size, status.st_mtime_ns // 1_000_000), status.st_ino
