"""A small file that is replaced whole: who reads it finds the old content or the new, never a part."""

import contextlib
import os
from pathlib import Path

MODE = 0o644  # others read it: a health check, node_exporter


def replace_file(path: Path, text: str) -> None:
    """Replace a file's content by this text in UTF-8; raise `OSError`, the old file as it was and nothing beside it.

    It is not synced: what it says is of the moment, and is soon written again.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    data = text.encode("utf-8", "backslashreplace")  # a lone surrogate of a file's name must not end the run
    try:
        beside.unlink(missing_ok=True)  # of a run with this pid that was killed
        with beside.open("xb") as file:
            file.write(data)
        beside.chmod(MODE)  # whatever the umask
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
