"""A world of full books in virtual time: servers that cut differently, REST, the engine, and a disk that can end.

Nothing here waits, and there is no thread. The engine is asked as the program's loop asks it.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple

from aster_collect.exchange.events import (
    HAND_OVER,
    Answer,
    Ask,
    Batch,
    Gap,
    Lost,
    Message,
    Opened,
    Wanted,
)  # fmt: skip
from aster_collect.exchange.ledger import LEDGER
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Event as Row
from aster_collect.exchange.streams.kind import Kind, Options
from aster_collect.exchange.subscribe import Scope
from aster_collect.exchange.venues import FUTURES
from aster_collect.order.engine import Engine, Pace
from aster_collect.order.entries import Begin
from aster_collect.order.holes import Bounds
from aster_collect.order.lane import Left
from aster_collect.run.course import Course
from aster_collect.run.hands import Hands
from aster_collect.run.moments import Moments

from .changes import PHASES_S, START_MS, Event, Exchange
from .disk import Backlog, Crash, Disk, Sheet

DEPTH = KINDS["depth"]
BUSY = {"BTCUSDT": (4.0, 25), "ETHUSDT": (1.5, 15), "QUIETUSDT": (0.04, 10)}
CALM_S = 45.0  # how long all is well before the end: longer than any wait between two requests
NETWORK_S = 0.01
OVERLAP_S = 1.5
STALL_TIMEOUT_S = 10.0
JUNK = b"\x81\x7e"  # what lies between messages where they were read

Fault = Callable[["World"], None]
Opening = Callable[[Row], Row | None]


class Setup(NamedTuple):
    """What a world is like; `check_s` is how often books are compared, `period_s` how long a file is, 0 for ever."""

    symbols: dict[str, tuple[float, int]] = BUSY
    redundancy: int = 1
    interval_ms: int = 250
    check_s: float = 6.0
    period_s: float = 17.0


class Parted(Sheet):
    """A file that is closed, and goes on as another, when its period is over."""

    period_ms = 0

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet.form)
        self.parts: list[list[str]] = []
        self.histories: list[list[list[str]]] = []  # set aside, each in parts
        self._period: int | None = None

    def close(self) -> None:
        self.parts.append(self.rows)
        self.rows, self.synced = [], 0

    def set_aside(self) -> None:
        self.close()
        self.histories.append(self.parts)
        self.parts = []

    def take(self, events: Iterable[Row], opening: Opening | None) -> None:
        """Let events wait, a file's end among them where a period ends."""
        for event in events:
            period = event[1] // self.period_ms if self.period_ms else 0
            if self._period is not None and period > self._period:
                self.waiting.append(self.close)
                first = opening(event) if opening else None
                self.waiting += self.form.rows([first]) if first else []
            self._period = max(period, self._period or period)
            self.waiting += self.form.rows([event])

    def go_on(self) -> None:
        """Forget of which period the newest row is."""
        last = self.form.event(self.rows[-1]) if self.rows else None
        self._period = last[1] // self.period_ms if last and self.period_ms else None

    def start_over(self) -> None:
        self.waiting.append(self.set_aside)
        self._period = None


class ChainBacklog(Backlog):
    """Closes files where periods end."""

    def append(self, kind: Kind, symbol: str, events: Iterable[Row], now_ms: int, opening: object = None) -> None:
        sheet = self._sheets[kind.name, symbol]
        assert isinstance(sheet, Parted) and (opening is None or callable(opening))
        sheet.take(events, opening)

    def set_aside(self, kind: Kind, symbol: str, why: str) -> None:
        sheet = self._sheets[kind.name, symbol]
        assert isinstance(sheet, Parted)
        sheet.start_over()


class ChainDisk(Disk):
    """The modelled disk, with files of periods."""

    def __init__(self, chance: Random, wall_ns: Callable[[], int], period_ms: int) -> None:
        super().__init__([DEPTH], Options(), chance, wall_ns)
        self.backlog = ChainBacklog(self.sheets)
        self._period_ms = period_ms

    def open(self, symbol: str) -> dict[str, Left]:
        super().open(symbol)
        sheet = self.sheets[DEPTH.name, symbol]
        if not isinstance(sheet, Parted):
            sheet = self.sheets[DEPTH.name, symbol] = Parted(sheet)
            sheet.period_ms = self._period_ms
        sheet.go_on()
        rows = [row for part in (*sheet.parts, sheet.rows) for row in part]
        last = [sheet.form.event(row) for row in rows[-50:]]
        ledger = [row.split(",") for row in self.sheets[LEDGER.name, symbol].rows]
        anew_ms = max((_ms(row[2]) for row in ledger if row[5] == "new-ids"), default=0)
        return {DEPTH.name: Left([event for event in last if event[1] == last[-1][1]], sheet.touched_ms, (), anew_ms)}

    def histories(self, symbol: str) -> list[list[str]]:
        """Return the rows of each file, in order."""
        sheet = self.sheets[DEPTH.name, symbol]
        assert isinstance(sheet, Parted)
        return [part for parts in (*sheet.histories, [*sheet.parts, sheet.rows]) for part in parts]


class Servers:
    """What all servers do now."""

    def __init__(self) -> None:
        self.behind_s = 0.0  # what is connected from now on gets everything so much later
        self.refuse_until_s = 0.0


class Line:
    """One connection at the program, and what is wrong with it; kept open until it is relieved."""

    def __init__(self, number: int, place: int, symbols: tuple[str, ...], relieves: "Line | None") -> None:
        self.number, self.place, self.symbols = number, place, symbols
        self.is_open = self.is_over = self.is_replaced = False
        self.broken = ""
        self.stalled_until_s = self.slow_until_s = 0.0
        self.skips = self.doubles = self.swaps = 0
        self.skips_of = ""  # a symbol, or any
        self.relieves = relieves
        self._behind_s = self._frame_s = self._retry_s = 0.0
        self._end_s = float("inf")
        self._server = 0
        self._queue: deque[tuple[float, str]] = deque()
        self._kept: str | None = None
        if relieves is not None:
            relieves.is_replaced = True

    def send(self, event: Event) -> None:
        """Let an event set out to the program."""
        if not self.is_open or event.server != self._server or event.symbol not in self.symbols:
            return
        if self.skips and self.skips_of in ("", event.symbol):
            self.skips -= 1
            return
        due_s = event.sent_s + self._behind_s + NETWORK_S
        if event.sent_s < self.slow_until_s:
            due_s += 1.2
        if self._queue:
            due_s = max(due_s, self._queue[-1][0])
        if self.swaps and self._kept is None:
            self.swaps -= 1
            self._kept = event.text
            return
        texts = [event.text] * (2 if self.doubles else 1) + ([self._kept] if self._kept else [])
        self._kept = None
        self.doubles = max(0, self.doubles - 1)
        self._queue += [(due_s, text) for text in texts]

    def pump(self, world: "World") -> list[tuple[float, Message]]:
        """Return what comes of it by now, each with its time."""
        now_s = world.now_s
        if self.is_over:
            return []
        if not self.is_open:
            return self._connect(world)
        arrivals = self._read(world)
        if arrivals and self.relieves is not None:
            self.relieves._end_s = now_s + OVERLAP_S
            self.relieves = None
        if now_s >= self._end_s:
            return [*arrivals, self._end(HAND_OVER, now_s, over=True)]
        why = self.broken or ("stalled" if now_s - self._frame_s > STALL_TIMEOUT_S else "")
        if why:
            self._retry_s = now_s + world.chance.uniform(0.1, 4)
            arrivals.append(self._end(why, now_s, over=self.is_replaced))
        return arrivals

    def _connect(self, world: "World") -> list[tuple[float, Message]]:
        now_s, servers = world.now_s, world.servers
        if self.is_replaced:
            return [self._end(HAND_OVER, now_s, over=True)]
        if now_s < max(self._retry_s, servers.refuse_until_s):
            return []
        self.is_open, self.broken, self._frame_s, self._behind_s = True, "", now_s, servers.behind_s
        self._server = world.chance.randrange(len(PHASES_S))
        for event in world.exchange.recent if self._behind_s else ():
            if event.sent_s + self._behind_s > now_s:
                self.send(event)
        return [(now_s, Opened(self.number, world.wall_ns(), now_s))]

    def _end(self, why: str, now_s: float, *, over: bool) -> tuple[float, Message]:
        self.is_open, self.is_over, self._kept = False, over, None
        self._queue.clear()
        return now_s, Lost(self.number, why, over)

    def _read(self, world: "World") -> list[tuple[float, Message]]:
        reads: list[tuple[float, Message]] = []
        now_s = world.now_s
        if now_s - self._frame_s > 1.0 and now_s >= self.stalled_until_s:
            self._frame_s = now_s  # something always ticks
        while now_s >= self.stalled_until_s and self._queue and self._queue[0][0] <= now_s:
            count = world.chance.choice((1, 2, 20))
            data, bounds, at_s = bytearray(), [], now_s
            while count and self._queue and self._queue[0][0] <= now_s:
                due_s, text = self._queue.popleft()
                at_s, count = max(due_s, self.stalled_until_s), count - 1
                data += JUNK
                bounds.append(len(data))
                data += text.encode()
                bounds.append(len(data))
            received_ns = world.wall_ns() - round((now_s - at_s) * 1e9)
            reads.append((at_s, Batch(self.number, received_ns, at_s, bytes(data), bounds)))
            self._frame_s = at_s
        return reads


class Desk:
    """REST, and its moods."""

    def __init__(self, world: "World") -> None:
        self.until_s: dict[str, float] = {}  # how long each mood lasts
        self.late_s = self.stale_s = 0.0
        self.snapshots = 0
        self._world = world
        self._asked: Counter[Ask] = Counter()
        self._spent: list[tuple[float, int]] = []
        self._waiting: list[tuple[float, float, Ask, int]] = []  # when it is looked at, when answered

    def start(self) -> None:
        """Forget what the program that is gone has asked."""
        self._asked.clear()
        self._waiting.clear()

    def is_in(self, mood: str) -> bool:
        return self._world.now_s < self.until_s.get(mood, 0.0)

    def ask(self, ask: Ask) -> None:
        world = self._world
        if self._asked[ask]:
            world.wrongs.append(f"asked again at {world.now_s:.1f} before it was answered: {ask.query}")
        self._asked[ask] += 1
        self._spent = [one for one in self._spent if one[0] > world.now_s - 60] + [(world.now_s, ask.weight)]
        if sum(weight for _, weight in self._spent) > FUTURES.weight_a_minute:
            world.wrongs.append(f"more weight asked for at {world.now_s:.1f} than a minute has")
        looked_s = world.now_s + world.chance.uniform(0.01, 0.15)
        answered_s = looked_s + world.chance.uniform(0.01, 0.15) + self.late_s
        self._waiting.append((looked_s, answered_s, ask, world.wall_ns()))

    def answers(self) -> list[tuple[float, Message]]:
        """Return what is answered by now; where REST is down, what is asked is tried again until it is not."""
        if self.is_in("down"):
            return []
        world, now_s = self._world, self._world.now_s
        due = [one for one in self._waiting if one[1] <= now_s]
        self._waiting = [one for one in self._waiting if one[1] > now_s]
        return [(now_s, self._answer(looked_s, ask, asked_ns, world)) for looked_s, _, ask, asked_ns in due]

    def _answer(self, looked_s: float, ask: Ask, asked_ns: int, world: "World") -> Answer:
        self._asked[ask] -= 1
        wall_ns, value, refused = world.wall_ns(), None, ""
        if not ask.kind:
            value = {"serverTime": world.exchange.now_ms(world.now_s)}
        elif self.is_in("refusing"):
            refused = "400 model: -1000 no"
        elif self.is_in("odd"):
            value = world.chance.choice(([], {}, None, 7, {"lastUpdateId": 5, "bids": [["x"]], "asks": []}))
        else:
            symbol = dict(ask.query)["symbol"]
            self.snapshots += 1
            stale_s = self.stale_s if self.is_in("stale") else 0.0
            market = world.exchange.markets[symbol]
            value = market.snapshot(looked_s - stale_s, world.exchange.now_ms(looked_s))
        return Answer(ask, asked_ns, wall_ns, value, refused)


class World:
    """One folder's life: runs of the program one after another, on an exchange that never stops."""

    def __init__(self, chance: Random, setup: Setup) -> None:
        self.chance, self.setup = chance, setup
        self.now_s = 0.0
        self.wrongs: list[str] = []
        self.faults: list[str] = []
        self.exchange = Exchange(chance, setup.symbols, setup.interval_ms)
        self.servers = Servers()
        self.disk = ChainDisk(chance, self.wall_ns, round(setup.period_s * 1000))
        self.desk = Desk(self)
        self.lines: list[Line] = []
        self.engine: Engine
        self._course: Course
        self._number = self._place = 0
        self._busy_until_s = 0.0
        self._inbox: list[tuple[float, Message]] = []
        self._script: deque[tuple[float, str, Fault]] = deque()
        self._down_s: float | None = None

    def clock(self) -> float:
        return self.now_s

    def wall_ns(self) -> int:
        return START_MS * 1_000_000 + round(self.now_s * 1e9)

    def play(self, script: Iterable[tuple[float, str, Fault]]) -> None:
        """Live through faults, each so many seconds after the one before, and through a calm end."""
        at_s = 6.0
        for after_s, name, fault in script:
            at_s += after_s
            self._script.append((at_s, name, fault))
        self._script.append((at_s + 2.0, "all is well", World.heal))
        self._script.append((at_s + 2.0 + CALM_S, "end", World.stop))
        while self._script:
            try:
                self._run()
            except Crash:
                self.disk.crash(of_the_machine=self.chance.random() < 0.3)
            end_s = self.now_s + (self._down_s or self.chance.uniform(0.2, 5))
            while self.now_s < end_s:
                self.now_s = min(end_s, self.now_s + 1)
                self.exchange.until(self.now_s)

    def heal(self) -> None:
        """Let all servers and the disk be well from now on."""
        self.servers.behind_s = self.servers.refuse_until_s = 0.0
        self.desk.until_s, self.desk.late_s, self.disk.is_full = {}, 0.0, False

    def stop(self, down_s: float = 1.0) -> None:
        """Have the run end in order, and another begin so much later."""
        self._down_s = down_s

    def kill(self, down_s: float) -> None:
        self._down_s = down_s
        raise Crash

    def be_busy(self, seconds: float) -> None:
        """Have the program take nothing for a while."""
        self._busy_until_s = self.now_s + seconds

    # One run of the program.

    def _run(self) -> None:
        self._down_s, self._busy_until_s = None, 0.0
        self._inbox, self.lines = [], []
        self.desk.start()
        self._start()
        symbols = tuple(self.setup.symbols)
        for symbol in symbols:
            self._course.begin(self._opened(symbol))
        for _ in range(self.setup.redundancy):
            self.want(symbols)
        while self._down_s is None:
            self._tick()
        self._course.settle(self.now_s)
        while not self._course.is_settled():
            self.now_s += 0.1
            self._course.step()
        self._course.close()
        if self.disk.is_full:
            self.disk.is_full = False
            self._course.close()

    def _start(self) -> None:
        """Put the program's parts together."""
        scope = Scope(FUTURES, (DEPTH,), Options(diff_ms=self.setup.interval_ms))
        pace = Pace(0.5, 60.0, 2.0, self.setup.check_s)
        self.engine = Engine(scope, Bounds(0, 0, 300, 40.0, 1000), pace, clock=self.clock, wall_ns=self.wall_ns)
        hands = Hands(self.engine, self.disk, self.desk.ask, clock=self.clock, wall_ns=self.wall_ns)
        self._course = Course(self.engine, hands, Moments(self.clock, self.wall_ns))

    def _opened(self, symbol: str) -> Begin:
        return Begin(symbol, True, self.disk.open(symbol), {})

    def want(self, symbols: tuple[str, ...], relieves: Line | None = None) -> None:
        """Let a connection be made, in the place of one that it relieves, or in a new one."""
        self._number += 1
        self._place += relieves is None
        line = Line(self._number, relieves.place if relieves else self._place, symbols, relieves)
        self.lines.append(line)
        self._inbox.append((self.now_s, Wanted(line.number, line.place, symbols)))

    def open_lines(self) -> list[Line]:
        return [line for line in self.lines if line.is_open]

    def _tick(self) -> None:
        self.now_s += self.chance.uniform(0.02, 0.25)
        for event in self.exchange.until(self.now_s):
            for line in self.lines:
                line.send(event)
        for line in self.lines:
            self._inbox += line.pump(self)
        self._inbox += self.desk.answers()
        self.lines = [line for line in self.lines if not line.is_over]
        if self._script and self.now_s >= self._script[0][0]:
            _, name, fault = self._script.popleft()
            self.faults.append(f"{self.now_s:.1f} {name}")
            fault(self)
        if self.now_s >= self._busy_until_s or self._down_s is not None:
            self._take_all()

    def _take_all(self) -> None:
        """Do what the program's loop does."""
        inbox, self._inbox = self._inbox, []
        for _, message in sorted(inbox, key=lambda one: one[0]):
            self._course.take(message)
        self._course.step()

    # What is in the files.

    def ledger(self, symbol: str) -> list[Gap]:
        """Return the rows of a symbol's ledger that tell of its full book."""
        rows = [row for row in self.disk.ledger(symbol) if row[0] == DEPTH.name]
        return [Gap(row[0], _ms(row[1]), _ms(row[2]), None, None, row[5]) for row in rows]


def _ms(seconds: str) -> int:
    whole, _, part = seconds.partition(".")
    return int(whole) * 1000 + int(part)
