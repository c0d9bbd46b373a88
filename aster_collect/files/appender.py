"""One file that only grows: bytes go out whole, once and in order, whatever the disk takes of them and when."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .plain import open_plain

OPEN_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT
fdatasync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)

Write = Callable[[int, bytes], int]


class Mark(NamedTuple):
    """What is to be done to a file between the rows before and those behind: a word, and what belongs to it."""

    do: str
    word: str = ""


class Appender:
    """One file that only grows, by unbuffered writes; after an error the unwritten remainder is kept.

    A text file object under `csv.writer` loses or repeats rows after a full disk; a descriptor says what it took.
    What is pending can hold marks: nothing behind a mark is written before its owner has changed the file.
    """

    def __init__(self, path: Path, *, write: Write = os.write, sync: Callable[[int], None] | None = fdatasync) -> None:
        self.path = path
        self.descriptor = -1
        self.size = 0
        self.written_bytes = 0  # over all files that were under the path
        self.pending_bytes = 0
        self.unsynced = False
        self.last_line = b""  # the last whole one that went into the file that is open
        self._pending: list[bytes] = []
        self._behind: list[tuple[Mark, list[bytes]]] = []  # each mark, and what is pending behind it
        self._begun = b""  # what is on disk of a line whose rest is pending
        self._write, self._sync = write, sync

    def open(self) -> None:
        """Open or make the file; raises `OSError`."""
        self.descriptor = open_plain(self.path, OPEN_FLAGS)
        self.size = os.fstat(self.descriptor).st_size
        self.last_line = b""

    def append(self, data: bytes) -> None:
        """Keep bytes for the next flush."""
        if data:
            (self._behind[-1][1] if self._behind else self._pending).append(data)
            self.pending_bytes += len(data)

    def add_mark(self, mark: Mark) -> None:
        """Keep a mark behind what is pending; the same again with nothing between is one."""
        if not (self._behind and self._behind[-1] == (mark, [])):
            self._behind.append((mark, []))

    @property
    def mark(self) -> Mark | None:
        """The mark that everything before has been written of, if there is one."""
        return self._behind[0][0] if self._behind and not self._pending else None

    @property
    def marks(self) -> list[Mark]:
        """All marks, in order."""
        return [mark for mark, _ in self._behind]

    def pass_mark(self) -> None:
        """Let what is behind the mark be written."""
        _, self._pending = self._behind.pop(0)

    def pending(self) -> bytes:
        """Return all that is pending, marks left out, from the begin of a line on, of which a part may be on disk."""
        return self._begun + b"".join([*self._pending, *(data for _, behind in self._behind for data in behind)])

    def take_pending(self) -> bytes:
        """Return that, and keep nothing of it; no mark either."""
        data = self.pending()
        self._pending, self._behind, self._begun, self.pending_bytes = [], [], b"", 0
        return data

    def flush(self, *, sync: bool = True) -> int:
        """Write what is pending before the first mark, and sync what was written; return how many bytes went out.

        Raises `OSError`; nothing is lost by it.
        """
        before = self.written_bytes
        if self._pending:
            self._write_pending()
        if sync:
            self.sync()
        return self.written_bytes - before

    def sync(self) -> None:
        """Sync what was written since the last time."""
        if self.unsynced and self._sync is not None:
            self._sync(self.descriptor)
            self.unsynced = False

    def _write_pending(self) -> None:
        pending = self._pending
        data = pending[0] if len(pending) == 1 else b"".join(pending)
        length, done = len(data), 0
        try:
            done = self._write(self.descriptor, data)
            while done < length:
                done += self._write(self.descriptor, data[done:])
        finally:
            self.size += done
            self.written_bytes += done
            self.pending_bytes -= done
            self._pending = [] if done == length else [data[done:]]
            if done:
                self.unsynced = True
                self._note(data, done)

    def _note(self, data: bytes, done: int) -> None:
        """Remember the last whole line of what went out, and what was begun of the next."""
        end = data.rfind(b"\n", 0, done)
        if end < 0:
            self._begun += data[:done]
            return
        start = data.rfind(b"\n", 0, end) + 1
        self.last_line = data[start:end] if start else self._begun + data[:end]
        self._begun = data[end + 1 : done]

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
        self.begin_line()
        self.put_first(header)

    def begin_line(self) -> None:
        """Let the line of which a part was written be written whole: that part is not there any more."""
        if self._begun:
            self._pending[0] = self._begun + self._pending[0]
            self.pending_bytes += len(self._begun)
            self._begun = b""

    def put_first(self, data: bytes, *, behind: bytes = b"") -> None:
        """Keep bytes in front of all that will be written, unless they are there; `behind` others that are."""
        first = self._pending if self._pending or not self._behind else self._behind[0][1]
        at = 1 if behind and first and first[0] == behind else 0
        if data and not (len(first) > at and first[at].startswith(data)):
            first.insert(at, data)
            self.pending_bytes += len(data)

    def cut(self, end: int) -> None:
        """Take away everything from `end` on."""
        os.ftruncate(self.descriptor, end)
        self.size = end

    def close(self) -> None:
        """Close the file; what is pending stays pending."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor, self.unsynced = -1, False
