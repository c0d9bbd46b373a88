"""One run from start to end: build, start, wait for a signal or the first thread that ends, drain."""

import logging
import math
import os
import queue
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .. import __version__
from ..errors import ConfigError, DecodeError
from ..exchange import wire
from ..exchange.events import Answer, Ask, Delisted, Listed, Reopen, Wanted
from ..exchange.wire import ExchangeInfo, Group
from ..files import compress
from ..files.limits import allow_open_files
from ..files.rotate import delete_expired
from ..files.store import Store
from ..net.bans import Bans, Handshakes
from ..net.feed import Feed, Line
from ..net.inbox import Inbox
from ..net.pacing import WEIGHT_A_MINUTE, WeightBudget
from ..net.rest import Rest
from ..net.rest import serve as serve_rest
from ..settings import Settings, without_secret
from ..watch.journal import Journal
from ..watch.report import LINE_S, Due, Report, Reporter, check_metrics_file
from ..watch.snapshot import Snapshot, waiting
from ..watch.status import proof_command, stop_line
from .collector import Collector
from .opening import TRADING_AGAIN_S, Opening, all_perpetuals

log = logging.getLogger(__name__)

STOPPED, FAILED, UNDELIVERED = 0, 1, 4
HANGUP = getattr(signal, "SIGHUP", 0)  # reopen the files; Windows has no such signal
FILES_A_SYMBOL = 4
GATHER_S = 0.025  # the collector takes what has gathered for so long, and is not woken for each batch
BUSY_BYTES = 1 << 20  # more than this waiting: no rest
IDLE_S = 0.25
RELIST_S = 3600.0
FILES_BESIDE = 64  # open files beside those of the symbols
FEEDS_END_S = 2.5
DRAIN_S = 30.0
PACKING_ENDS_S = 0.5
REPORT_ENDS_S = 1.0
FULL_DISK_S = 2.0  # how long a stop waits for room
ONE_SIGNAL_S = 0.25  # `timeout` and some wrappers signal twice: the process, and its group


class Signalled(NamedTuple):
    """A signal came."""

    number: int


class Ended(NamedTuple):
    """A thread ended, by an error or of its own accord."""

    name: str
    error: Exception | None


class Aged(NamedTuple):
    """A feed's connection is old: its successor is wanted."""

    feed: Feed


class Closed(NamedTuple):
    """Files were closed because their hour or day is over."""

    paths: list[Path]


class Over(NamedTuple):
    """The run is to end: a signal came, or its time is over."""


Control = queue.SimpleQueue[Signalled | Ended | Aged | Answer | Closed]
Message = Signalled | Ended | Aged | Answer | Closed | Over | None


class Supervisor:
    """The threads of one run, and the queue on which they and the signals speak to the main thread."""

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
        self._relist_s, self._trading_again_s = relist_s, trading_again_s
        self._checked = False  # whether the exchange has said that there are such symbols
        self._known: set[str] = set()
        self._gone: set[str] = set()
        self._groups = 0
        self._places = 0  # of connections: a successor has that of the one that it relieves
        self._asks: queue.SimpleQueue[Ask | None] = queue.SimpleQueue()
        self._inbox = Inbox()
        self._budget = WeightBudget(WEIGHT_A_MINUTE)
        self._feeds: dict[str, Feed] = {}
        self._packing: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._packing_stops = threading.Event()
        self._draining = threading.Event()
        self._ended: set[str] = set()
        self._stopped_s = 0.0  # when connections were told to end; read once it drains
        self._signalled_s: float | None = None
        self._reports: queue.SimpleQueue[Report | None] = queue.SimpleQueue()
        self._live = journal is not None and journal.live
        self._end_s = math.inf
        self._started_ns = 0
        self._status = STOPPED
        self._by_duration = False
        self._silent: list[str] = []  # symbols of which no frame has ever come
        self._all_written = False
        self._drained = True

    def run(self) -> int:
        """Collect until told to stop; return the exit status. Raises `ConfigError` and `LockedError` at the start."""
        settings = self._settings
        self._started_ns = time.time_ns()
        if settings.duration_s is not None:
            self._end_s = time.monotonic() + settings.duration_s
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
            self._handshakes = Handshakes(bans)
            rest = Rest(settings.rest_url, self._budget, bans)
            self._start("rest", lambda: serve_rest(rest, self._asks, self._deliver))
            reporter = Reporter(self._reports, settings.data_dir, settings.metrics_file, self._journal)
            self._start("report", reporter.run)
            symbols = self._first_symbols(store)
            if symbols is None:
                return self._end_reports()
            allow_open_files(FILES_A_SYMBOL * len(symbols) + FILES_BESIDE)
            for symbol in symbols:
                store.open(symbol, at_once=self._checked)
            groups = self._plan(symbols)
            self._say_start(groups)
            if settings.compress:
                self._start("compress", lambda: compress.serve(self._packing, self._packing_stops))
            if settings.rotate != "none":
                self._put_away(compress.finish(settings.data_dir))
            collector = Collector(settings, groups, store, self._asks.put)
            self._start("collector", lambda: self._consume(collector))

            def feed() -> None:
                for group in groups:
                    self._add_group(group)
                self._wait()

            if self._guard("main", feed) is not None:
                self._status = FAILED
            return self._stop()
        finally:
            self._asks.put(None)
            self._reports.put(None)
            if self._drained:  # else the collector still writes: the descriptors go with the process
                store.close()

    def _start(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            self._control.put(Ended(name, self._guard(name, work)))

        threading.Thread(target=guarded, name=name, daemon=True).start()

    def _guard(self, name: str, work: Callable[[], None]) -> Exception | None:
        """Do a thread's work; what ends it is logged and returned, so that the others are stopped in order."""
        try:
            work()
        except Exception as error:  # the one place: a thread's end is reported, whatever ended it
            log.exception("thread failed name=%s", name)
            return error
        return None

    def _deliver(self, answer: Answer) -> None:
        if answer.ask.path != wire.EXCHANGE_INFO:
            self._inbox.put(answer)
        else:
            self._control.put(answer)

    def _first_symbols(self, store: Store) -> list[str] | None:
        """Ask the exchange what it lists and return the symbols to collect, None if it is to end meanwhile."""
        opening = Opening(self._settings, trading_again_s=self._trading_again_s)
        due = Due(self._reports, self._live, time.monotonic())

        def take() -> Snapshot:
            started_ns = self._started_ns
            now_ns, room = time.time_ns(), (store.free_bytes(), self._settings.min_free_mb << 20)
            return waiting(__version__, os.getpid(), self._settings.told(), started_ns, now_ns, room, opening.waits_for)

        self._asks.put(wire.ask_exchange_info())
        while not isinstance(message := self._next(min(opening.again_s, time.monotonic() + LINE_S)), Over):
            now_s = time.monotonic()
            if isinstance(message, Ended):
                raise RuntimeError(f"thread {message.name} ended at the start") from message.error
            if isinstance(message, Answer):
                info = self._read_list(message)
                symbols = opening.take(info, now_s)
                self._checked = info is not None
                if info is not None and info.weight_a_minute:
                    self._budget.a_minute = info.weight_a_minute
                if symbols is not None:
                    return symbols
            due.step(now_s, 0, take)
            if now_s >= opening.again_s:
                blocked_s = self._budget.blocked_s(now_s)
                opening.again_s = now_s + blocked_s if blocked_s else math.inf
                if not blocked_s:
                    self._asks.put(wire.ask_exchange_info())
        last = take()._replace(stopped_ns=time.time_ns())
        due.last(last)
        if self._by_duration:
            self._status = UNDELIVERED
            log.warning(
                "never delivered symbols=%s", "all" if self._settings.all_symbols else ",".join(self._settings.symbols)
            )
        log.info("stopped %s", stop_line(last))
        return None

    def _read_list(self, answer: Answer) -> ExchangeInfo | None:
        try:
            if answer.refused:
                raise DecodeError(answer.refused)
            return wire.decode_exchange_info(answer.value)
        except DecodeError as error:
            log.warning("symbols unchecked why=%s", error)
            return None

    def _plan(self, symbols: list[str]) -> list[Group]:
        settings = self._settings
        self._known |= set(symbols)
        return wire.plan_groups(settings.ws_url, symbols, settings.order_book_levels, settings.depth_interval_ms)

    def _relist(self, info: ExchangeInfo) -> None:
        """Collect what is listed anew, on connections of its own; let go of what is not traded any more."""
        listed = set(all_perpetuals(info))
        if not listed:
            log.warning("symbols unchecked why=nothing is listed")
            return
        new = sorted(listed - self._known)
        gone = self._known - listed
        if gone != self._gone:
            log.info("delisted symbols=%s", ",".join(sorted(gone)) or "none")
            self._gone = gone
            self._inbox.tell(Delisted(tuple(gone)))
        if new:
            try:
                allow_open_files(FILES_A_SYMBOL * (len(self._known) + len(new)) + FILES_BESIDE)
            except ConfigError as error:
                log.error("listed but not collected symbols=%s why=%s", ",".join(new), error)
                return
            log.info("listed symbols=%s", ",".join(new))
            for group in self._plan(new):
                self._inbox.tell(Listed(group.symbols))
                self._add_group(group)

    def _say_start(self, groups: list[Group]) -> None:
        settings = self._settings
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

    def _add_group(self, group: Group) -> None:
        url = wire.stream_url(self._settings.ws_url, group.streams)
        for _ in range(self._settings.connections):
            self._places += 1
            self._add_feed(self._groups, self._places, url, None)
        self._groups += 1

    def _add_feed(self, group: int, place: int, url: str, predecessor: Feed | None) -> None:
        settings = self._settings
        number = len(self._feeds) + 1
        line = Line(number, place, group, url, settings.stall_timeout_s, settings.max_connection_age_s)
        feed = Feed(line, self._inbox, self._handshakes, lambda aged: self._control.put(Aged(aged)), predecessor)
        self._feeds[f"connection {number}"] = feed
        self._inbox.tell(Wanted(group, number, place))
        self._start(f"connection {number}", feed.run)

    def _next(self, moment_s: float) -> Message:
        """Return what comes next, None at a moment of the monotonic clock, or that the run is to end.

        Nothing that came is dropped: that a thread has ended is said once.
        """
        if time.monotonic() >= self._end_s:
            log.info("stop why=duration")
            self._by_duration = True
            return Over()
        try:
            message = self._control.get(timeout=_until(min(self._end_s, moment_s)))
        except queue.Empty:
            return None
        if isinstance(message, Signalled) and message.number != HANGUP:
            self._signalled_s = time.monotonic()
            log.info("stop why=signal number=%d", message.number)
            return Over()
        if isinstance(message, Signalled):
            log.info("reopen why=hang-up")
        if isinstance(message, Ended):
            self._ended.add(message.name)  # it can be alive for a moment, and says it only once
        return message

    def _wait(self) -> None:
        """Block until the run is over."""
        relist_s = time.monotonic() + self._relist_s if self._settings.all_symbols else math.inf
        while not isinstance(message := self._next(relist_s), Over):
            if time.monotonic() >= relist_s:
                relist_s = time.monotonic() + self._relist_s
                self._asks.put(wire.ask_exchange_info())
            if isinstance(message, Signalled):
                self._inbox.tell(Reopen())
            elif isinstance(message, Answer):
                info = self._read_list(message)
                if info is not None:
                    self._relist(info)
            elif isinstance(message, Closed):
                self._put_away(message.paths)
            elif isinstance(message, Aged):
                line = message.feed.line
                log.info("hand-over connection=%d", line.place)
                self._add_feed(line.group, line.place, line.url, message.feed)
            elif isinstance(message, Ended):
                feed = self._feeds.get(message.name)
                if message.error is None and feed is not None and feed.replaced:
                    continue
                log.error("stop why=thread_ended name=%r", message.name)
                self._status = FAILED
                return

    def _put_away(self, paths: list[Path]) -> None:
        """Have closed files compressed, and delete those that are too old."""
        settings = self._settings
        if settings.compress:
            for path in paths:
                self._packing.put(path)
        if settings.keep_days is not None:
            delete_expired(settings.data_dir, settings.keep_days, time.time_ns() // 1_000_000)

    def _stop(self) -> int:
        """Stop in the direction of the data, connections, what is queued, files; return the exit status."""
        self._stopped_s = time.monotonic()
        for feed in self._feeds.values():
            feed.stopping.set()
        self._packing_stops.set()
        self._packing.put(None)
        running = {thread.name for thread in threading.enumerate()}
        self._await(running & self._feeds.keys(), FEEDS_END_S)
        self._draining.set()
        self._drained = self._await(running & {"collector"}, DRAIN_S)
        if not self._drained:
            log.error("stop incomplete why=drain_took_too_long seconds=%g", DRAIN_S)
            return FAILED
        self._await(running & {"compress"}, PACKING_ENDS_S)  # else the next start finishes it
        if not self._all_written:
            self._status = FAILED
        elif self._by_duration and self._silent and self._status == STOPPED:
            self._status = UNDELIVERED
        return self._end_reports()

    def _end_reports(self) -> int:
        self._reports.put(None)
        self._await({"report"} & {thread.name for thread in threading.enumerate()}, REPORT_ENDS_S)
        return self._status

    def _await(self, names: set[str], patience_s: float) -> bool:
        """Block until the named threads have ended, or patience has; a second signal ends the process here."""
        names = names - self._ended
        end_s = time.monotonic() + patience_s
        while names:
            try:
                message = self._control.get(timeout=max(0.0, end_s - time.monotonic()))
            except queue.Empty:
                return False
            if isinstance(message, Signalled) and message.number != HANGUP:
                now_s = time.monotonic()
                if self._signalled_s is None:  # it ends for another reason, and in order
                    self._signalled_s = now_s
                elif now_s - self._signalled_s > ONE_SIGNAL_S:
                    _exit_at_once()
            if isinstance(message, Ended):
                self._ended.add(message.name)
                names.discard(message.name)
        return True

    def _consume(self, collector: Collector) -> None:
        inbox = self._inbox
        due = Due(self._reports, self._live, time.monotonic())

        def take() -> Snapshot:
            return collector.snapshot(inbox.batches(), inbox.qsize())

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
                due.step(time.monotonic(), collector.flushes, take)
                closed = collector.take_closed()
                if closed:
                    self._control.put(Closed(closed))
                if inbox.qsize() < BUSY_BYTES and not self._draining.is_set():
                    time.sleep(GATHER_S)
        finally:
            end_s = time.monotonic() + FULL_DISK_S
            while not (written := collector.close()) and time.monotonic() < end_s:
                time.sleep(FULL_DISK_S / 4)
            self._all_written = written
            last = take()._replace(started_ns=self._started_ns, stopped_ns=time.time_ns())
            due.last(last)
            frames = Counter[str]()
            for stream in last.streams:
                frames[stream.symbol] += stream.frames
            self._silent = [symbol for symbol, count in frames.items() if not count]
            if self._by_duration and self._silent:
                log.warning("never delivered symbols=%s", ",".join(self._silent))
            if written:
                log.info("stopped %s", stop_line(last))
                log.info("prove command=%s", proof_command(last))
            else:
                collector.say_unwritten()


def _exit_at_once() -> None:
    """End the process, whatever the others do; what can be said in half a second is, a terminal may be stopped."""
    log.error("stop at once why=second_signal")
    for handler in logging.getLogger().handlers:
        handler.flush()
    os._exit(FAILED)


def _until(moment_s: float) -> float | None:
    """Return how many seconds are left, None for a moment that never comes."""
    return None if math.isinf(moment_s) else max(0.0, moment_s - time.monotonic())


def _yes(value: bool) -> str:
    return "yes" if value else "no"
