"""Tests that wait run beside each other, each in a process of its own; their results are told one after the other."""

import multiprocessing
import os
import time
import unittest
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

AT_ONCE = 4 * (os.cpu_count() or 1)  # they wait most of their time


class Outcome(NamedTuple):
    """What became of a test, as text that another process can tell."""

    failures: list[str]
    errors: list[str]
    skipped: list[str]
    seconds: float


class Beside(unittest.TestSuite):
    """Tests of which several run at once; those with `is_long` begin first."""

    def run(self, result: unittest.TestResult, debug: bool = False) -> unittest.TestResult:
        """Run them all, and tell the result of each when it ends."""
        due = deque(sorted(_flat(self), key=lambda test: not getattr(test, "is_long", False)))
        running: dict[Connection, tuple[unittest.TestCase, multiprocessing.Process]] = {}
        while due or running:
            if result.shouldStop:
                due.clear()
            while due and len(running) < AT_ONCE:
                test = due.popleft()
                pipe, process = _start(test)
                running[pipe] = test, process
            for pipe in wait(list(running)):
                test, process = running.pop(pipe)
                _tell(result, test, _outcome(pipe, process))
        return result


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None) -> unittest.TestSuite:
    """Be what unittest calls in a module: its tests run beside each other, where processes can be forked."""
    return Beside([tests]) if "fork" in multiprocessing.get_all_start_methods() else tests


def _flat(tests: Iterable[unittest.TestCase | unittest.TestSuite]) -> Iterator[unittest.TestCase]:
    for one in tests:
        if isinstance(one, unittest.TestSuite):
            yield from _flat(one)
        else:
            yield one


def _start(test: unittest.TestCase) -> tuple[Connection, multiprocessing.Process]:
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    process = fork.Process(target=_run, args=(test, theirs), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _run(test: unittest.TestCase, pipe: Connection) -> None:
    """Run a test, in a process of its own."""
    began_s = time.monotonic()
    result = unittest.TestResult()
    unittest.TestSuite([test]).run(result)  # with what its module and its class prepare
    said = [[f"{one}\n{text}" for one, text in some] for some in (result.failures, result.errors)]
    pipe.send(Outcome(*said, [why for _, why in result.skipped], time.monotonic() - began_s))


def _outcome(pipe: Connection, process: multiprocessing.Process) -> Outcome:
    try:
        outcome = pipe.recv()
    except EOFError:
        process.join()
        outcome = Outcome([], [f"its process ended with {process.exitcode}"], [], 0.0)
    process.join()
    pipe.close()
    return outcome


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
