"""One file that only grows: bytes go out whole, once and in order, whatever the disk takes of them and when."""

import os
from collections.abc import Callable
from pathlib import Path

from .pending import Pending
from .plain import open_plain

OPEN_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT
fdatasync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)

Write = Callable[[int, bytes], int]


class Appender:
    """One file that only grows, by unbuffered writes; after an error the unwritten remainder is kept.

    A text file object under `csv.writer` loses or repeats rows after a full disk; a descriptor says what it took.
    Nothing behind a mark is written before its owner has changed the file.
    """

    def __init__(self, path: Path, *, write: Write = os.write, sync: Callable[[int], None] | None = fdatasync) -> None:
        self.path = path
        self.descriptor = -1
        self.size = 0
        self.written_bytes = 0  # over all files that were under the path
        self.pending = Pending()
        self.unsynced = False
        self.last_line = b""  # the last whole one that went into the file that is open
        self._write, self._sync = write, sync

    def open(self) -> None:
        """Open or make the file; raises `OSError`."""
        self.descriptor = open_plain(self.path, OPEN_FLAGS)
        self.size = os.fstat(self.descriptor).st_size
        self.last_line = b""

    def flush(self, *, sync: bool = True) -> int:
        """Write what is pending before the first mark, and sync what was written; return how many bytes went out.

        Raises `OSError`; nothing is lost by it.
        """
        before = self.written_bytes
        if data := self.pending.front():
            self._write_out(data)
        if sync:
            self.sync()
        return self.written_bytes - before

    def sync(self) -> None:
        """Sync what was written since the last time."""
        if self.unsynced and self._sync is not None:
            self._sync(self.descriptor)
            self.unsynced = False

    def _write_out(self, data: bytes) -> None:
        length, done = len(data), 0
        try:
            done = self._write(self.descriptor, data)
            while done < length:
                done += self._write(self.descriptor, data[done:])
        finally:
            self.size += done
            self.written_bytes += done
            line = self.pending.written(data, done)
            if done:
                self.unsynced = True
                self.last_line = line or self.last_line

    def is_at_path(self) -> bool:
        """Return whether the file that is being written is the one under the path by now."""
        try:
            return self.descriptor >= 0 and os.path.samestat(self.path.lstat(), os.fstat(self.descriptor))
        except FileNotFoundError:
            return False

    def changed(self) -> str:
        """Return what somebody else did to the file since, in a word, or nothing."""
        status = os.fstat(self.descriptor)
        if status.st_nlink == 0:
            return "deleted"
        if status.st_size != self.size:
            return "truncated" if status.st_size < self.size else "written to"
        return ""

    def start_over(self, header: bytes) -> None:
        """Open another file under the same path: its header first, then what is pending, from a whole line on."""
        self.close()
        self.open()
        self.pending.begin_line()
        self.pending.put_first(header)

    def cut(self, end: int) -> None:
        """Take away everything from `end` on."""
        os.ftruncate(self.descriptor, end)
        self.size = end

    def close(self) -> None:
        """Close the file; what is pending stays pending."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor, self.unsynced = -1, False
