"""What an export is asked for. Pure."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, time
from pathlib import Path
from typing import NamedTuple

from ..errors import ConfigError

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

    def check_days(self) -> None:
        """Raise `ConfigError` for a time that cuts a day of UTC: a part of it would take the place of the whole."""
        for name, moment in (("--from", self.start), ("--until", self.end)):
            if moment and moment.time() != time.min:
                raise ConfigError(
                    f"{name}: {moment:%Y-%m-%dT%H:%M:%S} given, the beginning of a day of UTC allowed, such as "
                    f"{moment:%Y-%m-%d}: the files are whole days"
                )
