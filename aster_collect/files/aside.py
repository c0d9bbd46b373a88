"""A file that is written aside and takes its name when it is whole; what a killed run left of one is found and deleted.

.part-0.parquet.aside    what part-0.parquet will be, locked by the run that writes it
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import LockedError
from .lock import NO_LOCKS, TAKEN, lock
from .plain import open_plain
from .rotate import sync_folder

ENDING = ".aside"  # behind all else, so that no pattern such as *.parquet finds half a file


@contextlib.contextmanager
def aside(path: Path) -> Iterator[Path]:
    """Yield where to write what then, synced, takes the place of `path`; after any exception nothing of it is left.

    Raises `LockedError` while another run is writing the same file, and `OSError`.
    """
    beside = path.with_name(f".{path.name}{ENDING}")
    descriptor = _own(beside)
    try:
        os.ftruncate(descriptor, 0)  # of a run that was killed
        _like(path, descriptor)
        yield beside
        os.fsync(descriptor)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    sync_folder(path.parent)


def delete_leftovers(folder: Path) -> None:
    """Delete what runs that were killed left in a folder and below it, but nothing that is being written."""
    for beside in folder.rglob(f".*{ENDING}"):
        with contextlib.suppress(LockedError, FileNotFoundError):
            descriptor = _own(beside)
            beside.unlink(missing_ok=True)
            os.close(descriptor)


def _like(path: Path, descriptor: int) -> None:
    """Give a file the owner and the mode of the one that it takes the place of, else the owner of the folder.

    A collector that may not write its own files any more would not start. Who may not give a file away keeps it.
    """
    try:
        there = path.stat()
        os.fchmod(descriptor, stat.S_IMODE(there.st_mode))
    except FileNotFoundError:
        there = path.parent.stat()
    with contextlib.suppress(OSError):
        os.fchown(descriptor, there.st_uid, there.st_gid)


def _own(beside: Path) -> int:
    """Return the descriptor of a file that no other run writes, and none will while it is open."""
    while True:
        descriptor = open_plain(beside, os.O_RDWR | os.O_CREAT)
        try:
            lock(descriptor)
        except OSError as error:
            if error.errno in TAKEN:
                os.close(descriptor)
                raise LockedError(f"{beside}: another run is writing it; let that one end first") from None
            if error.errno not in NO_LOCKS:
                os.close(descriptor)
                raise
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(beside.stat(), os.fstat(descriptor)):
                return descriptor
        os.close(descriptor)  # the run that wrote it has just ended
