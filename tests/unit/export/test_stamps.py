"""Rows that did not come live get a local time that tells nothing false: with a delay, and in order."""

import unittest

from aster_collect.export.stamps import NS_OF_MS, Stamps


class LocalTimes(unittest.TestCase):
    def test_live_rows(self) -> None:
        """What was noted is taken as it is, also where it steps back: redundant connections differ."""
        stamps = Stamps()
        self.assertEqual(stamps.local_ns([5, 6], ["5000003", "4999999"]), [5000003, 4999999])
        self.assertEqual(stamps.missing, 0)

    def test_rows_that_were_fetched(self) -> None:
        """They have the delay of the live row before them, none before the first, and are never before it."""
        stamps = Stamps()
        self.assertEqual(stamps.local_ns([1, 2], ["", ""]), [1 * NS_OF_MS, 2 * NS_OF_MS])
        self.assertEqual(stamps.local_ns([10], [str(10 * NS_OF_MS + 7)]), [10 * NS_OF_MS + 7])
        found = stamps.local_ns([11, 9, 20], ["", "", str(20 * NS_OF_MS + 3)])
        self.assertEqual(found, [11 * NS_OF_MS + 7, 11 * NS_OF_MS + 7, 20 * NS_OF_MS + 3])
        self.assertEqual(stamps.local_ns([21], [""]), [21 * NS_OF_MS + 3])
        self.assertEqual(stamps.missing, 5)

    def test_a_clock_that_is_behind(self) -> None:
        """Where rows seem to be received before they were made, one that was fetched is not put before its time."""
        stamps = Stamps()
        stamps.local_ns([10], [str(10 * NS_OF_MS - 5_000_000)])
        self.assertEqual(stamps.local_ns([11], [""]), [11 * NS_OF_MS])


if __name__ == "__main__":
    unittest.main()
