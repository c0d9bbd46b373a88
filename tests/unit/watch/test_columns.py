"""A text is cut to the columns that there are."""

import unittest

from aster_collect.watch.columns import columns, fit
from tests.unit.watch.snapshots import WIDE


class Columns(unittest.TestCase):
    def test_a_wide_character_is_never_cut_in_half(self) -> None:
        """A text is cut before the wide character that would cross the edge."""
        self.assertEqual([columns(text) for text in ("", "ab", WIDE)], [0, 2, 12])
        self.assertEqual([fit(WIDE, width) for width in (0, 1, 2, 3, 9, 12)], ["", "", "币", "币", "币安人生U", WIDE])


if __name__ == "__main__":
    unittest.main()
