"""Histories in which each row has a key that rises, its id, or the time of an answer: merged by that.

What goes on alike in all folders is taken as it is, byte by byte; what one alone has too. Where they differ, the rows
up to a key that all have been read to are put together in one go.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from operator import lt, sub
from typing import NamedTuple

from ..archive import DamagedFile
from ..errors import ConfigError
from ..exchange.shape import NONE
from .alike import Lines, body, one, same
from .columns import SEE
from .feed import NO_TIME, Feed, cell_of, cells_of, shared_bytes
from .lacking import Hole

MOST_BACK_MS = 3_600_000  # from one folder's row to another's: more, and their ids are of two histories


class Difference(NamedTuple):
    """Two rows of one id that differ: where each stands, and what it says."""

    kept: str
    left: str
    kept_row: bytes
    left_row: bytes


Write = Callable[[bytes, int], object]  # whole lines, and how many
Listed = Callable[[int, int], int]  # how many ids of a range a ledger does not list


class Ids:
    """Ids that should rise by 1: which are there, and the holes between them."""

    def __init__(self) -> None:
        self.present: list[tuple[int, int]] = []
        self.holes: list[Hole] = []

    def take(self, first: int, last: int, before_ms: int, behind_ms: int) -> None:
        """Take a range of ids behind all others, and the times of the row before it and of its first row."""
        if self.present and self.present[-1][1] + 1 == first:
            self.present[-1] = self.present[-1][0], last
            return
        if self.present:
            self.holes.append(Hole(self.present[-1][1] + 1, first - 1, before_ms, behind_ms))
        self.present.append((first, last))


class Keyed:
    """Merges histories by a key; of one that rises by 1 also tells which are there."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        at: int,
        write: Write,
        differ: Callable[[Difference], object],
        unlisted: Sequence[Listed] | None = None,
        *,
        untimed: bool = False,
    ) -> None:
        """`at` is the key's column; `unlisted` asks each folder's ledger, where keys rise by 1.

        Of what is `untimed` a row's time is when it was received: the earliest is kept.
        """
        self._feeds, self._at = feeds, at
        self._write, self._differ = write, differ
        self._unlisted = None if unlisted is None else dict(zip(feeds, unlisted, strict=True))
        self._untimed = feeds[0].columns.shape.time if untimed else None
        self._last = b""
        self.ids = Ids()

    def run(self) -> None:
        """Merge all; raises `DamagedFile`, `ConfigError` and `OSError`."""
        while live := [feed for feed in self._feeds if feed.fill()]:
            if size := shared_bytes(live):
                self._whole(live, size)
            elif alone := self._alone(live):
                self._whole([alone], len(alone.data))
            else:
                self._apart(live)

    def _key(self, line: bytes) -> int:
        return cell_of(line, self._at)

    def _alone(self, live: Sequence[Feed]) -> Feed | None:
        """Return the feed whose rows, as far as they are read, all come before those of the others."""
        first, *others = sorted(live, key=lambda feed: self._key(feed.first))
        return first if self._key(first.final) < min(self._key(other.first) for other in others) else None

    def _whole(self, feeds: Sequence[Feed], size: int) -> None:
        """Take bytes that all of these begin with."""
        lead = feeds[0]
        lead.check(size)
        data = lead.data[:size]
        rows = data.count(b"\n")
        keys = _Keys(data, rows, self._at)
        for feed in feeds:
            self._goes_on(feed, keys)
        self._told(feeds, lead.first, keys, data)
        for feed in feeds:
            feed.take_bytes(size, rows)
            feed.last_key = keys.last
        self._write(data, rows)

    def _apart(self, live: Sequence[Feed]) -> None:
        """Put together the rows up to a key that all are read to."""
        keys = {feed: cells_of(feed.lines, self._at) for feed in live}
        bound = min(each[-1] for each in keys.values())
        counts = {feed: bisect_right(each, bound) for feed, each in keys.items()}
        for feed, each in keys.items():
            if not all(map(lt, each, each[1:])):
                row = next(row for row, (key, behind) in enumerate(pairwise(each), 1) if behind <= key)
                raise DamagedFile(
                    f"{feed.where(row)}: {self._word} {each[row]} does not rise from {each[row - 1]}{SEE}"
                )
        taken = [feed for feed in live if counts[feed]]
        slices = [feed.lines[: counts[feed]] for feed in taken]
        stamped = live[0].columns.is_stamped
        lines = same(slices, stamped)
        if lines is None:
            lines = self._joined(taken, [keys[feed][: counts[feed]] for feed in taken], slices, stamped)
            self._one_history(lines, slices)
        data = b"\n".join(lines) + b"\n"
        for feed, rows in zip(taken, slices, strict=True):
            self._goes_on(feed, _Keys(b"\n".join(rows) + b"\n", len(rows), self._at))
        self._told(taken, lines[0], _Keys(data, len(lines), self._at), data)
        for feed in taken:
            last = keys[feed][counts[feed] - 1]
            feed.take_rows(counts[feed])
            feed.last_key = last
        self._write(data, len(lines))

    def _joined(
        self, feeds: Sequence[Feed], keys: Sequence[list[int]], slices: Sequence[Lines], stamped: bool
    ) -> Lines:
        """Return rows in order, each key once."""
        union = {pair for each, lines in zip(keys, slices, strict=True) for pair in zip(each, lines, strict=True)}
        if len(union) == len({key for key, _ in union}):
            return [line for _, line in sorted(union)]
        places: dict[int, list[tuple[int, int]]] = {}
        for number, each in enumerate(keys):
            for row, key in enumerate(each):
                places.setdefault(key, []).append((number, row))
        lines = []
        for key in sorted(places):
            (number, row), *others = places[key]
            kept = slices[number][row]
            alike, said = [kept], body(kept, stamped, self._untimed)
            for other, at in others:
                line = slices[other][at]
                if body(line, stamped, self._untimed) == said:
                    alike.append(line)
                else:
                    self._differ(Difference(feeds[number].where(row), feeds[other].where(at), kept, line))
            if self._untimed is not None:
                alike.sort()  # the time comes first
            lines.append(one(alike, stamped))
        return lines

    @property
    def _word(self) -> str:
        return self._feeds[0].columns.shape.columns[self._at].name

    def _goes_on(self, feed: Feed, keys: "_Keys") -> None:
        """Raise `DamagedFile` unless a feed's keys rise from its last, and by more than 1 only as its ledger lists."""
        last = feed.last_key
        for row, first, end in [(0, keys.first, keys.last)] if self._unlisted is None else keys.ranges:
            if first <= last:
                raise DamagedFile(f"{feed.where(row)}: {self._word} {first} does not rise from {last}{SEE}")
            is_hole = self._unlisted is not None and last not in (NONE, first - 1)
            if is_hole and self._unlisted and (count := self._unlisted[feed](last + 1, first - 1)):
                why = f"{count} ids missing before it that no row of the ledger explains"
                raise DamagedFile(f"{feed.where(row)}: {why}{SEE}")
            last = end

    def _told(self, feeds: Sequence[Feed], first: bytes, keys: "_Keys", data: bytes) -> None:
        """Note rows that follow, of these feeds; raise `ConfigError` where they can't be of the same history."""
        lead = feeds[0]
        before_ms = lead.time_ms(self._last) if self._last else NO_TIME
        earliest_ms = lead.time_ms(first) + MOST_BACK_MS
        if earliest_ms < before_ms and not any(feed.last and earliest_ms < feed.time_ms(feed.last) for feed in feeds):
            raise two_histories(lead.where(0), self._word)
        if self._unlisted is not None:
            lines = data[:-1].split(b"\n") if len(keys.ranges) > 1 else [first]
            for row, low, high in keys.ranges:
                if row:
                    before_ms = lead.time_ms(lines[row - 1])
                self.ids.take(low, high, before_ms, lead.time_ms(lines[row]))
        self._last = data[data.rfind(b"\n", 0, -1) + 1 : -1]

    def _one_history(self, lines: Lines, slices: Sequence[Lines]) -> None:
        """Raise `ConfigError` where times go back among rows of several, as they do in none of them."""
        time = self._feeds[0].columns.shape.time
        if len(slices) > 1 and _goes_back(lines, time) and not any(_goes_back(each, time) for each in slices):
            raise two_histories(self._feeds[0].where(0), self._word)


def two_histories(where: str, word: str) -> ConfigError:
    """Return the error that says that ids of a row are of another time than those around it."""
    return ConfigError(
        f"{where}: by {word} its rows lie among others that are hours away by time: one folder's ids began anew, and "
        "another holds those of before; merge only folders of the same ids"
    )


def _goes_back(lines: Lines, time: int) -> bool:
    times_ms = cells_of(lines, time)
    return len(times_ms) > 1 and min(map(sub, times_ms[1:], times_ms)) < -MOST_BACK_MS


class _Keys:
    """The keys of some lines, looked at as little as need be."""

    def __init__(self, data: bytes, rows: int, at: int) -> None:
        self._data, self._rows, self._at = data, rows, at
        self.first = cell_of(data[: data.index(b"\n")], at)
        self.last = cell_of(data[data.rfind(b"\n", 0, -1) + 1 : -1], at)

    @cached_property
    def ranges(self) -> list[tuple[int, int, int]]:
        """Ranges of keys that rise by 1: the row that each begins with, its first and its last key."""
        if self.last - self.first + 1 == self._rows:
            return [(0, self.first, self.last)]
        keys = cells_of(self._data[:-1].split(b"\n"), self._at)
        starts = [0, *(row for row, (key, behind) in enumerate(pairwise(keys), 1) if behind != key + 1)]
        return [(start, keys[start], keys[end - 1]) for start, end in pairwise([*starts, len(keys)])]
