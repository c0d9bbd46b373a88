"""Histories without ids: merged by time, and within a time by what rows say.

Times of such a history step back by a second at most, but for a single one that is odd, far ahead. So the rows before
a moment that no row behind is older than, in any of the folders, can be put together in one go.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from operator import sub

from ..archive import DamagedFile
from ..errors import ConfigError
from .alike import Lines, earliest, halves, same
from .columns import SEE
from .feed import Feed, cells_of, shared_bytes

MOST_BACK_MS = 1000
# Of a folder's rows at once, and of those of one moment: where times go back by more, they can't be put in order.
MOST_BYTES, MOST_ROWS = 8 << 20, 1500

Write = Callable[[bytes, int], object]  # whole lines, and how many
Said = tuple[bytes, bytes]  # what a row says, and when it was received
Join = Callable[[Sequence[Sequence[Said]]], Sequence[Said]]


class Aligned:
    """Merges histories without ids; `join` puts rows of one moment together."""

    def __init__(self, feeds: Sequence[Feed], write: Write, join: Join) -> None:
        self._feeds, self._write, self._join = feeds, write, join

    def run(self) -> None:
        """Merge all; raises `DamagedFile`, `ConfigError` and `OSError`."""
        while live := [feed for feed in self._feeds if feed.fill()]:
            if size := shared_bytes(live):
                data = live[0].data[:size]
                live[0].check(size)
                rows = data.count(b"\n")
                for feed in live:
                    feed.take_bytes(size, rows)
                self._write(data, rows)
            else:
                self._apart(live)

    def _apart(self, live: Sequence[Feed]) -> None:
        """Put together the rows before a moment."""
        while True:
            times = {feed: _times(feed) for feed in live}
            # Which times nothing can come before that is not read yet.
            sure = {feed: max(each[:-1], default=0) - MOST_BACK_MS for feed, each in times.items() if not feed.ended}
            counts = {feed: len(each) for feed, each in times.items()}
            if sure:
                counts = _clean(times, min(sure.values()))
            if any(counts.values()):
                break
            slowest = min(sure, key=sure.__getitem__)
            if len(slowest.data) > MOST_BYTES:
                raise _out_of_order(slowest)
            slowest.more(len(slowest.data))
        taken = [feed for feed in live if counts[feed]]
        slices = [feed.lines[: counts[feed]] for feed in taken]
        stamped = live[0].columns.is_stamped
        lines = same(slices, stamped)
        if lines is None:
            lines = self._joined(taken, slices, [times[feed][: counts[feed]] for feed in taken], stamped)
        for feed in taken:
            feed.take_rows(counts[feed])
        self._write(b"\n".join(lines) + b"\n", len(lines))

    def _joined(
        self, taken: Sequence[Feed], slices: Sequence[Lines], times: Sequence[Sequence[int]], stamped: bool
    ) -> Lines:
        """Put rows together, moment by moment."""
        said = [
            list(zip(*halves(lines), strict=True)) if stamped else [(line, b"") for line in lines] for lines in slices
        ]
        joined: list[Said] = []
        for moment in _moments(times, said):
            if sorted(map(len, moment))[-2] > MOST_ROWS:
                raise _out_of_order(taken[0])
            joined += self._join(moment)
        return [b"%b,%b" % row for row in joined] if stamped else [line for line, _ in joined]


def one_by_one(feeds: Sequence[Feed], write: Write) -> None:
    """Write histories one after the other; raises `ConfigError` where they are of one time.

    That is for rows that bear no time but that of their receipt: nothing tells which of several are one event.
    """
    before: Feed | None = None
    for feed in sorted((feed for feed in feeds if feed.fill()), key=lambda feed: feed.time_ms(feed.first)):
        if before is not None and before.extent is not None and feed.time_ms(feed.first) < before.extent[1]:
            raise ConfigError(
                f"{feed.where(0)}: {before.folder} has rows of this time too, and without update ids and a time of "
                "the exchange nothing tells which of them are one; give folders with update ids, or of other times"
            )
        while feed.fill():
            data = feed.data
            feed.check(len(data))
            rows = data.count(b"\n")
            feed.take_bytes(len(data), rows)
            write(data, rows)
        before = feed


def _out_of_order(feed: Feed) -> DamagedFile:
    return DamagedFile(f"{feed.where(0)}: behind it times go back, and no ids say which rows are one{SEE}")


def _times(feed: Feed) -> list[int]:
    """Return the times of what is read, a single odd one as if it were that of the row behind it."""
    times_ms = cells_of(feed.lines, feed.columns.shape.time)
    if len(times_ms) > 1 and min(map(sub, times_ms[1:], times_ms)) < -MOST_BACK_MS:
        behind = times_ms[1:]
        times_ms[:-1] = [
            after if after < time_ms - MOST_BACK_MS else time_ms
            for time_ms, after in zip(times_ms, behind, strict=False)
        ]
    return times_ms


def _clean(times: dict[Feed, list[int]], moment_ms: int) -> dict[Feed, int]:
    """Return of each feed how many rows come before a moment, at that one at most, that no row behind is older than."""
    while True:
        counts = {
            feed: next((at for at, time_ms in enumerate(each) if time_ms >= moment_ms), len(each))
            for feed, each in times.items()
        }
        earliest_ms = min(
            (min(each[counts[feed] :]) for feed, each in times.items() if counts[feed] < len(each)), default=moment_ms
        )
        if earliest_ms >= moment_ms:
            return counts
        moment_ms = earliest_ms


def _moments(times: Sequence[Sequence[int]], said: Sequence[Sequence[Said]]) -> Iterable[list[list[Said]]]:
    """Yield the rows of each folder that belong together: of one time, or of several where they are not in order."""
    # Each folder's rows in groups: all in one come before all in the next. A group reaches from its lowest time to its
    # highest; those that overlap, over all folders, are one.
    groups: list[tuple[int, int, int, int, int]] = []
    for number, each in enumerate(times):
        lowest = list(accumulate(reversed(each), min))[::-1]
        start = 0
        for at in range(1, len(each) + 1):
            if at == len(each) or lowest[at] != lowest[start]:
                groups.append((lowest[start], max(each[start:at]), number, start, at))
                start = at
    groups.sort()
    rows: list[list[Said]] = [[] for _ in times]
    end_ms = groups[0][1]
    for low_ms, high_ms, number, start, stop in groups:
        if low_ms > end_ms:
            yield rows
            rows = [[] for _ in times]
        end_ms = max(end_ms, high_ms)
        rows[number].extend(said[number][start:stop])
    yield rows


def union(moment: Sequence[Sequence[Said]]) -> Sequence[Said]:
    """Return rows of which the same is the same event: each once."""
    rows = [each for each in moment if each]
    if len(rows) == 1:
        return rows[0]
    stamps: dict[bytes, list[bytes]] = {}
    for each in rows:
        for said, stamp in each:
            stamps.setdefault(said, []).append(stamp)
    order = list(stamps) if _agree(rows) else sorted(stamps)
    return [(said, earliest(stamps[said])) for said in order]


def _agree(rows: Sequence[Sequence[Said]]) -> bool:
    first, *others = rows
    return all([said for said, _ in other] == [said for said, _ in first] for other in others)


def sequence(moment: Sequence[Sequence[Said]]) -> Sequence[Said]:
    """Return the shortest sequence of which each folder's rows are a part: the same can be said twice."""
    first, *others = sorted((each for each in moment if each), key=lambda each: (-len(each), each))
    for other in others:
        first = _shortest(first, other)
    return first


def _shortest(one: Sequence[Said], other: Sequence[Said]) -> Sequence[Said]:
    """Return the shortest sequence that both are parts of."""
    start = 0
    while start < min(len(one), len(other)) and one[start][0] == other[start][0]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end][0] == other[-1 - end][0]:
        end += 1
    ours, theirs = one[start : len(one) - end], other[start : len(other) - end]
    rows = [_both(*pair) for pair in zip(one[:start], other[:start], strict=True)]
    rows += _table(ours, theirs) if ours and theirs else ours or theirs
    rows += [_both(*pair) for pair in zip(one[len(one) - end :], other[len(other) - end :], strict=True)]
    return rows


def _table(ours: Sequence[Said], theirs: Sequence[Said]) -> list[Said]:
    # alike[i][j]: how many rows of ours[i:] and theirs[j:] can be one
    alike = [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i in range(len(ours) - 1, -1, -1):
        for j in range(len(theirs) - 1, -1, -1):
            if ours[i][0] == theirs[j][0]:
                alike[i][j] = alike[i + 1][j + 1] + 1
            else:
                alike[i][j] = max(alike[i + 1][j], alike[i][j + 1])
    rows: list[Said] = []
    i = j = 0
    while i < len(ours) and j < len(theirs):
        if ours[i][0] == theirs[j][0]:
            rows.append(_both(ours[i], theirs[j]))
            i, j = i + 1, j + 1
        elif alike[i + 1][j] >= alike[i][j + 1]:
            rows.append(ours[i])
            i += 1
        else:
            rows.append(theirs[j])
            j += 1
    return [*rows, *ours[i:], *theirs[j:]]


def _both(one: Said, other: Said) -> Said:
    return one[0], earliest((one[1], other[1]))
