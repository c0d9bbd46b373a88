"""A history in a line of the table: what it has, and how much of it is covered. Pure."""

from collections.abc import Sequence

from ..archive.gaps import Gaps
from .figures import Stretch
from .folder import Found
from .numbers import duration, size, utc
from .strips import Strip, share_text

_WHOLE = 100_000
COLUMNS = ("symbol", "kind", "rows", "first (UTC)", "last (UTC)", "covered", "gaps", "missing ids", "largest hole",
           "bytes")  # fmt: skip


def stretches(gaps: Gaps | None) -> list[Stretch] | None:
    """Return what is missing in milliseconds, None where nobody knows."""
    if gaps is None:
        return None
    return [
        Stretch(round(one.start.timestamp() * 1000), round(one.end.timestamp() * 1000), one.causes)
        for one in gaps.stretches
    ]


def _covered(found: Found, gaps: Sequence[Stretch] | None) -> int | None:
    """Return which share of a history is there: of trades by their ids, of all else by time; None if nobody knows."""
    history = found.history
    if gaps is None or history.kind.whole_folder or not history.rows:
        return None
    if history.missing_ids is not None:
        return history.rows * _WHOLE // (history.rows + history.missing_ids)
    whole_ms = history.last_ms - history.first_ms
    missing_ms = sum(max(0, min(gap.end_ms, history.last_ms) - max(gap.start_ms, history.first_ms)) for gap in gaps)
    return (whole_ms - missing_ms) * _WHOLE // whole_ms if whole_ms > 0 else _WHOLE


def strip_of(symbol: str, found: Found, gaps: Sequence[Stretch] | None) -> Strip:
    """Return a history's strip."""
    history = found.history
    covered = _covered(found, gaps)
    return Strip(symbol, history.kind.name, history.rows, history.first_ms, history.last_ms, covered, gaps)


def line(symbol: str, found: Found, gaps: Sequence[Stretch] | None) -> Sequence[str]:
    """Return a history's line of the table."""
    history = found.history
    known = gaps is not None and not history.kind.whole_folder
    largest_ms = max((gap.end_ms - gap.start_ms for gap in gaps or ()), default=0)
    return (
        symbol or "(all)",
        history.kind.name,
        f"{history.rows:,}",
        utc(history.first_ms) if history.rows else "-",
        utc(history.last_ms) if history.rows else "-",
        share_text(_covered(found, gaps)),
        f"{len(gaps or ()):,}" if known else "no ledger",
        "-" if history.missing_ids is None else f"{history.missing_ids:,}",
        duration(largest_ms) if largest_ms else "-",
        size(history.bytes),
    )
