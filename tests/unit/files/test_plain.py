"""Nothing in the data folder is opened through a link, and what is there in a file's place is told by name."""

import os
import stat
import tempfile
import unittest
from pathlib import Path

from aster_collect.files.plain import begin_plain, open_plain, read_plain


class Plain(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "file"

    def test_a_plain_file(self) -> None:
        """It is made, written, and read."""
        with begin_plain(self.path) as file:
            file.write(b"text")
        with read_plain(self.path) as file:
            self.assertEqual(file.read(), b"text")
        self.assertRaises(FileExistsError, begin_plain, self.path)
        self.assertRaises(FileNotFoundError, read_plain, self.folder / "other")

    def test_a_link(self) -> None:
        """A link is an error with its name, wherever it points, and what it points at stays."""
        for target in (self.folder / "precious", self.folder / "nowhere", self.path):
            (self.folder / "precious").write_text("precious")
            self.path.symlink_to(target)
            for flags in (os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_TRUNC):
                with self.assertRaisesRegex(OSError, "is a link") as caught:
                    open_plain(self.path, flags)
                self.assertEqual(caught.exception.filename, str(self.path))
            self.path.unlink()
            self.assertEqual([path.name for path in self.folder.iterdir()], ["precious"])
            self.assertEqual((self.folder / "precious").read_text(), "precious")

    @unittest.skipIf(not hasattr(os, "mkfifo"), "no pipes")
    def test_a_pipe(self) -> None:
        """A pipe that nobody writes to is an error at once."""
        os.mkfifo(self.path)
        with self.assertRaisesRegex(OSError, "is no plain file"):
            open_plain(self.path, os.O_RDONLY)

    @unittest.skipUnless(os.name == "posix", "modes are POSIX's")
    def test_the_mode_of_a_new_file(self) -> None:
        """It is 0640 less what the umask takes."""
        for mask, mode in ((0o000, 0o640), (0o022, 0o640), (0o077, 0o600)):
            before = os.umask(mask)
            try:
                begin_plain(self.path).close()
            finally:
                os.umask(before)
            self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), mode)
            self.path.unlink()


if __name__ == "__main__":
    unittest.main()
