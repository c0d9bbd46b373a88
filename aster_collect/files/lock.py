"""One collector a data folder: a lock that the system releases when its owner ends, however it ends."""

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import ConfigError, LockedError
from .plain import open_plain, read_plain

if sys.platform == "win32":
    import msvcrt

    def lock(descriptor: int) -> None:
        """Lock an open file, or raise `OSError` at once."""
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # a byte behind the text: Windows locks are mandatory
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def lock(descriptor: int) -> None:
        """Lock an open file, or raise `OSError` at once."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


LOCK_NAME = ".lock"
TAKEN = (errno.EWOULDBLOCK, errno.EACCES, getattr(errno, "EDEADLOCK", errno.EACCES))
NO_LOCKS = (errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EBADF)
_NONE = -1


class Lock:
    """The lock of a folder: its file `.lock`, and the folder itself, so that who deletes the file frees nothing.

    The file stays; its text is its owner's pid, and nothing once a run has ended in order. Where the filesystem locks
    no folders the file is the lock alone; `held` tells when it is gone.
    """

    def __init__(self, folder: Path, *, lock: Callable[[int], None] = lock) -> None:
        """Take it; raise `LockedError` with the owner's pid, `ConfigError` where there are no locks, `OSError`."""
        self._path, self._name = folder, folder / LOCK_NAME
        self._lock = lock
        self._folder = self._lock_folder()
        try:
            self._file = self._lock_file()
        except BaseException:
            _close(self._folder)
            raise

    def held(self) -> bool:
        """Return whether the folder and its `.lock` are still those that are locked."""
        return self.holds_folder() and self._is_file()

    def holds_folder(self) -> bool:
        """Return whether the folder is still the one that is locked."""
        return self._folder == _NONE or _is(self._folder, self._path.stat)

    def renew(self) -> None:
        """Take again what was deleted or replaced; raises what the first time does, and can be called again then."""
        if not self.holds_folder():
            former, self._folder = self._folder, self._lock_folder()
            _close(former)
        if not self._is_file():
            former, self._file = self._file, self._lock_file()
            _close(former)

    def release(self) -> None:
        """Let go of it when the run has ended: a pid that stayed could be a stranger's one day."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, 0)
        _close(self._file)
        _close(self._folder)
        self._file = self._folder = _NONE

    def _is_file(self) -> bool:
        return _is(self._file, self._name.lstat)

    def _lock_folder(self) -> int:
        """Lock the folder itself and return its descriptor; one that can't be locked is only remembered."""
        if sys.platform == "win32":
            return _NONE  # it opens no folder
        descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._lock(descriptor)
        except OSError as error:
            if error.errno == errno.EWOULDBLOCK:
                os.close(descriptor)
                raise self._taken() from None
        return descriptor

    def _lock_file(self) -> int:
        descriptor = open_plain(self._name, os.O_RDWR | os.O_CREAT)
        try:
            self._lock(descriptor)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        except OSError as error:
            os.close(descriptor)
            if error.errno in TAKEN:
                raise self._taken() from None
            if error.errno in NO_LOCKS:
                raise ConfigError(
                    f"--data-dir: {self._path} can't be locked: its filesystem knows no locks ({error.strerror}), and "
                    "without one two collectors could write the same files; give a folder on a local disk"
                ) from None
            raise
        return descriptor

    def _taken(self) -> LockedError:
        owner = ""
        with contextlib.suppress(OSError, ValueError), read_plain(self._name) as file:
            owner = f" (pid {int(file.read(20))})"
        return LockedError(f"{self._path} belongs to another collector{owner}; stop that one, or give another folder")


def _is(descriptor: int, status: Callable[[], os.stat_result]) -> bool:
    try:
        return os.path.samestat(status(), os.fstat(descriptor))
    except (FileNotFoundError, NotADirectoryError):
        return False


def _close(descriptor: int) -> None:
    if descriptor != _NONE:
        os.close(descriptor)
