"""Full books: whichever folder's row continues the chain is the next one, and a snapshot where none does.

With `last` the id that the book covers: a row up to it is old, one that begins at or before it and ends behind it
continues, whether the folders' batches were cut alike or not, since quantities are absolute.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ..archive import DamagedFile
from ..exchange.shape import NONE
from .alike import body, one
from .columns import SEE
from .feed import Feed, shared_bytes
from .keyed import MOST_BACK_MS, Difference, two_histories

TOGETHER = 64
_SNAPSHOT = re.compile(rb"^[^,\n]*,,", re.MULTILINE).search

Write = Callable[[bytes, int], object]  # whole lines, and how many


class Jump(NamedTuple):
    """A snapshot that does not join the row before it: the times of both."""

    from_ms: int
    to_ms: int


class _Row(NamedTuple):
    line: bytes
    time: bytes
    previous: bytes
    id: int

    @property
    def time_ms(self) -> int:
        return int(self.time.replace(b".", b""))


class Linked:
    """Merges full books. A folder's rows within a stretch of `mismatch` count only where no other's continues."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        unsure: Sequence[Iterable[tuple[int, int]]],
        write: Write,
        differ: Callable[[Difference], object],
    ) -> None:
        """`unsure` are each folder's stretches in which its book is not to be trusted."""
        self._feeds = feeds
        self._unsure = dict(zip(feeds, map(list, unsure), strict=True))
        self._write, self._differ = write, differ
        self._last_id, self._last_ms = NONE, 0
        self._heads: dict[Feed, _Row] = {}
        self._rows: list[bytes] = []  # which were chosen, to be written together
        self.jumps: list[Jump] = []
        self.own_jumps: dict[Feed, list[Jump]] = {feed: [] for feed in feeds}

    def run(self) -> None:
        """Merge all; raises `DamagedFile`, `ConfigError` and `OSError`."""
        while live := [feed for feed in self._feeds if feed.fill()]:
            if not self._whole(live) and (ahead := [feed for feed in live if self._pass_old(feed)]):
                self._next(ahead)
        self._flush()

    def _flush(self) -> None:
        if self._rows:
            rows, self._rows = self._rows, []
            self._write(b"\n".join(rows) + b"\n", len(rows))

    def _whole(self, live: Sequence[Feed]) -> bool:
        """Take what is alike in all of them and continues the chain; return whether there was anything."""
        if any(feed.last_key != self._last_id or feed.last_key == NONE for feed in live):
            return False
        lead = live[0]
        if any(feed.first != lead.first for feed in live):
            return False
        size = shared_bytes(live)
        data = lead.data[:size]
        if not data or _SNAPSHOT(data):
            return False
        lead.check(size)
        rows = data.count(b"\n")
        first, last = _row(lead.first), _row(data[data.rfind(b"\n", 0, -1) + 1 : -1])
        self._joins(lead, first)
        for feed in live:
            feed.take_bytes(size, rows)
            feed.last_key = last.id
        self._heads.clear()
        self._last_id, self._last_ms = last.id, last.time_ms
        self._flush()
        self._write(data, rows)
        return True

    def _pass_old(self, feed: Feed) -> bool:
        """Leave out a feed's rows that the book covers; return whether there is one that it does not."""
        while feed.fill():
            if feed not in self._heads:
                feed.split()
                self._heads[feed] = _row(feed.first)
                self._joins(feed, self._heads[feed])
            if self._heads[feed].id > self._last_id:
                return True
            self._drop(feed)
        return False

    def _drop(self, feed: Feed) -> None:
        feed.last_key = self._heads.pop(feed).id
        feed.take_rows(1)

    def _joins(self, feed: Feed, row: _Row) -> None:
        """Note where a feed's own chain begins anew; raise `DamagedFile` where it is broken."""
        if row.previous:
            if int(row.previous) != feed.last_key:
                before = (
                    "a file that does not begin with a snapshot"
                    if feed.last_key == NONE
                    else (
                        f"previous_update_id {row.previous.decode()}, but the row before has update_id {feed.last_key}"
                    )
                )
                raise DamagedFile(f"{feed.where(0)}: {before}{SEE}")
        elif feed.last_key != NONE and row.id != feed.last_key:
            self.own_jumps[feed].append(Jump(feed.time_ms(feed.last), row.time_ms))

    def _next(self, feeds: Sequence[Feed]) -> None:
        """Write the next row, and let go of it in all feeds that have it."""
        heads = self._heads
        following = [feed for feed in feeds if heads[feed].previous and int(heads[feed].previous) <= self._last_id]
        if following:
            chosen = min(
                following, key=lambda feed: (self._is_unsure(feed), heads[feed].id, -int(heads[feed].previous))
            )
            alike = self._alike(chosen, following)
        else:
            lowest = min(heads[feed].id for feed in feeds)
            alike = sorted(
                (feed for feed in feeds if heads[feed].id == lowest), key=lambda feed: _size(feed, heads[feed])
            )
            self._jump(alike[0])
        row = heads[alike[0]]
        line = one([heads[feed].line for feed in alike], alike[0].columns.is_stamped)
        if row.previous and int(row.previous) != self._last_id:
            time, _, rest = line.split(b",", 2)
            line = b"%b,%d,%b" % (time, self._last_id, rest)
        self._last_id, self._last_ms = row.id, row.time_ms
        for feed in alike:
            self._drop(feed)
        self._rows.append(line)
        if len(self._rows) >= TOGETHER:
            self._flush()

    def _jump(self, feed: Feed) -> None:
        """Note that the next row, a snapshot, does not join the last; raises `ConfigError` where it can't follow it."""
        to_ms = self._heads[feed].time_ms
        if self._last_id == NONE:
            return
        if to_ms < self._last_ms - MOST_BACK_MS:
            raise two_histories(feed.where(0), "update_id")
        self.jumps.append(Jump(self._last_ms, to_ms))

    def _alike(self, chosen: Feed, following: Sequence[Feed]) -> list[Feed]:
        """Return which feeds have the same row, first that which shows most; tell of those that contradict it.

        Behind a snapshot a row can have more levels than elsewhere: those that had changed before it.
        """
        ours, alike = self._heads[chosen], []
        for feed in following:
            theirs = self._heads[feed]
            if (theirs.id, theirs.previous) != (ours.id, ours.previous):
                continue
            if _agree(_said(chosen, ours), _said(feed, theirs)):
                alike.append(feed)
            elif self._is_unsure(feed) == self._is_unsure(chosen):
                self._differ(Difference(chosen.where(0), feed.where(0), ours.line, theirs.line))
        alike.sort(key=lambda feed: _size(feed, self._heads[feed]))
        return alike

    def _is_unsure(self, feed: Feed) -> bool:
        time_ms = self._heads[feed].time_ms
        return any(from_ms <= time_ms <= to_ms for from_ms, to_ms in self._unsure[feed])


def _row(line: bytes) -> _Row:
    time, previous, update_id, _ = line.split(b",", 3)
    return _Row(line, time, previous, int(update_id))


def _said(feed: Feed, row: _Row) -> bytes:
    return body(row.line, feed.columns.is_stamped)


def _size(feed: Feed, row: _Row) -> tuple[int, bytes]:
    """Order rows of one id: first the one that shows most."""
    said = _said(feed, row)
    return -len(said), said


def _agree(one: bytes, other: bytes) -> bool:
    """Return whether two rows of the same ids are of one time, and have no other quantity at any price."""
    if one == other:
        return True
    (time, _, _, *sides), (other_time, _, _, *other_sides) = (row.split(b",") for row in (one, other))
    return time == other_time and all(
        ours[price] == theirs[price]
        for ours, theirs in ((_levels(side), _levels(beside)) for side, beside in zip(sides, other_sides, strict=True))
        for price in ours.keys() & theirs.keys()
    )


def _levels(side: bytes) -> dict[bytes, bytes]:
    return dict(level.split(b" ") for level in side.split(b";")) if side else {}
