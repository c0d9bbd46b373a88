"""What the gap ledger says is missing: of what rises by 1 the ids, of all else stretches of time."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from sys import maxsize
from typing import Any, NamedTuple

from ..exchange.ledger import LEDGER, LOSES_ROWS, NOT_ASKED, margin_ms
from ..exchange.streams import KINDS
from .found import NO_TIME, Ends, FileEnd, IdsFound
from .lines import Lines

Flaw = tuple[int, str]  # a line, and what is wrong with it
Range = tuple[int, int]

# What came too late, or in a pause, is missing from among rows that are there; a clock that was set misplaces both.
# So does a book that differed from the exchange's since nobody knows when.
HOLDS_ROWS = ("late", "restart", "clock", "mismatch")
SET_CLOCK = "clock"
BEGINS_BEFORE = ("restart", "clock")  # behind such a stretch times may begin anew from within it
AROUND_MS = 60_000  # more than what any rule asks of the ledger lies off the rows


class Stretch(NamedTuple):
    """A time in which a ledger row says that rows may be missing."""

    from_ms: int
    to_ms: int
    where: str
    cause: str


def milliseconds(seconds: bytes) -> int:
    """Return a time with exactly three decimals as milliseconds."""
    return int(seconds.replace(b".", b""))


def union(ranges: Iterable[Range], step: int) -> list[Range]:
    """Merge ranges that overlap or lie at most `step` apart: 1 for ids, which adjoin, 0 for times."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + step:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


class Ranges:
    """The ids that the ledger lists, or its times in milliseconds, in disjoint ascending ranges."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._ranges = union(ranges, 1)
        self._lasts = [last for _, last in self._ranges]

    def next(self, number: int) -> int:
        """Return the lowest that is listed and not below `number`."""
        at = bisect_left(self._lasts, number)
        return max(number, self._ranges[at][0]) if at < len(self._ranges) else maxsize

    def holds(self, number: int) -> bool:
        """Return whether one is listed."""
        return self.next(number) == number

    def spans(self, first: int, last: int) -> bool:
        """Return whether a range reaches from `first` or before it to `last` or behind it."""
        at = bisect_left(self._lasts, last)
        return at < len(self._ranges) and self._ranges[at][0] <= first

    def unexplained(self, first: int, last: int) -> tuple[int, int]:
        """Return how many of `first` to `last` are not listed, and the lowest of them (0 when none)."""
        count = lowest = 0
        at = bisect_left(self._lasts, first)
        while first <= last:
            start, end = self._ranges[at] if at < len(self._ranges) else (last + 1, last + 1)
            if first < start:
                lowest = lowest or first
                count += min(start, last + 1) - first
            first, at = end + 1, at + 1
        return count, lowest


class Ledger:
    """The rows of `gaps_<SYMBOL>.csv`: well-formed, or reported and left out.

    `set_aside` are by kind the times whose rows are in files that were set aside: they are in no history either.
    `repaired` are by kind the ids that a repair was putting back when it was interrupted: they may be in both.
    """

    def __init__(
        self,
        set_aside: Mapping[str, list[Range]],
        repaired: Mapping[str, list[Range]],
        *,
        since_ms: int = 0,
        is_known: bool = True,
    ) -> None:
        self._since_ms = since_ms
        self.is_known = is_known  # or anything may be missing
        self._set_aside = set_aside
        self.repaired = repaired
        self.rows = Counter[str]()  # by stream, of those that reach behind a moment
        self.stretches: dict[str, list[Stretch]] = defaultdict(list)  # of the streams whose ids don't tell more
        self.missing: dict[str, list[Range]] = defaultdict(list)  # ids of the others
        self.first_ms: int | None = None
        self.last_ms: int | None = None

    def take(self, lines: Lines) -> list[Flaw]:
        """Read good lines of a ledger file, and return what is wrong with them."""
        assert LEDGER.check is not None
        flaws = []
        for at, line in enumerate(lines.numbers):
            row = lines.row(at)
            if why := LEDGER.check.flaw(row):
                flaws.append((line, why))
                continue
            stream, first, last, cause = (row[cell].decode() for cell in (0, 3, 4, 5))
            from_ms, to_ms = milliseconds(row[1]), milliseconds(row[2])
            self.rows[stream] += to_ms >= self._since_ms
            self.first_ms = from_ms if self.first_ms is None else min(from_ms, self.first_ms)
            self.last_ms = to_ms if self.last_ms is None else max(to_ms, self.last_ms)
            if first:
                self._miss(self.missing[stream], (int(first), int(last)))
            elif cause != NOT_ASKED:
                self.stretches[stream].append(Stretch(from_ms, to_ms, f"{lines.name}:{line}", cause))
        return flaws

    def explained(self, kind: str) -> Ranges:
        """Return the times of which there may be no rows."""
        listed = ((stretch.from_ms, stretch.to_ms) for stretch in self.stretches[kind])
        return Ranges([*listed, *self.set_aside(kind)])

    def set_aside(self, kind: str) -> Sequence[Range]:
        """Return the times whose rows are in files that were set aside."""
        return self._set_aside.get(kind, ())

    def begins_anew(self, kind: str) -> Ranges:
        """Return the times behind which rows may begin anew, with times before those that are there."""
        return Ranges((one.from_ms, one.to_ms) for one in self.stretches[kind] if one.cause in BEGINS_BEFORE)

    def lost(self, kind: str) -> Ranges:
        """Return the times of rows that were there and are lost."""
        return Ranges((one.from_ms, one.to_ms) for one in self.stretches[kind] if one.cause in LOSES_ROWS)

    def begin_file(self, period_ms: int) -> None:
        """Nothing to note: the rows of a ledger do not depend on each other."""

    def lose_track(self) -> None:
        """Nothing to forget."""

    def end_file(self) -> FileEnd:
        """Nothing to tell."""
        return FileEnd(Ends(NO_TIME, NO_TIME, None), IdsFound(), (0, 0))

    @property
    def state(self) -> None:
        """Nothing to keep: it is read whole each time."""

    def around(self, kinds: Iterable[str], times_ms: Range, ids: Range | None) -> str:
        """Return a hash of all that it says of these kinds around some times, and of some ids."""
        low, high = times_ms[0] - AROUND_MS, times_ms[1] + AROUND_MS
        said: list[object] = []
        for kind in kinds:
            near = (one for one in self.stretches.get(kind, ()) if low <= one.to_ms and one.from_ms <= high)
            said += sorted((one.from_ms, one.to_ms, one.cause) for one in near)
            said += sorted(one for one in self.set_aside(kind) if low <= one[1] and one[0] <= high)
            if ids:
                listed = (*self.missing.get(kind, ()), *self.repaired.get(kind, ()))
                said += sorted(one for one in listed if ids[0] <= one[1] and one[0] <= ids[1])
        return sha256(repr(said).encode()).hexdigest()

    @staticmethod
    def _miss(missing: list[Range], ids: Range) -> None:
        missing.append(ids)
        if len(missing) % 10_000 == 0:
            missing[:] = union(missing, 1)


def unknown() -> Ledger:
    """Return the ledger of rows of which nobody knows what they miss: all may, at any time."""
    ledger = Ledger({}, {}, is_known=False)
    for kind in KINDS:
        ledger.stretches[kind].append(Stretch(0, maxsize, "", BEGINS_BEFORE[0]))
    return ledger


class Stretches:
    """Tells which rows lie where the ledger says that there are none, given times in the order of their rows.

    One row may: a snapshot can be sent after an outage and bear a time within it. The first and last second of a
    stretch do not count, since the exchange's clock and the collector's differ; two seconds, of rows that are lost.
    """

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        stretches = list(stretches)
        # Where the clock was set there were such times twice, and rows of the other time may lie in a stretch of one.
        twice = union(((one.from_ms, one.to_ms) for one in stretches if one.cause == SET_CLOCK), 0)
        inner = (part for one in stretches if one.cause not in HOLDS_ROWS for part in _without(_inner(one), twice))
        self._waiting = sorted((stretch for stretch in inner if stretch.from_ms < stretch.to_ms), reverse=True)
        self._open: dict[Stretch, int] = {}
        self._passed_ms = -1
        self.watch_ms = self._watch()

    @property
    def state(self) -> list[Any]:
        """How far it has come, and which stretches are not over, with their counts; to be written as JSON."""
        return [self._passed_ms, [[*stretch, count] for stretch, count in self._open.items()]]

    def go_on(self, passed_ms: int, counted: list[Any]) -> None:
        """Go on from there."""
        self._passed_ms = passed_ms
        self._open = {Stretch(*one[:-1]): one[-1] for one in counted}
        while self._waiting and self._waiting[-1].from_ms < passed_ms:
            self._waiting.pop()
        self.watch_ms = self._watch()

    def row(self, time_ms: int) -> list[Stretch]:
        """Count one row and return the stretches that it is the second row in; needless until past `watch_ms`."""
        self._passed_ms = max(self._passed_ms, time_ms)
        while self._waiting and self._waiting[-1].from_ms < time_ms:
            self._open[self._waiting.pop()] = 0
        if self._open:  # a time that went back may lie before one of them
            counts = self._open.items()
            self._open = {one: count + (one.from_ms < time_ms) for one, count in counts if time_ms < one.to_ms}
        self.watch_ms = self._watch()
        return [one for one, count in self._open.items() if count == 2 and one.from_ms < time_ms]

    def _watch(self) -> int:
        if self._open:
            return -1
        return self._waiting[-1].from_ms if self._waiting else maxsize


def _inner(stretch: Stretch) -> Stretch:
    margin = margin_ms(stretch.cause)
    return stretch._replace(from_ms=stretch.from_ms + margin, to_ms=stretch.to_ms - margin)


def _without(stretch: Stretch, ranges: Iterable[Range]) -> Iterator[Stretch]:
    """Yield what is left of a stretch outside of disjoint ascending ranges."""
    start = stretch.from_ms
    for first, last in ranges:
        if start < first:
            yield stretch._replace(from_ms=start, to_ms=min(first, stretch.to_ms))
        start = max(start, last)
    yield stretch._replace(from_ms=start)
