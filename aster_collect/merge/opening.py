"""What a file of a full book begins with: the book as it was, rebuilt from the rows before."""

from collections.abc import Sequence

from ..archive.book import Book


class Opening:
    """The full book behind the rows that were taken."""

    def __init__(self, *, stamped: bool) -> None:
        """`stamped` says that the last column is when a row was received."""
        self._book, self._end = Book(), b"," if stamped else b""
        self._last_id = b""

    def take(self, lines: Sequence[bytes]) -> None:
        """Follow some rows."""
        for line in lines:
            _, previous, self._last_id, bids, asks, *_ = line.split(b",")
            if previous:
                self._book.change(bids, asks)
            else:
                self._book.begin(bids, asks)

    def opening(self, line: bytes) -> bytes:
        """Return the book before a change, as a row with that one's time; none of a snapshot, which needs no book."""
        time, previous, _ = line.split(b",", 2)
        if not previous:
            return b""
        bids, asks = (b";".join(side.all()) for side in self._book.sides)
        return b"%b,,%b,%b,%b%b" % (time, self._last_id, bids, asks, self._end)
