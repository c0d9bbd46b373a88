"""The end of a file after a crash: where its last whole row ends, and what lies behind it.

Reads from the end backwards, so that the cost does not depend on the file's size.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

BLOCK = 1 << 16
SEARCH_LIMIT = 1 << 20  # more damage than this before a whole row is no torn tail


class Tail(NamedTuple):
    """Where whole rows end, the last of them (None if only the header is whole), and the bytes behind, NULs apart.

    `nuls` counts zero bytes at the very end: what a power loss leaves of blocks that were never written.
    """

    end: int
    last_row: str | None
    torn: bytes
    nuls: int


def read_at(descriptor: int, length: int, offset: int) -> bytes:
    """Return up to `length` bytes from an offset on."""
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, length)


def find_tail(descriptor: int, start: int, is_row: Callable[[str], bool], row_bytes: int = BLOCK) -> Tail | None:
    """Return a file's tail behind its header, which ends at `start`; None if no whole row is near the end.

    A last line counts as a row when it ends in a newline and `is_row` says so of its text; none is longer than
    `row_bytes`.
    """
    size = os.fstat(descriptor).st_size
    written = written_end(descriptor, start)
    end, reach = written, BLOCK
    while end > start:
        low = max(start, end - reach)
        block = read_at(descriptor, end - low, low)
        newline = block.rfind(b"\n")
        stop = newline + 1
        begin = block.rfind(b"\n", 0, max(newline, 0)) + 1
        if begin == 0 and low > start:  # its last line begins before it
            if reach > 2 * row_bytes:
                return None  # no row is that long, nor are two
            reach *= 2
            continue
        if max(newline - begin, len(block) - stop) > row_bytes:
            return None
        reach = BLOCK
        line = block[begin:newline] if newline >= 0 else b""
        text = _text(line)
        if text is not None and is_row(text):
            return Tail(low + stop, text, read_at(descriptor, written - low - stop, low + stop), size - written)
        end = low + begin
        if written - end > SEARCH_LIMIT:
            return None
    return Tail(start, None, read_at(descriptor, written - start, start), size - written)


def lines_before(descriptor: int, start: int, end: int) -> list[str]:
    """Return the lines before `end`, as many as one block holds; whole, and none from before `start`."""
    low = max(start, end - BLOCK)
    lines = read_at(descriptor, end - low, low).decode("utf-8", "replace").split("\n")[:-1]
    return lines if low == start else lines[1:]


def last_line_end(descriptor: int) -> int:
    """Return where the last line that has its newline ends, however long the lines are; 0 if there is none."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        low = max(0, end - BLOCK)
        newline = read_at(descriptor, end - low, low).rfind(b"\n")
        if newline >= 0:
            return low + newline + 1
        end = low
    return 0


def written_end(descriptor: int, start: int = 0) -> int:
    """Return where the NULs at the end of a file begin, `start` at least."""
    end = os.fstat(descriptor).st_size
    while end > start:
        low = max(start, end - BLOCK)
        block = read_at(descriptor, end - low, low).rstrip(b"\0")
        if block:
            return low + len(block)
        end = low
    return start


def _text(line: bytes) -> str | None:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and text else None
