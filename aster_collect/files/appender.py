"""One file that only grows: bytes go out whole, once and in order, whatever the disk takes of them and when."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .plain import open_plain

OPEN_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT
fdatasync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)

Write = Callable[[int, bytes], int]


class Divider(NamedTuple):
    """What is to be done to a file between the rows before and those behind: a word, and what belongs to it."""

    do: str
    word: str = ""


class Pending:
    """Bytes that wait, and what is written of their first line; nothing behind a divider goes before it is passed.

    ```
    on disk ▏ begun │ front … ┃ divider ┃ … ┃ divider ┃ … ◀── append
    ```
    """

    def __init__(self) -> None:
        self.size = 0
        self._front: list[bytes] = []
        self._behind: list[tuple[Divider, list[bytes]]] = []  # each divider, and what is pending behind it
        self._begun = b""  # what is on disk of a line whose rest is pending

    def append(self, data: bytes) -> None:
        """Keep bytes behind all others."""
        (self._behind[-1][1] if self._behind else self._front).append(data)
        self.size += len(data)

    def add_divider(self, divider: Divider) -> None:
        """Keep a divider behind what is pending; the same again with nothing between is one."""
        if not (self._behind and self._behind[-1] == (divider, [])):
            self._behind.append((divider, []))

    @property
    def divider(self) -> Divider | None:
        """The divider that everything before has been written of, if there is one."""
        return self._behind[0][0] if self._behind and not self._front else None

    @property
    def dividers(self) -> list[Divider]:
        """All dividers, in order."""
        return [divider for divider, _ in self._behind]

    def pass_divider(self) -> None:
        """Let what is behind the divider be written."""
        _, self._front = self._behind.pop(0)

    def front(self) -> bytes:
        """Return what is to be written next: all before the first divider."""
        if len(self._front) > 1:
            self._front = [b"".join(self._front)]
        return self._front[0] if self._front else b""

    def written(self, data: bytes, done: int) -> bytes:
        """Note how much was written of the front's `data`; return the last line that became whole by it, if any did."""
        self.size -= done
        self._front = [] if done == len(data) else [data[done:]]
        end = data.rfind(b"\n", 0, done)
        if end < 0:
            self._begun += data[:done]
            return b""
        start = data.rfind(b"\n", 0, end) + 1
        line = data[start:end] if start else self._begun + data[:end]
        self._begun = data[end + 1 : done]
        return line

    def all(self) -> bytes:
        """Return all that is pending, without dividers, from the begin of a line on, of which a part may be on disk."""
        return self._begun + b"".join([*self._front, *(data for _, behind in self._behind for data in behind)])

    def take(self) -> bytes:
        """Return that, and keep nothing of it; no divider either."""
        data = self.all()
        self._front, self._behind, self._begun, self.size = [], [], b"", 0
        return data

    def begin_line(self) -> None:
        """Let the line of which a part was written be written whole: that part is not there any more."""
        if self._begun:
            self._front[0] = self._begun + self._front[0]
            self.size += len(self._begun)
            self._begun = b""

    def put_first(self, data: bytes, *, behind: bytes = b"") -> None:
        """Keep bytes in front of all that will be written, unless they are there; `behind` others that are."""
        first = self._front if self._front or not self._behind else self._behind[0][1]
        at = 1 if behind and first and first[0] == behind else 0
        if data and not (len(first) > at and first[at].startswith(data)):
            first.insert(at, data)
            self.size += len(data)


class Appender:
    """One file that only grows, by unbuffered writes; after an error the unwritten remainder is kept.

    A text file object under `csv.writer` loses or repeats rows after a full disk; a descriptor says what it took.
    Nothing behind a divider is written before its owner has changed the file.
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
        """Write what is pending before the first divider, and sync what was written; return how many bytes went out.

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

    def is_moved(self) -> bool:
        """Return whether the file that is being written has another name by now, as far as can be told."""
        try:
            return self.descriptor >= 0 and os.fstat(self.descriptor).st_nlink > 0 and not self.is_at_path()
        except OSError:
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
