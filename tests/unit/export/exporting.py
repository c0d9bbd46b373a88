"""Data folders that tests export, with the command as a user types it."""

import gzip
from pathlib import Path
from typing import ClassVar

from aster_collect.exchange.streams.kind import Options
from tests.unit.archive.folder import START_MS, Case, S, header_of
from tests.unit.commands.calls import Ended, Folder, call

NOON_MS = START_MS - 4 * 3_600_000  # 2026-11-22
MIDNIGHT_MS = START_MS + 8 * 3_600_000


class Export(Case, Folder):
    """Data folders, and what the command makes of them."""

    options: ClassVar[Options] = Options(receive_time=True, quantities=True)

    def setUp(self) -> None:
        Folder.setUp(self)
        self.work = self.folder
        self.folder = self.work / "data"
        self.folder.mkdir()

    def rows(self, kind: str, *lines: str, period: str = "", symbol: str = S, options: Options | None = None) -> Path:
        return self.put(kind, lines, period, symbol=symbol, header=header_of(kind, options or self.options))

    def export(self, *words: str, to: str = "tardis") -> Ended:
        return call("export", "data", "--to", to, "--out", "out", *words)

    def made(self) -> list[str]:
        return sorted(path.name for path in (self.work / "out").iterdir()) if (self.work / "out").exists() else []

    def refused(self, ended: Ended, *parts: str, status: int = 2) -> None:
        """Fail unless a call ended with one line that has these parts, and nothing was made."""
        self.assert_refused(ended, *parts, program="aster-collect export", status=status)

    def read(self, name: str) -> list[str]:
        return gzip.decompress((self.work / "out" / name).read_bytes()).decode().splitlines()

    def exported(self, *words: str) -> dict[str, list[str]]:
        """Return the lines of all files, by data type, day and symbol."""
        ended = self.export(*words)
        self.assertEqual((ended.status, ended.err), (0, ""))
        self.out = ended.out
        return {name.split("_", 1)[1].removesuffix(".csv.gz"): self.read(name) for name in self.made()}
