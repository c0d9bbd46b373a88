"""The raw record, read: its lines in order, over several files, in constant memory."""

import os
import zlib
from collections.abc import Iterable, Iterator
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from typing import BinaryIO

from .members import find_end
from .plain import read_plain
from .source import Damaged

BLOCK_BYTES = 1 << 18
LINE_BYTES = 16 << 20  # the largest answer of REST is 4 MiB
STAMP = 19


def read_raw(paths: Iterable[Path]) -> Iterator[tuple[int, bytes]]:
    """Yield each line of some files, which are given in order: its stamp, and its text.

    What a crash left of a last member ends the lines of the last file; a run cuts it when it goes on. Nothing is read
    that was written after a file was opened. Raises `Damaged` for any other damage, in words that name file and line,
    and `OSError`.
    """
    waiting = list(paths)
    for path in waiting:
        yield from _lines(path, is_last=path is waiting[-1])


class _Beginning:
    """A file up to an offset."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file, self._left = file, end

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


def _lines(path: Path, *, is_last: bool) -> Iterator[tuple[int, bytes]]:
    number = 0
    with read_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        end = find_end(file.fileno())
        file.seek(0)
        torn = end is not None and end < size
        for line in _texts(path, _Beginning(file, size if end is None else end), is_last=is_last):
            number += 1
            yield _parted(line, path, number)
        if torn and not is_last:
            raise _torn(path, number)


def _texts(path: Path, file: _Beginning, *, is_last: bool) -> Iterator[bytes]:
    number, rest = 0, b""
    with GzipFile(fileobj=file) as stream:  # type: ignore[call-overload]
        while True:
            try:
                block = stream.read1(BLOCK_BYTES)  # one piece at a time: what stands before a tear is not lost to it
            except EOFError:  # not one of ours, which would say how long it is
                if is_last:
                    return
                raise _torn(path, number) from None
            except (BadGzipFile, zlib.error) as error:
                raise Damaged(f"{path.name}: line {number + 1}: can't be unpacked: {error}") from None
            *lines, rest = (rest + block).split(b"\n")
            yield from lines
            number += len(lines)
            if not block or len(rest) > LINE_BYTES:
                break
    if rest:
        raise Damaged(f"{path.name}: line {number + 1}: has no end")


def _torn(path: Path, number: int) -> Damaged:
    return Damaged(f"{path.name}: line {number + 1}: the file ends within it, and another follows")


def _parted(line: bytes, path: Path, number: int) -> tuple[int, bytes]:
    stamp, text = line[:STAMP], line[STAMP + 1 :]
    if not (len(stamp) == STAMP and stamp.isdigit() and line[STAMP : STAMP + 1] == b" " and text[:1] == b"{"):
        raise Damaged(f"{path.name}: line {number}: is not `<19 digits: Unix ns> <JSON object>`: {line[:60]!r}")
    return int(stamp), text
