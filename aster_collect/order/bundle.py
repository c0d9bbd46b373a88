"""The streams that share connections: which connections carry them, and what of them was not carried.

Pure. That there was an outage, and how long it was, our monotonic clock says; the exchange's places it. The exchange
stamps a frame when it sends it (`E`) and an event when it makes it (`T`), and rows carry the latter: a stretch is wider
at both ends by as much as an event is usually older than its frame, and where the exchange lags by more, that is said
beside it. The margin at the end is for the streams too that begin after the first frame of another.
"""

from collections.abc import Collection
from copy import deepcopy
from typing import NamedTuple

from .clock import BEHIND_MS, ExchangeClock
from .coverage import Coverage, Outage
from .lane import Lane

AGREE_MS = 1000  # between what two clocks say of how long an outage was: one row a second wide is what is promised
MARGIN_MS = 500  # an event was made by so much before its frame was sent, and all streams begin within so much
LAG_LIMIT_MS = 60_000
SILENT_MS = 5000  # there is a frame each second: without one for so long, nobody knows what was missed
LONGEST_OPEN_S = 60.0  # as long as one that is behind is waited for: what rests meanwhile is in memory
DOUBTS = 1000  # reads: two that agree are enough to be believed
PAUSE_LIMIT_MS = 3_660_000  # clocks are set by an hour; what contradicts by more is a file's time that is wrong


class Stretch(NamedTuple):
    """A stretch of the exchange's time in which what was sent could have been missed; `cause` is the ledger's word.

    The lags are by how much what was sent last before it, and first behind, had been made earlier, where that matters.
    """

    from_ms: int
    to_ms: int
    cause: str
    from_lag_ms: int = 0
    to_lag_ms: int = 0


class Bundle:
    """Streams that share their connections: each of these carries all of them.

    Without symbols they are those that bring all symbols.
    """

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.lanes: list[Lane] = []  # of the symbols that have been begun
        self.moved_s = 0.0
        self.was_redundant = False
        self.begun_ms: int | None = None  # when the first frame was sent that was believed
        self._clock = ExchangeClock()
        self._coverage = Coverage()
        self._wanted: set[int] = set()
        self._lag_ms = 0  # by how much the exchange lags, as its own frames said last …
        self._supposed_lag_ms = 0  # … and as those of any connection did
        self._doubts = 0  # reads whose times were not believed
        self._open_s: float | None = None  # since when there may be an outage, or not

    @property
    def connections(self) -> frozenset[int]:
        """The connections that are to carry it."""
        return frozenset(self._wanted)

    def join(self, other: "Bundle") -> None:
        """Take over the streams of another that has the same connections by now."""
        self.symbols += other.symbols
        self.lanes += other.lanes
        self.was_redundant = self.was_redundant or other.was_redundant

    def split(self, symbols: Collection[str]) -> "Bundle":
        """Give up the streams of these symbols to a bundle of their own, which was carried just so until now."""
        lanes, self.lanes = self.lanes, []
        other = deepcopy(self)
        other.symbols = tuple(symbol for symbol in self.symbols if symbol in symbols)
        other.lanes = [lane for lane in lanes if lane.symbol in symbols]
        self.symbols = tuple(symbol for symbol in self.symbols if symbol not in symbols)
        self.lanes = [lane for lane in lanes if lane.symbol not in symbols]
        return other

    @property
    def redundant(self) -> bool:
        """Whether more than one connection carries it, by choice or during a hand-over."""
        return len(self._wanted) > 1

    def wanted(self, connection: int) -> None:
        """Note that a connection is to carry it."""
        self._wanted.add(connection)

    def opened(self, connection: int, now_s: float) -> None:
        """Note that a connection is open, by our monotonic clock."""
        self._clock.opened(connection, _ms(now_s))

    def is_new(self, connection: int) -> bool:
        """Return whether a connection has delivered nothing since it was opened whose time was believed."""
        return not self._clock.knows(connection)

    def waits(self, now_s: float) -> bool:
        """Return whether something may be missing before what came last, and nobody knows yet from when to when.

        Nothing that came was believed yet, so that nobody knows how long no collector ran before it; of an exchange
        whose times contradict each other again and again that is never known. Or a connection that is behind may fill
        an outage, or not; where others are lost again and again meanwhile, that is not waited for any longer either.
        """
        if self.begun_ms is None:
            return self._doubts < DOUBTS
        if not self._coverage.open:
            self._open_s = None
            return False
        self._open_s = now_s if self._open_s is None else self._open_s
        return now_s - self._open_s < LONGEST_OPEN_S

    @property
    def down(self) -> bool:
        """Whether none of its connections delivers."""
        return not self._coverage.alive

    @property
    def steady(self) -> bool:
        """Whether all of its connections deliver, and none of them can fill an outage any more."""
        return self._coverage.settled and self._coverage.connections == self._wanted

    def silent(self, now_s: float) -> bool:
        """Return whether nothing has come for longer than one frame takes."""
        return self.down or self._clock.silent_ms(_ms(now_s)) > SILENT_MS

    def now_ms(self, now_s: float) -> int | None:
        """Return what the exchange's clock says now, None while it has said nothing that was believed."""
        return self._clock.now_ms(_ms(now_s))

    def frames(
        self, connection: int, first_ms: int, newest_ms: int, received_s: float, wall_ms: int, lag_ms: int | None = None
    ) -> Stretch | None:
        """Note what a batch covers: sending times, our monotonic time, our wall clock; return the outage that it ends.

        `first_ms` matters for the first batch of a connection alone. `lag_ms` is by how much a sending time is behind
        the event's, None where nothing in the batch says so.
        """
        lag_ms = None if lag_ms is None else _bounded(lag_ms)
        if not self.is_new(connection):
            begun, newest = None, self._clock.next(connection, _ms(received_s), newest_ms)
        else:
            both = self._clock.first(connection, _ms(received_s), first_ms, newest_ms, wall_ms)
            if both is None:
                self._doubts += 1
                return None
            begun, newest = both
            self.begun_ms = begun.sent_ms if self.begun_ms is None else self.begun_ms
        self._lag_ms = self._lag_ms if lag_ms is None else lag_ms
        moments = [newest._replace(lag_ms=max(self._lag_ms, self._supposed_lag_ms))]
        if begun is not None:
            moments.insert(0, begun._replace(lag_ms=lag_ms))
        outages = [self._coverage.frame(connection, moment) for moment in moments]
        return self._told(next(filter(None, outages), None))

    def suppose(self, lag_ms: int) -> None:
        """Take what any connection says of how much the exchange lags: its own may say nothing for long."""
        self._supposed_lag_ms = _bounded(lag_ms)

    def lost(self, connection: int, over: bool) -> Stretch | None:
        """Note that a connection ended, for good or not; return the outage that is certain now, if there is one."""
        self._clock.ended(connection)
        if over:
            self._wanted.discard(connection)
        return self._told(self._coverage.lost(connection))

    def close(self) -> list[Stretch]:
        """End it; return the outages that a connection which is behind could have filled yet."""
        return [told for outage in self._coverage.close() if (told := self._told(outage)) is not None]

    def _told(self, outage: Outage | None) -> Stretch | None:
        """Return what an outage is, given by how much the exchange lagged before and behind it.

        Where nothing says that of behind it, it may lag still or not, and where it lags by more than before, that may
        have begun before it, with nothing sent yet to show it: both are told as a clock that is unsure. Where clocks
        contradict each other, one may have been set, and the server of before or behind be late besides.
        """
        if outage is None:
            return None
        last_ms, first_ms = outage.last.sent_ms, outage.first.sent_ms
        elapsed_ms = outage.first.at_ms - outage.last.at_ms
        behind_ms, supposed_ms = outage.first.lag_ms, self._supposed_lag_ms
        before_ms, to_lag_ms = _lag(outage.last.lag_ms or 0), _lag(behind_ms or 0)
        from_lag_ms = max(before_ms, _lag(supposed_ms if behind_ms is None else behind_ms))
        unsure = from_lag_ms > (before_ms if behind_ms is not None else 0)
        if abs(first_ms - last_ms - elapsed_ms) <= AGREE_MS:
            to_ms = max(first_ms + MARGIN_MS, last_ms + elapsed_ms)
            stretch = Stretch(last_ms, to_ms, "clock" if unsure else "reconnect")
        else:
            placed = both_placings(last_ms, first_ms, elapsed_ms, "clock")
            stretch = placed._replace(from_ms=placed.from_ms - BEHIND_MS, to_ms=placed.to_ms + BEHIND_MS)
        return Stretch(stretch.from_ms - MARGIN_MS, stretch.to_ms, stretch.cause, from_lag_ms, to_lag_ms)


def _bounded(lag_ms: int) -> int:
    return max(0, min(lag_ms, LAG_LIMIT_MS))


def _lag(lag_ms: int) -> int:
    """Return a lag, none where it is no more than usual."""
    return lag_ms if lag_ms >= MARGIN_MS else 0


def both_placings(last_ms: int, first_ms: int, elapsed_ms: int, cause: str) -> Stretch:
    """Return a stretch that is right whichever the clock was that went on evenly: that before it, or that after."""
    to_ms = max(first_ms + MARGIN_MS, last_ms + elapsed_ms)
    return Stretch(min(last_ms, first_ms - elapsed_ms), to_ms, cause)


def pause(last_ms: int, first_ms: int, paused_ms: int) -> Stretch:
    """Return the stretch from the last row of a file to the first frame of a run; `paused_ms` is by our wall clock.

    That counts where the exchange's clock says less, unless it says less by so much that it is our clock, or the
    file's time, that can't be right. A last row of far ahead says nothing; then our clock alone does.
    """
    paused_ms = max(0, paused_ms)
    if last_ms > first_ms + PAUSE_LIMIT_MS:
        last_ms = first_ms - paused_ms
    elif paused_ms > first_ms - last_ms + PAUSE_LIMIT_MS:
        paused_ms = 0
    return both_placings(last_ms, first_ms, paused_ms, "restart")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
