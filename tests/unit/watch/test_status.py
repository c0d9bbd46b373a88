"""A snapshot in words: the status file is read back whole, by a program and by a person."""

import json
import unittest
from datetime import datetime

from aster_collect.watch.snapshot import DELAY_BOUNDS_S, Delays, StreamState
from aster_collect.watch.status import status_json
from tests.unit.watch.snapshots import NOW_NS, SECOND, WIDE, snapshot, unbegun


class ARunThatHasNotBegun(unittest.TestCase):
    def test_the_status_file_says_what_for(self) -> None:
        """The file is whole, without connections and symbols, and names what is waited for; a run that goes on none."""
        said = json.loads(status_json(unbegun()))
        self.assertEqual(said.keys(), json.loads(status_json(snapshot())).keys())
        self.assertEqual((said["waiting"], said["connections"], said["symbols"]), ("nothing is trading", [], {}))
        self.assertEqual(said["free_bytes"], 12_300 << 20)
        self.assertIsNone(json.loads(status_json(snapshot()))["waiting"])


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


if __name__ == "__main__":
    unittest.main()
