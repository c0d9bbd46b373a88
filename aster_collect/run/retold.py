"""What is to be known to begin a replay within a run, said again at the beginning of each hour of its record."""

from collections.abc import Callable, Iterator
from typing import Any

from ..exchange.events import Lost, Opened, Wanted
from ..order.entries import Again, Begin, Entry, Moment, Run

HOUR_NS = 3_600_000_000_000


class Retold:
    """Records what comes; each hour by our clock, which has a file of its own, begins with how the run stands.

    So the files of a run that goes on for months can be replayed from any of them on. It is said again too where the
    record lacks something.
    """

    def __init__(self, record: Callable[[Moment, Entry], bool]) -> None:
        """`record` returns whether it had room."""
        self._record = record
        self._hour = 0
        self._lacks = False
        self._run: Run | None = None
        self._begun: dict[str, Begin] = {}
        self._wanted: dict[int, Wanted] = {}
        self._opened: dict[int, Opened] = {}
        self._notes: dict[type, Callable[[Any], None]] = {
            Run: self._note_run, Begin: self._note_begin, Wanted: self._note_wanted, Opened: self._note_opened,
            Lost: self._note_lost,
        }  # fmt: skip

    def record(self, moment: Moment, entry: Entry) -> None:
        """Record an entry, and before the first one of an hour how the run stands."""
        hour = moment.ns // HOUR_NS
        if hour > self._hour:
            self._hour = hour
            self._tell(moment)
        lacked, self._lacks = self._lacks, not self._record(moment, entry)
        if note := self._notes.get(type(entry)):
            note(entry)
        if lacked and not self._lacks:
            self._tell(moment)

    def _tell(self, moment: Moment) -> None:
        """Say how the run stands, as far as there is room."""
        self._lacks = not all(self._record(moment, Again(one)) for one in self._standing())

    def _standing(self) -> Iterator[Run | Begin | Wanted | Opened]:
        if self._run is not None:
            yield self._run
            yield from self._begun.values()
            yield from self._wanted.values()
            yield from self._opened.values()

    def _note_run(self, run: Run) -> None:
        self._run = run._replace(rejects_bytes=0)

    def _note_begin(self, begin: Begin) -> None:
        self._begun[begin.symbol] = begin._replace(left={}, found={})  # who begins here finds no files

    def _note_wanted(self, wanted: Wanted) -> None:
        self._wanted[wanted.connection] = wanted

    def _note_opened(self, opened: Opened) -> None:
        self._opened[opened.connection] = opened

    def _note_lost(self, lost: Lost) -> None:
        self._opened.pop(lost.connection, None)
        if lost.over:
            self._wanted.pop(lost.connection, None)
