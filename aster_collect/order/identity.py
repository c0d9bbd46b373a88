"""Of which ids a symbol's file is: of those that the exchange has now, or of others, and then it is set aside.

Pure.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..exchange.events import Gap
from ..exchange.streams.trades import Trade
from .assembly import Assembly
from .holes import Bounds, Holes
from .proof import Verdict, by_page, without
from .suspects import Suspects


class Outcome(NamedTuple):
    """What an input led to: trades to write now, gaps to record, and trades that fit in nowhere.

    With a `former` the file on disk holds ids of another id space: once it has what belongs into it, it is to be set
    aside, and a fresh one begun.
    """

    trades: Sequence[Trade]
    gaps: Sequence[Gap]
    odd: Sequence[Trade] = ()
    former: "Outcome | None" = None


class Identity:
    """The file's last row until it is proven, and the live trades that contradict what is written.

    ```
    unproven ─a page shows the last row of the file again, or live trades go on from it──▶ proven
        └─ it shows another trade under that id ──▶ foreign: set aside ◀── three suspects ──┘
    ```
    """

    def __init__(self, assembly: Assembly, holes: Holes, bounds: Bounds, last: Trade | None) -> None:
        self.proof = last  # until it is proven
        self.suspects = Suspects(assembly.recent)
        self.odd: list[Trade] = []
        self.former: Outcome | None = None
        self._assembly, self._holes, self._bounds = assembly, holes, bounds
        if last is not None:
            assembly.written_ms = last.time_ms
            assembly.recent.append((last.id, last.time_ms))
            assembly.go_on(last.id + 1)
            assembly.sealed = True
            holes.question.begin()

    @property
    def held(self) -> int:
        """How many trades wait: for a hole to close, or for the file to be proven."""
        return len(self._assembly.held) + (len(self.suspects.kept) if self.proof is not None else 0)

    def take(self, trade: Trade, now_s: float) -> None:
        """Take a live trade: of the ids that there were, of those that there are, or a suspect."""
        suspects = self.suspects
        if self._assembly.next is None:
            self.begin(trade)
        if suspects.is_former(trade, now_s):
            if suspects.was_written(trade):
                self._assembly.duplicates += 1
            else:
                self.odd.append(trade)
        elif trade.id >= self._assembly.lowest_missing:
            self._holes.question.answered()
            self.odd += suspects.refute(trade, now_s)
            self._holes.put(trade, now_s)
        elif trade.id <= suspects.last_id and trade.id not in suspects.kept and self._doubts(trade):
            self._suspect(trade, now_s)
        else:
            self._assembly.duplicates += 1

    def proves(self, trades: Sequence[Trade], now_s: float) -> bool:
        """Take a page that was asked for from the file's last row on; return whether the file is proven."""
        if self.proof is not None:
            verdict = by_page(self.proof, trades)
            self._decide(verdict, now_s)
            return verdict is Verdict.SAME
        return True

    def leave(self) -> None:
        """Say at the end that what nothing has proven is odd."""
        self._assembly.duplicates += len(self.suspects.repeats())
        self.odd += self.suspects.leave()

    def begin(self, first: Trade) -> None:
        """Start a fresh file: some past is wanted before the first live trade, but not promised."""
        self._assembly.go_on(max(0, first.id - min(self._bounds.history, self._bounds.backfill_limit)))
        self._assembly.recent.append((first.id, first.time_ms))  # it waits for its past, but will be written

    def give_up(self, now_s: float) -> None:
        """Release what is held behind the first hole, or decide without REST whose the file is."""
        if self.proof is None:
            self._holes.give_up(now_s)
            return
        verdict = without(self.proof, self._waiting)
        if verdict is Verdict.OPEN:
            self._holes.asking.progress_s = now_s  # it waits on
        else:
            self._decide(verdict, now_s)

    @property
    def _waiting(self) -> list[Trade]:
        return [*self.suspects.kept.values(), *self._assembly.held.values()]

    def _doubts(self, trade: Trade) -> bool:
        """Whether a trade under a written id may be another; before the file is proven its times say little."""
        return self.suspects.contradicts(trade) if self.proof is None else not self.suspects.knows(trade)

    def _suspect(self, trade: Trade, now_s: float) -> None:
        """Keep a trade apart that may be of ids that have begun anew; where enough say so, they have."""
        if not self.held:
            self._holes.asking.progress_s = now_s
        if not self.suspects.keep(trade, now_s):
            self.odd.append(trade)
        elif self.suspects.proof:
            self._start_over(now_s)

    def _start_over(self, now_s: float) -> None:
        """Ids have begun anew: what is held of the former ones belongs into the file that is set aside."""
        self._proven(now_s)
        while self._assembly.held:
            self._holes.skip("new-ids", now_s)
        trades, odd = self.suspects.begin_anew(self._assembly.lowest_missing, now_s)
        self.odd += odd
        self._set_aside(trades, now_s)

    def _decide(self, verdict: Verdict, now_s: float) -> None:
        """Do what was found of the file's last row."""
        if verdict is Verdict.SAME:
            self._proven(now_s)
        elif verdict is Verdict.FOREIGN:
            self._set_aside(self._waiting, now_s)
        else:
            self._holes.asking.later(now_s)

    def _proven(self, now_s: float) -> None:
        self.proof = None
        opened_s = self._holes.asking.progress_s
        self._holes.asking.progressed(opened_s)
        self._assembly.duplicates += len(self.suspects.repeats())
        for trade in self._assembly.unseal():
            self._holes.put(trade, now_s)
        if self._assembly.held:
            self._holes.asking.progress_s = opened_s

    def _set_aside(self, trades: Sequence[Trade], now_s: float) -> None:
        """The file is foreign: begin a fresh one with these."""
        self.former = Outcome(*self._assembly.take())
        self.proof = None
        self._assembly.begin_anew()
        self._holes.asking.begin_anew()
        self.suspects.reset()
        if trades:
            self.begin(min(trades, key=lambda trade: trade.id))
        else:
            self._holes.question.answered()
        for trade in trades:
            self._holes.put(trade, now_s)
