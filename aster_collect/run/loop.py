"""The collecting thread: feeds the engine what comes and the time, and carries out what it wants done."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..exchange.events import Delisted, Listed, Message
from ..net.inbox import Inbox
from ..watch.log_lines import proof_command, stop_line
from ..watch.report import Due
from ..watch.snapshot import Snapshot
from .course import Course
from .desk import Desk, Done
from .hands import Hands

log = logging.getLogger(__name__)

GATHER_S = 0.025  # what has gathered for so long is taken, and we are not woken for each batch
BUSY_BYTES = 1 << 20  # more than this waiting: no rest
IDLE_S = 0.25
FULL_DISK_S = 2.0  # how long an end waits for room


class Loop:
    """Feeds until it is told to drain, and is not done before all is written, or can't be.

    ```
    inbox ──▶ take ──▶ course: engine, hands
    time  ──▶ step ──▶    ▲
    symbols, the disk ──▶ desk
    ```
    """

    def __init__(
        self, course: Course, desk: Desk, hands: Hands, inbox: Inbox, due: Due, renamed: Callable[[list[Path]], None]
    ) -> None:
        """`renamed` is told which files were closed because their hour or day was over, or set aside."""
        self.all_written = False
        self.last: Snapshot | None = None  # once it has ended
        self._course, self._desk, self._hands = course, desk, hands
        self._inbox, self._due, self._renamed = inbox, due, renamed
        self._draining = threading.Event()
        self._stopped_s = 0.0  # read once it drains
        self._settling = False

    def take(self, message: Message) -> None:
        """Take one message."""
        if isinstance(message, Listed | Delisted):
            for begin in self._desk.take(message):
                self._course.begin(begin)
        else:
            self._course.take(message)

    def step(self) -> None:
        """Do what time asks for: holes, polls, turns, a look at the disk."""
        self._course.step()
        for begin in self._desk.step():
            self._course.begin(begin)

    def is_settled(self, stopped_s: float) -> bool:
        """Return whether nothing is open that REST could answer, or time is up; asks at first what may be missing.

        To be called until it returns True, once nothing comes any more but answers; `stopped_s` is until when
        connections were to deliver.
        """
        if not self._settling:
            self._settling = True
            self._course.settle(stopped_s)
        return self._course.is_settled()

    def close(self) -> bool:
        """Write everything, for the end; return whether all of it is on disk."""
        return self._course.close()

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
        if renamed := self._hands.take_renamed():
            self._renamed(renamed)
        return False

    def _say_end(self) -> None:
        self.last = last = self.snapshot()._replace(stopped_ns=time.time_ns())
        self._due.last(last)
        if self.all_written:
            log.info("stopped %s", stop_line(last))
            log.info("prove command=%s", proof_command(last))
        else:
            self._desk.say_unwritten()
