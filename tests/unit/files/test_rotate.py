"""Files are closed when their period is over, by the rows' own time: each row once, in order, in its part."""

import errno
import gzip
import os
import random
import time
import tracemalloc
import unittest
from pathlib import Path

from aster_collect.errors import ConfigError, StoreError
from aster_collect.exchange.streams import trades
from aster_collect.files.histories import Histories
from aster_collect.files.period import period_end
from aster_collect.files.rotate import (
    KNOWN_PARTS,
    closed_part,
    delete_expired,
    expired,
    free_part,
    list_parts,
)
from tests import rows
from tests.rowstore import RowStore as Store
from tests.support import Disk, rounds
from tests.unit.files.rotating import DAY_MS, HOUR_MS, KINDS, MIDNIGHT_MS, MISSING, Case, S, Stuck, number_of, row


class Names(unittest.TestCase):
    def test_what_is_no_closed_file(self) -> None:
        """Only a closed file's name is one: not that of a current file, a ledger, one set aside or half compressed."""
        for name in ("prices_币安人生USDT.2026-11-22.csv", "trades_A-B_C.2026-11-22T13-12.csv"):
            part = closed_part(name)
            assert part is not None
            self.assertEqual((part.name, closed_part(f"{name}.gz")), (name, part))
        for name in (
            "prices_X.csv", "gaps_X.2026-11-22.csv", "prices_X.20261122T000000Z.csv", "prices_X.2026-11-22.csv.gz.tmp",
            "prices_X.2026-11-22.20261122T000000Z.csv", "prices_X.2026-11-22-1.csv", "prices_X.2026-11-22-02.csv",
            "prices_X.2026-13-22.csv", "prices_X.2026-11-22T24.csv", "xprices_X.2026-11-22.csv", "prices_X.csv.1",
            "prices_X.2026-11-22.csv.1", "prices_.2026-11-22.csv",
        ):  # fmt: skip
            self.assertIsNone(closed_part(name), name)


class Boundary(Case):
    def play(self, *offsets_ms: int, store: Store | None = None) -> None:
        """Write one batch of each kind with rows at these times from midnight on."""
        store = store or self.store()
        for kind in KINDS:
            store.append(kind, S, [row(kind, number, MIDNIGHT_MS + at) for number, at in enumerate(offsets_ms, 1)])
        store.flush()

    def numbers(self) -> list[list[int]]:
        """Return the ids in each file, which are the same for each kind, or the test fails."""
        found = [[[number_of(kind, line) for line in lines] for lines in self.history(kind).values()] for kind in KINDS]
        self.assertEqual(found, [found[0]] * 3)
        return found[0]

    def test_a_day_ends_within_a_batch(self) -> None:
        """The rows before midnight are in the closed file, those from the first millisecond on in the next."""
        self.play(-5, -1, 0, 7)
        self.assertEqual(self.numbers(), [[1, 2], [3, 4]])
        self.assertEqual(self.names("prices"), [f"prices_{S}.2026-11-21.csv", f"prices_{S}.csv"])
        self.assertEqual(self.names("gaps"), [f"gaps_{S}.csv"])
        self.assert_holds()

    def test_several_days_end_within_a_batch(self) -> None:
        """Each day that has rows has its file, and a day without any has none."""
        self.play(-1, 0, DAY_MS - 1, DAY_MS, 4 * DAY_MS)
        self.assertEqual(self.numbers(), [[1], [2, 3], [4], [5]])
        self.assertEqual(list(self.history("trades"))[2], f"trades_{S}.2026-11-23.csv")
        self.assert_holds()

    def test_hours(self) -> None:
        """With hours the name has the hour that is over."""
        self.rotate = "hour"
        self.play(13 * HOUR_MS, 14 * HOUR_MS - 1, 14 * HOUR_MS, 23 * HOUR_MS, 24 * HOUR_MS)
        self.assertEqual(self.numbers(), [[1, 2], [3], [4], [5]])
        self.assertEqual(self.names("prices")[:3], [f"prices_{S}.2026-11-22T{hour}.csv" for hour in (13, 14, 23)])
        self.assert_holds()

    def test_no_rotation(self) -> None:
        """Without rotation all stays in one file."""
        self.rotate = "none"
        self.play(-1, 0, DAY_MS)
        self.assertEqual(self.numbers(), [[1, 2, 3]])

    def test_a_boundary_between_flushes_and_runs(self) -> None:
        """The file of a day is closed when the first row of a later day comes, in this run or the next."""
        for again in (False, True):
            self.fresh()
            self.play(-2, -1)
            if again:
                self.crash()
            store = self.store() if again else self.stores[0]
            self.assertEqual(store.folder.take_renamed(), [])
            for kind in KINDS:
                store.append(kind, S, [row(kind, 3, MIDNIGHT_MS)])
            store.flush(sync=False)
            self.assertEqual(self.numbers(), [[1, 2], [3]])
            closed = [self.folder / f"{kind}_{S}.2026-11-21.csv" for kind in KINDS]
            self.assertEqual((store.folder.take_renamed(), store.folder.take_renamed()), (closed, []))
            self.crash()

    def test_rows_change_places_at_midnight(self) -> None:
        """Once a day has begun, a row of the day before stays in the file that is being written."""
        self.play(-9, 0, -1, 5)
        self.assertEqual(self.numbers(), [[1], [2, 3, 4]])
        self.fresh()
        store = self.store()
        self.play(-9, store=store)
        self.play(0, -1, store=store)  # the last row of the batch is of the day that is over
        self.play(-3, 3, store=store)
        self.assertEqual([len(numbers) for numbers in self.numbers()], [1, 4])

    def test_a_row_of_long_ago_is_the_last_of_a_run(self) -> None:
        """After a restart behind such a row the next file is still named behind the ones that are there."""
        self.play(-DAY_MS, 0, -3 * DAY_MS)
        self.crash()
        store = self.store()
        for kind in KINDS:
            store.append(kind, S, [row(kind, 4, MIDNIGHT_MS + 5)])
        store.flush()
        self.assertEqual([number for numbers in self.numbers() for number in numbers], [1, 2, 3, 4])
        self.assertEqual(
            list(self.history("trades"))[:2], [f"trades_{S}.2026-11-21{again}.csv" for again in ("", "-2")]
        )

    def test_a_file_of_many_days_begins_to_be_rotated(self) -> None:
        """A file that earlier runs did not rotate is closed as it is, under its last row's day."""
        self.rotate = "none"
        self.play(-5 * DAY_MS, -DAY_MS)
        self.crash()
        self.rotate = "day"
        self.play(0)
        self.assertEqual(self.names("trades"), [f"trades_{S}.2026-11-21.csv", f"trades_{S}.csv"])

    def test_days_and_hours_in_turn(self) -> None:
        """Rows stay in order, for verify and for a start, when rotation changes between days and hours."""
        for seed, chance in rounds(10):
            with self.subTest(seed=seed):
                self.fresh()
                now_ms, number = 0, 0
                for _ in range(12):
                    self.rotate = chance.choice(("none", "hour", "day"))
                    store = self.store()
                    if number:
                        self.assertEqual(number_of("trades", store.last_row("trades", S) or ""), number)
                    for _ in range(chance.randrange(4)):
                        now_ms += chance.choice((HOUR_MS // 3, HOUR_MS, 5 * HOUR_MS))
                        number += 1
                        for kind in KINDS:
                            store.append(kind, S, [row(kind, number, MIDNIGHT_MS + now_ms)])
                    store.flush()
                    self.crash()
                    if chance.randrange(2) and len(self.names("trades")) > 2:
                        for kind in KINDS:  # a crash right behind the renaming
                            path = self.folder / rows.file_name(kind, S)
                            if path.stat().st_size == len(",".join(rows.columns(kind, 5, False))) + 1:
                                path.unlink()
                self.assertEqual([n for numbers in self.numbers() for n in numbers], list(range(1, number + 1)))
                self.assert_holds()


class FarAhead(Case):
    rotate = "hour"

    def test_one_row_of_the_year_2286(self) -> None:
        """It stays where it came, and the hours after it are closed as the others are; a restart changes nothing."""
        far_ms = 9_999_999_999_999
        for restart in (False, True):
            with self.subTest(restart=restart):
                self.crash()
                self.fresh()
                store = self.store()
                wanted = []
                for hour in range(4):
                    for minute in range(0, 60, 20):
                        now_ms = MIDNIGHT_MS + hour * HOUR_MS + minute * 60_000
                        times_ms = [now_ms, far_ms] if (hour, minute) == (1, 40) else [now_ms]
                        lines = [row(rows.ORDERBOOK, len(wanted) + at, one) for at, one in enumerate(times_ms)]
                        wanted += lines
                        store.append(rows.ORDERBOOK, S, lines, now_ms)
                        store.flush()
                        if restart and len(times_ms) > 1:
                            self.crash()
                            seconds = now_ms / 1000
                            os.utime(self.folder / rows.file_name(rows.ORDERBOOK, S), (seconds, seconds))
                            store = self.store()
                names = [rows.file_name(rows.ORDERBOOK, S), *(f"orderbook_{S}.2026-11-22T0{h}.csv" for h in range(3))]
                self.assertEqual(self.names(rows.ORDERBOOK), sorted(names))
                self.assertEqual(self.all_rows(rows.ORDERBOOK), wanted)

    def test_the_exchange_sets_its_clock_ahead(self) -> None:
        """What its clock agrees with is believed at once, and without it everything is."""
        for now_ms in (MIDNIGHT_MS + DAY_MS, None):
            self.crash()
            self.fresh()
            store = self.store()
            for number, time_ms in enumerate((MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS)):
                store.append(rows.PRICES, S, [row(rows.PRICES, number, time_ms)], now_ms)
                store.flush()
            self.assertEqual(self.names(rows.PRICES), [f"prices_{S}.2026-11-22T00.csv", f"prices_{S}.csv"])


class Taken(Case):
    def day(self, number: int, store: Store) -> None:
        store.append("trades", S, [row("trades", number, MIDNIGHT_MS + number)])
        store.append("trades", S, [row("trades", number + 1, MIDNIGHT_MS + DAY_MS)])
        store.flush()

    def test_the_name_is_taken(self) -> None:
        """A name that is taken, plain or compressed, is left alone: the file gets the next one, in the right order."""
        for packed in ("", ".gz"):
            self.fresh()
            store = self.store()
            taken = self.folder / f"trades_{S}.2026-11-22.csv{packed}"
            taken.write_bytes(b"somebody's")
            self.day(1, store)
            self.assertEqual(taken.read_bytes(), b"somebody's")
            self.assertIn(f"trades_{S}.2026-11-22-2.csv", self.names("trades"))
            self.crash()

    def test_a_period_comes_again_and_again(self) -> None:
        """Closed files of one period are in the order in which they were closed, also beyond nine, and of a restart."""
        for number in range(1, 12):
            self.folder.mkdir(exist_ok=True)
            header = ",".join(rows.columns("trades", 5, False))
            part = free_part(self.folder, "trades", S, "2026-11-22", list_parts(self.folder)["trades", S])
            data = f"{header}\n{row('trades', number, MIDNIGHT_MS + number)}\n".encode()
            self.assertEqual(part.number, number)
            (self.folder / (part.name + ".gz" * (number % 2))).write_bytes(gzip.compress(data) if number % 2 else data)
        store = self.store()
        self.assertEqual(store.last_row("trades", S), row("trades", 11, MIDNIGHT_MS + 11))
        self.assertEqual(self.all_rows("trades"), [row("trades", n, MIDNIGHT_MS + n) for n in range(1, 12)])
        self.assert_holds()

    def test_the_first_of_a_period_was_deleted(self) -> None:
        """A name that has become free in front of others is not used again."""
        self.folder.mkdir()
        (self.folder / f"trades_{S}.2026-11-22-2.csv").write_text("id\n")
        store = self.store()
        self.day(1, store)
        self.assertIn(f"trades_{S}.2026-11-22-3.csv", self.names("trades"))


class Resuming(Case):
    def test_nothing_but_the_header_is_left(self) -> None:
        """The last rows come from the newest closed file, plain or compressed, with or without a current file."""
        for packed in (False, True):
            for left in ("nothing", "empty", "half a header", "header"):
                for rotate in ("none", "hour", "day"):
                    with self.subTest(packed=packed, left=left, rotate=rotate):
                        self.resume(packed, left, rotate)

    def resume(self, packed: bool, left: str, rotate: str) -> None:
        self.fresh()
        self.rotate = "day"
        store = self.store()
        for kind in KINDS:
            store.append(kind, S, [row(kind, day, MIDNIGHT_MS + day * DAY_MS) for day in range(1, 4)])
        store.flush()
        self.crash()
        last = {}
        for kind in KINDS:
            path = self.folder / rows.file_name(kind, S)
            header = path.read_bytes().partition(b"\n")[0] + b"\n"
            path.unlink()
            if left != "nothing":
                path.write_bytes({"empty": b"", "half a header": header[:9], "header": header}[left])
            last[kind] = row(kind, 2, MIDNIGHT_MS + 2 * DAY_MS)
            for part in self.folder.glob(f"{kind}*-*.csv"):
                if packed:
                    Path(f"{part}.gz").write_bytes(gzip.compress(part.read_bytes()))
                    part.unlink()
        self.rotate = rotate
        store = self.store()
        for kind in KINDS:
            self.assertEqual(store.last_row(kind, S), last[kind])
            self.assertEqual(rows.row_time_ms(kind, store.last_row(kind, S)), MIDNIGHT_MS + 2 * DAY_MS)
            store.append(kind, S, [row(kind, 3, MIDNIGHT_MS + 3 * DAY_MS)])
        store.flush()
        for kind in KINDS:
            self.assertEqual([number_of(kind, line) for line in self.all_rows(kind)], [1, 2, 3])
            self.assertEqual(len(self.names(kind)), 3)
        self.assert_holds()
        self.crash()

    def test_a_day_of_hours_and_of_a_day(self) -> None:
        """Where a day has files for hours and for all of it, the newest is the one whose first row is."""
        day, nine, ten = (f"trades_{S}.2026-11-22{hour}.csv" for hour in ("", "T09", "T10"))
        header = ",".join(rows.columns("trades", 5, False))
        for names in ((nine, ten, day), (day, nine, ten), (nine, day, ten)):
            for packed in (False, True):
                self.fresh()
                self.folder.mkdir()
                for number, name in enumerate(names, 1):
                    data = f"{header}\n{row('trades', number, MIDNIGHT_MS + number)}\n".encode()
                    (self.folder / (name + ".gz" * packed)).write_bytes(gzip.compress(data) if packed else data)
                self.assertEqual(self.store().last_row("trades", S), row("trades", 3, MIDNIGHT_MS + 3))
                self.assert_holds()
                self.crash()

    def test_closed_files_that_say_nothing(self) -> None:
        """Without rows or damaged, a closed file is passed over with a word in the log."""
        self.folder.mkdir()
        header = ",".join(rows.columns("trades", 5, True))
        line = row("trades", 5, MIDNIGHT_MS) + ",17"
        good = f"{header}\n{line}\n".encode()
        (self.folder / f"trades_{S}.2026-11-20.csv").write_bytes(good)
        (self.folder / f"trades_{S}.2026-11-21.csv").write_text(f"{header}\n")
        (self.folder / f"trades_{S}.2026-11-22.csv").write_bytes(b"")
        (self.folder / f"trades_{S}.2026-11-23.csv.gz").write_bytes(gzip.compress(good)[:-9])
        (self.folder / f"trades_{S}.2026-11-24.csv.gz").write_bytes(b"no gzip")
        with self.assertLogs("aster_collect.files.histories") as logs:
            store = self.store()
        self.assertEqual(store.last_row("trades", S), line.removesuffix(",17"))
        self.assertEqual(len(logs.records), 4)

    def test_a_closed_file_of_two_gigabytes(self) -> None:
        """A plain closed file is read from its end, however large it is."""
        self.folder.mkdir()
        with (self.folder / f"trades_{S}.2026-11-21.csv").open("wb") as file:
            file.write(",".join(rows.columns("trades", 5, False)).encode() + b"\n")
            file.seek(2 << 30)
            file.write(b"\n" + row("trades", 5, MIDNIGHT_MS).encode() + b"\n")
        start_s = time.monotonic()
        self.assertEqual(self.store().last_row("trades", S), row("trades", 5, MIDNIGHT_MS))
        self.assertLess(time.monotonic() - start_s, 0.2)

    def test_a_large_compressed_file(self) -> None:
        """The last row of a compressed file is found behind many blocks."""
        self.folder.mkdir()
        lines = [row("trades", number, MIDNIGHT_MS) for number in range(100_000)]
        text = "\n".join([",".join(rows.columns("trades", 5, False)), *lines]) + "\n"
        (self.folder / f"trades_{S}.2026-11-22.csv.gz").write_bytes(gzip.compress(text.encode(), 1))
        self.assertEqual(self.store().last_row("trades", S), lines[-1])

    def test_a_current_file_is_set_aside(self) -> None:
        """Where the current file has other columns, the history goes on behind the closed files, without a hole."""
        store = self.store()
        for kind in KINDS:
            store.append(kind, S, [row(kind, 1, MIDNIGHT_MS - 1), row(kind, 2, MIDNIGHT_MS)])
        store.flush()
        self.crash()
        with self.assertLogs("aster_collect", "WARNING"):
            store = self.store(receive_time=True)
        self.assertEqual(store.last_row("trades", S), row("trades", 1, MIDNIGHT_MS - 1) + ",")

    def test_ids_of_another_id_space(self) -> None:
        """What is not of this exchange is set aside with its closed files, plain or compressed, and rows begin anew."""
        store = self.store()
        store.append("trades", S, [row("trades", day, MIDNIGHT_MS + day * DAY_MS) for day in range(3)])
        store.flush()
        part = self.folder / f"trades_{S}.2026-11-22.csv"
        Path(f"{part}.gz").write_bytes(gzip.compress(part.read_bytes()))
        part.unlink()
        with self.assertLogs("aster_collect", "WARNING") as logs:
            store.set_aside("trades", S, "ids_of_another_id_space")
            store.flush()
        self.assertEqual(len(logs.records), 3)
        store.append("trades", S, [row("trades", 900 + day, MIDNIGHT_MS + day * DAY_MS) for day in (0, 1)])
        store.flush()
        self.assertEqual(list(self.history("trades")), [f"trades_{S}.2026-11-22.csv", f"trades_{S}.csv"])
        self.assertEqual(len(Histories(self.folder).set_aside), 3)
        self.assertEqual(len(self.names("trades")), 5)
        self.assert_holds()


class Many(Case):
    def test_years_of_hours(self) -> None:
        """However many closed files there are, few are remembered: the newest, of which the next numbers follow."""
        self.folder.mkdir()
        header = ",".join(rows.columns("trades", 5, False))
        days = [f"{year}-{month}-{day:02d}" for year in (2024, 2025) for month in ("01", "07") for day in range(1, 22)]
        names = [f"trades_{S}.{day}T{hour:02d}.csv.gz" for day in days for hour in range(24)]
        random.Random(1).shuffle(names)
        for name in names:
            (self.folder / name).touch()
        newest = f"trades_{S}.2025-07-21T23-2.csv"
        (self.folder / newest).write_text(f"{header}\n{row('trades', 5, MIDNIGHT_MS)}\n")
        (parts,) = list_parts(self.folder).values()
        self.assertLessEqual(len(parts), KNOWN_PARTS)
        self.assertEqual([parts[-1].name, parts[-2].name], [newest, newest.replace("-2.csv", ".csv")])
        store = self.store()
        self.assertEqual(store.last_row("trades", S), row("trades", 5, MIDNIGHT_MS))
        self.crash()
        self.rotate = "hour"
        store = self.store()
        for hour in range(3 * KNOWN_PARTS):
            store.append("trades", S, [row("trades", 6 + hour, MIDNIGHT_MS + hour * HOUR_MS)])
        store.flush()
        self.assertLess(len(store.folder.parts(trades.KIND, S)), 2 * KNOWN_PARTS)
        with self.assertLogs("aster_collect", "WARNING") as logs:
            store.set_aside("trades", S, "ids_of_another_id_space")
            store.flush()
        self.assertEqual(len(logs.records), len(names) + 3 * KNOWN_PARTS + 1)
        self.assertEqual(self.names("trades")[-1:], [f"trades_{S}.csv"])

    def test_deleting_what_is_old_remembers_only_that(self) -> None:
        """Of many closed files those that expire are held in memory, and no others."""
        self.folder.mkdir()
        for hour in range(24):
            for day in range(1, 29):
                (self.folder / f"trades_{S}.2026-11-{day:02d}T{hour:02d}.csv.gz").touch()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assertEqual(expired(self.folder, 60, MIDNIGHT_MS), [])
        self.assertLess(tracemalloc.get_traced_memory()[1], 100_000)


class FullDisk(Case):
    def test_a_period_ends_while_the_disk_is_full(self) -> None:
        """The closing waits behind what could not be written: every row is in its file, once."""
        for room in range(0, 70, 7):
            self.fresh()
            disk = Disk()
            store = self.store(write=disk)
            disk.room = room
            store.append("trades", S, [row("trades", 1, MIDNIGHT_MS - 1), row("trades", 2, MIDNIGHT_MS)])
            for number in (3, 4):
                self.assertRaises(StoreError, store.flush)
                store.append("trades", S, [row("trades", number, MIDNIGHT_MS + (number - 2) * DAY_MS)])
                disk.room = room // 2
            disk.room = None
            store.flush()
            self.assertEqual(store.backlog.pending_bytes, 0)
            self.assertEqual(
                [[number_of("trades", line) for line in lines] for lines in self.history("trades").values()],
                [[1], [2], [3], [4]],
            )
            self.crash()

    def test_the_file_can_not_be_renamed(self) -> None:
        """On a full disk the renaming is tried again; else the rows go on in the file that is there."""
        for why, files in ((errno.ENOSPC, 2), (errno.EACCES, 1)):
            self.fresh()
            self.folder = Stuck(self.folder)
            self.addCleanup(Stuck.why.clear)
            store = self.store()
            store.append("trades", S, [row("trades", 1, MIDNIGHT_MS - 1), row("trades", 2, MIDNIGHT_MS)])
            Stuck.why[:] = [why]
            if files == 2:
                self.assertRaises(StoreError, store.flush)
                self.assertRaises(StoreError, store.flush)
            else:
                with self.assertLogs("aster_collect.files.turns", "ERROR"):
                    store.flush()
            Stuck.why.clear()
            store.append("trades", S, [row("trades", 3, MIDNIGHT_MS + 1)])
            store.flush()
            self.assertEqual([number_of("trades", line) for line in self.all_rows("trades")], [1, 2, 3])
            self.assertEqual(len(self.names("trades")), files)
            store.append("trades", S, [row("trades", 4, MIDNIGHT_MS + DAY_MS)])
            store.flush()
            self.assertIn(f"trades_{S}.2026-11-22.csv", self.names("trades"))
            self.assert_holds()
            self.crash()

    def test_the_file_is_deleted_before_its_period_ends(self) -> None:
        """There is nothing to close then, and the next period's rows are in a fresh file."""
        for sync in (False, True):
            self.fresh()
            store = self.store()
            store.append("trades", S, [row("trades", 1, MIDNIGHT_MS - 1)])
            store.flush()
            (self.folder / f"trades_{S}.csv").unlink()
            store.append("trades", S, [row("trades", 2, MIDNIGHT_MS)])
            with self.assertLogs("aster_collect", "ERROR"):
                store.flush(sync=sync)
            self.assertEqual(self.history("trades"), {f"trades_{S}.csv": []})
            self.again(store, row("trades", 1, MIDNIGHT_MS - 1), row("trades", 2, MIDNIGHT_MS))
            self.crash()

    def again(self, store: Store, *lines: str) -> None:
        """Append anew what was destroyed and what was handed back: each is in the file of its day."""
        ((symbol, (gap, waiting, begins)),) = store.take_destroyed_rows()
        self.assertEqual((symbol, gap.first_missing_id, gap.last_missing_id, begins), (S, 1, 1, True))
        self.assertEqual(waiting, list(lines))
        store.append("trades", S, list(lines))
        store.flush()
        days = (f"trades_{S}.2026-11-21.csv", f"trades_{S}.csv")
        self.assertEqual(self.history("trades"), {day: [line] for day, line in zip(days, lines, strict=True)})


class Anything(Case):
    def test_any_order_of_rotation_full_disk_crash_and_reopening(self) -> None:
        """Whatever happens to it in whatever order, every row is in the history once, in order, and verify agrees."""
        for seed, chance in rounds(30):
            with self.subTest(seed=seed):
                self.fresh()
                self.play(chance)
                self.crash()

    def play(self, chance: random.Random) -> None:
        disk = Disk()
        self.rotate = chance.choice(("hour", "day"))
        sync = chance.random() < 0.1
        store = self.store(write=disk, sync=sync)
        number, time_ms = dict.fromkeys(KINDS, 0), MIDNIGHT_MS
        for _ in range(60):
            time_ms += chance.choice((1, 1000, HOUR_MS // 7, HOUR_MS, 9 * HOUR_MS))
            for kind in KINDS:
                lines = []
                for _ in range(chance.randrange(5)):
                    number[kind] += 1
                    lines.append(row(kind, number[kind], time_ms))
                    time_ms += chance.choice((0, 1, HOUR_MS // 3))
                store.append(kind, S, lines)
            disk.room = chance.choice((None, None, 0, 1, chance.randrange(300), chance.randrange(2000)))
            what = chance.random()
            if what < 0.1:
                store.reopen()
            try:
                store.flush(sync=chance.random() < 0.5)
            except StoreError:
                continue
            if what > 0.8:
                self.crash()
                self.damage(chance)
                disk.room = None
                store = self.store(write=disk, sync=sync)
                for kind in KINDS:
                    last = store.last_row(kind, S)
                    number[kind] = number_of(kind, last) if last else 0
                    last = store.last_row(kind, S)
                    time_ms = max(time_ms, rows.row_time_ms(kind, last) if last else 0)
        disk.room = None
        store.flush()
        for kind in KINDS:
            found = self.history(kind)
            self.assertEqual(
                [number_of(kind, line) for lines in found.values() for line in lines], list(range(1, number[kind] + 1))
            )
            length_ms = DAY_MS if self.rotate == "day" else HOUR_MS
            for name, lines in list(found.items())[:-1]:
                part = closed_part(name)
                assert part is not None
                periods = {period_end(rows.row_time_ms(kind, line), length_ms) for line in lines}
                self.assertEqual(periods, {part.end_ms}, name)
        self.assert_holds()

    def damage(self, chance: random.Random) -> None:
        """Do what a crash may: cut the newest file, pack or half pack closed ones."""
        kind = chance.choice(rows.KINDS)
        path = self.folder / rows.file_name(kind, S)
        if path.exists() and chance.random() < 0.7:
            os.truncate(path, chance.randrange(path.stat().st_size + 1))
        for part in self.folder.glob("*_*.*-*.csv"):
            if chance.random() < 0.3:
                Path(f"{part}.gz").write_bytes(gzip.compress(part.read_bytes(), 1))
                part.unlink()


class Symbols(Case):
    def test_a_symbol_is_opened_while_others_are_written(self) -> None:
        """It is gone on with where it is opened twice."""
        store = self.store()
        for turn in range(1, 4):
            store.open("NEWUSDT")
            store.append("prices", "NEWUSDT", [row("prices", turn, MIDNIGHT_MS + turn)])
            store.flush()
        self.assertEqual([len(lines) for lines in self.history("prices", "NEWUSDT").values()], [3])

    def test_a_symbol_that_can_not_be_opened(self) -> None:
        """One file that can't be opened is an error that leaves the others alone, and can be tried again."""
        store = self.store()
        (self.folder / "trades_NEWUSDT.csv").mkdir()
        before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
        self.assertRaises(ConfigError, store.open, "NEWUSDT")
        if before:
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        store.append("trades", S, [row("trades", 1, MIDNIGHT_MS)])
        store.flush()
        (self.folder / "trades_NEWUSDT.csv").rmdir()
        store.open("NEWUSDT")

    def test_what_is_written_and_what_is_free(self) -> None:
        """The bytes written are those on disk, over rotation and reopening, and free space is the disk's."""
        disk = Disk()
        store = self.store(write=disk)
        for day in range(3):
            disk.room = 200
            store.append("prices", S, [row("prices", day * 9 + n, MIDNIGHT_MS + day * DAY_MS) for n in range(9)])
            self.assertRaises(StoreError, store.flush)
            disk.room = None
            store.rejects.add("x", 1, "odd", b"data")
            store.backlog.gap(S, MISSING)
            store.flush(sync=False)
        files = [path for path in self.folder.iterdir() if not path.name.startswith(".")]
        self.assertEqual(store.written_bytes, sum(path.stat().st_size for path in files))
        self.assertGreater(store.folder.free_bytes(), 0)
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
        self.assertEqual(store.folder.free_bytes(), 0)


class Syncing(Case):
    def test_what_an_early_flush_wrote_is_synced_by_the_next(self) -> None:
        """Rows and headers that went out without a sync are synced by the next flush that syncs, without a new row."""
        store = self.store(sync=True)
        store.append("trades", S, [row("trades", 1, MIDNIGHT_MS - 1), row("trades", 2, MIDNIGHT_MS)])
        store.flush(sync=False)
        sheets = store.sheets.all.values()
        self.assertTrue(any(sheet.appender.unsynced for sheet in sheets))
        store.flush()
        self.assertFalse(any(sheet.appender.unsynced for sheet in sheets))


class Expiry(Case):
    def test_closed_files_that_are_too_old(self) -> None:
        """Closed files of days before the last N go, oldest first, and each is named in the log; nothing else goes."""
        self.folder.mkdir()
        old = [f"trades_{S}.2026-11-0{day}.csv" for day in range(1, 5)]
        old[1] += ".gz"
        old[2:2] = [f"trades_{S}.2026-11-02T23-2.csv", "prices_币安人生USDT.2026-11-02T23.csv.gz"]
        kept = [
            f"trades_{S}.csv", f"gaps_{S}.csv", f"gaps_{S}.2026-11-01.csv", f"trades_{S}.2026-11-05.csv",
            "rejects.jsonl",
            f"trades_{S}.2026-11-05T00.csv.gz", f"trades_{S}.20261101T000000Z.csv", f"trades_{S}.2026-11-01.csv.gz.tmp",
            f"trades_{S}.2026-11-01.20261101T000000Z.csv", "status.json", f"trades_{S}.csv.1", "notes.2026-11-01.csv",
            f"trades_{S}.2026-11-07.csv",
        ]  # fmt: skip
        for name in (*old, *kept):
            (self.folder / name).write_text("x")
        today_ms = MIDNIGHT_MS - 15 * DAY_MS
        self.assertEqual({path.name for path in expired(self.folder, 3, today_ms)}, set(old))
        with self.assertLogs("aster_collect.files.rotate", "INFO") as logs:
            gone = delete_expired(self.folder, 3, today_ms)
        self.assertEqual([path.name for path in gone], [path.name for path in gone if not path.exists()])
        self.assertEqual(len(logs.records), len(old))
        for record, path in zip(logs.records, gone, strict=True):
            self.assertIn(path.name, record.getMessage())
        self.assertEqual(gone[0].name, old[0])
        self.assertEqual({path.name for path in self.folder.iterdir()}, set(kept))
        self.assertEqual(delete_expired(self.folder, 3, today_ms), [])

    def test_a_folder_that_cannot_be_listed(self) -> None:
        """It is said, and nothing goes: the collection does not end for it."""
        with self.assertLogs("aster_collect.files.rotate", "ERROR") as logs:
            self.assertEqual(delete_expired(self.folder / "gone", 3, MIDNIGHT_MS), [])
        self.assertIn("file not deleted file=gone why=No such file", logs.output[0])

    def days(self, *names: str, keep_days: int = 2, today: int = 8) -> list[str]:
        """Return what has expired of such closed files, `KIND.DAY`, when it is such a day of November here."""
        self.folder.mkdir(exist_ok=True)
        for path in self.folder.iterdir():
            path.unlink()
        for name in names:
            kind, _, day = name.partition(".")
            (self.folder / f"{kind}_{S}.2026-{day}.csv").write_text("x")
        found = expired(self.folder, keep_days, MIDNIGHT_MS + (today - 22) * DAY_MS)
        return [path.name.partition(".2026-")[2].removesuffix(".csv") for path in found]

    def test_this_machines_clock_is_wrong(self) -> None:
        """Days count from the newest that was closed, not from what day it is here: 400 days ahead deletes nothing."""
        names = [f"{kind}.11-0{day}" for kind in (rows.PRICES, rows.TRADES) for day in range(1, 8)]
        for today in (8, 408, -392, -20_000):
            with self.subTest(today=today):
                self.assertEqual(
                    self.days(*names, today=today), [f"11-0{day}" for day in (1, 2, 3, 4, 5) for _ in "pt"]
                )

    def test_the_newest_day_stays(self) -> None:
        """However old it is."""
        self.assertEqual(self.days("prices.01-01", "prices.11-07", keep_days=1), ["01-01"])
        self.assertEqual(self.days("prices.01-01", keep_days=1), [])
        self.assertEqual(self.days("prices.01-01T05", "prices.01-01T06", keep_days=1), [])

    def test_a_file_name_of_far_ahead(self) -> None:
        """A day that is ahead of this machine's clock and that one stream alone has makes no other old."""
        names = [f"{kind}.11-0{day}" for kind in (rows.PRICES, rows.TRADES) for day in range(4, 8)]
        self.assertEqual(self.days(*names, "prices.12-31"), ["11-04", "11-04", "11-05", "11-05"])
        self.assertEqual(self.days("prices.12-31"), [])


if __name__ == "__main__":
    unittest.main()
