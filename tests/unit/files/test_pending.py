"""What waits goes out whole, once and in order, whatever is taken of it, and none before its divider is passed."""

import random
import unittest

from aster_collect.files.appender import Divider, Pending
from tests.support import rounds

CLOSE, REOPEN = Divider("close", "2026-11-22"), Divider("reopen")


class Dividers(unittest.TestCase):
    def test_nothing_behind_a_mark_is_in_front(self) -> None:
        """It comes to the front when the divider is passed, and a divider is there when all before it is written."""
        pending = Pending()
        pending.append(b"1\n")
        pending.add_divider(CLOSE)
        pending.append(b"2\n")
        self.assertEqual((pending.front(), pending.divider), (b"1\n", None))
        pending.written(b"1\n", 2)
        self.assertEqual((pending.front(), pending.divider), (b"", CLOSE))
        pending.pass_divider()
        self.assertEqual((pending.front(), pending.divider, pending.size), (b"2\n", None, 2))

    def test_the_same_mark_twice(self) -> None:
        """With nothing between it is one; others and those behind bytes are all kept."""
        pending = Pending()
        for divider in (REOPEN, REOPEN, CLOSE, REOPEN):
            pending.add_divider(divider)
        pending.append(b"1\n")
        pending.add_divider(REOPEN)
        self.assertEqual(pending.dividers, [REOPEN, CLOSE, REOPEN, REOPEN])

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
        """It is whole lines, and neither bytes nor dividers stay."""
        pending = Pending()
        pending.append(b"1,2\n")
        pending.written(pending.front(), 1)
        pending.add_divider(CLOSE)
        pending.append(b"3,4\n")
        self.assertEqual(pending.take(), b"1,2\n3,4\n")
        self.assertEqual((pending.all(), pending.size, pending.dividers, pending.divider), (b"", 0, [], None))

    def test_any_order_of_bytes_marks_and_writes(self) -> None:
        """What is written and what waits is always all that came; the last whole line is the one that was written."""
        for seed, chance in rounds(300):
            with self.subTest(seed=seed):
                self.play(chance)

    def play(self, chance: random.Random) -> None:
        pending, came, gone, whole = Pending(), b"", b"", b""
        dividers: list[tuple[int, Divider]] = []  # behind how many bytes each stands
        for number in range(60):
            what = chance.randrange(4)
            if what == 0:
                data = b"".join(b"%d,%d\n" % (number, n) for n in range(chance.randrange(1, 4)))
                came += data
                pending.append(data)
            elif what == 1:
                divider = Divider("close", str(number))
                dividers.append((len(came), divider))
                pending.add_divider(divider)
            elif what == 2 and (divider_now := pending.divider) is not None:
                self.assertEqual(dividers.pop(0), (len(gone), divider_now))
                pending.pass_divider()
            elif front := pending.front():
                done = chance.randrange(len(front) + 1)
                gone += front[:done]
                whole = pending.written(front, done) or whole
            end = dividers[0][0] if dividers else len(came)
            self.assertEqual(gone + pending.front(), came[:end])
            self.assertEqual(pending.divider, dividers[0][1] if dividers and end == len(gone) else None)
            self.assertEqual(pending.size, len(came) - len(gone))
            start = gone.rfind(b"\n") + 1
            self.assertEqual(pending.all(), came[start:])
            self.assertEqual(whole, gone[:start].split(b"\n")[-2] if start else b"")
        self.assertEqual(pending.dividers, [divider for _, divider in dividers])


if __name__ == "__main__":
    unittest.main()
