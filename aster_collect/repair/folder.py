"""A data folder repaired: its symbols one after the other, while no collector is running there."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..errors import ConfigError, DataError, RestError
from ..exchange.ledger import LEDGER
from ..exchange.streams import KINDS
from ..exchange.streams.kind import Lane
from ..exchange.venues import VENUES
from ..files import manifest
from ..files.histories import Histories
from ..files.lock import Lock
from ..files.manifest import has_manifest
from ..files.market import market_of
from ..files.source import Damaged
from ..net.bans import Bans
from ..net.calls import made
from ..net.pacing import WeightBudget
from ..net.rest import Rest
from .fetch import Pages
from .mend import Ask, Mending, Tell, settle

Watch = Callable[[int], AbstractContextManager[Tell]]


class Asked(NamedTuple):
    """What is to be repaired: a folder, of these symbols or of all; and who is asked, with which share of limits."""

    folder: Path
    symbols: tuple[str, ...] = ()
    rest_url: str = ""
    share: float = 1.0


class Mended(NamedTuple):
    """How many trades a symbol's ledger called missing, how many of them are there now, and what went wrong."""

    symbol: str
    missing: int
    found: int
    why: str = ""


def repair(asked: Asked, watch: Watch) -> Iterator[Mended]:
    """Repair a folder, and yield what came of each symbol that misses something; the last one where REST stays away.

    `watch` is told how many trades are missing, and shows how far it is. Raises `NotAFolder`, `LockedError` while a
    collector is running there, `ConfigError` for a symbol that the folder has not, and `OSError`.
    """
    histories = Histories(asked.folder)
    known = [symbol for symbol in histories.symbols if LEDGER.name in histories.parts(symbol)]
    for symbol in asked.symbols:
        if symbol not in known:
            raise ConfigError(f"--symbols: {symbol} given, those of {asked.folder} allowed: {', '.join(known)}")
    lock, begun = Lock(asked.folder), False
    try:
        settle(asked.folder)
        ask = _asker(asked)
        for mending in _mendings(asked, asked.symbols or known, ask):
            begun, why, is_away = True, "", False
            try:
                with watch(mending.number) as tell:
                    mending.run(tell)
            except (RestError, DataError, Damaged) as error:
                why, is_away = str(error), isinstance(error, RestError)
            yield Mended(mending.symbol, mending.number, mending.found, why)
            if is_away:
                return
    finally:
        if begun and has_manifest(asked.folder):
            manifest.settle(asked.folder)
        lock.release()


def _mendings(asked: Asked, symbols: Iterable[str], ask: Ask) -> Iterator[Mending]:
    """Yield what is to be mended, one after the other."""
    for kind in (kind for kind in KINDS.values() if kind.lane is Lane.SEQUENCE):
        for symbol in symbols:
            mending = Mending(asked.folder, kind, symbol, ask)
            if mending.missing:
                yield mending


def _asker(asked: Asked) -> Ask:
    venue = VENUES[market_of(asked.folder)]
    rest = Rest(WeightBudget(venue.weight_a_minute, asked.share), Bans(asked.folder))
    return Pages(venue, rest, partial(made, asked.rest_url or venue.rest_url)).trades
