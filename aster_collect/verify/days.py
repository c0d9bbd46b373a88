"""How much of a history is covered, as a whole and by days of UTC."""

from collections.abc import Iterable, Iterator, Sequence

from ..exchange.streams.kind import Kind, Lane
from ..files.names import DAY_MS
from .found import Sum
from .ledger import Ledger, Range, union
from .report import Day, History

_WHOLE = 100_000


def history_of(symbol: str, kind: Kind, names: list[str], found: Sum, ledger: Ledger, since_ms: int) -> History:
    """Return what was found of a history that has been read, and what the ledger says of it, from a moment on."""
    history = History(
        symbol, kind.name, names, found.rows, found.first_ms, found.last_ms, back=found.back, crossed=found.crossed,
        proof=found.proof if found.shows else None,
    )  # fmt: skip
    if kind.whole_folder:
        return history
    history = history._replace(gaps=ledger.rows[kind.name])
    if found.first_ms is None or found.last_ms is None:
        return history
    if kind.lane is Lane.SEQUENCE:
        missing, covered = found.missing, _covered(found.missing, found.rows + found.missing)
        days = [Day(day, rows, lost, _covered(lost, rows + lost)) for day, (rows, lost) in sorted(found.days.items())]
        return history._replace(missing=missing, in_ids=True, covered=covered, days=days)
    listed = union(((one.from_ms, one.to_ms) for one in ledger.stretches[kind.name]), 0)
    begin_ms = _begin(listed, found.first_ms, since_ms)
    missing = _overlap(listed, begin_ms, found.last_ms)
    covered = _covered(missing, found.last_ms - begin_ms)
    days = list(_days(found, listed, begin_ms, found.last_ms))
    return history._replace(missing=missing, covered=covered, days=days)


def _begin(listed: Iterable[Range], first_ms: int, since_ms: int) -> int:
    """Return from when on a history counts: its first row, or what the ledger lists before that, behind a moment."""
    before = (start_ms for start_ms, end_ms in listed if start_ms < first_ms and end_ms > since_ms)
    return max(since_ms, min(before, default=first_ms)) if since_ms else first_ms


def _days(found: Sum, listed: Sequence[Range], begin_ms: int, last_ms: int) -> Iterator[Day]:
    """Yield the days that have rows, or of which something is listed."""
    numbers = set(found.days)
    for start_ms, end_ms in listed:
        numbers.update(range(max(start_ms, begin_ms) // DAY_MS, min(end_ms, last_ms) // DAY_MS + 1))
    for day in sorted(numbers):
        start_ms, end_ms = max(day * DAY_MS, begin_ms), min((day + 1) * DAY_MS, last_ms)
        missing = _overlap(listed, start_ms, end_ms)
        yield Day(day, found.days.get(day, (0, 0))[0], missing, _covered(missing, end_ms - start_ms))


def _overlap(listed: Iterable[Range], first_ms: int, last_ms: int) -> int:
    return sum(max(0, min(last_ms, end_ms) - max(first_ms, start_ms)) for start_ms, end_ms in listed)


def _covered(missing: int, whole: int) -> int:
    return (whole - missing) * _WHOLE // whole if whole > 0 else _WHOLE
