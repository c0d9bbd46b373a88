"""What a run before has written of a stream whose rows bear no id, so that it is not written a second time.

Pure. A restart can lead to a front server that is behind, and brings again what it brought the run before.
"""

import sys
from collections import Counter
from collections.abc import Sequence

from ..exchange.streams.kind import ID, TIME, Event

BEHIND_MS = 60_000  # by more no front server is behind: then the clock was set back, and the events are new


class Written:
    """The end of a file: the time of its last row, and all events of that millisecond.

    Of an event that is older, or is one of these, the same row is in the file. The ids that it came with are
    remembered, since another connection brings it too. An event of the same millisecond that looks like one of these,
    but is another, is left out with them: the stretch in the ledger begins with that millisecond.
    """

    def __init__(self, last: Sequence[Event]) -> None:
        self._last_ms = last[-1][TIME] if last else 0
        said = [content(event) for event in last]
        # What rows do not bear, such as quantities, is blank in the events made of them, and may not be in others.
        self._width = max((at for one in said for at, value in enumerate(one, 1) if value != ""), default=0)
        self._left = Counter(one[: self._width] for one in said)
        self._highest_id = -1
        self._new_id = sys.maxsize  # the lowest of an event that is certainly new: behind it all are

    def over(self, time_ms: int) -> bool:
        """Return whether nothing of then can come any more, by the time of the newest event."""
        return not self._last_ms or time_ms > self._last_ms + BEHIND_MS

    def again(self, fresh: Sequence[Event]) -> list[int]:
        """Return the ids of those of the events that came that are in the file already."""
        found = []
        for event in sorted(fresh, key=lambda event: event[ID]):
            update_id, time_ms = event[ID], event[TIME]
            if time_ms > self._last_ms:
                self._new_id = min(self._new_id, update_id)
            if update_id >= self._new_id or time_ms < self._last_ms - BEHIND_MS:
                continue
            if time_ms == self._last_ms and update_id > self._highest_id:
                own = content(event)[: self._width]
                if not self._left[own]:
                    continue
                self._left[own] -= 1
            self._highest_id = max(self._highest_id, update_id)
            found.append(update_id)
        return found


def content(event: Event) -> Event:
    """Return what an event says, without its id and what this machine added to it."""
    return event[TIME:-1]
