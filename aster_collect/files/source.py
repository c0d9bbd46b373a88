"""A data file to be read, plain or compressed, in constant memory: blocks of whole lines, or its first or last row."""

import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

from ..exchange.streams.kind import Kind
from .names import PACKED, TABLE, Part
from .plain import read_plain
from .tail import BLOCK, find_tail, read_at

BLOCK_BYTES = 1 << 16
RANGE_BYTES = 1 << 20
END_BYTES = 512
LINE_BYTES = 1 << 20
_TRAILER = struct.Struct("<II")  # at the end of a gzip member: RFC 1952, section 2.3.1
BAD = (gzip.BadGzipFile, EOFError, zlib.error)


class Damaged(Exception):
    """The rest of a compressed file can't be had; the text says why."""


class Block(NamedTuple):
    """Bytes of a file: whole lines, or what is left behind the last line end."""

    data: bytes
    whole: bool


class Source:
    """An opened file. Of a plain one nothing is read that was written after it was opened."""

    def __init__(self, path: Path, part: Part, *, growing: bool = False, links: bool = False) -> None:
        """Open a file; raises `OSError`, for a link too unless `links` are followed.

        `growing` says that its last line may be under way: the first half of a row that a collector is writing.
        """
        self.name = path.name
        self.part = part
        self.growing = growing
        self._file: BinaryIO = path.open("rb", buffering=0) if links else read_plain(path)
        self.status = os.fstat(self._file.fileno())  # as it was when it was opened
        self._stream: BinaryIO | gzip.GzipFile = self._file
        self._left: int | None = None
        if path.suffix == PACKED:
            self._stream = gzip.GzipFile(fileobj=self._file)
        else:
            self._left = self.status.st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._file.close()

    @property
    def line_bytes(self) -> int:
        """What is longer is no line: more than any row of its kind."""
        return max(LINE_BYTES, TABLE[self.part.kind].row_bytes)

    @property
    def inode(self) -> int:
        """Which file it is, whatever it is called."""
        return self.status.st_ino

    @property
    def taken_bytes(self) -> int:
        """How much of the file, as it lies on the disk, has been read."""
        return self._file.tell()

    @property
    def ends(self) -> int:
        """The CRC-32 of the first and the last bytes of the file, as it lies on the disk: no two of a history share it.

        Closed files may well be of one size, and copies of one time.
        """
        last = max(0, self.status.st_size - END_BYTES)
        return zlib.crc32(self._at(0, min(END_BYTES, self.status.st_size)) + self._at(last, self.status.st_size - last))

    @property
    def packed(self) -> tuple[int, int] | None:
        """What a compressed file says of its content: the CRC-32, and the length modulo 2**32; None of a plain one."""
        start = self.status.st_size - _TRAILER.size
        if self._left is not None or start < 0:
            return None
        checksum, length = _TRAILER.unpack(self._at(start, _TRAILER.size))
        return checksum, length

    def _at(self, start: int, length: int) -> bytes:
        """Return bytes of the file as it lies on the disk, wherever it is being read."""
        return os.pread(self._file.fileno(), length, start)

    def blocks(self) -> Iterator[Block]:
        """Yield the lines in blocks, once; only the last block can be without a line end.

        A line longer than `line_bytes` (a run of NUL, say) ends the file early, as a block that is not whole. Raises
        `Damaged` for compressed data that can't be unpacked, `OSError` when the file can't be read.
        """
        tail, most = b"", self.line_bytes
        while chunk := self._read(BLOCK_BYTES):
            end = chunk.rfind(b"\n") + 1
            if end:
                yield Block(tail + chunk[:end], True)
                tail = chunk[end:]
            else:
                tail += chunk
                if len(tail) > most:
                    break
        if tail:
            yield Block(tail, False)

    def between(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from one place of the unpacked file up to another, in blocks; whatever was read before.

        Raises as `blocks` does; what was written after the file was opened may be among them.
        """
        try:
            self._stream.seek(start)
            while start < end and (data := self._stream.read(min(RANGE_BYTES, end - start))):
                yield data
                start += len(data)
        except BAD as error:
            raise Damaged(str(error)) from None

    def header(self) -> bytes:
        """Return the first line, empty where there is none that is whole; raises as `blocks` does."""
        return self._read(BLOCK).rpartition(b"\n")[0].partition(b"\n")[0]

    def first_row(self) -> bytes:
        """Return the line behind the header, empty where there is none; raises as `blocks` does."""
        lines = self._read(BLOCK).split(b"\n", 2)
        return lines[1] if len(lines) > 1 else b""

    def last_row(self, kind: Kind) -> str | None:
        """Return the last row near the end, None where there is none; raises as `blocks` does.

        A plain file is read from its end, a compressed one has to be read whole.
        """
        return self._last_row(kind) if self._left is not None else self._last_packed_row(kind)

    def _last_row(self, kind: Kind) -> str | None:
        descriptor = self._file.fileno()
        header, newline, _ = read_at(descriptor, BLOCK, 0).partition(b"\n")
        cells = header.count(b",") + 1
        tail = find_tail(descriptor, len(header + newline), lambda text: kind.is_row(cells, text), kind.row_bytes)
        return tail.last_row if tail else None

    def _last_packed_row(self, kind: Kind) -> str | None:
        header, _, end = self._read(BLOCK_BYTES).partition(b"\n")
        cells = header.count(b",") + 1
        while chunk := self._read(BLOCK_BYTES):
            end = (end + chunk)[-kind.row_bytes :]
        lines = end.decode("utf-8", "replace").split("\n")[:-1]
        return next((line for line in reversed(lines) if kind.is_row(cells, line)), None)

    def _read(self, size: int) -> bytes:
        """Return up to so many bytes, none at the end."""
        if self._left is not None:
            data = self._stream.read(min(size, self._left))
            self._left -= len(data)
            return data
        try:
            return self._stream.read(size)
        except BAD as error:
            raise Damaged(str(error)) from None
