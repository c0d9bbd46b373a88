"""The rows of the order book as changes of it, where the full book was not collected. Pure."""

from collections.abc import Iterator, Sequence

from ..archive import Rows
from ..archive.book import Book
from ..exchange.cells import RECEIVE_TIME, milliseconds
from .changes import Change


class Tops:
    """A book of as many levels as the rows have: one that leaves them is gone, though the exchange's may have it."""

    lost = 0

    def __init__(self) -> None:
        self.book = Book()
        self.levels = 0  # of a side, the most that there were
        self._before: tuple[dict[str, str], ...] = ()

    def of(self, rows: Rows) -> Iterator[Change]:
        """Yield what changes from row to row, the first as a whole. While one is looked at the book is still before it.

        Rows have the time of receipt as their last cell, or none.
        """
        width = sum(name.startswith("bid_") for name in rows.columns)
        self.levels = max(self.levels, width // 2)
        stamped = rows.columns[-1] == RECEIVE_TIME.name
        for line in rows.lines:
            cells = line.split(",")
            sides = tuple(_levels(cells[start : start + width]) for start in (2, 2 + width))
            fresh = not self._before
            before = self._before or ({}, {})
            bids, asks = (_text(now, then).encode() for now, then in zip(sides, before, strict=True))
            yield Change(milliseconds(cells[0]), cells[-1] if stamped else "", fresh, bids, asks)
            self._before = sides
            (self.book.begin if fresh else self.book.change)(bids, asks)


def _levels(cells: Sequence[str]) -> dict[str, str]:
    return {price: quantity for price, quantity in zip(cells[::2], cells[1::2], strict=True) if price}


def _text(now: dict[str, str], before: dict[str, str]) -> str:
    """Return what makes one side of the other, `price quantity;price quantity`."""
    changed = [f"{price} {quantity}" for price, quantity in now.items() if before.get(price) != quantity]
    gone = [f"{price} 0" for price in before if price not in now]
    return ";".join((*gone, *changed))
