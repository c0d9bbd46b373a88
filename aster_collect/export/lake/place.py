"""Where a day's file lies in a lake. Pure."""

from pathlib import Path
from urllib.parse import quote

FILE = "part-0.parquet"
DATE = "date="


def history(out: Path, kind: str, exchange: str, symbol: str) -> Path:
    """Return the folder of a history; what is for all symbols has no part that names one."""
    folder = out / kind / f"exchange={exchange}"
    return folder / f"symbol={quote(symbol)}" if symbol else folder


def part(folder: Path, day: str) -> Path:
    """Return the file of a day of a history."""
    return folder / f"{DATE}{day}" / FILE
