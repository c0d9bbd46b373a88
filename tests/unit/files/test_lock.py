"""One collector a folder, whatever somebody does to the lock, and on whatever filesystem."""

import errno
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from aster_collect.errors import ConfigError, LockedError
from aster_collect.files.lock import Lock

HOLD = "import sys; from pathlib import Path; from aster_collect.files.lock import Lock; Lock(Path(sys.argv[1])); "
STOP = 'flock -n ASTER_data/.lock true || kill "$(cat ASTER_data/.lock)"'
OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"


def failing(number: int) -> object:
    """Return a system's lock that fails so."""

    def lock(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    return lock


@unittest.skipIf(sys.platform == "win32", "Windows opens no folder")
class Owning(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.name = self.folder / ".lock"

    def lock(self) -> Lock:
        lock = Lock(self.folder)
        self.addCleanup(lock.release)
        return lock

    def test_the_lock_file_is_deleted(self) -> None:
        """A second collector is refused all the same, the first sees it, and the file is there again."""
        lock = self.lock()
        self.assertTrue(lock.held())
        self.name.unlink()
        self.assertFalse(lock.held())
        self.assertRaises(LockedError, Lock, self.folder)
        lock.renew()
        self.assertTrue(lock.held())
        self.assertEqual(self.name.read_text(), f"{os.getpid()}\n")
        with self.assertRaisesRegex(LockedError, rf"\(pid {os.getpid()}\)"):
            Lock(self.folder)

    def test_the_lock_file_is_deleted_where_folders_have_no_locks(self) -> None:
        """The file alone is the lock: who took the new one in between is told by name, and nobody else gets it."""

        def files_alone(descriptor: int) -> None:
            if os.path.samestat(os.fstat(descriptor), self.folder.stat()):
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

        first = Lock(self.folder, lock=files_alone)
        self.assertRaises(LockedError, Lock, self.folder, lock=files_alone)
        self.name.unlink()
        second = Lock(self.folder, lock=files_alone)
        self.assertFalse(first.held())
        for _ in range(2):
            self.assertRaises(LockedError, first.renew)
        second.release()
        first.renew()
        self.assertTrue(first.held())
        first.release()

    def test_the_folder_is_moved_away(self) -> None:
        """The folder that is under the path by then is locked, and the other is free."""
        self.folder = self.folder / "data"
        self.folder.mkdir()
        lock = self.lock()
        moved = self.folder.rename(self.folder.with_name("moved"))
        self.folder.mkdir()
        self.assertFalse(lock.held())
        lock.renew()
        self.assertTrue(lock.held())
        self.assertRaises(LockedError, Lock, self.folder)
        Lock(moved).release()

    def test_a_filesystem_without_locks(self) -> None:
        """It is told as that, with what to do, and not as another collector."""
        for number in (errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL, errno.ENOSYS):
            with self.assertRaises(ConfigError) as caught:
                Lock(self.folder, lock=failing(number))  # type: ignore[arg-type]
            line = str(caught.exception)
            for part in ("--data-dir: ", str(self.folder), "no locks", os.strerror(number), "local disk"):
                self.assertIn(part, line)

    def test_an_owner_without_a_pid(self) -> None:
        """A lock whose file says nothing, or nonsense, is told without a pid."""
        self.lock()
        for text in ("", "nonsense", "1\n2"):
            self.name.write_text(text)
            with self.assertRaises(LockedError) as caught:
                Lock(self.folder)
            self.assertNotIn("pid", str(caught.exception))

    def test_a_run_ends_in_order(self) -> None:
        """No pid is left that may be a stranger's one day, and no descriptor is."""
        before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
        Lock(self.folder).release()
        self.assertEqual(self.name.read_bytes(), b"")
        lock = Lock(self.folder)
        self.assertRaises(LockedError, Lock, self.folder)
        lock.release()
        if before:
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_the_lock_is_a_link(self) -> None:
        """What it points at is neither emptied nor made, and the link is told by name."""
        for target in (self.folder / "precious", self.folder / "nowhere"):
            (self.folder / "precious").write_text("precious")
            self.name.symlink_to(target)
            with self.assertRaisesRegex(OSError, "is a link") as caught:
                Lock(self.folder)
            self.assertEqual(caught.exception.filename, str(self.name))
            self.name.unlink()
            self.assertEqual([path.name for path in self.folder.iterdir()], ["precious"])
            self.assertEqual((self.folder / "precious").read_text(), "precious")
            Lock(self.folder).release()
            self.name.unlink()


@unittest.skipIf(not any(os.access(f"{path}/flock", os.X_OK) for path in os.get_exec_path()), "no flock")
class Stopping(unittest.TestCase):
    """The documented way to stop a collector that no terminal and no supervisor knows."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def start(self, code: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", code, str(self.folder)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def stop(self) -> None:
        self.assertIn(f"{STOP}\n", OPERATIONS.read_text("utf-8"))
        command = STOP.replace("ASTER_data", str(self.folder))
        subprocess.run(["sh", "-c", command], check=False, capture_output=True, timeout=20)

    def test_a_collector_runs(self) -> None:
        """It gets the signal."""
        process = self.start(HOLD + "print('ready', flush=True); sys.stdin.read(); import time; time.sleep(60)")
        self.stop()
        self.assertEqual(process.wait(20), -15)

    def test_the_pid_of_a_run_that_was_killed_is_a_strangers_by_now(self) -> None:
        """The stranger is left alone."""
        stranger = self.start("print('ready', flush=True); import time; time.sleep(60)")
        (self.folder / ".lock").write_text(f"{stranger.pid}\n")
        self.stop()
        with self.assertRaises(subprocess.TimeoutExpired):
            stranger.wait(0.1)


if __name__ == "__main__":
    unittest.main()
