"""The engine: a message in, or a moment of time, and out comes what is to be done. It acts on nothing itself.

Pure: no file, socket, thread or logger, and its clocks are given to it, so that a day of faults runs through it in a
second.

    message ──▶ intake ──▶ lanes ──turn──▶ rows, and what of them is missing
       │          └─ reads ──step──▶ how far a connection covers its streams ──▶ outages, which are missing too
       └─ REST's answers ──▶ the lane that asked
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..exchange.events import Answer, Bad, Batch, Gap, Lost, Message, Opened, Wanted
from ..exchange.streams.kind import Event
from ..exchange.subscribe import Scope
from .answers import Answers
from .connections import Connections
from .covering import Covering
from .effects import Effect, Flush
from .holes import Bounds
from .intake import Intake
from .lane import Left
from .lanes import Lanes
from .silent import Silent
from .tally import Tally

TURN_MESSAGES = 4000  # beyond so many a turn comes early: what is at rest stays within the processor's cache …
TURN_MESSAGES_A_SYMBOL = 200  # … or so many for each symbol, since a turn costs a write for each file
SETTLE_S = 2.0  # how long a stop waits for pages
REDUNDANT_REST_S = 2.0  # longer than a relieved connection is read on: what it brings last still finds its place


class Pace(NamedTuple):
    """How often an engine does things: a turn, a poll, a comparison of each full book with the exchange's, 0 for never;
    and by how much the clocks may differ before it says so."""

    turn_s: float
    poll_s: float
    max_clock_offset_s: float
    check_s: float = 0.0


class Engine:
    """Takes messages and the time, and answers with effects, which are to be carried out in their order.

    `clock` gives a monotonic clock's seconds, `wall_ns` Unix nanoseconds.
    """

    def __init__(
        self, scope: Scope, bounds: Bounds, pace: Pace, *, clock: Callable[[], float], wall_ns: Callable[[], int]
    ) -> None:
        self.lanes = Lanes(scope, bounds, clock, check_s=pace.check_s)
        self.tally = Tally()
        self.answers = Answers(
            scope.venue, self.lanes, poll_s=pace.poll_s, max_offset_s=pace.max_clock_offset_s, clock=clock
        )
        self._turn_every_s = pace.turn_s
        self._clock, self._wall_ns = clock, wall_ns
        self._covering = Covering(scope, self.lanes.askers)
        self._connections = Connections(
            Intake(scope), self._covering, self.tally, self.answers.offset, clock=clock, wall_ms=self._wall_ms
        )
        self._silent = Silent()
        self._turn_s = clock() + pace.turn_s
        self._fresh = 0  # messages since the last turn
        self._settled_s: float | None = None  # from when on the end waits for no answer
        self._takes: dict[type, Callable[..., list[Effect]]] = {
            Batch: self._batch, Bad: self._connections.bad, Answer: self.answers.take,
            Wanted: self._connections.wanted, Opened: self._connections.opened, Lost: self._connections.lost,
        }  # fmt: skip

    def begin(self, symbol: str, left: Mapping[str, Left]) -> list[Effect]:
        """Collect a symbol, or with "" what is of the whole folder, behind what a run before has left, by kind."""
        lanes = self.lanes.begin(symbol, left)
        self.answers.begin(self._wall_ms())
        return self._connections.begin(symbol, lanes, left)

    def _wall_ms(self) -> int:
        return self._wall_ns() // 1_000_000

    def take(self, message: Message) -> list[Effect]:
        """Take a message."""
        return self._takes[type(message)](message)

    def step(self) -> list[Effect]:
        """Return what time asks for: pages, polls, a turn, a look at the exchange's clock."""
        now_s = self._clock()
        effects = self._connections.look_back()
        for lane in self.lanes.askers.values():
            if lane.stirred:
                effects += lane.step(settling=self._settled_s is not None)
        effects += [*self.answers.step(), *self._silent.step(self.lanes.all.values(), now_s)]
        if now_s >= self._turn_s:
            effects += self.turn()
        return effects

    def turn(self) -> list[Effect]:
        """Return what has rested for a turn, to be written and synced; what came since begins its rest."""
        self._turn_s = self._clock() + self._turn_every_s
        return [*self.move(), Flush(True)]

    def move(self, *, everything: bool = False) -> list[Effect]:
        """Return what has rested; where several connections bring the same, it rests a while at least."""
        self._fresh = 0
        self.lanes.bound()
        now_s, wall_ms = self._clock(), self._wall_ms()
        effects = self._connections.look_back()
        for bundle in self._covering.carriers.bundles:
            if bundle.redundant and not everything and now_s - bundle.moved_s < REDUNDANT_REST_S:
                continue
            remember_s = now_s if bundle.redundant or bundle.was_redundant else None
            now_ms = bundle.now_ms(now_s) or wall_ms
            waits = bundle.waits(now_s) and not everything  # the row of what is missing before is to be there first
            for lane in bundle.lanes:
                if not (waits and lane.kind.uncovered):
                    effects += lane.turn(remember_s, now_ms)
            bundle.moved_s, bundle.was_redundant = now_s, bundle.redundant
        for lane in self.lanes.polled:
            effects += lane.turn(None, wall_ms)
        return effects

    def settle(self, stopped_s: float) -> list[Effect]:
        """Have REST asked before the end where trades may be missing; `stopped_s` is until when connections delivered.

        To be called once, when nothing comes any more but answers.
        """
        self._settled_s = self._clock() + SETTLE_S
        effects = self._connections.look_back()
        for bundle in self._covering.carriers.bundles:
            if bundle.silent(stopped_s):
                self._covering.begin_outage(bundle.lanes)
        for lane in self.lanes.sequences.values():
            lane.tape.holes.hurry()
        return effects + self.step()

    @property
    def settled(self) -> bool:
        """Whether nothing is open that REST could answer, or time is up."""
        is_over = self._settled_s is not None and self._clock() >= self._settled_s
        return is_over or not any(lane.tape.unanswered for lane in self.lanes.sequences.values())

    def close(self) -> list[Effect]:
        """Return everything, for the end; can be called again when what was written has changed something."""
        now_s, wall_ms = self._clock(), self._wall_ms()
        effects = self._connections.look_back()
        for lane in self.lanes.sequences.values():
            bundle = self._covering.carriers.of_symbol(lane.symbol)
            lane.end((bundle and bundle.now_ms(now_s)) or wall_ms)
        self.answers.end(wall_ms)
        moved = [*self.move(everything=True), *self.move(everything=True)]
        moved += [effect for lane in self.lanes.chains for effect in lane.end(wall_ms)]
        return [*effects, *moved, *self._covering.close(wall_ms), Flush(True)]

    def destroyed(
        self, symbol: str, gap: Gap, waiting: Sequence[Event], missing: Sequence[tuple[int, int]], *, begins: bool
    ) -> list[Effect]:
        """Let trades that another program took out of their file be fetched again, as `Tape.rewind` says."""
        lane = self.lanes.sequences[gap.stream, symbol]
        lane.rewind(gap, waiting, missing, begins=begins)
        return lane.step()

    def _batch(self, batch: Batch) -> list[Effect]:
        effects = self._connections.batch(batch)
        self._fresh += len(batch.bounds) // 2
        if self._fresh >= max(TURN_MESSAGES, TURN_MESSAGES_A_SYMBOL * len(self.lanes.symbols)):
            effects += [*self.move(), Flush(False)]
        return effects
