"""Changes of a full book, each named behind the one before it: what follows is let through, the rest waits. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from operator import itemgetter

from ..exchange.streams.depth import Diff
from ..exchange.streams.kind import ID, TIME, Event
from .book import Book
from .suspects import START_OVER_MS

PREVIOUS, BIDS, ASKS = (Diff._fields.index(name) for name in ("previous_id", "bids", "asks"))
PATIENCE_S = 0.5  # two that changed places have found each other by then …
REDUNDANT_PATIENCE_S = 2.0  # … and the slower of two connections has brought what the other left out
HELD_CHARACTERS = 1 << 18  # of changes that wait for a snapshot; the oldest go first


class Linked:
    """The book as it is kept, if there is one, and the changes that don't follow yet.

    With `last` the id that the book covers: `id ≤ last` is old, `previous ≤ last < id` follows, `previous > last` waits
    for what lacks between. Where connections cut differently changes overlap, which does no harm: quantities are
    absolute.
    """

    def __init__(self) -> None:
        self.book: Book | None = None
        self.old: list[Event] = []  # of the last call
        self.held: list[Event] = []
        self.redundant = False  # whether more than one connection brings them
        self._lacks_behind: tuple[int, float] | None = None  # which id, and since when

    def follow(self, changes: Sequence[Event], now_s: float) -> list[Event]:
        """Return what follows, of these changes and of those held, in order, each naming the row before it."""
        book = self.book
        assert book is not None, "nothing to follow"
        self.old = []
        rows: list[Event] = []
        beyond: list[Event] = []
        for change in sorted([*self.held, *changes], key=itemgetter(ID)):
            if change[ID] <= book.id:
                self.old.append(change)
            elif change[PREVIOUS] > book.id:
                beyond.append(change)
            else:
                row = (*change[:PREVIOUS], book.id, *change[PREVIOUS + 1 :])
                book.apply(row)
                rows.append(row)
                self.old += beyond
                beyond = []
        if not beyond:
            self._lacks_behind = None
        elif self._lacks_behind is None or self._lacks_behind[0] != book.id:
            self._lacks_behind = book.id, now_s
        self.held = beyond
        return rows

    @property
    def lacks(self) -> bool:
        """Whether something is lacking between the book and what is held."""
        return self._lacks_behind is not None

    def has_hole(self, now_s: float) -> bool:
        """Return whether what is lacking has been for so long that it won't come any more."""
        patience_s = REDUNDANT_PATIENCE_S if self.redundant else PATIENCE_S
        return self._lacks_behind is not None and now_s - self._lacks_behind[1] >= patience_s

    def hold(self, changes: list[Event]) -> None:
        """Let changes wait for a snapshot: the newest, as far as memory allows."""
        sizes = accumulate(len(one[BIDS]) + len(one[ASKS]) for one in reversed(changes))
        fit = bisect_right(list(sizes), HELD_CHARACTERS)
        self.held = changes[len(changes) - fit :]

    def join(self, snapshot: Diff, *, anew: bool) -> bool:
        """Begin with a snapshot; return False, and leave all as it is, where it is too old for the changes held.

        What was made long before it, and yet bears a higher id, is of former ids; where it is the first of new ones,
        all that was made before it.
        """
        former_ms = snapshot.time_ms - (0 if anew else START_OVER_MS)
        later = [one for one in self.held if one[ID] > snapshot.id and one[TIME] >= former_ms]
        if later and min(one[PREVIOUS] for one in later) > snapshot.id:
            return False
        self.book, self.held, self._lacks_behind = Book(snapshot), later, None
        return True

    def drop(self) -> None:
        """Have no book any more, until there is another snapshot."""
        self.book, self._lacks_behind = None, None
