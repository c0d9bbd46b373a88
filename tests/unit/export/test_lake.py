"""The lake has every row of the data folder once, under the day of its own time; a day is written when it changes."""

import gzip
import os
import unittest
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from aster_collect.errors import ConfigError, DataError, LockedError
from aster_collect.exchange.streams.kind import Options
from aster_collect.files.aside import aside
from tests.support import rounds
from tests.unit.archive.folder import S, header_of
from tests.unit.export.lake import DAY_MS, DAYS, FIRST_MS, NOON, LakeCase, seconds, trade

CHINESE = "币安人生USDT"
FIRST, SECOND, THIRD, FOURTH = DAYS


class WhereFilesLie(LakeCase):
    def test_the_folders(self) -> None:
        """A folder a kind, partitions by exchange, symbol and day; what is for all symbols names none."""
        for symbol in (S, CHINESE):
            self.put("trades", [trade(1, NOON[FIRST]), trade(2, NOON[SECOND])], symbol=symbol)
        self.put("universe", [f"{seconds(NOON[FIRST])},BTCUSDT,TRADING,,0.10,0.001,,8"], symbol="")
        self.put("open-interest", [f"{NOON[FIRST]},7.5"])
        self.ledger(f"trades,{NOON[FIRST] - 1_795_363_200_000},{NOON[FIRST] - 1_795_363_200_000},5,6,gave-up")
        self.export()
        encoded = "%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT"
        of_trades = [
            f"trades/exchange=aster-futures/symbol={symbol}/date={FIRST}/part-0.parquet" for symbol in (encoded, S)
        ]
        others = [
            f"{kind}/exchange=aster-futures/{symbol}date={FIRST}/part-0.parquet"
            for kind, symbol in (("gaps", f"symbol={S}/"), ("open-interest", f"symbol={S}/"), ("universe", ""))
        ]
        self.assertEqual(self.names(), sorted(of_trades + others))

    def test_the_other_market(self) -> None:
        """A folder says which market it holds, and both go into one lake."""
        self.put("trades", [trade(1, NOON[FIRST])])
        spot = self.folder / "spot"
        spot.mkdir()
        (spot / ".market").write_text("spot\n")
        (spot / f"trades_{S}.csv").write_text(f"{header_of('trades')}\n{trade(1, NOON[FIRST])}\n")
        self.export(self.folder, spot, open=True)
        self.assertEqual(
            [name.split("/")[1] for name in self.names()], ["exchange=aster-futures", "exchange=aster-spot"]
        )
        (spot / ".market").write_text("../..")
        self.assertRaisesRegex(ConfigError, "'../..' in it, futures or spot allowed", self.export, spot)

    def test_how_a_file_is_made(self) -> None:
        """Row groups of 131,072, ids and times by their differences, the rest by dictionary, zstd; columns as told."""
        rows = [trade(n, NOON[FIRST] + n // 10, f"{n % 7}.5") for n in range(300_000)]
        self.put("trades", [*rows, trade(300_000, NOON[SECOND])])
        self.export()
        file = pq.ParquetFile(self.part(FIRST))
        groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
        self.assertEqual([group.num_rows for group in groups], [131_072, 131_072, 300_000 - 2 * 131_072])
        columns = {column.path_in_schema: column for column in (groups[0].column(at) for at in range(5))}
        for name, column in columns.items():
            packed = "DELTA_BINARY_PACKED" in column.encodings
            self.assertEqual(packed, name in ("id", "time"), name)
            self.assertEqual(any("DICTIONARY" in one for one in column.encodings), not packed, name)
            self.assertEqual(column.compression, "ZSTD")
        self.assertEqual(columns["time"].statistics.min.timestamp(), NOON[FIRST] / 1000)


class TheRows(LakeCase):
    def test_midnight(self) -> None:
        """Rows of a day lie in closed files of the days beside it too, and keep the order of the files."""
        midnight = FIRST_MS + DAY_MS
        late, early = trade(4, midnight - 3), trade(3, midnight + 5)
        self.put("trades", [trade(1, midnight - 9), trade(2, midnight), early], FIRST, packed=True)
        self.put("trades", [late, trade(5, midnight + 9), trade(6, midnight - 1), trade(7, midnight + DAY_MS)], SECOND)
        self.put("trades", [trade(8, midnight + DAY_MS - 1), trade(9, midnight + 2 * DAY_MS)])
        self.export()
        self.assertEqual([self.ids_of(day) for day in DAYS[:3]], [[1, 4, 6], [2, 3, 5, 8], [7]])
        self.assertEqual([row["time"].timestamp() for row in self.rows(THIRD)], [(midnight + DAY_MS) / 1000])

    def test_any_times_and_files(self) -> None:
        """However times step and files are cut, each row is in its own day once, in order."""
        for seed, chance in rounds(12):
            with self.subTest(seed=seed):
                for path in self.folder.iterdir():
                    path.unlink()
                self.out = self.base / str(seed)
                times = [FIRST_MS]
                for _ in range(chance.randrange(1, 60)):
                    times.append(
                        min(max(times[-1] + chance.randrange(-DAY_MS // 3, DAY_MS // 2), FIRST_MS), NOON[THIRD])
                    )
                rows = [trade(n, time_ms) for n, time_ms in enumerate(times)]
                cut = sorted(chance.choices(range(len(rows) + 1), k=2))
                self.put("trades", rows[: cut[0]], FIRST, packed=chance.random() < 0.5)
                self.put("trades", rows[cut[0] : cut[1]], SECOND, packed=chance.random() < 0.5)
                self.put("trades", rows[cut[1] :], end="99,17952")
                self.export(open=True)
                for number, day in enumerate(DAYS[:3]):
                    wanted = [n for n, time_ms in enumerate(times) if (time_ms - FIRST_MS) // DAY_MS == number]
                    self.assertEqual(self.ids_of(day) if self.part(day).exists() else [], wanted)
                self.assertEqual(self.wrote(open=True), [])

    def test_set_aside(self) -> None:
        """What was set aside is not in the lake."""
        self.put("trades", [trade(1, NOON[FIRST])], FIRST)
        for name in ("20261122T152400Z.csv", f"{FIRST}.20261122T152400Z-2.csv.gz"):
            (self.folder / f"trades_{S}.{name}").write_bytes(b"other")
        self.export()
        self.assertEqual(self.ids_of(FIRST), [1])

    def test_columns_that_were_added_within_a_day(self) -> None:
        """A day has the columns of all its files, null in rows of those that lacked them."""
        stamped = Options(receive_time=True)
        self.put("trades", [trade(1, NOON[FIRST])], f"{FIRST}T12")
        rows = [f"{trade(2, NOON[FIRST] + 5)},1795262400005000001", f"{trade(3, NOON[FIRST] + 6)},"]
        self.put("trades", rows, f"{FIRST}T13", header=header_of("trades", stamped))
        self.export()
        received = [row["receive_time_ns"] for row in self.rows(FIRST)]
        self.assertEqual((self.ids_of(FIRST), received), ([1, 2, 3], [None, 1795262400005000001, None]))
        book = ",".join(f"{level}.5,1" for level in range(5))
        for levels, hour in ((5, 12), (20, 13)):
            wide = ",".join([book] * 2 if levels == 5 else [book, "," * 29, book, "," * 29])
            header = header_of("orderbook", Options(levels=levels))
            self.put("orderbook", [f"{seconds(NOON[FIRST] + hour)},{hour},{wide}"], f"{FIRST}T{hour}", header=header)
        self.export()
        few, many = self.rows(FIRST, "orderbook")
        self.assertEqual(len(few), 2 + 4 * 20)
        self.assertEqual([few["ask_price_4"], few["ask_price_5"], many["ask_price_4"]], [4.5, None, 4.5])


class WhatChanges(LakeCase):
    def setUp(self) -> None:
        super().setUp()
        for number, day in enumerate(DAYS[:3]):
            self.put("trades", [trade(number, NOON[day])], day)
        self.put("trades", [trade(3, NOON[FOURTH])])

    def test_a_second_run(self) -> None:
        """It writes nothing, and says so; a day that was deleted is there again."""
        self.assertEqual(self.wrote(), list(DAYS[:3]))
        self.assertEqual(
            self.export(),
            {"files": "0", "rows": "0", "unchanged": "3", "kept": "0", "open": "1", "folder": str(self.out)},
        )
        self.part(SECOND).unlink()
        self.assertEqual(self.wrote(), [SECOND])
        self.part(SECOND).write_bytes(b"PAR1 damaged")
        self.assertEqual(self.wrote(), [SECOND])

    def test_files_that_are_closed_and_compressed(self) -> None:
        """Other names of the same rows change no day, and nothing is read again of what is known."""
        self.put("trades", [trade(3, NOON[FOURTH]), trade(4, NOON[FOURTH] + DAY_MS)])
        self.assertEqual(self.wrote(), list(DAYS))
        grown = self.folder / f"trades_{S}.csv"
        grown.rename(self.folder / f"trades_{S}.{FOURTH}.csv")
        self.put("trades", [trade(5, NOON[FOURTH] + DAY_MS)])
        for day in DAYS:
            path = self.folder / f"trades_{S}.{day}.csv"
            Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
        self.assertEqual(self.wrote(), [])
        for day in DAYS[:3]:  # of what is not read again no damage is noticed, but by verify
            path = self.folder / f"trades_{S}.{day}.csv.gz"
            status, data = path.stat(), bytearray(path.read_bytes())
            data[20] ^= 1
            path.write_bytes(data)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.assertEqual(self.wrote(), [])

    def damage(self, path: Path, byte: int = 0) -> None:
        """Write something else into a file's midst, as only who reads all of it can tell."""
        status, data = path.stat(), bytearray(path.read_bytes())
        data[len(data) // 2] = byte
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def test_a_file_that_is_known(self) -> None:
        """It is not read again, though a day that it has some rows of was written while it grew."""
        first = [trade(n, NOON[FOURTH] - DAY_MS + n) for n in range(4, 7)]
        rows = [trade(n, NOON[FOURTH] + n) for n in range(7, 99)]
        self.put("trades", [*first, *rows[:50]])
        self.assertEqual(self.wrote(), list(DAYS[:3]))
        (self.folder / f"trades_{S}.csv").unlink()
        closed = self.put("trades", [*first, *rows], FOURTH)
        self.put("trades", [trade(100, NOON[FOURTH] + DAY_MS)])
        self.assertEqual(self.wrote(), [FOURTH])
        self.damage(closed, ord("7"))
        self.assertEqual(self.wrote(), [])
        with self.assertRaisesRegex(DataError, f"^{closed.name}: it has not what it had when it was read first; "):
            self.export(exact=True)
        self.damage(closed)
        for day in (THIRD, FOURTH):
            self.part(day).unlink()
        self.assertRaisesRegex(DataError, f"^{closed.name}:", self.export)

    def test_one_file_of_many_days(self) -> None:
        """A day of it that was deleted is there again, and then nothing of the file is read."""
        for day in DAYS[:3]:
            (self.folder / f"trades_{S}.{day}.csv").unlink()
        grown = self.put("trades", [trade(n, FIRST_MS + n * DAY_MS // 50) for n in range(200)])
        self.assertEqual(self.wrote(open=True), list(DAYS))
        self.part(SECOND).unlink()
        self.assertEqual(self.wrote(open=True), [SECOND])
        self.damage(grown)
        self.assertEqual(self.wrote(open=True), [])

    def test_files_of_one_size_and_time(self) -> None:
        """They are not taken for each other: a copy of a folder may have such ones."""
        (self.folder / f"trades_{S}.csv").unlink()
        for day in DAYS[:3]:
            path = self.put("trades", [trade(n, NOON[day] + n) for n in range(100, 200)], day)
            os.utime(path, ns=(10**18, 10**18))
        self.put("trades", [], FOURTH)
        self.export()
        self.part(SECOND).unlink()
        self.assertEqual(self.wrote(), [SECOND])
        self.assertEqual(self.rows(SECOND)[0]["time"].timestamp(), NOON[SECOND] / 1000 + 0.1)
        for day in DAYS[:3]:
            self.damage(self.folder / f"trades_{S}.{day}.csv")
        self.assertEqual(self.wrote(), [])

    def test_rows_that_came_later(self) -> None:
        """Only the days are written whose rows are others now: those that grew, or were repaired."""
        self.export()
        self.put("trades", [trade(3, NOON[FOURTH]), trade(4, NOON[SECOND] + DAY_MS // 4), trade(5, NOON[FOURTH])])
        self.assertEqual(self.wrote(), [SECOND])
        self.assertEqual(self.ids_of(SECOND), [1, 4])
        self.put("trades", [trade(0, NOON[FIRST]), trade(9, NOON[FIRST])], FIRST)
        self.assertEqual(self.wrote(), [FIRST])
        path = self.put("trades", [trade(2, NOON[THIRD], "0.20")], THIRD)
        os.utime(path, ns=(1, 1))
        self.assertEqual(self.wrote(), [THIRD])
        self.assertEqual([row["price"] for row in self.rows(THIRD)], [0.2])

    def test_exact(self) -> None:
        """Other types are other files: all days are written, and with the same call again none."""
        self.export()
        self.assertEqual(self.wrote(exact=True), list(DAYS[:3]))
        self.assertEqual(self.wrote(exact=True), [])
        self.assertEqual(str(pq.read_schema(self.part(FIRST)).field("price").type), "decimal128(20, 8)")

    def test_open_days(self) -> None:
        """The last day of what grows is open, however late it is, and so is a day that is not over."""
        self.assertEqual(self.export()["open"], "1")
        self.assertFalse(self.part(FOURTH).exists())
        self.assertEqual(self.wrote(open=True), [FOURTH])
        self.put("mark", [f"{seconds(NOON[FOURTH] + DAY_MS)},1.5,,,,"])  # another file is further
        self.put("trades", [trade(3, NOON[FOURTH]), trade(4, NOON[FOURTH] + 1)])
        self.assertEqual(self.wrote(now=datetime(2026, 11, 24, 23, 59, tzinfo=UTC)), [])
        self.assertEqual(self.wrote(now=datetime(2026, 11, 25, tzinfo=UTC)), [FOURTH])
        self.assertEqual(self.ids_of(FOURTH), [3, 4])

    def test_data_files_that_are_deleted(self) -> None:
        """The lake keeps what the folder has no more: a day is never made less."""
        self.put("trades", [trade(10, NOON[FIRST] + 5)], f"{FIRST}T13")
        self.put("trades", [trade(0, NOON[FIRST])], f"{FIRST}T12")
        (self.folder / f"trades_{S}.{FIRST}.csv").unlink()
        self.export()
        (self.folder / f"trades_{S}.{FIRST}T12.csv").unlink()
        (self.folder / f"trades_{S}.{SECOND}.csv").unlink()
        self.assertEqual({**self.export(), "kept": "1", "files": "0"}, self.export())
        self.assertEqual((self.ids_of(FIRST), self.ids_of(SECOND)), ([0, 10], [1]))

    def test_an_hour_that_is_deleted(self) -> None:
        """A day that lacks one in its midst stays as it is too."""
        (self.folder / f"trades_{S}.{FIRST}.csv").unlink()
        for number, hour in enumerate((12, 13, 14)):
            self.put("trades", [trade(number, NOON[FIRST] + number)], f"{FIRST}T{hour}")
        self.export()
        (self.folder / f"trades_{S}.{FIRST}T13.csv").unlink()
        self.assertEqual((self.export()["kept"], self.ids_of(FIRST)), ("1", [0, 1, 2]))

    def test_what_a_killed_run_left(self) -> None:
        """It is deleted, wherever in the lake it is; what another run is writing is not."""
        self.export()
        left, other = (self.part(SECOND, kind).parent / ".part-0.parquet.aside" for kind in ("trades", "mark"))
        left.write_bytes(b"left over")
        other.parent.mkdir(parents=True)
        with aside(other.parent / "part-0.parquet"):
            self.export()
            self.assertEqual((left.exists(), other.exists()), (False, True))

    def test_another_folder_that_goes_on(self) -> None:
        """A day that another folder has only one end of stays as it is, even where that has more rows."""
        self.export()
        other = self.base / "other"
        other.mkdir()
        for behind in (range(2, 9), range(-9, -2)):
            rows = [trade(n, NOON[SECOND] + n) for n in behind]
            text = "\n".join([header_of("trades"), *rows, ""]).replace("\n-", "\n")
            (other / f"trades_{S}.csv").write_text(text)
            self.assertEqual(self.export(other, open=True)["kept"], "1")
            self.assertEqual(self.ids_of(SECOND), [1])

    def test_a_ledger_that_was_repaired(self) -> None:
        """What is not missing any more leaves the lake, but for the days before there was this folder."""
        start = 1_795_363_200_000
        rows = [f"trades,{NOON[day] - start},{NOON[day] - start},{n},{n},gave-up" for n, day in enumerate(DAYS)]
        self.ledger(*rows)
        self.export()
        self.assertEqual([len(self.rows(day, "gaps")) for day in DAYS[:3]], [1, 1, 1])
        self.ledger(*rows[3:])
        self.assertEqual(self.wrote(), [SECOND, THIRD])
        self.assertEqual([len(self.rows(day, "gaps")) for day in DAYS[:3]], [1, 0, 0])
        self.assertEqual(pq.read_metadata(self.part(SECOND, "gaps")).num_row_groups, 1)  # some readers want one
        self.assertEqual(self.wrote(), [])

    def test_a_part_of_it(self) -> None:
        """Days, symbols and kinds that are asked for are written, and no other."""
        self.put("mark", [f"{seconds(NOON[FIRST])},1.5,,,,"], FIRST)
        self.put("trades", [trade(0, NOON[FIRST])], FIRST, symbol="ETHUSDT")
        start, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (SECOND, THIRD))
        self.assertEqual(self.wrote(start=start, end=end), [SECOND])
        self.assertEqual(self.wrote(end=start, symbols=("ETHUSDT",)), [FIRST])
        self.assertEqual(self.wrote(kinds=("mark",)), [FIRST])
        self.assertEqual(self.wrote(), [FIRST, THIRD])
        with self.assertRaisesRegex(ConfigError, "^--from: 2026-11-22T12:00:00 given, the beginning of a day"):
            self.export(start=start.replace(hour=12))
        with self.assertRaisesRegex(ConfigError, "^--symbols: XRPUSDT given, BTCUSDT, ETHUSDT allowed"):
            self.export(symbols=("ETHUSDT", "XRPUSDT"))

    def test_how_far_it_is(self) -> None:
        """All bytes of the files are told, whether they were read, written, known or left out."""
        for asked in ({}, {}, {"open": True}, {"start": datetime(2026, 11, 23, tzinfo=UTC)}):
            self.export(**asked)
            self.assertEqual(sum(bytes_ for _, bytes_ in self.told), self.total)
            self.assertEqual(self.total, sum(path.stat().st_size for path in self.folder.iterdir()))
            self.assertTrue(all(bytes_ >= 0 for _, bytes_ in self.told))


class WhatIsRefused(LakeCase):
    def test_one_history_in_two_folders(self) -> None:
        """They are to be merged first; with what is in one alone there is no such need."""
        self.put("trades", [trade(1, NOON[FIRST])], FIRST)
        self.put("universe", [f"{seconds(NOON[FIRST])},BTCUSDT,TRADING,,,,,"], symbol="")
        other = self.base / "other"
        other.mkdir()
        (other / f"trades_{S}.csv").write_text(f"{header_of('trades')}\n")
        with self.assertRaisesRegex(ConfigError, f"^trades of {S}: in .*data and in .*other, .* merge them first"):
            self.export(self.folder, other)
        (other / f"trades_{S}.csv").rename(other / "trades_ETHUSDT.csv")
        self.assertEqual(self.export(self.folder, other, open=True)["files"], "2")

    def test_a_price_of_16_digits(self) -> None:
        """Its file and line are told, nothing of the day is written, and --exact has room for it."""
        rows = [trade(n, NOON[FIRST] + n) for n in range(50)]
        rows[37] = trade(37, NOON[FIRST] + 37, "12345678.12345678")
        self.put("trades", rows[:20], FIRST, packed=True)
        self.put("trades", rows[20:], f"{FIRST}T13")
        with self.assertRaisesRegex(DataError, f"^trades_{S}.{FIRST}T13.csv:19: price is 12345678.12345678, and a"):
            self.export()
        self.assertEqual(self.names(), [])
        self.export(exact=True)
        self.assertEqual(str(self.rows(FIRST)[37]["price"]), "12345678.12345678")
        self.put("trades", [trade(50, NOON[FIRST], "1", "0.123456789")], SECOND)
        with self.assertRaisesRegex(DataError, f"^trades_{S}.{SECOND}.csv:2: quantity is 0.123456789, and decimal.20"):
            self.export(exact=True)

    def test_all_else_is_exported(self) -> None:
        """What can't be written keeps no other day, kind or symbol from being there, and one line says so."""
        long = "0.1234567890123456"
        self.put("trades", [trade(1, NOON[FIRST], long), trade(2, NOON[SECOND]), trade(3, NOON[THIRD], long)], FIRST)
        self.put("trades", ["x"], FIRST, symbol="AAAUSDT")
        self.put("trades", [trade(1, NOON[FIRST])], FIRST, symbol="ETHUSDT")
        self.put("mark", [f"{seconds(NOON[FIRST])},1.5,,,,"], FIRST)
        told = "^trades_AAAUSDT.2026-11-21.csv:2: 1 cells .* says more; 2 more were refused; all else is exported$"
        self.assertRaisesRegex(DataError, told, self.export)
        self.assertEqual(
            [(name.split("/")[0], name.split("/")[-2]) for name in self.names()],
            [("mark", f"date={FIRST}"), ("trades", f"date={SECOND}"), ("trades", f"date={FIRST}")],
        )

    def test_an_id_that_no_column_holds(self) -> None:
        """One above 2**63 - 1 is refused by its line, and the largest is kept."""
        self.put("trades", [trade((1 << 63) - 1, NOON[FIRST])], FIRST)
        self.export()
        self.assertEqual(self.ids_of(FIRST), [(1 << 63) - 1])
        self.put("trades", [trade(5, NOON[FIRST]), trade(1 << 63, NOON[FIRST])], FIRST)
        with self.assertRaisesRegex(DataError, f"^trades_{S}.{FIRST}.csv:3: id is 9223372036854775808, and "):
            self.export()
        self.assertEqual(self.ids_of(FIRST), [(1 << 63) - 1])

    def test_a_full_book_of_too_many_digits(self) -> None:
        """The line of the level is told."""
        rows = [f"{seconds(NOON[FIRST] + n)},{n},{n + 1},1 2;3 4,5 6" for n in range(1, 9)]
        rows[5] = rows[5].replace("3 4", "3 4.000000000000001")
        self.put("depth", rows, FIRST)
        with self.assertRaisesRegex(DataError, f"^depth_{S}.{FIRST}.csv:7: bids is 4.000000000000001, and a double"):
            self.export()

    def test_a_line_that_is_damaged(self) -> None:
        """It is told by file and line, and nothing half-written stays, nor of a torn file that no one writes to."""
        good = [trade(n, NOON[FIRST] + n) for n in range(3)]
        for bad, end in (("9,17952", ""), ("x", ""), (trade(3, NOON[FIRST]) + ",5", ""), ("", "4,1795"), ("\0\0", "")):
            self.put("trades", [*good, *([bad] if bad else [])], FIRST, end=end)
            told = f"^trades_{S}.{FIRST}.csv:5: .*; 'aster-collect verify' says more; all else is exported$"
            self.assertRaisesRegex(DataError, told, self.export)
            self.assertEqual(self.names(), [])

    def test_a_file_that_another_run_writes(self) -> None:
        """It is refused by its name, and the other run is not disturbed."""
        self.put("trades", [trade(1, NOON[FIRST])], FIRST)
        path = self.part(FIRST)
        path.parent.mkdir(parents=True)
        with aside(path) as beside:
            beside.write_bytes(b"other")
            self.assertRaisesRegex(LockedError, "part-0.parquet.aside: another run", self.export)
        self.assertEqual(path.read_bytes(), b"other")


if __name__ == "__main__":
    unittest.main()
