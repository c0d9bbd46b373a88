"""REST that is down, slow, angry or forgetful while trades are missing: what the files hold afterwards."""

import unittest

from aster_collect.simulator import Fault
from tests import beside
from tests.support import TRADES, EndToEnd, now_ms, read_gaps, sent_ids

LOST_FRAMES = 15
LOST_MS = 500  # these are made within so long
DEFECTS = (  # of REST, and how many answers of which status there must be while they last
    (Fault("rest_down"), 2, 0),
    (Fault("rest_slow", value=0.5), 2, 200),
    (Fault("rest_status", value=503), 2, 503),
    (Fault("rest_status", value=403), 2, 403),
    (Fault("rest_429", seconds=1, count=1), 1, 429),
    (Fault("rest_418", seconds=3), 1, 418),
    (Fault("rest_short", count=3), 4, 200),
    (Fault("rest_holes", value=7), 4, 200),  # of two symbols, each once more after its first page
)


class Rest(EndToEnd):
    def lose_trades(self):
        """Let the healthy connection lose trades of every symbol."""
        for symbol in self.symbols:
            self.exchange.inject(Fault("skip", count=LOST_FRAMES, value=f"{symbol.lower()}@aggTrade"))
        self.lost_until_ms = now_ms() + LOST_MS

    def forget(self, more):
        """Let REST have no trades but those to come, and of these not the next so many."""
        lines = [self.exchange.market.listing(symbol).trades.line for symbol in self.symbols]
        last_id = max(line.last_at(now_ms() * 1000) for line in lines)
        self.exchange.inject(Fault("rest_forget", value=last_id + more))

    def wait_for_trades(self, collector):
        """Block until trades that were made behind the lost ones are in the files."""
        for symbol in self.symbols:
            collector.wait_for_rows(TRADES, symbol, self.lost_until_ms)

    def lost_ids(self, symbol):
        """Return the ids that the one connection lost between its first trade and its last."""
        ids = sent_ids(self.exchange.sent, symbol)
        return sorted(set(range(min(ids), max(ids))) - set(ids))

    def missing_ids(self, symbol, cause):
        """Return the ids that the ledger names, all for one cause."""
        gaps = read_gaps(self.folder, symbol)
        self.assertEqual({(TRADES, cause)}, {(gap.stream, gap.cause) for gap in gaps})
        return [one for gap in gaps for one in range(gap.first_id, gap.last_id + 1)]

    def assert_polite(self):
        """Fail if anything was asked while banned."""
        self.assertEqual(0, self.exchange.requests_while_banned)


class Defects(Rest):
    """REST that has one defect after the other."""

    is_long = True

    def test_leave_the_trades_whole(self):
        """Trades lost while REST is down, slow, angry, short or full of holes are all there once it is well."""
        exchange = self.begin()
        collector = self.collect()
        self.wait_for_everything(collector)
        for fault, count, status in DEFECTS:
            with self.subTest(fault=fault):
                wanted = self.answers(status) + count
                exchange.inject(fault)
                self.lose_trades()
                collector.wait_for(lambda w=wanted, s=status: self.answers(s) >= w, f"{count} times {status}")
                if status not in (418, 429):  # these end by themselves, at the time that was said
                    exchange.inject(Fault("clear"))
                self.wait_for_trades(collector)
        self.stop(collector)
        self.assert_promises(missing=False)
        self.assert_polite()
        for symbol in self.symbols:
            self.assertGreaterEqual(len(self.lost_ids(symbol)), LOST_FRAMES * len(DEFECTS))

    def answers(self, status):
        """Return how many requests were answered so."""
        return sum(request.status == status for request in self.exchange.requests)


class WhatPasses(Rest):
    def test_at_the_start_leaves_the_past_whole(self):
        """A fresh file has its past, and an old one goes on without a hole, though REST is away at the start."""
        exchange = self.begin()
        for _ in range(2):
            exchange.inject(Fault("rest_down"))
            collector = self.collect("--history", "2500")
            collector.wait_for_log("symbols unchecked")
            exchange.inject(Fault("clear"))
            self.wait_for_everything(collector, now_ms())
            self.stop(collector)
        self.assert_promises()
        for symbol in self.symbols:
            first_id = int(self.rows(TRADES, symbol)[0].partition(",")[0])
            self.assertEqual(2500, sent_ids(exchange.sent, symbol)[0] - first_id)

    def test_during_a_reconnect_leaves_the_trades_whole(self):
        """A connection and REST that are lost together are made good together."""
        exchange = self.begin()
        collector = self.collect()
        self.wait_for_everything(collector)
        exchange.inject(Fault("rest_418", seconds=2))
        exchange.inject(Fault("drop"))
        collector.wait_for_log("connection open", 2)
        self.wait_for_everything(collector, now_ms())
        self.stop(collector)
        self.assert_promises()
        self.assert_polite()


class WhatStays(Rest):
    def check_given_up(self, fault, cause, *options):
        exchange = self.begin()
        collector = self.collect(*options)
        self.wait_for_everything(collector)
        if fault == "forget":
            self.forget(LOST_FRAMES + 10)
        elif fault:
            exchange.inject(fault)
        self.lose_trades()
        self.wait_for_trades(collector)
        self.stop(collector)
        self.assert_promises(trades_missing=True)
        self.assert_polite()
        for symbol in self.symbols:
            self.assertEqual(self.lost_ids(symbol), self.missing_ids(symbol, cause))

    def test_down_longer_than_the_limit_is_a_gap(self):
        """Trades that REST does not bring in time are a row of the ledger with their ids, and the feed goes on."""
        self.check_given_up(Fault("rest_down"), "gave-up", "--hold-limit", "100000", "2")

    def test_down_for_more_trades_than_are_held_is_a_gap(self):
        """Trades are given up when too many wait behind them, and the feed goes on."""
        self.check_given_up(Fault("rest_down"), "gave-up", "--hold-limit", "20", "600")

    def test_banned_longer_than_the_limit_is_a_gap(self):
        """A ban is sat out in silence, and what it costs is in the ledger."""
        self.check_given_up(Fault("rest_418", seconds=600), "gave-up", "--hold-limit", "100000", "2")

    def test_without_the_trades_is_a_gap(self):
        """Trades that the exchange has no more are a row of the ledger with that cause."""
        self.check_given_up("forget", "not-available", "--hold-limit", "100000", "3")

    def test_with_pages_full_of_holes_is_a_gap_for_each(self):
        """Of the trades that were lost those that no page ever shows are in the ledger, and the others in the file."""
        exchange = self.begin()
        collector = self.collect("--hold-limit", "100000", "3")
        self.wait_for_everything(collector)
        exchange.inject(Fault("rest_holes", value=7))
        self.lose_trades()
        self.wait_for_trades(collector)
        self.stop(collector)
        self.assert_promises(trades_missing=True)
        for symbol in self.symbols:
            hidden = [one for one in self.lost_ids(symbol) if one % 7 == 0]
            self.assertEqual(hidden, self.missing_ids(symbol, "not-available"))

    def test_not_to_be_asked_is_a_gap(self):
        """With --backfill-limit 0 nothing is fetched, and every hole is in the ledger."""
        self.check_given_up(None, "backfill-limit", "--backfill-limit", "0", "--history", "0")

    def test_asked_for_the_newest_part_only(self):
        """Of a hole larger than --backfill-limit the newest part is fetched, the older is in the ledger."""
        self.begin()
        collector = self.collect("--backfill-limit", "10")
        self.wait_for_everything(collector)
        self.lose_trades()
        self.wait_for_trades(collector)
        self.stop(collector)
        self.assert_promises(trades_missing=True)
        for symbol in self.symbols:
            self.assertEqual(self.lost_ids(symbol)[:-10], self.missing_ids(symbol, "backfill-limit"))

    def test_without_a_past_is_no_gap(self):
        """A fresh file whose past can't be had starts later, and its ledger is empty."""
        self.begin()
        self.forget(1)
        collector = self.collect("--history", "1000")
        self.wait_for_everything(collector)
        self.stop(collector)
        self.assert_promises(missing=False)


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
