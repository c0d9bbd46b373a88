"""A file's period ends with the first row of a later one, however rows are batched and change places."""

import random
import unittest
from collections.abc import Sequence

from aster_collect.exchange.streams.kind import Event
from aster_collect.files.names import DAY_MS, HOUR_MS, Part
from aster_collect.files.period import AHEAD_MS, NEAR_MS, PERIODS_MS, Period, period_end, period_name
from tests.support import rounds
from tests.unit.files.rotating import MIDNIGHT_MS, S


def events(*offsets_ms: int) -> list[tuple[int, int, None]]:
    """Return events of these times from midnight on, numbered from 1."""
    return [(number, MIDNIGHT_MS + at, None) for number, at in enumerate(offsets_ms, 1)]


def ids(pieces: list[tuple[str, Sequence[Event]]]) -> list[tuple[str, list[int]]]:
    return [(ended, [event[0] for event in piece]) for ended, piece in pieces]


class Names(unittest.TestCase):
    def test_periods(self) -> None:
        """A period begins with its first millisecond and ends before the next one's, in UTC."""
        for time_ms, day, hour in (
            (MIDNIGHT_MS, "2026-11-22", "2026-11-22T00"),
            (MIDNIGHT_MS - 1, "2026-11-21", "2026-11-21T23"),
            (MIDNIGHT_MS + 13 * HOUR_MS + 5, "2026-11-22", "2026-11-22T13"),
            (951_825_600_000, "2000-02-29", "2000-02-29T12"),
        ):
            for length_ms, name in ((DAY_MS, day), (HOUR_MS, hour)):
                end_ms = period_end(time_ms, length_ms)
                self.assertTrue(end_ms - length_ms <= time_ms < end_ms)
                self.assertEqual(period_name(end_ms, length_ms), name)
                self.assertEqual(Part("prices", S, name, 1).end_ms, end_ms)


class Splitting(unittest.TestCase):
    def test_periods_end_within_a_batch(self) -> None:
        """Each piece but the first says which period ended; one without an event is none."""
        period = Period(DAY_MS)
        found = period.split(events(-1, 0, DAY_MS - 1, 3 * DAY_MS), None)
        self.assertEqual(ids(found), [("", [1]), ("2026-11-21", [2, 3]), ("2026-11-22", [4])])

    def test_time_goes_back(self) -> None:
        """An event of an earlier period stays in the one that is being written."""
        period = Period(DAY_MS)
        self.assertEqual(ids(period.split(events(0, -1, -DAY_MS, 1), None)), [("", [1, 2, 3, 4])])

    def test_an_odd_time_of_far_ahead(self) -> None:
        """It ends no period, nor does it begin the first; one as far ahead as any is does."""
        period = Period(DAY_MS)
        far, now_ms = AHEAD_MS, MIDNIGHT_MS - 1
        found = period.split(events(far, -1, far, far - 1), now_ms)
        self.assertEqual(ids(found), [("", [1]), ("", [2, 3]), ("2026-11-21", [4])])

    def test_it_goes_on_behind_what_is_written(self) -> None:
        """The latest time says which period is being written, also where closed files are of shorter ones."""
        for times_ms, ended in (
            ([-1], "2026-11-21"), ([0, -1], "2026-11-22"), ([13 * HOUR_MS - 1], "2026-11-22"), ([], ""),
        ):  # fmt: skip
            period = Period(DAY_MS)
            period.split(events(9 * DAY_MS), None)
            period.go_on_behind(MIDNIGHT_MS + at for at in times_ms)
            self.assertEqual(ids(period.split(events(2 * DAY_MS), None)), [(ended, [1])])

    def test_no_length(self) -> None:
        """Without periods no event is ever looked at."""
        period = Period(PERIODS_MS["none"])
        for _ in range(2):
            self.assertGreater(period.near_ms, 1 << 70)
            period.go_on_behind([MIDNIGHT_MS])
        period.start_over()
        self.assertGreater(period.near_ms, 1 << 70)

    def test_any_batches(self) -> None:
        """Pieces are the batch, each in one period, and a batch that needs no look would not have been split."""
        for seed, chance in rounds(300):
            with self.subTest(seed=seed):
                self.play(chance)

    def play(self, chance: random.Random) -> None:
        length_ms = chance.choice((HOUR_MS, DAY_MS))
        period, at_ms, number = Period(length_ms), MIDNIGHT_MS, 0
        ended: list[str] = []
        end_ms = 0
        for _ in range(30):
            batch = []
            for _ in range(chance.randrange(1, 5)):
                at_ms += chance.choice((1, 1000, NEAR_MS, length_ms // 3, 2 * length_ms))
                number += 1
                batch.append((number, at_ms - chance.randrange(NEAR_MS // 2), None))
            unseen = batch[-1][1] < period.near_ms
            pieces = period.split(batch, chance.choice((None, at_ms)))
            self.assertEqual([event for _, piece in pieces for event in piece], batch)
            if unseen:
                self.assertEqual(len(pieces), 1)
            for name, piece in pieces:
                self.assertTrue(piece)
                self.assertEqual(bool(name), bool(end_ms) and piece[0][1] >= end_ms)
                if name:
                    self.assertEqual(name, period_name(end_ms, length_ms))
                    ended.append(name)
                if name or not end_ms:
                    end_ms = period_end(piece[0][1], length_ms)
                self.assertLess(max(event[1] for event in piece), end_ms)
        self.assertEqual(ended, sorted(set(ended)))


if __name__ == "__main__":
    unittest.main()
