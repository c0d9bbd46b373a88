"""One folder's ledger of a symbol, read whole: what it lists of each kind."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..archive import DamagedFile
from ..exchange.events import Gap
from ..exchange.ledger import LEDGER, MARGIN_MS
from ..exchange.streams.kind import Options
from ..files.source import Source
from .columns import SEE, Columns
from .feed import Feed, Tell
from .lacking import common, joined


class Listed:
    """The rows of a ledger by kind."""

    def __init__(self, gaps: Iterable[Gap]) -> None:
        self._gaps: dict[str, list[Gap]] = {}
        for gap in gaps:
            self._gaps.setdefault(gap.stream, []).append(gap)

    def of(self, stream: str) -> list[Gap]:
        """Return the rows of a kind."""
        return self._gaps.get(stream, [])


class Ids:
    """Ids that a ledger lists."""

    def __init__(self, gaps: Iterable[Gap]) -> None:
        self._ranges = joined((one.first_missing_id, one.last_missing_id or 0) for one in gaps if one.first_missing_id)

    def unlisted(self, first: int, last: int) -> int:
        """Return how many ids of a range are not listed."""
        return last - first + 1 - sum(high - low + 1 for low, high in common(self._ranges, first, last))


def read_ledger(folder: Path, sources: Iterator[Source], tell: Tell) -> Listed:
    """Return what a ledger lists; raises `DamagedFile`, and `OSError`."""
    assert LEDGER.check is not None
    feed, gaps = Feed(folder, LEDGER, sources, Columns(LEDGER, ""), tell), []
    while feed.fill():
        for row, line in enumerate(feed.lines):
            if why := LEDGER.check.flaw(line.split(b",")):
                raise DamagedFile(f"{feed.where(row)}: {why}{SEE}")
            gaps.append(Gap._make(LEDGER.read(line.decode().split(","))))
        feed.take_rows(len(feed.lines))
    return Listed(gaps)


def explains(gaps: Iterable[Gap], from_ms: int, to_ms: int) -> bool:
    """Return whether stretches of a ledger reach from one moment to another, to within a second at both ends."""
    stretches = joined((gap.from_ms, gap.to_ms) for gap in gaps if gap.first_missing_id is None)
    return any(low <= from_ms + MARGIN_MS and to_ms - MARGIN_MS <= high for low, high in stretches)


def rows_of(gaps: Iterable[Gap]) -> bytes:
    """Return the file of a ledger, in the order of time."""
    order = [column.name for column in LEDGER.columns(Options())]
    ordered = sorted(gaps, key=lambda gap: (gap.from_ms, gap.stream, gap.first_missing_id or 0, gap.to_ms, gap.cause))
    return "".join(f"{line}\n" for line in (",".join(order), *LEDGER.write(Options())(ordered))).encode()
