"""The collecting thread: feeds the engine what comes and the time, and carries out what it wants done."""

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..exchange.cells import seconds
from ..exchange.events import Ask, Delisted, Gap, Listed, Message, Reopen
from ..files.store import Store
from ..net.inbox import Inbox
from ..order.effects import Aside, Effect, Flush, Missing, Reject, Request, Rows, Say, Uncovered
from ..order.engine import Engine
from ..watch.report import Due
from ..watch.snapshot import Snapshot
from ..watch.status import proof_command, stop_line
from .desk import Desk, Done

log = logging.getLogger(__name__)

GATHER_S = 0.025  # what has gathered for so long is taken, and we are not woken for each batch
BUSY_BYTES = 1 << 20  # more than this waiting: no rest
IDLE_S = 0.25
FULL_DISK_S = 2.0  # how long an end waits for room
RETRY_S = 5.0
LOG_REPEAT_S = 60.0
NAMES = 5  # in one log line
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING}


class Hands:
    """The one that acts; what a flush finds out goes back to the engine."""

    def __init__(
        self, engine: Engine, store: Store, ask: Callable[[Ask], None],
        *, clock: Callable[[], float] = time.monotonic, wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        self.flushes = 0
        self.failing_since_ns = 0
        self.rewound = False  # whether trades are to be fetched again that were written
        self.gaps: Counter[tuple[str, str]] = Counter()  # rows of the ledger, by symbol and kind
        self._engine, self._store, self._ask = engine, store, ask
        self._clock, self._wall_ns = clock, wall_ns
        self._retry_s = 0.0
        self._said_s: dict[str, float] = {}
        self._held_back: Counter[str] = Counter()
        self._carriers: dict[type, Callable[[Any], None]] = {
            Rows: self._rows, Missing: self._missing, Uncovered: self._uncovered, Aside: self._aside,
            Request: self._request, Reject: self._reject, Flush: self._flush, Say: self._say,
        }  # fmt: skip

    def carry(self, effects: Iterable[Effect]) -> None:
        """Carry out effects, in their order; never fails, and blocks as long as the disk does."""
        for effect in effects:
            self._carriers[type(effect)](effect)

    def retry(self) -> None:
        """Try again to write what could not be written, if it is time."""
        if self.failing_since_ns and self._clock() >= self._retry_s:
            self._flush(Flush(True))

    def reopen(self) -> None:
        """Write all that there is, and go on in the files that have the names by then."""
        *rows, flush = self._engine.turn()
        self.carry(rows)
        self._store.reopen()
        self.carry([flush])

    def take_closed(self) -> list[Path]:
        """Return the files that were closed since the last call because their hour or day was over."""
        return self._store.folder.take_closed()

    def _rows(self, rows: Rows) -> None:
        self._store.backlog.append(rows.kind, rows.symbol, rows.events, rows.now_ms)

    def _missing(self, missing: Missing) -> None:
        self._store.backlog.gap(missing.symbol, missing.gap)
        self._count_and_say(missing.symbol, missing.gap)

    def _count_and_say(self, symbol: str, gap: Gap) -> None:
        self.gaps[symbol, gap.stream] += 1
        log.warning(
            "gap streams=%s symbols=%s from=%s to=%s first_missing=%s last_missing=%s cause=%s",
            gap.stream, symbol, seconds(gap.from_ms), seconds(gap.to_ms),
            *("" if one is None else one for one in (gap.first_missing_id, gap.last_missing_id)), gap.cause,
        )  # fmt: skip

    def _uncovered(self, uncovered: Uncovered) -> None:
        gaps = uncovered.gaps
        for (symbol, _), gap in gaps.items():
            self._store.backlog.gap(symbol, gap)
        self.gaps.update(gaps.keys())
        symbols, streams = sorted({symbol for symbol, _ in gaps}), dict.fromkeys(stream for _, stream in gaps)
        log.warning(
            "gap streams=%s symbols=%s%s from=%s to=%s cause=%s",
            ",".join(streams), ",".join(symbols[:NAMES]),
            f",…+{len(symbols) - NAMES}" if len(symbols) > NAMES else "",
            seconds(min(gap.from_ms for gap in gaps.values())), seconds(max(gap.to_ms for gap in gaps.values())),
            next(iter(gaps.values())).cause,
        )  # fmt: skip

    def _aside(self, aside: Aside) -> None:
        self._store.backlog.set_aside(aside.kind, aside.symbol, aside.why)

    def _request(self, request: Request) -> None:
        self._ask(request.ask)

    def _reject(self, reject: Reject) -> None:
        self._store.rejects.add(reject.source, reject.received_ns, reject.reason, reject.data)
        if self._may_say("reject") is not None:
            log.warning("reject source=%r why=%r rejects=%d", reject.source, reject.reason, self._store.rejects.count)

    def _say(self, say: Say) -> None:
        log.log(_LEVELS[say.level], say.text, *say.values)

    def _flush(self, flush: Flush) -> None:
        """Write what the store has, and let trades be fetched again that another program took out of their files."""
        try:
            written = self._store.flush(sync=flush.sync)
        except StoreError as error:
            if (held_back := self._may_say(f"write failed {error}")) is not None:
                pending = self._store.backlog.pending_bytes
                log.error("write failed why=%s pending_bytes=%d held_back=%d next=retry", error, pending, held_back)
            else:
                log.debug("write failed again pending_bytes=%d", self._store.backlog.pending_bytes)
            self.failing_since_ns = self.failing_since_ns or self._wall_ns()
            self._retry_s = self._clock() + RETRY_S
        else:
            if self.failing_since_ns:
                log.warning("write works again written_bytes=%d", written)
            self.failing_since_ns = 0
            log.debug("flush written_bytes=%d", written)
        self.flushes += flush.sync
        for symbol, (gap, waiting, begins) in self._store.take_destroyed():
            if gap.first_missing_id is None:  # the store has it in the ledger already
                self._count_and_say(symbol, gap)
                continue
            self.rewound = True
            missing = self._store.sheets.ledger_end(gap.stream, symbol)
            self.carry(self._engine.destroyed(symbol, gap, waiting, missing, begins=begins))

    def _may_say(self, event: str) -> int | None:
        """Return None where an event was said within the last minute, else how many were held back since."""
        now_s = self._clock()
        if now_s - self._said_s.get(event, now_s - LOG_REPEAT_S) < LOG_REPEAT_S:
            self._held_back[event] += 1
            return None
        self._said_s[event] = now_s
        return self._held_back.pop(event, 0)


class Loop:
    """Feeds until it is told to drain, and is not done before all is written, or can't be.

    ```
    inbox ──▶ take ──▶ engine ──effects──▶ hands ──▶ store, REST, log
    time  ──▶ step ──▶    ▲                  └─ what a flush finds out ─▶ engine
    ```
    """

    def __init__(
        self, engine: Engine, desk: Desk, hands: Hands, inbox: Inbox, due: Due, closed: Callable[[list[Path]], None]
    ) -> None:
        """`closed` is told which files were closed because their hour or day was over."""
        self.all_written = False
        self.last: Snapshot | None = None  # once it has ended
        self._engine, self._desk, self._hands = engine, desk, hands
        self._inbox, self._due, self._closed = inbox, due, closed
        self._draining = threading.Event()
        self._stopped_s = 0.0  # read once it drains
        self._settling = False

    def take(self, message: Message) -> None:
        """Take one message."""
        if isinstance(message, Reopen):
            self._hands.reopen()
        elif isinstance(message, Listed | Delisted):
            self._hands.carry(self._desk.take(message))
        else:
            self._hands.carry(self._engine.take(message))

    def step(self) -> None:
        """Do what time asks for: holes, polls, turns, a look at the disk."""
        self._hands.carry(self._engine.step())
        self._hands.retry()
        self._hands.carry(self._desk.step())

    def is_settled(self, stopped_s: float) -> bool:
        """Return whether nothing is open that REST could answer, or time is up; asks at first what may be missing.

        To be called until it returns True, once nothing comes any more but answers; `stopped_s` is until when
        connections were to deliver.
        """
        if not self._settling:
            self._settling = True
            self._hands.carry(self._engine.settle(stopped_s))
        return self._engine.settled

    def close(self) -> bool:
        """Write everything, for the end; return whether all of it is on disk."""
        self._hands.rewound = False
        self._hands.carry(self._engine.close())
        if self._hands.rewound:
            self._hands.carry(self._engine.close())
        return not self._hands.failing_since_ns

    def snapshot(self) -> Snapshot:
        """Return how the run stands."""
        done = Done(self._hands.gaps, self._hands.failing_since_ns)
        return self._desk.snapshot(done, self._inbox.batches(), self._inbox.qsize())

    def drain(self, stopped_s: float) -> None:
        """Have it end once all that is queued is taken; connections were told to end at this moment."""
        self._stopped_s = stopped_s
        self._draining.set()

    def run(self) -> None:
        """Collect until drained. Blocks."""
        try:
            while not self._turn():
                if self._inbox.qsize() < BUSY_BYTES and not self._draining.is_set():
                    time.sleep(GATHER_S)
        finally:
            end_s = time.monotonic() + FULL_DISK_S
            while not (written := self.close()) and time.monotonic() < end_s:
                time.sleep(FULL_DISK_S / 4)
            self.all_written = written
            self._say_end()

    def _turn(self) -> bool:
        """Take what is queued, and do what time asks for; return whether all is drained."""
        inbox = self._inbox
        try:
            self.take(inbox.get(timeout=IDLE_S))
        except queue.Empty:
            if self._draining.is_set() and self.is_settled(self._stopped_s):
                return True
        for _ in range(inbox.batches()):
            self.take(inbox.get_nowait())
        self.step()
        self._due.step(time.monotonic(), self._hands.flushes, self.snapshot)
        if closed := self._hands.take_closed():
            self._closed(closed)
        return False

    def _say_end(self) -> None:
        self.last = last = self.snapshot()._replace(stopped_ns=time.time_ns())
        self._due.last(last)
        if self.all_written:
            log.info("stopped %s", stop_line(last))
            log.info("prove command=%s", proof_command(last))
        else:
            self._desk.say_unwritten()
