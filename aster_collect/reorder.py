"""One stream's rows put in the order of their update ids, each once.

Pure. Two connections, or an old and a new one during a hand-over, deliver the same events with different delays,
and a new one can be ahead: what the other then brings is late, not a duplicate. So a row rests for one turn
before it is written, and a late one finds its place meanwhile. A turn is half a flush interval, so that no row
waits longer than the interval.
"""


class Reorder:
    """Rows by update id: newly come, rested one turn, written.

    ```
    add ──▶ fresh ──turn──▶ rested ──turn──▶ returned, to be written; at or below its last id all is late or double
    ```
    """

    def __init__(self, written_id: int = -1) -> None:
        self.newest_id = written_id
        self._written_id = written_id
        self._fresh: dict[int, str] = {}
        self._rested: dict[int, str] = {}
        self._in_order = True

    def add(self, update_id: int, row: str) -> bool:
        """Take a row; return whether it is new: neither held already nor at or below what was written."""
        if update_id > self.newest_id:
            self.newest_id = update_id
            self._fresh[update_id] = row
            return True
        if update_id <= self._written_id or update_id in self._fresh or update_id in self._rested:
            return False
        self._fresh[update_id] = row
        self._in_order = False
        return True

    def turn(self) -> list[str]:
        """Return the rows that have rested, in order; what is fresh begins its rest."""
        rested, fresh = self._rested, self._fresh
        if not self._in_order:
            last = max(rested, default=-1)
            for update_id in [one for one in fresh if one < last]:
                rested[update_id] = fresh.pop(update_id)
            rested = dict(sorted(rested.items()))
            fresh = dict(sorted(fresh.items()))
            self._in_order = True
        if rested:
            self._written_id = next(reversed(rested))
        self._rested, self._fresh = fresh, {}
        return list(rested.values())
