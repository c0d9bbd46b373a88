"""A folder is read once, each row in its place, whatever its files look like, and what is no row is told."""

import gzip
import random
import tempfile
import unittest
from itertools import pairwise
from pathlib import Path

from aster_collect.archive import DamagedFile
from aster_collect.exchange.streams.kind import Options
from aster_collect.report.axis import axis
from aster_collect.report.folder import Folder, Found
from aster_collect.report.reading import Window
from tests.support import rounds
from tests.unit.report.made import DAY_MS, START_MS, gap, quote, trade, write, write_symbol

ALL = (0, 1 << 62)


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.told = [0, 0]

    def tell(self, rows: int, bytes_: int) -> None:
        self.told[0] += rows
        self.told[1] += bytes_

    def read(self, window: Window = ALL, symbol: str = "BTCUSDT") -> dict[str, Found]:
        """Return what is found of a symbol, by kind."""
        folder = Folder(self.folder, (symbol,), window)
        extent = folder.extent()
        assert extent is not None
        found = folder.read(symbol, axis(*extent, 500), self.tell)
        self.assertEqual(self.told[1], folder.sizes[symbol])
        return {one.history.kind.name: one for one in found}


class TheFolder(Case):
    def test_files_of_all_forms(self) -> None:
        """Closed files, compressed ones, and those of other columns are one history, read in order."""
        closed = [trade(at, START_MS + at, "buy", "1", "2") for at in range(5)]
        write(self.folder / "trades_BTCUSDT.2026-10-21.csv", "trades", closed)
        path = self.folder / "trades_BTCUSDT.2026-10-22.csv"
        write(path, "trades", [trade(7, START_MS + DAY_MS, "sell", "1", "2").rpartition(",")[0]], Options())
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
        write(self.folder / "trades_BTCUSDT.csv", "trades", [trade(9, START_MS + 2 * DAY_MS, "sell", "3", "4")])
        history = self.read()["trades"].history
        self.assertEqual((history.rows, history.files, history.missing_ids), (7, 3, 3))
        self.assertEqual((history.first_ms, history.last_ms), (START_MS, START_MS + 2 * DAY_MS))
        self.assertEqual(history.bytes, sum(one.stat().st_size for one in self.folder.iterdir()))

    def test_a_time_of_it(self) -> None:
        """Of a time each chart has what rows of that time alone would give, wherever it cuts blocks and points."""
        for seed, chance in rounds(6):
            with self.subTest(seed=seed), tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as part:
                times = sorted(START_MS + chance.randrange(DAY_MS) for _ in range(4000))
                lines = [quote(time_ms, f"{chance.randint(10, 99)}", "100") for time_ms in times]
                start_ms, end_ms = sorted(chance.sample(times, 2))
                inside = [line for time_ms, line in zip(times, lines, strict=True) if start_ms <= time_ms < end_ms]
                write(Path(whole) / "prices_BTCUSDT.csv", "prices", lines)
                write(Path(part) / "prices_BTCUSDT.csv", "prices", inside)
                made = []
                for name, window in ((whole, (start_ms, end_ms)), (part, ALL)):
                    folder = Folder(Path(name), (), window)
                    (found,) = folder.read("BTCUSDT", axis(start_ms, end_ms - 1, 300), lambda *_: None)
                    points = [
                        {at: (*one[:3], one.spreads.counts) for at, one in series.points.items()}
                        for series in found.history.series.values()
                        if hasattr(series, "points")
                    ]
                    made.append((found.history.rows, found.history.first_ms, found.history.last_ms, points))
                self.assertEqual(*made)

    def test_a_row_that_is_being_written(self) -> None:
        """The first half of a last row is left out, and is no error."""
        write(self.folder / "prices_BTCUSDT.csv", "prices", [quote(START_MS, "1", "2")])
        with (self.folder / "prices_BTCUSDT.csv").open("a") as file:
            file.write("17925408")
        self.assertEqual(self.read()["prices"].history.rows, 1)

    def test_a_line_that_is_no_row(self) -> None:
        """What is no row ends it, with file and line."""
        lines = [quote(START_MS + at, "1", "2") for at in range(3000)]
        lines[2000] = lines[2000].replace(",1,", ",1e3,")
        write(self.folder / "prices_BTCUSDT.csv", "prices", lines)
        with self.assertRaisesRegex(DamagedFile, r"^prices_BTCUSDT\.csv:2002: bid is '1e3'"):
            self.read()

    def test_a_file_without_rows(self) -> None:
        """A history that has only just begun has no rows, and no chart."""
        write(self.folder / "prices_BTCUSDT.csv", "prices", [quote(START_MS, "1", "2")])
        write(self.folder / "trades_BTCUSDT.csv", "trades", [])
        history = self.read()["trades"].history
        self.assertEqual((history.rows, history.missing_ids, history.series), (0, None, {}))

    def test_nothing_of_that_time(self) -> None:
        """Where no row is of the time that was asked for there is no extent."""
        write(self.folder / "prices_BTCUSDT.csv", "prices", [quote(START_MS, "1", "2")])
        self.assertIsNone(Folder(self.folder, (), (START_MS + 1, START_MS + 9)).extent())

    def test_a_stretch_that_was_not_asked_for(self) -> None:
        """Trades that follow a stretch of `not-asked` prove that it lacks none; the last one stands."""
        write(self.folder / "trades_BTCUSDT.csv", "trades", [trade(1, START_MS, "buy", "1", "1")])
        gaps = [(START_MS - 900, START_MS - 500), (START_MS - 400, START_MS + 700)]
        write(self.folder / "gaps_BTCUSDT.csv", "gaps", [gap("trades", *one, "not-asked") for one in gaps])
        found = self.read()["trades"].gaps
        assert found is not None
        self.assertEqual([stretch.start.timestamp() * 1000 for stretch in found.stretches], [START_MS - 400])

    def test_no_ledger(self) -> None:
        """Without a ledger nobody knows what is missing, which is not the same as nothing."""
        write(self.folder / "trades_BTCUSDT.csv", "trades", [trade(1, START_MS, "buy", "1", "1")])
        self.assertIsNone(self.read()["trades"].gaps)

    def test_rows_that_go_back(self) -> None:
        """A row of an earlier time counts to its own step, and every row counts once."""
        for seed, chance in rounds(5):
            times = [START_MS + at * 997 + chance.randrange(-3000, 3000) for at in range(2500)]
            lines = [trade(at, time_ms, "buy", "1", "1") for at, time_ms in enumerate(times)]
            write(self.folder / "trades_BTCUSDT.csv", "trades", lines)
            folder = Folder(self.folder, (), ALL)
            made = axis(min(times), max(times), 400)
            (found,) = folder.read("BTCUSDT", made, self.tell)
            bars = next(series.bars for series in found.history.series.values() if hasattr(series, "bars"))
            with self.subTest(seed=seed):
                counted = {at: bar[0].rows for at, bar in bars.items()}
                self.assertEqual(counted, {at: sum(made.bars.at(one) == at for one in times) for at in counted})
                self.assertEqual(sum(counted.values()), len(times))

    def test_a_clock_that_was_set_back(self) -> None:
        """A history that ends at an earlier time than it began at has all of its rows."""
        for times in ((START_MS, START_MS - DAY_MS), (START_MS, START_MS + 5000, START_MS - DAY_MS, START_MS - 5)):
            write(self.folder / "prices_BTCUSDT.csv", "prices", [quote(time_ms, "1", "2") for time_ms in times])
            self.told = [0, 0]
            self.assertEqual(self.read()["prices"].history.rows, len(times))
            ends = sorted((times[0], times[-1]))
            self.assertEqual(Folder(self.folder, (), ALL).extent(), (ends[0], ends[1]))

    def test_every_kind(self) -> None:
        """Each kind of a whole folder is found, and the largest symbol comes first."""
        chance = random.Random(1)
        write_symbol(self.folder, "AUSDT", chance, days=2, each=10)
        write_symbol(self.folder, "BUSDT", chance, days=2, each=20)
        folder = Folder(self.folder, (), ALL)
        self.assertEqual(folder.symbols, ["BUSDT", "AUSDT"])
        self.assertTrue(all(folder.sizes[a] >= folder.sizes[b] for a, b in pairwise(folder.symbols)))
        found = self.read(symbol="BUSDT")
        self.assertEqual([*found], ["prices", "orderbook", "trades", "mark", "liquidations", "open-interest"])
        self.assertEqual({one.history.rows for one in found.values()}, {40})


if __name__ == "__main__":
    unittest.main()
