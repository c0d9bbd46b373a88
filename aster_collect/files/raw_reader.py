"""The raw record, read: its lines in order, over several files, in constant memory, and how many are missing where."""

import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from .members import Mark, find_end, unpacked
from .plain import read_plain
from .source import Damaged

LINE_BYTES = 16 << 20  # the largest answer of REST is 4 MiB
STAMP = 19
# In the place of lines that are not there, in the words of order/record.py.
_LOST = b'{"aster":"lost","lines":%d,"from_ns":%d,"to_ns":%d,"why":"missing"}'


class RawLines:
    """The lines of some files, which are given in order: of each its stamp, and its text.

    Where the members of a run show that lines of it are missing, a line `lost` stands in their place. What a crash left
    of a last member ends the lines of the last file; a run cuts it when it goes on. Nothing is read that was written
    after a file was opened. Raises `Damaged` for any other damage, in words that name file and line, and `OSError`.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = list(paths)
        self._name, self._number = "", 0
        self._stamp_ns = 0
        self._mark: Mark | None = None  # of the line to come, where members say how they stand

    @property
    def place(self) -> str:
        """Where the last line stands that was given."""
        return f"{self._name}: line {self._number}"

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        for path in self._paths:
            self._name, self._number = path.name, 0
            yield from self._of_file(path, is_last=path is self._paths[-1])

    def _of_file(self, path: Path, *, is_last: bool) -> Iterator[tuple[int, bytes]]:
        with read_plain(path) as file:
            size, end = os.fstat(file.fileno()).st_size, find_end(file.fileno())
            file.seek(0)
            try:
                yield from self._of_members(_Beginning(file, size if end is None else end))
            except EOFError:  # not one of ours, which would say how long it is
                torn = True
            except zlib.error as error:
                raise self._damaged(f"can't be unpacked: {error}") from None
            else:
                torn = end is not None and end < size
            if torn and not is_last:
                raise self._damaged("the file ends within it, and another follows")

    def _of_members(self, file: "_Beginning") -> Iterator[tuple[int, bytes]]:
        member, rest, missing = 0, b"", 0
        for piece in unpacked(file):  # one at a time: what stands before a tear is not lost to it
            if piece.member != member:
                member = piece.member
                missing = self._begin(piece.mark)
            *lines, rest = (rest + piece.text).split(b"\n")
            for line in lines:
                stamp_ns, text = self._parted(line)
                if missing:
                    yield self._stamp_ns, _LOST % (missing, self._stamp_ns, stamp_ns)
                    missing = 0
                self._number, self._stamp_ns = self._number + 1, stamp_ns
                yield stamp_ns, text
            if self._mark is not None:
                self._mark = Mark(self._mark.run_ns, self._mark.lines_before + len(lines))
            if len(rest) > LINE_BYTES:
                break
        if rest:
            raise self._damaged("has no end")

    def _begin(self, mark: Mark | None) -> int:
        """Begin with a member that stands there; return how many lines of its run are missing before it."""
        before, self._mark = self._mark, mark
        if before is None or mark is None:
            return 0
        if mark.run_ns != before.run_ns and mark.lines_before:
            raise self._damaged(f"is of a run whose first {mark.lines_before} lines are not before it")
        missing = mark.lines_before - before.lines_before if mark.run_ns == before.run_ns else 0
        if missing < 0:
            raise self._damaged(f"{-missing} lines come a second time")
        return missing

    def _parted(self, line: bytes) -> tuple[int, bytes]:
        stamp, text = line[:STAMP], line[STAMP + 1 :]
        if not (len(stamp) == STAMP and stamp.isdigit() and line[STAMP : STAMP + 1] == b" " and text[:1] == b"{"):
            raise self._damaged(f"is not `<19 digits: Unix ns> <JSON object>`: {line[:60]!r}")
        return int(stamp), text

    def _damaged(self, why: str) -> Damaged:
        """Return what is wrong with the line to come."""
        return Damaged(f"{self._name}: line {self._number + 1}: {why}")


class _Beginning:
    """A file up to an offset."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file, self._left = file, end

    def read(self, size: int) -> bytes:
        """Return so many bytes, or what there is."""
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data
