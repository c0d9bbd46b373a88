"""One folder's history of a kind, block by block: its lines, each checked before it is taken, and where they stand."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path

from ..archive import DamagedFile
from ..exchange.events import Gap
from ..exchange.shape import NONE, reason
from ..exchange.streams.kind import Kind
from ..files.source import Damaged, Source
from .columns import SEE, Columns
from .lacking import Stretches

Tell = Callable[[int, int], object]  # rows and bytes, more of each

NO_TIME = -1


class Feed:
    """The rows of one history that are not taken yet, as far as they are read.

    `data` are whole lines, `last` is the last one that was taken, and `last_key` its key, which is for who takes it to
    say. `first_ms` is the time of the first row that was taken.
    """

    def __init__(self, folder: Path, kind: Kind, sources: Iterator[Source], columns: Columns, tell: Tell) -> None:
        """`tell` is called with how many rows, and bytes on the disk, were read."""
        self.kind, self.columns = kind, columns
        self.last = b""
        self.last_key = NONE
        self.first_ms = NO_TIME
        self.ended = False
        self.inside: list[int] = []  # times of rows within those of its stretches that should hold none
        self._stretches = Stretches(())
        self.folder, self._tell = folder, tell
        self._data = b""
        self._checked = 0  # bytes of the data
        self._lines: list[bytes] | None = None  # of the data
        self._row = 0  # how many of these are taken
        self._taken = self._read_rows = 0
        self._marks: list[tuple[int, str, int]] = []  # how many rows were read before, a file, a line
        self._blocks = self._read(sources)

    @property
    def data(self) -> bytes:
        """All lines that are not taken, as far as they are read."""
        self._let_go()
        return self._data

    def watch(self, gaps: Iterable[Gap]) -> None:
        """Note from now on which rows lie within stretches of the folder's ledger."""
        self._stretches = Stretches(gaps)

    def more(self, size: int = 1) -> bool:
        """Read blocks until these are so many bytes, or all is read; return whether there were any."""
        blocks = []
        while size > 0 and (block := next(self._blocks, b"")):
            blocks.append(block)
            size -= len(block)
        self.ended = size > 0
        if blocks:
            self._data = b"".join((self.data, *blocks))
            self._lines = None
        return bool(blocks)

    def fill(self) -> bool:
        """Read another block if there is no line; return whether there is one."""
        return bool(self._data) or (not self.ended and self.more())

    def _read(self, sources: Iterator[Source]) -> Iterator[bytes]:
        """Yield blocks of whole lines, of one file each."""
        for source in sources:
            name, line, has_header, told = str(self.folder / source.name), 1, False, 0
            try:
                for block in source.blocks():
                    data = block.data
                    if not block.whole:
                        if source.growing and len(data) <= source.line_bytes:
                            break
                        raise DamagedFile(f"{name}:{line}: a line without an end{SEE}")
                    if not has_header:
                        header, _, data = data.partition(b"\n")
                        self.columns.take(name, header)
                        line, has_header = 2, True
                    rows = data.count(b"\n")
                    self._tell(rows, source.taken_bytes - told)
                    told = source.taken_bytes
                    if data:
                        self._marks.append((self._read_rows, name, line))
                        self._read_rows, line = self._read_rows + rows, line + rows
                        yield data
            except Damaged as error:
                raise DamagedFile(f"{name}:{line}: {error}{SEE}") from None
            if not has_header and not source.growing:
                raise DamagedFile(f"{name}:1: empty, without even a header{SEE}")

    def where(self, row: int) -> str:
        """Return file and line of a row, counted from the first one that is not taken."""
        row += self._taken
        at = bisect_right(self._marks, row, key=itemgetter(0)) - 1
        before, name, line = self._marks[at]
        return f"{name}:{line + row - before}"

    def check(self, end: int) -> None:
        """Raise `DamagedFile` unless all lines up to there are rows."""
        if end <= self._checked:
            return
        shape = self.columns.shape
        match = shape.pattern.match(self._data, self._checked, end)
        good = match.end() if match else self._checked
        if good < end:
            line, row = self._data[good : self._data.index(b"\n", good) + 1], self._data.count(b"\n", 0, good)
            raise DamagedFile(f"{self.where(row)}: {reason(line, shape)}{SEE}")
        self._checked = end

    @property
    def lines(self) -> list[bytes]:
        """All lines that are not taken, as far as they are read, without their ends; each is checked."""
        self._let_go()
        if self._lines is None:
            self.check(len(self._data))
            self._lines = self._data[:-1].split(b"\n") if self._data else []
        return self._lines

    def split(self) -> None:
        """Check all lines, and look at them one by one from now on."""
        if self._lines is None:
            self._lines = self.lines

    @property
    def first(self) -> bytes:
        """The first line that is not taken; there is one."""
        return self._data[: self._data.index(b"\n")] if self._lines is None else self._lines[self._row]

    @property
    def final(self) -> bytes:
        """The last line that is read; there is one."""
        return self._data[self._data.rfind(b"\n", 0, -1) + 1 : -1]

    def take_bytes(self, size: int, rows: int) -> None:
        """Let go of so many bytes, which are so many whole lines, one at least."""
        data = self.data
        self._note(
            self.first, data[data.rfind(b"\n", 0, size - 1) + 1 : size - 1], lambda: data[: size - 1].split(b"\n")
        )
        self._checked = max(0, self._checked - size)
        self._data = data[size:]
        self._lines = None
        self._gone(rows)

    def take_rows(self, rows: int) -> None:
        """Let go of so many lines, one at least, of those that `lines` has shown."""
        lines = self._lines
        assert lines is not None, "no lines were looked at"
        start = self._row
        self._note(lines[start], lines[start + rows - 1], lambda: lines[start : start + rows])
        self._row += rows
        if self._row == len(lines):
            self._data, self._lines, self._row, self._checked = b"", None, 0, 0
        self._gone(rows)

    def _let_go(self) -> None:
        """Forget the lines that were taken one by one."""
        if self._lines is not None and self._row:
            size = sum(map(len, self._lines[: self._row])) + self._row
            self._data, self._checked = self._data[size:], self._checked - size
            del self._lines[: self._row]
            self._row = 0

    def _note(self, first: bytes, last: bytes, lines: Callable[[], Sequence[bytes]]) -> None:
        if self.first_ms == NO_TIME:
            self.first_ms = self.time_ms(first)
        self.last = last
        if self._stretches.any and self._stretches.near(self.time_ms(first), self.time_ms(last)):
            self.inside += self._stretches.within(cells_of(lines(), self.columns.shape.time))

    def _gone(self, rows: int) -> None:
        self._taken += rows
        while len(self._marks) > 1 and self._marks[1][0] <= self._taken:
            del self._marks[0]

    def time_ms(self, line: bytes) -> int:
        """Return the time in a line, in milliseconds."""
        return cell_of(line, self.columns.shape.time)

    @property
    def extent(self) -> tuple[int, int] | None:
        """The times of the first and the last row taken, in milliseconds; None where there was none."""
        return (self.first_ms, self.time_ms(self.last)) if self.last else None


def cell_of(line: bytes, at: int) -> int:
    """Return a cell of a line as a number: an id, or a time in milliseconds."""
    return int(line.split(b",", at + 1)[at].replace(b".", b""))


def cells_of(lines: Sequence[bytes], at: int) -> list[int]:
    """Return one cell of each line as a number: ids, or times in milliseconds."""
    if not at:
        return [int(line[: line.index(b",")].replace(b".", b"")) for line in lines]
    return [int(line.split(b",", at + 1)[at].replace(b".", b"")) for line in lines]


def shared_bytes(feeds: Sequence[Feed]) -> int:
    """Return with how many bytes of whole lines all of them go on alike."""
    first, *others = feeds
    size = min(len(feed.data) for feed in feeds)
    data = first.data
    for feed in others:
        size = _shared(data, feed.data, size)
    return data.rfind(b"\n", 0, size) + 1


def _shared(one: bytes, other: bytes, size: int) -> int:
    """Return how many bytes of two are the same, `size` at most."""
    if one[:size] == other[:size]:
        return size
    same = 0  # so many bytes are
    while size - same > 1:
        middle = (same + size) // 2
        if one[same:middle] == other[same:middle]:
            same = middle
        else:
            size = middle
    return same
