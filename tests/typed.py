"""A user's script as `mypy --strict` sees it; what must be refused says so, and would be told of if it were not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import aster_collect
from aster_collect import Archive
from aster_collect.archive import Gaps, Row


def newest(archive: Archive) -> str:
    """Return the price of the newest trade of an hour."""
    rows: Iterator[Row] = archive.rows("trades", "BTCUSDT", datetime(2026, 11, 22, 13, tzinfo=UTC), 1795363200.5)
    price = ""
    for row in rows:
        price = row.price
        cells: dict[str, str] = row._asdict()
        price = cells["price"]
    return price


def missing(archive: Archive) -> float:
    """Return how many seconds of quotes are missing."""
    gaps: Gaps = archive.gaps("BTCUSDT", "prices")
    return sum((one.end - one.start).total_seconds() for one in gaps.stretches)


def files(archive: Archive) -> list[Path]:
    """Return the files of trades."""
    return archive.files("trades", "BTCUSDT", start=1795363200)


archive: Archive = aster_collect.Archive(Path("ASTER_data"))
archive.rows("trades", "BTCUSDT", "2026-11-22")  # type: ignore[arg-type]
archive.prices("BTCUSDT")  # type: ignore[attr-defined]
aster_collect.Archiv  # type: ignore[attr-defined]  # noqa: B018
