"""Which symbols share their connections is found out from what the connections are wanted for."""

import unittest

from aster_collect.exchange.events import Wanted
from aster_collect.order.bundle import MARGIN_MS, Bundle, Stretch
from aster_collect.order.carriers import Carriers

START_MS = 1_764_000_000_000


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.carriers = Carriers()

    def want(self, connection: int, *symbols: str) -> None:
        self.carriers.wanted(Wanted(connection, 1, symbols))

    def deliver(self, connection: int, after_s: float) -> list[Stretch]:
        """Let a connection deliver so long after the start; return the outages that this ends."""
        now_ms = START_MS + int(after_s * 1000)
        told = [bundle.frames(connection, now_ms, now_ms, after_s, now_ms) for bundle in self.carriers.of(connection)]
        return [stretch for stretch in told if stretch is not None]

    def end(self, connection: int) -> None:
        self.assertEqual(list(self.carriers.lost(connection, True)), [])

    def of(self, symbol: str) -> Bundle:
        bundle = self.carriers.of_symbol(symbol)
        assert bundle is not None
        return bundle

    def shared(self) -> list[set[str]]:
        """Return the symbols that share their connections."""
        return [set(bundle.symbols) for bundle in self.carriers.bundles]


class HandOver(Case):
    def test_a_successor_of_several(self) -> None:
        """Symbols that were listed at different hours share their connections once their common successor is alone."""
        for number, symbol in enumerate("ABC", 1):
            self.want(number, symbol)
            self.deliver(number, float(number))
        self.want(4, "A", "B", "C")
        self.deliver(4, 10.0)
        for number in (1, 2, 3):
            self.deliver(number, 11.0)
            self.end(number)
        self.assertEqual(self.shared(), [{"A", "B", "C"}])
        self.assertEqual(self.of("C").connections, {4})
        self.assertEqual(len(self.carriers.of(4)), 1)

    def test_two_connections_at_all_times(self) -> None:
        """Where two carry everything, symbols share their connections once both successors do."""
        for connection, symbol in enumerate("AABB", 1):
            self.want(connection, symbol)
            self.deliver(connection, 1.0)
        for successor, formers in ((5, (1, 3)), (6, (2, 4))):
            self.assertEqual(self.shared(), [{"A"}, {"B"}])
            self.want(successor, "A", "B")
            self.deliver(successor, 10.0)
            for number in (1, 2, 3, 4):
                self.deliver(number, 11.0)
            for number in formers:
                self.end(number)
        self.assertEqual(self.shared(), [{"A", "B"}])
        self.assertEqual(self.of("A").connections, {5, 6})

    def test_a_successor_that_delivers_too_late(self) -> None:
        """Symbols whose connections ended before keep what each of them missed."""
        for connection, symbol in enumerate("AB", 1):
            self.want(connection, symbol)
            self.deliver(connection, float(connection))
        self.want(3, "A", "B")
        self.end(1)
        self.end(2)
        self.assertEqual(self.shared(), [{"A"}, {"B"}])
        starts = [stretch.from_ms - START_MS for stretch in self.deliver(3, 60.0)]
        self.assertEqual(starts, [1000 - MARGIN_MS, 2000 - MARGIN_MS])


class Delisted(Case):
    def setUp(self) -> None:
        super().setUp()
        self.want(1, "A", "B")
        self.deliver(1, 0.0)
        self.want(2, "A")
        self.deliver(2, 100.0)
        self.deliver(1, 101.0)
        self.end(1)

    def test_a_symbol_that_a_successor_leaves_out(self) -> None:
        """It has no connection any more, and the others have theirs."""
        self.assertEqual((self.of("A").down, self.of("B").down), (False, True))
        self.assertEqual((self.of("A").connections, self.of("B").connections), ({2}, frozenset()))

    def test_it_is_listed_again(self) -> None:
        """Its new connection covers nothing but it, and the time between was not covered."""
        self.want(3, "B")
        [outage] = self.deliver(3, 5000.0)
        self.assertAlmostEqual(outage.from_ms, START_MS + 101_000, delta=1000)
        self.assertAlmostEqual(outage.to_ms, START_MS + 5_000_000, delta=1000)
        self.assertEqual((self.of("A").connections, self.of("B").connections), ({2}, {3}))


if __name__ == "__main__":
    unittest.main()
