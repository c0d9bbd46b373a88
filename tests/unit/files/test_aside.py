"""A file written aside is there whole or not at all, whatever ends the run that writes it."""

import os
import tempfile
import unittest
from pathlib import Path

from aster_collect.errors import LockedError
from aster_collect.files.aside import aside, delete_leftovers


class Aside(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "part-0.parquet"
        self.beside = self.folder / ".part-0.parquet.aside"

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def test_the_old_file_stays_until_the_new_one_is_whole(self) -> None:
        """While it is written its name has the old content, and afterwards the new, and nothing is beside it."""
        self.path.write_bytes(b"old")
        with aside(self.path) as beside:
            self.assertEqual(beside, self.beside)
            beside.write_bytes(b"new")
            self.assertEqual(self.path.read_bytes(), b"old")
        self.assertEqual((self.path.read_bytes(), self.names()), (b"new", ["part-0.parquet"]))

    def test_a_run_that_is_interrupted(self) -> None:
        """Nothing half-written stays after any exception, and the old file is as it was."""
        self.path.write_bytes(b"old")
        for ends in (OSError, KeyboardInterrupt):
            with self.assertRaises(ends), aside(self.path) as beside:
                beside.write_bytes(b"ne")
                raise ends
            self.assertEqual((self.path.read_bytes(), self.names()), (b"old", ["part-0.parquet"]))

    def test_a_run_that_was_killed(self) -> None:
        """What it left is written over, or deleted by the next run, wherever it is below the folder."""
        self.beside.write_bytes(b"left over, and longer than what comes")
        with aside(self.path) as beside:
            self.assertEqual(beside.read_bytes(), b"")
            beside.write_bytes(b"new")
        self.assertEqual((self.path.read_bytes(), self.names()), (b"new", ["part-0.parquet"]))
        (self.folder / "deep" / "er").mkdir(parents=True)
        for name in (".a.parquet.aside", ".b.aside"):
            (self.folder / "deep" / "er" / name).write_bytes(b"left over")
        delete_leftovers(self.folder)
        self.assertEqual(list((self.folder / "deep" / "er").iterdir()), [])
        self.assertEqual(self.path.read_bytes(), b"new")

    def test_two_runs_at_once(self) -> None:
        """The second one is refused by the file's name, and what the first one writes is not deleted under it."""
        with aside(self.path) as beside:
            beside.write_bytes(b"first")
            with self.assertRaisesRegex(LockedError, "parquet.aside: another run is writing it"), aside(self.path):
                self.fail("written twice")
            delete_leftovers(self.folder)
            self.assertTrue(beside.exists())
        self.assertEqual(self.path.read_bytes(), b"first")

    @unittest.skipUnless(os.name == "posix", "modes are POSIX's")
    def test_strangers_do_not_read_it(self) -> None:
        """The owner writes it and the group reads it, as all files of a data folder."""
        before = os.umask(0)
        try:
            with aside(self.path) as beside:
                beside.write_bytes(b"new")
        finally:
            os.umask(before)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o640)


if __name__ == "__main__":
    unittest.main()
