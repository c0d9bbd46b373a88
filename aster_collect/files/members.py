"""Gzip members that say how long they are: where the last whole one of a file ends is found without unpacking the rest.

A member bears its own length in an extra field (RFC 1952, section 2.3.1.1), as BGZF's blocks do: whatever reads gzip
passes over it.
"""

import os
import struct
import zlib

from .tail import BLOCK, read_at, written_end

# Measured over real frames of quotes, trades and books, with their stamps: level 1 takes 0.65 us a frame and leaves a
# 7.4th, level 3 takes 0.9 us and leaves an 8th, level 6 takes 1.9 us and leaves a 10th. A smaller window is slower, as
# it is moved more often, and so is more memory for hashes.
LEVEL = 1
_MEMORY = 7
_HEAD = struct.Struct("<4sIBBH2sHI")  # magic, no time, fastest, no system, the extra fields' length; ours, its length
_FIXED = (b"\x1f\x8b\x08\x04", 0, 4, 255, 8, b"AC", 4)
_LIKE = _HEAD.pack(*_FIXED, 0)[:-4]
_TAIL = struct.Struct("<II")


class Member:
    """A member that is being made, in memory."""

    def __init__(self) -> None:
        self.packed_bytes = 0  # so far
        self._packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, _MEMORY)
        self._parts: list[bytes] = []
        self._checksum = self._length = 0

    def add(self, data: bytes) -> None:
        """Compress more; the GIL is free meanwhile."""
        self._checksum = zlib.crc32(data, self._checksum)
        self._length += len(data)
        self._keep(self._packer.compress(data))

    def _keep(self, part: bytes) -> None:
        if part:
            self._parts.append(part)
            self.packed_bytes += len(part)

    def end(self) -> bytes:
        """Return the whole member; nothing can be added any more."""
        self._keep(self._packer.flush())
        size = _HEAD.size + self.packed_bytes + _TAIL.size
        return b"".join(
            [_HEAD.pack(*_FIXED, size), *self._parts, _TAIL.pack(self._checksum, self._length & 0xFFFFFFFF)]
        )


def find_end(descriptor: int) -> int | None:
    """Return where the whole members of a file end; None where it is damaged otherwise than by a crash in a last one.

    Reads the heads, and the last member whole: a crash leaves a part of one, a power loss also NULs in its place.
    """
    size = os.fstat(descriptor).st_size
    at = last = 0
    while at < size:
        length = _length(head := read_at(descriptor, _HEAD.size, at))
        if not length and not _is_begun(head) and written_end(descriptor, at) > at:
            return None
        if not length or at + length > size:
            break
        last, at = at, at + length
    if at and not _is_whole(read_at(descriptor, at - last, last)):
        return last if written_end(descriptor, last) <= at - _TAIL.size else None
    return at


def _length(head: bytes) -> int:
    """Return how long the member is that begins so, 0 where none of ours does."""
    if len(head) < _HEAD.size or not head.startswith(_LIKE):
        return 0
    length: int = _HEAD.unpack(head)[-1]
    return length if length >= _HEAD.size + _TAIL.size else 0


def _is_begun(head: bytes) -> bool:
    """Return whether the file ends within a head of ours."""
    return len(head) < _HEAD.size and head[: len(_LIKE)] == _LIKE[: len(head)]


def _is_whole(member: bytes) -> bool:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        while member:
            unpacker.decompress(member, BLOCK)
            member = unpacker.unconsumed_tail
    except zlib.error:
        return False
    return unpacker.eof
