"""A mark in the data folder: which ids are being put back. While it is there, ids may be both listed and present.

Several files can't take their names at once. The mark is there before the first of them does, and goes behind the last,
the ledger.
"""

import json
from pathlib import Path
from typing import NamedTuple

from .plain import read_plain

REPAIRING_NAME = ".repair"
MOST_BYTES = 1 << 24


class Repairing(NamedTuple):
    """Ranges of ids of one history."""

    kind: str
    symbol: str
    ids: list[tuple[int, int]]


def repairing(folder: Path) -> Repairing | None:
    """Return what is being put back, or was when a repair was interrupted, None where nothing is; raises `OSError`."""
    try:
        with read_plain(folder / REPAIRING_NAME) as file:
            told = json.loads(file.read(MOST_BYTES))
        ids = [(int(first), int(last)) for first, last in told["ids"]]
        return Repairing(str(told["kind"]), str(told["symbol"]), ids)
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError, RecursionError):
        return None
