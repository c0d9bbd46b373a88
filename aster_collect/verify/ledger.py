"""What the gap ledger says is missing: trades by id, prices and books by stretches of time."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from sys import maxsize
from typing import NamedTuple

from ..rows import ORDERBOOK, PRICES, TRADES

Broken = Callable[[str, int, str], None]
Numbered = Iterable[tuple[int, tuple[bytes, ...]]]
Range = tuple[int, int]

MARGIN_MS = 1000
# What came too late, or in a pause, is missing from among rows that are there; a clock that was set misplaces both.
HOLDS_ROWS = (b"late", b"restart", b"clock")
NOT_ASKED = b"not-asked"  # nobody knows whether there were trades, so there are no ids to name


class Stretch(NamedTuple):
    """A time in which a ledger row says that rows may be missing."""

    from_ms: int
    to_ms: int
    where: str
    holds_rows: bool = False


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


class Ledger:
    """The rows of `gaps_<SYMBOL>.csv`: well-formed, or reported and left out."""

    def __init__(self, broken: Broken) -> None:
        self._broken = broken
        self.rows = {PRICES: 0, ORDERBOOK: 0, TRADES: 0}
        self.stretches: dict[str, list[Stretch]] = {PRICES: [], ORDERBOOK: []}
        self.missing: list[Range] = []
        self.first_ms: int | None = None
        self.last_ms: int | None = None

    def take(self, name: str, rows: Numbered) -> None:
        """Read well-matched rows of a ledger file."""
        for line, (stream_cell, from_cell, to_cell, first, last, cause) in rows:
            stream, from_ms, to_ms = stream_cell.decode(), milliseconds(from_cell), milliseconds(to_cell)
            if why := _wrong(stream, from_ms, to_ms, first, last, cause):
                self._broken(name, line, why)
                continue
            self.rows[stream] += 1
            self.first_ms = from_ms if self.first_ms is None else min(from_ms, self.first_ms)
            self.last_ms = to_ms if self.last_ms is None else max(to_ms, self.last_ms)
            if stream != TRADES:
                self.stretches[stream].append(Stretch(from_ms, to_ms, f"{name}:{line}", cause in HOLDS_ROWS))
            elif cause != NOT_ASKED:
                self.missing.append((int(first), int(last)))
                self._merge_some()

    def lose_track(self) -> None:
        """Nothing to forget: the rows of a ledger do not depend on each other."""

    def _merge_some(self) -> None:
        if len(self.missing) % 10_000 == 0:
            self.missing = union(self.missing, 1)


def _wrong(stream: str, from_ms: int, to_ms: int, first: bytes, last: bytes, cause: bytes) -> str | None:
    if from_ms > to_ms:
        return "from_unix_timestamp is after to_unix_timestamp"
    if cause == NOT_ASKED:
        return None if stream == TRADES and not (first or last) else "not-asked stands for trades alone, without ids"
    if stream == TRADES:
        if not (first and last):
            return "a gap in trades without its ids"
        if int(first) > int(last):
            return "first_missing_id is above last_missing_id"
    elif first or last:
        return f"a gap in {stream} with ids"
    return None


class MissingIds:
    """The ids that the ledger lists, in disjoint ascending ranges."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._ranges = union(ranges, 1)
        self._lasts = [last for _, last in self._ranges]

    def next(self, trade_id: int) -> int:
        """Return the lowest listed id that is not below `trade_id`."""
        at = bisect_left(self._lasts, trade_id)
        return max(trade_id, self._ranges[at][0]) if at < len(self._ranges) else maxsize

    def unexplained(self, first: int, last: int) -> tuple[int, int]:
        """Return how many of the ids `first` to `last` are not listed, and the lowest of them (0 when none)."""
        count = lowest = 0
        at = bisect_left(self._lasts, first)
        while first <= last:
            start, end = self._ranges[at] if at < len(self._ranges) else (last + 1, last + 1)
            if first < start:
                lowest = lowest or first
                count += min(start, last + 1) - first
            first, at = end + 1, at + 1
        return count, lowest


class Stretches:
    """Tells which rows lie where the ledger says that there are none, given times in ascending order.

    One row may: a snapshot can be sent after an outage and bear a time within it. The first and last second of a
    stretch do not count, since the exchange's clock and the collector's differ.
    """

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        inner = (
            Stretch(one.from_ms + MARGIN_MS, one.to_ms - MARGIN_MS, one.where)
            for one in stretches
            if not one.holds_rows
        )
        self._waiting = sorted((stretch for stretch in inner if stretch.from_ms < stretch.to_ms), reverse=True)
        self._open: list[tuple[Stretch, int]] = []
        self.watch_ms = self._watch()

    def row(self, time_ms: int) -> list[Stretch]:
        """Count one row and return the stretches that it is the second row in; needless until past `watch_ms`."""
        while self._waiting and self._waiting[-1].from_ms < time_ms:
            self._open.append((self._waiting.pop(), 0))
        self._open = [(stretch, count + 1) for stretch, count in self._open if time_ms < stretch.to_ms]
        self.watch_ms = self._watch()
        return [stretch for stretch, count in self._open if count == 2]

    def _watch(self) -> int:
        if self._open:
            return -1
        return self._waiting[-1].from_ms if self._waiting else maxsize
