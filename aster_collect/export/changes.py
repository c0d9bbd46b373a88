"""The rows of the full book, each joined to the one before it. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from ..archive import Rows
from ..archive.book import Book
from ..exchange.cells import milliseconds


class Change(NamedTuple):
    """What has changed of a book, or where it is `fresh` all that is known of it: what was before does not count.

    A side is text, `price quantity;price quantity`; `received` is blank where the row did not come live.
    """

    time_ms: int
    received: str
    fresh: bool
    bids: bytes
    asks: bytes


class Changes:
    """A book that follows its rows. `lost` counts those that join no row before them, and belong to no book."""

    levels = 0  # as many as there are

    def __init__(self) -> None:
        self.book = Book()
        self.lost = 0
        self._id = b""  # of the last row; none where the book is not known

    def of(self, rows: Rows) -> Iterator[Change]:
        """Yield what rows change. While one is looked at the book is still that of before.

        The first row of a closed file is the book as it was: that is no change. A break in the chain, which no file of
        this program has, ends the book until the next snapshot.
        """
        for line in rows.data[:-1].split(b"\n"):
            time, previous, update_id, bids, asks, *received = line.split(b",")
            if not previous and update_id == self._id and not self.book.differs_from(bids, asks):
                continue
            if previous and previous != self._id:
                self.lost += 1
                self._id = b""
                continue
            stamp = received[0].decode() if received else ""
            yield Change(milliseconds(time.decode()), stamp, not previous, bids, asks)
            self._id = update_id
            (self.book.change if previous else self.book.begin)(bids, asks)
