"""The collecting thread: takes what is queued, lets time pass, rests, and at the end writes all."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..net.inbox import Inbox
from ..watch.report import Due
from ..watch.snapshot import Snapshot
from ..watch.status import proof_command, stop_line
from .collector import Collector

log = logging.getLogger(__name__)

GATHER_S = 0.025  # what has gathered for so long is taken, and we are not woken for each batch
BUSY_BYTES = 1 << 20  # more than this waiting: no rest
IDLE_S = 0.25
FULL_DISK_S = 2.0  # how long an end waits for room


class Loop:
    """Feeds the collector until it is told to drain, and is not done before all is written, or can't be."""

    def __init__(self, collector: Collector, inbox: Inbox, due: Due, closed: Callable[[list[Path]], None]) -> None:
        """`closed` is told which files were closed because their hour or day was over."""
        self.all_written = False
        self.last: Snapshot | None = None  # once it has ended
        self._collector, self._inbox, self._due, self._closed = collector, inbox, due, closed
        self._draining = threading.Event()
        self._stopped_s = 0.0  # read once it drains

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
            while not (written := self._collector.close()) and time.monotonic() < end_s:
                time.sleep(FULL_DISK_S / 4)
            self.all_written = written
            self._say_end()

    def _turn(self) -> bool:
        """Take what is queued, and do what time asks for; return whether all is drained."""
        collector, inbox = self._collector, self._inbox
        try:
            collector.take(inbox.get(timeout=IDLE_S))
        except queue.Empty:
            if self._draining.is_set() and collector.is_settled(self._stopped_s):
                return True
        for _ in range(inbox.batches()):
            collector.take(inbox.get_nowait())
        collector.step()
        self._due.step(time.monotonic(), collector.hands.flushes, self.snapshot)
        if closed := collector.take_closed():
            self._closed(closed)
        return False

    def snapshot(self) -> Snapshot:
        """Return how the run stands."""
        return self._collector.snapshot(self._inbox.batches(), self._inbox.qsize())

    def _say_end(self) -> None:
        self.last = last = self.snapshot()._replace(stopped_ns=time.time_ns())
        self._due.last(last)
        if self.all_written:
            log.info("stopped %s", stop_line(last))
            log.info("prove command=%s", proof_command(last))
        else:
            self._collector.say_unwritten()
