"""What becomes of files that are closed: they are compressed in the background, and deleted when they are too old."""

import queue
import time
from pathlib import Path
from threading import Event

from ..files import compress
from ..files.rotate import delete_expired
from ..settings import Settings
from .threads import Threads

ENDS_S = 0.5


class Packing:
    """The thread that compresses, and the look at what is too old."""

    def __init__(self, settings: Settings, threads: Threads) -> None:
        self._settings, self._threads = settings, threads
        self._paths: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._stops = Event()

    def start(self) -> None:
        """Begin with what an earlier run has left; blocks for a look at the folder."""
        if self._settings.compress:
            self._threads.start("compress", lambda: compress.serve(self._paths, self._stops))
        if self._settings.rotate != "none" or self._settings.record:
            self.take(compress.finish(self._settings.data_dir))

    def take(self, paths: list[Path]) -> None:
        """Have closed files compressed, and delete those that are too old."""
        settings = self._settings
        if settings.compress:
            for path in paths:
                self._paths.put(path)
        if settings.keep_days is not None:
            delete_expired(settings.data_dir, settings.keep_days, time.time_ns() // 1_000_000)

    def stop(self) -> None:
        """End what is under way: the next start finishes it."""
        self._stops.set()
        self._paths.put(None)

    def wait(self) -> None:
        """Wait until it has ended, half a second at most."""
        self._threads.wait_for({"compress"}, ENDS_S)
