"""Each day's lines are in its file, whole and once, and no file has its name before it is whole."""

import gzip
import tempfile
import unittest
from datetime import date, timedelta
from pathlib import Path

from aster_collect.export.days import Days
from aster_collect.files.names import DAY_MS
from tests.support import rounds


class TheFiles(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def days(self) -> Days:
        return Days(lambda day: self.folder / f"{day}.csv.gz", "head\n")

    def read(self) -> dict[str, list[str]]:
        return {path.name[:10]: gzip.decompress(path.read_bytes()).decode().splitlines() for path in self.made()}

    def made(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir())

    def test_any_times(self) -> None:
        """Lines stand in their order under one header a file; one of an earlier day stays with the day before it."""
        for seed, chance in rounds(100):
            with self.subTest(seed=seed):
                for path in self.made():
                    path.unlink()
                expected: dict[str, list[str]] = {}
                time_ms, day, number = chance.randrange(DAY_MS), 0, 0
                with self.days() as days:
                    for _ in range(chance.randrange(9)):
                        times, lines = [], []
                        for _ in range(chance.randrange(6)):
                            time_ms = max(0, time_ms + chance.choice((1, 500, DAY_MS // 2, 3 * DAY_MS, -DAY_MS)))
                            day, number = max(day, time_ms // DAY_MS), number + 1
                            times.append(time_ms)
                            lines.append(chance.choice((f"{number}\n", f"{number}\n{number}\n", "")))
                            name = (date(1970, 1, 1) + timedelta(day)).isoformat()
                            expected.setdefault(name, ["head"]).extend(lines[-1].split())
                        days.add(times, lines)
                found = self.read()
                self.assertEqual(days.files, len(found))
                self.assertEqual(found, expected)

    def test_an_error(self) -> None:
        """Of the day that was being written nothing is left; those before it are whole, and one of before stays."""
        (self.folder / "1970-01-02.csv.gz").write_bytes(gzip.compress(b"of before\n"))
        with self.assertRaises(KeyError), self.days() as days:
            days.add([1], ["1\n"])
            days.add([DAY_MS], ["2\n"])
            raise KeyError
        self.assertEqual(self.read(), {"1970-01-01": ["head", "1"], "1970-01-02": ["of before"]})

    def test_the_same_again(self) -> None:
        """The same lines are the same bytes, at whatever moment they are written."""
        found = []
        for _ in range(2):
            with self.days() as days:
                days.add([1], ["1\n"])
            found.append(self.made()[0].read_bytes())
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0][4:8], bytes(4))


if __name__ == "__main__":
    unittest.main()
