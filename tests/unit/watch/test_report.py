"""What a slow disk can't take of the reports is dropped, counted and said; nobody waits for it."""

import queue
import tempfile
import unittest
from pathlib import Path

from aster_collect.watch.report import FILES_S, LOG_S, WAITING, Due, Report, Reporter
from aster_collect.watch.snapshot import Snapshot, waiting


def snapshot() -> Snapshot:
    return waiting("0", 1, {}, 0, 0, (0, 0), "the test")


class ASlowDisk(unittest.TestCase):
    def setUp(self) -> None:
        self.reports: queue.SimpleQueue[Report | None] = queue.SimpleQueue()
        self.due = Due(self.reports, False, 0.0)
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_for(self, seconds: int) -> None:
        """Let so many seconds go by, each with a flush."""
        for second in range(seconds):
            self.due.step(float(second), second, snapshot)

    def test_reports_that_wait_stay_few(self) -> None:
        """While nobody takes them there are two, and the next one tells how many were dropped."""
        self.run_for(100)
        self.assertEqual(self.reports.qsize(), WAITING)
        self.due.last(snapshot())
        told = [self.reports.get_nowait() for _ in range(WAITING + 1)]
        self.assertEqual([report and report.dropped for report in told], [0, 0, 98])

    def test_what_was_dropped_is_said(self) -> None:
        """Once the disk takes them again, the log says how many it did not."""
        self.run_for(100)
        self.due.last(snapshot())
        self.reports.put(None)
        with self.assertLogs("aster_collect.watch.report", "WARNING") as logged:
            Reporter(self.reports, self.folder, None, None).run()
        self.assertEqual([record.getMessage() for record in logged.records], ["status stuck dropped=98"])
        self.assertTrue((self.folder / "status.json").exists())

    def test_without_a_flush(self) -> None:
        """The files are renewed every five seconds all the same, and a line of the log is due each minute."""
        taken = []
        for second in range(121):
            self.due.step(float(second), 0, snapshot)
            while self.reports.qsize():
                taken.append(self.reports.get_nowait())
        self.assertEqual(sum(report is not None and report.files for report in taken), 120 / FILES_S + 1)
        self.assertEqual(sum(report is not None and report.say for report in taken), 120 / LOG_S)


if __name__ == "__main__":
    unittest.main()
