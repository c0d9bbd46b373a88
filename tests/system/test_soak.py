"""A long run under load: memory stays flat, and nothing is lost. ASTER_SOAK_SECONDS=3600 makes it an hour."""

import json
import os
import statistics
import subprocess
import time
import unittest
from pathlib import Path

from tests import beside
from tests.support import PRICES, EndToEnd, now_ms, read_rows, time_ms

SECONDS = float(os.environ.get("ASTER_SOAK_SECONDS") or 60)
RATE = 5000
GROWTH = 1.10
SAMPLES = 20  # around the end of the first third, and at the end: what is written at a flush comes and goes
SAMPLE_S = SECONDS / 300


def resident_kb(pid: int) -> int:
    """Return the resident size of a process."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1])
    return int(subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True).stdout)


class ASoak(EndToEnd):
    is_long = True

    def test_at_five_thousand_frames_a_second_keeps_memory_flat(self):
        """The resident size at the end is at most a tenth above that at one third, and every row is there."""
        exchange = self.begin(("BTCUSDT", "ETHUSDT", "ASTERUSDT", "USD1USDT"), RATE, record=False)
        collector = self.collect("--flush-interval", "1", "--history", "1000")
        self.wait_for_everything(collector)
        status = self.folder / "status.json"
        collector.wait_for(status.exists, "status.json")
        sizes, behind_kb = [], 0.0
        began_s, began_ms, frames = time.monotonic(), now_ms(), exchange.sent_count
        while (now_s := time.monotonic()) < began_s + SECONDS:
            sizes.append(resident_kb(collector.process.pid))
            behind_kb = max(behind_kb, json.loads(status.read_text("utf-8"))["queue_bytes"] / 1024)
            due_s = now_s + SAMPLE_S
            collector.wait_for(lambda due_s=due_s: time.monotonic() > due_s, "the next look", SAMPLE_S + 30)
        sent = exchange.sent_count - frames
        self.wait_for_everything(collector, now_ms())
        collector.wait_for_log("INFO status ")  # one a minute
        self.stop(collector)
        self.assertGreater(sent, 0.95 * RATE * SECONDS)
        third = len(sizes) // 3
        before, after = statistics.median(sizes[third - SAMPLES : third]), statistics.median(sizes[-SAMPLES:])
        told = f"kB at one third {before}, at the end {after}, waiting at most {behind_kb}"
        self.assertLessEqual(after, GROWTH * before + behind_kb, told)  # on a busy machine it may be behind for a while
        odd = [line for line in collector.lines if " INFO " not in line and "inbox full" not in line]
        self.assertEqual([], odd)
        self.assert_promises(missing=False)
        for symbol in self.symbols:
            first = next(read_rows(self.folder / f"{PRICES}_{symbol}.csv"))
            self.assertLessEqual(time_ms(first, PRICES), began_ms)


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
