"""The raw record's thread: what is put there is compressed and written beside all else, and holds nothing up."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from ..errors import StoreError
from ..exchange.events import Lines
from ..files.raw import RawWriter
from ..order.entries import Entry, Moment
from ..order.record import lines_of, one_line
from ..watch.snapshot import Recorded

log = logging.getLogger(__name__)

QUEUE_BYTES = 32 << 20  # of lines that wait to be compressed
PENDING_BYTES = 32 << 20  # of members that wait for a full disk
OVERHEAD = 200  # bytes of memory that lines of one stamp cost beside their text, measured with sys.getsizeof
MUCH = 8  # this part of them is written at once
GATHER_S = 0.1  # lines are compressed together, and the thread is not woken for each
FULL_DISK_S = 2.0  # how long an end waits for room
KEEP_S = 2.0  # how long rows wait for what they were made of
RETRY_S = 5.0
LOG_REPEAT_S = 60.0


class Stretch(NamedTuple):
    """Some lines: how many, and the stamps of the first and the last."""

    lines: int
    from_ns: int
    to_ns: int


NOTHING = Stretch(0, 0, 0)


def joined(one: Stretch, other: Stretch) -> Stretch:
    """Return both as one, the other being the later."""
    return Stretch(one.lines + other.lines, one.from_ns if one.lines else other.from_ns, other.to_ns)


class Recorder:
    """Takes lines from the collecting thread, and writes them on one of its own.

    ```
    put ──▶ queue, 32 MiB ──▶ compressed ──▶ members, 32 MiB ──flush, keep──▶ files
     └─ full: lost, counted, and told in a line once there is room
    ```
    """

    def __init__(
        self,
        writer: RawWriter,
        flush_interval_s: float,
        closed: Callable[[], None],
        *,
        queue_bytes: int = QUEUE_BYTES,
        pending_bytes: int = PENDING_BYTES,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`closed` is called, on the recorder's thread, when a file was left because its hour was over."""
        self.all_written = False  # once it has ended
        self._writer, self._flush_interval_s, self._closed = writer, flush_interval_s, closed
        self._queue_bytes, self._pending_bytes, self._clock, self._wall_ns = queue_bytes, pending_bytes, clock, wall_ns
        self._queue: queue.SimpleQueue[Lines] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._wake, self._kept = threading.Event(), threading.Event()
        self._syncs = False  # what is to be kept
        self._losing = NOTHING
        self._lines = self._bytes = self._lost = 0  # so far
        self._put_bytes = self._taken_bytes = 0  # the one is of the thread that puts, the other of the recorder's
        self._flush_s = clock() + flush_interval_s
        self._failing_since_ns, self._last_error = 0, ""
        self._said_s = clock() - LOG_REPEAT_S

    def record(self, moment: Moment, entry: Entry) -> bool:
        """Take what the engine is told; return whether there was room. Never waits. For the collecting thread alone."""
        return self.put(lines_of(moment, entry))

    def recorded(self) -> Recorded:
        """Return what was recorded so far, by this run."""
        return Recorded(self._lines, self._bytes, self._lost, self._failing_since_ns, self._last_error)

    def put(self, lines: Lines) -> bool:
        """Take lines; return whether there was room. Never waits. For the collecting thread alone."""
        stamp_ns, number, text = lines
        if self._put_bytes - self._taken_bytes > self._queue_bytes:
            if not self._losing.lines:
                log.error("record lost why=disk_full_or_slow_and_memory_full")
            self._losing = joined(self._losing, Stretch(number, stamp_ns, stamp_ns))
            self._lost += number
            return False
        if self._losing.lines:
            self._tell_losing()
        self._lines += number
        self._bytes += len(text)
        self._put_bytes += len(text) + OVERHEAD
        self._queue.put(lines)
        return True

    def keep(self, *, sync: bool) -> None:
        """Wait until what was put is in the files, or on the disk: no row is there before what it was made of.

        For the collecting thread alone. It waits for two seconds at most, and not at all while nothing can be written.
        """
        if not self._failing_since_ns:
            self._syncs = sync
            self._kept.clear()
            self._wake.set()
            self._kept.wait(KEEP_S)

    def _tell_losing(self) -> None:
        told = _told(self._losing)
        self._put_bytes += len(told.text) + OVERHEAD
        self._queue.put(told)
        self._losing = NOTHING

    def stop(self) -> None:
        """Have it end once all that was put is written; nothing is put any more."""
        if self._losing.lines:
            self._tell_losing()
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        """Record until stopped, and until all is written, or can't be. Blocks."""
        self.begin()
        while not self._stopping.is_set():
            self._wake.wait(GATHER_S)
            self.step()
        end_s = self._clock() + FULL_DISK_S
        while not (written := self.drain()) and self._clock() < end_s:
            time.sleep(FULL_DISK_S / 4)
        self._writer.close()
        self.all_written = written
        if not written:
            log.error("record not written bytes=%d", self._writer.pending_bytes)

    def begin(self) -> None:
        """Mend what a run before has left."""
        try:
            self._writer.begin()
        except StoreError as error:
            self._say_failing(error)

    def step(self) -> None:
        """Compress what has gathered, and flush if it is time, asked for, or much: intervals may be long."""
        asked = self._wake.is_set()
        self._wake.clear()
        self._take()
        if asked:
            self._flush(sync=self._syncs)
            self._kept.set()
        elif self._clock() >= self._flush_s or (self._is_much() and not self._failing_since_ns):
            self._flush()

    def _is_much(self) -> bool:
        return self._writer.pending_bytes >= self._pending_bytes // MUCH

    def drain(self) -> bool:
        """Compress and flush what there is; return whether all of it is written."""
        self._take()
        self._flush()
        return not self._failing_since_ns and self._queue.empty()

    def _take(self) -> None:
        while self._writer.pending_bytes <= self._pending_bytes:
            try:
                lines = self._queue.get_nowait()
            except queue.Empty:
                return
            self._writer.append(lines)
            self._taken_bytes += len(lines.text) + OVERHEAD

    def _flush(self, *, sync: bool = True) -> None:
        try:
            self._writer.flush(sync=sync)
        except StoreError as error:
            self._say_failing(error)
            self._flush_s = self._clock() + RETRY_S
        else:
            if self._failing_since_ns:
                log.warning("write works again written_bytes=%d", self._writer.written_bytes)
            self._failing_since_ns = 0
            self._flush_s = self._clock() + self._flush_interval_s
        if self._writer.take_closed():
            self._closed()

    def _say_failing(self, error: StoreError) -> None:
        self._failing_since_ns, self._last_error = self._failing_since_ns or self._wall_ns(), str(error)
        if self._clock() - self._said_s >= LOG_REPEAT_S:
            self._said_s = self._clock()
            log.error(
                "write failed why=%s pending_bytes=%d next=retry", error, self._writer.pending_bytes
            )  # fmt: skip


def _told(lost: Stretch) -> Lines:
    """Return the line that says in the record what is lost of it."""
    facts = {"aster": "lost", "lines": lost.lines, "from_ns": lost.from_ns, "to_ns": lost.to_ns, "why": "overflow"}
    return one_line(lost.to_ns, facts)
