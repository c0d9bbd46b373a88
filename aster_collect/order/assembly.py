"""Trades put together by id: the next one, what is held because it came too early, and what the ledger calls missing.

Pure.
"""

from collections import deque
from collections.abc import Iterable

from ..exchange.events import Gap
from ..exchange.streams.trades import KIND, Trade

RECENT = 256  # trades that are remembered to tell what comes twice

Range = tuple[int, int]


class Assembly:
    """What has become contiguous, and what is behind the first hole.

    ```
    put ─┬─ the next id ──▶ released, and all held that follows
         ├─ a higher one ─▶ held, until the hole before it closes, or is skipped and becomes a gap
         └─ a lower one, or one that the ledger calls missing ─▶ settled: it is there, or stays missing
    ```

    While `sealed` nobody knows yet whether the file is of these ids: all is held.
    """

    def __init__(self, recorded: Iterable[Range]) -> None:
        """`recorded` are the ranges of ids that the ledger calls missing: they stay missing, no id is both."""
        self.next: int | None = None
        self.held: dict[int, Trade] = {}
        self.first_held = 0  # the lowest id held, while any is
        self.written_ms: int | None = None  # when the last of the file was made
        self.emptied = False  # the file has lost all its rows, and got none since
        self.sealed = False
        self.duplicates = 0
        self.recorded = sorted(recorded)
        self.recent: deque[tuple[int, int]] = deque(maxlen=RECENT)  # ids and times as they were written
        self.released: list[Trade] = []
        self.gaps: list[Gap] = []

    @property
    def lowest_missing(self) -> int:
        """The id that is to come next; only once there is one."""
        assert self.next is not None, "asked before the first trade"
        return self.next

    @property
    def hole_end(self) -> int:
        """The first id behind the hole: the lowest held, or the first of those that the ledger has already."""
        return min(self.first_held, self.recorded[0][0]) if self.recorded else self.first_held

    @property
    def hole(self) -> int:
        """How many ids the hole in front of what is held lacks."""
        return self.hole_end - self.lowest_missing

    def go_on(self, next_id: int) -> None:
        """Let an id be the next, or the first behind it that the ledger does not call missing."""
        self.next = self._behind_recorded(next_id)

    def _behind_recorded(self, next_id: int) -> int:
        while self.recorded and self.recorded[0][0] <= next_id:
            next_id = max(next_id, self.recorded.pop(0)[1] + 1)
        return next_id

    def is_settled(self, trade_id: int) -> bool:
        """Return whether an id is in the file, or in the ledger, where it stays."""
        return trade_id < self.lowest_missing or any(first <= trade_id <= last for first, last in self.recorded)

    def put(self, trade: Trade) -> bool:
        """Take a trade; return whether it, and what follows it, has become contiguous."""
        if trade.id in self.held or (not self.sealed and self.is_settled(trade.id)):
            self.duplicates += 1
            return False
        is_next = not self.sealed and trade.id == self.next
        if not is_next:  # what is next is let go, and was never held
            self.first_held = min(self.first_held, trade.id) if self.held else trade.id
        self.held[trade.id] = trade
        if is_next:
            self.release()
        return is_next

    def unseal(self) -> list[Trade]:
        """Let nothing be held only because the file was not proven; return what was, to be put again."""
        self.sealed = False
        held, self.held = self.held, {}
        return list(held.values())

    def release(self) -> None:
        """Let go what has become contiguous."""
        next_id = self.lowest_missing
        while (trade := self.held.pop(next_id, None)) is not None:
            self.released.append(trade)
            self.written_ms, self.emptied = trade.time_ms, False
            self.recent.append((trade.id, trade.time_ms))
            next_id = self._behind_recorded(next_id + 1)
        self.next = next_id
        if self.held and self.first_held < next_id:  # not for each row of a page, which would look at all of them
            self.first_held = min(self.held)

    def skip(self, to_id: int, cause: str) -> None:
        """Go on at `to_id`; what lies before it is a gap, unless nothing is written yet or the ledger has it."""
        to_id = min(to_id, self.hole_end)
        if self.written_ms is not None:
            to_ms = self.held[self.first_held].time_ms
            from_ms = min(self.written_ms, to_ms)
            self.gaps.append(Gap(KIND.name, from_ms, to_ms, self.lowest_missing, to_id - 1, cause))
        self.go_on(to_id)
        self.release()

    def rewind(self, gap: Gap, recorded: Iterable[Range], *, begins: bool) -> None:
        """Go back to where a gap begins; `begins` says that the file has no row before."""
        assert gap.first_missing_id is not None
        first_id = gap.first_missing_id
        self.recorded = sorted(known for known in recorded if known[1] >= first_id)
        self.go_on(first_id)
        self.written_ms, self.emptied = gap.from_ms, begins

    def take(self) -> tuple[list[Trade], list[Gap]]:
        """Return what was released, and the gaps, since the last call."""
        taken = self.released, self.gaps
        self.released, self.gaps = [], []
        return taken

    def begin_anew(self) -> None:
        """Forget all, for another file."""
        self.next, self.written_ms, self.emptied, self.sealed = None, None, False, False
        self.held, self.recorded = {}, []
        self.recent.clear()
