"""Where trades may lie that could not be asked for, whatever clock was set meanwhile.

Pure. Seconds are a monotonic clock's, milliseconds the exchange's.
"""

LONGEST_AGE_MS = 60_000  # by more no trade is late


class Since:
    """How long ago, at most, the last trade was made that is written, and where the pause before this run may lie."""

    def __init__(self, now_s: float) -> None:
        self._since_s = self._whole_s = now_s
        self._age_ms = 0
        self._pause: tuple[int, int] | None = None

    def paused(self, from_ms: int, to_ms: int) -> None:
        """Take the stretch in which nobody collected, and behind which the file goes on."""
        self._pause = from_ms, to_ms

    def whole(self, now_s: float, age_ms: int | None) -> None:
        """Note that nothing is waited for, and how old the last trade is that was written since the last time."""
        if age_ms is not None:
            self._since_s, self._age_ms = self._whole_s, max(0, min(age_ms, LONGEST_AGE_MS))
            self._pause = None
        self._whole_s = now_s

    def stretch(self, written_ms: int, now_s: float, now_ms: int) -> tuple[int, int]:
        """Return from when to when trades may have been made, by the clock of the last written, or by that of now."""
        elapsed_ms = round((now_s - self._since_s) * 1000) + self._age_ms
        first_ms, last_ms = self._pause or (written_ms, written_ms)
        from_ms, to_ms = min(written_ms, first_ms), max(written_ms, last_ms)
        return min(from_ms, now_ms - elapsed_ms), max(now_ms, to_ms + elapsed_ms)
