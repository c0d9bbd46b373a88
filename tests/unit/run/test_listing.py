"""The manifest says what became of each file, whatever ends the run, and whatever happens to the manifest itself."""

import gzip
import hashlib
import json
import os
import random
import tracemalloc
import unittest
from pathlib import Path
from typing import Any

from aster_collect.files.compress import compress
from aster_collect.files.contents import contents
from aster_collect.files.listed import MANIFEST_NAME, Content, read_manifest
from aster_collect.files.manifest import announce, settle
from aster_collect.files.names import Part
from aster_collect.files.rotate import closed_part
from aster_collect.verify import check_folder
from tests import rows
from tests.killed import each_end
from tests.support import rounds
from tests.unit.files.rotating import DAY_MS, KINDS, MIDNIGHT_MS, Case, S, number_of, row
from tests.unit.run.listed import ListedStore, manifest

CLOSED = f"trades_{S}.2026-11-22.csv"
NEXT = f"trades_{S}.2026-11-23.csv"


class Listed(Case):
    def listed(self, **options: Any) -> ListedStore:
        store = ListedStore(self.folder, levels=5, sync=False, rotate=self.rotate, **options)
        self.stores.append(store)
        return store

    def append(self, store: ListedStore, *days: float) -> None:
        """Write a trade at each of these days from midnight on."""
        for day in days:
            store.append("trades", S, [row("trades", round(day * 24), MIDNIGHT_MS + round(day * DAY_MS))])
        store.flush()

    @property
    def path(self) -> Path:
        return self.folder / MANIFEST_NAME

    def closed(self) -> dict[str, bytes]:
        """Return what is in each closed file and each that was set aside."""
        paths = [path for path in self.folder.glob("*_*.*") if path.name.count(".") > 1]
        return {
            path.name.removesuffix(".gz"): (gzip.decompress if path.suffix == ".gz" else bytes)(path.read_bytes())
            for path in paths
        }

    def assert_listed(self) -> None:
        """Fail unless the manifest has just the closed files and those set aside, with what they hold."""
        said = manifest(self.folder)
        found = {name: (one.content.bytes, one.content.sha256) for name, one in said.files.items()}
        hashes = {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in self.closed().items()}
        self.assertEqual((found, said.odd), (hashes, []))


class Noted(Listed):
    def test_files_are_closed(self) -> None:
        """Each is listed with its rows, its ends and its hash; the growing ones are, when the run ends in order."""
        store = self.listed()
        self.append(store, 0, 0.5, 1, 2, 2.25)
        store.list_files()
        self.assert_listed()
        said = manifest(self.folder)
        self.assertEqual(said.growing, {})
        content = said.files[CLOSED].content
        self.assertEqual(content[:5], (2, MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS // 2, 0, 12))
        store.stop()
        said = manifest(self.folder)
        self.assertEqual(sorted(said.growing), sorted(f"{kind}_{S}.csv" for kind in (*KINDS, "gaps")))
        size = (self.folder / f"trades_{S}.csv").stat().st_size
        ends = (MIDNIGHT_MS + 2 * DAY_MS, MIDNIGHT_MS + 9 * DAY_MS // 4)
        self.assertEqual(said.growing[f"trades_{S}.csv"].content, Content(2, *ends, 48, 54, size))
        self.assertEqual(said.growing[f"prices_{S}.csv"].content.rows, 0)

    def test_a_compressed_file_is_the_same_file(self) -> None:
        """It holds what the plain one held, and the last row of a long one is found."""
        store = self.listed()
        lines = [row("trades", number, MIDNIGHT_MS + number) for number in range(20_000)]
        store.append("trades", S, lines)
        self.append(store, 2)
        plain = self.folder / CLOSED
        part = closed_part(CLOSED)
        assert part is not None
        packed = Path(f"{plain}.gz")
        packed.write_bytes(gzip.compress(plain.read_bytes()))
        found = contents(plain, part)
        self.assertEqual(contents(packed, part), found)
        assert found is not None
        self.assertEqual(found[:5], (20_000, MIDNIGHT_MS, MIDNIGHT_MS + 19_999, 0, 19_999))

    def test_lines_that_were_counted_of_the_file_before(self) -> None:
        """What is counted beside all else is of one file, and not of the next one under its name."""
        store = self.listed()
        store.append("trades", S, [row("trades", number, MIDNIGHT_MS + number) for number in range(3)])
        store.flush()
        store.list_files()
        store.listing.step()
        self.append(store, 1)
        store.append("trades", S, [row("trades", 100_000 + n, MIDNIGHT_MS + DAY_MS + n) for n in range(9)])
        store.stop()
        self.assertEqual(manifest(self.folder).growing[f"trades_{S}.csv"].content.rows, 10)

    def test_a_growing_file_of_long_rows(self) -> None:
        """Its first row is found, however long it is."""
        self.folder.mkdir()
        side = ";".join(["61527.50 0.021"] * 20_000)
        header = ",".join(rows.columns("depth", 5, False))
        lines = [header, f"1795538383.842,,11,{side},{side}", "1795538384.220,11,12,61527.70 0.000,"]
        (self.folder / f"depth_{S}.csv").write_text("".join(f"{line}\n" for line in lines), "ascii")
        settle(self.folder, sync=False)
        content = manifest(self.folder).growing[f"depth_{S}.csv"].content
        self.assertEqual(content[:5], (2, 1795538383842, 1795538384220, 11, 12))

    def test_a_closed_file_of_nothing_but_nul(self) -> None:
        """However long it is it is read in little memory, and has no rows."""
        path = self.folder.with_name(CLOSED)
        with path.open("wb") as file:
            file.truncate(64 << 20)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        found = contents(path, Part("trades", S, "2026-11-22"))
        self.assertLess(tracemalloc.get_traced_memory()[1], 4 << 20)
        assert found is not None
        self.assertEqual((found.rows, found.bytes, found.last_id), (0, 64 << 20, None))

    def test_a_file_is_compressed_before_it_is_listed(self) -> None:
        """What a run before had left to be compressed may be so first: it is found under its other name."""
        store = self.listed()
        self.append(store, 0, 1)
        paths = store.folder.take_renamed()
        self.assertEqual([path.name for path in paths], [CLOSED])
        compress(paths[0])
        store.listing.take(paths)
        self.assertTrue(store.listing.step())
        self.assert_listed()
        self.assertEqual(set(manifest(self.folder).files), {CLOSED})

    def test_a_run_goes_on_behind_an_end_in_order(self) -> None:
        """What was said of growing files is taken back before they grow, and said anew at the next end."""
        self.listed().stop()
        self.assertEqual(len(manifest(self.folder).growing), 4)
        store = self.listed()
        self.assertEqual(manifest(self.folder).growing, {})
        self.append(store, 0)
        store.stop()
        self.assertEqual(manifest(self.folder).growing[f"trades_{S}.csv"].content.rows, 1)
        self.assertEqual(len(self.path.read_text("ascii").splitlines()), 4)

    def test_somebody_lists_a_deletion(self) -> None:
        """The line stays where lines about growing files are taken back, which stand before it."""
        store = self.listed()
        self.append(store, 0, 1)
        store.list_files()
        store.stop()
        self.assertEqual(set(manifest(self.folder).files), {CLOSED})
        with self.path.open("a") as file:
            file.write(json.dumps({"file": CLOSED, "is": "deleted"}) + "\n")
        (self.folder / CLOSED).unlink()
        store = self.listed()
        said = manifest(self.folder)
        self.assertEqual((said.files, said.growing), ({}, {}))

    def test_files_are_set_aside(self) -> None:
        """They are listed under their new names, and the old ones are free: another file may have them."""
        store = self.listed()
        self.append(store, 0, 1)
        store.list_files()
        store.set_aside("trades", S, "ids_of_another_id_space")
        self.append(store, 0.25, 1.25)
        store.list_files()
        self.assert_listed()
        said = manifest(self.folder)
        self.assertEqual(len(said.files), 3)
        self.assertEqual(said.files[CLOSED].content.first_id, 6)
        self.assertEqual(sorted(one.was for one in said.files.values()), ["", CLOSED, f"trades_{S}.csv"])

    def test_what_is_too_old_is_deleted(self) -> None:
        """That it is deleted on purpose is noted before it goes."""
        store = self.listed(keep_days=1)
        self.append(store, 0, 1, 2, 3)
        store.list_files()
        self.assertEqual(set(manifest(self.folder).files), {NEXT.replace("23", "24"), NEXT} & set(self.closed()))
        self.assertNotIn(CLOSED, self.closed())
        self.assert_listed()

    def test_the_end_comes_before_files_are_read(self) -> None:
        """Their lengths are noted; the next start reads them."""
        store = self.listed()
        self.append(store, 0, 1, 2)
        store.listing.take(store.folder.take_renamed())
        self.append(store, 3)
        store.stop()
        said = manifest(self.folder)
        self.assertEqual({name: one.content.bytes for name, one in said.files.items()},
                         {name: len(data) for name, data in self.closed().items()})  # fmt: skip
        self.assertEqual({one.content.sha256 for one in said.files.values()}, {""})
        self.listed().list_files()
        self.assert_listed()

    def test_a_folder_of_an_earlier_version(self) -> None:
        """All that it lacks is listed."""
        store = self.store()
        for day in range(4):
            store.append("trades", S, [row("trades", day, MIDNIGHT_MS + day * DAY_MS)])
        store.set_aside("trades", S, "x")
        store.flush()
        self.crash()
        settle(self.folder, sync=False)
        self.assert_listed()
        self.assertEqual(len(manifest(self.folder).files), 4)
        self.assertEqual(len(manifest(self.folder).growing), 4)

    def test_a_file_is_rewritten(self) -> None:
        """What it will hold is noted before, and what it held is not forgotten."""
        store = self.listed()
        self.append(store, 0, 1)
        store.list_files()
        store.stop()
        path, beside = self.folder / CLOSED, self.folder / ".beside"
        before = manifest(self.folder).files[CLOSED].content
        beside.write_bytes(gzip.compress(path.read_bytes() + b"5,1795305600001,buy,1,1\n"))
        announce(self.folder, path, beside, sync=False)
        said = manifest(self.folder).files[CLOSED]
        self.assertEqual((said.before, said.content.rows, said.content.last_id), (before.sha256, 2, 5))
        self.assertEqual(said.content, contents(beside, Part("trades", S, "2026-11-22")))


class Harmed(Listed):
    def test_any_prefix_of_a_manifest(self) -> None:
        """Whatever a crash leaves of it, with NULs behind or not, the next start lists the rest, each line whole."""
        store = self.listed()
        self.append(store, *range(4))
        store.set_aside("trades", S, "x")
        self.append(store, 4, 5)
        store.list_files()
        self.crash()
        data = self.path.read_bytes()
        for cut in (*range(0, len(data), 61), len(data) - 1, len(data)):
            self.path.write_bytes(data[:cut] + b"\0" * ((0, 1, 5000)[cut % 3]))
            self.listed().list_files()
            self.assert_listed()
            self.crash()

    def test_the_manifest_is_deleted_cut_or_moved_meanwhile(self) -> None:
        """It is said in the log, and all files are listed anew."""
        for harm in (
            lambda path: path.unlink(),
            lambda path: os.truncate(path, 0),
            lambda path: os.truncate(path, path.stat().st_size - 30),
            lambda path: path.rename(path.with_name("moved")),
            lambda path: path.write_text("[]\n" * 9),
        ):
            self.fresh()
            store = self.listed()
            self.append(store, 0, 1)
            store.list_files()
            harm(self.path)
            self.append(store, 2)
            with self.assertLogs("aster_collect.files.manifest", "ERROR") as logs:
                store.list_files()
            self.assertIn("file changed by another program file=files.jsonl", logs.output[0])
            said = manifest(self.folder)
            self.assertEqual(set(said.files), set(self.closed()))
            self.crash()

    def test_a_folder_in_its_place(self) -> None:
        """It is said once, rows are written all the same, and the manifest is, once there is room for it."""
        self.folder.mkdir()
        self.path.mkdir()
        with self.assertLogs("aster_collect.files.manifest", "ERROR") as logs:
            store = self.listed()
            self.append(store, 0, 1, 2)
            store.list_files()
        self.assertEqual(len(logs.records), 1)
        self.assertIn("files.jsonl", logs.output[0])
        self.path.rmdir()
        self.append(store, 3)
        with self.assertLogs("aster_collect.files.manifest", "WARNING"):
            store.list_files()
        self.assert_listed()

    def test_any_pattern_of_a_full_disk(self) -> None:
        """Each line is there once, whole, in the end."""
        for seed, chance in rounds(20):
            with self.subTest(seed=seed):
                self.fresh()
                self.fill(chance)
                self.crash()

    def fill(self, chance: random.Random) -> None:
        store = self.listed()
        full = False

        def write(descriptor: int, data: bytes) -> int:
            if full:
                raise OSError(28, "No space left on device")
            return os.write(descriptor, data[: chance.randrange(1, len(data) + 1)])

        store.listing._writer._appender._write = write
        for day in range(8):
            self.append(store, day)
            full = chance.random() < 0.5
            store.list_files()
        full = False
        self.append(store, 9)
        store.list_files()
        self.assert_listed()
        self.assertEqual(len(self.path.read_text("ascii").splitlines()), 8)

    def test_lines_that_are_none(self) -> None:
        """They are told by number, and those around them hold."""
        self.folder.mkdir()
        good = '{"file": "trades_X.2026-11-22.csv", "is": "closed", "bytes": 5}'
        odd = ["", "x", "[]", "{}", '{"file": 1, "is": "closed"}', '{"file": "a", "is": "b"}', "[" * 9999, "null",
               good.replace("5", '"5"'), good.replace("5", "-5"), good.replace("5", "true")]  # fmt: skip
        self.path.write_text("\n".join([good, *odd, good.replace("22", "23"), good[:9]]), "ascii")
        said = manifest(self.folder)
        self.assertEqual((len(said.files), said.odd), (2, list(range(2, 2 + len(odd)))))
        self.assertIsNone(read_manifest(self.folder / "nowhere"))


@unittest.skipIf(not hasattr(os, "fork"), "no fork")
class Kills(Listed):
    def play(self, **options: Any) -> None:
        """Go on behind what is there, close files, set some aside, delete some, and end in order."""
        options = {
            "levels": 5,
            "sync": False,
            "rotate": "day",
            "keep_days": 2,
            "wall": lambda: 1_795_700_000.0,
        } | options
        store = ListedStore(self.folder, **options)
        last = store.last_row("trades", S)
        first = number_of("trades", last) + 1 if last else 0
        for number in range(first, first + (0 if options.get("receive_time") else 4)):
            store.append("trades", S, [row("trades", number, MIDNIGHT_MS + number * DAY_MS)])
        store.flush()
        store.list_files()
        store.set_aside("prices", S, "x")
        store.flush()
        store.list_files()
        store.stop()

    def check(self, **options: Any) -> int:
        """Kill the next run at each of its steps; return at how many."""
        self.play()
        seen = 0
        for step in each_end(self.folder, lambda: self.play(**options)):
            told = [why for reasons in check_folder(self.folder).reasons.values() for _, why in reasons]
            self.assertEqual([why for why in told if MANIFEST_NAME in why], [], step)
            self.play(**options)
            report = check_folder(self.folder)
            self.assertEqual((report.reasons, report.unlisted), ({}, 0), step)
            seen += 1
        return seen

    def test_killed_at_any_step(self) -> None:
        """Verify has nothing to say of it, neither then nor after the next run, and nothing stays unlisted."""
        self.assertGreater(self.check(), 25)

    def test_killed_while_files_of_other_columns_are_set_aside(self) -> None:
        """So it is where growing files get other names as they are opened."""
        self.assertGreater(self.check(receive_time=True), 10)
