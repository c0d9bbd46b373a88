"""What is recorded is read back as it was, and what the exchange sent stands there as it came."""

import unittest

from aster_collect.exchange.events import Answer, Ask, Bad, Lost, Opened, Reopen, Wanted
from aster_collect.order.entries import Again, Begin, Close, Entry, Run, Settle, Step
from aster_collect.order.lane import Left
from aster_collect.order.record_reader import read_entries
from tests.unit.order.entries import AT, CHINESE, QUOTE, batch, frames_of, texts


class ThereAndBack(unittest.TestCase):
    def test_every_entry(self) -> None:
        """Each is read back with its moment and all that it says."""
        ask = Ask("/fapi/v3/depth", (("symbol", "BTCUSDT"), ("limit", "1000")), 0, "depth", "BTCUSDT", 7)
        last = [(5, 1_795_538_532_000, "buy", "0.10", "1.000", None)]
        left = {"trades": Left(last, 1_795_538_532_001, [(1, 4)]), "prices": Left([], 0, [])}
        entries: list[Entry] = [
            Run("1.2.0", {"streams": ["trades"], "history": 5, "duration_s": None}, ("BTCUSDT", "币安人生USDT"), 17),
            Begin("BTCUSDT", True, left, {"trades": (120, 1_795_538_532_001)}),
            Begin("", False, {}, {}),
            Wanted(1, 1, ("BTCUSDT",)),
            Opened(1, 1_795_538_532_000_000_007, 29106.1),
            Bad(1, 1_795_538_532_000_000_008, "too long", b"\xff\x00{\n"),
            Lost(1, "reset", False),
            Answer(ask, 1_795_538_532_000_000_009, 1_795_538_532_000_000_010, {"bids": [["0.10", "1"]], "x": 0.1}),
            Answer(ask, 1_795_538_532_000_000_009, 1_795_538_532_000_000_010, None, "403: no"),
            Reopen(("prices_BTCUSDT.csv",)), Step(), Settle(29100.25), Close(), Again(Wanted(1, 1, ())),
        ]  # fmt: skip
        self.assertEqual(list(read_entries(texts(*entries))), [(AT, entry) for entry in entries])

    def test_a_read_of_several_frames(self) -> None:
        """The frames stand on lines of their own, verbatim, with the time at which they came."""
        lines = texts(batch(QUOTE, CHINESE, QUOTE))
        self.assertEqual([text for _, text in lines[1:]], [QUOTE, CHINESE, QUOTE])
        self.assertEqual({stamp_ns for stamp_ns, _ in lines}, {1_795_538_532_300_000_001})
        ((at, read),) = read_entries(lines)
        self.assertEqual((at, frames_of(read)), (AT, [QUOTE, CHINESE, QUOTE]))
        self.assertEqual(read[:3], batch()[:3])


if __name__ == "__main__":
    unittest.main()
