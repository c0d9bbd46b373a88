"""What was found in a file's rows: sums, which add up over the files of a history."""

from collections.abc import Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import Any, NamedTuple

NO_TIME = -1
Days = Mapping[int, tuple[int, int]]  # by day since 1970: how many rows, and how many ids are missing before them


class Back(NamedTuple):
    """How often a time was below the one before it, by how much at most, and where first."""

    steps: int
    largest_ms: int
    file: str
    line: int


class Ends(NamedTuple):
    """The first time of a file and the highest, `NO_TIME` where it has no row, and how often time goes back in it."""

    first_ms: int
    last_ms: int
    back: Back | None


class Crossed(NamedTuple):
    """How often a book was crossed within one time, and not at its end; and where first."""

    moments: int
    file: str
    line: int


class Proof(NamedTuple):
    """How many rows show the top of the full book as it was rebuilt, and of how many that can't be said."""

    rows: int
    unsaid: int


class IdsFound(NamedTuple):
    """What was found of a file's ids: the time of each row behind some that are missing, and how many these are.

    Where the ledger has ids, `span` are those from the first that was expected up to the last. `crossed` says where the
    book that they order is crossed for a moment.
    """

    holes: Sequence[tuple[int, int]] = ()
    span: tuple[int, int] | None = None
    crossed: Crossed | None = None


class FileEnd(NamedTuple):
    """What was found of a file's times and ids; `times_ms` are those that the ledger may explain or contradict."""

    times: Ends
    ids: IdsFound
    times_ms: tuple[int, int]


class Sum(NamedTuple):
    """What was found in the rows of some files."""

    days: Days = MappingProxyType({})
    first_ms: int | None = None
    last_ms: int | None = None
    back: Back | None = None
    crossed: Crossed | None = None
    proof: Proof | None = None
    shows: bool = False  # whether rows say which state of the full book they show

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(rows for rows, _ in self.days.values())

    @property
    def missing(self) -> int:
        """How many ids are missing."""
        return sum(missing for _, missing in self.days.values())


def total(sums: list[Sum]) -> Sum:
    """Return what was found in all."""
    return reduce(_plus, sums, Sum())


def _plus(one: Sum, other: Sum) -> Sum:
    days = dict(one.days)
    for day, (rows, missing) in other.days.items():
        before = days.get(day, (0, 0))
        days[day] = (before[0] + rows, before[1] + missing)
    firsts = [first for first in (one.first_ms, other.first_ms) if first is not None]
    lasts = [last for last in (one.last_ms, other.last_ms) if last is not None]
    return Sum(
        days, min(firsts, default=None), max(lasts, default=None), _both_back(one.back, other.back),
        _both_crossed(one.crossed, other.crossed), _both_proven(one.proof, other.proof), one.shows or other.shows,
    )  # fmt: skip


def _both_back(one: Back | None, other: Back | None) -> Back | None:
    if one is None or other is None:
        return one or other
    return one._replace(steps=one.steps + other.steps, largest_ms=max(one.largest_ms, other.largest_ms))


def _both_crossed(one: Crossed | None, other: Crossed | None) -> Crossed | None:
    if one is None or other is None:
        return one or other
    return one._replace(moments=one.moments + other.moments)


def _both_proven(one: Proof | None, other: Proof | None) -> Proof | None:
    if one is None or other is None:
        return one or other
    return Proof(one.rows + other.rows, one.unsaid + other.unsaid)


def as_json(found: Sum) -> dict[str, Any]:
    """Return a sum to be written as JSON."""
    return {**found._asdict(), "days": [[day, *counts] for day, counts in found.days.items()]}


def of_json(said: dict[str, Any]) -> Sum:
    """Return the sum that was written; raises what damaged JSON makes of it."""
    days = {day: (rows, missing) for day, rows, missing in said["days"]}
    back, crossed, proof = said["back"], said["crossed"], said["proof"]
    return Sum(
        days, said["first_ms"], said["last_ms"], Back(*back) if back else None, Crossed(*crossed) if crossed else None,
        Proof(*proof) if proof else None, said["shows"],
    )  # fmt: skip
