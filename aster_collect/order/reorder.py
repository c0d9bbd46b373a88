"""One stream's rows put in the order of their update ids, each once.

Pure. Two connections, or an old and a new one during a hand-over, deliver the same events with different delays,
and a new one can be ahead: what the other then brings is late, not a duplicate. So a row rests for one turn
before it is written, and a late one finds its place meanwhile. A turn is half a flush interval, so that no row
waits longer than the interval, and two seconds at least while more than one connection brings the rows.
"""

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Mapping

REMEMBERED_S = 120.0  # one that lags by more does not cover its streams: coverage says what nobody else brought


class Reorder:
    """Rows by update id: newly come, rested one turn, written.

    ```
    add ──▶ fresh ──turn──▶ rested ──turn──▶ returned, to be written; at or below its last id all is late or double
    ```

    `add(update_id, row)` takes a row; the first of an id counts. It is a dictionary's own method, since it is called
    for every frame: order and duplicates are looked at once a turn.
    """

    def __init__(self, written_id: int = -1) -> None:
        self.refused: dict[int, str] = {}  # of the last turn: at or below what was written, late or double
        self.late: list[str] = []  # those of them that were never written
        self.remembered = 0  # how many ids
        self._remembered: deque[tuple[float, array[int]]] = deque()  # of each turn when, and the ids, rising over all
        self._written_id = written_id
        self._unknown_id = written_id  # of ids up to it nobody remembers which of them were written
        self._rested: dict[int, str] = {}
        self._fresh: dict[int, str] = {}
        self.add: Callable[[int, str], str] = self._fresh.setdefault

    @property
    def resting(self) -> int:
        """How many rows are at rest or fresh."""
        return len(self._rested) + len(self._fresh)

    def newest(self) -> str:
        """Return the row that came last and is not written yet, or nothing."""
        newest = self._fresh or self._rested
        return newest[next(reversed(newest))] if newest else ""

    def discard(self, chosen: Callable[[Mapping[int, str]], Iterable[int]]) -> None:
        """Forget those of the fresh rows, by id, that are chosen: they are of another history, or written."""
        for update_id in chosen(self._fresh):
            del self._fresh[update_id]

    def turn(self, remember_s: float | None = None) -> list[str]:
        """Return the rows that have rested, in order; what is fresh begins its rest.

        `remember_s` is the time, by our monotonic clock, while more than one connection brings the rows: then what
        comes too late is told from what comes twice by the ids written lately. Of older ids nothing can be said. They
        count as come twice: whoever is so far behind has been outrun, and what the others lacked is an outage.
        """
        rested, fresh = self._rested, self._fresh
        self.refused, self.late = {}, []
        while self._remembered and (remember_s is None or self._remembered[0][0] < remember_s - REMEMBERED_S):
            self.forget()
        if not (rested or fresh):
            return []
        self.refused = {one: row for one, row in fresh.items() if one < self._written_id}
        for update_id in [one for one in fresh if one <= self._written_id or one in rested]:
            del fresh[update_id]
        if self.refused and remember_s is not None:
            self.late = self._never_written()
        last = next(reversed(rested), -1)
        late = [one for one in fresh if one < last]
        if late:
            rested.update((one, fresh.pop(one)) for one in late)
            rested = dict(sorted(rested.items()))
        ids = list(fresh)
        if ids != sorted(ids):
            fresh = dict(sorted(fresh.items()))
        self._written_id = max(self._written_id, last)
        if remember_s is None:
            self._unknown_id = self._written_id
        elif rested:
            self._remembered.append((remember_s, array("q", rested)))
            self.remembered += len(rested)
        self._rested, self._fresh = fresh, {}
        self.add = self._fresh.setdefault
        return list(rested.values())

    def forget(self) -> None:
        """Forget the ids of the oldest turn that is remembered, if there is one."""
        if self._remembered:
            _, ids = self._remembered.popleft()
            self._unknown_id = ids[-1]
            self.remembered -= len(ids)

    def _never_written(self) -> list[str]:
        """Return those of the refused rows whose ids are none of those remembered, and not too old to be."""
        turns = [ids for _, ids in self._remembered]
        ends = [ids[-1] for ids in turns]
        late = []
        for update_id, row in self.refused.items():
            if update_id > self._unknown_id:
                ids = turns[bisect_left(ends, update_id)]
                if ids[bisect_left(ids, update_id)] != update_id:
                    late.append(row)
        return late
