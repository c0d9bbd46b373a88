"""What becomes of a test that runs in a process of its own is told as if it had run here."""

import os
import unittest
from collections.abc import Callable

from tests.beside import Beside


def nothing() -> None:
    """Be a test that passes."""


def fail() -> None:
    raise AssertionError("whole is torn")


def skip() -> None:
    raise unittest.SkipTest("not here")


def die() -> None:
    os._exit(7)


def run_beside(*tests: Callable[[], object] | unittest.TestCase, failfast: bool = False) -> unittest.TestResult:
    """Run functions as tests, beside each other."""
    result = unittest.TestResult()
    result.failfast = failfast
    cases = [one if isinstance(one, unittest.TestCase) else unittest.FunctionTestCase(one) for one in tests]
    Beside([case] for case in cases).run(result)
    return result


def run_together(*cases: unittest.TestCase) -> unittest.TestResult:
    """Run tests in one process."""
    return Beside([list(cases)]).run(unittest.TestResult())


class WhatIsTold(unittest.TestCase):
    def test_nothing_went_wrong(self) -> None:
        """Each test counts, and changes nothing here."""
        changed: list[int] = []
        result = run_beside(nothing, lambda: changed.append(1))
        self.assertEqual((2, True, []), (result.testsRun, result.wasSuccessful(), changed))

    def test_a_failure(self) -> None:
        """It is one, with its text, and the others are run all the same."""
        result = run_beside(fail, nothing)
        self.assertEqual((2, 1, 0), (result.testsRun, len(result.failures), len(result.errors)))
        self.assertIn("whole is torn", result.failures[0][1])

    def test_an_error_where_it_is_prepared(self) -> None:
        """It is one, with its text."""
        ((_, text),) = run_beside(unittest.FunctionTestCase(nothing, setUp=lambda: {}["lost"])).errors
        self.assertIn("KeyError: 'lost'", text)

    def test_a_part_fails(self) -> None:
        """The part is named."""

        class Parts(unittest.TestCase):
            def runTest(self) -> None:  # noqa: N802
                for number in range(3):
                    with self.subTest(number=number):
                        self.assertNotEqual(number, 1)

        ((_, text),) = run_beside(Parts()).failures
        self.assertIn("(number=1)", text)

    def test_a_class_that_can_not_be_prepared_or_cleared_up(self) -> None:
        """It is an error, of the next test of the process or of its last one."""

        class Prepared(unittest.TestCase):
            @classmethod
            def setUpClass(cls) -> None:
                raise KeyError("unprepared")

            def runTest(self) -> None:  # noqa: N802
                pass

        class Cleared(unittest.TestCase):
            @classmethod
            def tearDownClass(cls) -> None:
                raise KeyError("uncleared")

            def runTest(self) -> None:  # noqa: N802
                pass

        for one, word in ((Prepared, "unprepared"), (Cleared, "uncleared")):
            ((_, text),) = run_beside(one()).errors
            self.assertIn(word, text)
            ((_, text),) = run_together(one(), unittest.FunctionTestCase(nothing)).errors
            self.assertIn(word, text)

    def test_one_of_several_in_a_process(self) -> None:
        """Each is told by its own name, in order, and behind one that dies no other."""
        result = run_together(*map(unittest.FunctionTestCase, (nothing, fail, skip, die, nothing)))
        self.assertEqual(4, result.testsRun)
        ((failed, _),), ((died, text),), ((skipped, _),) = result.failures, result.errors, result.skipped
        self.assertEqual(["fail", "die", "skip"], [one.id() for one in (failed, died, skipped)])
        self.assertIn("its process ended with 7", text)

    def test_its_process_dies(self) -> None:
        """It is an error that names the status, and the others are run."""
        result = run_beside(die, nothing)
        ((_, text),) = result.errors
        self.assertIn("its process ended with 7", text)
        self.assertEqual(2, result.testsRun)

    def test_it_is_skipped(self) -> None:
        """It is no success and no failure."""
        result = run_beside(skip)
        self.assertEqual((["not here"], True), ([why for _, why in result.skipped], result.wasSuccessful()))

    def test_the_first_failure_is_to_be_the_last(self) -> None:
        """With --failfast none begins behind it."""
        result = run_beside(fail, *[nothing] * 500, failfast=True)
        self.assertEqual(1, len(result.failures))
        self.assertLess(result.testsRun, 501)

    def test_two_wait_for_each_other(self) -> None:
        """They are under way at once."""
        first, second = os.pipe(), os.pipe()
        for end in (*first, *second):
            self.addCleanup(os.close, end)

        def meet(tell: int, hear: int) -> None:
            os.write(tell, b".")
            os.read(hear, 1)

        result = run_beside(lambda: meet(first[1], second[0]), lambda: meet(second[1], first[0]))
        self.assertTrue(result.wasSuccessful())

    def test_a_long_one_is_the_last(self) -> None:
        """It begins first."""
        order, note = os.pipe()
        for end in (order, note):
            self.addCleanup(os.close, end)
        long = unittest.FunctionTestCase(lambda: os.write(note, b"long "))
        long.is_long = True  # type: ignore[attr-defined]
        run_beside(*[lambda: os.write(note, b"short ")] * 40, long)
        self.assertIn(b"long", os.read(order, 4096).split()[:20])
