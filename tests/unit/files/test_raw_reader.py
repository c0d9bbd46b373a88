"""The raw record is read in constant memory, and what is wrong with it is said by file and line."""

import gzip
import tracemalloc

from aster_collect.files.raw_reader import read_raw
from aster_collect.files.source import Damaged
from tests.unit.files.test_raw import HOUR_NS, NOON, NOON_NS, ONE, Case, line, lines


class Reading(Case):
    def assert_damaged(self, why: str, *periods: str) -> None:
        with self.assertRaises(Damaged) as caught:
            list(read_raw([self.path(period) for period in periods]))
        self.assertIn(why, str(caught.exception))

    def test_several_hours(self) -> None:
        """Their lines follow one another in the order in which the files are given."""
        self.write(lines(0, 3), lines(0, 3, NOON_NS + HOUR_NS))
        self.assertEqual(list(read_raw([self.path(NOON), self.path(ONE)])), self.read(NOON) + self.read(ONE))
        self.assertEqual(list(read_raw([])), [])

    def test_a_torn_end_that_is_not_the_last(self) -> None:
        """It is an error that names file and line: what it lacks was not lost at the end."""
        self.write(lines(0, 3), lines(3, 5), lines(0, 3, NOON_NS + HOUR_NS))
        self.path(NOON).write_bytes(self.path(NOON).read_bytes()[:-1])
        self.assert_damaged(f"raw.{NOON}.jsonl.gz: line 4: the file ends within it", NOON, ONE)
        self.assertEqual(list(read_raw([self.path(ONE), self.path(NOON)]))[-1], line(2))

    def test_a_file_of_another_program(self) -> None:
        """A plain gzip file is read as well, up to a torn end."""
        packed = gzip.compress(b"".join(b"%d %b\n" % one for one in lines(0, 20_000)))
        self.path(NOON).write_bytes(packed)
        self.assertEqual(list(read_raw([self.path(NOON)])), lines(0, 20_000))
        self.path(NOON).write_bytes(packed[:-9])
        self.assertEqual(list(read_raw([self.path(NOON)]))[:19_000], lines(0, 19_000))
        self.path(ONE).write_bytes(packed)
        self.assert_damaged(f"raw.{NOON}.jsonl.gz: line ", NOON, ONE)

    def test_a_line_that_is_none(self) -> None:
        """It is an error that names file and line, and shows the line."""
        good = b"%d %b\n" % line(0)
        for bad in (b"\n", b"1795521600 {}\n", b"x" + good, good[:19] + b"\t{}\n", good[:20] + b"[]\n", b"\0" * 40):
            self.path(NOON).write_bytes(gzip.compress(good + bad + good))
            self.assert_damaged(f"raw.{NOON}.jsonl.gz: line 2: is not `<19 digits: Unix ns> <JSON object>`: ", NOON)
        self.path(NOON).write_bytes(gzip.compress(good + good[:-1]))
        self.assert_damaged(f"raw.{NOON}.jsonl.gz: line 2: has no end", NOON)

    def test_a_bit_that_flipped_within(self) -> None:
        """It is an error that names file and line."""
        self.write(lines(0, 50), lines(50, 60))
        data = bytearray(self.path(NOON).read_bytes())
        data[60] ^= 1
        self.path(NOON).write_bytes(data)
        self.assert_damaged(f"raw.{NOON}.jsonl.gz: line ", NOON)

    def test_a_file_that_does_not_fit_into_memory(self) -> None:
        """However long it is, a few blocks of it are held."""
        text = b'{"aster":"frame","data":"%s"}' % (b"a" * 100_000)
        for _ in range(20):
            self.write([(NOON_NS, text)] * 20)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assertEqual(sum(1 for _ in read_raw([self.path(NOON)])), 400)
        self.assertLess(tracemalloc.get_traced_memory()[1], 4 << 20)
