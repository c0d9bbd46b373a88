"""One exchange, and two collectors that each lose something else: merged, only what neither has is missing."""

import unittest
from collections import Counter
from random import Random

from aster_collect.simulator import Fault
from aster_collect.verify import check_folder
from tests import beside
from tests.histories import history, lacked
from tests.support import (
    ORDERBOOK,
    PRICES,
    TRADES,
    Collector,
    EndToEnd,
    Gap,
    now_ms,
    read_gaps,
    rounds,
    time_ms,
)
from tests.unit.commands.calls import call

FAULTS = {"drop": 2, "reset": 1, "skip": 1, "omit": 1, "both": 2, "kill": 1, "stop": 1}
STREAMS = "trades,prices,orderbook,depth,mark"
KINDS = (TRADES, PRICES, ORDERBOOK, "depth", "mark")


class TwoCollectors(EndToEnd):
    is_long = True

    def start(self, number: int) -> None:
        """Let one of the two collect; what it lost of trades it asks for only in part."""
        self.folder = self.folders[number]
        self.running[number] = self.collect(
            "--streams", STREAMS, *self.options[number],
            "--stall-timeout", "2", "--check-interval", "5", "--backfill-limit", "3",
        )  # fmt: skip

    def wait_for_both(self) -> None:
        """Block until each kind of each has a row that was made from now on."""
        since_ms = now_ms()
        for collector in self.running.values():
            for symbol in self.symbols:
                for kind in KINDS:
                    collector.wait_for_rows(kind, symbol, since_ms)

    def trouble(self, fault: str, chance: Random) -> None:
        """Let something happen to one of them, or to both at once."""
        connection = chance.choice([one.number for one in self.exchange.connections])
        if fault in ("kill", "stop"):
            number = chance.choice(list(self.running))
            collector = self.running.pop(number)
            if fault == "kill":
                collector.kill()
            else:
                self.stop(collector)
            self.wait_for_both()
            self.start(number)
        elif fault == "both":
            self.exchange.inject(Fault("drop"))
        elif fault == "skip":
            self.exchange.inject(Fault("skip", count=3, value="@depth@", connection=connection))
        elif fault == "omit":
            self.exchange.inject(Fault("omit", seconds=1.0, connection=connection))
        else:
            self.exchange.inject(Fault(fault, connection=connection))
        self.wait_for_both()

    def test_different_faults(self) -> None:
        """No row is lost or doubled, trades lack what both lack, and the ledger is exactly the intersection."""
        for seed, chance in rounds(1):
            print(f"\nASTER_TEST_SEED={seed}")
            self.begin(("BTCUSDT",), weight_limit=24_000)
            self.folders = [self.base / "one", self.base / "two"]
            self.options = [("--rotate", "hour", "--compress"), ("--diff-interval", "250")]
            self.running: dict[int, Collector] = {}
            faults = [name for name, count in FAULTS.items() for _ in range(count)]
            chance.shuffle(faults)
            for number in (0, 1):
                self.start(number)
                self.wait_for_both()
            for fault in faults:
                self.trouble(fault, chance)
            for number in (0, 1):
                self.stop(self.running.pop(number))
            for folder in self.folders:
                report = check_folder(folder)
                self.assertEqual(report.reasons, {})
            self.folder = self.base / "merged"
            ended = call("merge", *map(str, self.folders), "--into", str(self.folder), "--rotate", "none")
            self.assertEqual(ended.status, 0, ended)
            self.assert_promises(trades_missing=True)
            for symbol in self.symbols:
                self.assert_rows(symbol)
                self.assert_ledger_is_intersection(symbol)
            self.assert_goes_on()

    def assert_rows(self, symbol: str) -> None:
        """Fail unless each row that any has is there, and no other; the full book has its own proof.

        Each is there as often as one has it who has most of them: quotes can look the same.
        """
        for kind in (TRADES, PRICES, ORDERBOOK, "mark"):
            rows = Counter(history(self.folder, kind, symbol))
            theirs = Counter[str]()
            for folder in self.folders:
                theirs |= Counter(history(folder, kind, symbol))
            self.assertEqual(rows - theirs, Counter(), f"{kind} of {symbol}")
            self.assertEqual(theirs - rows, Counter(), f"{kind} of {symbol}")

    def assert_ledger_is_intersection(self, symbol: str) -> None:
        """Fail unless the ledger tells of ids that no folder has, and of the times that both lack, and no others."""
        gaps = read_gaps(self.folder, symbol)
        ids = [int(row.partition(",")[0]) for row in history(self.folder, TRADES, symbol)]
        listed = [number for gap in gaps if gap.first_id for number in range(gap.first_id, (gap.last_id or 0) + 1)]
        self.assertEqual(sorted([*ids, *listed]), list(range(ids[0], ids[-1] + 1)))
        ledgers = [read_gaps(folder, symbol) for folder in self.folders]
        for name in (PRICES, ORDERBOOK, "depth", "mark"):
            histories = [history(folder, name, symbol) for folder in self.folders]
            extents = [(time_ms(rows[0], name), time_ms(rows[-1], name)) for rows in histories]
            self.assertEqual(lacked(extents, [stretches(one, name) for one in ledgers], stretches(gaps, name)), [])

    def assert_goes_on(self) -> None:
        """Fail unless a collector goes on where the merged files end, and tells of the time between."""
        before = read_gaps(self.folder, self.symbols[0])
        self.running[0] = self.collect("--streams", STREAMS)
        self.wait_for_both()
        self.stop(self.running.pop(0))
        self.assert_verified()
        new = read_gaps(self.folder, self.symbols[0])[len(before) :]
        self.assertEqual({gap.cause for gap in new}, {"restart"})


def stretches(gaps: list[Gap], kind: str) -> list[tuple[int, int]]:
    """Return the times that a ledger tells of a kind."""
    return [(gap.from_ms, gap.to_ms) for gap in gaps if gap.stream == kind and gap.first_id is None]


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
