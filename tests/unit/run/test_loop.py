"""What the inbox brings is written once and in order, or the ledger says what is missing, stepped by a fake clock."""

import csv
import json
import logging
import os
import random
import tempfile
import unittest
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from aster_collect.exchange.events import HAND_OVER, HOLE, PATIENT, Answer, Ask, Batch, Listed, Lost, Opened, Wanted
from aster_collect.exchange.streams import prices
from aster_collect.exchange.streams.kind import Options
from aster_collect.files.rejects import REJECTS_NAME
from aster_collect.files.store import Store
from aster_collect.net.inbox import Inbox
from aster_collect.order import engine, lanes
from aster_collect.order.bundle import MARGIN_MS
from aster_collect.run.build import build_loop
from aster_collect.run.loop import Loop
from aster_collect.run.moments import Moments
from aster_collect.settings import Settings
from aster_collect.verify import check_folder
from aster_collect.watch.report import Due
from tests import rows
from tests.support import rounds

S = "BTCUSDT"
START_MS = 1_764_000_000_000
HOUR_MS = 3_600_000
STEP_S = 0.05
HEADERS = {kind: ",".join(rows.columns(kind, 5, False)) for kind in (*rows.KINDS, rows.GAPS)}


def compact(stream: str, **data: object) -> str:
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":"))


def quote(number: int, after_ms: int, symbol: str = S) -> str:
    """Return a quote's frame, made and sent so long after the start."""
    at_ms = START_MS + after_ms
    bid, ask = f"{number % 90 + 10}.10", f"{number % 90 + 10}.25"
    return compact("x@bookTicker", e="bookTicker", u=number, s=symbol, b=bid, B="1", a=ask, A="2.5", T=at_ms, E=at_ms)


def quote_row(number: int, after_ms: int) -> str:
    whole = number % 90 + 10
    return f"{rows.seconds(START_MS + after_ms)},{whole}.10,{whole}.25,{whole}.175"


def trade(number: int, after_ms: int, symbol: str = S) -> str:
    at_ms = START_MS + after_ms
    return compact(
        "x@aggTrade", e="aggTrade", E=at_ms, s=symbol, a=number, p="10.1", q="0.5", f=1, l=1, T=at_ms, m=False
    )  # fmt: skip


def trade_row(number: int, after_ms: int) -> str:
    return f"{number},{START_MS + after_ms},buy,10.1,0.5"


def book(number: int, after_ms: int, symbol: str = S) -> str:
    at_ms = START_MS + after_ms
    sides: dict[str, object] = {"b": [["10.1", "1"]], "a": [["10.2", "2"], ["10.3", "3"]]}
    return compact(
        "x@depth5", e="depthUpdate", E=at_ms, T=at_ms, s=symbol, U=number, u=number, pu=number - 1, **sides
    )  # fmt: skip


def book_row(number: int, after_ms: int) -> str:
    return f"{rows.seconds(START_MS + after_ms)},{number},10.1,1,,,,,,,,,10.2,2,10.3,3,,,,,,"


def is_fast(frame: str) -> bool:
    """Return whether a quote's frame goes the short way."""
    wire = prices.KIND.wire
    assert wire is not None and wire.take is not None
    left, *_ = wire.take(Options())(frame, [0, len(frame)], 0, {S: [].append})
    return not left


class Frame(NamedTuple):
    """A frame and when a connection brings it, in milliseconds after the start."""

    at_ms: int
    connection: int
    text: str


@contextmanager
def constants(**values: int) -> Iterator[None]:
    """Give the engine smaller bounds."""
    homes = {name: engine if hasattr(engine, name) else lanes for name in values}
    before = {name: getattr(home, name) for name, home in homes.items()}
    for name, home in homes.items():
        setattr(home, name, values[name])
    try:
        yield
    finally:
        for name, home in homes.items():
            setattr(home, name, before[name])


class Case(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.now_s = 1000.0
        self.left_ns = START_MS * 1_000_000 - 10**10  # when a run before wrote last, by our clock
        self.asks: list[Ask] = []

    def begin(
        self, *symbols: str, connections: int = 1, before: dict[str, list[str]] | None = None, **options: Any
    ) -> None:
        """Start in a folder that is empty, but for the rows that a run before has left."""
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for kind, lines in (before or {}).items():
            path = self.folder / rows.file_name(kind, S)
            header = ",".join(rows.columns(kind, 5, options.get("receive_time", False)))
            path.write_text("".join(f"{line}\n" for line in (header, *lines)), "ascii")
            os.utime(path, ns=(self.left_ns, self.left_ns))
            (self.folder / rows.file_name(rows.GAPS, S)).write_text(f"{HEADERS[rows.GAPS]}\n")
        settings = Settings(symbols=symbols or (S,), order_book_levels=5, data_dir=self.folder, **options)
        scope = settings.scope()
        self.store = Store(self.folder, scope.kinds, scope.options, sync=False)
        self.addCleanup(self.store.close)
        for symbol in (*settings.symbols, ""):
            self.store.open(symbol)
        self.began_s = self.now_s
        self.collector = self.loop(settings)
        for connection in range(1, connections + 1):
            self.collector.take(Wanted(connection, connection, settings.symbols))

    def loop(self, settings: Settings) -> Loop:
        """Return the collecting loop, stepped by the fake clock."""
        return build_loop(
            settings, settings.symbols, self.store, self.asks.append, Inbox(), Due(SimpleQueue(), False, 0.0), print,
            Moments(lambda: self.now_s, self.wall_ns),
        )  # fmt: skip

    def wall_ns(self) -> int:
        return START_MS * 1_000_000 + round((self.now_s - self.began_s) * 1000) * 1_000_000

    def bring(self, *frames: str, connection: int = 1) -> None:
        """Let one read of a connection bring frames, now."""
        bounds, position = [], 0
        for frame in frames:
            bounds += [position, position + len(frame)]
            position += len(frame)
        self.collector.take(Batch(connection, self.wall_ns(), self.now_s, "".join(frames).encode("latin-1"), bounds))

    def pass_s(self, seconds: float) -> None:
        """Let time pass, with the steps that belong to it."""
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            self.collector.step()

    def play(self, frames: Iterable[Frame]) -> None:
        """Let the connections bring frames when they come."""
        for frame in sorted(frames):
            while (self.now_s - self.began_s) * 1000 < frame.at_ms:
                self.pass_s(STEP_S)
            self.bring(frame.text, connection=frame.connection)

    def answer(self, value: object) -> None:
        """Answer the newest request for a page."""
        ask = [one for one in self.asks if one.kind][-1]
        self.collector.take(Answer(ask, self.wall_ns(), self.wall_ns(), value))

    def end(self) -> None:
        """Close, and see that every promise about the files holds."""
        self.assertTrue(self.collector.close())
        self.holds()

    def holds(self) -> None:
        report = check_folder(self.folder)
        self.assertEqual(0, report.total, list(report.text()))

    def lines(self, kind: str, symbol: str = S) -> list[str]:
        header, *found = (self.folder / rows.file_name(kind, symbol)).read_text("ascii").splitlines()
        self.assertTrue(header.startswith(HEADERS[kind]))
        return found

    def aside(self, kind: str) -> list[str]:
        """Return the rows of all files that were set aside."""
        paths = sorted(self.folder.glob(f"{kind}_{S}.*Z*.csv"))
        return [line for path in paths for line in path.read_text("ascii").splitlines()[1:]]

    def ledger(self, symbol: str = S) -> list[tuple[str, ...]]:
        return [tuple(row) for row in csv.reader(self.lines(rows.GAPS, symbol))]

    def rejects(self) -> list[tuple[str, str]]:
        """Return source and reason of each reject."""
        lines = (self.folder / REJECTS_NAME).read_text("ascii").splitlines()
        return [(entry["source"], entry["reason"]) for entry in map(json.loads, lines)]

    def assert_told(self, kind: str, missing: Iterable[str], cause: str) -> None:
        """Check that each row that is not in the file lies in a stretch of the ledger with this cause."""
        stretches = [row[1:3] for row in self.ledger() if (row[0], row[5]) == (kind, cause)]
        for row in missing:
            at = row.partition(",")[0]
            self.assertTrue(any(first <= at <= last for first, last in stretches), (row, stretches))


class TwoConnections(Case):
    def frames(self, chance: random.Random, late_ms: int, seconds: int = 40) -> tuple[list[Frame], list[str]]:
        """Return a quote every 50 ms: one connection brings most of them at once, the other all, so much later."""
        frames, wanted = [], []
        for number in range(seconds * 20):
            after_ms = number * 50
            wanted.append(quote_row(1000 + number, after_ms))
            frames.append(Frame(after_ms + late_ms, 2, quote(1000 + number, after_ms)))
            if number < 2 or chance.random() < 0.9:
                frames.append(Frame(after_ms, 1, quote(1000 + number, after_ms)))
        return frames, wanted

    def test_one_of_them_is_five_seconds_late(self) -> None:
        """Every row that came too late for its place lies in a row of the ledger that says so, and no other does."""
        for seed, chance in rounds(3):
            with self.subTest(seed=seed):
                self.begin(connections=2)
                frames, wanted = self.frames(chance, 5000)
                self.play(frames)
                self.end()
                found = self.lines(rows.PRICES)
                missing = sorted(set(wanted) - set(found))
                self.assertGreater(len(missing), 30)
                self.assertEqual(len(set(found)), len(found))
                self.assert_told(rows.PRICES, missing, "late")
                self.assertEqual({"late"}, {row[5] for row in self.ledger()})
                self.assertEqual([], self.aside(rows.PRICES))

    def test_one_of_them_is_five_seconds_late_and_nothing_is_lost(self) -> None:
        """What comes a second time, however late, is no row of the ledger."""
        self.begin(connections=2)
        frames = [
            Frame(number * 50 + late_ms, connection, quote(1000 + number, number * 50))
            for number in range(400)
            for connection, late_ms in ((1, 0), (2, 5000))
        ]
        self.play(frames)
        self.end()
        self.assertEqual([quote_row(1000 + number, number * 50) for number in range(400)], self.lines(rows.PRICES))
        self.assertEqual([], self.ledger())

    def test_one_of_them_is_a_second_late_and_rows_are_written_at_once(self) -> None:
        """Rows rest long enough for the slower connection, though the flush interval is a fifth of a second."""
        for seed, chance in rounds(3):
            with self.subTest(seed=seed):
                self.begin(connections=2, flush_interval_s=0.2)
                frames, wanted = self.frames(chance, 1000, 20)
                self.play(frames)
                self.end()
                self.assertEqual(wanted, self.lines(rows.PRICES))
                self.assertEqual([], self.ledger())

    def test_a_predecessor_that_lags_behind_its_successor(self) -> None:
        """What a slow predecessor alone brings still finds its place, and after the hand-over rows flow as before."""
        self.begin(flush_interval_s=0.2)
        old = [Frame(number * 50 + 1000, 1, quote(1000 + number, number * 50)) for number in range(100)]
        new = [Frame(number * 50, 2, quote(1000 + number, number * 50)) for number in range(80, 240)]
        self.play(frame for frame in old + new if frame.at_ms < 3900)
        self.collector.take(Wanted(2, 1, (S,)))
        self.play(frame for frame in old + new if 3900 <= frame.at_ms < 6000)
        self.collector.take(Lost(1, HAND_OVER, True))
        self.play(frame for frame in new if frame.at_ms >= 6000)
        wanted = [quote_row(1000 + number, number * 50) for number in range(240)]
        self.assertGreater(len(self.lines(rows.PRICES)), 240 - 10, "written within half a second")
        self.end()
        self.assertEqual(wanted, self.lines(rows.PRICES))
        self.assertEqual([], self.ledger())


class Outages(Case):
    def stretches(self, kind: str = rows.PRICES) -> list[tuple[int, int, str]]:
        """Return the ledger's stretches of a stream, in milliseconds after the start."""
        found = [row for row in self.ledger() if row[0] == kind]
        return [(*(int(cell.replace(".", "")) - START_MS for cell in row[1:3]), row[5]) for row in found]

    def test_the_exchanges_clock_was_set_back_before_an_outage(self) -> None:
        """The outages of the next hour are in the ledger, though the exchange's clock has been there before."""
        self.begin()
        self.bring(quote(1, 0))
        for number in range(2, 20):
            self.pass_s(0.5)
            self.bring(quote(number, number * 500 - HOUR_MS))
        self.collector.take(Lost(1, "reset", False))
        self.pass_s(5)
        self.bring(quote(30, 15_000 - HOUR_MS))
        self.end()
        outage = [stretch for stretch in self.stretches() if stretch[2] == "reconnect"]
        self.assertEqual(1, len(outage), self.ledger())
        self.assertTrue(outage[0][0] <= 9500 - HOUR_MS and outage[0][1] >= 15_000 - HOUR_MS, outage)

    def test_a_reconnect_to_a_front_server_whose_clock_is_behind(self) -> None:
        """The outage is told, and covers both what its clock says and what ours does."""
        self.begin()
        self.bring(quote(1, 0))
        self.collector.take(Lost(1, "reset", False))
        self.pass_s(2)
        self.bring(quote(2, -1000))
        self.end()
        self.assertEqual(["clock"], [cause for *_, cause in self.stretches()][:1])
        ((begin_ms, end_ms),) = [stretch[:2] for stretch in self.stretches()][:1]
        self.assertTrue(begin_ms <= -3000 and end_ms >= 2000, (begin_ms, end_ms))

    def test_a_heartbeat_that_is_sent_before_the_quotes_were_made(self) -> None:
        """Where a front server's clock is behind, the events' own times tell when a frame was sent."""
        self.begin()
        for number in range(10):
            at_ms = START_MS + 100 * number
            self.bring(quote(number, 100 * number).replace(f'"E":{at_ms}', f'"E":{at_ms - 3000}'))
            self.pass_s(0.1)
        self.collector.take(Lost(1, "reset", False))
        self.pass_s(3)
        self.bring(quote(20, 4000))
        self.end()
        self.assertEqual([(900 - MARGIN_MS, 4000 + MARGIN_MS, "reconnect")], self.stretches())

    def test_a_restart_behind_rows_of_a_later_time(self) -> None:
        """The clock was set back while nobody collected: the pause is told by our clock, for both streams."""
        before = {rows.PRICES: [quote_row(5, 30_000)], rows.ORDERBOOK: [book_row(5, 30_000)]}
        self.begin(before=before)
        self.bring(quote(9, 0))
        self.end()
        for kind in (rows.PRICES, rows.ORDERBOOK):
            self.assertEqual([(-10_000, 40_000, "restart")], self.stretches(kind))

    def test_a_last_row_of_the_year_2286(self) -> None:
        """No such time gets into the ledger: our clock says how long the pause was."""
        self.begin(before={rows.PRICES: [quote_row(5, 10**13 - 1 - START_MS)]})
        self.bring(quote(9, 0))
        self.pass_s(1)
        self.assertTrue(self.collector.close())
        self.assertEqual([(-10_000, MARGIN_MS, "restart")], self.stretches())

    def test_the_end_while_an_outage_may_still_be_filled(self) -> None:
        """What a connection that is behind has not brought by then is in the ledger."""
        self.begin(connections=2)
        for connection in (1, 2):
            self.bring(quote(1, 0), connection=connection)
        self.pass_s(1)
        self.bring(quote(2, 1000), connection=1)
        self.collector.take(Lost(1, "reset", False))
        self.pass_s(3)
        self.bring(quote(9, 4000), connection=1)
        self.end()
        self.assertEqual([(1000 - MARGIN_MS, 4000 + MARGIN_MS, "reconnect")], self.stretches())


class Restarts(Case):
    def test_a_quick_restart_onto_a_slower_front_server(self) -> None:
        """No quote is written twice, though it and a second connection bring again what the run before wrote."""
        made = {number: number // 2 * 200 for number in range(40)}  # two a millisecond
        wanted = [quote_row(number, after_ms) for number, after_ms in made.items()]
        for connections in (1, 2):
            for stamp in ("", ",5"):
                with self.subTest(connections=connections, stamp=stamp):
                    before = {rows.PRICES: [row + stamp for row in wanted[:21]]}
                    self.begin(before=before, connections=connections, receive_time=bool(stamp))
                    self.play(
                        Frame(40 + 30 * number + 400 * connection, connection, quote(number, made[number]))
                        for number in range(12, 40)
                        for connection in range(1, connections + 1)
                    )
                    self.end()
                    self.assertEqual(wanted, [",".join(row.split(",")[:4]) for row in self.lines(rows.PRICES)])
                    self.assertEqual({"restart"}, {row[5] for row in self.ledger()})

    def test_the_clock_was_set_back_by_an_hour_meanwhile(self) -> None:
        """No front server is so far behind: nothing is left out, and the ledger says that times overlap."""
        self.begin(before={rows.PRICES: [quote_row(5, HOUR_MS)]})
        self.play(Frame(number * 50, 1, quote(number, number * 50)) for number in range(100))
        self.end()
        self.assertEqual(101, len(self.lines(rows.PRICES)))
        self.assertEqual({"restart", "clock"}, {row[5] for row in self.ledger()})


class NewIds(Case):
    def play_ids(self, kind: str, flush_interval_s: float, connections: int = 1, late_ms: int = 0) -> set[str]:
        """Let update ids begin anew after 10 of 30 s; return the rows that are in no file."""
        make, row = {rows.PRICES: (quote, quote_row), rows.ORDERBOOK: (book, book_row)}[kind]
        self.begin(flush_interval_s=flush_interval_s, connections=connections)
        ids = [(number * 50, 5000 + number if number < 200 else number - 199) for number in range(600)]
        self.play(
            Frame(after_ms + late_ms * (connection - 1), connection, make(number, after_ms))
            for connection in range(1, connections + 1)
            for after_ms, number in ids
        )
        self.end()
        found = self.aside(kind) + self.lines(kind)
        wanted = [row(number, after_ms) for after_ms, number in ids]
        self.assertEqual(found, [one for one in wanted if one in set(found)], "each once, in order")
        self.assertEqual(1, len(list(self.folder.glob(f"{kind}_{S}.*Z*.csv"))), "set aside once")
        return set(wanted) - set(found)

    def test_update_ids_begin_anew_in_mid_run(self) -> None:
        """The file of the former ids is set aside, the ledger has the stretch that was lost, and nothing else is."""
        for kind in (rows.PRICES, rows.ORDERBOOK):
            for flush_interval_s in (0.2, 2.0, 5.0):
                with self.subTest(kind=kind, flush_interval_s=flush_interval_s):
                    missing = self.play_ids(kind, flush_interval_s)
                    self.assertLess(len(missing), 100)
                    self.assertEqual([(kind, "new-ids")], [(row[0], row[5]) for row in self.ledger()])
                    self.assert_told(kind, missing, "new-ids")

    def test_update_ids_begin_anew_on_two_connections(self) -> None:
        """What the slower connection still brings of the former ids does not get among the new ones."""
        for late_ms in (0, 1000, 5000):
            with self.subTest(late_ms=late_ms):
                missing = self.play_ids(rows.PRICES, 5.0, 2, late_ms)
                self.assert_told(rows.PRICES, missing, "new-ids")


class Trades(Case):
    def hole(self) -> None:
        """Bring two trades and the tenth, and wait until the hole is asked for."""
        self.begin(history=0)
        self.bring(trade(1, 0), trade(2, 0))
        self.bring(trade(11, 100))
        self.pass_s(1)
        self.assertEqual([3], [ask.first_id for ask in self.asks if ask.symbol])

    def page(self, first_id: int, bad_id: int) -> list[dict[str, object]]:
        """Return a page in which one trade has no price."""
        return [
            {"a": number, "p": "10.1", "q": "0.5", "T": START_MS + 50, "m": False}
            | ({"p": None} if number == bad_id else {})
            for number in range(first_id, 12)
        ]

    def test_an_unreadable_trade_in_a_page(self) -> None:
        """It is a reject and costs its own id, and not the rest of the hole."""
        self.hole()
        self.answer(self.page(3, 6))
        for _ in range(200):
            self.pass_s(1)
            asked = [ask for ask in self.asks if ask.symbol]
            if self.ledger():
                break
            self.answer(self.page(asked[-1].first_id, 6))
        self.end()
        ids = [int(line.partition(",")[0]) for line in self.lines(rows.TRADES)]
        self.assertEqual([1, 2, 3, 4, 5, 7, 8, 9, 10, 11], ids)
        self.assertEqual([("trades", "6", "6")], [(row[0], row[3], row[4]) for row in self.ledger()])
        self.assertEqual({(f"page of {S}", "odd field: p")}, set(self.rejects()))

    def test_a_page_that_is_none(self) -> None:
        """An answer that is no page costs nothing: the hole is asked for again."""
        self.hole()
        self.answer({"code": -1})
        self.pass_s(10)
        self.answer(self.page(3, 0))
        self.end()
        self.assertEqual(11, len(self.lines(rows.TRADES)))
        self.assertEqual([], self.ledger())

    def test_a_trade_with_an_absurd_id(self) -> None:
        """A live trade with an id far ahead is a reject, and the tape goes on without a hole."""
        self.begin(history=0)
        self.bring(trade(1, 0), trade(10**12, 10), trade(2, 20))
        self.pass_s(10)
        self.bring(trade(3, 10_000))
        self.end()
        self.assertEqual([trade_row(1, 0), trade_row(2, 20), trade_row(3, 10_000)], self.lines(rows.TRADES))
        self.assertEqual([(f"trades of {S}", "its id is far ahead of all others")], self.rejects())
        self.assertEqual([], self.ledger())
        self.assertEqual([], [ask for ask in self.asks if ask.symbol])

    def test_held_trades_of_all_symbols_while_rest_is_away(self) -> None:
        """What all symbols hold stays below the bound between flushes too, and what is given up is in the ledger."""
        self.enterContext(constants(HELD_TRADES=300, TURN_MESSAGES=200, TURN_MESSAGES_A_SYMBOL=1))
        symbols = [f"S{number}USDT" for number in range(5)]
        self.begin(*symbols, flush_interval_s=3600.0, history=0)
        for symbol in symbols:
            self.bring(trade(1, 0, symbol))
        most = 0
        for number in range(200):
            for symbol in symbols:
                self.bring(trade(10 + number, 100 + number, symbol))
            self.collector.step()
            held = sum(stream.held for stream in self.collector.snapshot().streams)
            most = max(most, held)
        self.assertTrue(100 < most <= 300 + 200, most)
        self.assertGreater(sum(len(self.ledger(symbol)) for symbol in symbols), 0)
        self.now_s += 60  # REST is away for so long that a stop waits for nothing
        self.end()
        for symbol in symbols:
            self.assertEqual([("2", "9")], [row[3:5] for row in self.ledger(symbol)])
            self.assertEqual(201, len(self.lines(rows.TRADES, symbol)))


class NewTradeIds(Case):
    def test_trade_ids_begin_anew_in_mid_run(self) -> None:
        """Every trade is in the file that is set aside or in the new one, at any rate, though no past is fetched."""
        for a_second in (0.1, 17, 200):
            with self.subTest(a_second=a_second):
                self.begin(history=0)
                every_ms, count = 1000 / a_second, max(5, round(3 * a_second))
                ids = [*range(5000, 5000 + count), *range(1, 1 + count)]
                made = [(number, round(every_ms * place)) for place, number in enumerate(ids)]
                self.play(Frame(after_ms, 1, trade(number, after_ms)) for number, after_ms in made)
                self.end()
                wanted = [trade_row(*one) for one in made]
                self.assertEqual((wanted[:count], wanted[count:]), (self.aside(rows.TRADES), self.lines(rows.TRADES)))
                self.assertEqual([], self.ledger())

    def test_an_odd_trade(self) -> None:
        """One frame of an old id, a minute ahead, is kept as a reject, and no file is set aside."""
        self.begin(history=0)
        self.play(Frame(100 * number, 1, trade(100 + number, 100 * number)) for number in range(50))
        self.bring(trade(90, 65_000))
        self.play(Frame(100 * number, 1, trade(100 + number, 100 * number)) for number in range(50, 700))
        self.end()
        self.assertEqual(700, len(self.lines(rows.TRADES)))
        self.assertEqual([], self.aside(rows.TRADES))
        self.assertEqual([(f"trades of {S}", "contradicts the ids around it")], self.rejects())


class Quiet(Case):
    def pages(self) -> list[int]:
        """Return the first id of each page that was asked for."""
        return [ask.first_id for ask in self.asks if ask.symbol]

    def outage(self) -> None:
        """Bring two trades, and an outage of five seconds without any frame of trades behind it."""
        self.begin(history=0)
        self.bring(quote(1, 0), trade(1, 0), trade(2, 0))
        self.pass_s(1)
        self.collector.take(Lost(1, "reset", False))
        self.pass_s(5)
        self.bring(quote(2, 6000))

    def test_trades_of_an_outage_and_no_live_one_after_it(self) -> None:
        """They are asked for ten seconds after it, patiently, and written."""
        self.outage()
        self.pass_s(9.8)
        self.assertEqual([], self.pages())
        self.pass_s(0.3)
        self.assertEqual([3], self.pages())
        self.assertEqual(PATIENT, self.asks[-1].rank)
        self.answer([{"a": 3, "p": "10.1", "q": "0.5", "T": START_MS + 4000, "m": False}])
        self.bring(quote(3, 16_000))
        self.assertTrue(self.collector.is_settled(self.now_s), "nothing is open")
        self.end()
        self.assertEqual([trade_row(1, 0), trade_row(2, 0), trade_row(3, 4000)], self.lines(rows.TRADES))
        self.assertEqual({"prices", "orderbook"}, {row[0] for row in self.ledger()})

    def test_an_answer_that_is_no_page(self) -> None:
        """It tells nothing: the page is asked for again a minute later."""
        self.outage()
        self.pass_s(10.1)
        self.answer({"code": -1})
        self.pass_s(59)
        self.assertEqual([3], self.pages())
        self.pass_s(1.1)
        self.assertEqual([3, 3], self.pages())

    def test_a_symbol_that_is_opened_late(self) -> None:
        """Its connection has long delivered: what was made since its file was proven is asked for ten seconds later."""
        self.begin()
        path = self.folder / "trades_NEWUSDT.csv"
        path.mkdir()
        self.collector.take(Listed(("NEWUSDT",)))
        self.collector.take(Wanted(9, 2, ("NEWUSDT",)))
        frame = quote(1, 0, "NEWUSDT")
        self.collector.take(Batch(9, self.wall_ns(), self.now_s, frame.encode("latin-1"), [0, len(frame)]))
        path.rmdir()
        path.write_text(f"{HEADERS[rows.TRADES]}\n{trade_row(5, -60_000)}\n", "ascii")
        (self.folder / "gaps_NEWUSDT.csv").touch()
        self.pass_s(60.1)
        self.answer([{"a": 5, "p": "10.1", "q": "0.5", "T": START_MS - 60_000, "m": False}])
        self.pass_s(10.1)
        self.assertEqual([5, 6], self.pages())

    def test_a_live_trade_after_the_outage(self) -> None:
        """It tells that there was none meanwhile, and nothing is asked for."""
        self.outage()
        self.bring(trade(3, 6000))
        self.pass_s(20)
        self.assertEqual([], self.pages())
        self.bring(quote(3, 26_000))
        self.assertTrue(self.collector.is_settled(self.now_s))

    def test_another_connection_carries_on(self) -> None:
        """While one connection delivers, nothing is open when another is lost."""
        self.begin(history=0, connections=2)
        for connection in (1, 2):
            self.bring(quote(1, 0), trade(1, 0), connection=connection)
        self.collector.take(Lost(1, "reset", False))
        self.pass_s(1)
        self.bring(quote(2, 1000), connection=2)
        self.assertTrue(self.collector.is_settled(self.now_s))

    def test_a_stop_while_a_connection_is_down(self) -> None:
        """One page is asked for, not patiently, and the stop waits for it, two seconds at most."""
        for answered in (True, False):
            with self.subTest(answered=answered):
                self.asks.clear()
                self.begin(history=0)
                self.bring(quote(1, 0), trade(1, 0), trade(2, 0))
                self.pass_s(1)
                self.collector.take(Lost(1, "reset", False))
                self.pass_s(3)
                self.assertFalse(self.collector.is_settled(self.now_s))
                self.assertEqual([3], self.pages())
                self.assertEqual(HOLE, self.asks[-1].rank)
                if answered:
                    self.answer([{"a": 3, "p": "10.1", "q": "0.5", "T": START_MS + 2500, "m": False}])
                else:
                    self.pass_s(2.1)
                self.assertTrue(self.collector.is_settled(self.now_s))
                self.end()
                if answered:
                    self.assertEqual(trade_row(3, 2500), self.lines(rows.TRADES)[-1])
                    self.assertEqual([], self.ledger())
                else:
                    self.assertEqual([("trades", "", "", "not-asked")], [row[:1] + row[3:] for row in self.ledger()])
                    from_s, to_s = (float(one) - START_MS / 1000 for one in self.ledger()[0][1:3])
                    self.assertEqual((0.0, 6.1), (from_s, round(to_s, 1)))

    def test_a_stop_that_is_not_written_at_once(self) -> None:
        """What is not known is in the ledger once, however often the end is tried."""
        self.begin(history=0)
        self.bring(trade(1, 0))
        self.collector.take(Lost(1, "reset", False))
        self.collector.close()
        self.end()
        self.assertEqual(1, len(self.ledger()))

    def test_a_stop_while_a_connection_is_silent(self) -> None:
        """One that has brought nothing for longer than a frame takes is as one that is down."""
        self.begin(history=0)
        self.bring(quote(1, 0), trade(1, 0))
        self.pass_s(6)
        self.assertFalse(self.collector.is_settled(self.now_s))
        self.assertEqual([2], self.pages())

    def test_a_stop_that_has_much_to_decode_yet(self) -> None:
        """What came until the stop is what counts, however long ago that is once it is decoded."""
        self.begin(history=0)
        self.bring(quote(1, 0), trade(1, 0))
        stopped_s = self.now_s
        self.pass_s(20)
        self.assertTrue(self.collector.is_settled(stopped_s))

    def test_a_restart_whose_connection_opens_late(self) -> None:
        """What was made between the page that proved the file and the first frame is asked for too."""
        self.begin(before={rows.TRADES: [trade_row(5, -60_000)]})
        self.collector.step()
        self.answer([{"a": 5, "p": "10.1", "q": "0.5", "T": START_MS - 60_000, "m": False}])
        self.pass_s(5)
        self.bring(quote(1, 5000))
        self.pass_s(10.1)
        self.assertEqual([5, 6], self.pages())
        self.answer([{"a": 6, "p": "10.1", "q": "0.5", "T": START_MS + 2000, "m": False}])
        self.end()
        self.assertEqual([trade_row(5, -60_000), trade_row(6, 2000)], self.lines(rows.TRADES))


class Rows(Case):
    def test_a_quote_with_spaces_in_its_json(self) -> None:
        """The short way from the text to the row gives the same row as the general way."""
        frames = [quote(1, 0), quote(2, 7), quote(3, 1001)]
        spaced = [json.dumps(json.loads(frame)) for frame in frames]
        for frame, other in zip(frames, spaced, strict=True):
            self.assertEqual((True, False), (is_fast(frame), is_fast(other)))
        for receive_time in (False, True):
            found = []
            for texts in (frames, spaced):
                self.begin(receive_time=receive_time)
                self.bring(*texts)
                self.end()
                found.append(self.lines(rows.PRICES))
            self.assertEqual(*found)
            self.assertEqual(3, len(found[0]))
        self.assertEqual(f"{quote_row(2, 7)},{START_MS * 1_000_000}", found[0][1])

    def test_receive_times(self) -> None:
        """Every kind of row ends with the time at which its own read came; that of a trade of a page is blank."""
        self.begin(receive_time=True, history=0)
        self.bring(quote(1, 0), trade(1, 0), book(1, 0))
        self.pass_s(1)
        self.bring(quote(2, 900), trade(3, 900), book(2, 900))
        self.pass_s(1)
        self.answer([{"a": 2, "p": "10.1", "q": "0.5", "T": START_MS + 500, "m": False}])
        self.end()
        stamps = [START_MS * 1_000_000 + seconds * 10**9 for seconds in range(3)]
        made = {rows.PRICES: quote_row, rows.ORDERBOOK: book_row}
        for kind, row in made.items():
            expected = [f"{row(1, 0)},{stamps[0]}", f"{row(2, 900)},{stamps[1]}"]
            self.assertEqual(expected, self.lines(kind))
        expected = [f"{trade_row(1, 0)},{stamps[0]}", f"{trade_row(2, 500)},", f"{trade_row(3, 900)},{stamps[1]}"]
        self.assertEqual(expected, self.lines(rows.TRADES))
        for kind in (rows.PRICES, rows.ORDERBOOK, rows.TRADES):
            header = (self.folder / rows.file_name(kind, S)).read_text("ascii").partition("\n")[0]
            self.assertEqual(f"{HEADERS[kind]},receive_time_ns", header)


class Clocks(Case):
    def answer_time(self, ahead_ms: int, round_trip_ms: int = 0) -> None:
        """Answer the newest request for the exchange's time."""
        ask = [one for one in self.asks if not one.kind][-1]
        half_ns = round_trip_ms * 500_000
        time = {"serverTime": self.wall_ns() // 1_000_000 + ahead_ms}
        self.collector.take(Answer(ask, self.wall_ns() - half_ns, self.wall_ns() + half_ns, time))

    def test_this_machines_clock_is_two_hours_off(self) -> None:
        """It is said, with how sure it is; not again for an hour, and not where the round trip may explain it."""
        logging.disable(logging.NOTSET)
        self.begin()
        self.collector.step()
        with self.assertNoLogs("aster_collect.run.hands", "WARNING"):
            self.answer_time(1400, 1000)
        with self.assertLogs("aster_collect.run.hands", "WARNING") as logs:
            self.answer_time(7_200_000, 100)
            self.answer_time(7_200_000, 100)
        self.assertEqual(1, len(logs.records))
        self.assertIn("clock off offset_ms=+7200000 uncertainty_ms=50 max_clock_offset_s=1", logs.output[0])
        told = self.collector.snapshot()
        self.assertEqual((7_200_000, 50, True), (told.clock_offset_ms, told.clock_uncertainty_ms, told.clock_off))

    def test_the_clock_is_asked_for_after_a_reconnect(self) -> None:
        """At the start, and after a connection was opened, a minute later at least."""
        self.begin()
        for _ in range(3):
            self.pass_s(25)
            self.collector.take(Opened(1, self.wall_ns(), self.now_s))
        self.assertEqual(2, len([ask for ask in self.asks if not ask.kind]))


class BetweenSteps(Case):
    def test_a_flood(self) -> None:
        """However much comes before the next step, what has rested is written, so that memory stays flat."""
        self.enterContext(constants(TURN_MESSAGES=10, TURN_MESSAGES_A_SYMBOL=1))
        self.begin()
        for number in range(1, 31):
            self.bring(quote(number, number))
        self.assertEqual([quote_row(number, number) for number in range(1, 21)], self.lines(rows.PRICES))
        self.end()
        self.assertEqual(30, len(self.lines(rows.PRICES)))

    def test_several_reads_of_a_connection(self) -> None:
        """Each counts, and has its delay, though what they cover is looked at once."""
        self.begin()
        for number in range(1, 6):
            self.now_s += 1
            self.bring(quote(number, 1000 * number))
        self.collector.step()
        told = self.collector.snapshot()
        self.assertEqual((5, self.wall_ns()), (told.connections[0].frames, told.connections[0].last_frame_ns))
        self.assertEqual(5, sum(told.delays.counts))

    def test_a_connection_is_lost_after_several_reads(self) -> None:
        """The outage begins with the last of them."""
        self.begin()
        for number in range(1, 6):
            self.now_s += 1
            self.bring(quote(number, 1000 * number))
        self.collector.take(Lost(1, "closed", False))
        self.assertEqual(5, self.collector.snapshot().connections[0].frames)
        self.now_s += 15
        self.bring(quote(6, 20_000))
        self.end()
        begins = rows.seconds(START_MS + 5000 - MARGIN_MS)
        self.assertEqual({("prices", begins), ("orderbook", begins)}, {row[:2] for row in self.ledger()})

    def test_the_connection_that_came_last_was_read_first(self) -> None:
        """How long nothing has come is told by the newest read of all, whichever connection's it was."""
        self.begin(connections=2, history=0)
        self.bring(quote(1, 0), connection=1)
        self.bring(quote(1, 0), connection=2)
        self.collector.step()
        self.bring(quote(2, 100), trade(1, 100), connection=1)
        self.bring(quote(2, 100), trade(1, 100), connection=2)
        self.now_s += 8
        self.bring(quote(3, 8000), connection=1)
        self.assertTrue(self.collector.is_settled(self.now_s))
        self.assertEqual([], [ask for ask in self.asks if ask.symbol])
        self.end()


class Told(Case):
    def test_what_can_not_be_read_is_no_sign_of_health(self) -> None:
        """A connection that brings frames of another shape alone counts as one that has delivered nothing."""
        self.begin(S)
        self.bring('{"stream":"x","data":{"renamed":1}}', '{"stream":"x","data":{"renamed":2}}')
        told = self.collector.snapshot()
        self.assertEqual((0, 0, 2), (told.newest_frame_ns, told.connections[0].frames, told.rejects))
        self.bring(quote(1, 10))
        self.assertEqual(1, self.collector.snapshot().connections[0].frames)

    def test_a_new_symbol_whose_files_can_not_be_opened_is_tried_again(self) -> None:
        """Until then its frames are no rejects, and the others go on; then it is collected."""
        self.begin(S)
        (self.folder / "prices_NEWUSDT.csv").mkdir()
        self.collector.take(Listed(("NEWUSDT",)))
        self.collector.take(Wanted(9, 2, ("NEWUSDT",)))
        self.bring(quote(1, 0, "NEWUSDT"), connection=9)
        self.bring(quote(1, 0))
        self.assertEqual(0, self.collector.snapshot().rejects)
        (self.folder / "prices_NEWUSDT.csv").rmdir()
        self.pass_s(61)
        self.bring(quote(2, 61_000, "NEWUSDT"), connection=9)
        self.bring(quote(2, 61_000))
        self.end()
        lines = (self.folder / "prices_NEWUSDT.csv").read_text("ascii").splitlines()
        self.assertEqual(2, len(lines))

    def test_a_symbol_that_is_opened_late_and_has_a_past(self) -> None:
        """What was missed since the last row of its file is in the ledger, though its connection has long delivered."""
        self.begin(S)
        path = self.folder / "prices_NEWUSDT.csv"
        path.mkdir()
        self.collector.take(Listed(("NEWUSDT",)))
        self.collector.take(Wanted(9, 2, ("NEWUSDT",)))
        frame = quote(1, 0, "NEWUSDT")
        self.collector.take(Batch(9, self.wall_ns(), self.now_s, frame.encode("latin-1"), [0, len(frame)]))
        path.rmdir()
        path.write_text(f"unix_timestamp,bid,ask,mid\n{START_MS // 1000 - 60}.000,1.0,3.0,2.0\n", "ascii")
        (self.folder / "gaps_NEWUSDT.csv").touch()
        self.pass_s(61)
        self.end()
        ledger = (self.folder / "gaps_NEWUSDT.csv").read_text("ascii").splitlines()[1:]
        self.assertEqual(1, len(ledger))
        self.assertTrue(ledger[0].startswith(f"prices,{START_MS // 1000 - 60}.000,") and ledger[0].endswith("restart"))


if __name__ == "__main__":
    unittest.main()
