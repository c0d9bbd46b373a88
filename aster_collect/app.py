"""One run from start to end: build, start, wait for a signal or the first thread that ends, drain."""

import difflib
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from . import __version__, wire
from .collector import Collector
from .errors import ConfigError, DecodeError
from .events import Answer, Ask
from .feed import Feed, Line
from .inbox import Inbox
from .pacing import WEIGHT_A_MINUTE, WeightBudget
from .rest import Rest
from .rest import serve as serve_rest
from .settings import Settings
from .store import Store
from .wire import ExchangeInfo, Group

log = logging.getLogger(__name__)

STOPPED, FAILED = 0, 1
GATHER_S = 0.025  # the collector takes what has gathered for so long, and is not woken for each batch
BUSY_BYTES = 1 << 20  # more than this waiting: no rest
IDLE_S = 0.25
FEEDS_END_S = 2.5
DRAIN_S = 30.0


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


Control = queue.SimpleQueue[Signalled | Ended | Aged | Answer]


class App:
    """The threads of one run, and the queue on which they and the signals speak to the main thread."""

    def __init__(self, settings: Settings, control: Control) -> None:
        self._settings = settings
        self._control = control
        self._asks: queue.SimpleQueue[Ask | None] = queue.SimpleQueue()
        self._inbox = Inbox()
        self._budget = WeightBudget(WEIGHT_A_MINUTE)
        self._feeds: dict[str, Feed] = {}
        self._draining = threading.Event()
        self._all_written = False

    def run(self) -> int:
        """Collect until told to stop; return the exit status. Raises `ConfigError` and `LockedError` at the start."""
        settings = self._settings
        store = Store(
            settings.data_dir, levels=settings.order_book_levels, receive_time=settings.receive_time, sync=settings.sync
        )
        try:
            rest = Rest(settings.rest_url, self._budget)
            self._start("rest", lambda: serve_rest(rest, self._asks, self._deliver))
            symbols = self._known_symbols()
            if symbols is None:
                return STOPPED
            groups = wire.plan_groups(settings.ws_url, symbols, settings.order_book_levels, settings.depth_interval_ms)
            for symbol in symbols:
                store.open(symbol)
            self._say_start(groups)
            collector = Collector(settings, groups, store, self._asks.put)
            self._start("collector", lambda: self._consume(collector))
            for group, (_, streams) in enumerate(groups):
                url = wire.stream_url(settings.ws_url, streams)
                for _ in range(settings.connections):
                    self._add_feed(group, url, None)
            status = self._wait()
            return self._stop(status)
        finally:
            self._asks.put(None)
            store.close()

    def _start(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            error: Exception | None = None
            try:
                work()
            except Exception as caught:  # the one place: a thread's end is reported, whatever ended it
                log.exception("thread failed name=%s", name)
                error = caught
            self._control.put(Ended(name, error))

        threading.Thread(target=guarded, name=name, daemon=True).start()

    def _deliver(self, answer: Answer) -> None:
        if answer.ask.symbol:
            self._inbox.put(answer)
        else:
            self._control.put(answer)

    def _known_symbols(self) -> list[str] | None:
        """Ask the exchange what it lists and return the symbols to collect, None if stopped meanwhile."""
        self._asks.put(wire.ask_exchange_info())
        while True:
            message = self._control.get()
            if isinstance(message, Signalled):
                return None
            if isinstance(message, Ended):
                raise RuntimeError(f"thread {message.name} ended at the start") from message.error
            if isinstance(message, Answer):
                break
        try:
            if message.refused:
                raise DecodeError(message.refused)
            info = wire.decode_exchange_info(message.value)
        except DecodeError as error:
            log.warning("symbols unchecked why=%s", error)
            return list(self._settings.symbols)
        if info.weight_a_minute:
            self._budget.a_minute = info.weight_a_minute
        return tradable(self._settings.symbols, info)

    def _say_start(self, groups: list[Group]) -> None:
        settings = self._settings
        symbols = [symbol for group in groups for symbol in group.symbols]
        log.info(
            "start version=%s symbols=%s levels=%d depth_interval_ms=%d flush_interval_s=%g folder=%s receive_time=%s "
            "sync=%s history=%d ws=%s rest=%s streams=%d connections=%d",
            __version__, ",".join(symbols), settings.order_book_levels, settings.depth_interval_ms,
            settings.flush_interval_s, settings.data_dir, _yes(settings.receive_time), _yes(settings.sync),
            settings.history, settings.ws_url, settings.rest_url, sum(len(group.streams) for group in groups),
            len(groups) * settings.connections,
        )  # fmt: skip

    def _add_feed(self, group: int, url: str, predecessor: Feed | None) -> None:
        settings = self._settings
        number = len(self._feeds) + 1
        line = Line(number, group, url, settings.stall_timeout_s, settings.max_connection_age_s)
        feed = Feed(line, self._inbox, lambda aged: self._control.put(Aged(aged)), predecessor)
        self._feeds[f"connection {number}"] = feed
        self._start(f"connection {number}", feed.run)

    def _wait(self) -> int:
        """Block until the run is over; return the exit status so far."""
        duration_s = self._settings.duration_s
        end_s = None if duration_s is None else time.monotonic() + duration_s
        while True:
            try:
                message = self._control.get(timeout=None if end_s is None else max(0.0, end_s - time.monotonic()))
            except queue.Empty:
                log.info("stop why=duration")
                return STOPPED
            if isinstance(message, Signalled):
                log.info("stop why=signal number=%d", message.number)
                return STOPPED
            if isinstance(message, Aged):
                line = message.feed.line
                log.info("hand-over connection=%d", line.number)
                self._add_feed(line.group, line.url, message.feed)
            elif isinstance(message, Ended):
                feed = self._feeds.get(message.name)
                if message.error is None and feed is not None and feed.replaced:
                    continue
                log.error("stop why=thread_ended name=%r", message.name)
                return FAILED

    def _stop(self, status: int) -> int:
        """Stop in the direction of the data: connections, then what is queued, then the files."""
        for feed in self._feeds.values():
            feed.stopping.set()
        running = {thread.name for thread in threading.enumerate()}
        self._await(running & self._feeds.keys(), FEEDS_END_S)
        self._draining.set()
        if "collector" in running and not self._await({"collector"}, DRAIN_S):
            log.error("stop incomplete why=drain_took_too_long seconds=%g", DRAIN_S)
            return FAILED
        if not self._all_written:
            return FAILED
        log.info("stopped")
        return status

    def _await(self, names: set[str], patience_s: float) -> bool:
        """Block until the named threads have ended, or patience has; a second signal ends the process here."""
        names = set(names)
        end_s = time.monotonic() + patience_s
        while names:
            try:
                message = self._control.get(timeout=max(0.0, end_s - time.monotonic()))
            except queue.Empty:
                return False
            if isinstance(message, Signalled):
                log.error("stop at once why=second_signal")
                os._exit(FAILED)
            if isinstance(message, Ended):
                names.discard(message.name)
        return True

    def _consume(self, collector: Collector) -> None:
        inbox = self._inbox
        try:
            while True:
                try:
                    collector.take(inbox.get(timeout=IDLE_S))
                except queue.Empty:
                    if self._draining.is_set():
                        return
                for _ in range(inbox.batches()):
                    collector.take(inbox.get_nowait())
                collector.step(inbox.batches())
                if inbox.qsize() < BUSY_BYTES and not self._draining.is_set():
                    time.sleep(GATHER_S)
        finally:
            self._all_written = collector.close()


def tradable(symbols: tuple[str, ...], info: ExchangeInfo) -> list[str]:
    """Return the symbols that trade; raise `ConfigError` for one that is not listed, or if none is left."""
    unknown = [symbol for symbol in symbols if symbol not in info.statuses]
    if unknown:
        close = [difflib.get_close_matches(symbol, info.statuses, n=3) for symbol in unknown]
        said = [
            f"{symbol} is not listed" + (f"; did you mean {', '.join(names)}?" if names else "")
            for symbol, names in zip(unknown, close, strict=True)
        ]
        raise ConfigError("symbols: " + "; ".join(said))
    trading = [symbol for symbol in symbols if info.statuses[symbol] == "TRADING"]
    for symbol in symbols:
        if symbol not in trading:
            log.warning("symbol skipped symbol=%s status=%s", symbol, info.statuses[symbol])
    if not trading:
        raise ConfigError(f"symbols: none of {', '.join(symbols)} is trading; give one that is")
    return trading


def _yes(value: bool) -> str:
    return "yes" if value else "no"
