"""The metrics are what Prometheus reads: parsed by its own client's parser, named by its conventions."""

import time
import unittest

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from aster_collect.watch.metrics import metrics_text
from aster_collect.watch.snapshot import DELAY_BOUNDS_S, ConnectionState, Delays, Snapshot, StreamState
from tests.unit.watch.snapshots import NOW_NS, WIDE, snapshot, streams

GOAL_S = 0.01  # for 300 symbols, on a machine that does nothing else
LABELS = {
    "build_info": {"version"},
    "rows": {"symbol", "kind"},
    "frames": {"kind"},
    "gaps": {"symbol", "kind"},
    "last_row_timestamp_seconds": {"symbol", "kind"},
    "last_frame_timestamp_seconds": {"connection"},
    "connection_up": {"connection"},
    "reconnects": {"reason"},
    "held_trades": {"symbol"},
    "missing_trades": {"symbol"},
}
PLAIN = {"start_time_seconds", "queue_batches", "queue_bytes", "pending_bytes", "written_bytes", "free_bytes",
         "write_failing", "rejects", "duplicates", "book_checks",
         "book_mismatches", "clock_offset_seconds",
         "recorded_lines", "recorded_bytes", "lost_lines",
         "clock_offset_uncertainty_seconds"}  # fmt: skip


def parsed(seen: Snapshot) -> dict[str, Metric]:
    """Return the families of a snapshot's metrics by their name without the program's."""
    families = list(text_string_to_metric_families(metrics_text(seen)))
    names = [family.name.removeprefix("aster_collect_") for family in families]
    assert len(names) == len(set(names)), names
    return dict(zip(names, families, strict=True))


def value(family: Metric, **labels: str) -> float:
    """Return the value of the one sample with these labels."""
    (found,) = [sample.value for sample in family.samples if sample.labels == labels]
    return float(found)


class Metrics(unittest.TestCase):
    def test_a_dashboard_finds_each_family(self) -> None:
        """Each family has its help, its type and its labels, and no other is there."""
        families = parsed(snapshot())
        self.assertEqual(set(families), LABELS.keys() | PLAIN | {"receive_delay_seconds"})
        for name, family in families.items():
            self.assertTrue(family.documentation.endswith("."), name)
            self.assertIn(family.type, ("gauge", "counter", "histogram"), name)
            self.assertTrue(family.samples, name)
            if family.type != "histogram":
                for sample in family.samples:
                    self.assertEqual(set(sample.labels), LABELS.get(name, set()), name)

    def test_each_family_is_described_once_before_its_samples(self) -> None:
        """HELP, TYPE and samples of a family stand together in this order, and the last line has its end."""
        text = metrics_text(snapshot())
        self.assertTrue(text.endswith("\n"))
        helped = typed = ""
        seen: set[str] = set()
        for line in text.splitlines():
            words = line.split(" ", 3)
            if words[:2] == ["#", "HELP"]:
                helped = words[2]
                self.assertNotIn(helped, seen)
                seen.add(helped)
            elif words[:2] == ["#", "TYPE"]:
                typed = words[2]
                self.assertEqual(typed, helped)
                self.assertEqual(typed.endswith("_total"), words[3] == "counter", "the parser would make up for it")
            else:
                self.assertRegex(line, rf"^{typed}(_bucket|_sum|_count)?(\{{| )")

    def test_values(self) -> None:
        """The samples have the snapshot's numbers, times in seconds."""
        families = parsed(snapshot(failing_since_ns=5))
        self.assertEqual(value(families["build_info"], version="1.0.0"), 1)
        self.assertEqual(value(families["rows"], symbol=WIDE, kind="trades"), 900)
        self.assertEqual(value(families["frames"], kind="orderbook"), 2000)
        self.assertEqual(value(families["gaps"], symbol="BTCUSDT", kind="trades"), 1)
        self.assertEqual(value(families["last_row_timestamp_seconds"], symbol=WIDE, kind="prices"), 1_795_364_640.073)
        self.assertEqual(value(families["last_frame_timestamp_seconds"], connection="1"), 1_795_364_640.023)
        self.assertEqual([value(families["connection_up"], connection=number) for number in "12"], [1, 0])
        self.assertEqual(value(families["reconnects"], reason="stall"), 2)
        self.assertEqual(value(families["held_trades"], symbol=WIDE), 3)
        self.assertEqual(value(families["missing_trades"], symbol=WIDE), 5)
        self.assertEqual(value(families["clock_offset_seconds"]), -0.0125)
        self.assertEqual(value(families["clock_offset_uncertainty_seconds"]), 0.04)
        self.assertEqual(value(families["start_time_seconds"]), (NOW_NS // 1_000_000 - 3_600_000) / 1000)
        self.assertEqual(value(families["write_failing"]), 1)
        self.assertEqual(value(families["written_bytes"]), 123_456_789)

    def test_what_has_not_happened(self) -> None:
        """A time that has not come is 0, so that an alert on its age fires; an unknown offset is absent."""
        families = parsed(snapshot(clock_offset_ms=None, clock_uncertainty_ms=None))
        self.assertEqual(value(families["last_frame_timestamp_seconds"], connection="2"), 0)
        for name in ("clock_offset_seconds", "clock_offset_uncertainty_seconds"):
            self.assertEqual(families[name].samples, [])
        self.assertEqual(value(families["write_failing"]), 0)

    def test_a_run_with_nothing_yet(self) -> None:
        """Without connections, symbols and reconnects each family is still described."""
        families = parsed(snapshot(connections=[], streams=[], reconnects={}))
        self.assertEqual(set(families), LABELS.keys() | PLAIN | {"receive_delay_seconds"})

    def test_the_histogram_is_one(self) -> None:
        """Buckets are cumulative, end in +Inf, and agree with the count."""
        counts = tuple(range(1, len(DELAY_BOUNDS_S) + 2))
        family = parsed(snapshot(delays=Delays(counts, 42.5)))["receive_delay_seconds"]
        buckets = [(sample.labels["le"], sample.value) for sample in family.samples if sample.name.endswith("_bucket")]
        self.assertEqual([float(bound) for bound, _ in buckets], [*DELAY_BOUNDS_S, float("inf")])
        self.assertEqual([count for _, count in buckets], [sum(counts[: at + 1]) for at in range(len(counts))])
        ends = {sample.name[-5:]: sample.value for sample in family.samples if not sample.labels}
        self.assertEqual(ends, {"s_sum": 42.5, "count": sum(counts)})

    def test_odd_characters_stay_within_their_label(self) -> None:
        """Quotes, backslashes, line ends and braces in a label are read back as they were."""
        odd = ['A"B', "A\\B", "A\\nB", "A\nB", 'A\\"B', 'A"} 1', "A,B{", "币安", "A#B", ""]
        seen = snapshot(
            streams=streams(symbols=tuple(odd)), reconnects=dict.fromkeys(odd, 3), version='1"\\\n',
            connections=[ConnectionState(7, "open", 1, 2, 3, 4)],
        )  # fmt: skip
        families = parsed(seen)
        for symbol in odd:
            self.assertEqual(value(families["rows"], symbol=symbol, kind="prices"), 900)
            self.assertEqual(value(families["reconnects"], reason=symbol), 3)
        self.assertEqual(value(families["build_info"], version='1"\\\n'), 1)

    def test_the_whole_exchange_is_cheap(self) -> None:
        """The text of 300 symbols takes less than ten milliseconds of processor time, at its best of ten."""
        many = [
            StreamState(f"S{number}USDT", kind, 10**6, 10**6, NOW_NS // 10**6, 1, 2, 3)
            for number in range(300)
            for kind in ("prices", "orderbook", "trades")
        ]
        seen = snapshot(streams=many)
        taken = []
        for _ in range(10):
            start = time.process_time()
            metrics_text(seen)
            taken.append(time.process_time() - start)
        self.assertLess(min(taken), GOAL_S)


if __name__ == "__main__":
    unittest.main()
