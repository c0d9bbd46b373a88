"""The start says what the options ask for in vain."""

import unittest

from aster_collect.net.pacing import WeightBudget
from aster_collect.run.start import say_snapshots, warn_of_polls
from aster_collect.settings import Settings

LOGGER = "aster_collect.run.start"


def settings(poll_interval_s: float, streams: tuple[str, ...] = ("trades", "open-interest", "universe")) -> Settings:
    return Settings(streams=streams, poll_interval_s=poll_interval_s)


class AShortPollInterval(unittest.TestCase):
    def test_more_symbols_than_the_weight_is_enough_for(self) -> None:
        """One line says how long a round takes, by half of the weight that the exchange allows, and what to set."""
        with self.assertLogs(LOGGER, "WARNING") as logged:
            warn_of_polls(settings(10), 580, WeightBudget(2400))
        self.assertEqual(
            logged.output,
            [
                f"WARNING:{LOGGER}:poll interval too short poll_interval_s=10 symbols=580 weight_a_minute=2400 "
                "a_round_takes_s=29 next=set_--poll-interval_to_29_or_collect_fewer_symbols"
            ],
        )

    def test_an_exchange_that_allows_less_than_is_published(self) -> None:
        """What the exchange says now counts; a part of a second is a whole one."""
        with self.assertLogs(LOGGER, "WARNING") as logged:
            warn_of_polls(settings(60), 580, WeightBudget(1000))
        self.assertIn("a_round_takes_s=70 next=set_--poll-interval_to_70_", logged.output[0])

    def test_an_interval_that_is_enough(self) -> None:
        """Nothing is said, nor where nothing is asked for that often."""
        with self.assertNoLogs(LOGGER, "WARNING"):
            warn_of_polls(settings(29), 580, WeightBudget(2400))
            warn_of_polls(settings(10), 200, WeightBudget(2400))
            warn_of_polls(settings(10, ("trades", "universe")), 580, WeightBudget(2400))
            warn_of_polls(Settings(market="spot", streams=("all",), poll_interval_s=10), 580, WeightBudget(600))


class FullBooks(unittest.TestCase):
    def test_how_long_it_takes_until_all_are_begun(self) -> None:
        """Their snapshots are had in turn, by the weight that holes may use; without the kind nothing is said."""
        with self.assertLogs(LOGGER, "INFO") as logged:
            say_snapshots(settings(60, ("trades", "depth")), 580, WeightBudget(2400))
        self.assertEqual(logged.output, [f"INFO:{LOGGER}:start snapshots=580 in_s=363"])
        with self.assertNoLogs(LOGGER, "INFO"):
            say_snapshots(settings(60), 580, WeightBudget(2400))


if __name__ == "__main__":
    unittest.main()
