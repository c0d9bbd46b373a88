"""Tests with real sockets and processes; all of them run beside each other."""

import unittest
from pathlib import Path

from tests import beside

HERE = Path(__file__).resolve().parent


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None) -> unittest.TestSuite:
    """Return the tests of all modules here, as one suite."""
    found = loader.discover(str(HERE), pattern or "test*.py", str(HERE.parent.parent))
    return beside.load_tests(loader, found, pattern)
