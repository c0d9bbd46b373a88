"""What several folders lack together: their ledgers intersected, and ids that any of them has subtracted. Pure.

A folder lacks what its ledger lists, and what lies before its first row and behind its last one. Where none ran, after
one had ended and before another began, the result says `restart`.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from ..exchange.events import Gap
from ..exchange.ledger import CAUSES

# Where several causes stand for one stretch the first of these is told: rows may lie within those at the beginning.
_FIRST = ("clock", "restart", "mismatch", "late")
RANK = {cause: rank for rank, cause in enumerate(dict.fromkeys((*_FIRST, *CAUSES)))}
HOLDS_ROWS = _FIRST
MARGIN_MS = 1000  # both ends of a stretch are right to within a second

_BEFORE, _BEHIND = "before", "behind"  # of a folder's rows: no causes, and never told
_NEVER = -1 << 62
_EVER = 1 << 62


class Part(NamedTuple):
    """What one folder says of one kind: rows of its ledger, the times of its first and last row if it has any.

    `inside` are times of rows that lie within stretches of its own that should hold none.
    """

    gaps: Sequence[Gap]
    extent: tuple[int, int] | None
    inside: Sequence[int] = ()


class Hole(NamedTuple):
    """Ids that no folder has, and the times of the rows before and behind them."""

    first: int
    last: int
    before_ms: int
    behind_ms: int


class _Span(NamedTuple):
    from_ms: int
    to_ms: int
    cause: str


class Stretches:
    """Stretches of a ledger that should hold no rows, but for their first and last second."""

    def __init__(self, gaps: Iterable[Gap]) -> None:
        inner = (
            (gap.from_ms + MARGIN_MS, gap.to_ms - MARGIN_MS)
            for gap in gaps
            if gap.first_missing_id is None and gap.cause not in HOLDS_ROWS
        )
        self._ranges = joined(one for one in inner if one[0] < one[1])
        self._ends = [end for _, end in self._ranges]
        self.any = bool(self._ranges)

    def near(self, from_ms: int, to_ms: int) -> bool:
        """Return whether any overlaps a time."""
        at = bisect_right(self._ends, min(from_ms, to_ms))
        return at < len(self._ranges) and self._ranges[at][0] < max(from_ms, to_ms)

    def within(self, times_ms: Iterable[int]) -> list[int]:
        """Return which times lie within any."""
        return [one for one in times_ms if self.near(one, one)]


def joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges of whole numbers in order, those that overlap or adjoin as one."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return found


def stretches(stream: str, parts: Sequence[Part], *, tell_restart: bool = True) -> list[Gap]:
    """Return the stretches of time that every folder lacks, in order.

    Without `tell_restart` nothing is said of a time in which no folder ran.
    """
    spans = [*_open(parts, tell_restart), *_moments(parts)]
    inside = sorted({time_ms for part in parts for time_ms in part.inside})
    found = sorted({piece for span in spans for piece in _apart(span, inside)})
    return [Gap(stream, *span[:2], None, None, span.cause) for span in found]


def _open(parts: Sequence[Part], tell_restart: bool) -> list[_Span]:
    """Sweep over the ends of all spans: a span is lacking between its ends, and not at them."""
    begins: dict[int, list[tuple[int, str]]] = defaultdict(list)
    ends: dict[int, list[tuple[int, str]]] = defaultdict(list)
    active = [Counter[str]() for _ in parts]
    for at, part in enumerate(parts):
        for from_ms, to_ms, cause in _spans(part):
            if from_ms < to_ms:
                begins[from_ms].append((at, cause))
                ends[to_ms].append((at, cause))
        if part.extent is None:
            active[at][""] += 1  # it lacks everything
    found: list[_Span] = []
    begun_ms, said = 0, ""
    for time_ms in sorted({*begins, *ends}):
        for at, cause in ends[time_ms]:
            active[at][cause] -= 1
        through = _cause(active, tell_restart)  # what goes on at this very moment, of all that goes on
        for at, cause in begins[time_ms]:
            active[at][cause] += 1
        cause = _cause(active, tell_restart)
        if said and (cause != said or not through):
            found.append(_Span(begun_ms, time_ms, said))
        if cause and (cause != said or not through):
            begun_ms = time_ms
        said = cause
    return found


def _spans(part: Part) -> Iterable[_Span]:
    for gap in part.gaps:
        if gap.first_missing_id is None:
            yield _Span(gap.from_ms, gap.to_ms, gap.cause)
    if part.extent is not None:
        yield _Span(_NEVER, part.extent[0], _BEFORE)
        yield _Span(part.extent[1], _EVER, _BEHIND)


def _cause(active: Sequence[Counter[str]], tell_restart: bool) -> str:
    """Return why all folders lack something; nothing where one does not, or none has begun, or all have ended."""
    told: set[str] = set()
    for causes in active:
        here = {cause for cause, count in causes.items() if count}
        if not here:
            return ""
        told |= here
    if real := told & RANK.keys():
        return min(real, key=RANK.__getitem__)
    return "restart" if tell_restart and {_BEFORE, _BEHIND} <= told else ""


def _moments(parts: Sequence[Part]) -> Iterable[_Span]:
    """Yield the rows of a ledger that are a moment, and that no folder has rows of."""
    spans = [sorted(_spans(part)) for part in parts]
    for own in spans:
        for one in own:
            if one.from_ms == one.to_ms and all(
                part.extent is None or any(other.from_ms <= one.from_ms <= other.to_ms for other in others)
                for part, others in zip(parts, spans, strict=True)
            ):
                yield one


def _apart(span: _Span, inside: Sequence[int]) -> Iterable[_Span]:
    """Yield a stretch, cut at the rows within it where there are more than the one that may be there."""
    low, high = bisect_right(inside, span.from_ms + MARGIN_MS), bisect_left(inside, span.to_ms - MARGIN_MS)
    if span.cause in HOLDS_ROWS or high - low < 2:
        yield span
        return
    for start, end in pairwise([span.from_ms, *inside[low:high], span.to_ms]):
        yield _Span(start, end, span.cause)


def ids(stream: str, parts: Sequence[Part], holes: Sequence[Hole], present: Sequence[tuple[int, int]]) -> list[Gap]:
    """Return what is missing of ids that rise by 1, in order: all that ledgers list and no folder has, and all holes.

    `present` are the ranges of ids that are there, `holes` what lies between them, both in order.
    """
    listed = {gap for part in parts for gap in part.gaps if gap.first_missing_id is not None}
    free = _without(present)
    told: list[tuple[int, int]] = []  # in order, disjoint
    found: list[Gap] = []
    for gap in sorted(listed, key=lambda gap: (gap.first_missing_id, gap.last_missing_id, RANK[gap.cause], gap)):
        first, last = gap.first_missing_id or 0, gap.last_missing_id or 0
        first = max(first, told[-1][1] + 1 if told else first)
        for low, high in _common(free, first, last):
            found.append(_trimmed(gap, low, high, holes))
            told.append((low, high))
    for hole in holes:
        for low, high in _common(_without(told), hole.first, hole.last):
            found.append(Gap(stream, hole.before_ms, max(hole.before_ms, hole.behind_ms), low, high, "restart"))
    return sorted(found, key=lambda gap: (gap.first_missing_id, gap.last_missing_id))


def _trimmed(gap: Gap, first: int, last: int, holes: Sequence[Hole]) -> Gap:
    """Return a row of a ledger for those of its ids that are still missing, between the rows that are there now."""
    if (first, last) == (gap.first_missing_id, gap.last_missing_id):
        return gap
    at = bisect_right(holes, first, key=lambda hole: hole.first) - 1
    from_ms, to_ms = gap.from_ms, gap.to_ms
    if at >= 0 and holes[at].first == first:
        from_ms = holes[at].before_ms
    if at >= 0 and holes[at].last == last:
        to_ms = holes[at].behind_ms
    return gap._replace(from_ms=from_ms, to_ms=max(from_ms, to_ms), first_missing_id=first, last_missing_id=last)


def _without(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges between disjoint ascending ranges, those before the first and behind the last too."""
    edges = [_NEVER, *(edge for first, last in ranges for edge in (first - 1, last + 1)), _EVER]
    return [(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if first <= last]


def _common(ranges: Sequence[tuple[int, int]], first: int, last: int) -> Iterable[tuple[int, int]]:
    """Yield what of a range lies in disjoint ascending ranges."""
    at = bisect_left(ranges, first, key=lambda one: one[1])
    while at < len(ranges) and ranges[at][0] <= last:
        low, high = max(first, ranges[at][0]), min(last, ranges[at][1])
        if low <= high:
            yield low, high
        at += 1
