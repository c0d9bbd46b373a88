"""A file without the rows that are not wanted any more: written beside it, and as it was it is set aside whole.

No moment needs room on the disk with the old name gone.
"""

import os
from collections.abc import Callable
from pathlib import Path

from .appender import Appender
from .folder import Folder
from .plain import begin_plain, read_plain


def keep_wanted(appender: Appender, folder: Folder, header: bytes, wanted: Callable[[str], bool], why: str) -> None:
    """Leave out the rows that are not wanted, if there are any, and close the file then: `finish_keeping` is to follow.

    Raises `OSError`, and can be called again then.
    """
    path, beside = appender.path, _beside(appender.path)
    if not os.path.lexists(path):
        return
    with read_plain(path) as file:
        lines = file.read().decode("utf-8", "replace").split("\n")[1:-1]
    kept = [line for line in lines if wanted(line)]
    if len(kept) < len(lines):
        beside.unlink(missing_ok=True)
        with begin_plain(beside) as file:
            file.write(header + "".join(f"{line}\n" for line in kept).encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        appender.close()
        folder.set_aside(path, why)


def finish_keeping(path: Path) -> None:
    """Give the new file its name where the old one is gone; a crash, or an error, can have come between."""
    if os.path.lexists(_beside(path)) and not os.path.lexists(path):
        _beside(path).rename(path)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")
