"""What several folders lack together: their ledgers intersected, and ids that any of them has subtracted. Pure.

A folder lacks what its ledger lists, and what lies before its first row and behind its last one. Where none ran, after
one had ended and before another began, the result says `restart`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from ..exchange.events import Gap
from ..exchange.ledger import CAUSES, margin_ms

# Where several causes stand for one stretch the first of these is told: rows may lie within those at the beginning.
_FIRST = ("clock", "restart", "mismatch", "late")
RANK = {cause: rank for rank, cause in enumerate(dict.fromkeys((*_FIRST, *CAUSES)))}
HOLDS_ROWS = _FIRST

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
    """A time that one folder lacks, or several; `sides` are those of their rows where no ledger tells why."""

    from_ms: int
    to_ms: int
    cause: str = ""
    sides: frozenset[str] = frozenset()

    def both(self, other: "_Span") -> "_Span":
        """Return the time that both lack; nothing is in it where it ends before it begins."""
        cause = min((one for one in (self.cause, other.cause) if one), key=RANK.__getitem__, default="")
        return _Span(max(self.from_ms, other.from_ms), min(self.to_ms, other.to_ms), cause, self.sides | other.sides)

    @property
    def is_moment(self) -> bool:
        return self.from_ms == self.to_ms


class Stretches:
    """Stretches of a ledger that should hold no rows, but for their first and last second."""

    def __init__(self, gaps: Iterable[Gap]) -> None:
        inner = (
            (gap.from_ms + margin_ms(gap.cause), gap.to_ms - margin_ms(gap.cause))
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

    Each is the time that one row of each folder's ledger has in common with those of the others. Rows that overlap stay
    so: where one ends and another begins there may be rows of the history. Without `tell_restart` nothing is said of a
    time in which no folder ran.
    """
    common = [_Span(_NEVER, _EVER)]
    for part in parts:
        common = list(_common_spans(common, sorted(_spans(part))))
    told = [_told(span, tell_restart) for span in common]
    inside = sorted({time_ms for part in parts for time_ms in part.inside})
    verbatim = {(gap.from_ms, gap.to_ms, gap.cause) for part in parts for gap in part.gaps}
    pieces = {piece[:3] for span in told if span.cause for piece in _apart(span, inside)}
    return [Gap(stream, from_ms, to_ms, None, None, cause) for from_ms, to_ms, cause in _largest(pieces, verbatim)]


def _spans(part: Part) -> Iterable[_Span]:
    """Yield the times that a folder lacks."""
    for gap in part.gaps:
        if gap.first_missing_id is None:
            yield _Span(gap.from_ms, gap.to_ms, gap.cause)
    if part.extent is None:
        yield _Span(_NEVER, _EVER)
    else:
        yield _Span(_NEVER, part.extent[0], sides=frozenset((_BEFORE,)))
        yield _Span(part.extent[1], _EVER, sides=frozenset((_BEHIND,)))


def _common_spans(some: Sequence[_Span], others: Sequence[_Span]) -> Iterable[_Span]:
    """Yield what each of some spans has in common with each of others, which are in order.

    A moment is something only if a ledger says so, not where one span ends and another begins.
    """
    starts = [span.from_ms for span in others]
    ends = list(accumulate((span.to_ms for span in others), max))
    for span in some:
        for other in others[bisect_left(ends, span.from_ms) : bisect_right(starts, span.to_ms)]:
            both = span.both(other)
            if both.from_ms < both.to_ms or (both.is_moment and (span.is_moment or other.is_moment)):
                yield both


def _told(span: _Span, tell_restart: bool) -> _Span:
    """Return a span with its cause; it has none before all folders began, or after all had ended."""
    if not span.cause and tell_restart and {_BEFORE, _BEHIND} <= span.sides:
        return span._replace(cause="restart")
    return span


def _largest(
    pieces: Iterable[tuple[int, int, str]], verbatim: Container[tuple[int, int, str]]
) -> Iterable[tuple[int, int, str]]:
    """Yield stretches in order, but for those that lie in another one of a cause that says no less."""
    ends_ms = [_NEVER] * len(RANK)  # of those before, by the rank of their causes
    for piece in sorted(pieces, key=lambda one: (one[0], -one[1], RANK[one[2]])):
        _, to_ms, cause = piece
        rank = RANK[cause]
        if max(ends_ms[: rank + 1]) < to_ms or piece in verbatim:
            yield piece
        ends_ms[rank] = max(ends_ms[rank], to_ms)


def _apart(span: _Span, inside: Sequence[int]) -> Iterable[_Span]:
    """Yield a stretch, cut at the rows within it where there are more than the one that may be there."""
    margin = margin_ms(span.cause)
    low, high = bisect_right(inside, span.from_ms + margin), bisect_left(inside, span.to_ms - margin)
    if span.cause in HOLDS_ROWS or high - low < 2:
        yield span
        return
    for start, end in pairwise([span.from_ms, *inside[low:high], span.to_ms]):
        yield span._replace(from_ms=start, to_ms=end)


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
        for low, high in common(free, first, last):
            found.append(_trimmed(gap, low, high, holes))
            told.append((low, high))
    unlisted = _without(told)
    for hole in holes:
        for low, high in common(unlisted, hole.first, hole.last):
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


def common(ranges: Sequence[tuple[int, int]], first: int, last: int) -> Iterable[tuple[int, int]]:
    """Yield what of a range lies in disjoint ascending ranges."""
    at = bisect_left(ranges, first, key=lambda one: one[1])
    while at < len(ranges) and ranges[at][0] <= last:
        low, high = max(first, ranges[at][0]), min(last, ranges[at][1])
        if low <= high:
            yield low, high
        at += 1
