"""The desk beside the engine: opens the files of symbols for it, looks at the disk, and says how the run stands."""

import logging
import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from .. import __version__
from ..errors import ConfigError, StoreError
from ..exchange.events import Delisted, Listed
from ..files.store import Store
from ..order.engine import Engine
from ..order.entries import Begin
from ..order.lane import Left
from ..order.standing import StreamState
from ..settings import Settings
from ..watch.snapshot import NOT_RECORDED, Recorded, Snapshot
from .moments import Moments

log = logging.getLogger(__name__)

LOOK_S = 60.0  # between two looks at the disk
SHOWN_SYMBOLS = 4


class Done(NamedTuple):
    """What was carried out so far: rows of the ledger by symbol and kind, and since when writing fails, 0 if not."""

    gaps: Mapping[tuple[str, str], int]
    failing_since_ns: int


class Desk:
    """What the engine needs of the folder, and what others want to know of both."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        store: Store,
        moments: Moments,
        recorded: Callable[[], Recorded] = lambda: NOT_RECORDED,
    ) -> None:
        self._settings, self._engine, self._store, self._moments = settings, engine, store, moments
        self._recorded = recorded
        self._kinds = settings.scope().kinds
        self._unopened: dict[str, None] = {}  # new symbols whose files could not be opened
        self._gone: frozenset[str] = frozenset()
        self._look_s = moments.clock()
        self._started_ns = moments.wall_ns()

    def begin(self, symbol: str) -> Begin:
        """Return what there is of a symbol whose files are open, or with "" of the whole folder, to begin with it."""
        sheets = self._store.sheets.of(symbol)
        found = {sheet.kind.name: sheet.resumed.found for sheet in sheets if sheet.resumed.found is not None}
        return Begin(symbol, all(sheet.made for sheet in sheets), self._left(symbol), found)

    def _left(self, symbol: str) -> dict[str, Left]:
        """Return what a run before has left, by kind."""
        store = self._store
        return {
            kind.name: Left(
                store.sheets.left(kind, symbol),
                store.sheets.touched_ms(kind, symbol),
                [] if kind.whole_folder else store.sheets.ledger_end(kind.name, symbol),
                0 if kind.whole_folder else store.sheets.anew_ms(kind.name, symbol),
            )
            for kind in self._kinds
            if kind.whole_folder == (not symbol)
        }

    def take(self, message: Listed | Delisted) -> list[Begin]:
        """Take what the exchange lists anew, or no more; return what is to be begun with."""
        if isinstance(message, Delisted):
            self._gone = frozenset(message.symbols)
            return []
        self._unopened |= dict.fromkeys(message.symbols)
        return self._open_listed()

    def _open_listed(self) -> list[Begin]:
        """Open the files of new symbols; where one's can't be opened the others go on, and it is tried again."""
        opened = []
        self._moments.look()
        for symbol in list(self._unopened):
            try:
                self._store.open(symbol)
            except (ConfigError, StoreError) as error:
                log.error("symbol not collected symbol=%s why=%s next=retry", symbol, error)
                continue
            del self._unopened[symbol]
            opened.append(self.begin(symbol))
        return opened

    def step(self) -> list[Begin]:
        """Look at the disk now and then, and try again what could not be opened; return what is to be begun with."""
        now_s = self._moments.clock()
        if now_s < self._look_s:
            return []
        self._look_s = now_s + LOOK_S
        free_mb = self._store.folder.free_bytes() >> 20
        if free_mb < self._settings.min_free_mb:
            log.warning("disk low free_mb=%d min_free_mb=%d", free_mb, self._settings.min_free_mb)
        return self._open_listed()

    def say_unwritten(self) -> None:
        """Say what is not on disk, when nothing is tried any more."""
        files, count, trades, size = self._store.backlog.unwritten()
        log.error(
            "rows not written files=%d rows=%d trades=%d bytes=%d next=the_next_start_fetches_the_trades why=%s",
            files, count, trades, size, self._store.last_error,
        )  # fmt: skip

    def snapshot(self, done: Done, queue_batches: int, queue_bytes: int) -> Snapshot:
        """Return how the run stands; what was carried out, and the inbox, are told."""
        settings, store, engine, tally = self._settings, self._store, self._engine, self._engine.tally
        recorded = self._recorded()
        failing = {recorded.failing_since_ns: recorded.last_error, done.failing_since_ns: store.last_error}
        failing_since_ns = min(filter(None, failing), default=0)
        return Snapshot(
            version=__version__,
            pid=os.getpid(),
            started_ns=self._started_ns,
            now_ns=self._moments.wall_ns(),
            settings=settings.told(),
            connections=tally.links.states(),
            streams=self._streams(done.gaps),
            reconnects=dict(tally.lost_reasons),
            newest_frame_ns=tally.newest_frame_ns,
            duplicates=sum(lane.duplicates for lane in engine.lanes.all.values()),
            book_checks=sum(lane.checks.done for lane in engine.lanes.chains),
            book_mismatches=sum(lane.checks.mismatches for lane in engine.lanes.chains),
            skipped=sum(lane.skipped for lane in engine.lanes.all.values()),
            rejects=store.rejects.count,
            queue_batches=queue_batches,
            queue_bytes=queue_bytes,
            pending_bytes=store.backlog.pending_bytes,
            written_bytes=store.written_bytes,
            free_bytes=store.folder.free_bytes(),
            min_free_bytes=settings.min_free_mb << 20,
            failing_since_ns=failing_since_ns,
            last_error=failing[failing_since_ns] or recorded.last_error,
            clock_offset_ms=engine.answers.offset.offset_ms,
            clock_uncertainty_ms=engine.answers.offset.uncertainty_ms,
            clock_off=engine.answers.offset.off,
            delays=tally.delays,
            newest=self._newest(),
            recorded=recorded,
        )

    def _streams(self, gaps: Mapping[tuple[str, str], int]) -> list[StreamState]:
        lanes = self._engine.lanes
        return [
            StreamState(
                symbol, kind, lane.frames, lane.rows, lane.last_ms, gaps.get((symbol, kind), 0), *lanes.waiting(lane)
            )
            for (kind, symbol), lane in lanes.all.items()
        ]

    def _newest(self) -> dict[str, dict[str, str]]:
        """Return what is shown of the first symbols: the newest of each kind that has something to show."""
        shown: dict[str, dict[str, str]] = {}
        for (_, symbol), lane in self._engine.lanes.all.items():
            if not lane.kind.shown or symbol in self._gone:
                continue
            if symbol in shown or len(shown) < SHOWN_SYMBOLS:
                event = lane.newest()
                shown.setdefault(symbol, {}).update(lane.kind.shown(event) if event else {})
        return shown
