"""The exchange's clock, as the sending times of its frames tell it, on a scale that no set clock breaks.

Pure. Our monotonic clock says that time passes and how much, the exchange's where that lies. A frame's moment has
both: its place on a scale that goes on evenly when the exchange's clock is set, and the exchange's own time of it.
A sending time that does not fit to the one before, in either direction, is doubted until the next frame of the same
connection agrees with it; meanwhile the time that has passed here stands for it.
"""

from typing import NamedTuple

JUMP_MS = 5000  # a sending time that is ahead by so much more than the time that has passed is doubted …
BACK_MS = 1000  # … and so is one that goes back by so much: TCP brings in order what was sent in order
BEHIND_MS = 10_000  # by so much a front server can be behind another; by more, its clock is another
SPREAD_LIMIT_MS = 60_000  # of what the first read brought at once
DRIFT = 0.001  # how fast the freshest frame so far is forgotten: no two clocks run at the same speed


class Moment(NamedTuple):
    """When a frame was sent: on the even scale, which is what moments are ordered by, and by the exchange's clock.

    `lag_ms` is by how much what was sent then had been made earlier, None where nothing says so.
    """

    at_ms: int
    sent_ms: int
    lag_ms: int | None = None


class _Newest(NamedTuple):
    """A connection's newest moment, when it came by our monotonic clock, and what its clock has over the scale."""

    at_ms: int
    sent_ms: int
    received_ms: int

    @property
    def step_ms(self) -> int:
        return self.sent_ms - self.at_ms


class ExchangeClock:
    """What each connection's frames say of the exchange's clock.

    ```
                 ┌────── fits: the scale goes on by the sending time
    sending time ┤
                 └ does not: doubted, the scale goes on by our clock ── the next agrees: the clock was set
    ```
    """

    def __init__(self) -> None:
        self._newest: dict[int, _Newest] = {}
        self._doubted_ms: dict[int, int] = {}  # each connection's last doubted sending time, less our monotonic time
        self._opened_ms: dict[int, int] = {}
        self._zero_ms: float | None = None  # the scale less our monotonic time, by the freshest frame
        self._step_ms = 0  # the exchange's clock less the scale, by the newest fresh frame
        self._received_ms = 0

    def opened(self, connection: int, now_ms: int) -> None:
        """Note that a connection is open: what it brings was sent after, whatever its times say."""
        self._opened_ms[connection] = now_ms

    def ended(self, connection: int) -> None:
        """Forget a connection."""
        for of_connection in (self._newest, self._doubted_ms, self._opened_ms):
            of_connection.pop(connection, None)

    def knows(self, connection: int) -> bool:
        """Return whether a connection has brought a sending time that was believed."""
        return connection in self._newest

    def scale_ms(self, received_ms: int) -> int:
        """Return the place of a time of our monotonic clock on the scale; only once a frame has been believed."""
        assert self._zero_ms is not None
        return round(self._zero_ms) + received_ms

    def now_ms(self, received_ms: int) -> int | None:
        """Return what the exchange's clock says at a time of our monotonic one, None while nothing is believed."""
        return None if self._zero_ms is None else self.scale_ms(received_ms) + self._step_ms

    def silent_ms(self, received_ms: int) -> int:
        """Return how long ago, by our monotonic clock, the newest frame came."""
        return received_ms - self._received_ms

    def first(
        self, connection: int, received_ms: int, first_ms: int, newest_ms: int, wall_ms: int
    ) -> tuple[Moment, Moment] | None:
        """Take the first read of a connection; return from when on it covers its streams, and its newest moment.

        Returns None for times that are doubted: by what the scale says, or for the first of all by our wall clock. It
        covers from the time on at which its first frame came, not from that at which it says that it was sent: a
        connection that begins with old frames, or whose clock is behind, is not known to lack nothing between.
        """
        expected_ms = self.now_ms(received_ms)
        off_ms = newest_ms - (wall_ms if expected_ms is None else expected_ms)
        if abs(off_ms) > JUMP_MS and not self._agrees(connection, newest_ms - received_ms):
            return None
        at_ms = newest_ms - self._step_ms
        if self._zero_ms is not None:
            now_ms = self.scale_ms(received_ms)
            fresh = [newest for newest in self._newest.values() if newest.at_ms >= now_ms - JUMP_MS]
            if off_ms > BEHIND_MS or (off_ms < -BACK_MS and not fresh):
                at_ms = now_ms  # its clock is another, and no other connection says that it is late
        self._note(connection, _Newest(at_ms, newest_ms, received_ms))
        spread_ms = max(0, min(newest_ms - first_ms, SPREAD_LIMIT_MS))
        begun_ms = max(received_ms - spread_ms, self._opened_ms.get(connection, received_ms - spread_ms))
        begun = Moment(self.scale_ms(begun_ms), newest_ms - (received_ms - begun_ms))
        return begun, Moment(at_ms, newest_ms)

    def next(self, connection: int, received_ms: int, newest_ms: int) -> Moment:
        """Take another read of a connection that is known; return its newest moment."""
        newest = self._newest[connection]
        passed_ms = max(0, received_ms - newest.received_ms)
        late_ms = max(0, self.scale_ms(newest.received_ms) - newest.at_ms)
        if -BACK_MS <= newest_ms - newest.sent_ms <= passed_ms + late_ms + JUMP_MS:
            self._doubted_ms.pop(connection, None)
            sent_ms = max(newest_ms, newest.sent_ms)
            return self._note(connection, _Newest(sent_ms - newest.step_ms, sent_ms, received_ms))
        at_ms = newest.at_ms + passed_ms
        agreed = self._agrees(connection, newest_ms - received_ms)
        return self._note(connection, _Newest(at_ms, newest_ms if agreed else newest.sent_ms + passed_ms, received_ms))

    def _agrees(self, connection: int, offset_ms: int) -> bool:
        before_ms = self._doubted_ms.get(connection)
        self._doubted_ms[connection] = offset_ms
        if before_ms is None or abs(offset_ms - before_ms) > BACK_MS:
            return False
        del self._doubted_ms[connection]
        return True

    def _note(self, connection: int, newest: _Newest) -> Moment:
        self._newest[connection] = newest
        zero_ms: float = newest.at_ms - newest.received_ms
        if self._zero_ms is not None:
            passed_ms = min(max(0, newest.received_ms - self._received_ms), BACK_MS)
            zero_ms = max(self._zero_ms - DRIFT * passed_ms, zero_ms)
        self._zero_ms, self._received_ms = zero_ms, newest.received_ms
        if newest.at_ms >= self.scale_ms(newest.received_ms) - BACK_MS:
            self._step_ms = newest.step_ms
        return Moment(newest.at_ms, newest.sent_ms)
