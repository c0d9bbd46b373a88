"""A file of the data folder is opened under its own name alone: a link in its place is refused, and told by name."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

FILE_MODE = 0o640  # less what the umask takes: the owner writes, the group reads, others do not
FOLDER_MODE = 0o750
LINK = (errno.ELOOP, errno.EMLINK)  # what O_NOFOLLOW says of one: Linux and macOS, BSD
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_plain(path: Path, flags: int) -> int:
    """Open a file and return its descriptor; one that this makes has `FILE_MODE`.

    Raises `OSError` with the name of what is in the way: a link is not followed, and a pipe or a device not opened.
    """
    try:
        descriptor = os.open(path, flags | _FLAGS, FILE_MODE)
    except OSError as error:
        if error.errno in LINK and path.is_symlink():
            raise OSError(error.errno, "is a link, and links are not followed", str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no plain file", str(path))
    return descriptor


def read_plain(path: Path) -> BinaryIO:
    """Open a file to read; raises `OSError` as `open_plain` does."""
    return os.fdopen(open_plain(path, os.O_RDONLY), "rb")


def begin_plain(path: Path) -> BinaryIO:
    """Open a file that is not there yet, to write; raises `OSError`."""
    return os.fdopen(open_plain(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb")
