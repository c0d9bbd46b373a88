"""One run from start to end: wire, start, watch, and stop in the direction of the data."""

import logging
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Iterable

from .. import __version__
from ..exchange import wire
from ..exchange.events import Answer, Ask, Delisted, Listed, Reopen
from ..exchange.wire import Group
from ..files.store import Store
from ..net.bans import Bans, Handshakes
from ..net.inbox import Inbox
from ..net.pacing import WEIGHT_A_MINUTE, WeightBudget
from ..net.rest import Rest
from ..net.rest import serve as serve_rest
from ..settings import Settings
from ..watch.journal import Journal
from ..watch.report import LINE_S, Due, Report, Reporter, check_metrics_file
from ..watch.snapshot import Snapshot, waiting
from ..watch.status import proof_command, stop_line
from ..wording import without_secret
from .collector import Collector
from .feeds import Feeds
from .opening import TRADING_AGAIN_S
from .packing import Packing
from .roster import RELIST_S, Roster, read_list
from .threads import FAILED, Aged, Closed, Control, Ended, Over, Signalled, Threads

log = logging.getLogger(__name__)

STOPPED, UNDELIVERED = 0, 4
GATHER_S = 0.025  # the collector takes what has gathered for so long, and is not woken for each batch
BUSY_BYTES = 1 << 20  # more than this waiting: no rest
IDLE_S = 0.25
FEEDS_END_S = 2.5
DRAIN_S = 30.0
REPORT_ENDS_S = 1.0
FULL_DISK_S = 2.0  # how long a stop waits for room


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
        self._journal = journal
        self._threads = Threads(control, settings.duration_s)
        self._roster = Roster(settings, relist_s=relist_s, trading_again_s=trading_again_s)
        self._packing = Packing(settings, self._threads)
        self._inbox = Inbox()
        self._budget = WeightBudget(WEIGHT_A_MINUTE)
        self._asks: queue.SimpleQueue[Ask | None] = queue.SimpleQueue()
        self._reports: queue.SimpleQueue[Report | None] = queue.SimpleQueue()
        self._due = Due(self._reports, journal is not None and journal.live, time.monotonic())
        self._started_ns = time.time_ns()
        self._status = STOPPED
        self._drained = True

    def run(self) -> int:
        """Collect until told to stop; return the exit status. Raises `ConfigError` and `LockedError` at the start."""
        settings = self._settings
        if settings.metrics_file is not None:
            check_metrics_file(settings.metrics_file, settings.data_dir)
        store = Store(
            settings.data_dir,
            levels=settings.order_book_levels,
            receive_time=settings.receive_time,
            sync=settings.sync,
            rotate=settings.rotate,
        )
        try:
            bans = Bans(settings.data_dir)
            feeds = Feeds(settings, self._threads, self._control, self._inbox, Handshakes(bans))
            rest = Rest(settings.rest_url, self._budget, bans)
            self._threads.start("rest", lambda: serve_rest(rest, self._asks, self._deliver))
            reporter = Reporter(self._reports, settings.data_dir, settings.metrics_file, self._journal)
            self._threads.start("report", reporter.run)
            if symbols := self._first_symbols(store):
                self._collect(symbols, store, feeds)
            if self._drained:
                self._reports.put(None)
                self._threads.wait_for({"report"}, REPORT_ENDS_S)
            return self._status
        finally:
            self._asks.put(None)
            self._reports.put(None)
            if self._drained:  # else the collector still writes: the descriptors go with the process
                store.close()

    def _deliver(self, answer: Answer) -> None:
        if answer.ask.path != wire.EXCHANGE_INFO:
            self._inbox.put(answer)
        else:
            self._control.put(answer)

    def _first_symbols(self, store: Store) -> list[str]:
        """Ask the exchange what it lists and return the symbols to collect, none if it is to end meanwhile."""
        settings, roster = self._settings, self._roster

        def take() -> Snapshot:
            now_ns, room = time.time_ns(), (store.free_bytes(), settings.min_free_mb << 20)
            return waiting(
                __version__, os.getpid(), settings.told(), self._started_ns, now_ns, room, roster.waits_for
            )  # fmt: skip

        self._asks.put(wire.ask_exchange_info())
        while not isinstance(message := self._threads.next(min(roster.again_s, time.monotonic() + LINE_S)), Over):
            if isinstance(message, Ended):
                raise RuntimeError(f"thread {message.name} ended at the start") from message.error
            if isinstance(message, Answer):
                info = read_list(message)
                if info is not None and info.weight_a_minute:
                    self._budget.a_minute = info.weight_a_minute
                if symbols := roster.first(info, time.monotonic()):
                    return symbols
            self._due.step(time.monotonic(), 0, take)
            self._ask_list()
        last = take()._replace(stopped_ns=time.time_ns())
        self._due.last(last)
        if self._threads.by_duration:
            self._status = UNDELIVERED
            _say_undelivered(("all",) if settings.all_symbols else settings.symbols)
        log.info("stopped %s", stop_line(last))
        return []

    def _ask_list(self) -> None:
        now_s = time.monotonic()
        if self._roster.wants_list(now_s, self._budget.blocked_s(now_s)):
            self._asks.put(wire.ask_exchange_info())

    def _collect(self, symbols: list[str], store: Store, feeds: Feeds) -> None:
        """Collect these symbols until the run is over, and stop in order whatever ends it."""
        for symbol in symbols:
            store.open(symbol, at_once=self._roster.checked)
        groups = plan(self._settings, symbols)
        _say_start(self._settings, groups)
        self._packing.start()
        collector = Collector(self._settings, groups, store, self._asks.put)
        loop = Loop(collector, self._inbox, self._due, self._control, self._threads, self._started_ns)
        self._threads.start("collector", loop.run)

        def watch() -> None:
            for group in groups:
                feeds.carry(group)
            self._watch(feeds)

        try:
            if self._threads.guard("main", watch) is not None:
                self._status = FAILED
        finally:
            self._stop(feeds, loop)

    def _watch(self, feeds: Feeds) -> None:
        """Block until the run is over."""
        while not isinstance(message := self._threads.next(self._roster.again_s), Over):
            self._ask_list()
            if isinstance(message, Signalled):
                self._inbox.tell(Reopen())
            elif isinstance(message, Answer):
                self._relist(message, feeds)
            elif isinstance(message, Closed):
                self._packing.take(message.paths)
            elif isinstance(message, Aged):
                feeds.hand_over(message)
            elif isinstance(message, Ended) and not feeds.may_end(message):
                log.error("stop why=thread_ended name=%r", message.name)
                self._status = FAILED
                return

    def _relist(self, answer: Answer, feeds: Feeds) -> None:
        """Collect what is listed anew, on connections of its own; let go of what is not traded any more."""
        info = read_list(answer)
        if info is None:
            return
        change = self._roster.relist(info)
        if change.delisted is not None:
            self._inbox.tell(Delisted(change.delisted))
        for group in plan(self._settings, change.listed) if change.listed else ():
            self._inbox.tell(Listed(group.symbols))
            feeds.carry(group)

    def _stop(self, feeds: Feeds, loop: "Loop") -> None:
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
        self._packing.wait()
        if not loop.all_written:
            self._status = FAILED
        elif self._threads.by_duration and loop.silent and self._status == STOPPED:
            self._status = UNDELIVERED


class Loop:
    """The collecting thread: hands the collector what comes, rests between, and writes all at the end."""

    def __init__(
        self, collector: Collector, inbox: Inbox, due: Due, control: Control, threads: Threads, started_ns: int
    ) -> None:
        self.all_written = False
        self.silent: list[str] = []  # symbols of which no frame has ever come
        self._collector, self._inbox, self._due = collector, inbox, due
        self._control, self._threads = control, threads
        self._started_ns = started_ns
        self._draining = threading.Event()
        self._stopped_s = 0.0  # read once it drains

    def drain(self, stopped_s: float) -> None:
        """Have it end once all that is queued is taken; connections were told to end at this moment."""
        self._stopped_s = stopped_s
        self._draining.set()

    def run(self) -> None:
        """Collect until drained."""
        collector, inbox = self._collector, self._inbox
        try:
            while True:
                try:
                    collector.take(inbox.get(timeout=IDLE_S))
                except queue.Empty:
                    if self._draining.is_set() and collector.settle(self._stopped_s):
                        return
                for _ in range(inbox.batches()):
                    collector.take(inbox.get_nowait())
                collector.step()
                self._due.step(time.monotonic(), collector.flushes, self._take)
                closed = collector.take_closed()
                if closed:
                    self._control.put(Closed(closed))
                if inbox.qsize() < BUSY_BYTES and not self._draining.is_set():
                    time.sleep(GATHER_S)
        finally:
            self._end()

    def _take(self) -> Snapshot:
        return self._collector.snapshot(self._inbox.batches(), self._inbox.qsize())

    def _end(self) -> None:
        """Write what is left, and say how it ended."""
        end_s = time.monotonic() + FULL_DISK_S
        while not (written := self._collector.close()) and time.monotonic() < end_s:
            time.sleep(FULL_DISK_S / 4)
        self.all_written = written
        last = self._take()._replace(started_ns=self._started_ns, stopped_ns=time.time_ns())
        self._due.last(last)
        frames = Counter[str]()
        for stream in last.streams:
            frames[stream.symbol] += stream.frames
        self.silent = [symbol for symbol, count in frames.items() if not count]
        if self._threads.by_duration and self.silent:
            _say_undelivered(self.silent)
        if written:
            log.info("stopped %s", stop_line(last))
            log.info("prove command=%s", proof_command(last))
        else:
            self._collector.say_unwritten()


def plan(settings: Settings, symbols: Iterable[str]) -> list[Group]:
    """Return the groups of symbols that share connections."""
    return wire.plan_groups(settings.ws_url, list(symbols), settings.order_book_levels, settings.depth_interval_ms)


def _say_start(settings: Settings, groups: list[Group]) -> None:
    symbols = [symbol for group in groups for symbol in group.symbols]
    streams = sum(len(group.streams) for group in groups)
    connections = len(groups) * settings.connections
    log.info("start version=%s symbols=%d connections=%d", __version__, len(symbols), connections)
    log.info("start symbols=%s", ",".join(symbols))
    log.info(
        "start folder=%s levels=%d depth_interval_ms=%d flush_interval_s=%g receive_time=%s sync=%s history=%d",
        settings.data_dir, settings.order_book_levels, settings.depth_interval_ms, settings.flush_interval_s,
        _yes(settings.receive_time), _yes(settings.sync), settings.history,
    )  # fmt: skip
    ws, rest = without_secret(settings.ws_url), without_secret(settings.rest_url)
    log.info("start ws=%s rest=%s streams=%d", ws, rest, streams)


def _say_undelivered(symbols: Iterable[str]) -> None:
    log.warning("never delivered symbols=%s", ",".join(symbols))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
