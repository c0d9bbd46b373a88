"""Rows of several folders that say the same, and which of them is kept where only the time of receipt differs. Pure.

An event that several received is one event: the earliest time of receipt is kept, and a row that did not come live,
which has none, gives way to one that did.
"""

from collections.abc import Iterable, Sequence

Lines = list[bytes]


def earliest(stamps: Iterable[bytes]) -> bytes:
    """Return the lowest of some times of receipt, blank where all are."""
    return min((stamp for stamp in stamps if stamp), key=lambda stamp: (len(stamp), stamp), default=b"")


def halves(lines: Lines) -> tuple[Lines, Lines]:
    """Return what rows say, and when they were received."""
    parts = [line.rpartition(b",") for line in lines]
    return [body for body, _, _ in parts], [stamp for _, _, stamp in parts]


def body(line: bytes, stamped: bool, untimed: int | None = None) -> bytes:
    """Return what a row says, but for when it was received; `untimed` is a column that says no more than that."""
    said = line.rpartition(b",")[0] if stamped else line
    if untimed is None:
        return said
    cells = said.split(b",")
    del cells[untimed]
    return b",".join(cells)


def same(slices: Sequence[Lines], stamped: bool) -> Lines | None:
    """Return rows of several folders as one, None where these do not say the same, row by row."""
    first, *others = slices
    if all(other == first for other in others):
        return first
    if not stamped or any(len(other) != len(first) for other in others):
        return None
    bodies, stamps = halves(first)
    all_stamps = [stamps]
    for other in others:
        said, when = halves(other)
        if said != bodies:
            return None
        all_stamps.append(when)
    lengths = {len(stamp) for each in all_stamps for stamp in each}
    kept = map(min, *all_stamps) if len(lengths) == 1 else map(earliest, zip(*all_stamps, strict=True))
    return [b"%b,%b" % pair for pair in zip(bodies, kept, strict=True)]


def one(lines: Sequence[bytes], stamped: bool) -> bytes:
    """Return one row of some that say the same."""
    if not stamped:
        return lines[0]
    said = lines[0].rpartition(b",")[0]
    return b"%b,%b" % (said, earliest(line.rpartition(b",")[2] for line in lines))
