"""Where the result goes: written beside, and put in place as a whole."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import ConfigError, LockedError
from ..files.lock import NO_LOCKS, TAKEN, lock
from ..files.plain import FOLDER_MODE
from ..files.rotate import sync_folder

ENDING = ".merging"  # of the folder that is written beside


def refuse_places(folders: Sequence[Path], out: Path) -> None:
    """Raise `ConfigError` where the result would be within a folder that is merged, or is not to be made."""
    for folder in folders:
        if out.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(f"--into: {out} given, a folder outside of {folder} allowed, which is never touched")
    if os.path.lexists(out) and not (out.is_dir() and not out.is_symlink() and not any(out.iterdir())):
        raise ConfigError(f"--into: {out} given, a folder that is not there yet, or is empty, allowed")


@contextlib.contextmanager
def in_place(out: Path) -> Iterator[Path]:
    """Yield the folder to write, which takes its place in the end; after any exception nothing of it is left."""
    out.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}{ENDING}")
    beside.mkdir(FOLDER_MODE, exist_ok=True)
    descriptor = os.open(beside, os.O_RDONLY)
    try:
        try:
            lock(descriptor)
        except OSError as error:
            if error.errno in TAKEN:
                raise LockedError(f"{beside}: another merge is writing it; let that one end first") from None
            if error.errno not in NO_LOCKS:
                raise
        try:
            _clear(beside)
            yield beside
            sync_folder(beside)
            beside.replace(out)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    finally:
        os.close(descriptor)
    sync_folder(out.parent)


def _clear(folder: Path) -> None:
    """Delete what a merge that was killed has left."""
    for path in folder.iterdir():
        path.unlink()
