"""What an export is asked for. Pure."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

Tell = Callable[[int, int], object]  # rows and bytes, more of each
Begin = Callable[[int], AbstractContextManager[Tell]]  # of how many bytes that will be


class Asked(NamedTuple):
    """Which data goes where: of these symbols and kinds, of all where there are none, from one moment up to another.

    `exact` and `open` are the lake's: exact decimals, and days too that are not over.
    """

    folders: tuple[Path, ...]
    out: Path
    symbols: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    exact: bool = False
    open: bool = False
