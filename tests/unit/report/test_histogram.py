"""Quantiles of a histogram are the exact ones, but for the share that its bins are wide."""

import unittest
from collections import Counter
from math import ceil

from aster_collect.report.histogram import BITS, EXACT_BELOW, OFF, Histogram, bin_of, merged, middle_of
from tests.support import rounds


class TheHistogram(unittest.TestCase):
    def test_quantiles_of_anything(self) -> None:
        """Each quantile is that of the values sorted, off by no more than is said, and exact where they are small."""
        for seed, chance in rounds(200):
            highest = chance.choice((3, 200, 5000, 10**9))
            values = [chance.randrange(highest) for _ in range(chance.randrange(1, 300))]
            histogram = Histogram()
            for at in range(0, len(values), 37):
                histogram.add(Counter(values[at : at + 37]))
            self.assertEqual(histogram.total, len(values))
            for share in (0.01, 0.5, 0.95, 0.99, 1.0):
                with self.subTest(seed=seed, share=share):
                    exact = sorted(values)[ceil(share * len(values)) - 1]
                    self.assertLessEqual(abs(histogram.quantile(share) - exact), exact * OFF)
                    if exact < EXACT_BELOW:
                        self.assertEqual(histogram.quantile(share), exact)

    def test_a_bin_for_every_value(self) -> None:
        """Bins follow each other without a hole, and there are few of them."""
        bins = {bin_of(value) for value in range(1 << 14)}
        self.assertEqual(len(bins), (1 << BITS) + (14 - BITS) * (1 << (BITS - 1)))
        for start in bins:
            self.assertEqual(bin_of(start), start)
            self.assertEqual(bin_of(middle_of(start)), start)

    def test_nothing_at_all(self) -> None:
        """Of no values each quantile is 0."""
        self.assertEqual(Histogram().quantile(0.5), 0)

    def test_histograms_of_parts(self) -> None:
        """What is put together of parts is the histogram of all."""
        for _, chance in rounds(20):
            values = [chance.randrange(10**6) for _ in range(100)]
            parts = [Histogram(), Histogram()]
            for value in values:
                chance.choice(parts).add({value: 1})
            whole = Histogram()
            whole.add(Counter(values))
            self.assertEqual(merged(parts).counts, whole.counts)


if __name__ == "__main__":
    unittest.main()
