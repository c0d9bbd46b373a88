"""What is no record is told, and what a crash left of one is read."""

import unittest

from aster_collect.errors import DecodeError
from aster_collect.order.entries import Step, Unrecorded
from aster_collect.order.record_reader import read_entries
from tests.unit.order.entries import AT, QUOTE, batch, texts


class ARecordThatIsNone(unittest.TestCase):
    def test_a_crash_in_the_middle_of_a_read(self) -> None:
        """A read whose frames are not all there is left out; what comes next counts."""
        lines = texts(batch(QUOTE, QUOTE, QUOTE))
        self.assertEqual(list(read_entries(lines[:-1])), [])
        found = list(read_entries([*lines[:-1], *texts(Step())]))
        self.assertEqual(found, [(AT, Step())])

    def test_lines_that_are_lost(self) -> None:
        """The line that tells of it is an entry."""
        lost = b'{"aster":"lost","lines":3,"from_ns":1,"to_ns":2,"why":"overflow"}'
        self.assertEqual([entry for _, entry in read_entries([(2, lost)])], [Unrecorded(3, 1, 2, False)])

    def test_lines_of_others(self) -> None:
        """A frame without a line that says whose it is, and a line of ours that says nothing, are no record."""
        for text in (
            QUOTE,
            b'{"aster":"nothing"}',
            b'{"aster":"wanted"}',
            b'{"aster":"batch"}',
            b'{"aster":"step"',
            b'{"aster":[]}',
        ):
            with self.assertRaises(DecodeError, msg=text):
                list(read_entries([(1, text)]))


if __name__ == "__main__":
    unittest.main()
