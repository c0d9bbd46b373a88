"""The end of a file is read from the end, whatever a crash left there."""

import os
import tempfile
import time
import unittest
from pathlib import Path

from aster_collect.files.tail import BLOCK, SEARCH_LIMIT, Tail, find_tail

HEADER = b"a,b\n"


def is_row(text: str) -> bool:
    """Return whether a line is a row of this test's file."""
    return text.count(",") == 1 and text[0].isdigit()


class Tails(unittest.TestCase):
    def tail(self, body: bytes, row_bytes: int = BLOCK) -> Tail | None:
        """Return the tail of a file with this behind its header."""
        with tempfile.TemporaryFile() as file:
            file.write(HEADER + body)
            file.flush()
            return find_tail(file.fileno(), len(HEADER), is_row, row_bytes)

    def test_a_whole_file(self) -> None:
        """A file of whole rows ends where it ends."""
        self.assertEqual(self.tail(b""), Tail(4, None, b"", 0))
        self.assertEqual(self.tail(b"1,2\n3,4\n"), Tail(12, "3,4", b"", 0))

    def test_a_torn_row(self) -> None:
        """A row without its end is cut, and so is a line that is no row though it ends."""
        self.assertEqual(self.tail(b"1,2\n3,"), Tail(8, "1,2", b"3,", 0))
        self.assertEqual(self.tail(b"3"), Tail(4, None, b"3", 0))
        self.assertEqual(self.tail(b"1,2\n3\n"), Tail(8, "1,2", b"3\n", 0))
        self.assertEqual(self.tail(b"1,2\n\n"), Tail(8, "1,2", b"\n", 0))
        self.assertEqual(self.tail(b"1,2\n\xff,1\nx"), Tail(8, "1,2", b"\xff,1\nx", 0))

    def test_letters_of_any_script(self) -> None:
        """A row may name a symbol of any script; half of a letter is torn."""
        row = "1,币安人生USDT"
        self.assertEqual(self.tail(f"{row}\n3".encode()), Tail(5 + len(row.encode()), row, b"3", 0))
        torn = row.encode()[:3] + b"\n"
        self.assertEqual(self.tail(b"1,2\n" + torn), Tail(8, "1,2", torn, 0))

    def test_blocks_that_were_never_written(self) -> None:
        """NULs at the end are counted and not kept, behind a whole row, a torn one or none, and more than a block."""
        self.assertEqual(self.tail(b"1,2\n" + b"\0" * 5), Tail(8, "1,2", b"", 5))
        self.assertEqual(self.tail(b"1,2\n3,\0\0"), Tail(8, "1,2", b"3,", 2))
        self.assertEqual(self.tail(b"\0" * 3), Tail(4, None, b"", 3))
        self.assertEqual(self.tail(b"1,2\n" + b"\0" * 3 * BLOCK), Tail(8, "1,2", b"", 3 * BLOCK))

    def test_nuls_within_the_torn_part(self) -> None:
        """NULs before later bytes are part of what is kept."""
        self.assertEqual(self.tail(b"1,2\n3,\0\0,5\n6,\0"), Tail(8, "1,2", b"3,\0\0,5\n6,", 1))

    def test_damage_across_blocks(self) -> None:
        """A torn part of many lines is looked through back to the last whole row."""
        for size in (BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK):
            torn = b"junk\n" * (size // 5)
            self.assertEqual(self.tail(b"1,2\n" + torn), Tail(8, "1,2", torn, 0), size)

    def test_rows_at_the_edge_of_a_block(self) -> None:
        """The last row is found wherever the blocks fall."""
        for extra in range(12):
            body = b"1,2\n" * (BLOCK // 4) + b"3," + b"4" * extra + b"\n"
            self.assertEqual(self.tail(body), Tail(4 + len(body), "3," + "4" * extra, b"", 0))

    def test_a_row_that_is_longer_than_a_block(self) -> None:
        """A whole book takes as long a row; whole or torn, and with another behind it, its line is found."""
        for length in (BLOCK - 1, BLOCK, 3 * BLOCK, SEARCH_LIMIT + BLOCK):
            book = b"3," + b"0" * length + b"\n"
            for more in (b"", b"1,2\n", book, book[:-1], book[: length // 2]):
                body = b"1,2\n" + book + more
                end = body.rindex(b"\n") + 1
                row = body[body.rfind(b"\n", 0, end - 1) + 1 : end - 1].decode()
                with self.subTest(length=length, more=len(more)):
                    self.assertEqual(self.tail(body, 2 * SEARCH_LIMIT), Tail(4 + end, row, body[end:], 0))

    def test_something_else_than_rows(self) -> None:
        """Without a whole row near the end there is no tail to repair: the file is somebody else's."""
        self.assertIsNone(self.tail(b"x" * (BLOCK + 10)))
        self.assertIsNone(self.tail(b"1,2\n" + b"x" * (BLOCK + 10) + b"\n"))
        self.assertIsNone(self.tail(b"1,2\n" + b"junk\n" * (SEARCH_LIMIT // 5 + BLOCK)))

    def test_two_gigabytes(self) -> None:
        """The end of a file of 2 GB is found at once."""
        with tempfile.TemporaryFile() as file:
            file.write(HEADER)
            file.seek(2 << 30)
            file.write(b"\n1,2\n3,")
            file.flush()
            start_s = time.monotonic()
            tail = find_tail(file.fileno(), len(HEADER), is_row)
            self.assertLess(time.monotonic() - start_s, 0.1)
            self.assertEqual(tail, Tail((2 << 30) + 5, "1,2", b"3,", 0))
            self.assertEqual(os.fstat(file.fileno()).st_size, (2 << 30) + 7)


class Everywhere(unittest.TestCase):
    def test_any_prefix_ends_in_its_last_whole_row(self) -> None:
        """Every prefix of a file, with and without NULs behind it, has the tail that its text says."""
        body = b"".join(b"%d,%d\n" % (i, i * i) for i in range(40))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            for cut in range(len(body) + 1):
                for nuls in (0, 1, 600):
                    path.write_bytes(HEADER + body[:cut] + b"\0" * nuls)
                    with path.open("rb") as file:
                        tail = find_tail(file.fileno(), len(HEADER), is_row)
                    whole = body.rfind(b"\n", 0, cut) + 1
                    last = body[:whole].decode().split("\n")[-2] if whole else None
                    self.assertEqual(tail, Tail(4 + whole, last, body[whole:cut], nuls), (cut, nuls))


if __name__ == "__main__":
    unittest.main()
