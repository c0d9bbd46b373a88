"""One connection's way into the inbox: it waits while that is full, so that TCP pushes back on the exchange."""

import logging
import queue
import time
from collections.abc import Callable

from ..exchange.events import Bad, Batch, Lost, Opened
from .inbox import Inbox

log = logging.getLogger(__name__)

CHECK_S = 0.25  # how long at most a wait does not look whether to stop
PATIENCE_S = 2.0  # for a collector that is slow, once the connection is to stop
FULL_REPEAT_S = 60.0


class Outlet:
    """Hands over what a connection has; nothing is dropped while the connection is wanted."""

    def __init__(
        self, inbox: Inbox, place: int, stopping: Callable[[], bool], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`place` is the connection's in the log, `stopping` says whether it is to stop."""
        self._inbox, self._place, self._stopping, self._clock = inbox, place, stopping, clock
        self._said_s = -FULL_REPEAT_S

    def put(self, message: Opened | Batch | Bad | Lost) -> None:
        """Hand a message over; waits while the inbox is full, and when stopped gives the collector 2 s more."""
        try:
            self._inbox.put_nowait(message)
        except queue.Full:
            self._say_full()
            self._wait_with(message)

    def _say_full(self) -> None:
        if self._clock() - self._said_s >= FULL_REPEAT_S:
            self._said_s = self._clock()
            log.warning("inbox full connection=%d next=wait", self._place)

    def _wait_with(self, message: Opened | Batch | Bad | Lost) -> None:
        end_s = self._clock() + PATIENCE_S
        while True:
            if not self._stopping():
                end_s = self._clock() + PATIENCE_S
            try:
                self._inbox.put(message, timeout=CHECK_S)
                return
            except queue.Full:
                if self._clock() > end_s:
                    return
