"""Moments as users give them, and as the files have them. Pure."""

from datetime import UTC, datetime, timedelta
from math import ceil

Moment = datetime | float  # a datetime, of UTC where it names no zone, or Unix seconds

MOST_S = 253_402_300_799  # the end of the year 9999
_EPOCH = datetime.fromtimestamp(0, UTC)
_MS = timedelta(milliseconds=1)


def milliseconds(moment: Moment) -> int:
    """Return a moment in Unix milliseconds, the next whole one where it lies between two.

    Raises `ValueError` for what is no moment, or so far away that it must be milliseconds.
    """
    try:
        if isinstance(moment, datetime):
            return -int((_EPOCH - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))) // _MS)
        if abs(moment) <= MOST_S:
            return ceil(round(moment * 1000, 3))  # a float of today's seconds is right to 0.0003 ms
    except (TypeError, ValueError):  # text, say, or pandas' datetime that is none
        pass
    raise ValueError(f"moment: {moment!r} given, a datetime or Unix seconds up to {MOST_S} allowed")


def moment_of(time_ms: int) -> datetime:
    """Return Unix milliseconds as a datetime of UTC, exactly."""
    return _EPOCH + time_ms * _MS
