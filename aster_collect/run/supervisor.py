"""One run from start to end: wire, start, watch, and stop in the direction of the data."""

import logging
import math
import time
from collections import Counter
from collections.abc import Iterable

from .. import __version__
from ..exchange.events import Answer, Delisted, Listed, Reopen
from ..exchange.streams import KINDS
from ..files.store import Store
from ..net.bans import Bans, Handshakes
from ..net.inbox import Inbox
from ..order.entries import Run
from ..settings import Settings
from ..watch.journal import Journal
from ..watch.report import check_metrics_file
from ..watch.snapshot import Snapshot
from .build import build_loop
from .feeds import Feeds
from .lists import Lists
from .loop import Loop
from .moments import Moments
from .opening import TRADING_AGAIN_S
from .packing import Packing
from .recording import Recording
from .reporting import Reporting
from .requests import Requests
from .roster import RELIST_S, Roster
from .start import say_snapshots, say_start, warn_of_polls
from .threads import FAILED, Aged, Control, Ended, Over, Renamed, Signalled, Threads

log = logging.getLogger(__name__)

STOPPED, UNDELIVERED = 0, 4
FEEDS_END_S = 2.5
DRAIN_S = 30.0


class Supervisor:
    """Wires the parts of one run, watches over their threads, and stops them in order.

    ```
    first list ─▶ collector and connections ─▶ watch ─▶ connections end ─▶ what is queued ─▶ files ─▶ reports
         └─ over before there is one ───────────────────────────────────────────────────────────────────┘
    ```
    """

    def __init__(
        self,
        settings: Settings,
        control: Control,
        journal: Journal | None = None,
        *,
        relist_s: float = RELIST_S,
        trading_again_s: float = TRADING_AGAIN_S,
    ) -> None:
        self._settings = settings
        self._control = control
        self._threads = Threads(control, settings.duration_s)
        self._roster = Roster(settings, relist_s=relist_s, trading_again_s=trading_again_s)
        self._packing = Packing(settings, self._threads)
        self._inbox = Inbox()
        self._moments = Moments()
        self._recording = Recording(settings, self._threads, lambda: control.put(Renamed([])))
        self._requests = Requests(settings, self._threads, control, self._inbox)
        self._reporting = Reporting(settings, self._threads, journal)
        self._lists = Lists(settings, self._threads, self._roster, self._requests.budget, self._requests.ask)
        self._status = STOPPED
        self._drained = self._is_written = True

    def run(self) -> int:
        """Collect until told to stop; return the exit status. Raises `ConfigError` and `LockedError` at the start."""
        settings = self._settings
        if settings.metrics_file is not None:
            check_metrics_file(settings.metrics_file, settings.data_dir)
        scope = settings.scope()
        store = Store(
            settings.data_dir, scope.kinds, scope.options,
            market=settings.market, sync=settings.sync, rotate=settings.rotate, wall=self._moments.wall,
        )  # fmt: skip
        try:
            bans = Bans(settings.data_dir)
            handshakes = Handshakes(bans, math.ceil(settings.venue.handshakes_a_minute * settings.share))
            feeds = Feeds(settings, self._threads, self._control, self._inbox, handshakes)
            self._requests.start(bans)
            self._reporting.start()
            if symbols := self._lists.first(self._reporting.due, store.folder.free_bytes):
                self._collect(symbols, store, feeds)
            elif self._threads.by_duration:
                self._status = UNDELIVERED
                _say_undelivered(("all",) if settings.all_symbols else settings.symbols)
            if self._drained:
                self._reporting.stop()
                self._reporting.wait()
            return self._status
        finally:
            self._requests.stop()
            self._reporting.stop()
            if self._drained:  # else the collector still writes: the descriptors go with the process
                self._packing.finish(store.folder.take_renamed(), is_whole=self._is_written)
                store.close()

    def _collect(self, symbols: list[str], store: Store, feeds: Feeds) -> None:
        """Collect these symbols until the run is over, and stop in order whatever ends it."""
        self._moments.look()
        run = Run(__version__, self._settings.told(), tuple(symbols), store.rejects.appender.size)
        self._recording.record(self._moments.now, run)
        self._packing.begin()
        for symbol in (*symbols, ""):
            store.open(symbol, at_once=self._roster.checked)
        carriers = feeds.plan(symbols)
        say_start(self._settings, symbols, carriers)
        say_snapshots(self._settings, len(symbols), self._requests.budget)
        warn_of_polls(self._settings, len(symbols), self._requests.budget)
        self._packing.start()
        recording = self._recording
        loop = build_loop(
            self._settings, symbols, store, self._requests.ask, self._inbox, self._reporting.due,
            lambda paths: self._control.put(Renamed(paths)), self._moments,
            recording.record, recording.recorded, recording.keep,
        )  # fmt: skip
        recording.start()
        self._threads.start("collector", loop.run)

        def watch() -> None:
            feeds.start(carriers)
            self._watch(feeds)

        try:
            if self._threads.guard("main", watch) is not None:
                self._status = FAILED
        finally:
            self._stop(feeds, loop)

    def _watch(self, feeds: Feeds) -> None:
        """Block until the run is over."""
        while not isinstance(message := self._threads.next(self._roster.again_s), Over):
            self._lists.ask()
            if isinstance(message, Signalled):
                self._inbox.tell(Reopen())
            elif isinstance(message, Answer):
                self._relist(message, feeds)
            elif isinstance(message, Renamed):
                self._packing.take(message.paths)
            elif isinstance(message, Aged):
                feeds.hand_over(message, self._roster.gone(time.monotonic()))
            elif isinstance(message, Ended) and not feeds.may_end(message):
                log.error("stop why=thread_ended name=%r", message.name)
                self._status = FAILED
                return

    def _relist(self, answer: Answer, feeds: Feeds) -> None:
        """Collect what is listed anew or again; let go of what is not traded any more."""
        info = self._lists.read(answer)
        if info is None:
            return
        change = self._roster.relist(info, time.monotonic())
        if change.delisted is not None:
            self._inbox.tell(Delisted(change.delisted))
        if change.listed:
            self._inbox.tell(Listed(change.listed))
        feeds.start(feeds.plan(change.trading))

    def _stop(self, feeds: Feeds, loop: Loop) -> None:
        """Stop in the direction of the data: connections, what is queued, files."""
        stopped_s = time.monotonic()
        self._packing.stop()
        feeds.stop(FEEDS_END_S)
        loop.drain(stopped_s)
        self._drained = self._threads.wait_for({"collector"}, DRAIN_S)
        if not self._drained:
            log.error("stop incomplete why=drain_took_too_long seconds=%g", DRAIN_S)
            self._status = FAILED
            return
        self._drained = self._recording.stop(DRAIN_S)
        self._is_written = loop.all_written
        if not loop.all_written or not self._recording.all_written:
            self._status = FAILED
        elif self._threads.by_duration and (silent := _silent(loop.last)) and self._status == STOPPED:
            _say_undelivered(silent)
            self._status = UNDELIVERED


def _silent(last: Snapshot | None) -> list[str]:
    """Return the symbols of which no frame has ever come."""
    frames = Counter[str]()
    for stream in last.streams if last else ():
        if KINDS[stream.kind].wire:
            frames[stream.symbol] += stream.frames
    return [symbol for symbol, count in frames.items() if not count]


def _say_undelivered(symbols: Iterable[str]) -> None:
    log.warning("never delivered symbols=%s", ",".join(symbols))
