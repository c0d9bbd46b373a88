"""Which market a data folder holds: a word in a small file, so that the histories of two never mix."""

from pathlib import Path

from ..errors import ConfigError
from ..exchange.venues import FUTURES, VENUES
from .histories import list_folder
from .plain import read_plain
from .replace import replace_file

MARKET_NAME = ".market"
READ_BYTES = 64


def keep_market(folder: Path, market: str) -> None:
    """Let a folder remember its market, unless it does; raises `ConfigError` where it holds another, and `OSError`.

    One with data files of before there was such a word holds futures.
    """
    path = folder / MARKET_NAME
    said = _said(path)
    held = said or (FUTURES.name if any(True for _ in list_folder(folder)) else market)
    if held != market:
        raise ConfigError(
            f"--market: {market} given, but {folder} holds {held}; give another --data-dir, or --market {held}"
        )
    if not said:
        replace_file(path, f"{market}\n")


def market_of(folder: Path) -> str:
    """Return the market of a folder that has data files; raises `ConfigError` for what is none, and `OSError`."""
    path = folder / MARKET_NAME
    said = _said(path) or FUTURES.name
    if said not in VENUES:
        raise ConfigError(f"{path}: {said!r} in it, {' or '.join(VENUES)} allowed")
    return said


def _said(path: Path) -> str:
    try:
        with read_plain(path) as file:
            return file.read(READ_BYTES).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""
