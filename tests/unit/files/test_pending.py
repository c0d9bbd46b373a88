"""What waits goes out whole, once and in order, whatever is taken of it, and none of it before its mark is passed."""

import random
import unittest

from aster_collect.files.appender import Mark, Pending
from tests.support import rounds

CLOSE, REOPEN = Mark("close", "2026-11-22"), Mark("reopen")


class Marks(unittest.TestCase):
    def test_nothing_behind_a_mark_is_in_front(self) -> None:
        """It comes to the front when the mark is passed, and a mark is there when all before it is written."""
        pending = Pending()
        pending.append(b"1\n")
        pending.add_mark(CLOSE)
        pending.append(b"2\n")
        self.assertEqual((pending.front(), pending.mark), (b"1\n", None))
        pending.written(b"1\n", 2)
        self.assertEqual((pending.front(), pending.mark), (b"", CLOSE))
        pending.pass_mark()
        self.assertEqual((pending.front(), pending.mark, pending.size), (b"2\n", None, 2))

    def test_the_same_mark_twice(self) -> None:
        """With nothing between it is one; others and those behind bytes are all kept."""
        pending = Pending()
        for mark in (REOPEN, REOPEN, CLOSE, REOPEN):
            pending.add_mark(mark)
        pending.append(b"1\n")
        pending.add_mark(REOPEN)
        self.assertEqual(pending.marks, [REOPEN, CLOSE, REOPEN, REOPEN])

    def test_another_file_is_begun_within_a_line(self) -> None:
        """The line is written whole there, behind the header, which is put there once."""
        pending = Pending()
        pending.append(b"1,2\n")
        pending.append(b"3,4\n")
        pending.written(pending.front(), 5)
        for _ in range(2):
            pending.begin_line()
            pending.put_first(b"a,b\n")
            pending.put_first(b"0,0\n", behind=b"a,b\n")
        self.assertEqual((pending.front(), pending.size), (b"a,b\n0,0\n3,4\n", 12))

    def test_all_is_taken(self) -> None:
        """It is whole lines, and neither bytes nor marks stay."""
        pending = Pending()
        pending.append(b"1,2\n")
        pending.written(pending.front(), 1)
        pending.add_mark(CLOSE)
        pending.append(b"3,4\n")
        self.assertEqual(pending.take(), b"1,2\n3,4\n")
        self.assertEqual((pending.all(), pending.size, pending.marks, pending.mark), (b"", 0, [], None))

    def test_any_order_of_bytes_marks_and_writes(self) -> None:
        """What is written and what waits is always all that came; the last whole line is the one that was written."""
        for seed, chance in rounds(300):
            with self.subTest(seed=seed):
                self.play(chance)

    def play(self, chance: random.Random) -> None:
        pending, came, gone, whole = Pending(), b"", b"", b""
        marks: list[tuple[int, Mark]] = []  # behind how many bytes each stands
        for number in range(60):
            what = chance.randrange(4)
            if what == 0:
                data = b"".join(b"%d,%d\n" % (number, n) for n in range(chance.randrange(1, 4)))
                came += data
                pending.append(data)
            elif what == 1:
                mark = Mark("close", str(number))
                marks.append((len(came), mark))
                pending.add_mark(mark)
            elif what == 2 and (mark_now := pending.mark) is not None:
                self.assertEqual(marks.pop(0), (len(gone), mark_now))
                pending.pass_mark()
            elif front := pending.front():
                done = chance.randrange(len(front) + 1)
                gone += front[:done]
                whole = pending.written(front, done) or whole
            end = marks[0][0] if marks else len(came)
            self.assertEqual(gone + pending.front(), came[:end])
            self.assertEqual(pending.mark, marks[0][1] if marks and end == len(gone) else None)
            self.assertEqual(pending.size, len(came) - len(gone))
            start = gone.rfind(b"\n") + 1
            self.assertEqual(pending.all(), came[start:])
            self.assertEqual(whole, gone[:start].split(b"\n")[-2] if start else b"")
        self.assertEqual(pending.marks, [mark for _, mark in marks])


if __name__ == "__main__":
    unittest.main()
