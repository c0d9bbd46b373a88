"""What a run before has written of a stream whose rows bear no id, so that it is not written a second time.

Pure. A restart can lead to a front server that is behind, and brings again what it brought the run before.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from ..exchange import rows

BEHIND_MS = 60_000  # by more no front server is behind: then the clock was set back, and the rows are new


class Written:
    """The end of a file of prices: the time of its last row, and all rows of that millisecond.

    Of a row that is older, or is one of these, the same row is in the file. The ids that it came with are remembered,
    since another connection brings it too. A row of the same millisecond that looks like one of these, but is another,
    is left out with them: the stretch in the ledger begins with that millisecond.
    """

    def __init__(self, last_rows: Sequence[str]) -> None:
        self._last_ms = rows.row_time_ms(rows.PRICES, last_rows[-1]) if last_rows else 0
        self._left = Counter(map(_own, last_rows))
        self._highest_id = -1
        self._new_id = sys.maxsize  # the lowest of a row that is certainly new: behind it all are

    def over(self, time_ms: int) -> bool:
        """Return whether nothing of then can come any more, by the time of the newest row."""
        return not self._last_ms or time_ms > self._last_ms + BEHIND_MS

    def again(self, fresh: Mapping[int, str]) -> list[int]:
        """Return the ids of those of the rows that came, by id, that are in the file already."""
        found = []
        for update_id in sorted(fresh):
            row = fresh[update_id]
            time_ms = rows.row_time_ms(rows.PRICES, row)
            if time_ms > self._last_ms:
                self._new_id = min(self._new_id, update_id)
            if update_id >= self._new_id or time_ms < self._last_ms - BEHIND_MS:
                continue
            if time_ms == self._last_ms and update_id > self._highest_id:
                own = _own(row)
                if not self._left[own]:
                    continue
                self._left[own] -= 1
            self._highest_id = max(self._highest_id, update_id)
            found.append(update_id)
        return found


def _own(row: str) -> str:
    """Return a row without what this machine added to it."""
    return ",".join(row.split(",", len(rows.PRICE_COLUMNS))[: len(rows.PRICE_COLUMNS)])
