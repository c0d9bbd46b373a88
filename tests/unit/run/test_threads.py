"""Every end of a thread is said once, and no wait is without an end."""

import queue
import signal
import threading
import time
import unittest

from aster_collect.run.threads import HANGUP, Control, Ended, Over, Renamed, Signalled, Threads

DEADLINE_S = 30.0


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.control: Control = queue.SimpleQueue()
        self.threads = Threads(self.control, None)
        self.freed = threading.Event()
        self.addCleanup(self.freed.set)

    def stay(self) -> None:
        self.freed.wait(DEADLINE_S)

    def soon(self) -> float:
        """Return a moment by which what is on its way has come."""
        return time.monotonic() + DEADLINE_S


class WhatComesNext(Case):
    def test_a_thread_fails(self) -> None:
        """Its error is logged and told, with its name; one that ends of its own accord has none."""

        def fail() -> None:
            raise ZeroDivisionError("broken on purpose")

        with self.assertLogs("aster_collect.run.threads", "ERROR") as logged:
            self.threads.start("one", fail)
            ended = self.threads.next(self.soon())
        assert isinstance(ended, Ended)
        self.assertEqual((ended.name, type(ended.error)), ("one", ZeroDivisionError))
        self.assertEqual(logged.records[0].getMessage(), "thread failed name=one")
        self.threads.start("other", lambda: None)
        self.assertEqual(self.threads.next(self.soon()), Ended("other", None))

    def test_a_signal(self) -> None:
        """It ends the run, but for a hang-up, which is handed on."""
        for number in (HANGUP, signal.SIGTERM):
            self.control.put(Signalled(number))
        with self.assertLogs("aster_collect.run.threads", "INFO") as logged:
            self.assertEqual(self.threads.next(self.soon()), Signalled(HANGUP))
            self.assertEqual(self.threads.next(self.soon()), Over())
        self.assertEqual([one.getMessage() for one in logged.records],
                         ["reopen why=hang-up", f"stop why=signal number={int(signal.SIGTERM)}"])  # fmt: skip
        self.assertFalse(self.threads.by_duration)

    def test_the_time_is_over(self) -> None:
        """That comes before whatever waits, and the run knows why it ends."""
        threads = Threads(self.control, 0.0)
        self.control.put(Renamed([]))
        with self.assertLogs("aster_collect.run.threads", "INFO"):
            self.assertEqual(threads.next(self.soon()), Over())
        self.assertTrue(threads.by_duration)

    def test_nothing_comes(self) -> None:
        """At the moment that was given it is the caller's turn."""
        self.assertIsNone(self.threads.next(time.monotonic()))


class TheEnd(Case):
    def test_a_thread_that_ended_before(self) -> None:
        """It is not waited for, whether its end has been read or not."""
        self.threads.start("one", lambda: None)
        self.threads.start("two", lambda: None)
        read = self.threads.next(self.soon())
        assert isinstance(read, Ended)
        self.assertTrue(self.threads.wait_for({"one", "two", "never started"}, DEADLINE_S))

    def test_a_thread_that_does_not_end(self) -> None:
        """It is waited for so long, and no longer; what comes meanwhile is of no more use."""
        self.threads.start("one", self.stay)
        self.control.put(Renamed([]))
        self.assertFalse(self.threads.wait_for({"one"}, 0.0))

    def test_a_first_signal_while_it_ends_for_another_reason(self) -> None:
        """It does not cut the end short."""
        self.threads.start("one", self.stay)
        self.control.put(Signalled(signal.SIGTERM))
        self.control.put(Signalled(signal.SIGTERM))  # at once: the same one, by way of the process's group
        self.assertFalse(self.threads.wait_for({"one"}, 0.0))
        self.freed.set()
        self.assertTrue(self.threads.wait_for({"one"}, DEADLINE_S))


if __name__ == "__main__":
    unittest.main()
