"""What there is of a form that puts several kinds of a symbol together: each symbol of a market in one folder."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..archive import Archive, Rows
from ..errors import ConfigError
from ..exchange.cells import RECEIVE_TIME
from .asked import Asked
from .folders import folders

OPTIONS = {RECEIVE_TIME.name: "--receive-time", "bid_qty": "--quantities", "ask_qty": "--quantities"}


class Found(NamedTuple):
    """A symbol of a market, such as aster-futures, and the kinds of it that are asked for and that the form has."""

    market: str
    symbol: str
    archive: Archive
    kinds: tuple[str, ...]
    asked: Asked

    def blocks(self, kind: str) -> Iterator[Rows]:
        """Yield the rows of a kind, of the time that is asked for and some around it."""
        return self.archive.blocks(kind, self.symbol, self.asked.start, self.asked.end)

    def size(self) -> int:
        """Return how large the files of all kinds are, as they lie on the disk."""
        size = 0
        for kind in self.kinds:
            for path in self.archive.files(kind, self.symbol, self.asked.start, self.asked.end):
                with contextlib.suppress(FileNotFoundError):  # compressed, or deleted, since they were listed
                    size += path.stat().st_size
        return size

    def demand(self, kind: str, columns: Iterable[str], form: str) -> None:
        """Raise `ConfigError` for a file without one of these columns, which an option would have brought."""
        for name, has in self.archive.columns(kind, self.symbol, self.asked.start, self.asked.end):
            missing = next((column for column in columns if column not in has), None)
            if missing is not None:
                raise ConfigError(
                    f"{self.archive.folder / name}: collected without {OPTIONS[missing]}, which --to {form} needs of "
                    f"{kind}; leave it out with --kinds, or such days with --from and --until"
                )


def find(asked: Asked, kinds: Iterable[str], form: str) -> list[Found]:
    """Return what there is of these kinds, which are all that the form has.

    Raises `ConfigError` for other kinds that are asked for, a symbol in two folders, and where there is nothing, and as
    `folders` does.
    """
    kinds = tuple(kinds)
    other = next((kind for kind in asked.kinds if kind not in kinds), None)
    if other is not None:
        raise ConfigError(f"--kinds: {other} given, {', '.join(kinds)} allowed with --to {form}")
    found: dict[tuple[str, str], Found] = {}
    for folder in folders(asked):
        for symbol, chosen in folder.chosen.items():
            mine = tuple(kind.name for kind in chosen if kind.name in kinds)
            if not mine:
                continue
            if before := found.get((folder.exchange, symbol)):
                both = f"{before.archive.folder} and in {folder.path}"
                raise ConfigError(f"{symbol}: in {both}, one of them allowed; merge them first")
            found[folder.exchange, symbol] = Found(folder.exchange, symbol, Archive(folder.path), mine, asked)
    if not found:
        wanted = ", ".join(asked.kinds or kinds)
        raise ConfigError(f"{', '.join(map(str, asked.folders))}: nothing there of what is asked for: {wanted}")
    return list(found.values())
