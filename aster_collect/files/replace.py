"""A small file that is replaced whole: who reads it finds the old content or the new, never a part."""

import contextlib
import os
import stat
from pathlib import Path

from .plain import FILE_MODE

PUBLIC_MODE = 0o644  # whatever the umask


def replace_file(path: Path, text: str, *, public: bool = False) -> None:
    """Replace a file's content by this text in UTF-8; raise `OSError`, the old file as it was and nothing beside it.

    Everybody may read a public one, the owner and the group another. It is not synced: what it says is of the moment,
    and is soon written again.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    data = text.encode("utf-8", "backslashreplace")  # a lone surrogate of a file's name must not end the run
    try:
        beside.unlink(missing_ok=True)  # of a run with this pid that was killed
        with beside.open("xb") as file:
            file.write(data)
        beside.chmod(PUBLIC_MODE if public else stat.S_IMODE(beside.stat().st_mode) & FILE_MODE)
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
