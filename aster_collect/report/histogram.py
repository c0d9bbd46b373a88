"""How often each value came, in bins whose width is a fixed share of the value."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import ceil

BITS = 8  # a bin's values agree in so many leading bits
EXACT_BELOW = 1 << BITS  # what is smaller has a bin of its own
OFF = 1 / (1 << BITS)  # a value told for a bin is off by at most this share


def bin_of(value: int) -> int:
    """Return the lowest value of the bin that a whole number, not negative, lies in."""
    shift = max(0, value.bit_length() - BITS)
    return value >> shift << shift


def middle_of(start: int) -> int:
    """Return the value that stands for a bin, which is off by at most `OFF` of any value in it."""
    return start + (1 << max(0, start.bit_length() - BITS)) // 2


class Histogram:
    """Whole numbers, not negative, by bins: there are at most 128 for each doubling, however many values come."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, values: Mapping[int, int]) -> None:
        """Add values, each with how often it came."""
        counts = self.counts
        for value, count in values.items():
            counts[bin_of(value)] += count

    @property
    def total(self) -> int:
        """How many values came."""
        return self.counts.total()

    def quantile(self, share: float) -> int:
        """Return the smallest value that so large a share of all lies at or below, off by at most `OFF` of it.

        0 where there is none.
        """
        return self.ranked(ceil(share * self.total))

    def ranked(self, rank: int) -> int:
        """Return the value that so many of all lie at or below, off by at most `OFF` of it; 0 where there are fewer."""
        for start in sorted(self.counts):
            rank -= self.counts[start]
            if rank <= 0:
                return middle_of(start)
        return 0


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """Return the values of several as one."""
    made = Histogram()
    for one in histograms:
        made.counts.update(one.counts)
    return made
