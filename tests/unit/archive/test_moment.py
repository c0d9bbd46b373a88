"""A moment means the same millisecond however it is given."""

import unittest
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pandas as pd

from aster_collect.archive.moment import milliseconds, moment_of
from tests.support import rounds


class Moments(unittest.TestCase):
    def test_any_millisecond(self) -> None:
        """As a datetime of any zone or none, and as a float, which is not exact, it is itself."""
        for seed, chance in rounds(2000):
            time_ms = chance.choice((chance.randrange(4_102_444_800_000), chance.randrange(9999)))
            with self.subTest(seed=seed, time_ms=time_ms):
                moment = moment_of(time_ms)
                zone = timezone(timedelta(minutes=chance.randrange(-720, 720)))
                for one in (moment, moment.astimezone(zone), moment.replace(tzinfo=None), time_ms / 1000):
                    self.assertEqual(milliseconds(one), time_ms, repr(one))
                self.assertEqual(Decimal(f"{moment.timestamp():.3f}"), Decimal(time_ms).scaleb(-3))

    def test_between_two(self) -> None:
        """What lies between two milliseconds is the next one: rows from it on are those behind it."""
        self.assertEqual(milliseconds(datetime(1970, 1, 1, 0, 0, 1, 1, UTC)), 1001)
        self.assertEqual(milliseconds(1.0001), 1001)
        self.assertEqual(milliseconds(2), 2000)
        self.assertEqual(milliseconds(-1.5), -1500)

    def test_a_moment_of_pandas(self) -> None:
        """Its timestamps are datetimes, with nanoseconds; one that is none is no moment."""
        self.assertEqual(milliseconds(pd.Timestamp("2026-11-22T16:00:00.123456789Z")), 1_795_363_200_124)
        self.assertEqual(milliseconds(pd.Timestamp("2026-11-22T17:00", tz="Europe/Berlin")), 1_795_363_200_000)
        with self.assertRaisesRegex(ValueError, "^moment: NaT given"):
            milliseconds(pd.NaT)

    def test_no_moment(self) -> None:
        """Text, a date, milliseconds and what is no number are refused, with what is allowed."""
        for one in ("2026-11-22", datetime(2026, 1, 1).date(), None, float("nan"), float("-inf"), 1_795_363_200_000):
            with self.assertRaisesRegex(
                ValueError, "^moment: .* given, a datetime or Unix seconds up to 253402300799 "
            ):
                milliseconds(one)  # type: ignore[arg-type]


if __name__ == "__main__":
    unittest.main()
