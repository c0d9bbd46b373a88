"""What the folders that are merged must have in common, and what of them is known before they are read."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from ..errors import ConfigError
from ..exchange.streams import KINDS
from ..files.histories import Histories, list_folder
from ..files.market import market_of
from ..files.source import Damaged, Source
from .columns import Columns


def common_market(folders: Sequence[Path]) -> str:
    """Return the market that all folders hold; raise `ConfigError` where they hold several."""
    markets = {folder: market_of(folder) for folder in folders}
    first, *others = markets
    for other in others:
        if markets[other] != markets[first]:
            raise ConfigError(
                f"{other} holds {markets[other]}, and {first} {markets[first]}; give folders of one market"
            )
    return markets[first]


def refuse_columns(folders: Sequence[Path], market: str) -> None:
    """Raise `ConfigError` where files of one history have not the same columns, before hours are spent on others."""
    columns: dict[tuple[str, str], Columns] = {}
    for folder in folders:
        for entry in sorted(list_folder(folder)):
            kind = KINDS.get(entry.part.kind)
            if kind is None or entry.aside_ms:
                continue
            known = columns.setdefault(entry.part[:2], Columns(kind, market))
            with (
                contextlib.suppress(FileNotFoundError, Damaged),  # compressed meanwhile, or told where it is read
                Source(folder / entry.name, entry.part, links=True) as source,
            ):
                if header := source.header():
                    known.take(str(folder / entry.name), header)


def shortest_period_ms(histories: Sequence[Histories]) -> int:
    """Return the shortest period by which files are closed, 0 where none is."""
    lengths = {
        part.length_ms
        for each in histories
        for symbol in each.symbols
        for parts in each.parts(symbol).values()
        for part in parts
        if part.period
    }
    return min(lengths, default=0)


def total_bytes(folders: Sequence[Path]) -> int:
    """Return how much there is to read."""
    total = 0
    for folder in folders:
        for entry in list_folder(folder):
            if not entry.aside_ms:
                with contextlib.suppress(FileNotFoundError):  # compressed meanwhile
                    total += (folder / entry.name).stat().st_size
    return total
