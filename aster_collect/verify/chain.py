"""The chain of a full book: each row joins the one before it, or is a snapshot that the ledger or the book explains."""

from typing import Any

from ..archive.book import FAR, Book
from ..exchange.ledger import MARGIN_MS
from ..exchange.streams.kind import Kind
from .cross import Cross, Place
from .found import Crossed, IdsFound
from .ledger import Flaw, Ledger
from .lines import Lines

FIRST = 2  # the line of a file's first row


class Chain:
    """The rows of one symbol's full book.

    A file begins with a snapshot. A snapshot with the update id of the row before shows the book as it was; any other
    one, and one that shows another book, stands where the ledger has a stretch from the row before to it. At the end
    of a time, which several rows may share, the book is not crossed. Behind a row that joins nothing the book is not
    known, up to the next snapshot.
    """

    def __init__(self, kind: Kind, ledger: Ledger, cross: Cross) -> None:
        self._cross = cross
        self._explained = ledger.explained(kind.name)
        self._lost = ledger.lost(kind.name)
        self._set_aside = ledger.set_aside(kind.name)
        self._book = Book()
        self._is_known = False
        self._is_fresh = False  # the last row is a snapshot that took the place of the book
        self._last: Place | None = None
        self._open: tuple[Place, str] | None = None  # the last row, where the book is crossed behind it, and how
        self._crossed: Crossed | None = None  # in the file

    def take(self, lines: Lines) -> list[Flaw]:
        """Check some rows, and show the book behind each where it is known."""
        flaws: list[Flaw] = []
        columns = (lines.column(lines.form.at(name)) for name in ("previous_update_id", "bids", "asks"))
        for number, time_ms, update_id, previous_id, bids, asks in zip(
            lines.numbers, lines.times_ms, lines.ids, *columns, strict=True
        ):
            place = Place(lines.name, number, time_ms, update_id)
            if previous_id:
                why = self._change(place, int(previous_id), bids, asks)
            else:
                why = self._snapshot(place, bids, asks)
            if why:
                flaws.append((number, why))
            last, self._last = self._last, place
            if self._is_known:
                self._look(place)
                if last is None or last.update_id != update_id:
                    self._cross.check(place, self._book, self._explained)
        return flaws

    def lose_track(self) -> None:
        """Forget how the last file ended: rows that could not be read are no proof of a break."""
        self._last = self._open = None
        self._is_known = False

    def end_file(self) -> IdsFound:
        """Return what was found in a file, and begin another."""
        found, self._crossed = IdsFound(crossed=self._crossed), None
        return found

    @property
    def state(self) -> list[Any]:
        """The book as it is, and the last row, to be written as JSON."""
        sides = [[b";".join(side.all()).decode(), _told(side.reach)] for side in self._book.sides]
        last = self._last and list(self._last)
        opened = self._open and [list(self._open[0]), self._open[1]]
        return [self._is_known, self._is_fresh, last, opened, *sides]

    def go_on(self, state: list[Any]) -> None:
        """Go on behind a file that left this state."""
        self._is_known, self._is_fresh, last, opened, *sides = state
        self._last = Place(*last) if last else None
        self._open = (Place(*opened[0]), opened[1]) if opened else None
        for side, (levels, reach) in zip(self._book.sides, sides, strict=True):
            side.begin(levels.encode())
            side.reach = _REACHES.get(reach, reach)

    def _change(self, place: Place, previous_id: int, bids: bytes, asks: bytes) -> str:
        """Apply changed levels; return why the row is none that could stand here."""
        why, last = "", self._last
        if last is not None and previous_id != last.update_id:
            why = f"previous_update_id {previous_id}, but the row before has update_id {last.update_id}"
        elif last is not None and place.update_id <= previous_id:
            why = f"update_id {place.update_id} does not rise from {previous_id}"
        if why or last is None:
            self._is_known, self._open = False, None
        if self._is_fresh and last is not None and place.time_ms == last.time_ms:
            self._book.forget_reach()  # what begins a file has the time of the row behind it, and shows what was kept
        self._is_fresh = False
        self._book.change(bids, asks)
        return why or ("a file that does not begin with a snapshot" if place.line == FIRST else "")

    def _snapshot(self, place: Place, bids: bytes, asks: bytes) -> str:
        """Begin anew, unless it shows the book as it was; return why the row is none that could stand here."""
        last, difference = self._last, ""
        if last is not None and last.update_id == place.update_id and self._is_known:
            difference = self._book.differs_from(bids, asks)
            if not difference:
                return ""
        was_known, self._is_known, self._is_fresh, self._open = self._is_known, True, True, None
        self._book.begin(bids, asks)
        if last is None:
            return ""
        if place.update_id < last.update_id:
            return f"update_id {place.update_id} does not rise from {last.update_id}"
        if place.update_id == last.update_id:
            if not was_known or self._explained.spans(last.time_ms, place.time_ms):
                return ""
            return f"a snapshot that shows another book than the rows before it: {difference}"
        if self._is_explained(last.time_ms, place.time_ms):
            return ""
        ids = f"update_id {place.update_id} behind {last.update_id}"
        return f"a snapshot with {ids}, and no row of the ledger that reaches from there to it"

    def _is_explained(self, before_ms: int, time_ms: int) -> bool:
        """Return whether the ledger lists a stretch from one row to another, or rows between them that are lost.

        In it may lie a file that was set aside.
        """
        starts = [before_ms, *(start for start, _ in self._set_aside if before_ms <= start <= time_ms)]
        is_lost = self._lost.next(before_ms - MARGIN_MS) <= time_ms + MARGIN_MS
        return is_lost or any(self._explained.spans(start + MARGIN_MS, time_ms - MARGIN_MS) for start in starts)

    def _look(self, place: Place) -> None:
        """Count where the book is crossed within a time; where it is at its end, that is wrong."""
        if self._open is not None:
            crossed, best = self._open
            if crossed.time_ms != place.time_ms:
                self._cross.broken(crossed, f"the book is crossed behind the last row of its time: {best}")
            else:
                so_far = self._crossed or Crossed(0, crossed.name, crossed.line)
                self._crossed = so_far._replace(moments=so_far.moments + 1)
        is_wrong = self._book.is_crossed and not self._explained.holds(place.time_ms)
        self._open = (place, self._book.best) if is_wrong else None


_REACHES = {"all": -FAR, "none": FAR}


def _told(reach: float) -> str | float:
    """Return how far a side is known, to be written as JSON."""
    return next((word for word, value in _REACHES.items() if value == reach), reach)
