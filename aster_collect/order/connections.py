"""What connections say: they are wanted, open, lost; what they bring goes to lanes, is counted, and covers time.

Pure, with clocks that it is given: `clock` gives a monotonic clock's seconds, `wall_ms` Unix milliseconds.
"""

from collections.abc import Callable, Mapping, Sequence

from ..exchange.events import Bad, Batch, Lost, Opened, Wanted
from .covering import Covering
from .effects import Effect, Reject
from .intake import Intake
from .lane import Lane, Left
from .offset import ClockOffset
from .seen import Seen
from .tally import Tally


class Connections:
    """Takes the messages of connections, and remembers what was read of them until it is looked back at."""

    def __init__(
        self, intake: Intake, covering: Covering, tally: Tally, offset: ClockOffset,
        *, clock: Callable[[], float], wall_ms: Callable[[], int],
    ) -> None:  # fmt: skip
        self._intake, self._covering, self._tally, self._offset = intake, covering, tally, offset
        self._clock, self._wall_ms = clock, wall_ms
        self._reads: list[Seen] = []  # since the last look back

    def begin(self, symbol: str, lanes: Sequence[Lane], left: Mapping[str, Left]) -> list[Effect]:
        """Have a symbol's new lanes carried, behind what a run before has left, by kind."""
        effects = self.look_back()  # what was read before is in no file of this symbol
        wired = [lane for lane in lanes if lane.kind.wire]
        self._intake.begin(symbol, {lane.kind: lane.add for lane in wired})
        touched_ms = {name: one.touched_ms for name, one in left.items()}
        waiting = [(lane, touched_ms.get(lane.kind.name, 0)) for lane in wired]
        return effects + self._covering.begin(waiting, self._clock(), self._wall_ms())

    def wanted(self, wanted: Wanted) -> list[Effect]:
        """Note that a connection is to be made."""
        self._tally.links.wanted(wanted.connection, wanted.place)
        self._intake.expect(wanted.connection, wanted.symbols)
        return self._covering.wanted(wanted, self._clock(), self._wall_ms())

    def opened(self, opened: Opened) -> list[Effect]:
        """Note that a connection is open."""
        self._tally.links.opened(opened.connection, opened.opened_ns)
        for bundle in self._covering.carriers.of(opened.connection):
            bundle.opened(opened.connection, opened.opened_s)
        self._offset.connected(self._clock())
        return []

    def lost(self, lost: Lost) -> list[Effect]:
        """Note that a connection ended, once what it brought is looked back at."""
        effects = self.look_back()
        self._tally.lost(lost)
        if lost.over:
            self._intake.ended(lost.connection)
        return effects + self._covering.lost(lost)

    def batch(self, batch: Batch) -> list[Effect]:
        """Take what one read brought."""
        begins = self._covering.begins(batch.connection)
        if begins:
            self._covering.before(batch.connection, self._clock())
        seen = self._intake.take(batch, begins=begins)
        effects = [effect for bad in seen.odd for effect in self.bad(bad)]
        if seen.newest_ms:  # what can't be read is no sign of health
            self._reads.append(seen)
        if begins:
            effects += self.look_back()
        return effects

    def bad(self, bad: Bad) -> list[Effect]:
        """Take what can't be read."""
        source = f"connection {self._tally.links.place(bad.connection)}"
        return [Reject(source, bad.received_ns, bad.reason, bad.data)]

    def look_back(self) -> list[Effect]:
        """Count what was read since the last look, and return what is missing by what it says of its connections.

        Once a step, since it costs as much as ten frames do; where a connection begins, at once.
        """
        reads, self._reads = self._reads, []
        self._tally.delivered(reads)
        return self._covering.delivered(reads)
