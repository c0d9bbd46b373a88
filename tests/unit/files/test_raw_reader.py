"""The raw record is read in constant memory, and what is wrong with it is said by file and line."""

import gzip
import tracemalloc
from itertools import combinations
from pathlib import Path

from aster_collect.files.raw_reader import RawLines
from aster_collect.files.source import Damaged
from tests.unit.files.test_raw import HOUR_NS, NOON, NOON_NS, ONE, Case, Line, line, lines, missing


class Reading(Case):
    def assert_damaged(self, why: str, *periods: str) -> None:
        with self.assertRaises(Damaged) as caught:
            list(RawLines([self.path(period) for period in periods]))
        self.assertIn(why, str(caught.exception))

    def test_several_hours(self) -> None:
        """Their lines follow one another in the order in which the files are given."""
        self.write(lines(0, 3), lines(0, 3, NOON_NS + HOUR_NS))
        self.assertEqual(list(RawLines([self.path(NOON), self.path(ONE)])), self.read(NOON) + self.read(ONE))
        self.assertEqual(list(RawLines([])), [])

    def test_a_torn_end_that_is_not_the_last(self) -> None:
        """It is an error that names file and line: what it lacks was not lost at the end."""
        self.write(lines(0, 3), lines(3, 5))
        self.write(lines(0, 3, NOON_NS + HOUR_NS))
        self.path(NOON).write_bytes(self.path(NOON).read_bytes()[:-1])
        self.assert_damaged(f"raw.{NOON}.jsonl.gz: line 4: the file ends within it", NOON, ONE)
        self.assertEqual(list(RawLines([self.path(ONE), self.path(NOON)]))[-1], line(2))

    def test_a_file_of_another_program(self) -> None:
        """A plain gzip file is read as well, up to a torn end."""
        packed = gzip.compress(b"".join(b"%d %b\n" % one for one in lines(0, 20_000)))
        self.path(NOON).write_bytes(packed)
        self.assertEqual(list(RawLines([self.path(NOON)])), lines(0, 20_000))
        self.path(NOON).write_bytes(packed[:-9])
        self.assertEqual(list(RawLines([self.path(NOON)]))[:19_000], lines(0, 19_000))
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
        for run in range(20):
            self.write([(NOON_NS + run, text)] * 20)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assertEqual(sum(1 for _ in RawLines([self.path(NOON)])), 400)
        self.assertLess(tracemalloc.get_traced_memory()[1], 4 << 20)


class WhatSomebodyTookOut(Case):
    """Of two runs of three flushes in each of two hours."""

    def setUp(self) -> None:
        super().setUp()
        self.runs: list[list[Line]] = []
        for run in range(2):
            flushes = [lines(at, at + 3, NOON_NS + run * HOUR_NS) for at in range(10 * run, 10 * run + 9, 3)]
            if not run:
                flushes += [lines(at, at + 3, NOON_NS + HOUR_NS) for at in (0, 3)]
            self.write(*flushes)
            self.runs += [flushes]
        self.flushes = [(run, flush) for run, flushes in enumerate(self.runs) for flush in flushes]
        self.members = [member for period in (NOON, ONE) for member in members(self.path(period))]

    def without(self, start: int, stop: int) -> RawLines:
        """Return the lines of files in which some of the members are not there."""
        kept = [b"" if start <= at < stop else member for at, member in enumerate(self.members)]
        self.path(NOON).write_bytes(b"".join(kept[:3]))
        self.path(ONE).write_bytes(b"".join(kept[3:]))
        return RawLines([self.path(NOON), self.path(ONE)])

    def test_members_of_any_number_and_place(self) -> None:
        """A line in their place says how many lines are missing, also where an hour ends there, or is gone whole."""
        for start, stop in combinations(range(len(self.members) + 1), 2):
            before, behind = self.flushes[:start], self.flushes[stop:]
            expected = [one for _, flush in before for one in flush]
            if before and behind and before[-1][0] == behind[0][0]:
                gone = sum(len(flush) for _, flush in self.flushes[start:stop])
                expected += [missing(gone, expected[-1], behind[0][1][0])] if gone else []
            elif before and behind and behind[0][1] != self.runs[1][0]:
                with self.assertRaisesRegex(Damaged, r"line \d+: is of a run whose first [36] lines are not before it"):
                    list(self.without(start, stop))
                continue
            expected += [one for _, flush in behind for one in flush]
            self.assertEqual(list(self.without(start, stop)), expected, (start, stop))

    def test_an_hour_that_is_not_given(self) -> None:
        """It is as if its members had been taken out of a file."""
        self.write(lines(50, 52), lines(52, 56, NOON_NS + 2 * HOUR_NS), lines(56, 58, NOON_NS + 3 * HOUR_NS))
        (*_, last, lost, following, _) = RawLines([self.path(NOON), self.path("2026-11-24T15")])
        self.assertEqual(lost, missing(4, last, following))

    def test_members_that_come_twice(self) -> None:
        """It is an error that names file and line: somebody put them there."""
        data = self.path(NOON).read_bytes()
        self.path(NOON).write_bytes(data + self.members[1])
        with self.assertRaisesRegex(Damaged, f"raw.{NOON}.jsonl.gz: line 10: 6 lines come a second time"):
            list(RawLines([self.path(NOON)]))

    def test_members_that_do_not_say_what_came_before(self) -> None:
        """Those of version 1.3.0, and of other programs, are read, and so is what a run writes behind the former."""
        first = [one for _, flush in self.flushes[:3] for one in flush]
        packed = gzip.compress(b"".join(b"%d %b\n" % one for one in first))
        for unmarked in (b"".join(map(short, self.members[:3])), packed):
            self.members[:3] = unmarked, b"", b""
            self.assertEqual(list(self.without(9, 9)), [one for _, flush in self.flushes for one in flush])
            lost = missing(3, self.flushes[5][1][-1], self.flushes[7][1][0])
            self.assertIn(lost, list(self.without(6, 7)))
        self.path(NOON).write_bytes(b"".join(map(short, members(self.path(ONE)))))
        self.path(ONE).unlink()
        self.write(lines(10, 12), lines(12, 14))
        self.assertEqual(self.names(), [self.path(NOON).name])
        self.assertEqual(self.read(NOON)[-4:], lines(10, 14))


def members(path: Path) -> list[bytes]:
    """Return the members of a file, which say how long they are."""
    data, found = path.read_bytes(), []
    while data:
        size = int.from_bytes(data[16:20], "little")
        found, data = [*found, data[:size]], data[size:]
    return found


def short(member: bytes) -> bytes:
    """Return a member as version 1.3.0 wrote it."""
    size = len(member) - 16
    return member[:10] + b"\x08\x00AC\x04\x00" + size.to_bytes(4, "little") + member[36:]
