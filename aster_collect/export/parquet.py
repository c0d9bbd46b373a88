"""The lake: a Parquet file a kind, symbol and UTC day, each written only where it is not what it was."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from ..errors import DataError
from ..files.aside import delete_leftovers
from .asked import Asked, Begin
from .folders import folders, open_from
from .lake import place
from .lake.history import Counts, Days, History

LATEST = "~"  # behind all days


def export(asked: Asked, begin: Begin, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> str:
    """Write the lake, and return the line that says what was written.

    Raises `ConfigError`, `LockedError`, `NotAFolder` and `OSError`, and what was written before that is whole; and once
    all else is written `DataError` for what can't be.
    """
    asked.check_days()
    first = asked.start.date().isoformat() if asked.start else ""
    end = asked.end.date().isoformat() if asked.end else LATEST
    found = folders(asked)
    if asked.out.exists():
        delete_leftovers(asked.out)
    counts = Counts()
    with begin(sum(folder.total_bytes for folder in found)) as tell:
        for folder in found:
            open_day = LATEST if asked.open else open_from(folder, now()).isoformat()
            for symbol, kinds in folder.chosen.items():
                days = Days(first, end, open_day, _iso(folder.first_day(symbol)))
                parts = folder.listed.parts(symbol)
                with folder.listed.open(symbol) as histories:
                    for kind in kinds:
                        at = place.history(asked.out, kind.name, folder.exchange, symbol)
                        history = History(at, folder.path, kind, days, asked.exact, counts, tell)
                        history.update(parts[kind.name], histories.get(kind.name, ()))
    if counts.refused:
        more = f"; {len(counts.refused) - 1} more were refused" if counts.refused[1:] else ""
        raise DataError(f"{counts.refused[0]}{more}; all else is exported")
    return _told(counts, asked)


def _iso(day: date | None) -> str:
    return day.isoformat() if day else LATEST


def _told(counts: Counts, asked: Asked) -> str:
    told = f"files={counts.files} rows={counts.rows} unchanged={counts.unchanged} kept={counts.kept} open={counts.open}"
    hint = "; --open writes open days too" if counts.open else ""
    return f"exported {told} folder={asked.out}{hint}"
