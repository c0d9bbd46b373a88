"""Streams are named as the exchange names them, and symbols share few connections within its limits."""

import unittest

from aster_collect.exchange.streams import DEFAULT, KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.exchange.subscribe import Scope, plan_groups, stream_url, streams_of
from aster_collect.exchange.venues import FUTURES, SPOT
from tests.support import rounds

CHINESE = "币安人生USDT"


def scope(*names: str, levels: int = 5, interval_ms: int = 100, every_symbol: bool = False) -> Scope:
    kinds = tuple(kind for name, kind in KINDS.items() if name in (names or DEFAULT))
    return Scope(FUTURES, kinds, Options(levels, interval_ms), every_symbol)


class Names(unittest.TestCase):
    def test_streams_are_lower_case(self) -> None:
        """A symbol's streams are named in lower case, and 250 ms is the speed without a name."""
        self.assertIn("btcusdt@depth10@100ms", streams_of(scope(levels=10), "BTCUSDT"))
        self.assertEqual(
            {"btcusdt@aggTrade", "btcusdt@bookTicker", "btcusdt@depth5"},
            set(streams_of(scope(interval_ms=250), "BTCUSDT")),
        )

    def test_a_symbol_outside_ascii_is_percent_encoded(self) -> None:
        """A URL holds a symbol's UTF-8 bytes percent-encoded, and nothing else is."""
        url = stream_url("wss://host/", [*streams_of(scope("trades"), CHINESE), "!markPrice@arr@1s"])
        self.assertEqual(
            url, "wss://host/stream?streams=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@aggTrade/!markPrice@arr@1s"
        )


class Groups(unittest.TestCase):
    def test_many_symbols_share_few_connections_within_the_limits(self) -> None:
        """Any symbols are divided so that each connection keeps to 200 streams and 8,000 characters, none left out."""
        base = "wss://fstream.asterdex.com"
        for seed, chance in rounds(60):
            with self.subTest(seed=seed):
                count = chance.choice((1, 2, 66, 67, 133, 300))
                alphabet = chance.choice(("ABCDEFGH", "币安人生"))
                names = ["".join(chance.choices(alphabet, k=chance.randrange(1, 40))) + str(i) for i in range(count)]
                asked = scope(*chance.sample(sorted(KINDS), chance.randrange(1, len(KINDS))), levels=20)
                groups = plan_groups(base, asked, names)
                self.assertEqual([name for group in groups for name in group.symbols], names)
                for group in groups:
                    self.assertLessEqual(len(group.streams), 200)
                    self.assertLessEqual(len(stream_url(base, group.streams)), 8000)
                    own = {stream for name in group.symbols for stream in streams_of(asked, name)}
                    ticks = {"btcusdt@markPrice@1s", f"{group.symbols[0].lower()}@markPrice@1s"}
                    self.assertEqual(set(group.streams), own | ticks)

    def test_sixty_six_short_symbols_fit_one_connection(self) -> None:
        """Symbols whose streams just fit share one connection, and one more opens a second."""
        names = [f"A{i}" for i in range(67)]
        self.assertEqual(len(plan_groups("wss://h", scope(), names[:66])), 1)
        self.assertEqual(len(plan_groups("wss://h", scope(), names)), 2)

    def test_what_brings_all_symbols_has_a_connection_of_its_own(self) -> None:
        """One stream stands for hundreds where all symbols are wanted, and where some are each has its own."""
        first, *others = plan_groups("wss://h", scope("mark", "prices", every_symbol=True), ["AUSDT", "BUSDT"])
        self.assertEqual(((), ("!markPrice@arr@1s",)), first)
        self.assertEqual(
            [("btcusdt@markPrice@1s", "ausdt@markPrice@1s", "ausdt@bookTicker", "busdt@bookTicker")],
            [group.streams for group in others],
        )
        (only,) = plan_groups("wss://h", scope("mark"), ["AUSDT"])
        self.assertEqual(("btcusdt@markPrice@1s", "ausdt@markPrice@1s"), only.streams)

    def test_what_ticks_on_spot(self) -> None:
        """There is no mark price there: it is the best bid and offer."""
        (group,) = plan_groups("wss://h", scope("trades")._replace(venue=SPOT), ["AUSDT"])
        self.assertEqual(("btcusdt@bookTicker", "ausdt@bookTicker", "ausdt@aggTrade"), group.streams)


if __name__ == "__main__":
    unittest.main()
