"""What other kinds show of the top of the book, held against the full book at the same update id."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from sys import maxsize
from typing import NamedTuple

from ..archive.book import Book, shown
from .found import Proof
from .ledger import Ranges
from .lines import Lines
from .report import Report


class Place(NamedTuple):
    """A row of the full book: where it stands, and its time and update id."""

    name: str
    line: int
    time_ms: int
    update_id: int


class Claims:
    """The rows of one history that show the top of the book, asked for by update ids that rise."""

    def __init__(self, blocks: Iterator[Lines]) -> None:
        self._blocks = blocks
        self._lines: Lines | None = None
        self._last_id = -1
        self._tops: set[str] = set()  # the files that say which book their rows show
        self._proven, self._wrong = Counter[str](), Counter[str]()  # by file

    def at(self, update_id: int) -> tuple[Lines, int] | None:
        """Return the row of an update id as its lines and its place in them; read on as far as that takes."""
        while update_id > self._last_id:
            self._lines = next(self._blocks, None)
            if self._lines is None:
                self._last_id = maxsize
            elif self._lines.form.top and self._lines.ids:
                self._last_id = self._lines.ids[-1]
                self._tops.add(self._lines.name)
        if self._lines is None:
            return None
        at = bisect_left(self._lines.ids, update_id)
        return (self._lines, at) if self._lines.ids[at] == update_id else None

    def judge(self, lines: Lines, at: int, place: Place, book: Book) -> str:
        """Hold a row against the book; return what is wrong with it, and nothing where all is well or unknown."""
        row, is_same = lines.row(at), True
        for side, columns in zip(book.sides, lines.form.top, strict=True):
            cells, ours = [row[column] for column in columns], side.top(len(columns) // 2)
            if b",".join(cells).rstrip(b",") == b",".join(ours).replace(b" ", b","):
                continue  # as they nearly always are, to the letter
            difference = side.differs(ours, _levels(cells))
            if difference is None:
                continue
            our, their, is_wrong = difference
            if is_wrong:
                self._wrong[lines.name] += 1
                where = f"at update_id {place.update_id}, {place.name}:{place.line}"
                return f"{side.word} {shown(their)}, but {shown(our)} in the full book {where}"
            is_same = False
        self._proven[lines.name] += is_same
        return ""

    def proof(self, name: str, rows: int) -> Proof:
        """Return how many of a file's rows are proven."""
        return Proof(self._proven[name], rows - self._proven[name] - self._wrong[name])

    def shows(self, name: str) -> bool:
        """Return whether rows of a file said which book they show."""
        return name in self._tops


def _levels(cells: Sequence[bytes]) -> list[bytes]:
    """Return the levels that cells show, price and quantity in turn; one that is blank or zero is none."""
    return [
        b"%b %b" % (price, quantity)
        for price, quantity in zip(cells[::2], cells[1::2], strict=True)
        if price.strip(b"0.") and quantity.strip(b"0.")
    ]


class Cross:
    """The claims of all histories of a symbol. In a stretch that the ledger lists of the full book nothing is said."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.claims: list[Claims] = []

    def broken(self, place: Place, why: str) -> None:
        """Note what is wrong with an earlier row of the full book."""
        self._report.broken(place.name, place.line, why)

    def check(self, place: Place, book: Book, unsure: Ranges) -> None:
        """Hold the rows that have this update id against the book as it is now."""
        for claims in self.claims:
            found = claims.at(place.update_id)
            if found is None:
                continue
            lines, at = found
            if not (unsure.holds(place.time_ms) or unsure.holds(lines.times_ms[at])):
                why = claims.judge(lines, at, place, book)
                if why:
                    self._report.broken(lines.name, lines.numbers[at], why)
