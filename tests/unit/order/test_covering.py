"""What no connection covered, and the time in which nobody collected, are rows of the ledger."""

import json
import unittest

from aster_collect.exchange.events import Batch, Gap, Lost, Opened, Wanted
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.exchange.streams.mark import Mark
from aster_collect.exchange.streams.prices import Quote
from aster_collect.exchange.subscribe import Scope
from aster_collect.exchange.venues import FUTURES
from aster_collect.order.effects import Effect, Rows, Uncovered
from aster_collect.order.engine import Engine, Pace
from aster_collect.order.holes import Bounds
from aster_collect.order.lane import Left

S = "BTCUSDT"
START_MS = 1_764_000_000_000
HOUR_MS = 3_600_000


def left_at(last_s: float, *, quiet: tuple[str, ...] = (), rested_ms: int = 0) -> dict[str, Left]:
    """Return files whose last row was made so long after the start, and written later; or were made then."""
    at_ms = START_MS + round(last_s * 1000)
    rows = {"prices": Quote(0, at_ms, "1", "2"), "mark": Mark(0, at_ms, "1", "", "", "", "")}
    return {name: Left([] if name in quiet else [row], at_ms + rested_ms) for name, row in rows.items()}


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.now_s = 0.0
        scope = Scope(FUTURES, (KINDS["prices"], KINDS["mark"]), Options())
        pace = Pace(0.5, 60.0, 2.0)
        self.engine = Engine(
            scope, Bounds(0, 100, 100, 60.0, 1000), pace, clock=lambda: self.now_s,
            wall_ns=lambda: START_MS * 1_000_000 + round(self.now_s * 1e9),
        )  # fmt: skip
        self.effects: list[Effect] = []
        self.number = 0

    def begin(self, last_s: float | None = None, *, quiet: tuple[str, ...] = ()) -> None:
        """Begin a symbol, whose files are as `left_at` says, or new."""
        self.effects += self.engine.begin(S, {} if last_s is None else left_at(last_s, quiet=quiet))
        self.want()

    def want(self) -> None:
        self.effects += self.engine.take(Wanted(1, 1, (S,)))
        self.effects += self.engine.take(Opened(1, 0, self.now_s))

    def frame(self, now_s: float, *, ahead_ms: int = 0, lag_ms: int = 0, step: bool = True) -> None:
        """Bring a quote and a mark, sent then by a clock that is ahead, and made so long before."""
        self.now_s = now_s
        sent_ms = START_MS + round(now_s * 1000) + ahead_ms
        self.number += 1
        quote = {"e": "bookTicker", "u": self.number, "s": S, "b": "1", "B": "1", "a": "2", "A": "1",
                 "T": sent_ms - lag_ms, "E": sent_ms}  # fmt: skip
        mark = {"e": "markPriceUpdate", "E": sent_ms, "s": S, "p": str(self.number), "i": "1", "r": "", "T": 0}
        first, last = (
            json.dumps({"stream": "x@x", "data": data}, separators=(",", ":")).encode() for data in (quote, mark)
        )
        bounds = [0, len(first), len(first), len(first) + len(last)]
        received_ns = START_MS * 1_000_000 + round(now_s * 1e9)
        self.effects += self.engine.take(Batch(1, received_ns, now_s, first + last, bounds))
        self.effects += self.engine.step() if step else []

    def gaps(self) -> dict[str, Gap]:
        """Return the last row of the ledger, by stream."""
        told = [effect for effect in self.effects if isinstance(effect, Uncovered)]
        return {stream: gap for effect in told for (_, stream), gap in effect.gaps.items()}

    def rows(self) -> int:
        return sum(len(effect.events) for effect in self.effects if isinstance(effect, Rows))

    def stretch(self, stream: str) -> tuple[float, float, str]:
        gap = self.gaps()[stream]
        return (gap.from_ms - START_MS) / 1000, (gap.to_ms - START_MS) / 1000, gap.cause


class Outages(Case):
    def test_an_outage_while_the_exchange_lags(self) -> None:
        """It is told in the time of the rows: quotes bear when they were made, marks when they were sent."""
        self.begin()
        for now_s in range(5):
            self.frame(now_s, lag_ms=3000)
        self.effects += self.engine.take(Lost(1, "eof", False))
        self.frame(9, lag_ms=3000)
        self.assertEqual(self.stretch("prices"), (0.5, 6.5, "reconnect"))
        self.assertEqual(self.stretch("mark"), (3.5, 9.5, "reconnect"))

    def test_what_ended_is_told_before_what_comes_behind(self) -> None:
        """The row of the ledger stands before the rows of the same turn."""
        self.begin()
        self.frame(0)
        self.effects += self.engine.take(Lost(1, "eof", False))
        self.effects = []
        self.frame(9)
        self.frame(10)
        kinds = [type(effect) for effect in self.effects]
        self.assertLess(kinds.index(Uncovered), len(kinds))
        self.assertEqual(self.stretch("prices"), (-0.5, 9.5, "reconnect"))

    def test_a_connection_that_ends_before_its_times_are_believed(self) -> None:
        """What it brought is written, so that its times count in the end: the outages around it are told."""
        for ending in ("it is lost", "a stop"):
            with self.subTest(ending):
                self.setUp()
                self.begin()
                self.frame(0)
                self.effects += self.engine.take(Lost(1, "eof", False))
                self.effects += self.engine.take(Opened(1, 0, self.now_s))
                self.frame(9, ahead_ms=-HOUR_MS)
                self.assertEqual(self.gaps(), {})
                self.effects += (
                    self.engine.take(Lost(1, "eof", False)) if ending == "it is lost" else self.engine.close()
                )
                from_s, to_s, cause = self.stretch("prices")
                self.assertLessEqual(from_s, -HOUR_MS / 1000)
                self.assertGreaterEqual(to_s, 9.0)
                self.assertEqual(cause, "clock")

    def test_a_connection_that_ends_with_a_time_that_can_not_be(self) -> None:
        """It stays no time, and is in no row of the ledger."""
        self.begin()
        self.frame(0)
        self.effects += self.engine.take(Lost(1, "eof", False))
        self.frame(9, ahead_ms=24 * HOUR_MS)
        self.effects += self.engine.take(Lost(1, "eof", False))
        self.assertEqual(self.gaps(), {})


class Pauses(Case):
    def test_a_restart(self) -> None:
        """The pause is from the last row to the first frame."""
        self.begin(last_s=-20.0)
        self.frame(0)
        for stream in ("prices", "mark"):
            self.assertEqual(self.stretch(stream), (-20.0, 0.5, "restart"))

    def test_a_restart_where_nothing_had_come_of_a_kind(self) -> None:
        """Its file has no row yet: nobody knows what came since it was made."""
        self.begin(last_s=-20.0, quiet=("mark",))
        self.frame(0)
        self.assertEqual(self.stretch("mark"), (-20.0, 0.5, "restart"))

    def test_the_clock_was_set_back_in_the_pause(self) -> None:
        """By the clock of before it the pause begins when the last row was made, not when that was written."""
        self.effects += self.engine.begin(S, left_at(-20.0, rested_ms=4000))
        self.want()
        for now_s in (0, 0.1):
            self.frame(now_s, ahead_ms=-HOUR_MS)
        from_s, to_s, _ = self.stretch("prices")
        self.assertLessEqual(from_s, -20.0 - HOUR_MS / 1000)
        self.assertGreaterEqual(to_s, 0.0)

    def test_files_that_could_not_be_opened_when_the_first_frames_came(self) -> None:
        """The pause lasts until the newest frame that came before they were, which is in no file."""
        self.want()
        self.frame(5, ahead_ms=2000)
        self.frame(5, ahead_ms=3000, step=False)
        self.effects += self.engine.begin(S, left_at(-20.0))
        self.assertGreaterEqual(self.stretch("prices")[1], 8.0)

    def test_a_restart_that_meets_times_that_are_not_believed_at_once(self) -> None:
        """No row is written before the pause is known, which begins at the last row of the run before."""
        self.begin(last_s=-20.0)
        self.frame(0, ahead_ms=-6000)
        for now_s in (1, 2, 3):
            self.now_s = now_s
            self.effects += self.engine.step()
        self.assertEqual((self.gaps(), self.rows()), ({}, 0))
        self.frame(4, ahead_ms=-6000)
        self.frame(5, ahead_ms=-6000)
        self.assertLessEqual(self.stretch("prices")[0], -20.0)
        self.frame(6, ahead_ms=-6000)
        self.assertGreater(self.rows(), 0)

    def test_a_stop_before_any_time_was_believed(self) -> None:
        """What came is written, and the pause is told by both clocks; a second end says nothing more.

        By our own alone, where that of the exchange says what can't be.
        """
        for ahead_ms, told in ((-6000, (-26.0, 0.0)), (20_000, (-20.0, 20.5)), (24 * HOUR_MS, (-20.0, 0.5))):
            with self.subTest(ahead_ms=ahead_ms):
                self.setUp()
                self.begin(last_s=-20.0)
                self.frame(0, ahead_ms=ahead_ms)
                self.effects += self.engine.close()
                self.assertEqual(self.rows(), 2)
                self.assertEqual(self.stretch("prices"), (*told, "restart"))
                self.effects = []
                self.effects += self.engine.close()
                self.assertEqual((self.gaps(), self.rows()), ({}, 0))

    def test_an_exchange_whose_times_contradict_each_other(self) -> None:
        """Rows do not wait for ever."""
        self.begin(last_s=-20.0)
        for turn in range(1100):
            self.frame(turn / 10, ahead_ms=-(10_000 + turn % 7 * 5000))
        self.assertGreater(self.rows(), 1000)


if __name__ == "__main__":
    unittest.main()
