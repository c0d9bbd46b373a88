"""A snapshot in words: a log's line adds up."""

import unittest

from aster_collect.watch.log_lines import log_line
from tests.unit.watch.snapshots import NOW_NS, SECOND, snapshot, streams


def facts(line: str) -> dict[str, str]:
    """Return a line's `key=value` pairs."""
    return dict(word.split("=", 1) for word in line.split(" "))


class TheLogLine(unittest.TestCase):
    def test_rates_are_those_since_the_earlier_snapshot(self) -> None:
        """A rate is what came since by the seconds since, over all symbols; without an earlier one since the start."""
        before = snapshot(now_ns=NOW_NS - 60 * SECOND, streams=streams(frames=400, rows=600))
        told = facts(log_line(snapshot(), before))
        self.assertEqual((told["prices_rows_per_s"], told["trades_frames_per_s"]), ("10.0", "20.0"))
        told = facts(log_line(snapshot(), None))
        self.assertEqual((told["prices_rows_per_s"], told["trades_frames_per_s"]), ("0.5", "0.6"))

    def test_two_lines_at_the_same_moment(self) -> None:
        """No time between, or a clock set back, makes rates of 0, not an error and not a negative rate."""
        for then_ns in (NOW_NS, NOW_NS + SECOND):
            told = facts(log_line(snapshot(), snapshot(now_ns=then_ns, streams=streams(rows=1))))
            self.assertEqual(told["prices_rows_per_s"], "0.0")

    def test_totals(self) -> None:
        """Reconnects, gaps, held and missing trades are sums over reasons and symbols."""
        told = facts(log_line(snapshot(), None))
        wanted = {"reconnects": "3", "gaps": "2", "rejects": "4", "duplicates": "7", "skipped": "2", "held_trades": "6",
                  "missing_trades": "10", "queue_batches": "6", "pending_bytes": "12000"}  # fmt: skip
        self.assertEqual(wanted | told, told)

    def test_the_newest_frame_has_an_age(self) -> None:
        """The age is in seconds, none before the first frame, and never negative when the clock steps back."""
        for newest_ns, age in ((0, "none"), (NOW_NS - 2_500_000_000, "2.5"), (NOW_NS + 5, "0.0")):
            self.assertEqual(facts(log_line(snapshot(newest_frame_ns=newest_ns), None))["newest_frame_age_s"], age)

    def test_a_misnamed_stream_is_called_by_its_name(self) -> None:
        """A minute after the start the streams that never delivered are counted, and at most five are named."""
        silent = [*streams(frames=0, symbols=("AUSDT", "BUSDT", "CUSDT")), *streams()]
        told = facts(log_line(snapshot(streams=silent), None))
        names = "AUSDT/prices,AUSDT/orderbook,AUSDT/trades,BUSDT/prices,BUSDT/orderbook"
        self.assertEqual((told["never_delivered"], told["never_delivered_streams"]), ("9", names))
        young = snapshot(streams=silent, started_ns=NOW_NS - 59 * SECOND)
        for seen in (young, snapshot()):
            self.assertNotIn("never_delivered", log_line(seen, None))


if __name__ == "__main__":
    unittest.main()
