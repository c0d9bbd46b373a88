"""A file that is missing, shortened or altered is told by the manifest; what the collector did itself is not."""

import contextlib
import gzip
import os
import random
import shutil
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aster_collect.errors import StoreError
from aster_collect.exchange.events import Gap
from aster_collect.files.compress import compress
from aster_collect.files.listed import MANIFEST_NAME
from aster_collect.files.rotate import closed_part
from aster_collect.verify import NotAFolder, check_folder
from tests import rows
from tests.support import Disk, rounds
from tests.unit.files.rotating import DAY_MS, HOUR_MS, KINDS, MIDNIGHT_MS, Case, S, number_of, row
from tests.unit.run.listed import ListedStore

TRADES, PRICES, GAPS = (rows.file_name(kind, S) for kind in (rows.TRADES, rows.PRICES, rows.GAPS))
HOURS = 5


def hour(name: str, number: int) -> str:
    return name.replace(".csv", f".2026-11-22T{number:02d}.csv")


class Listed(Case):
    rotate = "hour"

    def listed(self, **options: Any) -> ListedStore:
        options = {"levels": 5, "sync": False, "rotate": self.rotate} | options
        store = ListedStore(self.folder, **options)
        self.stores.append(store)
        return store

    def write(self, *, packs: bool = False) -> None:
        """Collect for some hours, and end in order."""
        store = self.listed()
        for number in range(HOURS * 60):
            for kind in KINDS:
                store.append(kind, S, [row(kind, number, MIDNIGHT_MS + number * 60_000)])
        store.flush()
        store.list_files()
        store.stop()
        self.stores.clear()
        for path in self.folder.glob("*.2026-*.csv") if packs else ():
            compress(path)

    def reasons(self, **asked: Any) -> dict[str, list[str]]:
        """Return what is broken, by file."""
        return {name: [why for _, why in found] for name, found in check_folder(self.folder, **asked).reasons.items()}

    def assert_told(self, name: str, *words: str, others: int = 0) -> None:
        """Fail unless the one thing that is wrong is told of a file, beside what follows from it in others."""
        found = self.reasons()
        self.assertIn(name, found)
        told = [why for why in found[name] if all(word in why for word in words)]
        self.assertEqual(len(told), 1, found)
        self.assertEqual(sum(map(len, found.values())), 1 + others, found)


class Incidents(Listed):
    def both(self, harm: Callable[[str], object], name: str, *words: str, others: int = 0) -> None:
        """Do harm to a closed file, plain and compressed, and fail unless it is told."""
        for packs in (False, True):
            with self.subTest(packs=packs):
                self.fresh()
                self.write(packs=packs)
                self.assertEqual(self.reasons(), {})
                harm(name + ".gz" * packs)
                there = (self.folder / (name + ".gz")).exists()
                self.assert_told(name + ".gz" * there, *words, others=others)

    def change(self, name: str, how: Callable[[bytes], bytes]) -> None:
        path = self.folder / name
        data = path.read_bytes()
        is_packed = name.endswith(".gz")
        changed = how(gzip.decompress(data) if is_packed else data)
        path.write_bytes(gzip.compress(changed) if is_packed else changed)

    def test_an_hour_is_deleted_from_between_others(self) -> None:
        """It is missing, by name, with how many rows it had."""
        told = ("missing: files.jsonl:", "lists it with 60 rows, from 2026-11-22T02:00:00.000Z to 2026-11-22T02:59")
        self.both(lambda name: (self.folder / name).unlink(), hour(PRICES, 2), *told, others=1)

    def test_the_last_closed_file_is_deleted(self) -> None:
        """It is missing, though less than an hour is without rows then."""
        self.both(lambda name: (self.folder / name).unlink(), hour(PRICES, HOURS - 2), "missing", others=1)

    def test_the_first_closed_file_is_deleted(self) -> None:
        """It is missing, though nothing in the rows says so."""
        self.both(lambda name: (self.folder / name).unlink(), hour(PRICES, 0), "missing")

    def test_rows_are_cut_from_the_end_of_a_closed_file(self) -> None:
        """It is shorter than it was, even where it ends with a whole row."""
        cut = lambda data: data[: data.rindex(b"\n", 0, len(data) - 1000) + 1]  # noqa: E731
        self.both(lambda name: self.change(name, cut), hour(PRICES, 1), "bytes shorter than files.jsonl:")

    def test_a_closed_file_is_cut_within_a_row(self) -> None:
        """So it is, beside the torn row."""
        for packs in (False, True):
            self.fresh()
            self.write(packs=packs)
            name = hour(PRICES, 1) + ".gz" * packs
            self.change(name, lambda data: data[:-1000])
            self.assert_told(name, "1000 bytes shorter", others=1)

    def test_a_digit_is_changed(self) -> None:
        """The file is as long as before, its rows are good, and it is altered."""
        for packs in (False, True):
            self.fresh()
            self.write(packs=packs)
            name = hour(TRADES, 1) + ".gz" * packs
            self.change(name, lambda data: data.replace(b",0.5\n", b",0.6\n", 1))
            self.assert_told(name, "altered: these are not the bytes whose SHA-256 files.jsonl:")

    def test_a_row_is_added(self) -> None:
        """The file is longer than it was."""
        self.write()
        self.change(hour(PRICES, 1), lambda data: data + data.splitlines(keepends=True)[-1])
        self.assert_told(hour(PRICES, 1), "bytes longer")

    def test_a_compressed_file_is_cut(self) -> None:
        """What can't be unpacked is damaged, and told once."""
        self.write(packs=True)
        path = self.folder / f"{hour(TRADES, 1)}.gz"
        path.write_bytes(path.read_bytes()[:-9])
        self.assert_told(path.name, "damaged")

    def test_the_growing_file_is_cut_after_an_end_in_order(self) -> None:
        """It is shorter than it was then; one that has grown since is not."""
        self.write()
        path = self.folder / PRICES
        data = path.read_bytes()
        path.write_bytes(data[: data.rindex(b"\n", 0, len(data) - 1000) + 1])
        self.assert_told(PRICES, "bytes shorter than files.jsonl:")
        path.write_bytes(data + row(rows.PRICES, 400, MIDNIGHT_MS + HOURS * HOUR_MS).encode() + b"\n")
        self.assertEqual(self.reasons(), {})

    def test_the_growing_file_is_deleted(self) -> None:
        """It is missing; one that had no rows is not missed."""
        self.write()
        (self.folder / PRICES).unlink()
        self.assert_told(PRICES, "missing")
        self.fresh()
        self.listed().stop()
        self.stores.clear()
        (self.folder / PRICES).unlink()
        self.assertEqual(self.reasons(), {})

    def test_the_ledger_is_deleted(self) -> None:
        """It is told once."""
        self.write()
        (self.folder / GAPS).unlink()
        self.assert_told(GAPS, "no ledger: it was deleted")

    def test_the_ledger_is_cut(self) -> None:
        """Rows that are gone are told by its length."""
        store = self.listed()
        store.backlog.gap(S, Gap(rows.PRICES, MIDNIGHT_MS, MIDNIGHT_MS + 5000, None, None, "reconnect"))
        store.append(rows.PRICES, S, [row(rows.PRICES, 1, MIDNIGHT_MS)])
        store.stop()
        self.stores.clear()
        path = self.folder / GAPS
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
        self.assert_told(GAPS, "bytes shorter")

    def test_all_files_are_deleted(self) -> None:
        """Those that had rows are missing, though no data file is there; a folder that is empty proves nothing."""
        self.write()
        for path in self.folder.glob("*_*"):
            path.unlink()
        self.assertEqual(set(self.reasons()), {PRICES, TRADES, f"orderbook_{S}.csv"} | {
            hour(name, number) for name in (PRICES, TRADES, f"orderbook_{S}.csv") for number in range(HOURS - 1)
        })  # fmt: skip
        (self.folder / MANIFEST_NAME).unlink()
        self.assertRaises(NotAFolder, self.reasons)

    def test_all_files_of_a_symbol_are_deleted(self) -> None:
        """They are missing though nothing else names it."""
        self.write()
        other = self.folder.with_name("other")
        shutil.copytree(self.folder, other)
        for path in self.folder.glob("*_*"):
            path.rename(path.with_name(path.name.replace(S, "ETHUSDT")))
        found = self.reasons()
        self.assertEqual(len(found), 3 * HOURS)
        self.assertTrue(all("missing" in why for reasons in found.values() for why in reasons))

    def test_the_manifest_is_deleted(self) -> None:
        """It is said, since then a missing file would not be noticed; nothing else is known to be wrong."""
        self.write()
        for what in ("deleted", "a folder"):
            (self.folder / MANIFEST_NAME).unlink()
            if what == "a folder":
                (self.folder / MANIFEST_NAME).mkdir()
            report = check_folder(self.folder)
            told = [line for line in report.text() if line.endswith(": a missing file would not be noticed")]
            self.assertEqual((report.total, len(told), report.json()["manifest"]), (0, 1, False))
            if what == "deleted":
                (self.folder / MANIFEST_NAME).touch()

    def test_a_line_of_the_manifest_is_damaged(self) -> None:
        """The line is told, and the others hold."""
        self.write()
        path = self.folder / MANIFEST_NAME
        lines = path.read_text("ascii").splitlines(keepends=True)
        path.write_text("".join([lines[0], "x" + lines[1], *lines[2:]]), "ascii")
        report = check_folder(self.folder)
        self.assertEqual(report.reasons, {MANIFEST_NAME: [(2, "not a line of a manifest")]})
        self.assertEqual(report.unlisted, 1)

    def test_a_file_that_was_set_aside_is_deleted_or_altered(self) -> None:
        """It is missing, or altered, as any other."""
        self.write()
        store = self.listed()
        store.set_aside(rows.TRADES, S, "x")
        store.append(rows.TRADES, S, [row(rows.TRADES, 900, MIDNIGHT_MS + HOURS * HOUR_MS)])
        store.flush()
        store.list_files()
        store.stop()
        self.stores.clear()
        self.assertEqual(self.reasons(), {})
        aside = sorted(path.name for path in self.folder.glob("trades_*Z*.csv"))
        self.assertEqual(len(aside), HOURS)
        (self.folder / aside[0]).unlink()
        self.change(aside[1], lambda data: data.replace(b",0.5\n", b",0.7\n", 1))
        found = self.reasons()
        self.assertEqual(set(found), set(aside[:2]))
        self.assertIn("missing", found[aside[0]][0])
        self.assertIn("altered", found[aside[1]][0])

    def test_only_what_is_not_over_is_missed(self) -> None:
        """Files that were over before a moment may be gone."""
        self.write()
        (self.folder / hour(PRICES, 1)).unlink()
        self.assertEqual(self.reasons(since_ms=MIDNIGHT_MS + 2 * HOUR_MS), {})
        self.assertEqual(set(self.reasons(since_ms=MIDNIGHT_MS + 2 * HOUR_MS - 1)), {hour(PRICES, 1)})


class NoFalseAlarm(Listed):
    """Whatever the collector does itself, and whatever ends it, the manifest holds, before the next start and after."""

    def assert_no_alarm(self) -> None:
        alarms = [
            (name, why) for name, reasons in self.reasons().items() for why in reasons
            if MANIFEST_NAME in why or name == MANIFEST_NAME
        ]  # fmt: skip
        self.assertEqual(alarms, [])

    def test_any_world(self) -> None:
        """Rows, hours and days, full disks, kills, power losses, files set aside, compressed, and too old."""
        for seed, chance in rounds(15):
            with self.subTest(seed=seed):
                self.fresh()
                self.play(chance)
                self.crash()

    def play(self, chance: random.Random) -> None:
        disk, time_ms = Disk(), MIDNIGHT_MS
        number = dict.fromkeys(KINDS, 0)
        keep_days = chance.choice((None, None, 1, 2))
        for _ in range(chance.randrange(2, 7)):
            self.rotate = chance.choice(("hour", "day"))
            disk.room = None
            store = self.listed(write=disk, keep_days=keep_days)
            for kind in KINDS:
                last = store.last_row(kind, S)
                number[kind] = max(number[kind], number_of(kind, last) if last else 0)
            for _ in range(chance.randrange(1, 12)):
                time_ms += chance.choice((1, 1000, HOUR_MS // 7, HOUR_MS, 9 * HOUR_MS))
                for kind in KINDS:
                    some = range(number[kind] + 1, number[kind] + chance.randrange(5))
                    store.append(kind, S, [row(kind, one, time_ms) for one in some])
                    number[kind] = max(number[kind], *some) if some else number[kind]
                if chance.random() < 0.1:
                    store.set_aside(chance.choice(KINDS), S, "x")
                if chance.random() < 0.1:
                    store.reopen()
                disk.room = chance.choice((None, None, 0, chance.randrange(2000)))
                with contextlib.suppress(StoreError):
                    store.flush()
                if chance.random() < 0.6:
                    store.list_files()
                if chance.random() < 0.2:
                    self.pack(chance)
            disk.room = chance.choice((None, 0, 300))
            if chance.random() < 0.4:
                store.stop()
                self.stores.clear()
            else:
                self.crash()
                self.lose_power(chance)
            self.assert_no_alarm()
        disk.room = None
        store = self.listed(keep_days=keep_days)
        store.list_files()
        self.assert_no_alarm()
        store.stop()
        self.stores.clear()
        self.assert_no_alarm()

    def pack(self, chance: random.Random) -> None:
        """Compress some closed files, or have that interrupted at any of its steps."""
        for path in sorted(self.folder.glob("*_*.2026-*.csv")):
            how = chance.random()
            if closed_part(path.name) is None or how < 0.5:
                continue
            if how < 0.8:
                compress(path)
                continue
            packed = gzip.compress(path.read_bytes())
            if how < 0.9:
                Path(f"{path}.gz.tmp").write_bytes(packed[: chance.randrange(len(packed))])
            else:
                Path(f"{path}.gz").write_bytes(packed)

    def lose_power(self, chance: random.Random) -> None:
        """Lose what may not have been synced: the end of a growing file, and lines of the manifest."""
        for kind in (*KINDS, rows.GAPS):
            path = self.folder / rows.file_name(kind, S)
            if path.exists() and chance.random() < 0.3:
                os.truncate(path, chance.randrange(path.stat().st_size + 1))
        path = self.folder / MANIFEST_NAME
        if path.exists() and chance.random() < 0.5:
            data = path.read_bytes()
            synced = data.rfind(b"deleted")  # is before what it says is done
            synced = data.find(b"\n", synced) + 1 if synced >= 0 else 0
            path.write_bytes(data[: chance.randrange(synced, len(data) + 1)] + bytes(chance.choice((0, 0, 4096))))

    def test_a_time_far_ahead(self) -> None:
        """A clock that was set closes files out of turn, and they are listed as they are."""
        store = self.listed()
        for number, at_ms in enumerate((0, HOUR_MS, 30 * DAY_MS, 2 * HOUR_MS, 31 * DAY_MS)):
            for kind in KINDS:
                store.append(kind, S, [row(kind, number, MIDNIGHT_MS + at_ms)])
            store.flush()
        store.list_files()
        self.assert_no_alarm()
        store.stop()
        self.stores.clear()
        self.assert_no_alarm()

    def test_a_file_set_aside_and_another_of_its_name_before_any_is_listed(self) -> None:
        """A kill before the manifest knows leaves the old line, and the file that it means under another name."""
        for kills in (True, False):
            self.fresh()
            store = self.listed()
            store.append(rows.TRADES, S, [row(rows.TRADES, 1, MIDNIGHT_MS), row(rows.TRADES, 2, MIDNIGHT_MS + HOUR_MS)])
            store.flush()
            store.list_files()
            store.set_aside(rows.TRADES, S, "ids_of_another_id_space")
            store.append(rows.TRADES, S, [row(rows.TRADES, 7, MIDNIGHT_MS), row(rows.TRADES, 8, MIDNIGHT_MS + HOUR_MS)])
            store.flush()
            if kills:
                self.crash()
                self.assert_no_alarm()
                store = self.listed()
            store.list_files()
            self.assert_no_alarm()
            store.stop()
            self.stores.clear()
            self.assert_no_alarm()
            self.assertEqual(check_folder(self.folder).unlisted, 0)

    def test_a_collector_that_is_writing(self) -> None:
        """What it does between two looks of verify is no loss: files are closed, set aside, and deleted as too old."""
        store = self.listed(keep_days=1)
        for number in range(60):
            for kind in KINDS:
                store.append(kind, S, [row(kind, number, MIDNIGHT_MS + number * HOUR_MS)])
            if number == 40:
                store.set_aside(rows.TRADES, S, "x")
            store.flush()
            if number % 3:
                store.list_files()
            self.assertEqual(self.reasons(live=True), {})


if __name__ == "__main__":
    unittest.main()
