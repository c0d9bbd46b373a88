"""When to try again, and how much may be asked: delays and budgets as plain numbers.

Pure. Times are seconds of a monotonic clock, given by the caller.
"""

import random
from collections import deque
from collections.abc import Callable

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STEADY_S = 30.0
SHORT_TRIES = 2  # delays of up to 2 s
LONGEST_BAN_S = 3 * 86_400.0  # the longest there is; more is somebody's mistake, and more than a queue can wait
RESERVE = 0.2  # left for whatever else asks from the same address …
LEAST_RESERVE = 0.1  # … half of it by what is asked once an hour, so that a long backfill does not hold it up …
PATIENT_RESERVE = 0.5  # … and more by what may take minutes, so that it does not hold a backfill up
WINDOW_S = 60.0


class Backoff:
    """Growing delays with full jitter, so that many clients do not come back in step."""

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        self._draw = draw
        self._tries = 0

    def failed(self) -> float:
        """Return how many seconds to wait before the next try: 0 to 0.5, 1, 2, … at most 30."""
        longest_s: float = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** min(self._tries, 16))
        self._tries += 1
        return longest_s * self._draw()

    def worked(self, for_s: float = STEADY_S) -> None:
        """Start over, after something of use came for so many seconds; after a short while only grow no further.

        What connects well and fails at once, again and again, must not be tried twice a second for ever.
        """
        self._tries = 0 if for_s >= STEADY_S else min(self._tries, SHORT_TRIES)


class Pause:
    """When to ask again after answers of no use: later each time, until one is of use."""

    def __init__(self) -> None:
        self.failing = False
        self._backoff = Backoff(lambda: 1.0)
        self._failed_s = 0.0
        self._until_s = 0.0

    def failed(self, sent_s: float, now_s: float) -> None:
        """Note that what was sent then was of no use; what was under way together fails as one."""
        if sent_s >= self._failed_s:
            self.failing, self._failed_s = True, now_s
            self._until_s = now_s + self._backoff.failed()

    def worked(self, sent_s: float) -> None:
        """Note that what was sent then was answered well."""
        if sent_s >= self._failed_s:
            self.failing = False
            self._backoff.worked()

    def left_s(self, now_s: float) -> float:
        """Return for how long yet nothing is to be asked."""
        return max(0.0, self._until_s - now_s)


def connection_age_s(oldest_s: float, draw: Callable[[], float] = random.random) -> float:
    """Return at which age a connection hands over: in the last tenth before the oldest allowed, staggered by chance."""
    return oldest_s * (1 - 0.1 * draw())


class _Minute:
    """What was spent within the last minute, and when."""

    def __init__(self) -> None:
        self._spent: deque[tuple[float, int]] = deque()
        self._total = 0

    def spend(self, weight: int, now_s: float) -> None:
        """Note what is spent now."""
        self._spent.append((now_s, weight))
        self._total += weight

    def total(self, now_s: float) -> int:
        """Return how much it is."""
        while self._spent and self._spent[0][0] <= now_s - WINDOW_S:
            self._total -= self._spent.popleft()[1]
        return self._total

    def wait_s(self, most: float, now_s: float) -> float:
        """Return how long it takes until it is so much at most; 0 where nothing is spent, however little that is."""
        excess = self.total(now_s) - most
        if excess <= 0 or not self._spent:
            return 0.0
        until_s = now_s
        for spent_s, amount in self._spent:
            until_s, excess = spent_s + WINDOW_S, excess - amount
            if excess <= 0:
                break
        return until_s - now_s


class WeightBudget:
    """Request weight spent in the last minute, by us and, as the exchange counts, by others at our address.

    A sliding minute is stricter than the exchange's own, which starts anew at each full minute. Where several programs
    of ours have one address, each spends its share alone, whatever the others leave.
    """

    def __init__(self, a_minute: int, share: float = 1.0) -> None:
        self.a_minute = a_minute
        self._share = share
        self._all, self._ours = _Minute(), _Minute()
        self._blocked_until_s = 0.0

    def wait_s(self, weight: int, now_s: float, reserve: float = RESERVE) -> float:
        """Return how long a request of this weight has to wait, 0 if it may go now and leave that share of a minute."""
        if blocked_s := self.blocked_s(now_s):
            return blocked_s
        most = self.a_minute * (1 - reserve)
        return max(self._all.wait_s(most - weight, now_s), self._ours.wait_s(most * self._share - weight, now_s))

    def round_s(self, weight: int, reserve: float) -> float:
        """Return how long a round of requests of this weight in all takes, where each leaves that share of a minute."""
        return weight * WINDOW_S / (self.a_minute * self._share * (1 - reserve))

    def spend(self, weight: int, now_s: float) -> None:
        """Note a request that goes out now."""
        self._all.spend(weight, now_s)
        self._ours.spend(weight, now_s)

    def observe(self, used: int, now_s: float) -> None:
        """Note what the exchange says is used of this minute; what is more than ours was spent by others."""
        known = self._all.total(now_s)
        if used > known:
            self._all.spend(used - known, now_s)

    def block(self, seconds: float, now_s: float) -> None:
        """Ask for nothing for so long."""
        self._blocked_until_s = max(self._blocked_until_s, now_s + seconds)

    def blocked_s(self, now_s: float) -> float:
        """Return for how long yet nothing may be asked."""
        return max(0.0, self._blocked_until_s - now_s)


class HandshakeBudget:
    """Connections tried in the last minute, by all of this program: a server that ends each at once brings no ban."""

    def __init__(self, a_minute: int) -> None:
        self._taken: deque[float] = deque(maxlen=a_minute)
        self._blocked_until_s = 0.0

    def take(self, now_s: float) -> float:
        """Note a handshake that is made now, and return 0; or return how long it has to wait before it asks again."""
        first_s = max(now_s, self._blocked_until_s)
        if len(self._taken) == self._taken.maxlen:
            first_s = max(first_s, self._taken[0] + WINDOW_S)
        if first_s == now_s:
            self._taken.append(now_s)
        return first_s - now_s

    def block(self, seconds: float, now_s: float) -> None:
        """Let none be made for so long."""
        self._blocked_until_s = max(self._blocked_until_s, now_s + seconds)
