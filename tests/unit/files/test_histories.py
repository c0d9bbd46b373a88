"""A data folder is read as histories: whole, in order, and no newer than its ledger, while a collector writes there."""

import gzip
import os
import random
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aster_collect.exchange.streams.kind import Kind
from aster_collect.files.histories import Histories, NotAFolder, in_order, last_row
from aster_collect.files.names import TABLE, Part
from aster_collect.files.source import LINE_BYTES, Damaged, Source
from tests.support import rounds

S = "BTCUSDT"
KINDS = [kind.name for kind in TABLE.values() if not kind.whole_folder]
DAY, NINE, TEN = "2026-11-22", "2026-11-22T09", "2026-11-22T10"


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def path(self, kind: str, period: str = "", number: int = 1, symbol: str = S) -> Path:
        return self.folder / Part(kind, symbol, period, number).name

    def write(self, path: Path, *lines: object, packed: bool = False) -> Path:
        """Write a file of a header and these rows."""
        data = "".join(f"{line}\n" for line in ("a,b", *lines)).encode()
        path = path.with_name(f"{path.name}.gz") if packed else path
        path.write_bytes(gzip.compress(data, 1) if packed else data)
        return path

    def growing(self, *kinds: str) -> None:
        for kind in kinds or KINDS:
            self.write(self.path(kind), f"{kind},1")

    def rows(self, archive: Histories, kind: str = "trades", symbol: str = S) -> list[str]:
        """Return the rows of a history."""
        with archive.open(symbol) as histories:
            return self.read(histories[kind])

    def read(self, sources: Iterator[Source]) -> list[str]:
        found = []
        for source in sources:
            header, *lines = b"".join(block.data for block in source.blocks()).decode().splitlines()
            self.assertEqual(header, "a,b")
            found += lines
        return found

    def names(self, archive: Histories, kind: str = "trades") -> list[str]:
        with archive.open(S) as histories:
            return [source.name for source in histories[kind]]


class Listed(Case):
    def test_closed_and_growing_files(self) -> None:
        """A history is its closed files, plain and compressed, oldest first, and then the growing one."""
        for number, (period, packed) in enumerate((("2026-11-20", True), ("2026-11-21", False), (NINE, True)), 1):
            self.write(self.path("trades", period), f"{number},1", packed=packed)
        for number in range(2, 12):
            self.write(self.path("trades", NINE, number), f"{number + 2},1", packed=number % 2 == 0)
        self.write(self.path("trades"), "14,1")
        self.growing("gaps")
        archive = Histories(self.folder)
        self.assertEqual(archive.symbols, [S])
        self.assertEqual(self.rows(archive), [f"{number},1" for number in range(1, 15)])
        self.assertEqual(self.rows(archive, "gaps"), ["gaps,1"])

    def test_a_history_of_closed_files_alone(self) -> None:
        """Where the growing file is gone, or not there yet, the closed ones are the history."""
        self.write(self.path("trades", DAY), "1,1")
        self.assertEqual(self.rows(Histories(self.folder)), ["1,1"])

    def test_plain_beside_compressed(self) -> None:
        """Of a file that is there both ways the plain one counts, which is deleted last, and only once."""
        self.write(self.path("trades", DAY), "1,1")
        Path(f"{self.path('trades', DAY)}.gz").write_bytes(b"half")
        self.assertEqual(self.names(Histories(self.folder)), [self.path("trades", DAY).name])

    def test_rotation_changed_within_a_day(self) -> None:
        """On a day that has files for hours and for all of it, their first rows say the order, and names else."""
        for order in ((NINE, TEN, DAY), (DAY, NINE, TEN), (NINE, DAY, TEN)):
            for packed in (False, True):
                for path in self.folder.iterdir():
                    path.unlink()
                self.write(self.path("trades", "2026-11-21T23"), "99,1")
                for number, period in enumerate(order, 100):
                    self.write(self.path("trades", period), f"{number},1", packed=packed)
                self.write(self.path("trades", "2026-11-23"), "1,1")
                found = self.rows(Histories(self.folder))
                self.assertEqual(found, ["99,1", "100,1", "101,1", "102,1", "1,1"], (order, packed))

    def test_a_file_of_a_mixed_day_says_nothing(self) -> None:
        """Without a row, damaged or gone, it comes first on its day: whoever reads it is told why."""
        parts = [Part("trades", S, period) for period in (DAY, NINE, TEN)]
        self.write(self.path("trades", DAY), "5,1")
        Path(f"{self.path('trades', NINE)}.gz").write_bytes(b"half")
        self.assertEqual([part.period for part in in_order(self.folder, parts)], [NINE, TEN, DAY])

    def test_what_was_set_aside(self) -> None:
        """It is in no history, but listed, with its first row if it has one that can be read."""
        names = ["prices_BTCUSDT.20261122T000000Z.csv", "trades_BTCUSDT.2026-11-21.20261122T000000Z-2.csv.gz"]
        self.growing()
        self.write(self.folder / names[0], "7,8")
        (self.folder / names[1]).write_bytes(b"half")
        archive = Histories(self.folder)
        self.assertEqual([entry.name for entry in archive.set_aside], names)
        self.assertEqual([archive.first_row(entry) for entry in archive.set_aside], [b"7,8", b""])
        self.assertEqual(self.rows(archive, "prices"), ["prices,1"])

    def test_a_file_for_the_whole_folder(self) -> None:
        """It is a history of no symbol, beside those of the symbols, and is opened with none of them."""
        self.growing()
        for period, row in (("", "2,2"), (DAY, "1,1")):
            self.write(self.path("universe", period, symbol=""), row)
        for live in (False, True):
            archive = Histories(self.folder, live=live)
            self.assertEqual(archive.symbols, ["", S])
            self.assertEqual(self.rows(archive, "universe", ""), ["1,1", "2,2"])
            with archive.open(S) as histories:
                self.assertEqual([*histories], KINDS)

    def test_links(self) -> None:
        """A folder of links to files that lie elsewhere is read as the files are."""
        elsewhere = self.write(Path(self.enterContext(tempfile.TemporaryDirectory())) / "old", "1,1")
        self.path("trades", DAY).symlink_to(elsewhere)
        self.growing("trades")
        self.assertEqual(self.rows(Histories(self.folder)), ["1,1", "trades,1"])

    def test_no_folder_of_data(self) -> None:
        """One line says what was given, and where the data are instead."""
        self.assertRaisesRegex(NotAFolder, "none: No such file or directory; give", Histories, self.folder / "none")
        self.assertRaisesRegex(NotAFolder, "no data files in it; give", Histories, self.folder)
        (self.folder / "demo").mkdir()
        self.write(self.folder / "demo" / "prices_X.csv")
        self.assertRaisesRegex(NotAFolder, f"but in {self.folder}/demo; give that", Histories, self.folder)


class Damage(Case):
    def test_a_torn_end(self) -> None:
        """The last block of a file has what is behind its last line end, and says so."""
        self.path("trades").write_bytes(b"a,b\n1,2\n3")
        for live in (False, True):
            with Histories(self.folder, live=live).open(S) as histories:
                (source,) = histories["trades"]
                self.assertEqual([*source.blocks()], [(b"a,b\n1,2\n", True), (b"3", False)])
                self.assertEqual(source.growing, live)

    def test_a_compressed_file_is_cut(self) -> None:
        """What can be had of it comes, and then the error."""
        path = self.write(self.path("trades", DAY), "1,2", packed=True)
        for damaged in (path.read_bytes()[:-1], b"none"):
            path.write_bytes(damaged)
            with Histories(self.folder).open(S) as histories:
                source = next(histories["trades"])
                with self.assertRaises(Damaged):
                    list(source.blocks())

    def test_a_line_without_an_end(self) -> None:
        """It ends the file early, so that memory does not grow with it."""
        with self.path("trades").open("wb") as file:
            file.write(b"a,b\n")
            file.truncate(50_000_000)
        with Histories(self.folder).open(S) as histories:
            (source,) = histories["trades"]
            head, rest = source.blocks()
        self.assertEqual((head, rest.whole), ((b"a,b\n", True), False))
        self.assertLess(len(rest.data), 2 * LINE_BYTES)


class Live(Case):
    def test_a_file_grows_while_it_is_read(self) -> None:
        """What is appended after the opening is not read."""
        self.growing()
        with Histories(self.folder, live=True).open(S) as histories:
            with self.path("trades").open("ab") as file:
                file.write(b"500,1\n5")
            self.assertEqual(self.read(histories["trades"]), ["trades,1"])

    def test_rows_are_written_while_the_files_are_opened(self) -> None:
        """The ledger is opened last: a row that is read was written before, and so was the gap in front of it."""

        class Busy(type(self.folder)):  # type: ignore[misc]
            def open(busy, *words: Any, **options: Any) -> Any:
                for kind in ("gaps", *KINDS):  # so the collector writes: the gap, then the rows behind it
                    with self.path(kind).open("ab") as file:
                        file.write(b"1,1\n")
                return super().open(*words, **options)

        self.growing()
        with Histories(Busy(self.folder), live=True).open(S) as histories:
            found = {kind: len(self.read(sources)) for kind, sources in histories.items()}
        self.assertEqual(len(found), len(KINDS))
        self.assertGreaterEqual(min(found["gaps"] - count for count in found.values()), 0)
        self.assertLess(min(found.values()), found["gaps"])

    def test_a_file_is_closed_after_the_listing(self) -> None:
        """It is found as a closed one, once, whether its successor is there yet or not."""
        for successor in (False, True):
            for path in self.folder.iterdir():
                path.unlink()
            self.growing()
            archive = Histories(self.folder, live=True)
            self.path("trades").rename(self.path("trades", DAY))
            if successor:
                self.write(self.path("trades"), "2,2")
            self.assertEqual(self.rows(archive), ["trades,1", *["2,2"] * successor])

    def test_a_symbol_is_listed_while_its_files_are_made(self) -> None:
        """A ledger that was made after the folder was listed is found."""
        self.growing("trades")
        archive = Histories(self.folder, live=True)
        self.growing("gaps")
        self.assertEqual(self.rows(archive, "gaps"), ["gaps,1"])

    def test_a_closed_file_is_compressed_or_deleted_after_the_listing(self) -> None:
        """It is found under its compressed name; one that is gone is left out, but where nothing should be writing."""
        self.growing()
        self.write(self.path("trades", NINE), "1,1")
        self.write(self.path("trades", TEN), "2,2")
        archives = [Histories(self.folder, live=live) for live in (True, False)]
        self.path("trades", NINE).unlink()
        self.write(self.path("trades", NINE), "1,1", packed=True)
        self.path("trades", TEN).unlink()
        self.assertEqual(self.rows(archives[0]), ["1,1", "trades,1"])
        with self.assertRaises(FileNotFoundError):
            self.rows(archives[1])

    def test_a_growing_file_is_deleted_after_the_listing(self) -> None:
        """Where nothing should be writing that is an error; where the collector is, its rows are read as they are."""
        self.growing()
        archives = [Histories(self.folder, live=live) for live in (True, False)]
        self.path("trades").unlink()
        with archives[0].open(S) as histories:
            self.assertEqual(sorted(histories), sorted({*KINDS} - {"trades"}))
        with self.assertRaisesRegex(FileNotFoundError, "trades_BTCUSDT.csv"):
            self.rows(archives[1])

    def test_files_are_renamed_all_the_time(self) -> None:
        """After a few turns that is said, and no file stays open."""
        self.growing()
        archive = Histories(self.folder, live=True)
        original = archive._list

        def rename() -> None:
            original()
            other = self.write(self.folder / "other", "x,1")
            other.replace(self.path("trades"))

        archive._list = rename  # type: ignore[method-assign]
        rename()
        before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
        with self.assertRaisesRegex(NotAFolder, "renamed faster"), archive.open(S):
            pass
        if before:
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_any_moment_of_closing_and_compressing(self) -> None:
        """Whenever the collector closes, compresses or goes on writing, what is read is whole, once and in order.

        All is there that was when the folder was listed, and nothing that came when the files were open.
        """
        for seed, chance in rounds(150):
            with self.subTest(seed=seed):
                self.play(chance)

    def play(self, chance: random.Random) -> None:
        for path in self.folder.iterdir():
            path.unlink()
        hours = (f"2026-11-22T{hour:02d}" for hour in range(24))
        numbers = iter(range(10**6))
        packable: list[Path] = []

        def turn() -> None:
            what = chance.randrange(4)
            if what == 0 and self.path("trades").exists():
                packable.append(self.path("trades").rename(self.path("trades", next(hours))))
            elif what == 1 and packable:
                path = packable.pop(0)
                Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
                if chance.random() < 0.5:
                    path.unlink()
            else:
                path = self.path("trades")
                text = "" if path.exists() else "a,b\n"
                with path.open("a") as file:
                    file.write(text + "".join(f"{next(numbers)},1\n" for _ in range(chance.randrange(3))))

        self.growing("gaps")
        for _ in range(chance.randrange(8)):
            turn()
        archive = Histories(self.folder, live=True)
        listed = next(numbers)
        numbers = iter(range(listed, 10**6))
        for _ in range(chance.randrange(4)):
            turn()
        with archive.open(S) as histories:
            opened = next(numbers)
            found = []
            for source in histories.get("trades", iter(())):
                data = b"".join(block.data for block in source.blocks()).decode()
                found += [int(line.partition(",")[0]) for line in data.splitlines()[1:]]
                turn()
        self.assertEqual(found, list(range(len(found))))
        self.assertTrue(listed <= len(found) <= opened, (listed, len(found), opened))


class Words(Kind):
    """A kind whose rows begin with anything but an x."""

    def __init__(self) -> None:
        pass

    def is_row(self, cells: int, text: str) -> bool:
        return text.count(",") == cells - 1 and text[0] != "x"


class LastRows(Case):
    def last_row(self, *parts: Part) -> str | None:
        return last_row(self.folder, parts, Words())

    def test_the_newest_that_has_a_row(self) -> None:
        """Plain or compressed, what is no row at the end of a file is passed over, and so is a file without any."""
        parts = [Part("trades", S, period) for period in (NINE, TEN, "2026-11-22T11", "2026-11-22T12")]
        for packed in (False, True):
            for path in self.folder.iterdir():
                path.unlink()
            self.write(self.path("trades", NINE), "1,1", packed=packed)
            self.write(self.path("trades", TEN), "2,2", "x,y", "3", packed=packed)
            self.write(self.path("trades", "2026-11-22T11"), packed=packed)
            with self.assertLogs("aster_collect.files.histories", "WARNING") as logs:
                self.assertEqual(self.last_row(*parts), "2,2")
            self.assertIn("closed file without rows file=trades_BTCUSDT.2026-11-22T11.csv", logs.output[0])
        self.assertIsNone(self.last_row())

    def test_a_link(self) -> None:
        """It is not read: whoever puts one there would say where a history goes on."""
        self.path("trades", DAY).symlink_to("/dev/null")
        self.assertRaises(OSError, self.last_row, Part("trades", S, DAY))


if __name__ == "__main__":
    unittest.main()
