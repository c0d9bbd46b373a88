"""What a collector had to give up, fetched later from the exchange over real sockets."""

import contextlib
import io

from aster_collect import cli
from tests.support import EndToEnd, now_ms, read_gaps

BTC, ETH = "BTCUSDT", "ETHUSDT"


class Repaired(EndToEnd):
    def repair(self, *options: str) -> tuple[int, str, str]:
        """Repair the folder, and return exit status and output."""
        out, err = io.StringIO(), io.StringIO()
        words = ["repair", str(self.folder), "--rest-url", self.exchange.rest_url, *options]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(words)
        return status, out.getvalue(), err.getvalue()

    def missing(self, symbol: str) -> int:
        """Return how many trades the ledger calls missing."""
        ids = [(gap.first_id, gap.last_id) for gap in read_gaps(self.folder, symbol)]
        return sum(last - first + 1 for first, last in ids if first is not None and last is not None)

    def test_a_pause_that_was_too_long_for_the_start(self) -> None:
        """Trades that a start was told not to fetch are fetched, of one symbol and then of the other."""
        exchange = self.begin()
        self.collect("--backfill-limit", "0")
        self.wait_for_everything(self.collector, now_ms())
        self.stop(self.collector)
        self.collect("--backfill-limit", "0")
        self.wait_for_everything(self.collector, now_ms())
        status, _, err = self.repair()
        self.assertEqual(status, 3)
        self.assertIn("stop that one", err)
        self.stop(self.collector)
        for symbol in (BTC, ETH):
            missing = self.missing(symbol)
            self.assertGreater(missing, 0)
            told = f"{symbol} missing={missing} found={missing} left=0\n"
            self.assertEqual(self.repair("--symbols", symbol), (0, told, ""))
            self.assertEqual(self.missing(symbol), 0)
            self.assert_trades_whole(symbol, exchange.market)
        self.assert_verified()
        self.assertEqual(self.repair(), (0, f"nothing missing folder={self.folder}\n", ""))
