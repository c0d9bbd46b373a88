"""One collector a data folder: a lock that the system releases when its owner ends, however it ends."""

import os
import sys
from pathlib import Path

from .errors import LockedError

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # a byte behind the text: Windows locks are mandatory
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


LOCK_NAME = ".lock"


def lock_folder(folder: Path) -> int:
    """Lock a folder and return the descriptor that holds the lock; raise `LockedError` with the owner's pid.

    The file stays when the lock goes; its text is the pid of the last owner.
    """
    descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(descriptor)
    except OSError:
        owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() if hasattr(os, "pread") else ""
        os.close(descriptor)
        known = f" (pid {owner})" if owner else ""
        raise LockedError(
            f"{folder} belongs to another collector{known}; stop that one, or give another --data-dir"
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor
