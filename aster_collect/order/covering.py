"""What no connection covered becomes rows of the ledger: outages, and the time in which nobody collected.

Pure. Times: `now_s` is a monotonic clock's seconds, `now_ms` our wall clock's Unix milliseconds.
"""

from collections.abc import Iterable, Mapping

from ..exchange.events import Gap, Lost, Wanted
from ..exchange.subscribe import Scope, everyones
from .bundle import LAG_LIMIT_MS, PAUSE_LIMIT_MS, Bundle, Stretch, pause
from .carriers import Carriers
from .effects import Effect, Uncovered
from .lane import Asker, Lane
from .seen import Seen


class Covering:
    """What each connection's frames say of the time that it covers."""

    def __init__(self, scope: Scope, askers: Mapping[tuple[str, str], Asker]) -> None:
        self.carriers = Carriers()
        self._shared = everyones(scope)
        self._askers = askers
        self._lag_ms = 0  # by how much the exchange lags, as any connection said last
        self._waiting: list[tuple[Lane, int]] = []  # what no connection carries yet, and when its file was changed
        self._doubted: dict[int, Seen] = {}  # of each connection that has brought no time that was believed, the last
        self._left: dict[Lane, tuple[int, int]] = {}  # of a run before: its last row's time, and that by our clock

    def begin(self, waiting: Iterable[tuple[Lane, int]], now_s: float, now_ms: int) -> list[Effect]:
        """Have these new lanes carried, each with the time at which its file was last changed."""
        self._waiting += waiting
        return self._carry(now_s, now_ms)

    def wanted(self, wanted: Wanted, now_s: float, now_ms: int) -> list[Effect]:
        """Note that a connection is to be made: it may carry what waits for one."""
        self.carriers.wanted(wanted)
        return self._carry(now_s, now_ms)

    def _carry(self, now_s: float, now_ms: int) -> list[Effect]:
        """Give the lanes that wait their bundles, as far as connections have been wanted for them."""
        effects: list[Effect] = []
        waiting, self._waiting = self._waiting, []
        for lane, touched_ms in waiting:
            bundle = self.carriers.of_symbol("" if lane.kind in self._shared else lane.symbol)
            if bundle is None:
                self._waiting.append((lane, touched_ms))
            else:
                effects += self._join(bundle, lane, touched_ms, now_s, now_ms)
        return effects

    def _join(self, bundle: Bundle, lane: Lane, touched_ms: int, now_s: float, now_ms: int) -> list[Effect]:
        """Let a bundle carry a new lane; it may deliver already."""
        bundle.lanes.append(lane)
        self._left[lane] = lane.last_ms, touched_ms
        sent_ms = None if bundle.begun_ms is None else bundle.now_ms(now_s)
        if sent_ms is None:
            return []
        self._end_outage([lane], now_s)
        return self._resumed([lane], sent_ms, now_ms)

    def begins(self, connection: int) -> bool:
        """Return whether a connection has delivered nothing since it was opened whose time was believed."""
        return any(bundle.is_new(connection) for bundle in self.carriers.of(connection))

    def before(self, connection: int, now_s: float) -> None:
        """Note that a batch came, before its trades are taken, which may answer already whether some were missed."""
        for bundle in self.carriers.of(connection):
            if bundle.down:
                self._end_outage(bundle.lanes, now_s)

    def _end_outage(self, lanes: Iterable[Lane], now_s: float) -> None:
        for lane in self._asking(lanes):
            lane.end_outage(now_s)

    def begin_outage(self, lanes: Iterable[Lane]) -> None:
        """Note that nobody brings these: a quiet symbol may have had trades that no live one shows."""
        for lane in self._asking(lanes):
            lane.begin_outage()

    def _asking(self, lanes: Iterable[Lane]) -> list[Asker]:
        found = (self._askers.get((lane.kind.name, lane.symbol)) for lane in lanes)
        return [lane for lane in found if lane is not None]

    def delivered(self, reads: Iterable[Seen]) -> list[Effect]:
        """Note how far connections cover their streams, by the last that was read of each.

        The first frame of all ends the time without a collector.
        """
        effects: list[Effect] = []
        last: dict[int, Seen] = {}
        for seen in reads:
            before = last.get(seen.connection)
            last[seen.connection] = (
                seen if before is None or seen.lag_ms is not None else seen._replace(lag_ms=before.lag_ms)
            )
        for seen in sorted(last.values(), key=lambda seen: seen.received_s):
            for bundle in self.carriers.of(seen.connection):
                effects += self._covered(bundle, seen)
        return effects

    def _covered(self, bundle: Bundle, seen: Seen) -> list[Effect]:
        effects: list[Effect] = []
        self._lag_ms = self._lag_ms if seen.lag_ms is None else seen.lag_ms
        bundle.suppose(self._lag_ms)
        wall_ms = seen.received_ns // 1_000_000
        begun_ms = bundle.begun_ms
        outage = bundle.frames(seen.connection, seen.first_ms, seen.newest_ms, seen.received_s, wall_ms, seen.lag_ms)
        if begun_ms is None and bundle.begun_ms is not None:
            effects += self._resumed(bundle.lanes, bundle.begun_ms, wall_ms)
        if outage is not None:
            effects += _uncovered(bundle.lanes, outage)
        self._doubted.pop(seen.connection, None)
        if bundle.is_new(seen.connection):
            self._doubted[seen.connection] = seen
        return effects

    def _believe(self, connection: int) -> list[Effect]:
        """Believe at a connection's end what was doubted of it, since nothing came that said otherwise.

        What it brought is written, and what nobody brought around it is missing. A time that can't be stays no time.
        """
        effects: list[Effect] = []
        seen = self._doubted.pop(connection, None)
        if seen is None:
            return effects
        for bundle in self.carriers.of(connection):
            now_ms = bundle.now_ms(seen.received_s) or seen.received_ns // 1_000_000
            if bundle.is_new(connection) and abs(seen.newest_ms - now_ms) <= PAUSE_LIMIT_MS:
                effects += self._covered(bundle, seen)
        self._doubted.pop(connection, None)
        return effects

    def lost(self, lost: Lost) -> list[Effect]:
        """Note that a connection ended."""
        effects = self._believe(lost.connection)
        bundles = list(self.carriers.of(lost.connection))
        outages = list(self.carriers.lost(lost.connection, lost.over))
        for bundle in bundles:
            if bundle.down:
                self.begin_outage(bundle.lanes)
        return effects + [effect for bundle, outage in outages for effect in _uncovered(bundle.lanes, outage)]

    def close(self, now_ms: int) -> list[Effect]:
        """Return the outages that a connection which is behind could have filled yet, and pauses that nothing ended."""
        believed = [effect for connection in list(self._doubted) for effect in self._believe(connection)]
        outages = [effect for bundle, outage in self.carriers.close() for effect in _uncovered(bundle.lanes, outage)]
        came = [
            lane for bundle in self.carriers.bundles if bundle.begun_ms is None for lane in bundle.lanes if lane.rows
        ]
        return [*believed, *outages, *self._resumed(came, now_ms, now_ms)]

    def _resumed(self, lanes: Iterable[Lane], first_ms: int, now_ms: int) -> list[Effect]:
        """Record the time since the last rows of the files, in which nobody collected."""
        gaps = {}
        for lane in lanes:
            last_ms, touched_ms = self._left.pop(lane, (0, 0))
            if not (last_ms or touched_ms):
                continue
            # Where it has no row yet, nobody collected since the file was made, else since its last row was.
            rested_ms = max(0, min(touched_ms - last_ms, LAG_LIMIT_MS)) if last_ms else 0
            paused_ms = now_ms - touched_ms + rested_ms
            stretch = pause(last_ms or first_ms - max(0, paused_ms), first_ms, paused_ms)
            gap = _gap(lane, stretch)
            lane.paused(gap.from_ms, gap.to_ms)
            if lane.kind.uncovered:
                gaps[lane.symbol, lane.kind.name] = gap
        return [Uncovered(gaps)] if gaps else []


def _uncovered(lanes: Iterable[Lane], stretch: Stretch) -> list[Effect]:
    gaps = {(lane.symbol, lane.kind.name): _gap(lane, stretch) for lane in lanes if lane.kind.uncovered}
    return [Uncovered(gaps)] if gaps else []


def _gap(lane: Lane, stretch: Stretch) -> Gap:
    """Return a stretch in the time of a lane's rows: they have that of the event, or that at which it was sent."""
    by_sending = lane.kind.wire is not None and lane.kind.wire.by_sending
    from_lag_ms, to_lag_ms = (0, 0) if by_sending else (stretch.from_lag_ms, stretch.to_lag_ms)
    from_ms, to_ms = stretch.from_ms - from_lag_ms, stretch.to_ms - to_lag_ms
    return Gap.of_time(lane.kind.name, from_ms, max(from_ms, to_ms), stretch.cause)
