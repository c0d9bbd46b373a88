"""A process that is killed at each moment of what it does at which that leaves other files than a moment before."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import aster_collect

PACKAGE = str(Path(aster_collect.__file__).parent)
KILLED = 9


def killed_at(step: int, play: Callable[[], object]) -> bool:
    """Run `play` in a child process that ends at once at a step, which is a line of the package; return if it did."""
    left = step

    def look() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os._exit(KILLED)

    return _in_a_child(play, look) == KILLED


def each_end(folder: Path, play: Callable[[], object]) -> Iterator[int]:
    """Yield the steps at which `play` leaves a folder of files otherwise than at the step before, killed there.

    So it is then. Afterwards it is again as before. Between two such steps a kill makes no difference.
    """
    before = _read(folder)
    play()  # so that what is computed once is, and each child goes the same steps
    _put(folder, before)
    ends = _ends(folder, play)
    for step, left in ends:
        _put(folder, before)
        assert killed_at(step, play), f"no step {step} the second time"
        assert sorted(_read(folder)) == left, f"other files at step {step} the second time"
        yield step
    _put(folder, before)


def _ends(folder: Path, play: Callable[[], object]) -> list[tuple[int, list[str]]]:
    """Return the steps at which a folder becomes another one, with the names that are in it."""
    step = -1
    last: dict[str, tuple[int, ...]] | None = None
    found: list[tuple[int, list[str]]] = []
    reading, writing = os.pipe()

    def look() -> None:
        nonlocal step, last
        step += 1
        now = _look(folder)
        if now != last:
            last = now
            found.append((step, sorted(now)))

    def told() -> None:
        play()
        sys.settrace(None)
        os.write(writing, json.dumps(found).encode())

    with os.fdopen(reading) as lines:
        status = _in_a_child(told, look)
        os.close(writing)
        assert status == 0, f"it fails, with {status}"
        return [(step, names) for step, names in json.load(lines)]


def _in_a_child(play: Callable[[], object], look: Callable[[], None]) -> int:
    """Run `play` in a child process that calls `look` before each line of the package; return its status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            look()
        return trace

    status = 1
    try:
        sys.settrace(trace)
        play()
        status = 0
    finally:
        os._exit(status)


def _look(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return what tells a folder from what it was, without reading its files."""
    if not folder.exists():
        return {}
    with os.scandir(folder) as entries:
        stats = {entry.name: entry.stat() for entry in entries}
    return {name: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


def _read(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def _put(folder: Path, files: dict[str, bytes]) -> None:
    for path in folder.iterdir():
        path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
