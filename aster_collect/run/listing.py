"""The manifest's thread: what becomes of files is noted there, and only then what is too old is deleted."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..files.contents import NOTHING, Counted, count
from ..files.histories import list_folder
from ..files.listed import Listed
from ..files.manifest import Writer, closed_line, deleted_line, growing_lines, lacking, sized_line
from ..files.rotate import closed_part, delete_expired
from ..files.source import Damaged

log = logging.getLogger(__name__)

COUNT_S = 60.0  # so often the lines of growing files are counted, so that little is left for the end
NEXT_S = 0.05  # between two files that the manifest lacks: there may be many, and nothing waits for them
FINISH_S = 1.5  # how long the end may take to read what is left


class Listing:
    """Keeps a folder's manifest: files are read on this thread, and compressed by another once they are listed.

    ```
    closed, set aside ──▶ read, hashed ──▶ noted ──▶ next: compressed
    nothing to do     ──▶ a file that the manifest lacks, or the lines of growing files counted
    the end           ──▶ how long what is not read yet is, and the growing files
    ```
    """

    def __init__(
        self, folder: Path, *, sync: bool = True, keep_days: int | None = None,
        pass_on: Callable[[Path], object] = str, wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        """`pass_on` is told of each closed file once it is listed, or can't be."""
        self._folder, self._keep_days, self._pass_on = folder, keep_days, pass_on
        self._wall_ns = wall_ns
        self._writer = Writer(folder, sync=sync)
        self._work: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._lacking: Iterator[Path] | None = None
        self._counted: dict[str, Counted] = {}
        self._left: list[Path] = []  # at the end, not read yet

    def begin(self) -> None:
        """Take back what the manifest says of growing files; before anything is opened. For the main thread."""
        self._writer.begin()

    def take(self, paths: Iterable[Path]) -> None:
        """Have files listed that were renamed, and deleted what is too old by then."""
        for path in (*paths, None):
            self._work.put(path)

    def stop(self) -> None:
        """Have the thread end, in the middle of a file."""
        self._stopping.set()
        self._work.put(None)

    def run(self) -> None:
        """Do what comes, and what the manifest lacks, until stopped. Blocks."""
        self._writer.note(())  # so that there is one
        self.catch_up()
        while not self._stopping.is_set():
            self.step(COUNT_S if self._lacking is None else NEXT_S)

    def step(self, patience_s: float = 0.0) -> bool:
        """Do the next thing that comes, or else what there is to do beside; return whether anything had come."""
        try:
            path = self._work.get(timeout=patience_s)
        except queue.Empty:
            self._do_beside()
            return False
        if path is not None:
            self._list(path)
            if closed_part(path.name) is not None:
                self._pass_on(path)
        elif self._keep_days is not None and not self._stopping.is_set():
            now_ms = self._wall_ns() // 1_000_000
            delete_expired(self._folder, self._keep_days, now_ms, lambda gone: self._note(map(deleted_line, gone)))
        return True

    def catch_up(self) -> None:
        """Look what the manifest lacks; it is listed when nothing else is to be done."""
        try:
            self._lacking = lacking(self._folder)
        except OSError as error:
            self._say(self._folder, error)

    def _do_beside(self) -> None:
        try:
            path = next(self._lacking, None) if self._lacking is not None else None
            if path is not None:
                self._list(path)
                return
            if self._lacking is None:
                self._count()
            self._lacking = None
        except OSError as error:
            self._lacking = None
            self._say(self._folder, error)

    def _list(self, path: Path) -> None:
        """Read a file, and note what it holds; one that can't be read by now is left to the end, or the next start."""
        try:
            line = None if self._stopping.is_set() else closed_line(path, self._stopping.is_set)
        except (OSError, Damaged) as error:
            self._say(path, error)
            return
        if line is not None:
            self._note([line])
        elif self._stopping.is_set():
            self._left.append(path)

    def _note(self, lines: Iterable[Listed]) -> None:
        if self._writer.note(lines):
            self.catch_up()

    def _count(self) -> None:
        """Count the lines of the files that grow, as far as they are written."""
        names = [entry.name for entry in list_folder(self._folder) if not entry.part.period and not entry.aside_ms]
        for name in names:
            if self._stopping.is_set():
                return
            try:
                self._counted[name] = count(
                    self._folder / name, self._counted.get(name, NOTHING), self._stopping.is_set
                )
            except OSError:
                self._counted.pop(name, None)  # it was renamed, or deleted

    def finish(self, renamed: Iterable[Path], *, is_whole: bool) -> None:
        """Note the rest, once the thread has ended: what is not read by its length, and if all is written what grows.

        `renamed` are the last files that were closed or set aside. For the main thread; blocks for a second or two.
        """
        end_s = time.monotonic() + FINISH_S
        while not self._work.empty():
            if (path := self._work.get()) is not None:
                self._left.append(path)
        for path in (*self._left, *renamed):
            if line := sized_line(path):
                self._note([line])
        if is_whole:
            try:
                self._note(growing_lines(self._folder, self._counted, lambda: time.monotonic() > end_s))
            except OSError as error:
                self._say(self._folder, error)
        self._writer.close()

    @staticmethod
    def _say(path: Path, error: Exception) -> None:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        log.error("file not listed file=%s why=%s", path.name, why)
