"""Health is told by the age of the data: what stands still is 1 with its reason, and it says so at once."""

import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

from aster_collect.watch.health import check
from aster_collect.watch.snapshot import ConnectionState, Snapshot
from aster_collect.watch.status import status_json
from tests.unit.watch.snapshots import NOW_NS, SECOND, snapshot, unbegun

NOW_S = NOW_NS / SECOND
OLD_NS = NOW_NS - 3600 * SECOND


def link(number: int, age_s: float | None = 0.1, **changed: Any) -> ConnectionState:
    """Return a connection whose last frame is so old, none for one that never delivered."""
    last_ns = 0 if age_s is None else NOW_NS - int(age_s * SECOND)
    return ConnectionState(number, "open", OLD_NS, last_ns, 1000, 0)._replace(**changed)


class Health(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "status.json"

    def judged(self, seen: Snapshot | str, max_age_s: float = 60.0, later_s: float = 0.0) -> tuple[int, str]:
        """Return the exit status and the lines for a status file, so many seconds after it was written."""
        self.path.write_text(seen if isinstance(seen, str) else status_json(seen), "utf-8")
        return self.looked_at(max_age_s, later_s)

    def looked_at(self, max_age_s: float = 60.0, later_s: float = 0.0) -> tuple[int, str]:
        """Return the exit status and the lines for what is in the folder."""
        status, lines = check(str(self.folder), max_age_s, NOW_S + later_s)
        return status, "".join(f"{line}\n" for line in lines)

    def test_all_is_well(self) -> None:
        """Each connection has delivered: status 0 and one line."""
        status, out = self.judged(snapshot(connections=[link(1), link(2, 59.0)]))
        self.assertEqual((status, out), (0, "healthy: 2 connections delivered within 60 s, newest frame 0.1 s old\n"))

    def test_a_run_that_stopped_or_has_not_begun(self) -> None:
        """After a stop in order, and while the start waits, that is what is wrong, and nothing else."""
        self.assertEqual(self.judged(snapshot(stopped_ns=NOW_NS))[1].partition(" at ")[0], "stopped in order")
        self.assertEqual(self.judged(unbegun()), (1, "waiting: nothing is trading\n"))

    def test_a_start_that_waited_and_was_killed(self) -> None:
        """It does not look as if it still waited: that its file stands still is said first."""
        said = "status.json not written for 90 s\nwaiting: nothing is trading\n"
        self.assertEqual(self.judged(unbegun(), later_s=90.0), (1, said))

    def test_a_connection_that_went_silent_and_came_back(self) -> None:
        """A silent connection is 1 as soon as its last frame is older than the age, and 0 again when it delivers."""
        self.assertEqual(self.judged(snapshot(connections=[link(1), link(2, 59.0)]))[0], 0)
        status, out = self.judged(snapshot(connections=[link(1), link(2, 75.0, state="lost")]))
        self.assertEqual((status, out), (1, "connection 2 silent for 75 s, lost\n"))
        self.assertEqual(self.judged(snapshot(connections=[link(1), link(2)]))[0], 0)

    def test_the_age_goes_on_after_the_file_was_written(self) -> None:
        """The age is counted up to now, not to when the file was written."""
        seen = snapshot(connections=[link(1), link(2, 40.0)])
        self.assertEqual(self.judged(seen, later_s=19.0)[0], 0)
        self.assertEqual(self.judged(seen, later_s=21.0), (1, "connection 2 silent for 61 s, open\n"))

    def test_the_age_is_the_callers(self) -> None:
        """A longer age moves the limit."""
        seen = snapshot(connections=[link(1, 20.0)])
        self.assertEqual(self.judged(seen, 19.0)[0], 1)
        self.assertEqual(self.judged(seen, 21.0)[0], 0)

    def test_a_long_flush_interval_is_no_fault(self) -> None:
        """Where the file is written every five minutes, its age and that of its frames may be two such intervals."""
        seen = snapshot(connections=[link(1)], settings={"flush_interval_s": 300.0})
        self.assertEqual(self.judged(seen, later_s=290.0)[0], 0)
        self.assertEqual(self.judged(seen, later_s=610.0)[0], 1)

    def test_a_collector_that_ended(self) -> None:
        """A file that nobody writes any more is 1 by that alone, whatever the connections were."""
        status, out = self.judged(snapshot(connections=[link(1)]), later_s=90.0)
        self.assertEqual((status, out), (1, "status.json not written for 90 s\n"))

    def test_a_clock_that_was_set_back(self) -> None:
        """A file from far in the future proves nothing."""
        status, out = self.judged(snapshot(connections=[link(1)]), later_s=-3600.0)
        self.assertEqual(status, 1)
        self.assertIn("3600 s in the future", out)
        self.assertEqual(self.judged(snapshot(connections=[link(1)]), later_s=-1.0)[0], 0)

    def test_no_file(self) -> None:
        """A folder without status.json, and a folder that is missing, are 1 with the file's name."""
        self.assertEqual(self.looked_at(), (1, f"{self.path} missing: no collector has written there\n"))
        self.folder = self.folder / "missing"
        self.assertEqual(self.looked_at()[0], 1)

    def test_a_file_that_cannot_be_read(self) -> None:
        """A folder in the file's place is 1 with the system's reason."""
        self.path.mkdir()
        status, out = self.looked_at()
        self.assertEqual(status, 1)
        self.assertIn("unreadable", out)

    def test_a_disk_that_takes_no_rows(self) -> None:
        """Writing that fails is 1 with since when and why, though frames come."""
        seen = snapshot(connections=[link(1)], failing_since_ns=NOW_NS - 75 * SECOND, last_error="No space left")
        status, out = self.judged(seen)
        self.assertEqual((status, out), (1, "writing failing since 2026-11-22T16:22:45.123Z: No space left\n"))

    def test_each_fault_has_its_line(self) -> None:
        """Two silent connections, one that never delivered and a failing disk are four lines."""
        links = [link(1, 61.0), link(2, 75.0), link(3, None, reconnects=1), link(4)]
        status, out = self.judged(snapshot(connections=links, failing_since_ns=OLD_NS))
        self.assertEqual((status, len(out.splitlines())), (1, 4))
        self.assertIn("connection 3 has never delivered, open\n", out)

    def test_a_start_without_data_yet(self) -> None:
        """At the start a connection that has not delivered is 1, and so is a run without connections."""
        young = snapshot(started_ns=NOW_NS - 5 * SECOND)
        for links, said in (
            ([link(1, None, state="connecting", opened_ns=0)], "connection 1 has never delivered, connecting\n"),
            ([link(1), link(2, None, opened_ns=NOW_NS - SECOND)], "connection 2 has never delivered, open\n"),
            ([], "no connections\n"),
        ):
            self.assertEqual(self.judged(young._replace(connections=links)), (1, said))

    def test_a_hand_over_is_no_fault(self) -> None:
        """Late in a run a new connection may take its time on its first try, while another delivers."""
        for new in (
            link(7, None, state="connecting", opened_ns=0),
            link(7, None, opened_ns=NOW_NS - 5 * SECOND),
        ):
            self.assertEqual(self.judged(snapshot(connections=[link(1), new]))[0], 0)
            self.assertEqual(self.judged(snapshot(connections=[new]))[0], 1, "nothing delivers")
            self.assertEqual(self.judged(snapshot(connections=[link(1), new._replace(reconnects=1)]))[0], 1)
        late = link(7, None, opened_ns=NOW_NS - 61 * SECOND)
        self.assertEqual(self.judged(snapshot(connections=[link(1), late]))[0], 1)

    def test_little_disk_is_said(self) -> None:
        """Less free space than wanted is a warning in the line, and no fault by itself."""
        status, out = self.judged(snapshot(connections=[link(1)], free_bytes=100 << 20))
        self.assertEqual((status, out.count("\n")), (0, 1))
        self.assertTrue(out.endswith("; warning: low disk, 100 MB free of the 200 MB wanted\n"), out)
        status, out = self.judged(snapshot(connections=[link(1, 99.0)], free_bytes=100 << 20))
        self.assertEqual((status, out.splitlines()[1:]), (1, ["warning: low disk, 100 MB free of the 200 MB wanted"]))

    def test_a_clock_that_is_off_is_said(self) -> None:
        """It is a warning beside others, and no fault by itself."""
        warning = "warning: clock, the exchange's says -7200.0 s against this machine's"
        off = snapshot(connections=[link(1)], clock_off=True, clock_offset_ms=-7_200_000.0, free_bytes=100 << 20)
        status, out = self.judged(off)
        self.assertEqual((status, out.count("\n")), (0, 1))
        self.assertTrue(out.endswith(f"wanted; {warning}\n"), out)
        status, out = self.judged(off._replace(connections=[link(1, 99.0)]))
        self.assertEqual((status, out.splitlines()[-1]), (1, warning))

    def test_a_file_that_is_something_else(self) -> None:
        """Text that is no JSON, and JSON that is no status, are 1 with one line, never a traceback."""
        good = json.loads(status_json(snapshot(connections=[link(1)])))
        wrong = ["", "{", "\0", "[" * 100_000, "null", "[]", "{}", "1e999", '"x"', status_json(snapshot())[:200]]
        needed = ("settings", "connections", "written_unix_s", "free_bytes", "min_free_bytes")
        wrong += [json.dumps({key: value for key, value in good.items() if key != name}) for name in needed]
        odd: list[object] = [None, "x\ny", [1], float("nan"), float("-inf")]
        wrong += [json.dumps(good | {name: value}) for name in needed for value in odd]
        links = [good["connections"][0] | {"last_frame_unix_s": value} for value in (*odd[1:], {})]
        wrong += [json.dumps(good | {"connections": [one]}) for one in links]
        for text in wrong:
            status, out = self.judged(text)
            self.assertEqual((status, out.count("\n")), (1, 1), text[:300])


if __name__ == "__main__":
    unittest.main()
