"""The threads of one run, and the one queue on which they and the signals speak to the main thread."""

import logging
import math
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from ..exchange.events import Answer

log = logging.getLogger(__name__)

FAILED = 1
HANGUP = getattr(signal, "SIGHUP", 0)  # reopen the files; Windows has no such signal
ONE_SIGNAL_S = 0.25  # `timeout` and some wrappers signal twice: the process, and its group


class Signalled(NamedTuple):
    """A signal came."""

    number: int


class Ended(NamedTuple):
    """A thread ended, by an error or of its own accord."""

    name: str
    error: Exception | None


class Aged(NamedTuple):
    """A connection is old: its successor is wanted."""

    connection: int


class Renamed(NamedTuple):
    """Files were closed because their hour or day is over, or set aside."""

    paths: list[Path]


class Over(NamedTuple):
    """The run is to end: a signal came, or its time is over."""


Control = queue.SimpleQueue[Signalled | Ended | Aged | Answer | Renamed]
Message = Signalled | Ended | Aged | Answer | Renamed | Over | None


class Threads:
    """Starts threads, says what comes next, and waits for their ends; every end is said once, and none is lost."""

    def __init__(self, control: Control, duration_s: float | None) -> None:
        """`duration_s` counts from now on."""
        self.by_duration = False  # whether the run ends because its time was over
        self._control = control
        self._end_s = math.inf if duration_s is None else time.monotonic() + duration_s
        self._running: set[str] = set()
        self._signalled_s: float | None = None

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Have a thread do this; its end is a message."""

        def guarded() -> None:
            self._control.put(Ended(name, self.guard(name, work)))

        self._running.add(name)
        threading.Thread(target=guarded, name=name, daemon=True).start()

    def guard(self, name: str, work: Callable[[], None]) -> Exception | None:
        """Do a thread's work; what ends it is logged and returned, so that the others are stopped in order."""
        try:
            work()
        except Exception as error:  # the one place: a thread's end is reported, whatever ended it
            log.exception("thread failed name=%s", name)
            return error
        return None

    def next(self, moment_s: float) -> Message:
        """Block until something comes and return it, None at a moment of the monotonic clock, `Over` for the end.

        Nothing that came is dropped: that a thread has ended is said once.
        """
        if time.monotonic() >= self._end_s:
            log.info("stop why=duration")
            self.by_duration = True
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
            self._running.discard(message.name)
        return message

    def wait_for(self, names: Iterable[str], patience_s: float) -> bool:
        """Block until these threads have ended, or patience has; a second signal ends the process here."""
        end_s = time.monotonic() + patience_s
        while not self._running.isdisjoint(names):
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
                self._running.discard(message.name)
        return True


def _exit_at_once() -> None:
    """End the process, whatever the others do; what can be said in half a second is, a terminal may be stopped."""
    log.error("stop at once why=second_signal")
    for handler in logging.getLogger().handlers:
        handler.flush()
    os._exit(FAILED)


def _until(moment_s: float) -> float | None:
    """Return how many seconds are left, None for a moment that never comes."""
    return None if math.isinf(moment_s) else max(0.0, moment_s - time.monotonic())
