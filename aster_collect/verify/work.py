"""Symbols are checked one after another, or by several processes at once: what is found is the same."""

import errno
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import ClassVar, NamedTuple

from ..files.histories import Histories
from ..files.names import read_name
from .memory import Remembered
from .past import Asked
from .reading import Tell, nobody
from .symbol import Answer, Group, Symbol, groups

WORTH_BYTES = 16 << 20  # less is read sooner than another process is begun

Begin = Callable[[int], AbstractContextManager[Tell]]  # of how many bytes that will be


class Task(NamedTuple):
    """Some groups of a symbol, and what is remembered of it."""

    symbol: str
    groups: tuple[Group, ...]
    remembered: Remembered


class Worker:
    """What checks symbols, in this process or in another."""

    here: ClassVar["Worker"]  # in a process of its own

    def __init__(self, asked: Asked, histories: Histories, tell: Tell) -> None:
        self._asked, self._histories, self._tell = asked, histories, tell

    def work(self, task: Task) -> Answer:
        """Check what a task says; raises as `check_folder` does."""
        return Symbol(self._asked, self._histories, task.symbol, task.remembered, self._tell).check(task.groups)


def tasks_of(histories: Histories, symbols: Sequence[str], remembered: Remembered, jobs: int) -> list[Task]:
    """Return what is to be done for these symbols, in order: a task a symbol, or where they are few one a group."""
    tasks = []
    known_of: dict[str, Remembered] = {}
    for key, files in remembered.items():
        known_of.setdefault(key.rpartition("/")[0], {})[key] = files
    for symbol in symbols:
        known = known_of.get(symbol, {})
        all_groups = groups(histories.parts(symbol))
        pieces = [(group,) for group in all_groups] if len(symbols) < jobs else [tuple(all_groups)]
        tasks += [Task(symbol, piece, known) for piece in pieces]
    return tasks


def answers(asked: Asked, histories: Histories, tasks: Sequence[Task], jobs: int, tell: Tell) -> Iterator[Answer]:
    """Yield what is found, in order, by so many processes at most; raises as `check_folder` does.

    `tell` is told of each file, or of each task where several processes read.
    """
    jobs = min(jobs, len(tasks))
    if jobs <= 1:
        yield from map(Worker(asked, histories, tell).work, tasks)
        return
    with ProcessPoolExecutor(jobs, initializer=_begin, initargs=(asked,)) as pool:
        try:
            for answer in pool.map(_work, tasks):
                tell(*answer.told)
                yield answer
        except BrokenExecutor:
            why = "a process that read it was ended from outside, by a lack of memory perhaps; --jobs 1 needs the least"
            raise OSError(errno.ECHILD, why, str(asked.folder)) from None
        except BaseException:
            for child in multiprocessing.active_children():
                child.terminate()
            raise


def _begin(asked: Asked) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word
    Worker.here = Worker(asked, Histories(asked.folder, live=asked.live), nobody)


def _work(task: Task) -> Answer:
    return Worker.here.work(task)


def bytes_of(folder: Path) -> int:
    """Return how much the data files of a folder are together, on the disk."""
    size = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # a collector may have renamed or deleted it
                size += entry.stat().st_size if read_name(entry.name) and entry.is_file() else 0
    return size
