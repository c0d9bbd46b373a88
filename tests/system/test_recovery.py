"""Connections that end, stall, lie or grow old: what the files hold afterwards, against what the exchange sent."""

import json
import unittest
from collections import Counter

from aster_collect.simulator import Fault
from tests import beside
from tests.support import (
    ORDERBOOK,
    PRICES,
    EndToEnd,
    event_of_sent,
    last_ms,
    market_events,
    now_ms,
    outages,
    read_gaps,
    read_rejects,
    rounds,
    time_ms,
)

RUN_OF_FAULTS = {"drop": 6, "reset": 6, "refuse": 2, "stall": 3, "close": 6, "cut": 7}
REASONS = ("eof", "reset", "refused", "stalled", "closed: code=1001")
HAND_OVERS = 10


class ManyEnds(EndToEnd):
    is_long = True

    def test_thirty_ends_in_every_way(self):
        """Trades are whole, and the ledger says each outage to within a second, whatever ends a connection."""
        for seed, chance in rounds(1):
            print(f"\nASTER_TEST_SEED={seed}")
            faults = [name for name, count in RUN_OF_FAULTS.items() for _ in range(count)]
            chance.shuffle(faults)
            exchange = self.begin()
            collector = self.collect("--stall-timeout", "2", "--flush-interval", "0.1")
            collector.wait_for(lambda exchange=exchange: exchange.connections, "a connection")
            self.wait_for_everything(collector)
            for fault in faults:
                number = exchange.connections[-1].number
                if fault == "refuse":
                    exchange.inject(Fault("refuse"))
                    exchange.inject(Fault("drop"))
                    refused = "connection lost connection=1 why=refused"
                    collector.wait_for_log(refused, len(collector.logged(refused)) + 1)
                    exchange.inject(Fault("clear"))
                else:
                    exchange.inject(Fault(fault))
                collector.wait_for(lambda number=number: self.flows_again(number), f"a connection after {fault}")
                collector.wait_for_rows(PRICES, "BTCUSDT", now_ms())
            self.stop(collector)
            self.assert_promises()
            self.assertEqual([], read_rejects(self.folder))
            expected = outages(exchange.sent)
            self.assertEqual(len(faults), len(expected))
            self.assert_ledger(expected)
            for reason in REASONS:
                self.assertTrue(collector.logged(f"connection lost connection=1 why={reason}"), reason)

    def flows_again(self, number):
        return any(one.number > number and one.frames for one in self.exchange.connections)


class OneConnection(EndToEnd):
    def test_loses_repeats_and_swaps_frames_while_healthy(self):
        """Trades are whole without a gap row, and no quote or book is there twice or out of order."""
        exchange = self.begin(rate=2000)
        collector = self.collect()
        self.wait_for_everything(collector)
        for _ in range(10):
            exchange.inject(Fault("skip", count=5, value="@aggTrade"))
            exchange.inject(Fault("duplicate", count=40))
            exchange.inject(Fault("swap", count=10, value="@bookTicker"))
            exchange.inject(Fault("swap", count=5, value="btcusdt@aggTrade"))
            self.wait_for_everything(collector, now_ms())
        self.stop(collector)
        self.assert_promises(missing=False)

    def test_skips_quotes_and_books_unnoticed(self):
        """What was sent is there, in order, though the stream itself left something out."""
        exchange = self.begin()
        collector = self.collect()
        self.wait_for_everything(collector)
        exchange.inject(Fault("skip", count=50, value="@bookTicker"))
        exchange.inject(Fault("skip", count=5, value="@depth"))
        self.wait_for_everything(collector, now_ms() + 300)
        self.stop(collector)
        self.assert_verified()
        self.assert_sent_is_there()
        for kind, least in ((PRICES, 40), (ORDERBOOK, 4)):  # those of one millisecond can't be told apart
            unsaid = [self.unsaid(kind, symbol) for symbol in self.symbols]
            self.assertGreaterEqual(sum(unsaid), least, "nothing was skipped, so that this test shows nothing")

    def unsaid(self, kind, symbol):
        """Return how many events of the market are neither in a file nor in the ledger."""
        rows = self.rows(kind, symbol)
        made = market_events(
            self.exchange.market, kind, symbol, time_ms(rows[0], kind), time_ms(rows[-1], kind), self.levels
        )
        return len(list(made)) - len(rows)


class Clocks(EndToEnd):
    def test_the_clock_is_set_back_and_a_restart_meets_a_slow_front_server(self):
        """The outage after it is in the ledger, and no quote is written twice."""
        exchange = self.begin(["BTCUSDT"])
        collector = self.collect()
        self.wait_for_everything(collector)
        exchange.inject(Fault("clock", value=-30))
        set_ms = now_ms() - 30_000
        prices = self.folder / "prices_BTCUSDT.csv"
        collector.wait_for(lambda: last_ms(prices) < set_ms + 10_000, "rows of after the step")
        exchange.inject(Fault("drop"))
        collector.wait_for(lambda: "reconnect" in self.causes(), "a row for the outage")
        collector.wait_for_rows(PRICES, "BTCUSDT", set_ms + 1200)  # so that a second before is after the step too
        self.stop(collector)
        exchange.inject(Fault("front_behind", value=1))
        stopped_ms = last_ms(prices)
        collector = self.collect()
        collector.wait_for_rows(PRICES, "BTCUSDT", stopped_ms + 300)
        self.stop(collector)
        self.assert_verified()
        self.assertLessEqual({"clock", "reconnect", "restart"}, self.causes())
        before_ms, after_ms = outages(exchange.sent)[0]
        stretches = [gap for gap in read_gaps(self.folder, "BTCUSDT") if gap.cause == "reconnect"]
        self.assertTrue(all(gap.from_ms <= before_ms and after_ms <= gap.to_ms for gap in stretches), stretches)
        quotes = {event for event in map(event_of_sent, exchange.sent) if event and event.kind == PRICES}
        twice = Counter(self.rows(PRICES, "BTCUSDT")) - Counter(event.row for event in quotes)
        self.assertEqual([], list(twice)[:5])

    def causes(self):
        return {gap.cause for gap in read_gaps(self.folder, "BTCUSDT")}


class TwoConnections(EndToEnd):
    is_long = True

    def test_of_which_either_is_killed_again_and_again(self):
        """Losing one of two loses nothing, writes nothing twice, and is in no ledger."""
        for seed, chance in rounds(1):
            with self.subTest(seed=seed):
                exchange = self.begin(rate=2000)
                collector = self.collect("--connections", "2")
                self.wait_for_two(collector, newest=2)
                for _ in range(12):
                    fault, which = chance.choice(("drop", "reset", "close", "cut")), chance.choice(("newest", "oldest"))
                    newest = exchange.connections[-1].number + 1
                    exchange.inject(Fault(fault, connection=which))
                    self.wait_for_two(collector, newest)
                for fault in ("skip", "duplicate", "swap"):
                    exchange.inject(Fault(fault, count=100, connection="newest"))
                self.wait_for_everything(collector, now_ms())
                self.stop(collector)
                self.assert_promises(missing=False)

    def wait_for_two(self, collector, newest):
        """Block until two connections deliver, the newer of this number, and what came since is in a file."""
        collector.wait_for(lambda: len(self.flowing()) == 2 and self.flowing()[-1] == newest, f"two, up to {newest}")
        collector.wait_for_rows(PRICES, "BTCUSDT", now_ms())

    def flowing(self):
        return [one.number for one in self.exchange.connections if one.frames]


class YoungConnections(EndToEnd):
    is_long = True

    def test_relieve_old_ones_every_two_seconds(self):
        """Ten hand-overs under load miss nothing, write nothing twice, and are in no ledger."""
        self.begin(rate=3000)
        collector = self.collect("--max-connection-age", "2")
        collector.wait_for_log("connection relieved", HAND_OVERS)
        self.wait_for_everything(collector, now_ms())
        self.stop(collector)
        self.assert_promises(missing=False)
        relieved = collector.logged("connection relieved")
        self.assertEqual([line for line in relieved if not line.endswith("relieved connection=1")], [])
        status = json.loads((self.folder / "status.json").read_text("utf-8"))
        self.assertEqual([link["connection"] for link in status["connections"]], [1])
        self.assertEqual([], collector.logged("connection lost"))


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
