"""Rows without ids are put together a few at a time, whatever single times are among them."""

import tempfile
import unittest
from collections.abc import Iterator, Sequence
from pathlib import Path

from aster_collect.archive import DamagedFile
from aster_collect.exchange.streams import KINDS
from aster_collect.files.names import Part
from aster_collect.files.source import Source
from aster_collect.merge.aligned import MOST_BYTES, Aligned, sequence
from aster_collect.merge.columns import Columns
from aster_collect.merge.feed import Feed

HEADER = "unix_timestamp,bid,ask,mid"
T = 1_795_363_200_000
ROWS = 20_000


class ALongHistory(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def feed(self, name: str, times: Sequence[int], columns: Columns) -> Feed:
        path = self.folder / name
        lines = (f"{(T + at) // 1000}.{(T + at) % 1000:03d},1.0,3.0,2.0" for at in times)
        path.write_text("".join(f"{line}\n" for line in (HEADER, *lines)))

        def sources() -> Iterator[Source]:
            with Source(path, Part("prices", "BTCUSDT")) as source:
                yield source

        return Feed(self.folder, columns.kind, sources(), columns, lambda rows, bytes_: None)

    def merged(self, *histories: Sequence[int]) -> tuple[int, int]:
        """Return how many rows there are of several, and how many bytes of one were held at most."""
        columns = Columns(KINDS["prices"], "futures")
        feeds = [self.feed(str(number), times, columns) for number, times in enumerate(histories)]
        written, held = 0, 0

        def write(data: bytes, rows: int) -> None:
            nonlocal written, held
            written, held = written + rows, max(held, *(len(feed.data) for feed in feeds))

        Aligned(feeds, write, sequence).run()
        return written, held

    def test_rows_that_differ_throughout(self) -> None:
        """Only what is about as old as what has been read is held."""
        times = range(0, 100 * ROWS, 100)
        rows, held = self.merged(times[::2], times[1::2])
        self.assertEqual(rows, ROWS)
        self.assertLess(held, 4 << 16)

    def test_an_odd_time_among_them(self) -> None:
        """A single one far ahead lets nothing wait for it."""
        times = [*range(0, 100 * ROWS, 100)]
        times[5] = 10**9
        rows, held = self.merged(times[::2], times[1::2])
        self.assertEqual(rows, ROWS)
        self.assertLess(held, 4 << 16)

    def test_a_clock_that_was_set_back(self) -> None:
        """Where folders differ then, nothing says which rows are one, and this is told before memory is full."""
        count = MOST_BYTES // 20
        times = [*range(10**7, 10**7 + 10 * count, 10), *range(0, 10 * count, 10)]
        with self.assertRaisesRegex(DamagedFile, "behind it times go back, and no ids say which rows are one"):
            self.merged(times, times[1:-1:3])


if __name__ == "__main__":
    unittest.main()
