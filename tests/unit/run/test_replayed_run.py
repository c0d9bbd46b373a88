"""One run replayed does what its entries tell of, in files of its own."""

import logging
import tempfile
import unittest
from pathlib import Path

from aster_collect.exchange.events import Answer, Ask, Batch, Wanted
from aster_collect.order.entries import Again, Begin, Close, Entry, Moment, Run, Unrecorded
from aster_collect.run.found import Found
from aster_collect.run.moments import Moments
from aster_collect.run.replayed_run import ReplayedRun
from aster_collect.settings import Settings
from tests.unit.run.test_found import START_MS, quote

OLD, NEW = Wanted(1, 1, ("BTCUSDT",)), Wanted(2, 2, ("BTCUSDT", "ETHUSDT"))


class ReplayedRuns(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.now_ms = START_MS
        self.found = Found(self.folder)
        self.found.run(0, alike=True)
        moments = Moments(lambda: self.now_ms / 1000, lambda: self.now_ms * 1_000_000)
        self.settings = Settings(("BTCUSDT",), streams=("prices",), data_dir=self.folder, sync=False)
        self.run_again = ReplayedRun(self.settings, self.found, moments)
        self.addCleanup(self.run_again.end)
        self.take(Begin("BTCUSDT", True, {}, {}), OLD)

    def take(self, *entries: Entry) -> None:
        for entry in entries:
            self.now_ms += 100
            self.run_again.take(entry)

    def bring(self, connection: int, number: int) -> None:
        frame, at = quote(number, self.now_ms - START_MS), Moment(self.now_ms / 1000, self.now_ms * 1_000_000)
        self.take(Batch(connection, at.ns, at.s, frame, [0, len(frame)]))

    def prices(self) -> int:
        return len((self.folder / "prices_BTCUSDT.csv").read_text("ascii").splitlines()) - 1

    def lose(self) -> None:
        run = Run("1.2.0", self.settings.told(), ("BTCUSDT", "ETHUSDT"), 0)
        begun = [Again(Begin(symbol, True, {}, {})) for symbol in ("BTCUSDT", "ETHUSDT")]
        self.take(Unrecorded(9, self.now_ms * 1_000_000, self.now_ms * 1_000_000, False), Again(run), *begun)
        self.take(Again(NEW))

    def test_a_hand_over_that_the_record_lacks(self) -> None:
        """Connections that are not said again have ended; what they bring is left out, and that of new ones is not."""
        self.lose()
        self.bring(2, 1)
        self.bring(1, 2)
        self.assertEqual(self.run_again.carried.known, {2})
        self.take(Close())
        self.assertEqual((self.prices(), self.run_again.rows), (1, 1))

    def test_a_listing_that_the_record_lacks(self) -> None:
        """The symbol's files are begun with the next thing that is new, and no other's are begun again."""
        self.lose()
        self.assertFalse((self.folder / "prices_ETHUSDT.csv").exists())
        self.run_again.go_on()
        self.assertTrue((self.folder / "prices_ETHUSDT.csv").exists())
        self.assertEqual(self.found.notes, ["the record lacks 9 lines; the ledger tells of their time"])

    def test_what_is_said_again_at_an_hour(self) -> None:
        """It changes nothing: no connection ends that is not among it."""
        self.take(Again(NEW))
        self.bring(1, 1)
        self.assertEqual(self.run_again.carried.known, {1})

    def test_an_answer_of_a_kind_that_is_not_asked_for_now(self) -> None:
        """It is left out."""
        self.take(Answer(Ask("/fapi/v1/aggTrades", (), 0, "trades", "BTCUSDT", 1), 1, 1, [{}]), Close())
        self.assertEqual((self.run_again.rows, self.prices()), (0, 0))

    def test_the_rest_of_a_run_that_began_within_the_record(self) -> None:
        """All that came is written, though no turn was due."""
        self.bring(1, 1)
        self.assertEqual(self.prices(), 0)
        self.run_again.write_rest()
        self.assertEqual(self.prices(), 1)


if __name__ == "__main__":
    unittest.main()
