"""Whatever is missing, and wherever a repair ends: the folder holds, and has at last what the exchange still had."""

import contextlib
import gzip
import random
import tempfile
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from aster_collect.archive import Archive
from aster_collect.errors import DataError, RestError
from aster_collect.exchange.form import Form
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.exchange.streams.trades import Trade
from aster_collect.files import aside, manifest
from aster_collect.files.period import period_end, period_name
from aster_collect.repair import mend
from aster_collect.repair.left import ranges
from aster_collect.verify import check_folder
from tests import rows
from tests.support import rounds

TRADES = KINDS["trades"]
SYMBOL = "BTCUSDT"
HOUR_MS = 3_600_000
START_MS = 1_795_500_000_000
ROTATED = {"none": 0, "hour": HOUR_MS, "day": 24 * HOUR_MS}


class Killed(BaseException):
    """The end of the process, in whatever it did."""


class World:
    """A history of trades, the files of a collector that missed some, and what the exchange has still of them."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.time_ms, first = START_MS, chance.randrange(1, 10**9)
        self.truth = [self.trade(first + number) for number in range(chance.randrange(20, 200))]
        self.oldest = chance.choice((first, first, chance.choice(self.truth).id))  # that the exchange has
        self.options = Options(receive_time=chance.random() < 0.3)
        self.missing = self.holes()
        self.length_ms = ROTATED[chance.choice(list(ROTATED))]
        self.write([trade for trade in self.truth if trade.id not in self.missing])

    def trade(self, number: int) -> Trade:
        chance = self.chance
        self.time_ms += chance.choice((0, 1, 1000, 60_000, 20 * 60_000))
        if chance.random() < 0.01:
            self.time_ms += 3 * HOUR_MS
        price, quantity = f"{chance.randrange(1, 10**6) / 100:.2f}", f"{chance.randrange(1, 999) / 1000:.3f}"
        return Trade(number, self.time_ms, chance.choice(("buy", "sell")), price, quantity)

    def holes(self) -> set[int]:
        """Choose what is missing: never the first trade, nor the last, between which it is missed."""
        ids = [trade.id for trade in self.truth]
        missing: set[int] = set()
        for _ in range(self.chance.randrange(1, 5)):
            start = self.chance.randrange(1, len(ids) - 1)
            missing |= set(ids[start : min(len(ids) - 1, start + self.chance.choice((1, 2, 5, 40)))])
        return missing

    def write(self, present: list[Trade]) -> None:
        form = Form(TRADES, self.options)
        parts: dict[int, list[Trade]] = {}
        for trade in present:
            end_ms = period_end(trade.time_ms, self.length_ms) if self.length_ms else 0
            parts.setdefault(end_ms, []).append(trade._replace(received_ns=1))
        for end_ms, trades in parts.items():
            data = form.header + "".join(f"{row}\n" for row in form.rows(trades)).encode()
            name = rows.file_name("trades", SYMBOL)
            if end_ms != max(parts):
                name = name.replace(".csv", f".{period_name(end_ms, self.length_ms)}.csv")
                if self.chance.random() < 0.5:
                    name, data = f"{name}.gz", gzip.compress(data)
            (self.folder / name).write_bytes(data)
        self.write_ledger()
        if self.chance.random() < 0.5:
            manifest.settle(self.folder)

    def write_ledger(self) -> None:
        """Write a row for each hole, or two that overlap, behind one of another kind."""
        lines = [",".join(rows.columns(rows.GAPS, 5, False)), "prices,1795500000.000,1795500001.000,,,restart"]
        times = {trade.id: trade.time_ms for trade in self.truth}
        for first, last in ranges(sorted(self.missing)):
            stretch = f"trades,{rows.seconds(times[first])},{rows.seconds(times[last])}"
            middle = self.chance.randrange(first, last + 1)
            for start, end in self.chance.choice((((first, last),), ((first, middle), (middle, last)))):
                lines.append(f"{stretch},{start},{end},{self.chance.choice(('gave-up', 'not-available'))}")
        text = "".join(f"{line}\n" for line in lines)
        (self.folder / rows.file_name(rows.GAPS, SYMBOL)).write_text(text)

    def ask(self, _: str, first: int, last: int) -> Iterator[list[Trade]]:
        """Answer as the exchange does, in pages of up to seven."""
        there = [trade for trade in self.truth if max(first, self.oldest) <= trade.id <= last]
        for start in range(0, len(there), 7):
            yield there[start : start + 7]

    def there(self) -> list[Trade]:
        """Return the trades of the files, which are those of the exchange to the last digit."""
        found = [TRADES.read(row) for row in Archive(self.folder).rows("trades", SYMBOL)]
        return [Trade(*trade[:5]) for trade in found]


class Case(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def each(self, number: int, test: Callable[[World], None]) -> None:
        """Test so many worlds, each in a folder of its own."""
        for seed, chance in rounds(number):
            with self.subTest(seed=seed), tempfile.TemporaryDirectory() as name:
                self.folder = Path(name)
                test(World(self.folder, chance))

    def holds(self) -> None:
        report = check_folder(self.folder)
        self.assertEqual(report.total, 0, report.reasons)

    def mending(self, world: World, at_once: int = 1000) -> mend.Mending:
        return mend.Mending(self.folder, TRADES, SYMBOL, world.ask, at_once=at_once)

    def mended(self, world: World) -> None:
        """Check that what the exchange had at last is there, and that the ledger lists the rest and nothing else."""
        self.holds()
        there = world.there()
        ids = {trade.id for trade in there}
        self.assertEqual(there, [trade for trade in world.truth if trade.id in ids])
        left = [trade.id for trade in world.truth if trade.id not in ids]
        self.assertEqual([number for number in left if number >= world.oldest], [])
        self.assertEqual([tuple(one) for one in Archive(self.folder).gaps(SYMBOL, "trades").ids], ranges(left))
        if world.length_ms == HOUR_MS:
            for path in self.folder.glob("trades_*.????-??-??T??.csv*"):
                self.in_its_hour(path)
        self.assertEqual([path.name for path in self.folder.glob(".*")], [])

    def in_its_hour(self, path: Path) -> None:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        times = [int(line.split(",")[1]) for line in data.decode().splitlines()[1:]]
        hours = {period_name(period_end(time_ms, HOUR_MS), HOUR_MS) for time_ms in times}
        self.assertEqual(hours, {path.name.split(".")[1]})


class AnyHoles(Case):
    def test_whatever_is_missing(self) -> None:
        """All that the exchange still has goes where it belongs, and the ledger lists the rest of it exactly."""

        def one(world: World) -> None:
            told: list[tuple[int, int]] = []
            mending = self.mending(world, world.chance.choice((1, 9, 1000)))
            mending.run(lambda found, settled, told=told: told.append((found, settled)))
            self.mended(world)
            found = sum(number >= world.oldest for number in world.missing)
            self.assertEqual((mending.number, mending.found), (len(world.missing), found))
            self.assertEqual([sum(each) for each in zip(*told, strict=True)], [found, mending.number])

        self.each(30, one)

    def test_a_kill_at_any_moment(self) -> None:
        """Killed before or behind any change of a name, it leaves a folder that holds; the next run ends it.

        That is so although the exchange may have forgotten meanwhile what is in the files by then.
        """

        def one(world: World) -> None:
            for _ in range(3):
                self.killed(world, world.chance.choice((3, 1000)))
                self.holds()
                world.oldest = max(world.oldest, world.chance.choice((0, world.chance.choice(world.truth).id)))
            aside.delete_leftovers(self.folder)
            mend.settle(self.folder)
            self.mending(world).run(lambda *_: None)
            self.mended(world)

        self.each(40, one)

    def killed(self, world: World, at_once: int) -> None:
        """Repair, and end without another word at one of the first changes of a name."""
        moves, last, behind = iter(range(9**9)), world.chance.randrange(6), world.chance.random() < 0.5
        replace = Path.replace

        def dying(path: Path, target: Path) -> Path:
            is_last = next(moves) == last
            if is_last and not behind:
                raise Killed
            moved = replace(path, target)
            if is_last:
                raise Killed
            return moved

        with mock.patch.object(Path, "replace", dying), contextlib.suppress(Killed):
            mend.settle(self.folder)
            self.mending(world, at_once).run(lambda *_: None)

    def test_rest_goes_away(self) -> None:
        """What has come by then is put back, and the error is told."""

        def one(world: World) -> None:
            answers = world.ask

            def ask(symbol: str, first: int, last: int, answers=answers) -> Iterator[list[Trade]]:
                yield from list(answers(symbol, first, last))[:1]
                raise RestError("away")

            mending = mend.Mending(self.folder, TRADES, SYMBOL, ask)
            self.assertRaisesRegex(RestError, "away", mending.run, lambda *_: None)
            self.holds()
            self.assertEqual(len(world.there()), len(world.truth) - len(world.missing) + mending.found)

        self.each(20, one)

    def test_other_ids(self) -> None:
        """Where the exchange has another trade under the id of one that is there, nothing is put back."""

        def one(world: World) -> None:
            before = sorted((path.name, path.read_bytes()) for path in self.folder.iterdir())
            world.oldest = 0
            world.truth = [trade._replace(price="7.7") for trade in world.truth]
            self.assertRaisesRegex(DataError, "another one at the exchange", self.mending(world).run, lambda *_: None)
            self.assertEqual(sorted((path.name, path.read_bytes()) for path in self.folder.iterdir()), before)

        self.each(20, one)

    def test_a_ledger_that_lists_what_is_there(self) -> None:
        """No trade is written twice; the ledger lists it no more."""

        def one(world: World) -> None:
            gone = sorted(world.missing)
            world.missing |= {gone[0] - 1, gone[-1] + 1} - {world.truth[0].id}
            world.oldest = 0
            world.write_ledger()
            self.mending(world).run(lambda *_: None)
            self.mended(world)

        self.each(20, one)

    def test_what_nothing_proves(self) -> None:
        """Trades that neither neighbour of their hole proves are left out, however many pages they would fill."""

        def one(world: World) -> None:
            hole = ranges(sorted(world.missing))[-1]
            for first, last in ranges(sorted(world.missing))[:-1]:
                world.missing -= set(range(first, last + 1))
            for path in self.folder.iterdir():
                path.unlink()
            world.write([trade for trade in world.truth if trade.id > hole[1]])
            before = sorted((path.name, path.read_bytes()) for path in self.folder.iterdir())
            world.oldest = 0
            behind = hole[1] + 1 - world.truth[0].id
            world.truth[behind] = world.truth[behind]._replace(quantity="99999")
            self.assertRaisesRegex(DataError, "another one at the exchange", self.mending(world).run, lambda *_: None)
            del world.truth[behind]
            mending = self.mending(world)
            mending.run(lambda *_: None)
            self.assertEqual(mending.found, 0)
            self.assertEqual(sorted((path.name, path.read_bytes()) for path in self.folder.iterdir()), before)

        self.each(10, one)

    def test_no_row_is_left(self) -> None:
        """Where a file is a header alone, nothing tells whose ids the ledger names."""

        def one(world: World) -> None:
            for path in self.folder.glob("trades_*"):
                path.unlink()
            world.write([])
            (self.folder / rows.file_name("trades", SYMBOL)).write_bytes(Form(TRADES, world.options).header)
            mending = self.mending(world)
            mending.run(lambda *_: None)
            self.assertEqual((mending.number, mending.found), (len(world.missing), 0))

        self.each(5, one)

    def test_before_all_that_is_left(self) -> None:
        """What is missing just before the oldest file goes into files of its own hours, and the folder holds."""

        def one(world: World) -> None:
            for path in self.folder.iterdir():
                path.unlink()
            last = world.truth[len(world.truth) // 2].id
            world.oldest, world.length_ms = 0, HOUR_MS
            world.missing = {trade.id for trade in world.truth if trade.id <= last}
            world.write([trade for trade in world.truth if trade.id > last])
            self.mending(world).run(lambda *_: None)
            self.mended(world)

        self.each(20, one)
