"""Moments as users give them, and as the files have them. Pure."""

from datetime import UTC, datetime, timedelta
from math import ceil

Moment = datetime | float  # a datetime, of UTC where it says nothing else, or Unix seconds

_EPOCH = datetime.fromtimestamp(0, UTC)
_MS = timedelta(milliseconds=1)


def milliseconds(moment: Moment) -> int:
    """Return a moment in Unix milliseconds, the next whole one where it lies between two."""
    if isinstance(moment, datetime):
        return -((_EPOCH - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))) // _MS)
    return ceil(round(moment * 1000, 3))


def moment_of(time_ms: int) -> datetime:
    """Return Unix milliseconds as a datetime of UTC, exactly."""
    return _EPOCH + time_ms * _MS
