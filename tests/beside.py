"""Tests run beside each other, in processes of their own; their results are told one after the other."""

import multiprocessing
import os
import time
import unittest
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CORES = os.cpu_count() or 1
WAITING = 3 * CORES  # so many tests at once that wait most of their time

Group = list[unittest.TestCase]


class Outcome(NamedTuple):
    """What became of a test, as text that another process can tell."""

    failures: list[str]
    errors: list[str]
    skipped: list[str]
    seconds: float


class Beside(unittest.TestSuite):
    """Groups of tests, of which several run at once; those with a test that `is_long` begin first."""

    def __init__(self, groups: Iterable[Group] = (), at_once: int = WAITING) -> None:
        self._groups = sorted(groups, key=lambda group: not any(getattr(test, "is_long", False) for test in group))
        self._at_once = at_once
        super().__init__(test for group in self._groups for test in group)

    def run(self, result: unittest.TestResult, debug: bool = False) -> unittest.TestResult:
        """Run them all, and tell the result of each when it ends."""
        due = deque(self._groups)
        running: dict[Connection, Running] = {}
        while due or running:
            if result.shouldStop:
                due.clear()
            while due and len(running) < self._at_once:
                one = Running(due.popleft())
                running[one.pipe] = one
            for pipe in wait(list(running)):
                if not running[pipe].tell(result):
                    del running[pipe]
        return result


class Running:
    """A group of tests that run in a process, one after the other."""

    def __init__(self, tests: Group) -> None:
        fork = multiprocessing.get_context("fork")
        self.pipe, theirs = fork.Pipe(duplex=False)
        self._process = fork.Process(target=_run, args=(tests, theirs))
        self._process.start()
        theirs.close()
        self._tests = tests
        self._at = 0

    def tell(self, result: unittest.TestResult) -> bool:
        """Tell what became of the next test, and return whether there is more to come; blocks while it is not there."""
        try:
            told = self.pipe.recv()
        except EOFError:
            self._process.join()
            _tell(result, self._tests[self._at], _lost(f"its process ended with {self._process.exitcode}"))
            told = None
        if told is None:
            self._process.join()
            self.pipe.close()
            return False
        at, outcome = told
        _tell(result, self._tests[at], outcome)
        self._at = min(at + 1, len(self._tests) - 1)
        return True


class Telling(unittest.TestResult):
    """Tells another process, through a pipe, what became of each test, by its place in the group."""

    def __init__(self, tests: Group, pipe: Connection) -> None:
        super().__init__()
        self._places = {id(test): at for at, test in enumerate(tests)}
        self._pipe = pipe
        self._at, self._began_s = 0, time.monotonic()

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Note which test begins, and when."""
        super().startTest(test)
        self._at, self._began_s = self._places[id(test)], time.monotonic()

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Tell what became of it, and of its class where that could not be prepared."""
        super().stopTest(test)
        self._tell()

    def end(self) -> None:
        """Tell what befell no test but a class, and that this is all."""
        if self.failures or self.errors or self.skipped:
            self._tell()
        self._pipe.send(None)

    def _tell(self) -> None:
        failures, errors = ([f"{one}\n{text}" for one, text in some] for some in (self.failures, self.errors))
        skipped = [why for _, why in self.skipped]
        self._pipe.send((self._at, Outcome(failures, errors, skipped, time.monotonic() - self._began_s)))
        for some in (self.failures, self.errors, self.skipped):
            some.clear()


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None) -> unittest.TestSuite:
    """Be what unittest calls in a module whose tests wait: each runs beside the others."""
    return Beside([test] for test in _flat(tests)) if _can_fork() else tests


def modules(tests: unittest.TestSuite) -> unittest.TestSuite:
    """Return tests that keep a core busy as a suite that runs so many modules at once as there are cores."""
    groups = (list(group) for _, group in groupby(_flat(tests), key=lambda test: type(test).__module__))
    return Beside(groups, CORES) if _can_fork() else tests


def found(loader: unittest.TestLoader, folder: Path, pattern: str | None) -> unittest.TestSuite:
    """Return all tests below a package's folder, for the package's own `load_tests`."""
    return loader.discover(str(folder), pattern or "test*.py", str(ROOT))


def _can_fork() -> bool:
    return "fork" in multiprocessing.get_all_start_methods()


def _flat(tests: Iterable[unittest.TestCase | unittest.TestSuite]) -> Iterator[unittest.TestCase]:
    for one in tests:
        if isinstance(one, unittest.TestSuite):
            yield from _flat(one)
        else:
            yield one


def _run(tests: Group, pipe: Connection) -> None:
    """Run tests, in a process of their own."""
    telling = Telling(tests, pipe)
    unittest.TestSuite(tests).run(telling)
    telling.end()


def _lost(why: str) -> Outcome:
    return Outcome([], [why], [], 0.0)


def _tell(result: unittest.TestResult, test: unittest.TestCase, outcome: Outcome) -> None:
    result.startTest(test)
    for text in outcome.failures:
        result.addFailure(test, (AssertionError, AssertionError(text), None))
    for text in outcome.errors:
        result.addError(test, (RuntimeError, RuntimeError(text), None))
    for why in outcome.skipped:
        result.addSkip(test, why)
    if not (outcome.failures or outcome.errors or outcome.skipped):
        result.addSuccess(test)
    if hasattr(result, "addDuration"):  # since Python 3.12: what `--durations` shows
        result.addDuration(test, outcome.seconds)
    result.stopTest(test)
