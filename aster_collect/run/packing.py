"""What becomes of files that are closed or set aside: they are listed, compressed, and deleted when too old."""

import queue
from collections.abc import Iterable
from pathlib import Path
from threading import Event

from ..files import compress
from ..settings import Settings
from .listing import Listing
from .threads import Threads

ENDS_S = 0.5


class Packing:
    """The thread that keeps the manifest, and the one that compresses.

    ```
    closed, set aside ──▶ listing ──closed──▶ compress, where it is asked for
    ```
    """

    def __init__(self, settings: Settings, threads: Threads) -> None:
        self._settings, self._threads = settings, threads
        self._paths: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._stops = Event()
        self._begun = False
        self._listing = Listing(
            settings.data_dir, sync=settings.sync, keep_days=settings.keep_days, pass_on=self._compress
        )

    def begin(self) -> None:
        """Take back what the manifest says of files that will grow now; before any is opened."""
        self._begun = True
        self._listing.begin()

    def start(self) -> None:
        """Begin with what an earlier run has left; blocks for a look at the folder."""
        if self._settings.compress:
            self._threads.start("compress", lambda: compress.serve(self._paths, self._stops))
        if self._settings.rotate != "none" or self._settings.record:
            for path in compress.finish(self._settings.data_dir):
                self._compress(path)
        self._threads.start("listing", self._listing.run)
        self.take([])

    def _compress(self, path: Path) -> None:
        if self._settings.compress:
            self._paths.put(path)

    def take(self, paths: Iterable[Path]) -> None:
        """Have files listed that were closed or set aside, the closed ones compressed, and deleted what is too old."""
        self._listing.take(paths)

    def stop(self) -> None:
        """End what is under way: the next start finishes it."""
        self._listing.stop()
        self._stops.set()
        self._paths.put(None)

    def finish(self, renamed: Iterable[Path], *, is_whole: bool) -> None:
        """Wait until it has ended, half a second at most, and note how the files are left; `renamed` are the last.

        `is_whole` says that all rows are written.
        """
        if self._begun and self._threads.wait_for({"compress", "listing"}, ENDS_S):
            self._listing.finish(renamed, is_whole=is_whole)
