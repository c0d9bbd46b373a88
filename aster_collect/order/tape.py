"""One symbol's trades reassembled by id, as TCP reassembles a stream: written once, in order, holes asked for.

Pure. Start, restart, reconnect, loss, duplicates and redundant connections are one case here: an id is the next,
lower or higher.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..exchange.events import Gap
from ..exchange.streams.trades import KIND, Trade
from .assembly import Assembly
from .holes import Bounds, Holes, Page
from .proof import Verdict, by_page, without
from .suspects import Suspects

BEYOND = 10**9  # trades: years of the busiest symbol
AWAY_S = 10.0  # at a stop, a hole without progress for so long is given up; a younger one is left to the next start


class Outcome(NamedTuple):
    """What an input led to: trades to write now, gaps to record, and trades that fit in nowhere.

    With a `former` the file on disk holds ids of another id space: once it has what belongs into it, it is to be set
    aside, and a fresh one begun.
    """

    trades: Sequence[Trade]
    gaps: Sequence[Gap]
    odd: Sequence[Trade] = ()
    former: "Outcome | None" = None


class Tape:
    """The next id, and what is held because it came too early.

    ```
    fresh ────first live trade, `history` before it is wanted──▶ running ◀──────────────┐
    unproven ─a page shows the last row of the file again──────▶ running: id == next ──▶ written
        │                                                         id < next ───────────▶ a duplicate, or a suspect
        └─it shows another trade under that id: foreign ──▶ fresh  id > next ───────────▶ held; the hole is asked
                                                            ▲       for, and closes, or becomes a gap, ─┘
                                                            └─ three suspects: ids have begun anew ─────┘
    ```
    """

    def __init__(self, bounds: Bounds, last: Trade | None = None, recorded: Iterable[tuple[int, int]] = ()) -> None:
        """Begin, or resume behind the file's last trade; `recorded` are the ids that the ledger calls missing.

        Such ids stay missing: a crash can leave the ledger ahead of the file, and no id is both.
        """
        self._bounds = bounds
        self._assembly = Assembly(recorded)
        self.holes = Holes(self._assembly, bounds)
        self._asking, self._question = self.holes.asking, self.holes.question
        self._suspects = Suspects(self._assembly.recent)
        self._proof = last  # until it is proven
        self._odd: list[Trade] = []
        self._former: Outcome | None = None
        self._told_ms: float = math.inf  # from when on the ledger says that nobody knows
        if last is not None:
            self._assembly.written_ms = last.time_ms
            self._assembly.recent.append((last.id, last.time_ms))
            self._assembly.go_on(last.id + 1)
            self._assembly.sealed = True
            self._question.begin()

    @property
    def duplicates(self) -> int:
        """How many trades came that had come before."""
        return self._assembly.duplicates

    @property
    def held(self) -> int:
        """How many trades wait: for a hole to close, or for the file to be proven."""
        return len(self._assembly.held) + (len(self._suspects.kept) if self._proof is not None else 0)

    @property
    def missing(self) -> int:
        """How many trades the hole in front of them lacks."""
        return self._assembly.hole if self._assembly.held and self._proof is None else 0

    def is_beyond(self, trade_id: int) -> bool:
        """Return whether an id is so far ahead that no time away explains it: it can't be a trade's."""
        return self._assembly.next is not None and trade_id > self._assembly.next + BEYOND

    @property
    def waiting(self) -> bool:
        """Whether `ask`, `ask_quiet` and `tick` have anything to do."""
        return bool(self._assembly.held) or self._proof is not None or self._question.open

    @property
    def unanswered(self) -> bool:
        """Whether there may be trades behind the last one written that REST was not asked for, or has not given."""
        return self._assembly.written_ms is not None and self.waiting

    def passes(self, trade_id: int, time_ms: int) -> bool:
        """Return whether a live trade is just the next one and nothing waits, the usual case: it is written as it is.

        Where not, it is to be given to `add`.
        """
        assembly, suspects = self._assembly, self._suspects
        if (
            trade_id != assembly.next or assembly.held or self._proof is not None or assembly.recorded
            or self._question.open or assembly.emptied or suspects.kept or suspects.former_ms is not None
        ):  # fmt: skip
            return False
        assembly.next += 1
        assembly.written_ms = time_ms
        assembly.recent.append((trade_id, time_ms))
        return True

    def add(self, trade: Trade, now_s: float) -> Outcome:
        """Take a live trade that does not pass."""
        suspects = self._suspects
        if self._assembly.next is None:
            self._begin(trade)
        if suspects.is_former(trade, now_s):
            if suspects.was_written(trade):
                self._assembly.duplicates += 1
            else:
                self._odd.append(trade)
        elif trade.id >= self._assembly.lowest_missing:
            self._question.answered()
            self._odd += suspects.refute(trade, now_s)
            self.holes.put(trade, now_s)
        elif trade.id <= suspects.last_id and trade.id not in suspects.kept and self._doubts(trade):
            self._suspect(trade, now_s)
        else:
            self._assembly.duplicates += 1
        return self._outcome()

    def ask(self, now_s: float) -> Page | None:
        """Return the page wanted now, as its first id and how many trades, or None; each is asked for only once."""
        return self.holes.ask(now_s) if self._proof is None else self.holes.ask_from(self._proof.id, now_s)

    def page(self, first_id: int, trades: Sequence[Trade] | None, now_s: float) -> Outcome:
        """Take REST's answer: late, short, overlapping, with holes or empty; oldest first. None is of no use."""
        if not self._asking.answered(first_id) or self._assembly.next is None:
            return self._outcome()
        usable, full = trades is not None, self.holes.is_full(len(trades or ()))
        last_id, is_former = self.holes.farthest(first_id), self._suspects.is_former_page
        trades = [trade for trade in trades or () if first_id <= trade.id <= last_id and not is_former(trade)]
        if self._proof is not None:
            verdict = by_page(self._proof, trades)
            self._decide(verdict, now_s)
            if verdict is not Verdict.SAME:
                return self._outcome()
        self.holes.page(first_id, trades, now_s, usable=usable, full=full)
        return self._outcome()

    def tick(self, now_s: float) -> Outcome:
        """Give up what can't be waited for any longer: too large, too old, or too much held behind it."""
        if self.holes.is_over(self.held, now_s):
            self._give_up(now_s)
        elif self._proof is None:
            self.holes.shorten(now_s)
        return self._outcome()

    def give_up(self, now_s: float) -> Outcome:
        """Release what is held behind the first hole, which becomes a gap: memory is needed elsewhere."""
        if self.held:
            self._give_up(now_s)
        return self._outcome()

    def rewind(
        self, gap: Gap, trades: Iterable[Trade], recorded: Iterable[tuple[int, int]], now_s: float, *, begins: bool
    ) -> Outcome:
        """Go back to where a gap begins: the file has lost its trades, which are to be fetched again.

        `trades` are those of them and behind them that are known still. `begins` says that the file has none before:
        then nothing tells the next start of them, so that what is not there by the end becomes a gap.
        """
        self._assembly.rewind(gap, recorded, begins=begins)
        self._question.begin(now_s)
        for trade in trades:
            if self._proof is None or trade.id > self._proof.id:
                self.holes.put(trade, now_s)
        return self._outcome()

    def close(self, now_s: float, now_ms: int) -> Outcome:
        """End: what REST can still fill is left to the next start; where it was away, what is held is released.

        What is not known then up to `now_ms`, the exchange's time, is in the ledger.
        """
        assembly = self._assembly
        away = now_s - self._asking.progress_s > AWAY_S
        if self._proof is not None and self.held and away:
            self._give_up(now_s)
        while assembly.held and self._proof is None and (away or assembly.written_ms is None or assembly.emptied):
            self._give_up(now_s)
        self._assembly.duplicates += len(self._suspects.repeats())
        self._odd += self._suspects.leave()
        written_ms = assembly.written_ms
        if written_ms is not None and self.waiting and written_ms < self._told_ms:
            assembly.gaps.append(Gap(KIND.name, written_ms, max(written_ms, now_ms), None, None, "not-asked"))
            self._told_ms = written_ms
        return self._outcome()

    def _outcome(self) -> Outcome:
        trades, gaps = self._assembly.take()
        outcome = Outcome(trades, gaps, self._odd, self._former)
        if self._odd or self._former:
            self._odd, self._former = [], None
        return outcome

    def _begin(self, first: Trade) -> None:
        """Start a fresh file: some past is wanted before the first live trade, but not promised."""
        self._assembly.go_on(max(0, first.id - min(self._bounds.history, self._bounds.backfill_limit)))
        self._assembly.recent.append((first.id, first.time_ms))  # it waits for its past, but will be written

    def _give_up(self, now_s: float) -> None:
        if self._proof is None:
            self.holes.give_up(now_s)
            return
        verdict = without(self._proof, self._waiting)
        if verdict is Verdict.OPEN:
            self._asking.progress_s = now_s  # it waits on
        else:
            self._decide(verdict, now_s)

    @property
    def _waiting(self) -> list[Trade]:
        return [*self._suspects.kept.values(), *self._assembly.held.values()]

    def _doubts(self, trade: Trade) -> bool:
        """Whether a trade under a written id may be another; before the file is proven its times say little."""
        return self._suspects.contradicts(trade) if self._proof is None else not self._suspects.knows(trade)

    def _suspect(self, trade: Trade, now_s: float) -> None:
        """Keep a trade apart that may be of ids that have begun anew; where enough say so, they have."""
        if not self.held:
            self._asking.progress_s = now_s
        if not self._suspects.keep(trade, now_s):
            self._odd.append(trade)
        elif self._suspects.proof:
            self._start_over(now_s)

    def _start_over(self, now_s: float) -> None:
        """Ids have begun anew: what is held of the former ones belongs into the file that is set aside."""
        self._proven(now_s)
        while self._assembly.held:
            self.holes.skip("new-ids", now_s)
        trades, odd = self._suspects.begin_anew(self._assembly.lowest_missing, now_s)
        self._odd += odd
        self._set_aside(trades, now_s)

    def _decide(self, verdict: Verdict, now_s: float) -> None:
        """Do what was found of the file's last row."""
        if verdict is Verdict.SAME:
            self._proven(now_s)
        elif verdict is Verdict.FOREIGN:
            self._set_aside(self._waiting, now_s)
        else:
            self._asking.later(now_s)

    def _proven(self, now_s: float) -> None:
        self._proof = None
        opened_s = self._asking.progress_s
        self._asking.progressed(opened_s)
        self._assembly.duplicates += len(self._suspects.repeats())
        for trade in self._assembly.unseal():
            self.holes.put(trade, now_s)
        if self._assembly.held:
            self._asking.progress_s = opened_s

    def _set_aside(self, trades: Sequence[Trade], now_s: float) -> None:
        """The file is foreign: begin a fresh one with these."""
        self._former = Outcome(*self._assembly.take())
        self._proof = None
        self._assembly.begin_anew()
        self._asking.begin_anew()
        self._suspects.reset()
        if trades:
            self._begin(min(trades, key=lambda trade: trade.id))
        else:
            self._question.answered()
        for trade in trades:
            self.holes.put(trade, now_s)
