"""A replay of what was recorded writes the files that the runs wrote, whatever had happened to them."""

import json
import logging
import os
import shutil
import tempfile
import unittest
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from aster_collect.errors import ConfigError, DecodeError
from aster_collect.exchange.events import Lines, Reopen
from aster_collect.files.folder import aside_name
from aster_collect.files.raw import RawWriter
from aster_collect.order.record_reader import Line
from aster_collect.run.replay import Replay, read
from aster_collect.verify import check_folder
from tests.support import rounds
from tests.unit.order import chain_world, faults
from tests.unit.order.faults import FAULTS, OF_CLOCKS
from tests.unit.order.test_chain_matrix import FAULTS as OF_BOOKS
from tests.unit.order.test_matrix import OTHERS
from tests.unit.order.world import Fault, Setup, World
from tests.unit.run.recorded import RecordedBooks, RecordedWorld, contents, differences, replayed

WORLDS = 8
FAULTS_A_WORLD = 15
KNOWN = {**FAULTS, **OF_CLOCKS}
# In the very flush that closes a file or sets it aside a kill costs that, and so it does while the disk is full; in a
# replay it has been done.
COSTLY = ("full_disk", "kill_in_flush")


def an_hour_later(world: World) -> None:
    """The exchange sets its clock."""
    world.exchange.step_ms += 3_600_000


def our_clock_is_set(world: World) -> None:
    """Our own clock is set, and another hour begins."""
    world.wall_step_s += 3600.0


def hang_up(world: Any) -> None:
    """A terminal is closed, or somebody who renames files says so: they are opened by name again."""
    world.take(Reopen())


def logrotate(world: Any) -> None:
    """Files that are written are renamed, as a replay does it too, and opened by name again."""
    for path in world.written():
        if world.chance.random() < 0.7:
            path.rename(aside_name(path, world.wall_ns() / 1e9))
    hang_up(world)


def other_options(world: Any) -> None:
    """The program is stopped or killed, and started again with other columns."""
    receive_time, quantities = (world.chance.random() < 0.5 for _ in range(2))
    world.settings = replace(world.settings, receive_time=receive_time, quantities=quantities)
    world.chance.choice((faults.stop, faults.kill))(world)


def without(known: Mapping[str, Any], *names: str) -> list[Any]:
    """Return all of these faults but some."""
    return [one for name, one in known.items() if name not in names]


def word(line: Line) -> str:
    """Return which line of ours it is, nothing for a frame."""
    return str(json.loads(line[1])["aster"]) if line[1].startswith(b'{"aster"') else ""


class Case(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.base = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.made = 0

    def folder(self) -> Path:
        """Return a folder that is not there yet."""
        self.made += 1
        return self.base / f"{self.made}"

    def live(self, *faults: Fault, chance: Random | None = None, setup: Setup | None = None, **options: Any) -> Path:
        """Let a world that is recorded live through these faults; return its folder."""
        chance = chance or Random(5)
        self.world = RecordedWorld(chance, setup or Setup(), self.folder(), **options)
        self.world.play((chance.uniform(2, 8), fault.__name__, fault) for fault in faults)
        self.world.end()
        self.lines = self.world.lines_of_record
        return self.world.settings.data_dir

    def rows(self, folder: Path, name: str) -> list[str]:
        return (folder / name).read_text("utf-8").splitlines()[1:]

    def runs(self) -> list[int]:
        """Return where in the record each run begins."""
        return [at for at, line in enumerate(self.lines) if word(line) == "run"]


class TheSameBytes(Case):
    is_long = True

    def test_a_hundred_faults(self) -> None:
        """Every file of the runs is in the replay, of the same name, to the last byte, and no other is."""
        for seed, chance in rounds(WORLDS):
            kinds = Setup().kinds + tuple(kind for kind in OTHERS if chance.random() < 0.4)
            setup = Setup(kinds, chance.choice((1, 2)), every_symbol=chance.random() < 0.3)
            options = {
                "receive_time": chance.random() < 0.5,
                "quantities": chance.random() < 0.5,
                "rotate": chance.choice(("none", "hour")),
            }
            known = without(KNOWN, *(COSTLY if options["rotate"] == "hour" else ()))
            if chance.random() < 0.4:
                known = [*without(KNOWN, *COSTLY), *[logrotate] * 5, hang_up]
            known += [other_options] * chance.choice((0, 10))
            happens = [chance.choice(known) for _ in range(FAULTS_A_WORLD)]
            live, again = self.live(*happens, chance=chance, setup=setup, **options), self.folder()
            replayed(self.lines, again)
            wrong = differences(live, again)
            story = "\n".join(["", *wrong[:12], f"seed {seed}, {self.world.settings}", *self.world.faults])
            self.assertFalse(wrong, story)

    def test_full_books(self) -> None:
        """So it is with the full book, whose snapshots are answers."""
        for seed, chance in rounds(WORLDS):
            folder, again = self.folder(), self.folder()
            options = {"receive_time": chance.random() < 0.5, "rotate": chance.choice(("none", "hour"))}
            setup = chain_world.Setup(redundancy=chance.choice((1, 2)), check_s=chance.choice((0.0, 6.0)))
            world = RecordedBooks(chance, setup, folder, **options)
            closes = options["rotate"] == "hour" or chance.random() < 0.5
            known = without(OF_BOOKS, *(COSTLY if closes else ("new_ids", "new_ids_of_all")))
            if chance.random() < 0.4:
                known = [*without(OF_BOOKS, *COSTLY), *[logrotate] * 3, hang_up]
            known += [other_options] * chance.choice((0, 5))
            happens = [chance.choice(known) for _ in range(FAULTS_A_WORLD)]
            world.play((chance.uniform(0.5, 8), one.__name__, one) for one in happens)
            world.end()
            replayed(world.lines_of_record, again)
            wrong = differences(folder, again)
            self.assertFalse(wrong, "\n".join(["", *wrong[:12], f"seed {seed}, {world.settings}", *world.faults]))

    def test_stops_and_kills(self) -> None:
        """Each run goes on in what the replay of the one before has left, also where a kill cut a write."""
        live, again = self.live(*[faults.kill, faults.stop, faults.kill_in_flush] * 4), self.folder()
        self.assertGreater(replayed(self.lines, again).runs, 8)
        self.assertEqual(differences(live, again), [])

    def test_files_that_were_renamed_while_a_run_wrote_them(self) -> None:
        """The run began others when it heard of it, and so does the replay, which loses nothing of the former ones."""
        live, again = self.live(logrotate, faults.skip, faults.stop, hang_up, logrotate, faults.kill), self.folder()
        notes = replayed(self.lines, again).notes
        self.assertEqual((differences(live, again), notes), ([], []))
        self.assertGreater(len(list(again.glob("trades_*.2*Z.csv"))), 2)

    def test_files_that_were_destroyed_while_a_run_wrote_them(self) -> None:
        """They are whole, and a run that found what was left of them cuts none of their rows."""

        def destroy(world: Any) -> None:
            for number, path in enumerate(world.written()):
                if path.suffix == ".csv" and not path.name.startswith("gaps"):
                    path.unlink() if number % 2 else os.truncate(path, path.stat().st_size // 2)
            hang_up(world)

        live, again = self.live(destroy, faults.stop, faults.stop, chance=Random(7)), self.folder()
        notes = replayed(self.lines, again).notes
        self.assertEqual((notes, list(again.glob("*Z.csv"))), ([], []))
        self.assertEqual(check_folder(again).total, 0, list(check_folder(again).text()))
        for path in live.glob("*_*.csv"):
            there, here = self.rows(live, path.name), self.rows(again, path.name)
            if path.name.startswith("gaps"):
                self.assertNotIn("unrecorded", "".join(here))
            else:
                self.assertLessEqual(set(there), set(here), path.name)
                self.assertGreaterEqual(len(here), len(there), path.name)

    def test_a_terminal_that_is_closed(self) -> None:
        """Nobody has renamed a file, and none is begun anew."""
        live, again = self.live(hang_up, faults.skip, hang_up, faults.stop), self.folder()
        replayed(self.lines, again)
        self.assertEqual(differences(live, again), [])
        self.assertEqual(list(again.glob("*Z.csv")), [])

    def test_a_run_that_goes_on_in_files_of_before_the_record(self) -> None:
        """With a copy of these it writes the same; without them the same behind them, and it says so."""
        live = self.live(faults.stop)
        until = self.runs()[1]
        again, later = self.folder(), self.folder()
        replayed(self.lines[:until], again)
        copied = replayed(self.lines[until:], again)
        self.assertEqual((differences(live, again), copied.notes), ([], []))
        alone = replayed(self.lines[until:], later)
        self.assertIn("prices_BTCUSDT.csv: the run went on in a file of ", alone.notes[0])
        for name in ("prices_BTCUSDT.csv", "trades_ETHUSDT.csv", "orderbook_QUIETUSDT.csv"):
            rows = self.rows(later, name)
            self.assertEqual(rows, self.rows(live, name)[-len(rows) :])
            self.assertTrue(rows)

    def test_a_file_that_was_taken_away_between_two_runs(self) -> None:
        """It is set aside, and the next run begins another."""
        name = "prices_BTCUSDT.csv"
        live = self.live(faults.stop, between=lambda folder: (folder / name).unlink(missing_ok=True))
        again = self.folder()
        replayed(self.lines, again)
        self.assertEqual(contents(again)[name], contents(live)[name])
        self.assertEqual(len([one for one in contents(again) if one.startswith("prices_BTCUSDT.2")]), 1)


class OtherOptions(Case):
    def setUp(self) -> None:
        super().setUp()
        setup = Setup((*Setup().kinds, "mark"))
        self.folder_of_run = self.live(faults.drop, faults.skip, an_hour_later, faults.hand_over, setup=setup)

    def test_other_columns(self) -> None:
        """When each row was received, and the quantities of prices, are appended; the rows are the same."""
        again = self.folder()
        replayed(self.lines, again, receive_time=True, quantities=True)
        for name, more in (("prices_BTCUSDT.csv", 4), ("orderbook_BTCUSDT.csv", 1), ("trades_BTCUSDT.csv", 1)):
            rows = self.rows(again, name)
            self.assertEqual([row.rsplit(",", more)[0] for row in rows], self.rows(self.folder_of_run, name))
            self.assertGreater(len(rows), 20)
        self.assertEqual(check_folder(again).total, 0)

    def test_a_column_more_through_faults_and_kills(self) -> None:
        """The rows are the same but for it: what a kill kept from the disk is not there either, and comes once."""
        for seed, chance in rounds(WORLDS):
            known = [*(one for name, one in FAULTS.items() if name != "full_disk"), *[faults.kill_in_flush] * 20]
            known += [logrotate] * chance.choice((0, 15))
            kinds = Setup().kinds + tuple(kind for kind in OTHERS if chance.random() < 0.4)
            live = self.live(*[chance.choice(known) for _ in range(FAULTS_A_WORLD)], chance=chance, setup=Setup(kinds))
            again = self.folder()
            replayed(self.lines, again, receive_time=True)
            for path in live.glob("*_*.csv"):
                if path.name.count(".") == 1 and not path.name.startswith("gaps"):
                    rows = [row.rpartition(",")[0] for row in self.rows(again, path.name)]
                    self.assertEqual(rows, self.rows(live, path.name), f"seed {seed} {path.name}")

    def test_a_file_that_was_taken_away_between_two_runs(self) -> None:
        """With other columns or files too the next run begins another, as it did, and what was is set aside."""

        def take_away(folder: Path) -> None:
            for name in ("trades_BTCUSDT.csv", "prices_ETHUSDT.csv"):
                (folder / name).unlink(missing_ok=True)

        for asked in ({"receive_time": True}, {"rotate": "hour"}):
            happens = (faults.skip, an_hour_later, faults.stop, faults.skip, an_hour_later, faults.kill)
            live, again = self.live(*happens, between=take_away), self.folder()
            replayed(self.lines, again, **asked)
            for name in ("trades_BTCUSDT", "prices_ETHUSDT"):
                here = [row for path in sorted(again.glob(f"{name}.20??-*.csv")) for row in self.rows(again, path.name)
                        if path.name.count(".") == 2]  # fmt: skip
                here += self.rows(again, f"{name}.csv")
                there = self.rows(live, f"{name}.csv")
                self.assertEqual([row.split(",")[:4] for row in here], [row.split(",")[:4] for row in there])
            self.assertEqual(check_folder(again).total, 0, list(check_folder(again).text()))

    def test_some_of_the_kinds(self) -> None:
        """There are their files alone, and these are as they were."""
        again = self.folder()
        replayed(self.lines, again, streams=("trades", "mark"))
        one, two = contents(self.folder_of_run), contents(again)
        self.assertEqual({name.partition("_")[0] for name in two if name.endswith(".csv")}, {"trades", "mark", "gaps"})
        for name in two:
            if name.startswith(("trades", "mark")):
                self.assertEqual(two[name], one[name], name)

    def test_another_rotation(self) -> None:
        """The rows are the same, in files of their hours."""
        again = self.folder()
        replayed(self.lines, again, rotate="hour")
        closed = sorted(again.glob("trades_BTCUSDT.*T*.csv"))
        self.assertTrue(closed)
        rows = [row for path in (*closed, again / "trades_BTCUSDT.csv") for row in self.rows(again, path.name)]
        self.assertEqual(rows, self.rows(self.folder_of_run, "trades_BTCUSDT.csv"))

    def test_what_was_not_recorded(self) -> None:
        """A kind, or a number of levels, is refused with what there is, and nothing is made."""
        for asked, told in (
            ({"streams": ("trades", "fills")}, "--streams: fills given, trades, prices, orderbook, mark allowed"),
            ({"order_book_levels": 10}, "--order-book-levels: 10 given, 5 or fewer allowed"),
        ):
            again = self.folder()
            with self.assertRaisesRegex(ConfigError, told):
                replayed(self.lines, again, **asked)
            self.assertFalse(again.exists())


class WhatTheRecordLacks(Case):
    def test_the_end_of_a_run_that_was_killed(self) -> None:
        """Each file's ledger tells what is missing, and what the next run wrote is there."""
        live, again = self.live(faults.skip, faults.kill), self.folder()
        until = self.runs()[1]
        cut = [at for at in range(until) if word(self.lines[at]) == "step"][-25]
        notes = replayed(self.lines[:cut] + self.lines[until:], again).notes
        self.assertIn("trades_BTCUSDT.csv: the record lacks", "\n".join(notes))
        self.assertEqual(check_folder(again).total, 0, list(check_folder(again).text()))
        rows = [row.split(",") for row in self.rows(again, "gaps_BTCUSDT.csv") if row.endswith(",unrecorded")]
        ((first, last),) = [row[3:5] for row in rows if row[0] == "trades"]
        here = {int(row.partition(",")[0]) for row in self.rows(again, "trades_BTCUSDT.csv")}
        there = {int(row.partition(",")[0]) for row in self.rows(live, "trades_BTCUSDT.csv")}
        self.assertEqual(there - here, set(range(int(first), int(last) + 1)))
        self.assertLessEqual({"prices", "trades"}, {row[0] for row in rows})

    def test_lines_that_had_no_room(self) -> None:
        """The quotes of that time are in the ledger, and the trades that nobody can fetch any more."""
        self.live(faults.quiet)
        steps = [at for at, line in enumerate(self.lines) if word(line) == "step"]
        one, two = steps[80], steps[140]
        lost = b'{"aster":"lost","lines":%d,"from_ns":1,"to_ns":2,"why":"overflow"}' % (two - one)
        again = self.folder()
        notes = replayed([*self.lines[:one], (2, lost), *self.lines[two:]], again).notes
        self.assertEqual(notes, [f"the record lacks {two - one} lines; the ledger tells of their time"])
        self.assertEqual(check_folder(again).total, 0, list(check_folder(again).text()))
        self.assertIn("prices", {row.partition(",")[0] for row in self.rows(again, "gaps_BTCUSDT.csv")})

    def test_a_hand_over_and_a_listing_that_had_no_room(self) -> None:
        """Behind it the record says how the run stands: new symbols and connections are there, old ones are not."""

        def lose(world: Any) -> None:
            world.has_room = False

        def go_on(world: Any) -> None:
            world.has_room = True

        live, again = self.live(lose, faults.new_symbol, faults.hand_over, go_on, faults.drop), self.folder()
        replayed(self.lines, again)
        self.assertNotIn(1, {json.loads(text)["of"] for _, text in self.lines if b'"wanted","again"' in text})
        report = check_folder(again)
        self.assertEqual(report.total, 0, list(report.text()))
        (new,) = {path.name for path in again.glob("prices_*")} - {f"prices_{name}.csv" for name in Setup().symbols}
        for name in (new, "prices_BTCUSDT.csv", "trades_BTCUSDT.csv"):
            rows = self.rows(again, name)[-4:]
            self.assertEqual(rows, self.rows(live, name)[-4:])
        told = [row for row in self.rows(again, "gaps_BTCUSDT.csv") if row.startswith("prices,")]
        missing = set(self.rows(live, "prices_BTCUSDT.csv")) - set(self.rows(again, "prices_BTCUSDT.csv"))
        self.assertGreater(len(missing), 5)
        for row in missing:
            at = row.partition(",")[0]
            self.assertTrue(any(one.split(",")[1] <= at <= one.split(",")[2] for one in told), (row, told))

    def test_lines_that_another_program_destroyed(self) -> None:
        """The ledger tells of their time, which was before."""
        self.live(faults.quiet)
        steps = [at for at, line in enumerate(self.lines) if word(line) == "step"]
        one, two, later = steps[80], steps[100], steps[115]
        facts = {"lines": two - one, "from_ns": self.lines[one][0], "to_ns": self.lines[two][0], "why": "destroyed"}
        lost = json.dumps({"aster": "lost", **facts}, separators=(",", ":")).encode()
        again = self.folder()
        replayed([*self.lines[:one], *self.lines[two:later], (1, lost), *self.lines[later:]], again)
        self.assertIn(",unrecorded", "\n".join(self.rows(again, "gaps_BTCUSDT.csv")))
        self.assertEqual(check_folder(again).total, 0, list(check_folder(again).text()))

    def test_pieces_that_somebody_took_out(self) -> None:
        """The ledger tells of their time, and the replay how many lines they had."""
        live = self.live(faults.quiet, faults.drop)
        steps = [at for at, line in enumerate(self.lines) if word(line) == "step"]
        for one, two in ((20, 70), (80, 110)):
            start, stop, again = steps[one], steps[two], self.folder()
            notes = self.replayed_without(start, stop, again).notes
            self.assertEqual(notes, [f"the record lacks {stop - start} lines; the ledger tells of their time"])
            self.assertEqual(check_folder(again).total, 0, list(check_folder(again).text()))
            told = [row for row in self.rows(again, "gaps_BTCUSDT.csv") if row.startswith("prices,")]
            here = {*self.rows(again, "prices_BTCUSDT.csv")}
            lost = [row for row in self.rows(live, "prices_BTCUSDT.csv") if row not in here]
            self.assertTrue(lost)
            for row in lost:
                at = row.partition(",")[0]
                self.assertTrue(any(one.split(",")[1] <= at <= one.split(",")[2] for one in told), (row, told))

    def test_the_beginning_of_a_run_that_somebody_took_out(self) -> None:
        """It is refused where it was: nobody knows what the run was told to do."""
        self.live(faults.quiet, faults.stop)
        begins = self.runs()[1]
        stop = next(at for at, line in enumerate(self.lines) if word(line) == "step" and at > begins)
        told = f"T16.jsonl.gz: line {begins - 4}: is of a run whose first {stop - begins} lines are not before it"
        with self.assertRaisesRegex(DecodeError, told):
            self.replayed_without(begins - 5, stop, self.folder())

    def replayed_without(self, start: int, stop: int, folder: Path) -> Replay:
        """Replay the record from files, out of which somebody took the members of some of its lines."""
        raw, replay = self.folder(), Replay(folder, {})
        raw.mkdir()
        at = 0

        def write(descriptor: int, data: bytes) -> int:
            return len(data) if start < at <= stop else os.write(descriptor, data)

        runs = [at for at in self.runs() if b'"again"' not in self.lines[at][1]]
        for first, end in pairwise([*runs, len(self.lines)]):
            writer = RawWriter(raw, sync=False, write=write)
            writer.begin()
            for at in range(first, end):
                if at in (start, stop):
                    writer.flush()
                stamp_ns, text = self.lines[at]
                writer.append(Lines(stamp_ns, 1, b"%d %b\n" % (stamp_ns, text)))
            at = end
            writer.flush()
            writer.close()
        replay.play(read(sorted(raw.iterdir())))
        return replay

    def test_the_hours_before(self) -> None:
        """From an hour on that begins within a run, the files have what the run wrote from then on."""
        live, again = self.live(faults.hand_over, our_clock_is_set, faults.skip, faults.drop), self.folder()
        begins = next(at for at, line in enumerate(self.lines) if b'"again":true' in line[1])
        self.assertEqual(word(self.lines[begins]), "run")
        notes = replayed(self.lines[begins:], again).notes
        self.assertEqual(notes, ["the record begins within a run; so do the files"])
        self.assertEqual(check_folder(again).total, 0, list(check_folder(again).text()))
        for kind in ("prices", "orderbook", "trades"):
            rows = self.rows(again, f"{kind}_BTCUSDT.csv")
            self.assertEqual(rows, self.rows(live, f"{kind}_BTCUSDT.csv")[-len(rows) :])
            self.assertGreater(len(rows), 20)

    def test_the_hours_before_a_kill(self) -> None:
        """Turns are at other moments in a run that begins within the record, and what a kill left is the same."""
        for seed in range(12):
            live = self.live(our_clock_is_set, faults.kill, faults.stop, chance=Random(seed))
            begins, again = next(at for at, line in enumerate(self.lines) if b'"again":true' in line[1]), self.folder()
            notes = replayed(self.lines[begins:], again).notes
            self.assertEqual(notes, ["the record begins within a run; so do the files"])
            for path in again.glob("*_*.csv"):
                rows = self.rows(again, path.name)
                self.assertNotIn("unrecorded", "".join(rows))
                if not path.name.startswith("gaps"):
                    self.assertEqual(rows, self.rows(live, path.name)[-len(rows) :], f"{seed} {path.name}")

    def test_the_beginning_of_a_run(self) -> None:
        """It is refused, and nothing is made."""
        self.live()
        again = self.folder()
        with self.assertRaisesRegex(ConfigError, "in the middle of an hour; give the files before it too"):
            replayed(self.lines[50:], again)
        self.assertFalse(again.exists())


class AFolderThatHoldsSomething(Case):
    def test_the_same_record_twice(self) -> None:
        """What is there is left alone, and said."""
        self.live()
        again, before = self.folder(), self.folder()
        replayed(self.lines, again)
        shutil.copytree(again, before)
        with self.assertRaisesRegex(ConfigError, "bytes, where the run found none; give an empty folder"):
            replayed(self.lines, again)
        self.assertEqual(contents(again), contents(before))


if __name__ == "__main__":
    unittest.main()
