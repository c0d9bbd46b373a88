"""A process killed at any moment, and a disk that is full for a while: what the files hold afterwards."""

import signal
import time
import unittest

from tests import beside
from tests.support import ORDERBOOK, PRICES, TRADES, EndToEnd, last_ms, now_ms, read_gaps, rounds

FLUSH_S = 0.3
BUSY_S = 8.0  # how late a busy machine may read what was sent to it, and write it
MOMENTS = 20
LATEST_S = 1.2  # after its start: while it begins, connects, fetches trades, writes
LATE_S = 15.0  # when what a flush did not write would be more than a busy machine is late
MEMORY = 64 << 20
LITTLE_MEMORY = 20_000


class AKill(EndToEnd):
    is_long = True

    def test_at_twenty_moments_under_load(self):
        """Trades are whole over all runs; of the rest a kill costs a flush interval at most, and the ledger says so."""
        for seed, chance in rounds(1):
            print(f"\nASTER_TEST_SEED={seed}")
            with self.subTest(seed=seed):
                exchange = self.begin(rate=3000)
                options = ("--flush-interval", str(FLUSH_S))
                self.wait_for_everything(self.collect(*options))
                for _ in range(MOMENTS):
                    self.collector.kill()
                    self.assert_little_lost(exchange.sent)
                    self.collect(*options)
                    time.sleep(chance.uniform(0, LATEST_S))
                self.wait_for_everything(self.collector, now_ms())
                self.stop(self.collector)
                self.assert_promises()

    def test_in_a_calm_market(self):
        """Where few rows come it is no more: they are written by the clock, not by their number."""
        exchange = self.begin(rate=300)
        self.wait_for_everything(self.collect("--flush-interval", str(FLUSH_S)))
        time.sleep(LATE_S)
        self.collector.kill()
        self.assert_little_lost(exchange.sent)

    def assert_little_lost(self, sent):
        """Fail if what was sent to the connection that was killed is not on disk, but for a flush interval."""
        last = sent[-1]
        first = next(one for one in sent if one.connection == last.connection)
        for symbol in self.symbols:
            for kind in (PRICES, ORDERBOOK):
                written_ms = last_ms(self.folder / f"{kind}_{symbol}.csv")
                lost_ms = last.sent_ns // 1_000_000 - max(written_ms, first.sent_ns // 1_000_000)
                self.assertLess(lost_ms, (FLUSH_S + BUSY_S) * 1000, f"{kind} of {symbol}")


class AFullDisk(EndToEnd):
    def fill(self, collector):
        """Let the disk be full for the largest file, in the middle of a write, and then for all."""
        collector.send(signal.SIGUSR1)
        collector.wait_for_log("write failed", len(collector.logged("write failed")) + 1)
        collector.send(signal.SIGUSR1)
        count = len(collector.logged("write failed again"))
        collector.wait_for_log("write failed again", count + 5)

    def test_that_is_freed_later_costs_nothing(self):
        """Every row is there once, in order, and nothing is in the ledger, however often the disk was full."""
        self.begin()
        collector = self.collect("--log-level", "DEBUG", module=("tests.frail", f"disk:{MEMORY}"))
        self.wait_for_everything(collector)
        for time_ in range(1, 4):
            self.fill(collector)
            collector.send(signal.SIGUSR2)
            collector.wait_for_log("write works again", time_)
            self.wait_for_everything(collector, now_ms())
        self.stop(collector)
        self.assert_promises(missing=False)

    def test_that_stays_full_longer_than_memory_is_in_the_ledger(self):
        """What memory could not hold is a gap with its ids or times, and everything else is there."""
        self.begin()
        collector = self.collect("--log-level", "DEBUG", module=("tests.frail", f"disk:{LITTLE_MEMORY}"))
        self.wait_for_everything(collector)
        self.fill(collector)
        collector.wait_for_log("rows lost", 6)
        collector.send(signal.SIGUSR2)
        collector.wait_for_log("write works again")
        self.wait_for_everything(collector, now_ms())
        self.stop(collector)
        self.assert_promises(trades_missing=True)
        for symbol in self.symbols:
            gaps = read_gaps(self.folder, symbol)
            self.assertEqual({"overflow"}, {gap.cause for gap in gaps})
            self.assertEqual({PRICES, ORDERBOOK, TRADES}, {gap.stream for gap in gaps})

    def test_at_the_end_fails_the_run_and_harms_no_file(self):
        """A stop that can't write says so by its status, and the next start repairs, fetches the trades and goes on."""
        self.begin()
        collector = self.collect("--log-level", "DEBUG", module=("tests.frail", f"disk:{MEMORY}"))
        self.wait_for_everything(collector)
        self.fill(collector)
        self.assertEqual(1, collector.stop())
        last = collector.lines[-1]
        self.assertRegex(
            last, r"ERROR rows not written files=\d+ rows=[1-9]\d* trades=\d+ bytes=[1-9]\d* next=the_next_start"
        )
        collector = self.collect()
        self.wait_for_everything(collector, now_ms())
        self.stop(collector)
        self.assert_promises()


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
