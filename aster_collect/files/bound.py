"""How much may wait in memory for a full disk, over all files, and what of which file is lost beyond that."""

import logging
from collections.abc import Sequence

from ..exchange.events import Gap
from ..exchange.streams.kind import TIME, Event
from .sheet import Sheet

log = logging.getLogger(__name__)


class Bound:
    """The bytes that wait, and the sheets with losses that no ledger tells yet."""

    def __init__(self, limit_bytes: int) -> None:
        self.pending_bytes = 0
        self.limit_bytes = limit_bytes  # while more than that wait, what comes is lost
        self._lossy: dict[Sheet, None] = {}

    def lose(self, sheet: Sheet, events: Sequence[Event]) -> None:
        """Note events that can't wait."""
        self._note(sheet)
        sheet.losses.events(events)
        sheet.begin("overflow", events[-1][TIME])

    def lose_gap(self, sheet: Sheet, gap: Gap) -> None:
        """Note a gap of a sheet's stream that can't wait."""
        self._note(sheet)
        sheet.losses.gap(gap)

    def _note(self, sheet: Sheet) -> None:
        if not sheet.losses:
            log.error("rows lost file=%s why=disk_full_and_memory_full", sheet.appender.path.name)
        self._lossy[sheet] = None

    def lossy(self) -> list[Sheet]:
        """Return the sheets with losses that can be told by now: there is room."""
        return list(self._lossy) if self.pending_bytes <= self.limit_bytes else []

    def take(self, sheet: Sheet, next_ms: int) -> list[Gap]:
        """Return what a sheet lost, and forget it; `next_ms` is the time of the first row behind, 0 without one."""
        self.forget(sheet)
        return sheet.losses.take(next_ms)

    def forget(self, sheet: Sheet) -> None:
        """Have nothing to tell of a sheet."""
        self._lossy.pop(sheet, None)
