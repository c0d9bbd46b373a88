"""One stream's rows put in the order of their update ids, each once.

Pure. Two connections, or an old and a new one during a hand-over, deliver the same events with different delays,
and a new one can be ahead: what the other then brings is late, not a duplicate. So a row rests for one turn
before it is written, and a late one finds its place meanwhile. A turn is half a flush interval, so that no row
waits longer than the interval, and two seconds at least while more than one connection brings the rows.
"""

from collections import deque
from collections.abc import Callable

REMEMBERED_IDS = 20_000  # a stream: more than the busiest brings in ten seconds


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
        self._remembered: deque[list[int]] = deque()
        self._written_id = written_id
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

    def discard(self, foreign: Callable[[str], bool]) -> None:
        """Forget those of the fresh rows that are of another history."""
        for update_id in [update_id for update_id, row in self._fresh.items() if foreign(row)]:
            del self._fresh[update_id]

    def turn(self, *, remember: bool = False) -> list[str]:
        """Return the rows that have rested, in order; what is fresh begins its rest.

        `remember` is to be set while more than one connection brings the rows: then what comes too late is told from
        what comes twice by the ids written lately.
        """
        rested, fresh = self._rested, self._fresh
        self.refused, self.late = {}, []
        if not remember:
            self._remembered.clear()
        if not (rested or fresh):
            return []
        self.refused = {one: row for one, row in fresh.items() if one < self._written_id}
        for update_id in [one for one in fresh if one <= self._written_id or one in rested]:
            del fresh[update_id]
        if remember and self.refused:
            written = {update_id for ids in self._remembered for update_id in ids}
            self.late = [row for update_id, row in self.refused.items() if update_id not in written]
        last = next(reversed(rested), -1)
        late = [one for one in fresh if one < last]
        if late:
            rested.update((one, fresh.pop(one)) for one in late)
            rested = dict(sorted(rested.items()))
        ids = list(fresh)
        if ids != sorted(ids):
            fresh = dict(sorted(fresh.items()))
        self._written_id = max(self._written_id, last)
        if remember:
            self._remembered.append(list(rested))
            while sum(map(len, self._remembered)) > REMEMBERED_IDS:
                self._remembered.popleft()
        self._rested, self._fresh = fresh, {}
        self.add = self._fresh.setdefault
        return list(rested.values())
