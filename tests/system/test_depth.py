"""The full book over sockets and processes: the file rebuilds the exchange's own, or the ledger says that it can't."""

import csv
import time
import unittest
from collections.abc import Iterator
from decimal import Decimal

from aster_collect.simulator import Fault
from tests import beside
from tests.support import EndToEnd, now_ms, read_gaps, rounds

KILLS = 20
LATEST_S = 1.2
FAULTS = {"drop": 6, "reset": 6, "stall": 3, "close": 5, "cut": 5, "skip": 5}
HAND_OVERS = 10
SNAPSHOT_LEVELS = 1000
LOOKED_AT = 7  # each seventh row is held against the exchange's book, which it has to work out

Side = dict[Decimal, str]


class FullBooks(EndToEnd):
    is_long = True

    def collect_books(self, *options: str) -> None:
        """Collect all that shows the book, with a flush each third of a second."""
        streams = ("--streams", "trades,prices,orderbook,depth", "--quantities", "--flush-interval", "0.3")
        self.collect(*streams, *options)

    def wait_for_books(self, since_ms: int = 0) -> None:
        """Block until each file of full books has a row from a time on."""
        for symbol in self.symbols:
            self.collector.wait_for_rows("depth", symbol, since_ms)

    def assert_books(self) -> int:
        """Fail unless verify holds, and rebuilt books are the exchange's; return how many gaps there are."""
        self.assert_verified()
        holes = 0
        for symbol in self.symbols:
            listing = self.exchange.market.listing(symbol)
            assert listing is not None
            held = 0
            for number, (update_id, ours, ends) in enumerate(self.rebuilt(symbol)):
                if number % LOOKED_AT:
                    continue
                held += 1
                for sign, mine, theirs, end in zip((1, -1), ours, listing.book_at(update_id), ends, strict=True):
                    shown = {Decimal(price): quantity for price, quantity in theirs.items()}
                    near = {price for price in mine.keys() | shown.keys() if end is None or sign * (price - end) >= 0}
                    odd = [
                        (price, mine.get(price), shown.get(price))
                        for price in near
                        if mine.get(price) != shown.get(price)
                    ]
                    self.assertEqual([], odd, f"{symbol} at {update_id}")
            self.assertGreater(held, 0)
            holes += sum(gap.stream == "depth" for gap in read_gaps(self.folder, symbol))
        return holes

    def rebuilt(self, symbol: str) -> Iterator[tuple[int, tuple[Side, Side], list[Decimal | None]]]:
        """Yield at each row its id, both sides, and how far they are known."""
        sides: tuple[Side, Side] = ({}, {})
        ends: list[Decimal | None] = [None, None]
        with (self.folder / f"depth_{symbol}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                for place, (side, text) in enumerate(zip(sides, (row["bids"], row["asks"]), strict=True)):
                    levels = [level.split(" ") for level in text.split(";")] if text else []
                    if not row["previous_update_id"]:
                        side.clear()
                        ends[place] = Decimal(levels[-1][0]) if len(levels) >= SNAPSHOT_LEVELS else None
                    for price, quantity in levels:
                        side[Decimal(price)] = quantity
                        if not Decimal(quantity):
                            del side[Decimal(price)]
                yield int(row["update_id"]), sides, ends

    def test_twenty_kills_under_load(self) -> None:
        """Each start begins with a snapshot, and the time between is in the ledger."""
        for seed, chance in rounds(1):
            print(f"\nASTER_TEST_SEED={seed}")
            self.begin(rate=1500, weight_limit=24_000)
            self.collect_books()
            self.wait_for_books()
            for _ in range(KILLS):
                self.collector.kill()
                self.collect_books()
                time.sleep(chance.uniform(0, LATEST_S))
            self.wait_for_books(now_ms())
            self.stop(self.collector)
            self.assertGreater(self.assert_books(), 0)

    def test_thirty_faults_and_a_comparison_every_few_seconds(self) -> None:
        """What did not come is a hole, and the book is had again; no comparison ever finds another book."""
        for seed, chance in rounds(1):
            print(f"\nASTER_TEST_SEED={seed}")
            faults = [name for name, count in FAULTS.items() for _ in range(count)]
            chance.shuffle(faults)
            exchange = self.begin(weight_limit=24_000)  # else the weight of a minute is soon spent
            self.collect_books("--stall-timeout", "2", "--check-interval", "5")
            self.wait_for_books()
            for fault in faults:
                number = exchange.connections[-1].number
                if fault == "skip":
                    exchange.inject(Fault("skip", count=3, value="@depth@"))
                else:
                    exchange.inject(Fault(fault))
                    self.collector.wait_for(
                        lambda number=number: self.flows_again(number),
                        f"a connection after {fault}",
                    )
                self.wait_for_books(now_ms())
            self.stop(self.collector)
            self.assertGreater(self.assert_books(), 0)
            causes = {gap.cause for symbol in self.symbols for gap in read_gaps(self.folder, symbol)}
            self.assertNotIn("mismatch", causes)

    def flows_again(self, number: int) -> bool:
        """Return whether a later connection brings frames."""
        return any(one.number > number and one.frames for one in self.exchange.connections)

    def test_ten_hand_overs_leave_no_hole(self) -> None:
        """The old connection is read until the new one brings what follows."""
        exchange = self.begin()
        self.collect_books("--max-connection-age", "2")
        self.wait_for_books()
        self.collector.wait_for(lambda: exchange.connections[-1].number > HAND_OVERS, "the last hand-over")
        self.wait_for_books(now_ms())
        self.stop(self.collector)
        self.assertEqual(self.assert_books(), 0)


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
