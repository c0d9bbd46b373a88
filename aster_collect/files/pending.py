"""What is to be written to a file: bytes in order, with marks between them for what is done to the file. Pure."""

from typing import NamedTuple


class Mark(NamedTuple):
    """What is to be done to a file between the rows before and those behind: a word, and what belongs to it."""

    do: str
    word: str = ""


class Pending:
    """Bytes that wait, and what is written of their first line; nothing behind a mark is in front before it is passed.

    ```
    on disk ▏ begun │ front … ┃ mark ┃ … ┃ mark ┃ … ◀── append
    ```
    """

    def __init__(self) -> None:
        self.size = 0
        self._front: list[bytes] = []
        self._behind: list[tuple[Mark, list[bytes]]] = []  # each mark, and what is pending behind it
        self._begun = b""  # what is on disk of a line whose rest is pending

    def append(self, data: bytes) -> None:
        """Keep bytes behind all others."""
        (self._behind[-1][1] if self._behind else self._front).append(data)
        self.size += len(data)

    def add_mark(self, mark: Mark) -> None:
        """Keep a mark behind what is pending; the same again with nothing between is one."""
        if not (self._behind and self._behind[-1] == (mark, [])):
            self._behind.append((mark, []))

    @property
    def mark(self) -> Mark | None:
        """The mark that everything before has been written of, if there is one."""
        return self._behind[0][0] if self._behind and not self._front else None

    @property
    def marks(self) -> list[Mark]:
        """All marks, in order."""
        return [mark for mark, _ in self._behind]

    def pass_mark(self) -> None:
        """Let what is behind the mark be written."""
        _, self._front = self._behind.pop(0)

    def front(self) -> bytes:
        """Return what is to be written next: all before the first mark."""
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
        """Return all that is pending, marks left out, from the begin of a line on, of which a part may be on disk."""
        return self._begun + b"".join([*self._front, *(data for _, behind in self._behind for data in behind)])

    def take(self) -> bytes:
        """Return that, and keep nothing of it; no mark either."""
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
