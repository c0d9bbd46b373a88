"""A folder has one owner, and the files have theirs; a link leads no row out of the folder."""

import errno
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from aster_collect.errors import ConfigError, LockedError, StoreError
from aster_collect.files.folder import unwritable
from aster_collect.files.rejects import REJECTS_NAME
from tests import rows
from tests.rowstore import gap_row
from tests.unit.files.storing import KINDS, STAMP, Case, S, gap, row


class Owners(Case):
    def test_a_second_collector(self) -> None:
        """A second collector is refused with the pid of the first, and leaves its files alone."""
        self.store()
        with self.assertRaises(LockedError) as caught:
            self.store()
        self.assertIn(f"(pid {os.getpid()})", str(caught.exception))
        self.assertIn(str(self.folder), str(caught.exception))
        self.close()
        self.store()

    @unittest.skipIf(sys.platform == "win32", "Windows deletes no open file")
    def test_the_lock_is_deleted(self) -> None:
        """A second collector is refused all the same, and the lock is there again with the next flush."""
        store = self.store()
        (self.folder / ".lock").unlink()
        self.assertRaises(LockedError, self.store)
        (self.folder / ".lock").unlink(missing_ok=True)
        store.flush()
        self.assertEqual((self.folder / ".lock").read_text(), f"{os.getpid()}\n")
        self.assertRaises(LockedError, self.store)

    @unittest.skipIf(sys.platform == "win32", "Windows deletes no open file")
    def test_the_lock_is_anothers(self) -> None:
        """While another program has taken the place of the lock nothing is written, and all is once it is free."""
        import fcntl

        store = self.store()
        (self.folder / ".lock").unlink()
        with (self.folder / ".lock").open("w") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            store.append(rows.TRADES, S, [row(rows.TRADES, 1)])
            store.backlog.gap(S, gap(5, 9))
            for _ in range(2):
                with self.assertRaisesRegex(StoreError, "belongs to another collector"):
                    store.flush()
                self.assertEqual((self.lines(rows.TRADES), self.lines(rows.GAPS)), ([], []))
        store.flush()
        self.assertEqual(self.lines(rows.TRADES), [row(rows.TRADES, 1)])
        self.assertEqual(self.lines(rows.GAPS), [gap_row(gap(5, 9))])

    def test_a_run_ends_in_order(self) -> None:
        """The lock's file is empty: the pid in it could be a stranger's one day."""
        self.store()
        self.close()
        self.assertEqual((self.folder / ".lock").read_bytes(), b"")

    def test_the_owner_was_killed(self) -> None:
        """The lock of a process that was killed is free, though its file is still there."""
        code = (
            "import os, pathlib, sys; from aster_collect.files.lock import Lock;"
            "Lock(pathlib.Path(sys.argv[1])); os.kill(os.getpid(), 9)"
        )
        self.folder.mkdir()
        subprocess.run([sys.executable, "-c", code, str(self.folder)], check=False, timeout=20)
        self.assertTrue((self.folder / ".lock").read_text().strip())
        self.store()

    def test_a_folder_that_can_not_be_made(self) -> None:
        """A folder below a file is one line with the option, the folder and why; no change of owner would mend it."""
        self.folder.write_text("a file")
        for folder in (self.folder, self.folder / "below"):
            self.folder = folder
            with self.assertRaises(ConfigError) as caught:
                self.store()
            line = str(caught.exception)
            self.assertTrue(line.startswith(f"--data-dir: {folder} can't be written: "), line)
            self.assertNotIn("\n", line)
            self.assertNotIn("chown", line)

    @unittest.skipIf(not hasattr(os, "getuid"), "no owners")
    def test_what_mends_it_is_said_by_the_culprits_name(self) -> None:
        """Where the owner is wrong, the command names what is to be changed, and is given in no other case."""
        self.folder.mkdir()
        path = self.folder / "prices X.csv"
        path.touch()
        uid, folder, missing = os.getuid(), self.folder, self.folder / "more"
        forbidden = os.strerror(errno.EACCES)
        for number, culprit, data, mend in (
            (errno.EACCES, path, folder, f"{path}: {forbidden}; uid {uid} must be able to write it: "
                                         f"sudo chown {uid} '{path}'"),
            (errno.EPERM, folder / "new.csv", folder, f"sudo chown -R {uid} {folder}"),
            (errno.EACCES, folder, folder, f"written: {forbidden}; uid {uid} must be able to write it: "
                                           f"sudo chown -R {uid} {folder}"),
            (errno.EACCES, missing, missing, f"; uid {uid} may not make it: sudo install -d -o {uid} {missing}"),
            (errno.EISDIR, path, folder, f"{path}: {os.strerror(errno.EISDIR)}"),
            (errno.ENOTDIR, missing, missing, os.strerror(errno.ENOTDIR)),
            (errno.EROFS, path, folder, f"{path}: {os.strerror(errno.EROFS)}"),
            (errno.EMFILE, path, folder, f"{path}: {os.strerror(errno.EMFILE)}"),
        ):  # fmt: skip
            line = unwritable(data, OSError(number, os.strerror(number), str(culprit)))
            self.assertTrue(line.startswith(f"--data-dir: {data} can't be written: "), line)
            self.assertTrue(line.endswith(mend), line)

    @unittest.skipIf(not hasattr(os, "getuid") or os.getuid() == 0, "this user can write everywhere")
    def test_a_folder_of_somebody_else(self) -> None:
        """A folder without the right to write is refused the same way."""
        self.folder.mkdir(mode=0o500)
        with self.assertRaisesRegex(ConfigError, f"uid {os.getuid()}"):
            self.store()


class Links(Case):
    def test_a_link_at_the_start(self) -> None:
        """A link in a file's place is one line with its name, and what it points at is neither changed nor made."""
        self.store().flush()
        self.close()
        elsewhere = Path(self.enterContext(tempfile.TemporaryDirectory()))
        names = [rows.file_name(kind, S) for kind in (*KINDS, rows.GAPS)]
        for name in (".lock", REJECTS_NAME, *names):
            path = self.folder / name
            before = path.read_bytes()
            for target in (elsewhere / "precious", elsewhere / "nowhere"):
                (elsewhere / "precious").write_bytes(before)
                path.unlink()
                path.symlink_to(target)
                with self.assertRaises(ConfigError) as caught:
                    self.store()
                self.assertIn(f"{path}: is a link", str(caught.exception))
                self.assertNotIn("chown", str(caught.exception))
                self.close()
                self.assertEqual([one.name for one in elsewhere.iterdir()], ["precious"])
                self.assertEqual((elsewhere / "precious").read_bytes(), before)
            path.unlink()
            path.write_bytes(before)
        self.store()

    def test_a_closed_file_is_a_link(self) -> None:
        """The newest closed file of a current one without rows is not read through a link either."""
        self.folder.mkdir()
        for packed in ("", ".gz"):
            path = self.folder / f"trades_{S}.2026-11-21.csv{packed}"
            path.symlink_to("/dev/null")
            with self.assertRaisesRegex(ConfigError, f"{path.name}: is a link"):
                self.store()
            self.close()
            path.unlink()

    def test_a_link_in_place_of_a_file_that_was_deleted(self) -> None:
        """While it runs the link gets another name, nothing is written through it, and rows go on in a fresh file."""
        store = self.store()
        store.append(rows.TRADES, S, [row(rows.TRADES, 1)])
        store.flush()
        path = self.path(rows.TRADES)
        path.unlink()
        path.symlink_to(self.folder / "nowhere")
        store.append(rows.TRADES, S, [row(rows.TRADES, 2)])
        with self.assertLogs("aster_collect", "WARNING"):
            store.flush()
        self.assertFalse((self.folder / "nowhere").exists())
        self.assertTrue((self.folder / f"trades_{S}.{STAMP}.csv").is_symlink())

    def test_a_link_in_place_of_a_file_that_was_moved(self) -> None:
        """A file was moved and a link put in its place: rows go on in it until told, and then in a fresh file."""
        store = self.store()
        path = self.path(rows.PRICES)
        moved = path.rename(self.folder / "moved")
        path.symlink_to(moved)
        store.append(rows.PRICES, S, [row(rows.PRICES, 1)])
        store.reopen()
        store.append(rows.PRICES, S, [row(rows.PRICES, 2)])
        with self.assertLogs("aster_collect", "WARNING"):
            store.flush()
        self.assertEqual(moved.read_text().splitlines()[1:], [row(rows.PRICES, 1)])
        self.assertEqual(self.lines(rows.PRICES), [row(rows.PRICES, 2)])
        self.assertFalse(path.is_symlink())

    @unittest.skipUnless(os.name == "posix", "modes are POSIX's")
    def test_who_may_read(self) -> None:
        """A folder is made for the owner and the group, and so is each file, less what the umask takes."""
        for mask, folder_mode, file_mode in ((0o000, 0o750, 0o640), (0o077, 0o700, 0o600)):
            self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "data"
            before = os.umask(mask)
            try:
                self.store().flush()
            finally:
                os.umask(before)
            self.close()
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in self.folder.iterdir()}
            self.assertEqual(modes, dict.fromkeys(modes, file_mode))
            self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), folder_mode)


if __name__ == "__main__":
    unittest.main()
