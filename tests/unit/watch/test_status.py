"""A snapshot in words: the status file is read back whole, a log's line adds up, a terminal's line fits."""

import json
import unittest
from datetime import datetime
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from aster_collect.watch.snapshot import DELAY_BOUNDS_S, ConnectionState, Delays, Snapshot, StreamState, waiting
from aster_collect.watch.status import columns, fit, log_line, rates, status_json, terminal_line

SECOND = 1_000_000_000
NOW_NS = 1_795_364_640_123_456_789
WIDE = "币安人生USDT"


def streams(*, frames: int = 1000, rows: int = 900, symbols: tuple[str, ...] = ("BTCUSDT", WIDE)) -> list[StreamState]:
    """Return three streams a symbol; each one's trades have a gap, a hole of 5 and 3 held behind it."""
    row_ms = NOW_NS // 1_000_000 - 50
    return [
        StreamState(symbol, kind, frames, rows, row_ms, *((1, 5, 3) if kind == "trades" else (0, 0, 0)))
        for symbol in symbols
        for kind in ("prices", "orderbook", "trades")
    ]


def snapshot(**changed: Any) -> Snapshot:
    """Return an hour of a run that goes well, but for what is changed."""
    return Snapshot(
        version="1.0.0",
        pid=4242,
        started_ns=NOW_NS - 3600 * SECOND,
        now_ns=NOW_NS,
        settings={"symbols": ("BTCUSDT", WIDE), "data_dir": Path("ASTER_data"), "flush_interval_s": 5.0},
        connections=[
            ConnectionState(1, "open", NOW_NS - 3600 * SECOND, NOW_NS - SECOND // 10, 123_456, 0),
            ConnectionState(2, "connecting", 0, 0, 0, 2),
        ],
        streams=streams(),
        reconnects={"reset": 1, "stall": 2},
        newest_frame_ns=NOW_NS - SECOND // 10,
        duplicates=7,
        skipped=2,
        book_checks=5,
        book_mismatches=1,
        rejects=4,
        queue_batches=6,
        queue_bytes=4096,
        pending_bytes=12_000,
        written_bytes=123_456_789,
        free_bytes=12_300 << 20,
        min_free_bytes=200 << 20,
        failing_since_ns=0,
        last_error="",
        clock_offset_ms=-12.5,
        clock_uncertainty_ms=40.0,
        clock_off=False,
        delays=Delays((0, 0, 3, 50, 10, 4, 1, 0, 0, 0, 0, 0), 3.4),
        newest={
            symbol: {"price": price}
            for symbol, price in (
                ("BTCUSDT", "68000.10"),
                (WIDE, "0.1234"),
                ("ETHUSDT", "3000.1"),
                ("SOLUSDT", "150.2"),
            )
        },
    )._replace(**changed)


def unbegun(waits_for: str = "nothing is trading") -> Snapshot:
    """Return a minute of waiting at the start, on a disk with 12 GB of room."""
    room = (12_300 << 20, 200 << 20)
    return waiting("1.0.0", 4242, snapshot().settings, NOW_NS - 60 * SECOND, NOW_NS, room, waits_for)


def facts(line: str) -> dict[str, str]:
    """Return a line's `key=value` pairs."""
    return dict(word.split("=", 1) for word in line.split(" "))


class ARunThatHasNotBegun(unittest.TestCase):
    def test_the_status_file_says_what_for(self) -> None:
        """The file is whole, without connections and symbols, and names what is waited for; a run that goes on none."""
        said = json.loads(status_json(unbegun()))
        self.assertEqual(said.keys(), json.loads(status_json(snapshot())).keys())
        self.assertEqual((said["waiting"], said["connections"], said["symbols"]), ("nothing is trading", [], {}))
        self.assertEqual(said["free_bytes"], 12_300 << 20)
        self.assertIsNone(json.loads(status_json(snapshot()))["waiting"])

    def test_the_terminal_says_what_for(self) -> None:
        """The line is what is waited for, and fits."""
        self.assertEqual(terminal_line(unbegun(), None, 79), "WAITING: nothing is trading")
        self.assertEqual(terminal_line(unbegun(), None, 12), "WAITING: not")


class TheStatusFile(unittest.TestCase):
    def test_a_program_reads_back_what_was_said(self) -> None:
        """The file is one JSON object with the snapshot's numbers under the names that a reader expects."""
        seen = snapshot()
        said = json.loads(status_json(seen))
        for name in ("version", "pid", "free_bytes", "min_free_bytes", "written_bytes", "pending_bytes", "last_error",
                     "queue_batches", "queue_bytes", "duplicates", "skipped", "rejects"):  # fmt: skip
            self.assertEqual(said[name], getattr(seen, name), name)
        self.assertEqual((said["newest_prices"]["BTCUSDT"], said["reconnects"]), ("68000.10", seen.reconnects))
        self.assertEqual(said["settings"]["data_dir"], "ASTER_data")
        self.assertEqual(list(said["symbols"]), ["BTCUSDT", WIDE])
        trades = said["symbols"]["BTCUSDT"]["trades"]
        self.assertEqual((trades["gaps"], trades["missing_trades"], trades["held_trades"]), (1, 5, 3))
        self.assertEqual(said["gaps"], 2)

    def test_a_person_finds_one_fact_a_line(self) -> None:
        """Each connection and each kind of a symbol has one line of its own, and a wide symbol is written as itself."""
        lines = status_json(snapshot()).splitlines()
        self.assertEqual(sum('"connection": ' in line for line in lines), 2)
        self.assertEqual(sum('"last_row": ' in line for line in lines), 6)
        self.assertIn(f'  "{WIDE}": {{', lines)

    def test_a_time_is_there_for_both_readers(self) -> None:
        """Each time in ISO 8601 is the same moment as the Unix seconds beside it."""
        said = json.loads(status_json(snapshot(failing_since_ns=NOW_NS - 75 * SECOND)))
        for place, name in (
            *((said, name) for name in ("started", "written", "newest_frame", "failing_since")),
            (said["connections"][0], "opened"),
            (said["connections"][0], "last_frame"),
            (said["symbols"]["BTCUSDT"]["prices"], "last_row"),
        ):
            self.assertAlmostEqual(datetime.fromisoformat(place[name]).timestamp(), place[f"{name}_unix_s"], 3, name)

    def test_what_has_not_happened_is_null(self) -> None:
        """A time that has not come, an offset not yet known and a delay never measured are null, not 1970."""
        empty = snapshot(clock_offset_ms=None, newest_frame_ns=0, delays=Delays((0,) * 12, 0.0))
        said = json.loads(status_json(empty))
        for name in ("failing_since", "failing_since_unix_s", "newest_frame", "newest_frame_unix_s", "clock_offset_ms"):
            self.assertIsNone(said[name], name)
        link = said["connections"][1]
        for name in ("last_frame", "last_frame_unix_s", "last_frame_age_s", "opened", "opened_unix_s"):
            self.assertIsNone(link[name], name)
        self.assertEqual(said["receive_delay"], dict.fromkeys(said["receive_delay"]) | {"batches": 0})

    def test_a_run_with_nothing_yet(self) -> None:
        """A snapshot without connections, streams and prices is an object all the same."""
        said = json.loads(status_json(snapshot(connections=[], streams=[], newest={}, settings={}, reconnects={})))
        self.assertEqual((said["connections"], said["symbols"], said["settings"]), ([], {}, {}))

    def test_an_absurd_time_of_the_exchange(self) -> None:
        """A row's time beyond the calendar has no ISO form and does not end the run."""
        stream = StreamState("BTCUSDT", "trades", 1, 1, 10**18, 0, 0, 0)
        said = json.loads(status_json(snapshot(streams=[stream])))["symbols"]["BTCUSDT"]["trades"]
        self.assertEqual((said["last_row"], said["last_row_unix_s"]), (None, 1e15))

    def test_an_error_with_control_characters(self) -> None:
        """The last error can't steer the terminal on which the file is shown."""
        text = status_json(snapshot(last_error="[Errno 28] \x1b[2J\x9b2J\n\udcff full"))
        self.assertFalse([one for one in text if not one.isprintable() and one != "\n"])
        self.assertIn("full", json.loads(text)["last_error"])

    def test_delays_are_said_as_bounds(self) -> None:
        """The median and the 99th percentile lie within the bound that is said, none past the last bound."""
        said = json.loads(status_json(snapshot()))["receive_delay"]
        self.assertEqual((said["batches"], said["mean_s"]), (68, 0.05))
        self.assertEqual((said["median_at_most_s"], said["p99_at_most_s"]), (0.05, 0.5))
        late = Delays((*(0,) * len(DELAY_BOUNDS_S), 5), 100.0)
        said = json.loads(status_json(snapshot(delays=late)))["receive_delay"]
        self.assertEqual((said["mean_s"], said["median_at_most_s"]), (20.0, None))


class TheLogLine(unittest.TestCase):
    def test_rates_are_those_since_the_earlier_snapshot(self) -> None:
        """A rate is what came since by the seconds since, over all symbols; without an earlier one since the start."""
        before = snapshot(now_ns=NOW_NS - 60 * SECOND, streams=streams(frames=400, rows=600))
        told = facts(log_line(snapshot(), before))
        self.assertEqual((told["prices_rows_per_s"], told["trades_frames_per_s"]), ("10.0", "20.0"))
        told = facts(log_line(snapshot(), None))
        self.assertEqual((told["prices_rows_per_s"], told["trades_frames_per_s"]), ("0.5", "0.6"))

    def test_trades_that_were_fetched_are_no_rate(self) -> None:
        """A thousand trades of the past say nothing of how fast the market is: more rows than frames are not live."""
        before = snapshot(now_ns=NOW_NS - 10 * SECOND, streams=streams(frames=0, rows=0, symbols=("BTCUSDT",)))
        now = snapshot(streams=streams(frames=50, rows=1050, symbols=("BTCUSDT",)))
        self.assertEqual(rates(now, before)["trades"], (5.0, 5.0))

    def test_two_lines_at_the_same_moment(self) -> None:
        """No time between, or a clock set back, makes rates of 0, not an error and not a negative rate."""
        for then_ns in (NOW_NS, NOW_NS + SECOND):
            told = facts(log_line(snapshot(), snapshot(now_ns=then_ns, streams=streams(rows=1))))
            self.assertEqual(told["prices_rows_per_s"], "0.0")

    def test_a_listing_and_a_delisting_between(self) -> None:
        """A symbol that came adds what it brought; one that went takes nothing away."""
        before = snapshot(now_ns=NOW_NS - 10 * SECOND, streams=streams(rows=900, symbols=("BTCUSDT", "OLDUSDT")))
        rate, _ = rates(snapshot(streams=streams(symbols=("BTCUSDT", "NEWUSDT"))), before)["prices"]
        self.assertEqual(rate, 90.0)

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

    def test_a_wide_character_is_never_cut_in_half(self) -> None:
        """A text is cut before the wide character that would cross the edge."""
        self.assertEqual([columns(text) for text in ("", "ab", WIDE)], [0, 2, 12])
        self.assertEqual([fit(WIDE, width) for width in (0, 1, 2, 3, 9, 12)], ["", "", "币", "币", "币安人生U", WIDE])


if __name__ == "__main__":
    unittest.main()
