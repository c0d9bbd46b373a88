"""A closed file is compressed so that at every moment at least one whole copy of it is there."""

import errno
import gzip
import logging
import os
import queue
import tempfile
import threading
import unittest
from pathlib import Path
from typing import BinaryIO

from aster_collect.files.compress import BLOCK_BYTES, compress, finish, serve
from aster_collect.files.plain import begin_plain
from aster_collect.files.rotate import list_parts
from tests.killed import each_end
from tests.support import DEADLINE_S

NAME = "trades_BTCUSDT.2026-11-22.csv"


def content(size: int) -> bytes:
    """Return so many bytes that compress about as rows do."""
    rows = b"".join(
        b"%d,%d,buy,%d.5,0.1\n" % (number, 10**12 + number * 7, number * number % 977) for number in range(4000)
    )
    return (rows * (size // len(rows) + 1))[:size]


class Full:
    """Begins files on a disk that takes no new one while `full`."""

    def __init__(self) -> None:
        self.full = True

    def __call__(self, path: Path) -> BinaryIO:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return begin_plain(path)


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        silent = logging.NullHandler()
        logging.getLogger("aster_collect").addHandler(silent)
        self.addCleanup(logging.getLogger("aster_collect").removeHandler, silent)
        self.data = content(3 * BLOCK_BYTES + 17)

    def plain(self, name: str = NAME, data: bytes | None = None) -> Path:
        path = self.folder / name
        path.write_bytes(self.data if data is None else data)
        return path

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def assert_packed(self, name: str = NAME) -> None:
        self.assertEqual(self.names(), [f"{name}.gz"])
        self.assertEqual(gzip.decompress((self.folder / f"{name}.gz").read_bytes()), self.data)


class Compressing(Case):
    def test_a_closed_file(self) -> None:
        """The compressed file holds every byte, is smaller, and stands alone."""
        for size in (0, 1, BLOCK_BYTES, BLOCK_BYTES + 1, 5 * BLOCK_BYTES):
            self.data = content(size)
            path = self.plain()
            packed = compress(path)
            assert packed is not None
            self.assert_packed()
            self.assertLess(packed.stat().st_size, size // 2 + 50)
            packed.unlink()

    def test_the_same_content_is_the_same_file(self) -> None:
        """Neither time nor name is in the compressed file: the same rows are the same bytes."""
        found = set()
        for name in (NAME, "prices_X.2026-11-22T13.csv"):
            packed = compress(self.plain(name))
            assert packed is not None
            found.add(packed.read_bytes())
        self.assertEqual(len(found), 1)
        self.assertEqual(found.pop()[3:8], bytes(5))  # no flags, no time

    def test_both_copies_are_there(self) -> None:
        """Where a crash left both, the plain one goes if the other is whole, and is compressed again if it is not."""
        whole = gzip.compress(self.data, 1)
        for left in (whole, whole[:-1], whole[: len(whole) // 2], b"", b"half", gzip.compress(self.data[:-1])):
            path = self.plain()
            Path(f"{path}.gz").write_bytes(left)
            self.assertEqual(finish(self.folder), [path])
            self.assertIsNotNone(compress(path))
            self.assert_packed()

    def test_the_other_file_holds_something_else(self) -> None:
        """What is not a copy of the plain file is not overwritten, and both stay."""
        for other in (b"X" + self.data[1:], self.data + b"X", self.data[:-1] + b"X", b"X"):
            path = self.plain()
            packed = gzip.compress(other)
            Path(f"{path}.gz").write_bytes(packed)
            with self.assertLogs("aster_collect.files.compress", "ERROR"):
                self.assertIsNone(compress(path))
            self.assertEqual((path.read_bytes(), Path(f"{path}.gz").read_bytes()), (self.data, packed))

    def test_the_file_is_gone(self) -> None:
        """A file that was deleted or set aside meanwhile, before or during the work, is no error and leaves nothing."""
        path = self.plain()

        def delete() -> bool:
            path.unlink(missing_ok=True)
            return False

        self.assertIsNone(compress(path, stopped=delete))
        self.assertIsNone(compress(path))
        self.assertEqual(self.names(), [])

    def test_told_to_stop_in_the_middle(self) -> None:
        """The plain file stays, and nothing is beside it."""
        path = self.plain()
        answers = iter((False, False, True))
        self.assertIsNone(compress(path, stopped=lambda: next(answers)))
        self.assertEqual((self.names(), path.read_bytes()), ([NAME], self.data))

    def test_the_disk_is_full(self) -> None:
        """The error is raised, the plain file stays, and nothing is beside it."""
        path = self.plain()
        with self.assertRaises(OSError):
            compress(path, begin=Full())
        self.assertEqual((self.names(), path.read_bytes()), ([NAME], self.data))

    @unittest.skipIf(not Path("/dev/full").exists(), "no /dev/full")
    def test_the_disk_becomes_full(self) -> None:
        """So it is when the disk becomes full in the middle."""
        path = self.plain()

        def begin(aside: Path) -> BinaryIO:
            begin_plain(aside).close()
            return Path("/dev/full").open("wb")

        with self.assertRaises(OSError) as caught:
            compress(path, begin=begin)
        self.assertEqual(caught.exception.errno, errno.ENOSPC)
        self.assertEqual((self.names(), path.read_bytes()), ([NAME], self.data))

    def test_a_link_lies_where_the_copy_is_made(self) -> None:
        """What it points at stays as it was, and the file is compressed."""
        path = self.plain()
        target = Path(self.enterContext(tempfile.TemporaryDirectory())) / "precious"
        target.write_text("precious")
        Path(f"{path}.gz.tmp").symlink_to(target)
        compress(path)
        self.assert_packed()
        self.assertEqual(target.read_text(), "precious")

    def test_the_closed_file_is_a_link(self) -> None:
        """It is not followed: the error names it."""
        target = self.plain("notes.txt")
        path = self.folder / NAME
        path.symlink_to(target)
        with self.assertRaisesRegex(OSError, "is a link"):
            compress(path)
        self.assertEqual(self.names(), sorted([NAME, "notes.txt"]))

    def test_memory_is_constant(self) -> None:
        """A file of any size is compressed in blocks."""
        import tracemalloc

        self.data = content(20 << 20)
        path = self.plain()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        compress(path)
        self.assertLess(tracemalloc.get_traced_memory()[1], 4 << 20)


class Starting(Case):
    def test_what_is_to_be_done(self) -> None:
        """Closed plain files are to be compressed, oldest first; leftovers of them go, and all else stays."""
        todo = ["prices_A.2026-11-21T09.csv", NAME, "trades_BTCUSDT.2026-11-23-2.csv"]
        leftovers = [f"{NAME}.gz.tmp", "prices_A.2026-11-20.csv.gz.tmp"]
        others = [
            "trades_BTCUSDT.csv", "gaps_BTCUSDT.csv", "trades_BTCUSDT.2026-11-20.csv.gz", "notes.csv.gz.tmp", ".lock",
            "trades_BTCUSDT.20261122T000000Z.csv", "trades_BTCUSDT.2026-11-22.20261122T000000Z.csv", "status.json",
            "gaps_BTCUSDT.2026-11-22.csv",
        ]  # fmt: skip
        for name in (*todo, *leftovers, *others):
            self.plain(name, b"x")
        self.assertEqual([path.name for path in finish(self.folder)], todo)
        self.assertEqual(self.names(), sorted((*todo, *others)))


@unittest.skipIf(not hasattr(os, "fork"), "no fork")
class Kills(Case):
    def test_killed_at_any_step(self) -> None:
        """After a kill at any step one whole copy is there at least, and the next start finishes the job."""
        path = self.plain()
        packed = Path(f"{path}.gz")
        seen = 0
        for step in each_end(self.folder, lambda: compress(path)):
            whole = [path.read_bytes()] if path.exists() else []
            whole += [gzip.decompress(packed.read_bytes())] if packed.exists() else []
            self.assertTrue(whole, step)
            self.assertEqual(set(whole), {self.data}, step)
            self.assertEqual(sum(map(len, list_parts(self.folder).values())), 1)
            for _ in each_end(self.folder, self.start):
                self.start()
                self.assert_packed()
                seen += 1
        self.assertGreater(seen, 10)

    def start(self) -> None:
        """Finish what is left, as a start does."""
        for left in finish(self.folder):
            compress(left)


class Serving(Case):
    def setUp(self) -> None:
        super().setUp()
        self.work: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self.stopping = threading.Event()

    def serve_until(self, *names: str) -> None:
        """Wait until the folder holds just these files."""
        end = threading.Event()
        for _ in range(int(DEADLINE_S * 100)):
            if self.names() == sorted(names):
                return
            end.wait(0.01)
        self.fail(f"{self.names()} instead of {sorted(names)}")

    def test_files_come_in_turn(self) -> None:
        """Files are compressed as they come, and the loop ends when it is told to."""
        names = ["trades_A.2026-11-21.csv", "trades_A.2026-11-22.csv"]
        thread = threading.Thread(target=serve, args=(self.work, self.stopping), daemon=True)
        thread.start()
        done: list[str] = []
        for name in names:
            self.work.put(self.plain(name))
            done.append(f"{name}.gz")
            self.serve_until(*done)
        self.stopping.set()
        self.work.put(None)
        thread.join(DEADLINE_S)
        self.assertFalse(thread.is_alive())

    def test_the_disk_is_full_for_a_while(self) -> None:
        """A file that could not be compressed is said in the log, stays, and is done with the next one."""
        disk = Full()
        first, second = "trades_A.2026-11-21.csv", "trades_A.2026-11-22.csv"
        self.plain(first)
        thread = threading.Thread(target=serve, args=(self.work, self.stopping), kwargs={"begin": disk}, daemon=True)
        told = threading.Event()

        class Told(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                told.set()

        handler = Told(logging.ERROR)
        logging.getLogger("aster_collect.files.compress").addHandler(handler)
        self.addCleanup(logging.getLogger("aster_collect.files.compress").removeHandler, handler)
        thread.start()
        self.work.put(self.folder / first)
        self.assertTrue(told.wait(DEADLINE_S))
        self.assertEqual(self.names(), [first])
        disk.full = False
        self.work.put(self.plain(second))
        self.serve_until(f"{first}.gz", f"{second}.gz")
        self.work.put(None)
        thread.join(DEADLINE_S)

    def test_stopping_with_much_to_do(self) -> None:
        """Told to stop, the loop leaves the rest to the next start."""
        paths = [self.plain(f"trades_A.2026-11-{day}.csv") for day in range(10, 20)]
        self.stopping.set()
        for path in paths:
            self.work.put(path)
        serve(self.work, self.stopping)
        self.assertEqual(self.names(), [path.name for path in paths])
        self.stopping.clear()
        for last in (*paths, None):
            self.work.put(last)
        serve(self.work, self.stopping)
        self.assertEqual(self.names(), [path.name for path in paths])


if __name__ == "__main__":
    unittest.main()
