"""The update ids of one symbol: they rise with time, are not contiguous, and can begin anew, lower than before."""

from __future__ import annotations

EPOCH_US = 1_735_689_600_000_000  # 2025-01-01T00:00:00Z: event 0 of every symbol that was there from the start
LOWER = 1 << 43  # where ids begin that have begun anew, halved each time: enough for 50 days, or a day at the tenth


class Ids:
    """Ids by the time of what they are of, in Unix microseconds, and back; safe from any thread."""

    def __init__(self) -> None:
        """Of all time since the epoch."""
        self._begun: tuple[tuple[int, int], ...] = ((EPOCH_US, 0),)  # since when, and what the first id is behind

    def begin_anew(self, now_us: int) -> None:
        """Let lower ids begin now."""
        self._begun = (*self._begun, (now_us, LOWER >> len(self._begun)))

    def at(self, time_us: int) -> int:
        """The id of what happens at a time."""
        since_us, behind = self._of(time_us)
        return behind + time_us - since_us + 1

    def before(self, before_us: int, time_us: int) -> int:
        """The id of what happened before something else, as that tells it: of former ids it knows nothing."""
        since_us, behind = self._of(time_us)
        return behind if before_us < since_us else self.at(before_us)

    def time_us(self, update_id: int) -> int:
        """When something had an id."""
        for since_us, behind in reversed(self._begun[1:]):
            if behind < update_id < 2 * behind:
                return update_id - behind - 1 + since_us
        return update_id - 1 + EPOCH_US

    def _of(self, time_us: int) -> tuple[int, int]:
        return next((one for one in reversed(self._begun) if one[0] <= time_us), self._begun[0])
