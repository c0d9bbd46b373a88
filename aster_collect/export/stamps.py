"""When rows were received, where some did not come live. Pure."""

from collections.abc import Sequence

NS_OF_MS = 1_000_000


class Stamps:
    """Local times of the rows of one history, in Unix nanoseconds.

    A row that did not come live has none: it was fetched later. It is given the exchange's time with the delay that the
    live row before it had, which is nothing before the first, but is never before the row before it. `missing` counts
    such rows.
    """

    def __init__(self) -> None:
        self.missing = 0
        self.delay_ns = 0  # of the last live row; never negative
        self._last_ns = 0

    def local_ns(self, times_ms: Sequence[int], received: Sequence[str]) -> list[int]:
        """Return the local times of rows, from the exchange's times and what the column says."""
        found: list[int] = []
        if "" not in received:
            found = list(map(int, received))
            if found:
                self._note(times_ms[-1], found[-1])
            return found
        for time_ms, text in zip(times_ms, received, strict=True):
            if text:
                self._note(time_ms, int(text))
            else:
                self._last_ns = max(self._last_ns, time_ms * NS_OF_MS + self.delay_ns)
                self.missing += 1
            found.append(self._last_ns)
        return found

    def _note(self, time_ms: int, received_ns: int) -> None:
        self._last_ns, self.delay_ns = received_ns, max(0, received_ns - time_ms * NS_OF_MS)
