"""The raw record has each line once and in order, whatever a crash, a full disk or another program does."""

import errno
import gzip
import logging
import os
import random
import tempfile
import unittest
from pathlib import Path

from aster_collect.errors import StoreError
from aster_collect.exchange.events import Lines
from aster_collect.files.members import find_end
from aster_collect.files.names import raw_name, raw_period
from aster_collect.files.raw import RawWriter
from aster_collect.files.raw_reader import RawLines
from aster_collect.files.rotate import delete_expired, expired_raw

HOUR_NS = 3_600_000_000_000
NOON_NS = 1_795_521_600_000_000_000  # 2026-11-24T12:00Z
NOON, ONE = "2026-11-24T12", "2026-11-24T13"
WALL_S = 1_795_525_000.0

Line = tuple[int, bytes]


def line(number: int, stamp_ns: int = NOON_NS) -> Line:
    """Return a line of an hour, the later the higher its number."""
    return stamp_ns + number, b'{"stream":"%s@trade","data":{"t":%d}}' % ("币安人生usdt".encode(), number)


def lines(start: int, stop: int, stamp_ns: int = NOON_NS) -> list[Line]:
    return [line(number, stamp_ns) for number in range(start, stop)]


def missing(number: int, last: Line, following: Line) -> Line:
    """Return the line that stands for lines that are not there, between two that are."""
    text = b'{"aster":"lost","lines":%d,"from_ns":%d,"to_ns":%d,"why":"missing"}' % (number, last[0], following[0])
    return last[0], text


def append(writer: RawWriter, new: list[Line]) -> None:
    for stamp_ns, text in new:
        writer.append(Lines(stamp_ns, 1, b"%d %b\n" % (stamp_ns, text)))


class Disk:
    """A disk that takes so many bytes more, and then says that it is full."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, descriptor: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = os.write(descriptor, data[: self.room])
        self.room -= done
        return done


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        silent = logging.NullHandler()  # what is cut and set aside is said in the log
        logging.getLogger("aster_collect").addHandler(silent)
        self.addCleanup(logging.getLogger("aster_collect").removeHandler, silent)

    def writer(self, disk: Disk | None = None) -> RawWriter:
        writer = RawWriter(self.folder, sync=False, write=disk.write if disk else os.write, wall=lambda: WALL_S)
        self.addCleanup(writer.close)
        writer.begin()
        return writer

    def write(self, *flushes: list[Line]) -> None:
        """Let a run write these, a flush each, and be killed."""
        writer = self.writer()
        for one in flushes:
            append(writer, one)
            writer.flush()
        writer.close()

    def path(self, period: str = NOON) -> Path:
        return self.folder / raw_name(period)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def read(self, *periods: str) -> list[Line]:
        """Return all lines, which the standard library and the shell's tools read too."""
        paths = [self.path(period) for period in periods or sorted(filter(None, map(raw_period, self.names())))]
        unpacked = b"".join(gzip.decompress(path.read_bytes()) for path in paths)
        found = list(RawLines(paths))
        self.assertEqual(unpacked, b"".join(b"%d %b\n" % one for one in found))
        return found


class ACrash(Case):
    def test_a_kill_at_any_byte_of_the_last_member(self) -> None:
        """All earlier lines stay, the torn member is cut, and new lines follow."""
        self.write(lines(0, 3), lines(3, 6))
        first = self.path().stat().st_size
        self.write(lines(6, 9))
        whole = self.path().read_bytes()
        for size in range(first, len(whole)):
            self.path().write_bytes(whole[:size])
            self.assertEqual(list(RawLines([self.path()])), lines(0, 6), size)
            self.write(lines(9, 11))
            self.assertEqual(self.read(), lines(0, 6) + lines(9, 11), size)
        self.assertEqual(self.names(), [self.path().name])

    def test_a_kill_before_the_hour_changes(self) -> None:
        """The newest file is mended at the start, though the first line belongs to another: no file stays torn."""
        self.write(lines(0, 3), lines(3, 6))
        self.path().write_bytes(self.path().read_bytes()[:-1])
        self.write(lines(0, 2, NOON_NS + HOUR_NS))
        self.assertEqual(self.read(), lines(0, 3) + lines(0, 2, NOON_NS + HOUR_NS))

    def test_a_power_loss_that_leaves_nuls(self) -> None:
        """NULs behind the last whole member, or in place of its end, are cut with it."""
        self.write(lines(0, 3), lines(3, 6))
        whole = self.path().read_bytes()
        for left in (whole + bytes(4096), whole + bytes(5), whole[:-30] + bytes(30), whole[:-30] + bytes(4096)):
            self.path().write_bytes(left)
            self.write(lines(6, 8))
            kept = lines(0, 6) if left.startswith(whole) else lines(0, 3)
            self.assertEqual(self.read(), kept + lines(6, 8))
        self.assertEqual(self.names(), [self.path().name])

    def test_a_file_of_gigabytes(self) -> None:
        """The end is found by the heads, and by one member whole: what lies between is not read."""
        self.write(*(lines(number, number + 1) for number in range(50)))
        data = bytearray(self.path().read_bytes())
        data[40:60] = bytes(20)  # within the first member, where nobody looks
        self.path().write_bytes(data)
        with self.path().open("rb") as file:
            self.assertEqual(find_end(file.fileno()), len(data))

    def test_two_runs_into_one_file(self) -> None:
        """The second goes on behind the first, and nothing of either is changed."""
        self.write(lines(0, 3))
        before = self.path().read_bytes()
        self.write(lines(3, 5))
        self.assertTrue(self.path().read_bytes().startswith(before))
        self.assertEqual(self.read(), lines(0, 5))

    def test_a_run_in_which_nothing_came(self) -> None:
        """It makes no file, and leaves those that there are as they were."""
        self.write()
        self.assertEqual(self.names(), [])
        self.write(lines(0, 3))
        before = self.path().read_bytes()
        self.write()
        self.assertEqual(self.path().read_bytes(), before)


class DamageOfAnotherKind(Case):
    ASIDE = f"raw.{NOON}.20261124T125640Z.jsonl.gz"

    def test_what_no_crash_leaves(self) -> None:
        """The file is set aside whole under a name that says when, and another begun: nothing is deleted."""
        self.write(lines(0, 3), lines(3, 6))
        whole = self.path().read_bytes()
        flipped = bytes([*whole[:-12], whole[-12] ^ 1, *whole[-11:]])
        packed = gzip.compress(b"".join(b"%d %b\n" % one for one in lines(0, 3)))
        for damaged in (b"a" + whole[1:], whole + b"more", flipped, packed, b"no gzip"):
            self.path().write_bytes(damaged)
            self.write(lines(6, 8))
            self.assertEqual(self.read(), lines(6, 8))
            self.assertEqual((self.folder / self.ASIDE).read_bytes(), damaged)
            (self.folder / self.ASIDE).unlink()

    def test_a_link_in_the_place_of_a_file(self) -> None:
        """It is not followed, and not deleted."""
        with tempfile.NamedTemporaryFile() as target:
            self.path().symlink_to(target.name)
            self.write(lines(0, 3))
            self.assertEqual(self.read(), lines(0, 3))
            self.assertTrue((self.folder / self.ASIDE).is_symlink())
            self.assertEqual(os.path.getsize(target.name), 0)

    def test_a_folder_in_the_place_of_a_file(self) -> None:
        """What keeps lines from being written is said by its name; they are written once it is gone."""
        writer = self.writer()
        self.path().mkdir()
        append(writer, lines(0, 3))
        for _ in range(2):
            with self.assertRaisesRegex(StoreError, f"^{self.path().name}: {os.strerror(errno.EISDIR)}$"):
                writer.flush()
        self.path().rmdir()
        writer.flush()
        self.assertEqual(self.read(), lines(0, 3))


class OtherPrograms(Case):
    def test_a_file_that_is_deleted(self) -> None:
        """Another is begun, and who reads on from the hour before is told how many lines are gone."""
        writer = self.writer()
        append(writer, [*lines(0, 2, NOON_NS - HOUR_NS), *lines(2, 5)])
        writer.flush()
        self.path().unlink()
        append(writer, lines(5, 7))
        writer.flush()
        before, *lost, five, six = RawLines([self.path("2026-11-24T11"), self.path()])
        self.assertEqual([before, five, six], [line(0, NOON_NS - HOUR_NS), line(5), line(6)])
        self.assertEqual(lost, [line(1, NOON_NS - HOUR_NS), missing(3, line(1, NOON_NS - HOUR_NS), line(5))])

    def test_a_file_that_is_cut(self) -> None:
        """What is left of whole members stays, and who reads it is told how many lines are gone."""
        writer = self.writer()
        for at in (0, 3):
            append(writer, lines(at, at + 3))
            writer.flush()
        os.truncate(self.path(), self.path().stat().st_size - 1)
        append(writer, lines(6, 8))
        writer.flush()
        self.assertEqual(list(RawLines([self.path()])), [*lines(0, 3), missing(3, line(2), line(6)), *lines(6, 8)])

    def test_a_file_that_is_moved(self) -> None:
        """Another is begun under the name, and nothing is lost."""
        writer = self.writer()
        append(writer, lines(0, 3))
        writer.flush()
        self.path().rename(self.folder / "moved.gz")
        append(writer, lines(3, 5))
        writer.flush()
        self.assertEqual(list(RawLines([self.folder / "moved.gz"])), lines(0, 3))
        self.assertEqual(self.read(), lines(3, 5))


class AFullDisk(Case):
    def test_any_pattern_of_room(self) -> None:
        """Each line is written once and in order, whatever the disk takes and when, and over the end of an hour."""
        for seed in range(200):
            draw = random.Random(seed)
            disk = Disk(draw.randrange(200))
            writer = self.writer(disk)
            put: list[Line] = []
            for number in range(draw.randrange(2, 30)):
                new = lines(2 * number, 2 * number + 2, NOON_NS if number < 10 else NOON_NS + HOUR_NS)
                append(writer, new)
                put += new
                try:
                    writer.flush()
                except StoreError:
                    self.assertFalse(disk.room)
                    disk.room = draw.choice((0, 1, 100, 1000))
            disk.room = 1 << 20
            writer.flush()
            writer.close()
            self.assertEqual(self.read(), put, f"seed {seed}")
            for path in self.folder.iterdir():
                path.unlink()

    def test_it_ends_on_a_full_disk(self) -> None:
        """The part of a member that had room is taken out: the file is whole."""
        disk = Disk(1 << 20)
        writer = self.writer(disk)
        append(writer, lines(0, 3))
        writer.flush()
        disk.room = 30
        append(writer, lines(3, 6))
        with self.assertRaises(StoreError):
            writer.flush()
        self.assertGreater(writer.pending_bytes, 30)
        writer.close()
        self.assertEqual(self.read(), lines(0, 3))


class AnHour(Case):
    def test_it_changes_between_two_lines_of_a_flush(self) -> None:
        """Each line is in the file of its hour, and each file can be read alone."""
        last, first = lines(0, 3, NOON_NS + HOUR_NS - 3), lines(0, 3, NOON_NS + HOUR_NS)
        writer = self.writer()
        append(writer, [*last, *first])
        writer.flush()
        self.assertEqual(self.names(), [raw_name(NOON), raw_name(ONE)])
        self.assertEqual((self.read(NOON), self.read(ONE)), (last, first))
        self.assertTrue(writer.take_closed())
        self.assertFalse(writer.take_closed())

    def test_time_goes_back_over_it(self) -> None:
        """Such a line stays in the file that is being written: lines stand in the order in which they came."""
        writer = self.writer()
        append(writer, lines(0, 2, NOON_NS + HOUR_NS))
        append(writer, [line(9, NOON_NS), line(10, NOON_NS + HOUR_NS)])
        writer.flush()
        self.assertEqual(self.read(ONE), [*lines(0, 2, NOON_NS + HOUR_NS), line(9), line(10, NOON_NS + HOUR_NS)])


class KeepDays(Case):
    def test_the_days_before_the_last_ones_go(self) -> None:
        """Those that are counted have a record; all else in the folder stays, what was set aside too."""
        for period in ("2026-11-20T23", "2026-11-21T00", "2026-11-22T05", "2026-11-24T12"):
            self.path(period).touch()
        aside = self.folder / "raw.2026-11-20T22.20261124T125640Z.jsonl.gz"
        aside.touch()
        self.assertEqual(expired_raw(self.folder, 3), [])
        self.assertEqual(delete_expired(self.folder, 1, 0), [self.path("2026-11-20T23"), self.path("2026-11-21T00")])
        self.assertEqual(self.names(), [aside.name, raw_name("2026-11-22T05"), raw_name("2026-11-24T12")])

    def test_a_clock_that_was_wrong_once(self) -> None:
        """A file of a year to come costs no more than a day's."""
        for period in ("2026-11-22T05", "2026-11-23T05", "2026-11-24T12", "2031-01-01T00"):
            self.path(period).touch()
        self.assertEqual(expired_raw(self.folder, 2), [self.path("2026-11-22T05")])


if __name__ == "__main__":
    unittest.main()
