"""What several folders hold together, found by looking at each row and each moment."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from aster_collect.files.histories import Histories

Range = tuple[int, int]


def history(folder: Path, kind: str, symbol: str) -> list[str]:
    """Return the rows of a history, over all its files."""
    found = []
    with Histories(folder).open(symbol) as histories:
        for source in histories.get(kind, ()):
            found += b"".join(block.data for block in source.blocks()).decode().splitlines()[1:]
    return found


def lacked(extents: Sequence[Range], stretches: Sequence[Iterable[Range]], told: Iterable[Range]) -> list[Range]:
    """Return between which times a ledger is wrong that should tell what all lack, and nothing else.

    A folder lacks what lies before its first row, behind its last one, or within a stretch of its ledger.
    """
    listed, said = [list(each) for each in stretches], list(told)
    ends = sorted({end for each in (extents, said, *listed) for pair in each for end in pair})
    first, last = min(ends, default=0), max(ends, default=0)
    wrong = []
    for start, end in pairwise(ends):
        at = (start + end) / 2
        lack = all(
            not begun < at < ended or any(low < at < high for low, high in each)
            for (begun, ended), each in zip(extents, listed, strict=True)
        )
        between = any(begun < at for begun, _ in extents) and any(at < ended for _, ended in extents)
        told_by_one = any(low < at < high for each in listed for low, high in each)
        if (lack and (between or told_by_one) and first < at < last) != any(low < at < high for low, high in said):
            wrong.append((start, end))
    return wrong
