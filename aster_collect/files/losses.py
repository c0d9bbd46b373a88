"""What of a file memory could not hold while the disk was full: one gap for each cause, which grows. Pure."""

from collections.abc import Sequence

from ..exchange.events import Gap
from ..exchange.streams.kind import ID, TIME, Event, Kind, Lane


class Losses:
    """The gaps of one file that are not in the ledger yet, by cause."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._gaps: dict[str, Gap] = {}

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._gaps)

    def events(self, events: Sequence[Event]) -> None:
        """Note events that memory can't hold."""
        first, last = events[0], events[-1]
        times_ms = [event[TIME] for event in events]  # in the order of ids they need not rise
        gap = Gap.of_time(self._kind.name, min(times_ms), max(times_ms), "overflow")
        self.gap(gap if self._kind.lane is not Lane.SEQUENCE else with_ids(gap, first[ID], last[ID]))

    def gap(self, gap: Gap) -> None:
        """Note a gap that memory can't hold."""
        known = self._gaps.get(gap.cause)
        self._gaps[gap.cause] = gap if known is None else _both(known, gap)

    def take(self, next_ms: int) -> list[Gap]:
        """Return the gaps, and forget them; `next_ms` is the time of the first row behind, 0 without one."""
        gaps, self._gaps = list(self._gaps.values()), {}
        return [gap if gap.last_missing_id is not None else gap._replace(to_ms=max(gap.to_ms, next_ms)) for gap in gaps]

    def forget(self) -> None:
        """Forget them: what is missing is fetched again."""
        self._gaps = {}


def with_ids(gap: Gap, first_id: int, last_id: int) -> Gap:
    """Return a gap that names the ids that are missing."""
    return gap._replace(first_missing_id=first_id, last_missing_id=last_id)


def _both(one: Gap, other: Gap) -> Gap:
    """Return a gap that takes in two, and what lies between."""
    firsts = [gap.first_missing_id for gap in (one, other) if gap.first_missing_id is not None]
    lasts = [gap.last_missing_id for gap in (one, other) if gap.last_missing_id is not None]
    return one._replace(
        from_ms=min(one.from_ms, other.from_ms),
        to_ms=max(one.to_ms, other.to_ms),
        first_missing_id=min(firsts, default=None),
        last_missing_id=max(lasts, default=None),
    )
