"""A batch's events go to the lanes that its connection carries, and what can't be read is kept apart."""

import json
import unittest

from aster_collect.exchange.events import Batch
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Event, Options
from aster_collect.exchange.subscribe import Scope
from aster_collect.exchange.venues import FUTURES
from aster_collect.order.intake import Intake
from aster_collect.order.seen import Seen

START_MS = 1_764_000_000_000


def mark(symbol: str, after_ms: int = 0) -> dict[str, object]:
    return {"stream": f"{symbol.lower()}@markPrice@1s", "data": {"e": "markPriceUpdate", "E": START_MS + after_ms,
            "s": symbol, "p": "1.5", "i": "1.5", "r": "", "T": 0}}  # fmt: skip


def trade(symbol: str, made_ms: int = 0, sent_ms: int = 5) -> dict[str, object]:
    return {"stream": f"{symbol.lower()}@aggTrade", "data": {"e": "aggTrade", "E": START_MS + sent_ms, "s": symbol,
            "a": 7, "p": "1", "q": "2", "f": 1, "l": 1, "T": START_MS + made_ms, "m": False}}  # fmt: skip


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.came: dict[tuple[str, str], list[Event]] = {}

    def intake(self, *kinds: str, every_symbol: bool = False) -> Intake:
        self.kinds = tuple(KINDS[name] for name in kinds)
        return Intake(Scope(FUTURES, self.kinds, Options(), every_symbol))

    def begin(self, intake: Intake, *symbols: str) -> None:
        for symbol in symbols:
            lists: dict[str, list[Event]] = {kind.name: [] for kind in self.kinds}
            self.came |= {(name, symbol): events for name, events in lists.items()}
            intake.begin(symbol, {kind: lists[kind.name].append for kind in self.kinds})

    def bring(self, intake: Intake, connection: int, *frames: object) -> Seen:
        messages = [json.dumps(frame, separators=(",", ":"), ensure_ascii=False).encode() for frame in frames]
        bounds = [at for end in range(len(messages)) for at in (len(b"".join(messages[:end])), 0)]
        bounds[1::2] = [len(b"".join(messages[: end + 1])) for end in range(len(messages))]
        return intake.take(Batch(connection, START_MS * 1_000_000, 0.0, b"".join(messages), bounds), begins=False)

    def counts(self) -> dict[tuple[str, str], int]:
        return {where: len(events) for where, events in self.came.items() if events}


class Carried(Case):
    def test_what_ticks_of_another_connections_symbol(self) -> None:
        """Every connection listens to the mark price of one symbol: it is an event of that symbol's connection only."""
        intake = self.intake("mark")
        self.begin(intake, "BTCUSDT", "ETHUSDT")
        intake.expect(1, ["BTCUSDT"])
        intake.expect(2, ["ETHUSDT"])
        for connection in (1, 2):
            seen = self.bring(intake, connection, mark("BTCUSDT"), mark("ETHUSDT"))
            self.assertEqual((seen.newest_ms, seen.lag_ms, seen.odd), (START_MS, None, []))
        self.assertEqual(self.counts(), {("mark", "BTCUSDT"): 1, ("mark", "ETHUSDT"): 1})

    def test_what_ticks_beside_the_stream_that_brings_all(self) -> None:
        """A kind of which one stream brings all symbols comes over no other connection; all other kinds do."""
        intake = self.intake("mark", "trades", every_symbol=True)
        self.begin(intake, "BTCUSDT")
        intake.expect(1, [])
        intake.expect(2, ["BTCUSDT"])
        for connection in (1, 2):
            together = {"stream": "!markPrice@arr@1s", "data": [mark("BTCUSDT")["data"], mark("XUSDT")["data"]]}
            self.bring(intake, connection, together if connection == 1 else mark("BTCUSDT"), trade("BTCUSDT"))
        self.assertEqual(self.counts(), {("mark", "BTCUSDT"): 1, ("trades", "BTCUSDT"): 1})

    def test_a_symbol_whose_files_are_opened_late(self) -> None:
        """What comes before is no reject, and what comes after is taken."""
        intake = self.intake("trades")
        intake.expect(1, ["BTCUSDT"])
        self.assertEqual(self.bring(intake, 1, trade("BTCUSDT")).odd, [])
        self.begin(intake, "BTCUSDT")
        self.bring(intake, 1, trade("BTCUSDT"))
        self.assertEqual(self.counts(), {("trades", "BTCUSDT"): 1})

    def test_a_connection_that_has_ended(self) -> None:
        """Its successor brings the same symbols, and it is forgotten."""
        intake = self.intake("trades")
        self.begin(intake, "BTCUSDT")
        intake.expect(1, ["BTCUSDT"])
        intake.expect(2, ["BTCUSDT"])
        intake.ended(1)
        self.bring(intake, 2, trade("BTCUSDT"))
        self.assertEqual(self.counts(), {("trades", "BTCUSDT"): 1})


class Odd(Case):
    def test_what_can_not_be_read(self) -> None:
        """It is kept with its reason, and the frames beside it are taken."""
        intake = self.intake("trades")
        self.begin(intake, "BTCUSDT")
        intake.expect(1, ["BTCUSDT"])
        seen = self.bring(intake, 1, {"what": "else"}, trade("BTCUSDT"), trade("NOBODYUSDT"))
        self.assertEqual([bad.data[:9] for bad in seen.odd], [b'{"what":"', b'{"stream"'])
        self.assertEqual(seen.newest_ms, START_MS + 5)
        self.assertEqual(self.counts(), {("trades", "BTCUSDT"): 1})


class Lags(Case):
    def test_by_how_much_the_exchange_lags(self) -> None:
        """A frame of any shape says it, one that has one time alone says nothing."""
        intake = self.intake("trades", "mark")
        self.begin(intake, "BTCUSDT", "币安人生USDT")
        intake.expect(1, ["BTCUSDT", "币安人生USDT"])
        for frames, lag_ms in (
            ([trade("BTCUSDT", 0, 3000)], 3000),
            ([mark("BTCUSDT"), trade("币安人生USDT", 0, 2000)], 2000),
            ([mark("BTCUSDT")], None),
        ):
            self.assertEqual(self.bring(intake, 1, *frames).lag_ms, lag_ms)


if __name__ == "__main__":
    unittest.main()
