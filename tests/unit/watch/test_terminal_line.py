"""A snapshot in words: a terminal's line fits, and what matters stays on it."""

import unittest
from unicodedata import east_asian_width

from aster_collect.watch.snapshot import Delays, StreamState
from aster_collect.watch.terminal_line import terminal_line
from tests.unit.watch.snapshots import NOW_NS, SECOND, WIDE, snapshot, streams, unbegun


class ARunThatHasNotBegun(unittest.TestCase):
    def test_the_terminal_says_what_for(self) -> None:
        """The line is what is waited for, and fits."""
        self.assertEqual(terminal_line(unbegun(), None, 79), "WAITING: nothing is trading")
        self.assertEqual(terminal_line(unbegun(), None, 12), "WAITING: not")


class TheTerminalLine(unittest.TestCase):
    def setUp(self) -> None:
        nothing = Delays((0,) * 12, 0.0)
        self.before = snapshot(now_ns=NOW_NS - 10 * SECOND, streams=streams(frames=0, rows=0), delays=nothing)

    def test_a_wide_terminal_shows_everything(self) -> None:
        """Where there is room the line has the rates, four prices, delay, gaps, reconnects, queue and disk."""
        wanted = (
            f"prices 180/s  orderbook 180/s  trades 180/s  BTCUSDT 68000.10  {WIDE} 0.1234  ETHUSDT 3000.1  "
            "SOLUSDT 150.2  delay 50 ms  gaps 2  reconnects 3  queue 6  free 12.0 GB"
        )
        self.assertEqual(terminal_line(snapshot(), self.before, 300), wanted)

    def test_no_width_is_too_small(self) -> None:
        """At every width the line takes at most so many columns, and a wider one never shows less."""
        bad = snapshot(failing_since_ns=NOW_NS - 75 * SECOND, free_bytes=5 << 20, newest_frame_ns=0)
        for seen in (snapshot(), bad, snapshot(newest={WIDE * 3: {"price": "1"}}, connections=[], streams=[])):
            shown = -1
            for width in range(260):
                line = terminal_line(seen, self.before, width)
                taken = sum(2 if east_asian_width(one) in "WF" else 1 for one in line)
                self.assertLessEqual(taken, width)
                if width > 40:
                    self.assertGreaterEqual(len(line.split("  ")), shown)
                    shown = len(line.split("  "))

    def test_the_least_important_goes_first(self) -> None:
        """On 80 columns rates, gaps and the first price are left; on 40 the rates of all kinds."""
        line = terminal_line(snapshot(), self.before, 80)
        for part in ("prices 180/s", "orderbook 180/s", "trades 180/s", "BTCUSDT 68000.10", "gaps 2"):
            self.assertIn(part, line)
        self.assertNotIn("ETHUSDT", line)
        self.assertEqual(terminal_line(snapshot(), self.before, 43), "prices 180/s  orderbook 180/s  trades 180/s")

    def test_the_first_price_stays_where_its_mark_has_no_room(self) -> None:
        """The mark price and the funding rate stand behind it on a wide terminal, and go before it on a narrow one."""
        shown = {"BTCUSDT": {"price": "68000.10", "mark_price": "68001.5", "funding_rate": "-0.0001"}}
        wide, narrow = (terminal_line(snapshot(newest=shown), self.before, width) for width in (200, 80))
        self.assertIn("BTCUSDT 68000.10  mark 68001.5 funding -0.0001", wide)
        self.assertIn("BTCUSDT 68000.10", narrow)
        self.assertNotIn("mark", narrow)

    def test_what_is_of_the_whole_folder_is_not_the_first(self) -> None:
        """Kinds stand in the order of the table, so that a narrow terminal has prices, and not what changes seldom."""
        listed = StreamState("", "universe", 46, 46, 0, 0, 0, 0)
        line = terminal_line(snapshot(streams=[listed, *streams()]), self.before, 43)
        self.assertEqual(line, "prices 180/s  orderbook 180/s  trades 180/s")

    def test_trouble_stays_on_a_narrow_terminal(self) -> None:
        """A failing disk, a silent feed and little space are told before any rate."""
        failing = snapshot(failing_since_ns=NOW_NS - 75 * SECOND)
        self.assertEqual(terminal_line(failing, None, 20), "WRITE FAILING 75 s")
        silent = snapshot(newest_frame_ns=NOW_NS - 12 * SECOND, free_bytes=5 << 20)
        self.assertEqual(terminal_line(silent, None, 26), "SILENT 12 s  LOW DISK 5 MB")
        self.assertIn("no data yet", terminal_line(snapshot(newest_frame_ns=0), None, 80))
        off = snapshot(clock_off=True, clock_offset_ms=7_200_012.5)
        self.assertEqual(terminal_line(off, None, 16), "CLOCK +7200.0 s")

    def test_the_delay_is_that_of_late(self) -> None:
        """The delay is the mean since the earlier snapshot, and is left out when nothing came."""
        before = snapshot(delays=Delays((68, *(0,) * 11), 0.1))
        after = snapshot(delays=Delays((68, *(0,) * 10, 2), 3.1))
        self.assertIn("delay 1.5 s", terminal_line(after, before, 300))
        self.assertNotIn("delay", terminal_line(before, before, 300))

    def test_a_price_that_is_not_known(self) -> None:
        """A symbol without a quote yet takes no room."""
        line = terminal_line(snapshot(newest={"BTCUSDT": {}, "ETHUSDT": {"price": "3000.1"}}), None, 300)
        self.assertNotIn("BTCUSDT", line)
        self.assertIn("ETHUSDT 3000.1", line)

    def test_numbers_stay_short(self) -> None:
        """Large rates are in thousands, small ones have a decimal, and disks are in their own unit."""
        for rows, told in ((0, "0/s"), (5, "0.5/s"), (1234, "123/s"), (123_456, "12.3k/s")):
            seen = snapshot(streams=streams(frames=rows, rows=rows, symbols=("BTCUSDT",)))
            self.assertIn(f"prices {told} ", terminal_line(seen, self.before, 300))
        for size, told in ((3 << 40, "3.0 TB"), (1 << 30, "1.0 GB"), (999 << 20, "999 MB")):
            self.assertIn(f"free {told}", terminal_line(snapshot(free_bytes=size), None, 300))


if __name__ == "__main__":
    unittest.main()
