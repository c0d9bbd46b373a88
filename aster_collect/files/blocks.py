"""A file as blocks of whole lines, in constant memory whatever the file holds."""

import gzip
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from .archive import Source

BLOCK_BYTES = 1 << 18
LINE_BYTES = 1 << 20


class Damaged(Exception):
    """The rest of a compressed file can't be had; the text says why."""


class Block(NamedTuple):
    """Bytes of a file: whole lines, or what is left behind the last line end."""

    data: bytes
    whole: bool


def blocks(source: Source) -> Iterator[Block]:
    """Yield a file's lines in blocks; only the last block can be without a line end.

    A line longer than `LINE_BYTES` (a run of NUL, say) ends the file early, as a block that is not whole. Raises
    `Damaged` for compressed data that can't be unpacked, `OSError` when the file can't be read.
    """
    tail = b""
    left = source.size
    while chunk := _read(source, BLOCK_BYTES if left is None else min(left, BLOCK_BYTES)):
        if left is not None:
            left -= len(chunk)
        end = chunk.rfind(b"\n") + 1
        if end:
            yield Block(tail + chunk[:end], True)
            tail = chunk[end:]
        else:
            tail += chunk
            if len(tail) > LINE_BYTES:
                break
    if tail:
        yield Block(tail, False)


def _read(source: Source, size: int) -> bytes:
    try:
        return source.stream.read(size)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Damaged(str(error)) from None
