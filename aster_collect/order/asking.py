"""When a page of a hole is asked for, and what answers leave out.

Pure. Times are seconds of a monotonic clock, given by the caller.
"""

from collections import Counter
from collections.abc import Sequence

from ..exchange.streams.trades import Trade

GRACE_S = 0.25  # two frames that changed places, or a hand-over, close most holes by themselves
GONE_S = 60.0  # between two answers without an id that later ids surround: no REST server is behind by so much
LONGEST_WAIT = 6  # doublings of half a second


class Asking:
    """The pages under way, one of a hole at a time, asked for again after a growing pause while they bring nothing."""

    def __init__(self) -> None:
        self.progress_s = 0.0  # when the hole opened, or last became smaller
        self._retry_s = 0.0
        self._tries = 0
        self._asked: int | None = None  # the first id of the page of the hole, or of the proof, that is under way
        self._under_way: Counter[int] = Counter()  # all pages that were asked for, by their first ids …
        self._void: Counter[int] = Counter()  # … and those that were for the file that has been set aside
        self._absent_s: dict[int, float] = {}  # since when answers leave ids out: the first of each hole in a page

    def progressed(self, now_s: float) -> None:
        """Note that the hole became smaller."""
        self.progress_s = now_s
        self.hurry()
        self._tries = 0

    def hurry(self) -> None:
        """Let the next page be asked for now."""
        self._retry_s = 0.0

    def may_ask(self, now_s: float) -> bool:
        """Return whether no page is under way, and the pause is over."""
        return self._asked is None and now_s >= self._retry_s

    def is_ripe(self, now_s: float) -> bool:
        """Return whether a hole has had time to close by itself."""
        return now_s >= self.progress_s + GRACE_S

    def ask(self, first_id: int) -> None:
        """Note that a page of the hole, or of the proof, is asked for."""
        self._asked = first_id
        self._under_way[first_id] += 1

    def ask_beside(self, first_id: int) -> None:
        """Note that another page is asked for."""
        self._under_way[first_id] += 1

    def is_under_way(self, first_id: int) -> bool:
        """Return whether a page from an id on is asked for, and not answered."""
        return self._under_way[first_id] > 0

    def answered(self, first_id: int) -> bool:
        """Note an answer; return whether it is for the file that there is."""
        if self._void[first_id]:
            self._void[first_id] -= 1
            return False
        self._under_way[first_id] -= 1
        self._under_way = +self._under_way
        if first_id not in self._under_way and first_id == self._asked:
            self._asked = None
        return True

    def later(self, now_s: float) -> None:
        """Let the next page be asked for after a pause."""
        self._tries += 1
        self._retry_s = now_s + 0.5 * 2 ** min(self._tries, LONGEST_WAIT)

    def note_absent(self, first_id: int, trades: Sequence[Trade], lowest_missing: int, now_s: float) -> None:
        """Note which ids a page leaves out though it has later ones."""
        self._absent_s = {one: since_s for one, since_s in self._absent_s.items() if one >= lowest_missing}
        expected = first_id
        for trade in trades:
            if trade.id > expected:
                self._absent_s.setdefault(expected, now_s)
            expected = trade.id + 1

    def is_absent(self, trade_id: int) -> bool:
        """Return whether an answer has left an id out."""
        return trade_id in self._absent_s

    def is_gone(self, trade_id: int, now_s: float) -> bool:
        """Return whether answers a minute apart have left it out."""
        return now_s - self._absent_s.get(trade_id, now_s) >= GONE_S

    def begin_anew(self) -> None:
        """Forget all, for another file; what is under way is not for it."""
        self._asked, self._absent_s, self._tries = None, {}, 0
        self.hurry()
        self._void, self._under_way = self._under_way, Counter()
