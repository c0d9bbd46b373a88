"""The hole in front of what is held, and what may be behind the last trade: what is asked for, and when it is given up.

Pure. Times are seconds of a monotonic clock, given by the caller.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..exchange.streams.trades import Trade
from .asking import Asking
from .assembly import Assembly
from .question import CHECK_S, Question

Page = tuple[int, int]


class Bounds(NamedTuple):
    """How much past a fresh file asks for, how large a hole is fetched, how long and how much is held for it.

    `page_trades` is how many the exchange gives at once.
    """

    history: int
    backfill_limit: int
    hold_trades: int
    hold_s: float
    page_trades: int


class Holes:
    """What an assembly lacks.

    ```
    a hole ──a quarter of a second──▶ asked for ─┬─ a page has its ids ──────────────▶ closed, or smaller
       │         ▲                               ├─ it has none ──a growing pause──┐
       │         └───────────────────────────────┼─────────────────────────────────┘
       │                                         └─ pages leave them out, a minute apart ─▶ a gap
       └─ larger than is fetched, too old, or too much is held behind it ─────────────────▶ a gap
    ```
    """

    def __init__(self, assembly: Assembly, bounds: Bounds) -> None:
        self.asking = Asking()
        self.question = Question()
        self._assembly, self._bounds = assembly, bounds

    def begin_outage(self) -> None:
        """Note that no connection brings trades: there may be some that no live one shows."""
        if self._assembly.next is not None:
            self.question.begin()

    def end_outage(self, now_s: float) -> None:
        """Note that one does again: when a while has brought no live trade, REST is to be asked."""
        if self._assembly.next is not None:
            self.question.begin(now_s + CHECK_S)

    def hurry(self) -> None:
        """Let what is not known yet be asked now: the end is near."""
        self.question.hurry()
        self.asking.hurry()

    def ask(self, now_s: float) -> Page | None:
        """Return the page wanted now, as its first id and how many trades, or None; each is asked for only once."""
        assembly = self._assembly
        if not assembly.held or not self.asking.is_ripe(now_s) or assembly.hole > self._bounds.backfill_limit:
            return None
        # One more than is missing: a page that has the id behind the hole but none of it proves that it is gone.
        return self._ask(assembly.lowest_missing, assembly.hole + 1, now_s)

    def ask_from(self, first_id: int, now_s: float) -> Page | None:
        """Return the page from an id on, if it can be asked for now."""
        return self._ask(first_id, max(1, self._bounds.backfill_limit), now_s)

    def _ask(self, first_id: int, count: int, now_s: float) -> Page | None:
        if not self.asking.may_ask(now_s):
            return None
        self.asking.ask(first_id)
        return first_id, min(self._bounds.page_trades, count)

    def ask_quiet(self, now_s: float) -> Page | None:
        """Return the page, as `ask` does, that tells whether a quiet symbol had trades in an outage, if it is time."""
        assembly, limit = self._assembly, self._bounds.backfill_limit
        next_id = assembly.next
        if next_id is None or assembly.sealed or assembly.held or not limit:
            return None
        if not self.question.ask(now_s, self.asking.is_under_way(next_id)):
            return None
        self.asking.ask_beside(next_id)
        return next_id, min(self._bounds.page_trades, limit)

    def is_full(self, count: int) -> bool:
        """Return whether a page of so many trades may have more behind it."""
        return count >= min(self._bounds.page_trades, self._bounds.backfill_limit)

    def farthest(self, first_id: int) -> int:
        """Return the highest id that a page from `first_id` on can have."""
        return max(first_id, self._assembly.first_held if self._assembly.held else 0) + self._bounds.page_trades

    def put(self, trade: Trade, now_s: float) -> None:
        """Take a trade, live or of a page."""
        if not self._assembly.held:
            self.asking.progress_s = now_s
        if self._assembly.put(trade):
            self.asking.progressed(now_s)

    def page(self, first_id: int, trades: Sequence[Trade], now_s: float, *, usable: bool, full: bool) -> None:
        """Take REST's answer: late, short, overlapping, with holes or empty; oldest first."""
        assembly = self._assembly
        self.asking.note_absent(first_id, trades, assembly.lowest_missing, now_s)
        before = assembly.next
        if first_id == before:
            self.question.page(usable, full, now_s)
        for trade in trades:
            self.put(trade, now_s)
        if first_id == before == assembly.next and assembly.held:
            self._miss(bool(trades), now_s)

    def _miss(self, surrounded: bool, now_s: float) -> None:
        """Count an answer that did not bring the id asked for; what answers a minute apart leave out is gone."""
        assembly, asking = self._assembly, self.asking
        asking.later(now_s)
        if surrounded and (assembly.written_ms is None or asking.is_gone(assembly.lowest_missing, now_s)):
            self.skip("not-available", now_s)

    def is_over(self, held: int, now_s: float) -> bool:
        """Return whether so many can't be held any longer, or not behind this hole."""
        too_old = held > 0 and now_s - self.asking.progress_s > self._bounds.hold_s
        return too_old or held > self._bounds.hold_trades

    def shorten(self, now_s: float) -> None:
        """Give up the part of a hole that is more than is fetched."""
        assembly, limit = self._assembly, self._bounds.backfill_limit
        if assembly.held and self.asking.is_ripe(now_s) and assembly.hole > limit:
            self.skip("backfill-limit", now_s, to_id=assembly.hole_end - limit)

    def give_up(self, now_s: float) -> None:
        """Give up the hole."""
        assembly = self._assembly
        gone = self.asking.is_absent(assembly.lowest_missing)
        self.skip("destroyed" if assembly.emptied else "not-available" if gone else "gave-up", now_s)

    def skip(self, cause: str, now_s: float, *, to_id: int | None = None) -> None:
        """Go on behind the hole, or at `to_id` in it: what lies before is a gap."""
        self._assembly.skip(self._assembly.first_held if to_id is None else to_id, cause)
        self.asking.progressed(now_s)
