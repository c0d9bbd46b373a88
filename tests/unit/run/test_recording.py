"""A run that is recorded has all that it told on disk by its end; one that is not records nothing."""

import queue
import tempfile
import unittest
from pathlib import Path

from aster_collect.files.raw_reader import RawLines
from aster_collect.order.entries import Moment, Step
from aster_collect.order.record_reader import read_entries
from aster_collect.run.recording import Recording
from aster_collect.run.threads import Control, Threads
from aster_collect.settings import Settings
from aster_collect.watch.snapshot import NOT_RECORDED

NOON = Moment(3.5, 1_795_521_600_000_000_000)
DEADLINE_S = 30.0


class Recordings(unittest.TestCase):
    def begin(self, *, record: bool) -> Recording:
        """Begin a run in a folder of its own."""
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        control: Control = queue.SimpleQueue()
        settings = Settings(data_dir=self.folder, record=record, flush_interval_s=3600.0)
        recording = Recording(settings, Threads(control, None), lambda: None)
        recording.start()
        return recording

    def test_a_run_that_is_recorded(self) -> None:
        """What was told before the end is in the file, and counted; until then it is not said to be written."""
        recording = self.begin(record=True)
        recording.record(NOON, Step())
        self.assertFalse(recording.all_written)
        self.assertTrue(recording.stop(DEADLINE_S))
        self.assertTrue(recording.all_written)
        self.assertEqual(list(read_entries(RawLines(sorted(self.folder.iterdir())))), [(NOON, Step())])
        self.assertEqual(recording.recorded().lines, 1)

    def test_a_row_waits_for_what_it_is_made_of(self) -> None:
        """After it was kept it is in the file, long before a flush is due."""
        recording = self.begin(record=True)
        recording.record(NOON, Step())
        recording.keep(sync=False)
        self.assertEqual(list(read_entries(RawLines(sorted(self.folder.iterdir())))), [(NOON, Step())])
        self.assertTrue(recording.stop(DEADLINE_S))

    def test_a_run_that_is_not_recorded(self) -> None:
        """No file is made, nothing is counted, and there is nothing to wait for."""
        recording = self.begin(record=False)
        recording.record(NOON, Step())
        recording.keep(sync=True)
        self.assertEqual((recording.stop(0.0), recording.all_written), (True, True))
        self.assertEqual((recording.recorded(), list(self.folder.iterdir())), (NOT_RECORDED, []))


if __name__ == "__main__":
    unittest.main()
