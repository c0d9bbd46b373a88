"""The engine with its hands and its folder: messages and the time in, files out."""

import logging
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from .. import __version__
from ..errors import ConfigError, StoreError
from ..exchange.events import Ask, Delisted, Listed, Message, Reopen
from ..files.store import Store
from ..order.engine import Engine, Pace
from ..order.lane import Left
from ..order.standing import StreamState
from ..order.tape import Bounds
from ..settings import Settings
from ..watch.snapshot import Snapshot
from .hands import Hands

log = logging.getLogger(__name__)

LOOK_S = 60.0  # between two looks at the disk
SHOWN_SYMBOLS = 4


class Collector:
    """The engine with its hands: takes messages and the time, and opens the files of new symbols for it."""

    def __init__(
        self,
        settings: Settings,
        symbols: Iterable[str],
        store: Store,
        ask: Callable[[Ask], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Collect these symbols, whose files are open, as those of the whole folder are."""
        self._settings, self._store = settings, store
        self._clock, self._wall_ns = clock, wall_ns
        self._scope = settings.scope()
        bounds = Bounds(settings.history, settings.backfill_limit, settings.hold_trades, settings.hold_s)
        pace = Pace(settings.flush_interval_s / 2, settings.poll_interval_s, settings.max_clock_offset_s)
        self.engine = Engine(self._scope, bounds, pace, clock=clock, wall_ns=wall_ns)
        self.hands = Hands(self.engine, store, ask, clock=clock, wall_ns=wall_ns)
        self._unopened: dict[str, None] = {}  # new symbols whose files could not be opened
        self._settling = False
        self._gone: frozenset[str] = frozenset()
        self._look_s = clock()
        self._started_ns = wall_ns()
        for symbol in ("", *symbols):
            self._begin(symbol)

    def _begin(self, symbol: str) -> None:
        left = {
            kind.name: Left(
                self._store.left(kind, symbol),
                self._store.touched_ms(kind, symbol),
                [] if kind.whole_folder else self._store.ledger_end(kind.name, symbol),
            )
            for kind in self._scope.kinds
            if kind.whole_folder == (not symbol)
        }
        self.hands.carry(self.engine.begin(symbol, left))

    def take(self, message: Message) -> None:
        """Take one message of the inbox."""
        if isinstance(message, Listed):
            self._unopened |= dict.fromkeys(message.symbols)
            self._open_listed()
        elif isinstance(message, Delisted):
            self._gone = frozenset(message.symbols)
        elif isinstance(message, Reopen):
            self.hands.reopen()
        else:
            self.hands.carry(self.engine.take(message))

    def _open_listed(self) -> None:
        """Open the files of new symbols; where one's can't be opened the others go on, and it is tried again."""
        for symbol in list(self._unopened):
            try:
                self._store.open(symbol)
            except (ConfigError, StoreError) as error:
                log.error("symbol not collected symbol=%s why=%s next=retry", symbol, error)
                continue
            del self._unopened[symbol]
            self._begin(symbol)

    def step(self) -> None:
        """Do what time asks for: holes, polls, turns, a look at the disk."""
        self.hands.carry(self.engine.step())
        self.hands.retry()
        now_s = self._clock()
        if now_s >= self._look_s:
            self._look_s = now_s + LOOK_S
            self._open_listed()
            free_mb = self._store.free_bytes() >> 20
            if free_mb < self._settings.min_free_mb:
                log.warning("disk low free_mb=%d min_free_mb=%d", free_mb, self._settings.min_free_mb)

    def is_settled(self, stopped_s: float) -> bool:
        """Return whether nothing is open that REST could answer, or time is up; asks at first what may be missing.

        To be called until it returns True, once nothing comes any more but answers; `stopped_s` is until when
        connections were to deliver.
        """
        if not self._settling:
            self._settling = True
            self.hands.carry(self.engine.settle(stopped_s))
        return self.engine.settled

    def close(self) -> bool:
        """Write everything, for the end; return whether all of it is on disk."""
        self.hands.rewound = False
        self.hands.carry(self.engine.close())
        if self.hands.rewound:
            self.hands.carry(self.engine.close())
        return not self.hands.failing_since_ns

    def say_unwritten(self) -> None:
        """Say what is not on disk, when nothing is tried any more."""
        files, count, trades, size = self._store.unwritten()
        log.error(
            "rows not written files=%d rows=%d trades=%d bytes=%d next=the_next_start_fetches_the_trades why=%s",
            files, count, trades, size, self._store.last_error,
        )  # fmt: skip

    def take_closed(self) -> list[Path]:
        """Return the files that were closed since the last call because their hour or day was over."""
        return self._store.take_closed()

    def snapshot(self, queue_batches: int, queue_bytes: int) -> Snapshot:
        """Return how the run stands; the inbox is told, since it is not the collector's."""
        settings, store, engine, tally = self._settings, self._store, self.engine, self.engine.tally
        return Snapshot(
            version=__version__,
            pid=os.getpid(),
            started_ns=self._started_ns,
            now_ns=self._wall_ns(),
            settings=settings.told(),
            connections=tally.links.states(),
            streams=self._streams(),
            reconnects=dict(tally.lost_reasons),
            newest_frame_ns=tally.newest_frame_ns,
            duplicates=sum(lane.duplicates for lane in engine.lanes.all.values()),
            skipped=sum(lane.skipped for lane in engine.lanes.all.values()),
            rejects=store.rejects,
            queue_batches=queue_batches,
            queue_bytes=queue_bytes,
            pending_bytes=store.pending_bytes,
            written_bytes=store.written_bytes,
            free_bytes=store.free_bytes(),
            min_free_bytes=settings.min_free_mb << 20,
            failing_since_ns=self.hands.failing_since_ns,
            last_error=store.last_error,
            clock_offset_ms=engine.offset.offset_ms,
            clock_uncertainty_ms=engine.offset.uncertainty_ms,
            clock_off=engine.offset.off,
            delays=tally.delays,
            newest=self._newest(),
        )

    def _streams(self) -> list[StreamState]:
        lanes, gaps = self.engine.lanes, self.hands.gaps
        return [
            StreamState(symbol, kind, lane.frames, lane.rows, lane.last_ms, gaps[symbol, kind], *lanes.waiting(lane))
            for (kind, symbol), lane in lanes.all.items()
        ]

    def _newest(self) -> dict[str, dict[str, str]]:
        """Return what is shown of the first symbols: the newest of each kind that has something to show."""
        shown: dict[str, dict[str, str]] = {}
        for (_, symbol), lane in self.engine.lanes.all.items():
            if not lane.kind.shown or symbol in self._gone:
                continue
            if symbol in shown or len(shown) < SHOWN_SYMBOLS:
                event = lane.newest()
                shown.setdefault(symbol, {}).update(lane.kind.shown(event) if event else {})
        return shown
