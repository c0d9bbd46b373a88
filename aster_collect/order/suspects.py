"""Trades that contradict those that are written: three of them prove that ids have begun anew, one proves nothing.

Pure.
"""

from collections import deque

from ..exchange.streams.trades import Trade

PROOF_ROWS = 3
START_OVER_MS = 2000  # by so much no clock of one exchange goes back
FORMER_MS = 60_000  # for so long a slow connection can bring what bears former ids
SAME_MS = 1000  # by so much two tellings of one trade may differ in its time
MOST = 5000  # that are kept aside: more than are made in 2 s
NEAR = 1000  # ids: what lies farther ahead of others is odd


class Suspects:
    """Live trades under ids that are written, though they were made after all that is.

    ```
    a written id ─┬─ one of the recent trades, or made before the newest ──▶ comes twice
                  └─ a suspect ─┬─ three rise, each 2 s after the newest ──▶ ids have begun anew: what fits is of them
                                └─ the former ids go on past it ───────────▶ odd
    ```
    """

    def __init__(self, recent: deque[tuple[int, int]]) -> None:
        """`recent` are ids and times as they were written last; it is only looked at."""
        self.kept: dict[int, Trade] = {}
        self.recent = recent
        self.former_ms: int | None = None  # since when ids are new, while former ones can come
        self._former_next = 0
        self._former_newest_ms = 0
        self._former_recent: set[tuple[int, int]] = set()
        self._former_until_s = 0.0
        self._since_s: dict[int, float] = {}
        self._proofs: list[Trade] = []  # by id

    @property
    def last_id(self) -> int:
        """The last id that was written, -1 if none was."""
        return self.recent[-1][0] if self.recent else -1

    @property
    def newest_ms(self) -> int:
        """When the newest trade was made, but for one that may be odd."""
        return sorted(time_ms for _, time_ms in self.recent)[-2:][0]

    @property
    def proof(self) -> tuple[Trade, Trade] | None:
        """The first and last of so many that ids must have begun anew: near to each other, ids and times rise."""
        for first, *between, last in zip(*(self._proofs[start:] for start in range(PROOF_ROWS)), strict=False):
            times = [one.time_ms for one in (first, *between, last)]
            if last.id - first.id <= NEAR and times == sorted(times):
                return first, last
        return None

    def contradicts(self, trade: Trade) -> bool:
        """Return whether a trade under a written id can't be one that is written."""
        before = self.recent[-2] if len(self.recent) > 1 else self.recent[-1]
        if trade.time_ms < before[1] and trade.time_ms < self.recent[-1][1]:
            return False  # nearly all that comes twice, at a small price
        return not self.knows(trade) and trade.time_ms >= self.newest_ms

    def knows(self, trade: Trade) -> bool:
        """Return whether a trade is one of the recent ones told again, or was passed over among them."""
        for trade_id, time_ms in reversed(self.recent):
            if trade_id == trade.id:
                return abs(time_ms - trade.time_ms) <= SAME_MS
            if trade_id < trade.id:
                return True
        return False

    def keep(self, trade: Trade, now_s: float) -> bool:
        """Keep one aside; return whether there was room."""
        if len(self.kept) >= MOST:
            return False
        self.kept[trade.id], self._since_s[trade.id] = trade, now_s
        if trade.time_ms > self.newest_ms + START_OVER_MS:
            self._proofs = sorted([*self._proofs, trade], key=lambda one: one.id)
        return True

    def refute(self, trade: Trade, now_s: float) -> list[Trade]:
        """Take a trade of the former ids, which go on: no proof from before it counts; return what it shows to be odd.

        That is what was made before it, or came so long ago that no slow connection explains it.
        """
        before_s = now_s - FORMER_MS / 1000
        dropped = self._drop(
            [one.id for one in self.kept.values() if one.time_ms < trade.time_ms or self._since_s[one.id] < before_s]
        )
        self._proofs = []
        return dropped

    def repeats(self) -> list[Trade]:
        """Drop and return those that were made before the newest trade: they came twice."""
        newest_ms = self.newest_ms if self.kept else 0
        return self._drop([one.id for one in self.kept.values() if one.time_ms < newest_ms])

    def leave(self) -> list[Trade]:
        """Drop and return all of them: nothing will prove them."""
        return self._drop(list(self.kept))

    def _drop(self, ids: list[int]) -> list[Trade]:
        dropped = [self.kept.pop(trade_id) for trade_id in ids]
        for trade_id in ids:
            del self._since_s[trade_id]
        self._proofs = [one for one in self._proofs if one.id in self.kept]
        return dropped

    def begin_anew(self, former_next: int, now_s: float) -> tuple[list[Trade], list[Trade]]:
        """Let the proven ids be those that count; return their trades, and those that fit to neither."""
        assert self.proof is not None, "begun without a proof"
        first, last = self.proof
        odd = self._drop(
            [
                one.id
                for one in self.kept.values()
                if one.id > last.id + NEAR or (one.id < first.id and one.time_ms > first.time_ms + START_OVER_MS)
            ]
        )
        fitting = list(self.kept.values())
        self.former_ms, self._former_next = min(one.time_ms for one in fitting), former_next
        self._former_recent = set(self.recent)
        self._former_newest_ms, self._former_until_s = self.newest_ms, now_s + FORMER_MS / 1000
        return fitting, odd

    def reset(self) -> None:
        """Forget all, for another file."""
        self.kept, self._since_s, self._proofs = {}, {}, []

    def is_former(self, trade: Trade, now_s: float) -> bool:
        """Return whether a live trade is what a slow connection still brings of former ids."""
        if self.former_ms is None:
            return False
        if now_s > self._former_until_s:
            self.former_ms = None
            return False
        return trade.time_ms < self.former_ms or (trade.id, trade.time_ms) in self._former_recent

    def is_former_page(self, trade: Trade) -> bool:
        """Return whether a trade of a page is of former ids: a REST server can be behind too."""
        return self.former_ms is not None and trade.time_ms < self._former_newest_ms

    def was_written(self, trade: Trade) -> bool:
        """Return whether a trade of the former ids was in the file that was set aside, or in its ledger."""
        return trade.id < self._former_next
