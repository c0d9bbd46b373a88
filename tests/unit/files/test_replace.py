"""A file that is replaced is whole at every moment, and a failure leaves it as it was."""

import os
import stat
import tempfile
import threading
import unittest
from pathlib import Path

from aster_collect.files.replace import replace_file


class Replace(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "status.json"

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def test_the_content_is_the_text(self) -> None:
        """The file is made, then replaced, in UTF-8, with nothing beside it; a lone surrogate is escaped."""
        for text in ("first\n", "", "币安 \udcff\n"):
            replace_file(self.path, text)
            self.assertEqual(self.path.read_text("utf-8"), text.replace("\udcff", "\\udcff"))
            self.assertEqual(self.names(), ["status.json"])

    @unittest.skipUnless(os.name == "posix", "modes are POSIX's")
    def test_others_may_read_it_whatever_the_umask(self) -> None:
        """The mode of a public file is 0644 under any umask, and where the old file had another."""
        for mask in (0o077, 0o000, 0o777):
            self.assertEqual(self.mode(mask, public=True), 0o644)
            self.path.chmod(0o600)

    @unittest.skipUnless(os.name == "posix", "modes are POSIX's")
    def test_others_may_not_read_what_is_not_public(self) -> None:
        """The mode of any other file is 0640 at most, and less where the umask takes more."""
        for mask, mode in ((0o000, 0o640), (0o022, 0o640), (0o077, 0o600)):
            self.assertEqual(self.mode(mask, public=False), mode)

    def mode(self, mask: int, *, public: bool) -> int:
        """Return the mode of a file that is replaced under an umask."""
        before = os.umask(mask)
        try:
            replace_file(self.path, "x", public=public)
        finally:
            os.umask(before)
        return stat.S_IMODE(self.path.stat().st_mode)

    def test_a_failure_leaves_the_old_file_and_no_litter(self) -> None:
        """When the last step fails the old content stays, and what was written beside it goes."""
        self.path.mkdir()
        (self.path / "inside").write_text("old", "utf-8")
        with self.assertRaises(OSError):
            replace_file(self.path, "new")
        self.assertEqual(self.names(), ["status.json"])
        self.assertEqual((self.path / "inside").read_text("utf-8"), "old")

    def test_no_such_folder(self) -> None:
        """A folder that is missing is an `OSError`, and is not made."""
        with self.assertRaises(OSError):
            replace_file(self.folder / "missing" / "status.json", "new")
        self.assertEqual(self.names(), [])

    @unittest.skipUnless(Path("/dev/full").exists(), "/dev/full is Linux's")
    def test_a_full_disk(self) -> None:
        """A disk that takes nothing is an `OSError` that leaves the old file."""
        replace_file(self.path, "old")

        class Full(type(self.path)):  # type: ignore[misc]
            def open(self, mode: str) -> object:
                self.touch(exist_ok=False)
                return Path("/dev/full").open(mode.replace("x", "w"))

        with self.assertRaises(OSError):
            replace_file(Full(self.path), "new" * 10_000)
        self.assertEqual((self.names(), self.path.read_text("utf-8")), (["status.json"], "old"))

    def test_what_a_killed_run_left_is_taken_over(self) -> None:
        """A file beside it from a run with the same pid that was killed does not stand in the way."""
        left = self.folder / f".status.json.{os.getpid()}.tmp"
        left.symlink_to(self.folder / "elsewhere")
        replace_file(self.path, "new")
        self.assertEqual((self.names(), self.path.read_text("utf-8")), (["status.json"], "new"))

    def test_a_reader_never_finds_a_part(self) -> None:
        """Whoever reads while the file is replaced finds one whole content."""
        texts = [letter * 200_000 for letter in "ab"]
        replace_file(self.path, texts[0])
        done = threading.Event()

        def replace() -> None:
            for number in range(100):
                replace_file(self.path, texts[number % 2])
            done.set()

        writer = threading.Thread(target=replace)
        writer.start()
        while not done.is_set():
            self.assertIn(self.path.read_text("utf-8"), texts)
        writer.join()


if __name__ == "__main__":
    unittest.main()
