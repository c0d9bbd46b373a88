"""A data folder that tests write, and the lake that is made of it."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from aster_collect.export.asked import Asked
from aster_collect.export.parquet import export
from tests.unit.archive.folder import Case, S

DAY_MS = 86_400_000
DAYS = ("2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24")
FIRST_MS = 1_795_219_200_000  # the first of them begins
NOON = {day: FIRST_MS + number * DAY_MS + DAY_MS // 2 for number, day in enumerate(DAYS)}
NOW = datetime(2026, 11, 25, 1, tzinfo=UTC)


def trade(number: int, time_ms: int, price: str = "0.10", quantity: str = "2.50") -> str:
    """Return a row of a trade."""
    return f"{number},{time_ms},{'buy' if number % 2 else 'sell'},{price},{quantity}"


def seconds(time_ms: int) -> str:
    """Return a time as most files have it."""
    return f"{time_ms // 1000}.{time_ms % 1000:03d}"


class LakeCase(Case):
    def setUp(self) -> None:
        super().setUp()
        self.base = self.folder
        self.folder = self.base / "data"
        self.folder.mkdir()
        self.out = self.base / "lake"
        self.told: list[tuple[int, int]] = []

    @contextlib.contextmanager
    def begin(self, total: int) -> Iterator[Any]:
        self.total = total
        self.told = []
        yield lambda rows, bytes_: self.told.append((rows, bytes_))

    def export(self, *folders: Path, now: datetime = NOW, **asked: Any) -> dict[str, str]:
        """Bring the lake up to date; return what the line says that tells of it."""
        line = export(Asked(folders or (self.folder,), self.out, **asked), self.begin, now=lambda: now)
        return dict(word.split("=") for word in line.partition(";")[0].split() if "=" in word)

    def wrote(self, *folders: Path, **asked: Any) -> list[str]:
        """Bring the lake up to date; return which files were written, by their days."""
        before = {path: path.stat().st_ino for path in self.out.rglob("*.parquet")}
        self.export(*folders, **asked)
        after = {path: path.stat().st_ino for path in self.out.rglob("*.parquet")}
        return sorted(path.parent.name.removeprefix("date=") for path in after if after[path] != before.get(path))

    def names(self) -> list[str]:
        """Return all files of the lake."""
        return sorted(str(path.relative_to(self.out)) for path in self.out.rglob("*") if path.is_file())

    def part(self, day: str, kind: str = "trades", symbol: str = S) -> Path:
        return self.out / kind / "exchange=aster-futures" / f"symbol={symbol}" / f"date={day}" / "part-0.parquet"

    def rows(self, day: str, kind: str = "trades") -> list[dict[str, Any]]:
        """Return the rows of a day, None where there is no file."""
        rows: list[dict[str, Any]] = pq.ParquetFile(self.part(day, kind)).read().to_pylist()
        return rows

    def ids_of(self, day: str) -> list[int]:
        return [row["id"] for row in self.rows(day)]

    def said(self, day: str, kind: str = "trades") -> dict[str, Any]:
        """Return what a day's file says of what it was made of."""
        said: dict[str, Any] = json.loads(pq.read_metadata(self.part(day, kind)).metadata[b"aster_collect"])
        return said
