"""A connection, its time, and a collector that is slow, as tests of what keeps a connection up have them."""

from collections.abc import Iterator

from aster_collect.errors import FeedError
from aster_collect.net.inbox import Inbox, Message


def text(payload: str) -> bytes:
    """Return one text message as a server sends it."""
    data = payload.encode("ascii")
    assert len(data) < 126, "a short frame"
    return bytes((0x81, len(data))) + data


class Clock:
    """Time that goes on only while somebody waits."""

    def __init__(self) -> None:
        self.now_s = 5000.0

    def __call__(self) -> float:
        return self.now_s

    def wall_ns(self) -> int:
        return int(self.now_s * 1e9)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Stopping:
    """Stands in for the event that stops a feed: waiting takes no time, and after so many delays it is set."""

    def __init__(self, clock: Clock, most: int) -> None:
        self.delays_s: list[float] = []
        self.stopped = False
        self._clock, self._most = clock, most

    def is_set(self) -> bool:
        return self.stopped

    def wait(self, seconds: float) -> bool:
        self.delays_s.append(seconds)
        self._clock.now_s += seconds
        self.stopped = len(self.delays_s) >= self._most
        return self.stopped


class Wire:
    """An open connection that brings what a script says: bytes, errors, and between reads the time that passes."""

    def __init__(self, script: Iterator[bytes | FeedError], clock: Clock, every_s: float = 0.0) -> None:
        self.ponged: list[bytes] = []
        self.closed = False
        self._script, self._clock, self._every_s = script, clock, every_s

    def read(self) -> bytes:
        self._clock.now_s += self._every_s
        one = next(self._script)
        if isinstance(one, FeedError):
            raise one
        return one

    def wait(self, timeout_s: float) -> bool:
        self._clock.now_s += timeout_s
        return False

    def pong(self, payload: bytes) -> None:
        self.ponged.append(payload)

    def close(self) -> None:
        self.closed = True


class SlowInbox(Inbox):
    """An inbox for few bytes, whose collector takes one message only after a put has waited several times."""

    def __init__(self, clock: Clock, waits: float) -> None:
        super().__init__(1000)
        self.taken: list[Message] = []
        self.waited = 0
        self._clock, self._waits, self._left = clock, waits, waits

    def put(self, item: Message, block: bool = True, timeout: float | None = None) -> None:
        if block:
            assert timeout, "a wait without a deadline does not look whether to stop"
            self.waited += 1
            self._clock.now_s += timeout
            self._left -= 1
            if self._left <= 0:
                self._left = self._waits
                self.taken.append(self.get_nowait())
        super().put(item, block=False)
