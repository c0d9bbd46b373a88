"""A history in the lake: each day that is not there as the data folder has it is written, and no other."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from ...archive import DamagedFile
from ...errors import DataError
from ...exchange.streams.kind import Kind
from ...files.histories import open_closed
from ...files.names import Part
from ...files.source import Source
from ..asked import Tell
from . import place
from .day import write
from .kept import Kept, Made
from .survey import Survey, identity, survey

SURVEYS = 4  # a file's survey is a so-manieth of the work with it


@dataclass
class Counts:
    """What was done: files written and their rows, and days that stayed as they were, for each reason.

    `refused` says why of each day that could not be written, or of a file that has lines which are no rows.
    """

    files: int = 0
    rows: int = 0
    unchanged: int = 0
    kept: int = 0  # of which the lake has rows that the data folder has no more
    open: int = 0
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Days:
    """Which days of a symbol are wanted, such as 2026-11-22: from the first on, and before `end`.

    Those from `open` on are not over, and with `begun` begins what there is in the data folder.
    """

    first: str
    end: str
    open: str
    begun: str

    def has(self, day: str) -> bool:
        """Return whether a day is wanted, open or not."""
        return self.first <= day < self.end

    def near(self, part: Part) -> bool:
        """Return whether a file can have rows of a day that is wanted: of its own, the one before, the one behind."""
        return not part.period or ((not self.first or _before(self.first) <= part.day) and part.day <= self.end)


class History:
    """Brings one history of the lake up to date."""

    def __init__(self, at: Path, folder: Path, kind: Kind, days: Days, exact: bool, counts: Counts, tell: Tell) -> None:
        """`at` is where it is in the lake, `folder` the data folder."""
        self._at, self._folder, self._kind = at, folder, kind
        self._days, self._exact = days, exact
        self._counts, self._tell = counts, tell
        self._growing: Source | None = None
        self._parts: dict[str, Part] = {}  # by the names of files, as the next
        self._told: dict[str, int] = {}

    def update(self, parts: Iterable[Part], sources: Iterable[Source]) -> None:
        """Read the files, oldest first, and write what is to be written, and can be; raises `OSError`."""
        kept = Kept(self._at, _since(parts))
        try:
            surveys = [self._survey(source, kept) for source in sources if self._is_near(source)]
        except DamagedFile as error:
            self._counts.refused.append(str(error))
            return
        wanted = {day for one in surveys for day in one.days} | {day for day in kept.days if self._may_shrink(day)}
        for day in sorted(wanted):
            if self._days.has(day):
                pieces = tuple((one, one.days[day]) for one in surveys if day in one.days)
                try:
                    self._day(day, Made(day, self._exact, pieces), kept)
                except DataError as error:
                    self._counts.refused.append(str(error))
        for one in surveys:
            self._tell(0, one.size - self._told[one.name])

    def _is_near(self, source: Source) -> bool:
        near = self._days.near(source.part)
        if not near:
            self._tell(0, source.status.st_size)
        return near

    def _survey(self, source: Source, kept: Kept) -> Survey:
        """Return which days a file has rows of: it is read only where that is not known."""
        self._parts[source.name] = source.part
        self._told[source.name] = 0
        if not source.part.period:
            self._growing = source  # stays open
        known = kept.survey(source)
        if known is None:
            return survey(self._kind, source, lambda _, bytes_: self._count(source.name, 0, bytes_ // SURVEYS))
        size, mtime_ns, ends = identity(source)
        return known._replace(name=source.name, size=size, mtime_ns=mtime_ns, ends=ends)

    def _count(self, name: str, rows: int, bytes_: int) -> None:
        self._told[name] += bytes_
        self._tell(rows, bytes_)

    def _day(self, day: str, wanted: Made, kept: Kept) -> None:
        made, counts = kept.day(day), self._counts
        if made and made.content == wanted.content:
            counts.unchanged += 1
        elif made and wanted.is_less(made) and not self._may_shrink(day):
            counts.kept += 1
        elif day >= self._days.open:
            counts.open += 1
        else:
            write(place.part(self._at, day), self._kind, day, wanted, self._opened, self._wrote)
            counts.files += 1
            counts.rows += wanted.rows

    def _may_shrink(self, day: str) -> bool:
        """Return whether rows that are gone have been taken away, and are not those of files that are elsewhere now."""
        return self._kind.shrinks and day > self._days.begun

    def _wrote(self, one: Survey, rows: int, bytes_: int) -> None:
        self._count(one.name, rows, bytes_ * one.size * (SURVEYS - 1) // (one.bytes * SURVEYS))

    @contextmanager
    def _opened(self, one: Survey) -> Iterator[Source]:
        part = self._parts[one.name]
        if not part.period:
            assert self._growing is not None
            yield self._growing
            return
        with open_closed(self._folder, part, links=True) as source:
            yield source


def _since(parts: Iterable[Part]) -> str:
    """Return from which day on the lake has what the files have: of files that grow only that is not known."""
    days = [part.day for part in parts if part.period]
    return _before(min(days)) if days else ""


def _before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()
