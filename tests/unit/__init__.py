"""Tests of one part each, which keep a core busy; the modules run beside each other."""

import unittest
from pathlib import Path

from tests import beside


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None) -> unittest.TestSuite:
    """Return the tests of all modules here, as one suite."""
    return beside.modules(beside.found(loader, Path(__file__).parent, pattern))
