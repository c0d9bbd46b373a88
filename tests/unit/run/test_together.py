"""Hours of a record that are of several folders, or are not all there, are told from those of one run after another."""

import unittest
from collections.abc import Sequence

from aster_collect.errors import ConfigError
from aster_collect.order.entries import Again, Close, Entry, Moment, Run, Step
from aster_collect.run.together import of_one_folder

HOUR_NS = 3_600_000_000_000
START_NS = 1_764_000_000_000_000_000


def run(after_ns: int) -> Run:
    return Run("1.3.0", {}, ("BTCUSDT",), 0, START_NS + after_ns)


def read(*hours: Sequence[Entry]) -> int:
    """Read what is recorded in each of these hours, and return how many entries there were."""
    entries = [(Moment(0.0, START_NS + hour * HOUR_NS), entry) for hour, told in enumerate(hours) for entry in told]
    return len(list(of_one_folder(entries)))


class Hours(unittest.TestCase):
    def test_one_run_after_another(self) -> None:
        """Each goes on with the run that the one before it told of last, and so may the first one given."""
        one, two = run(5), run(6)
        self.assertEqual(read([one, Step()], [Again(one), Step(), two, Step()], [Again(two), Close()]), 8)
        self.assertEqual(read([Again(one), Step()], [Again(one), Again(one), Close()], [two]), 6)

    def test_those_of_two_folders(self) -> None:
        """A run of the one does not go on with what another has begun: the line says when each began."""
        told = (
            "RAW: from 2025-11-24T17:00:00.000Z on of a run that began at 2025-11-24T16:00:00.000Z, and before that of "
            "one that began at 2025-11-24T15:00:00.000Z; give all files of one folder, none left out"
        )
        with self.assertRaisesRegex(ConfigError, f"^{told}$"):
            read([Again(run(-HOUR_NS)), Step()], [Again(run(0)), Step()])

    def test_an_hour_that_is_left_out(self) -> None:
        """The run that began in it has no beginning."""
        one, two = run(5), run(6)
        with self.assertRaisesRegex(ConfigError, "none left out"):
            read([one, Step(), Close()], [Again(two), Step()])


if __name__ == "__main__":
    unittest.main()
