"""What is left of what the ledger says is missing, once some of it is there. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from ..exchange.events import Gap

Range = tuple[int, int]


def left_of(gap: Gap, found: Sequence[Range]) -> Iterator[Gap]:
    """Yield what is left of a gap with ids without some, which are disjoint ranges in order; its times stay."""
    first, last = gap.first_missing_id, gap.last_missing_id
    assert first is not None and last is not None, "a gap without ids"
    for start, end in found:
        if end < first or start > last:
            continue
        if first < start:
            yield gap._replace(first_missing_id=first, last_missing_id=start - 1)
        first = end + 1
    if first <= last:
        yield gap._replace(first_missing_id=first, last_missing_id=last)


def ranges(ids: Iterable[int]) -> list[Range]:
    """Return ids that rise as ranges."""
    found: list[Range] = []
    for number in ids:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
