"""What another program destroys while rows are collected is fetched again, or the ledger says that it is gone."""

import contextlib
import os
import random
import tempfile
from pathlib import Path

from aster_collect.exchange.events import Answer, Wanted
from aster_collect.files.store import Store
from aster_collect.settings import Settings
from tests import rows
from tests.support import Disk, rounds
from tests.unit.run.test_loop import START_MS, Case, S, book, book_row, quote, quote_row, trade, trade_row

STEP_MS = 100  # between two events of a stream


def shaken_ms(number: int) -> int:
    """Return when event N of a stream is made, whose ids order it: not always behind those before."""
    return number * STEP_MS + number * 37 % 11 * 80


class Destroyed(Case):
    """Trade N is made N tenths of a second after the start, and the exchange has all of them; others near that."""

    def bring_some(self, *numbers: int) -> None:
        for number in numbers:
            after_ms = shaken_ms(number)
            self.bring(quote(number, after_ms), book(number, after_ms), trade(number, number * STEP_MS))

    def asked(self) -> list[int]:
        """Return the first ids of the pages that were asked for."""
        return [ask.first_id for ask in self.asks if ask.kind]

    def serve(self, last: int) -> None:
        """Answer whatever is asked for a while, until nothing is: the exchange has trades up to `last`."""
        self.pass_s(1)
        while pages := [ask for ask in self.asks if ask.kind]:
            self.asks.clear()
            for ask in pages:
                limit = int(dict(ask.query)["limit"])
                ids = range(ask.first_id, min(last + 1, ask.first_id + limit))
                value = [
                    {"a": n, "p": "10.1", "q": "0.5", "T": START_MS + n * STEP_MS, "m": False} for n in ids if n > 0
                ]
                self.collector.take(Answer(ask, self.wall_ns(), self.wall_ns(), value))
            self.pass_s(1)

    def turn(self) -> None:
        self.collector._hands.carry(self.collector._course._engine.turn())

    def write(self) -> None:
        """Let what has come be written."""
        self.turn()
        self.turn()

    def path(self, kind: str) -> Path:
        return self.folder / rows.file_name(kind, S)

    def assert_trades(self, first: int, last: int) -> None:
        self.assertEqual([trade_row(n, n * STEP_MS) for n in range(first, last + 1)], self.lines(rows.TRADES))

    def test_trades_are_cut(self) -> None:
        """They are asked for again at once, others wait behind them, and nothing is in the ledger."""
        self.begin(backfill_limit=100, history=0)
        self.bring_some(*range(1, 11))
        self.write()
        self.path(rows.TRADES).write_bytes(self.path(rows.TRADES).read_bytes().partition(b"\n4,")[0] + b"\n")
        self.bring_some(11)
        self.write()
        self.bring_some(12)
        self.write()
        self.assert_trades(1, 3)
        self.pass_s(0.5)
        self.assertEqual([4], self.asked())
        self.serve(10)
        self.end()
        self.assert_trades(1, 12)
        self.assertEqual([], self.ledger())

    def test_the_trades_of_a_quiet_symbol_are_deleted(self) -> None:
        """They are fetched without any trade that came behind."""
        self.begin(history=0)
        self.bring_some(*range(1, 11))
        self.write()
        self.path(rows.TRADES).unlink()
        self.write()
        self.pass_s(0.5)
        self.assertEqual([1], self.asked())
        self.serve(10)
        self.end()
        self.assert_trades(1, 10)
        self.assertEqual({rows.PRICES, rows.ORDERBOOK} & {row[0] for row in self.ledger()}, set())

    def test_more_than_may_be_fetched(self) -> None:
        """The newest part is fetched, and the rest is a gap of the usual cause."""
        self.begin(history=0, backfill_limit=4)
        self.bring_some(*range(1, 11))
        self.write()
        self.path(rows.TRADES).unlink()
        self.write()
        self.serve(10)
        self.end()
        self.assert_trades(6, 10)
        self.assertEqual([("1", "5", "backfill-limit")], [row[3:] for row in self.ledger()])

    def test_there_is_no_time_to_fetch(self) -> None:
        """At the end what is left before tells the next start; where nothing is left the ledger says what is gone."""
        for left in (0, 3):
            for waits in (True, False):
                self.begin(history=0)
                self.bring_some(*range(1, 11))
                self.write()
                head, _, _ = self.path(rows.TRADES).read_bytes().partition(b"\n%d," % (left + 1))
                self.path(rows.TRADES).write_bytes(head + b"\n")
                if waits:
                    self.write()
                self.end()
                if left:
                    self.assert_trades(1, left)
                    self.assertEqual(["not-asked"], [row[5] for row in self.ledger()])
                else:
                    self.assert_trades(10, 10)
                    told = [("1", "9", "destroyed"), ("", "", "not-asked")]
                    self.assertEqual(told, [row[3:] for row in self.ledger()])

    def test_trades_that_the_ledger_calls_missing_are_among_them(self) -> None:
        """They stay missing: no id is both in the file and in the ledger."""
        self.begin(history=0, backfill_limit=0)
        self.bring_some(1, 2, 6, 7)
        self.pass_s(1)
        self.write()
        self.assertEqual([("3", "5", "backfill-limit")], [row[3:] for row in self.ledger()])
        self.restart(backfill_limit=100)
        self.bring_some(8)
        self.serve(8)
        self.write()
        os.truncate(self.path(rows.TRADES), 0)
        self.write()
        self.serve(8)
        self.end()
        ids = [int(line.partition(",")[0]) for line in self.lines(rows.TRADES)]
        self.assertEqual([1, 2, 6, 7, 8], ids)

    def restart(self, **options: object) -> None:
        """Start again in the same folder."""
        self.store.close()
        settings = Settings(symbols=(S,), order_book_levels=5, data_dir=self.folder, history=0, **options)  # type: ignore[arg-type]
        self.store = Store(self.folder, settings.scope().kinds, settings.scope().options, sync=False)
        self.addCleanup(self.store.close)
        self.store.open(S)
        self.collector = self.loop(settings)
        self.collector.take(Wanted(1, 1, (S,)))

    def test_before_the_files_last_row_was_proven(self) -> None:
        """The proof goes on, and what is gone is fetched before what is new."""
        self.begin(history=0)
        self.bring_some(*range(1, 11))
        self.write()
        self.restart()
        self.bring_some(12)
        head, _, _ = self.path(rows.TRADES).read_bytes().partition(b"\n6,")
        self.path(rows.TRADES).write_bytes(head + b"\n")
        self.write()
        self.serve(12)
        self.end()
        self.assert_trades(1, 12)

    def test_quotes_and_books_are_counted_as_gaps(self) -> None:
        """The status says what the ledger says."""
        self.begin(history=0)
        self.bring_some(*range(1, 11))
        self.write()
        for kind in (rows.PRICES, rows.ORDERBOOK):
            os.truncate(self.path(kind), 0)
        self.write()
        self.assertEqual([rows.PRICES, rows.ORDERBOOK], [row[0] for row in self.ledger() if row[5] == "destroyed"])
        gaps = {state.kind: state.gaps for state in self.collector.snapshot().streams}
        self.assertEqual({rows.PRICES: 1, rows.ORDERBOOK: 1, rows.TRADES: 0}, gaps)
        self.end()

    def test_any_pattern_of_full_disk_cuts_and_deletions(self) -> None:
        """Each row that came is in its file once and in order, or it lies in a row of the ledger; and verify agrees."""
        for seed, chance in rounds(60):
            with self.subTest(seed=seed):
                self.play_out(chance)

    def play_out(self, chance: random.Random) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        disk = Disk()
        options = {"history": 0, "backfill_limit": chance.choice((0, 3, 1000))}
        settings = Settings(symbols=(S,), order_book_levels=5, data_dir=self.folder, **options)  # type: ignore[arg-type]
        limit = chance.choice((300, 1 << 20))
        scope = settings.scope()
        self.store = Store(self.folder, scope.kinds, scope.options, sync=False, write=disk, pending_limit=limit)
        self.store.open(S)
        self.began_s = self.now_s
        self.asks.clear()
        self.collector = self.loop(settings)
        self.collector.take(Wanted(1, 1, (S,)))
        number = 0
        self.made = {trade_row(n, n * STEP_MS) for n in range(1, 200)}
        for _ in range(chance.randrange(5, 30)):
            some = chance.randrange(6)
            self.bring_some(*range(number + 1, number + some + 1))
            number += some
            if chance.random() < 0.3:
                self.vandalise(chance)
            disk.room = chance.choice((None, None, 0, 1, chance.randrange(300), chance.randrange(3000)))
            (self.turn if chance.random() < 0.7 else self.collector.step)()
            if chance.random() < 0.4:
                self.serve(number)
        disk.room = None
        self.write()
        if chance.random() < 0.8:
            self.serve(number)
        self.end()
        self.store.close()
        ledger = self.ledger()
        ids = [int(line.partition(",")[0]) for line in self.lines(rows.TRADES)]
        told = [(int(row[3]), int(row[4])) for row in ledger if row[0] == rows.TRADES and row[5] != "not-asked"]
        missing = {n for first, last in told for n in range(first, last + 1)}
        last = max(ids, default=0)  # what comes behind the next start fetches
        aside = {int(line.partition(",")[0]) for line in self.aside(rows.TRADES) if line in self.made}
        self.assertLessEqual(set(range(1, last + 1)) - {*ids, *missing}, aside)
        self.assertEqual(set(ids) & missing, set())
        for kind, made in ((rows.PRICES, quote_row), (rows.ORDERBOOK, book_row)):
            wanted = [made(n, shaken_ms(n)) for n in range(1, number + 1)]
            found = self.lines(kind)
            self.assertEqual(sorted(found, key=wanted.index), found)
            self.assertEqual(len(set(found)), len(found))
            stretches = [(row[1], row[2]) for row in ledger if row[0] == kind]
            aside = self.aside(kind)
            for line in sorted(set(wanted) - set(found) - set(aside)):
                at = line.partition(",")[0]
                self.assertTrue(any(first <= at <= to for first, to in stretches), (kind, line, stretches))

    def vandalise(self, chance: random.Random) -> None:
        """Do to some file what another program may."""
        path = self.path(chance.choice((rows.PRICES, rows.ORDERBOOK, rows.TRADES, rows.GAPS)))
        with contextlib.suppress(FileNotFoundError):
            what = chance.randrange(4)
            if what == 0:
                path.unlink()
            elif what == 1:
                os.truncate(path, 0)
            else:
                os.truncate(path, chance.randrange(path.stat().st_size + 1))
