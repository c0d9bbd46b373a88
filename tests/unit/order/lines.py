"""The modelled connections: what a front server sends over each, and how the program's side opens and ends them."""

from collections import deque
from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

from aster_collect.exchange.events import HAND_OVER, Batch, Lost, Message, Opened

from .market import Exchange, Frame

NETWORK_S = 0.01
OVERLAP_S = 1.5
STALL_TIMEOUT_S = 10.0
JUNK = b"\x81\x7e"  # what lies between messages where they were read


class Arrival(NamedTuple):
    """A message for the engine, when it came, and what of the exchange's is in it."""

    at_s: float
    message: Message
    frames: Sequence[Frame] = ()


class Front:
    """What all front servers do now."""

    def __init__(self) -> None:
        self.behind_s = 0.0  # what is connected from now on gets everything so much later
        self.refuses_until_s = 0.0


class Conn:
    """One connection at the server: the frames on their way, and what is wrong with them."""

    def __init__(self, front: Front, exchange: Exchange, streams: Iterable[str], opened_s: float) -> None:
        self.behind_s = front.behind_s
        self.stalled_until_s = 0.0
        self.broken = ""
        self.skips = self.doubles = self.swaps = 0
        self.without = ""  # a kind of which nothing is sent
        self._streams, self._opened_s = frozenset(streams), opened_s
        self._queue: deque[tuple[float, str, Frame | None]] = deque()
        self._kept: tuple[float, str, Frame | None] | None = None
        for frame in exchange.recent:
            if frame.sent_s + self.behind_s > opened_s:
                self.send(frame)

    def send(self, frame: Frame) -> None:
        if frame.stream not in self._streams or frame.events[0].kind == self.without:
            return
        if self.skips and frame.events[0].kind == "trades":
            self.skips -= 1
            return
        due_s = frame.sent_s + self.behind_s + NETWORK_S
        one = due_s, str(frame.sent_ms).join(frame.parts), frame
        if self.swaps and self._kept is None:
            self.swaps -= 1
            self._kept = one
            return
        self._queue.append(one)
        if self.doubles and frame.events[0].id:  # without ids one connection is believed
            self.doubles -= 1
            self._queue.append(one)
        if self._kept is not None:
            self._queue.append((due_s, *self._kept[1:]))
            self._kept = None

    def garble(self, now_s: float, message: str) -> None:
        """Send something else."""
        self._queue.append((now_s, message, None))

    def arrived(self, now_s: float) -> list[tuple[float, str, Frame | None]]:
        """Return what has arrived by now."""
        found = []
        if now_s >= self.stalled_until_s:
            while self._queue and self._queue[0][0] <= now_s:
                due_s, message, frame = self._queue.popleft()
                found.append((max(due_s, self.stalled_until_s, self._opened_s), message, frame))
        return found


class Line:
    """One connection at the program: kept open until it is relieved, as `net/feed.py` does it."""

    def __init__(
        self,
        number: int,
        place: int,
        symbols: tuple[str, ...],
        streams: Sequence[str],
        own: Iterable[str],
        relieves: "Sequence[Line]",
    ) -> None:
        """`own` are those of the streams that it is to bring; the others tell quiet from dead."""
        self.number, self.place, self.symbols, self.streams = number, place, symbols, streams
        self.own = frozenset(own)
        self.conn: Conn | None = None
        self.replaced = self.over = False
        self.end_s = float("inf")
        self._relieves = list(relieves)
        self._retry_s = 0.0
        self._tries = 0
        self._frame_s = 0.0
        for line in relieves:
            line.replaced = True

    def pump(self, front: Front, exchange: Exchange, chance: Random, now_s: float, wall_ns: int) -> list[Arrival]:
        """Return what comes of it by now; `wall_ns` is our clock's Unix nanoseconds at second 0."""
        if self.over:
            return []
        if self.conn is None:
            return self._connect(front, exchange, chance, now_s, wall_ns)
        arrivals = self._read(chance, now_s, wall_ns)
        if arrivals:
            for line in self._relieves:
                line.end_s = min(line.end_s, now_s + OVERLAP_S)
            self._relieves = []
            self._tries = 0
        if now_s >= self.end_s:
            return [*arrivals, self._end(HAND_OVER, True, now_s)]
        why = self.conn.broken or ("stalled" if now_s - self._frame_s > STALL_TIMEOUT_S else "")
        if why:
            self._retry_s = now_s + chance.random() * min(8.0, 0.5 * 2**self._tries)
            self._tries += 1
            arrivals.append(self._end(why, self.replaced, now_s))
        return arrivals

    def _end(self, why: str, over: bool, now_s: float) -> Arrival:
        self.conn, self.over = None, over
        return Arrival(now_s, Lost(self.number, why, over))

    def _connect(self, front: Front, exchange: Exchange, chance: Random, now_s: float, wall_ns: int) -> list[Arrival]:
        if self.replaced:
            return [self._end(HAND_OVER, True, now_s)]
        if now_s < self._retry_s:
            return []
        if now_s < front.refuses_until_s:
            self._retry_s = now_s + chance.random() * 2
            return [Arrival(now_s, Lost(self.number, "refused", False))]
        self.conn, self._frame_s = Conn(front, exchange, self.streams, now_s), now_s
        return [Arrival(now_s, Opened(self.number, wall_ns + round(now_s * 1e9), now_s))]

    def _read(self, chance: Random, now_s: float, wall_ns: int) -> list[Arrival]:
        assert self.conn is not None
        arrived = self.conn.arrived(now_s)
        reads: list[Arrival] = []
        while arrived:
            count = chance.choice((1, 2, 5, 20, 100))
            read, arrived = arrived[:count], arrived[count:]
            received_s = read[-1][0]
            data, bounds = bytearray(), []
            for _, message, _ in read:
                data += JUNK
                bounds.append(len(data))
                data += message.encode()
                bounds.append(len(data))
            batch = Batch(self.number, wall_ns + round(received_s * 1e9), received_s, bytes(data), bounds)
            reads.append(
                Arrival(received_s, batch, [frame for _, _, frame in read if frame and frame.stream in self.own])
            )
            self._frame_s = received_s
        return reads
