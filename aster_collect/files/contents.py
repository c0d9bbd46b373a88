"""What a file holds, for the manifest: its rows, counted, its ends, and the hash of its bytes, unpacked."""

import gzip
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ..exchange.streams.kind import Kind
from .listed import Content
from .names import TABLE, Part
from .plain import read_plain
from .source import BAD, Damaged, Source
from .tail import BLOCK, read_at

BLOCK_BYTES = 1 << 18
_MAGIC = b"\x1f\x8b"


class Counted(NamedTuple):
    """How many lines end in the first bytes of which file."""

    inode: int = 0
    bytes: int = 0
    lines: int = 0


NOTHING = Counted()


def never() -> bool:
    """Never stop."""
    return False


def contents(path: Path, part: Part, stopped: Callable[[], bool] = never) -> Content | None:
    """Read a file that does not grow, in constant memory, and return what it holds; None if stopped.

    Raises `OSError`, for a link too, and `Damaged` where compressed data can't be unpacked.
    """
    hashed, size, lines, head, last, rest = hashlib.sha256(), 0, 0, b"", b"", b""
    kind = TABLE[part.kind]
    most = kind.row_bytes + BLOCK_BYTES  # what is longer is no row: a run of NUL, say
    with read_plain(path) as file, _unpacking(file) as stream:
        while block := _read(stream):
            if stopped():
                return None
            hashed.update(block)
            if lines < 2 and len(head) < most:
                head += block
            size, lines = size + len(block), lines + block.count(b"\n")
            end = block.rfind(b"\n")
            if end < 0:
                rest = (rest + block)[-most:]
                continue
            start = block.rfind(b"\n", 0, end) + 1
            last, rest = block[start:end] if start else rest + block[:end], block[end + 1 :]
    header, first = (*head.split(b"\n", 2), b"")[:2]
    known = Content(max(0, lines - 1), bytes=size, sha256=hashed.hexdigest())
    return _with_ends(known, kind, header, first, last) if known.rows else known


def count(path: Path, counted: Counted, stopped: Callable[[], bool] = never) -> Counted:
    """Go on counting the lines of a plain file that grows, up to where it ends by now; raises `OSError`."""
    inode, size, lines = counted
    with read_plain(path) as file:
        status = os.fstat(file.fileno())
        if inode != status.st_ino or size > status.st_size:  # another one is under the name
            inode, size, lines = status.st_ino, 0, 0
        while size < status.st_size and not stopped():
            block = read_at(file.fileno(), min(BLOCK_BYTES, status.st_size - size), size)
            size, lines = size + len(block), lines + block.count(b"\n")
    return Counted(inode, size, lines)


def grown(path: Path, part: Part, counted: Counted, stopped: Callable[[], bool] = never) -> Content:
    """Return what a plain file holds that may grow, without its hash; its rows are not known if stopped.

    What was `counted` is not counted again. Raises `OSError`, for a link too.
    """
    kind = TABLE[part.kind]
    _, size, lines = count(path, counted, stopped)
    with Source(path, part) as source:
        last = (source.last_row(kind) or "").encode()
    with read_plain(path) as file:
        end = os.fstat(file.fileno()).st_size
        header, first, *_ = (*read_at(file.fileno(), BLOCK, 0).split(b"\n", 2), b"", b"")  # the begin of a row does
    known = Content(max(0, lines - 1) if size == end else None, bytes=end)
    return _with_ends(known, kind, header, first, last) if last else known


def _unpacking(file: BinaryIO) -> BinaryIO | gzip.GzipFile:
    is_packed = file.read(len(_MAGIC)) == _MAGIC  # whatever the name is
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if is_packed else file


def _read(stream: BinaryIO | gzip.GzipFile) -> bytes:
    try:
        return stream.read(BLOCK_BYTES)
    except BAD as error:
        raise Damaged(str(error)) from None


def _with_ends(known: Content, kind: Kind, header: bytes, first: bytes, last: bytes) -> Content:
    columns = header.decode("utf-8", "replace").split(",")
    id_at = columns.index(kind.ids) if kind.ids in columns else None
    (first_ms, first_id), (last_ms, last_id) = (_stamps(kind, id_at, row) for row in (first, last))
    return known._replace(first_ms=first_ms, last_ms=last_ms, first_id=first_id, last_id=last_id)


def _stamps(kind: Kind, id_at: int | None, row: bytes) -> tuple[int | None, int | None]:
    """Return the time and the id of a row, None for what can't be read or is not there."""
    text = row.decode("utf-8", "replace")
    try:
        return kind.row_time_ms(text), None if id_at is None else int(text.split(",", id_at + 1)[id_at])
    except (ValueError, IndexError):
        return None, None
