"""Events are in order for the exchange and for the trader, each once for both, and no digit of them is lost."""

import unittest

import numpy as np

from aster_collect.export import events
from tests.support import rounds


class Ordered(unittest.TestCase):
    def test_any_times(self) -> None:
        """What the exchange sees is in the order of its times, what the trader sees in that of his; ties as given."""
        for seed, chance in rounds(200):
            with self.subTest(seed=seed):
                count, far = chance.randrange(30), chance.choice((1, 3, 50))
                made = np.zeros(count, events.DTYPE)
                made["ev"] = [events.TRADE | chance.choice((events.BUY, events.SELL)) for _ in range(count)]
                made["exch_ts"] = np.cumsum([chance.randrange(4) for _ in range(count)]) if count else []
                made["local_ts"] = made["exch_ts"] + [chance.randrange(far) for _ in range(count)] if count else []
                made["order_id"] = range(count)  # which it is
                found = events.ordered([made[: count // 2], made[count // 2 :]])
                for flag, name in ((events.EXCHANGE, "exch_ts"), (events.LOCAL, "local_ts")):
                    seen = found[found["ev"] & flag > 0]
                    expected = sorted(range(count), key=lambda at: (made[name][at], at))
                    self.assertEqual(seen["order_id"].tolist(), expected)
                self.assertEqual(set((found["ev"] >> 30).tolist()) - {1, 2, 3}, set())
                if far == 1:
                    self.assertEqual(set((found["ev"] >> 30).tolist()) - {3}, set(), "orders agree, so each is once")

    def test_a_late_event(self) -> None:
        """Only those that change places are there twice; those before and behind are once."""
        made = events.array([events.TRADE] * 4, [1, 2, 3, 4], [5, 9, 8, 10], ["1"] * 4, ["2"] * 4)
        found = events.ordered([made])
        self.assertEqual((found["ev"] >> 30).tolist(), [3, 2, 1, 2, 1, 3])
        self.assertEqual(found["exch_ts"].tolist(), [1, 2, 3, 3, 2, 4])


class Doubles(unittest.TestCase):
    def test_digits(self) -> None:
        """Every decimal of up to 15 digits is kept, zeros around them aside; one with more is refused."""
        texts = [
            "61502.10",
            "0.000",
            "0.000000000123456789012345",
            "123456789012345",
            "123456789012345.000000",
            "5000000000000000000",
        ]
        made = events.array([0] * 6, [0] * 6, [0] * 6, texts, texts)
        self.assertEqual([f"{value:.15g}" for value in made["px"].tolist()], [f"{float(text):.15g}" for text in texts])
        for text in ("1234567890123456", "1.234567890123456", "0.1234567890123456"):
            with self.assertRaisesRegex(events.Unfit, text):
                events.array([0], [0], [0], [text], ["1"])

    def test_the_form(self) -> None:
        """The type is that of hftbacktest's documentation: eight fields of eight bytes, in this order."""
        fields = ["ev", "exch_ts", "local_ts", "px", "qty", "order_id", "ival", "fval"]
        self.assertEqual(list(events.DTYPE.names or ()), fields)
        self.assertEqual(
            [events.DTYPE[name].str for name in fields], ["<u8", "<i8", "<i8", "<f8", "<f8", "<u8", "<i8", "<f8"]
        )
        self.assertEqual(events.DTYPE.itemsize, 64)


if __name__ == "__main__":
    unittest.main()
