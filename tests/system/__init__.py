"""Tests with real sockets and processes, which wait most of their time; each runs beside the others."""

import unittest
from pathlib import Path

from tests import beside


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None) -> unittest.TestSuite:
    """Return the tests of all modules here, as one suite."""
    return beside.load_tests(loader, beside.found(loader, Path(__file__).parent, pattern), pattern)
