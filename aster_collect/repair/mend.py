"""Missing trades put back, a lot at a time: an end at any moment leaves a folder that holds.

asked ─▶ mark ─▶ files, each written aside and renamed ─▶ the ledger, as they ─▶ mark gone
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from ..archive import Archive
from ..archive.gaps import Ids
from ..errors import DataError
from ..exchange.streams.kind import Kind
from ..exchange.streams.trades import Trade
from ..files.manifest import has_manifest, take_back
from ..files.names import TABLE
from ..files.repairing import Repairing, repairing
from ..order.proof import Verdict, by_page
from . import mark
from .left import ranges
from .place import places
from .rewrite import Files, rewrite_ledger

AT_ONCE = 200_000  # trades, which are held in memory; for each such lot the files that they belong to are written anew

Ask = Callable[[str, int, int], Iterator[list[Trade]]]
Tell = Callable[[int, int], object]


def settle(folder: Path) -> None:
    """End what an interrupted run has begun: ids that are in the files by now leave the ledger. Raises `OSError`."""
    left = repairing(folder)
    if left is not None:
        kind = TABLE[left.kind]
        files = Files(folder, kind, left.symbol)
        there = (number for first, last in left.ids for number in files.ids(first, last))
        rewrite_ledger(folder, kind, left.symbol, ranges(there))
        mark.end(folder)


class Mending:
    """The trades of one symbol."""

    def __init__(self, folder: Path, kind: Kind, symbol: str, ask: Ask, *, at_once: int = AT_ONCE) -> None:
        """`ask` yields pages of trades between two ids. `missing` are the ids that the ledger says are missing."""
        self._folder, self._kind, self.symbol, self._ask = folder, kind, symbol, ask
        self._at_once = at_once
        self._lot: list[Trade] = []
        self.missing = Archive(folder).gaps(symbol, kind.name).ids
        self.number = sum(ids.number for ids in self.missing)
        self.found = 0  # how many of them are there now

    def run(self, tell: Tell) -> None:
        """Ask for all that is missing, and put back what comes; raises what `ask` raises, `DataError`, and `OSError`.

        What has come before an error is put back too. `tell` is told how many came, and how many that settles.
        """
        beside = self._beside()
        try:
            for ids in self.missing:
                self._hole(ids, beside, tell)
        finally:
            self._put_back()

    def _beside(self) -> dict[int, Trade]:
        """Return the trades of the files that lie beside a hole, by their ids."""
        numbers = sorted({number for ids in self.missing for number in (ids.first - 1, ids.last + 1)})
        lines = Files(self._folder, self._kind, self.symbol).lines(numbers)
        return {number: cast(Trade, self._kind.read(line.split(","))) for number, line in lines}

    def _hole(self, ids: Ids, beside: Mapping[int, Trade], tell: Tell) -> None:
        """Ask for the trades of one hole, once those before or behind it have proven that they are of these ids."""
        settled, is_proven = ids.first, False
        before, behind = beside.get(ids.first - 1), beside.get(ids.last + 1)
        for page in self._ask(self.symbol, ids.first if before is None else before.id, ids.last):
            is_proven = is_proven or self._proves(page, before) or self._proves(self._page(behind), behind)
            if not is_proven:
                break
            new = [trade for trade in page if trade.id >= ids.first]
            self._lot += new
            tell(len(new), page[-1].id + 1 - settled)
            settled = page[-1].id + 1
            if len(self._lot) >= self._at_once:
                self._put_back()
        tell(0, ids.last + 1 - settled)

    def _page(self, known: Trade | None) -> list[Trade]:
        """Return what the exchange has under the id of a trade of the files."""
        return [] if known is None else [trade for page in self._ask(self.symbol, known.id, known.id) for trade in page]

    def _proves(self, page: Iterable[Trade], known: Trade | None) -> bool:
        """Return whether a page has a trade of the files; raises `DataError` where it has another under its id."""
        there = [trade for trade in page if known is not None and trade.id == known.id]
        if known is not None and there and by_page(known, there) is Verdict.FOREIGN:
            raise DataError(
                f"{self.symbol}: trade {known.id} of the file is another one at the exchange: its ids have begun anew, "
                "and what is missing can't be had any more"
            )
        return bool(there)

    def _put_back(self) -> None:
        lot, self._lot = self._lot, []
        if not lot:
            return
        found = ranges(trade.id for trade in lot)
        files = Files(self._folder, self._kind, self.symbol)
        if has_manifest(self._folder):
            take_back(self._folder)
        mark.begin(self._folder, Repairing(self._kind.name, self.symbol, found))
        for part, trades in places(files.extents, lot):
            files.put(part, trades)
        rewrite_ledger(self._folder, self._kind, self.symbol, found)
        mark.end(self._folder)
        self.found += len(lot)
