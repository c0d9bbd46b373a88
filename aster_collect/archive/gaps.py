"""The ledger of one symbol and kind, in order and without overlaps. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from ..exchange.events import Gap
from .moment import moment_of


class NoLedger(Exception):
    """There is no ledger, so nobody knows what is missing; the text says of what, and what to do."""


class Stretch(NamedTuple):
    """A time in which rows may be missing, from its start up to its end, datetimes of UTC, and why, each cause once."""

    start: datetime
    end: datetime
    causes: tuple[str, ...]


class Ids(NamedTuple):
    """Ids that are missing, both included."""

    first: int
    last: int

    @property
    def number(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


class Gaps(NamedTuple):
    """What is missing: disjoint stretches of time in order, and of trades the ids, in disjoint ranges in order."""

    stretches: list[Stretch]
    ids: list[Ids]


def gaps_of(rows: Iterable[Gap]) -> Gaps:
    """Join rows of the ledger, in any order, where their stretches or their ids overlap or adjoin."""
    stretches: list[tuple[int, int, tuple[str, ...]]] = []
    ids: list[Ids] = []
    rows = list(rows)
    for row in sorted(rows, key=lambda row: (row.from_ms, row.to_ms)):
        if stretches and row.from_ms <= stretches[-1][1]:
            start_ms, end_ms, causes = stretches[-1]
            stretches[-1] = start_ms, max(end_ms, row.to_ms), tuple(dict.fromkeys((*causes, row.cause)))
        else:
            stretches.append((row.from_ms, row.to_ms, (row.cause,)))
    for first, last in sorted((row.first_missing_id, row.last_missing_id or 0) for row in rows if row.first_missing_id):
        if ids and first <= ids[-1].last + 1:
            ids[-1] = Ids(ids[-1].first, max(ids[-1].last, last))
        else:
            ids.append(Ids(first, last))
    return Gaps([Stretch(moment_of(start), moment_of(end), causes) for start, end, causes in stretches], ids)
