"""One file of the raw record, open: whole gzip members alone, whatever a crash or a full disk made of it."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from .appender import OPEN_FLAGS, Write
from .folder import aside_name
from .members import find_end
from .names import RAW_ENDING
from .plain import open_plain
from .rotate import sync_folder

log = logging.getLogger(__name__)


class RawFile:
    """A file that only grows, by a member at a time.

    ```
    open ─┬─ a torn last member is cut ──────────────────────────┬─▶ append, sync ──▶ close
          └─ damaged otherwise: set aside whole, a fresh one ────┘
    ```
    """

    def __init__(
        self, path: Path, *, write: Write, sync: Callable[[int], None] | None, wall: Callable[[], float]
    ) -> None:
        """Open or make the file; raises `OSError`."""
        self.path = path
        self._write, self._sync, self._wall = write, sync, wall
        self._done = 0  # how much of a member is written whose rest is not
        self._unsynced = False
        if path.is_symlink():
            self._set_aside("is_a_link")
        self._descriptor = open_plain(path, OPEN_FLAGS)
        try:
            self._size = self._make_whole()
            if not self._size and sync is not None:
                sync_folder(path.parent)
        except BaseException:
            os.close(self._descriptor)
            raise

    def _make_whole(self) -> int:
        """Leave whole members alone, and return how long they are."""
        end, size = find_end(self._descriptor), os.fstat(self._descriptor).st_size
        if end is None:
            self._set_aside("damaged")
            fresh = open_plain(self.path, OPEN_FLAGS)
            os.close(self._descriptor)
            self._descriptor = fresh
            return 0
        if end < size:
            os.ftruncate(self._descriptor, end)
            log.warning("tail repaired file=%s cut_bytes=%d", self.path.name, size - end)
        return end

    def _set_aside(self, why: str) -> None:
        other = aside_name(self.path, self._wall(), RAW_ENDING)
        self.path.rename(other)
        log.warning("file set aside file=%s as=%s why=%s", self.path.name, other.name, why)

    def append(self, member: bytes) -> None:
        """Write a member whole; raises `OSError`, and is to be called again with the same one then."""
        while self._done < len(member):
            done = self._write(self._descriptor, member[self._done :] if self._done else member)
            self._done += done
            self._size += done
            self._unsynced = True
        self._done = 0

    def sync(self) -> None:
        """Sync what was written since the last time; raises `OSError`."""
        if self._unsynced and self._sync is not None:
            self._sync(self._descriptor)
        self._unsynced = False

    def changed(self) -> str:
        """Return in a word what another program did to the file, or nothing; no more is to be written to it then."""
        status = os.fstat(self._descriptor)
        if not status.st_nlink:
            return "deleted"
        if status.st_size != self._size:
            return "truncated" if status.st_size < self._size else "written to"
        try:
            return "" if os.path.samestat(self.path.lstat(), status) else "moved"
        except FileNotFoundError:
            return "moved"

    def close(self) -> None:
        """Close the file; what is there of a member whose rest is not is taken out."""
        if self._done and os.fstat(self._descriptor).st_size == self._size:
            os.ftruncate(self._descriptor, self._size - self._done)
        os.close(self._descriptor)
