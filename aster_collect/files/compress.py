"""Closed files are compressed in the background; at every moment at least one whole copy of each is there.

The compressed copy is written aside, synced and renamed, its name is synced, and only then the plain file goes.
"""

import errno
import gzip
import logging
import os
import shutil
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO

from .names import PACKED
from .plain import begin_plain, read_plain
from .rotate import closed_part, sync_folder

log = logging.getLogger(__name__)

LEVEL = 6
BLOCK_BYTES = 1 << 18
ASIDE = ".tmp"

Begin = Callable[[Path], BinaryIO]


def finish(folder: Path) -> list[Path]:
    """Delete what an earlier run left half compressed, and return the closed files that are still to be compressed.

    For the start of a run, before `serve`; oldest first. A plain file that is there compressed too is among them.
    """
    with os.scandir(folder) as entries:  # of which most are compressed
        names = [entry.name for entry in entries if not entry.name.endswith(PACKED)]
    for name in names:
        if name.endswith(ASIDE) and closed_part(name.removesuffix(ASIDE)) is not None:
            log.info("leftover deleted file=%s", name)
            (folder / name).unlink(missing_ok=True)
    return [folder / name for name in sorted(names) if closed_part(name) is not None]


def serve(work: SimpleQueue[Path | None], stopping: threading.Event, *, begin: Begin = begin_plain) -> None:
    """Compress the files that come, until None comes: what waits then is left to the next start. For a thread.

    `stopping`, set before None is put, ends it in the middle of a file. A file that could not be compressed stays as
    it is, and is tried again when the next ones come.
    """
    later: list[Path] = []
    while (path := work.get()) is not None:
        batch, later = [*later, path], []
        while True:
            try:
                path = work.get_nowait()
            except Empty:
                break
            if path is None:
                return
            batch.append(path)
        for path in batch:
            try:
                compress(path, stopped=stopping.is_set, begin=begin)
            except OSError as error:
                log.error("file not compressed file=%s why=%s", path.name, error.strerror or error)
                later.append(path)
            if stopping.is_set():
                return


def _never() -> bool:
    return False


def compress(path: Path, *, stopped: Callable[[], bool] = _never, begin: Begin = begin_plain) -> Path | None:
    """Compress a closed file and delete the plain one; return the compressed one, None if stopped or nothing to do.

    Blocks for about a second for each 50 MB, in constant memory. Raises `OSError`, and then the plain file is there.
    """
    packed = path.with_name(path.name + PACKED)
    if os.path.lexists(packed) and os.path.lexists(path):
        copy = _compare(packed, path)
        if copy == "other":
            log.error("file not compressed file=%s why=%s_holds_something_else", path.name, packed.name)
            return None
        if copy == "whole":
            path.unlink()
            return packed
    aside = path.with_name(packed.name + ASIDE)
    try:
        with read_plain(path) as source:
            size = os.fstat(source.fileno()).st_size
            if shutil.disk_usage(path.parent).free < size // 2:  # it must not take the room that rows need
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            aside.unlink(missing_ok=True)
            with begin(aside) as target:
                whole = _pack(source, target, stopped)
                target.flush()
                os.fsync(target.fileno())
        if not whole or not path.exists():
            aside.unlink()
            return None
        packed_size = aside.stat().st_size
        aside.replace(packed)
    except FileNotFoundError:  # deleted, or set aside meanwhile
        aside.unlink(missing_ok=True)
        return None
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    path.unlink(missing_ok=True)
    log.info("file compressed file=%s bytes=%d packed_bytes=%d", packed.name, size, packed_size)
    return packed


def _pack(source: BinaryIO, target: BinaryIO, stopped: Callable[[], bool]) -> bool:
    """Compress one open file into another, the same bytes for the same content; return whether it got to the end."""
    with gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=target, mtime=0) as stream:
        while block := source.read(BLOCK_BYTES):
            if stopped():
                return False
            stream.write(block)
    return True


def _compare(packed: Path, plain: Path) -> str:
    """Say what a compressed file is of a plain one: the "whole", a "part" that ends early, or something "other"."""
    with read_plain(packed) as file, gzip.open(file) as copy, read_plain(plain) as source:
        while True:
            try:
                block = copy.read(BLOCK_BYTES)
            except (gzip.BadGzipFile, EOFError, zlib.error):
                return "part"
            if source.read(len(block)) != block:
                return "other"
            if not block:
                return "part" if source.read(1) else "whole"
