"""A file, copied with rows put between those that it has, by their ids."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from ..errors import DataError
from ..files.source import Source

Line = tuple[int, bytes]  # a row with its line end, and its id


def copy_with(source: Source, lines: Sequence[Line], write: Callable[[bytes], object]) -> None:
    """Write what a file holds, and rows where their ids belong; one whose id it has already is left out.

    What stands behind its last line end, the begin of a row, stays behind all. Raises `Damaged` and `OSError` as the
    source does, `DataError`.
    """
    at, is_header = 0, True
    for block in source.blocks():
        data = block.data
        if not block.whole:
            write(b"".join(line for _, line in lines[at:]) + data)
            return
        if is_header:
            header, newline, data = data.partition(b"\n")
            write(header + newline)
            is_header = False
        if not data:
            continue
        until = bisect_right(lines, _id(data, data.rfind(b"\n", 0, -1) + 1), at, key=_of)
        write(_merged(source.name, data, lines[at:until]) if until > at else data)
        at = until
    write(b"".join(line for _, line in lines[at:]))


def _merged(name: str, data: bytes, lines: Sequence[Line]) -> bytes:
    here = [(_id(line, 0), line) for line in data.splitlines(keepends=True)]
    known = {number for number, _ in here}
    if [number for number, _ in here] != sorted(known):
        raise DataError(f"{name}: its ids do not rise; 'aster-collect verify' says where")
    new = [line for line in lines if line[0] not in known]
    return b"".join(line for _, line in sorted([*here, *new], key=_of))


def find_lines(source: Source, numbers: Sequence[int]) -> Iterator[Line]:
    """Yield the rows that have one of some ids, which rise, without their line ends; raises as the source does."""
    at, is_header = 0, True
    for block in source.blocks():
        data = block.data[: block.data.rfind(b"\n") + 1]
        if is_header:
            data, is_header = data.partition(b"\n")[2], False
        if not data or at == len(numbers):
            continue
        last = _id(data, data.rfind(b"\n", 0, -1) + 1)
        while at < len(numbers) and numbers[at] <= last:
            begin = b"%d," % numbers[at]
            start = 0 if data.startswith(begin) else data.find(b"\n" + begin) + 1
            if start or data.startswith(begin):
                yield numbers[at], data[start : data.index(b"\n", start)]
            at += 1


def ids_between(source: Source, first: int, last: int) -> Iterator[int]:
    """Yield the ids of a file that lie between two, both included; raises as the source does."""
    for block in source.blocks():
        data = block.data[: block.data.rfind(b"\n") + 1]
        if not data.strip() or _id(data, data.rfind(b"\n", 0, -1) + 1) < first:
            continue
        for line in data.splitlines():
            number = line.partition(b",")[0]
            if number.isdigit() and first <= int(number) <= last:
                yield int(number)


def _id(data: bytes, start: int) -> int:
    return int(data[start : data.index(b",", start)])


def _of(line: Line) -> int:
    return line[0]
