"""A world in virtual time: the modelled exchange, the program from its inbox to its disk, and what goes wrong.

Nothing here waits, and there is no thread: `net/rest.py` is served by the world itself, whose queue of requests lets
time pass when the program waits for one. So a run of minutes takes as long as its events take to be computed.
"""

import queue
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import NamedTuple

from aster_collect.exchange.events import Answer, Ask, Wanted
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.exchange.subscribe import Scope, everyones, streams_for, streams_of
from aster_collect.exchange.venues import FUTURES
from aster_collect.net.calls import Call, Called
from aster_collect.net.pacing import WeightBudget
from aster_collect.net.rest import Rest, serve
from aster_collect.order.engine import Engine, Pace
from aster_collect.order.entries import Begin
from aster_collect.order.holes import Bounds
from aster_collect.run.course import Course
from aster_collect.run.hands import Hands
from aster_collect.run.moments import Moments

from .desk import Desk
from .disk import Crash, Disk
from .lines import Arrival, Front, Line
from .market import LEVELS, START_MS, Exchange

BOUNDS = Bounds(history=20, backfill_limit=1500, hold_trades=300, hold_s=40.0, page_trades=1000)
PACE = Pace(turn_s=0.5, poll_s=10.0, max_clock_offset_s=2.0)
CALM_S = 25.0  # how long all is well before the end
BUSY = {"BTCUSDT": 1.0, "ETHUSDT": 0.4, "QUIETUSDT": 0.05}

Fault = Callable[["World"], None]


class Setup(NamedTuple):
    """What a world is like."""

    kinds: tuple[str, ...] = ("trades", "prices", "orderbook")
    redundancy: int = 1
    every_symbol: bool = False
    symbols: Mapping[str, float] = BUSY
    bounds: Bounds = BOUNDS


class World:
    """One folder's life: runs of the program one after another, on an exchange that never stops."""

    def __init__(self, chance: Random, setup: Setup) -> None:
        self.chance, self.setup = chance, setup
        self.now_s = 0.0
        self.wall_step_s = 0.0  # by which our own clock was set
        self.wrongs: list[str] = []
        self.delivered: dict[tuple[str, str], float] = {}  # when what the engine got last had been made
        self.came: set[tuple[str, str]] = set()  # what has delivered anything to this run
        self.faults: list[str] = []
        self.front = Front()
        kinds = tuple(KINDS[name] for name in setup.kinds)
        self.scope = Scope(FUTURES, kinds, Options(levels=LEVELS), setup.every_symbol)
        self.exchange = Exchange(chance, dict(setup.symbols), setup.kinds, everyones=setup.every_symbol)
        self.disk = Disk(kinds, self.scope.options, chance, self.wall_ns)
        self.desk = Desk(self.exchange, chance, self.clock)
        self.groups = [list(setup.symbols)]
        self.lines: list[Line] = []
        self.engine: Engine
        self.busy_until_s = 0.0  # until then the program takes nothing
        self._unopened: deque[tuple[float, str]] = deque()
        self._inbox: list[Arrival] = []
        self._told: deque[Ask | Called] = deque()
        self._calls: list[tuple[float, Call, int]] = []  # requests under way
        self._asked: Counter[Ask] = Counter()
        self._script: deque[tuple[float, str, Fault]] = deque()
        self._down_s: float | None = None  # a stop has begun; how long until the next start
        self._over = self._finished = False
        self._stopped_s = 0.0
        self._settling = False
        self._number = self._place = 0
        self._course: Course

    def clock(self) -> float:
        return self.now_s

    def wall_ns(self) -> int:
        return START_MS * 1_000_000 + round((self.now_s + self.wall_step_s) * 1e9)

    def play(self, script: Iterable[tuple[float, str, Fault]]) -> None:
        """Live through faults, each so many seconds after the one before, and through a calm end."""
        at_s = 6.0
        for after_s, name, fault in script:
            at_s += after_s
            self._script.append((at_s, name, fault))
        while not self._finished:
            self._begin()
            try:
                serve(self._rest, self, self._send, self._deliver, wall_ns=self.wall_ns)
            except Crash:
                self.disk.crash(of_the_machine=self.chance.random() < 0.3)
                self._down_s = self._down_s or self.chance.uniform(0.2, 5)
            end_s = self.now_s + (self._down_s or 0)
            while self.now_s < end_s:
                self.now_s = min(end_s, self.now_s + 1)
                self.exchange.until(self.now_s)

    # One run of the program.

    def _begin(self) -> None:
        self._down_s, self._over, self._settling = None, False, False
        self._inbox, self._told, self._calls, self.lines = [], deque(), [], []
        self.came.clear()
        self._unopened.clear()
        self._asked.clear()
        self.busy_until_s = 0.0
        budget = WeightBudget(FUTURES.weight_a_minute)
        self._rest = Rest(budget, self.desk.bans, clock=self.clock, wall=self._wall)
        self._start()
        for symbol in [symbol for group in self.groups for symbol in group] + [""]:
            if symbol and self.chance.random() < 0.1:  # its files can't be opened yet
                self._unopened.append((self.now_s + 3, symbol))
            else:
                self.begin_symbol(symbol)
        for group in self.groups:
            for _ in range(self.setup.redundancy):
                self.want(tuple(group))
        if everyones(self.scope):
            for _ in range(self.setup.redundancy):
                self.want(())
        self._take_all()

    def _wall(self) -> float:
        return self.wall_ns() / 1e9

    def _start(self) -> None:
        """Put the program's parts together."""
        self.engine = Engine(self.scope, self.setup.bounds, PACE, clock=self.clock, wall_ns=self.wall_ns)
        hands = Hands(self.engine, self.disk, self.ask, clock=self.clock, wall_ns=self.wall_ns)
        self._course = Course(self.engine, hands, Moments(self.clock, self.wall_ns))

    def begin_symbol(self, symbol: str) -> None:
        self._course.begin(self._opened(symbol))

    def _opened(self, symbol: str) -> Begin:
        return Begin(symbol, True, self.disk.open(symbol), {})

    def want(self, symbols: tuple[str, ...], relieves: Iterable[Line] = ()) -> Line:
        """Let a connection be made, in the place of those that it relieves, or in a new one."""
        relieved = list(relieves)
        self._number += 1
        if not relieved:
            self._place += 1
        place = relieved[0].place if relieved else self._place
        everyone = [kind.wire.everyone for kind in everyones(self.scope) if kind.wire]
        own = [stream for symbol in symbols for stream in streams_of(self.scope, symbol)] if symbols else everyone
        line = Line(self._number, place, symbols, streams_for(self.scope, symbols), own, relieved)
        self.lines.append(line)
        self._inbox.append(Arrival(self.now_s, Wanted(line.number, line.place, symbols)))
        return line

    def list_symbol(self, symbol: str, busy: float, opened_after_s: float) -> None:
        """Have the exchange list a symbol, which is collected at once, its files opened some time later."""
        self.exchange.begin(symbol, busy, self.now_s)
        self.groups.append([symbol])
        self._unopened.append((self.now_s + opened_after_s, symbol))
        self._open_listed()
        for _ in range(self.setup.redundancy):
            self.want((symbol,))

    def _open_listed(self) -> None:
        while self._unopened and self._unopened[0][0] <= self.now_s:
            self.begin_symbol(self._unopened.popleft()[1])

    def conns(self) -> list[Line]:
        """Return the lines that are open."""
        return [line for line in self.lines if line.conn is not None and not line.over]

    def stop(self, down_s: float) -> None:
        """Have the run end in order, and another begin so much later."""
        self._down_s, self._stopped_s = down_s, self.now_s
        self.lines = []

    def kill(self, down_s: float) -> None:
        self._down_s = down_s
        raise Crash

    # Time, and what it brings.

    def _tick(self, most_s: float) -> None:
        self.now_s += min(most_s, self.chance.uniform(0.02, 0.25))
        frames = self.exchange.until(self.now_s)
        wall_ns = self.wall_ns() - round(self.now_s * 1e9)
        for line in self.lines:
            if line.conn is not None:
                for frame in frames:
                    line.conn.send(frame)
        for line in self.lines:
            self._inbox += line.pump(self.front, self.exchange, self.chance, self.now_s, wall_ns)
        self._reply()
        if self._script and self.now_s >= self._script[0][0] and self._down_s is None:
            _, name, fault = self._script.popleft()
            self.faults.append(f"{self.now_s:.1f} {name}")
            fault(self)
        if self.now_s >= self.busy_until_s:
            self._take_all()
        self.lines = [line for line in self.lines if not line.over]
        if self._down_s is None and not self._script:
            self._end_well()

    def _end_well(self) -> None:
        """Let all be well for a while, and end."""
        self.heal()
        self._script.append((self.now_s + CALM_S, "end", World._finish))

    def _finish(self) -> None:
        self._finished = True
        self.stop(0.0)

    def heal(self) -> None:
        """Let all servers and the disk be well from now on."""
        self.front.behind_s, self.front.refuses_until_s = 0.0, 0.0
        self.desk.until_s, self.desk.late_s, self.disk.is_full = {}, 0.0, False
        self.exchange.set_lag(0.0, self.now_s)

    def _take_all(self) -> None:
        """Do what the program's loop does."""
        inbox, self._inbox = self._inbox, []
        for arrival in sorted(inbox, key=lambda arrival: arrival.at_s):
            self._course.take(arrival.message)
            for frame in arrival.frames:
                for event in frame.events:
                    self.delivered[event.kind, event.symbol] = event.made_s
                    if (event.kind, event.symbol) in self.engine.lanes.all:  # else its file is not open yet
                        self.came.add((event.kind, event.symbol))
        self._open_listed()
        self._course.step()
        if self._down_s is not None:
            self._drain()
        self._look_at_memory()

    def _drain(self) -> None:
        if not self._settling:
            self._settling = True
            self._course.settle(self._stopped_s)
        if self._course.is_settled():
            self._course.close()
            if self.disk.is_full:
                self.disk.is_full = False
                self._course.close()
            self._over = True

    def _look_at_memory(self) -> None:
        for (kind, symbol), lane in self.engine.lanes.sequences.items():
            if lane.tape.held > self.setup.bounds.hold_trades + 200:
                self.wrongs.append(f"{lane.tape.held} {kind} of {symbol} are held at {self.now_s:.1f}")

    # What the program's REST thread is given.

    def ask(self, ask: Ask) -> None:
        if self._asked[ask]:
            self.wrongs.append(f"asked again at {self.now_s:.1f} before it was answered: {ask.query}")
        self._asked[ask] += 1
        self._told.append(ask)

    def get(self, timeout: float | None = None) -> Ask | Called | None:
        """Let time pass until there is something to tell: a request, or what came of one."""
        end_s = float("inf") if timeout is None else self.now_s + timeout
        while not self._told and not self._over and self.now_s < end_s:
            self._tick(end_s - self.now_s)
        return self.get_nowait()

    def get_nowait(self) -> Ask | Called | None:
        if self._over:
            return None
        if not self._told:
            raise queue.Empty
        return self._told.popleft()

    def _send(self, call: Call | None) -> None:
        if call is not None:
            self.desk.note(call.path)
            due_s = self.now_s + self.chance.uniform(0.02, 0.2) + self.desk.late_s
            self._calls.append((due_s, call, self.wall_ns()))

    def _reply(self) -> None:
        """Let the requests be answered whose time has come."""
        for one in [one for one in self._calls if one[0] <= self.now_s]:
            self._calls.remove(one)
            _, call, asked_ns = one
            self._told.append(Called(call, asked_ns, self.wall_ns(), self.desk.reply(call.path)))

    def _deliver(self, answer: Answer) -> None:
        self._asked[answer.ask] -= 1
        if not self._over:
            self._inbox.append(Arrival(self.now_s, answer))
