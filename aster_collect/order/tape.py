"""One symbol's trades reassembled by id, as TCP reassembles a stream: written once, in order, holes asked for.

Pure. Start, restart, reconnect, loss, duplicates and redundant connections are one case here: an id is the next,
lower or higher.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..exchange.events import Gap
from ..exchange.streams.trades import KIND, Trade
from .asking import Asking
from .assembly import Assembly
from .proof import Verdict, by_page, without
from .question import CHECK_S, Question
from .suspects import Suspects

PAGE_LIMIT = 1000
BEYOND = 10**9  # trades: years of the busiest symbol
AWAY_S = 10.0  # at a stop, a hole without progress for so long is given up; a younger one is left to the next start


class Bounds(NamedTuple):
    """How much past a fresh file asks for, how large a hole is fetched, how long and how much is held for it."""

    history: int
    backfill_limit: int
    hold_trades: int
    hold_s: float


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
        self.duplicates = 0
        self._bounds = bounds
        self._assembly = Assembly(recorded)
        self._asking = Asking()
        self._suspects = Suspects(self._assembly.recent)
        self._question = Question()
        self._proof = last  # until it is proven
        self._odd: list[Trade] = []
        self._former: Outcome | None = None
        self._told_ms: float = math.inf  # from when on the ledger says that nobody knows
        if last is not None:
            self._assembly.written_ms = last.time_ms
            self._assembly.recent.append((last.id, last.time_ms))
            self._assembly.go_on(last.id + 1)
            self._question.begin()

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
                self.duplicates += 1
            else:
                self._odd.append(trade)
        elif trade.id >= self._assembly.lowest_missing:
            self._question.answered()
            self._odd += suspects.refute(trade, now_s)
            self._put(trade, now_s)
        elif trade.id <= suspects.last_id and trade.id not in suspects.kept and self._doubts(trade):
            self._suspect(trade, now_s)
        else:
            self.duplicates += 1
        return self._outcome()

    def begin_outage(self) -> None:
        """Note that no connection brings trades: there may be some that no live one shows."""
        if self._assembly.next is not None:
            self._question.begin()

    def end_outage(self, now_s: float) -> None:
        """Note that one does again: when a while has brought no live trade, REST is to be asked."""
        if self._assembly.next is not None:
            self._question.begin(now_s + CHECK_S)

    def hurry(self) -> None:
        """Let what is not known yet be asked now: the end is near."""
        self._question.hurry()
        self._asking.hurry()

    def ask(self, now_s: float) -> tuple[int, int] | None:
        """Return the page wanted now, as its first id and how many trades, or None; each is asked for only once."""
        assembly, asking, limit = self._assembly, self._asking, self._bounds.backfill_limit
        if not asking.may_ask(now_s):
            return None
        if self._proof is not None:
            page = self._proof.id, min(PAGE_LIMIT, max(1, limit))
        elif assembly.held and asking.is_ripe(now_s) and assembly.hole <= limit:
            # One more than is missing: a page that has the id behind the hole but none of it proves that it is gone.
            page = assembly.lowest_missing, min(PAGE_LIMIT, assembly.hole + 1)
        else:
            return None
        asking.ask(page[0])
        return page

    def ask_quiet(self, now_s: float) -> tuple[int, int] | None:
        """Return the page, as `ask` does, that tells whether a quiet symbol had trades in an outage, if it is time."""
        next_id, limit = self._assembly.next, self._bounds.backfill_limit
        if next_id is None or self._proof is not None or self._assembly.held or not limit:
            return None
        if not self._question.ask(now_s, self._asking.is_under_way(next_id)):
            return None
        self._asking.ask_beside(next_id)
        return next_id, min(PAGE_LIMIT, limit)

    def page(self, first_id: int, trades: Sequence[Trade] | None, now_s: float) -> Outcome:
        """Take REST's answer: late, short, overlapping, with holes or empty; oldest first. None is of no use."""
        assembly, is_former = self._assembly, self._suspects.is_former_page
        if not self._asking.answered(first_id) or assembly.next is None:
            return self._outcome()
        usable, full = trades is not None, len(trades or ()) >= min(PAGE_LIMIT, self._bounds.backfill_limit)
        last_id = max(first_id, assembly.first_held if assembly.held else 0) + PAGE_LIMIT  # no page reaches beyond
        trades = [trade for trade in trades or () if first_id <= trade.id <= last_id and not is_former(trade)]
        if self._proof is not None:
            verdict = by_page(self._proof, trades)
            self._decide(verdict, now_s)
            if verdict is not Verdict.SAME:
                return self._outcome()
        self._asking.note_absent(first_id, trades, assembly.lowest_missing, now_s)
        before = assembly.next
        if first_id == before:
            self._question.page(usable, full, now_s)
        for trade in trades:
            self._put(trade, now_s)
        if first_id == before == assembly.next and assembly.held:
            self._miss(bool(trades), now_s)
        return self._outcome()

    def tick(self, now_s: float) -> Outcome:
        """Give up what can't be waited for any longer: too large, too old, or too much held behind it."""
        assembly, asking, bounds = self._assembly, self._asking, self._bounds
        too_old = self.held > 0 and now_s - asking.progress_s > bounds.hold_s
        if too_old or self.held > bounds.hold_trades:
            self._give_up(now_s)
        elif self._proof is None and assembly.held and asking.is_ripe(now_s) and assembly.hole > bounds.backfill_limit:
            self._skip(assembly.hole_end - bounds.backfill_limit, "backfill-limit", now_s)
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
                self._put(trade, now_s)
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
        self.duplicates += len(self._suspects.repeats())
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

    def _put(self, trade: Trade, now_s: float) -> None:
        assembly = self._assembly
        if trade.id in assembly.held or (self._proof is None and assembly.is_settled(trade.id)):
            self.duplicates += 1
            return
        if not self.held:
            self._asking.progress_s = now_s
        assembly.hold(trade)
        if self._proof is None and trade.id == assembly.next:
            assembly.release()
            self._asking.progressed(now_s)

    def _skip(self, to_id: int, cause: str, now_s: float) -> None:
        self._assembly.skip(to_id, cause)
        self._asking.progressed(now_s)

    def _miss(self, surrounded: bool, now_s: float) -> None:
        """Count an answer that did not bring the id asked for; what answers a minute apart leave out is gone."""
        assembly, asking = self._assembly, self._asking
        asking.later(now_s)
        if surrounded and (assembly.written_ms is None or asking.is_gone(assembly.lowest_missing, now_s)):
            self._skip(assembly.first_held, "not-available", now_s)

    def _give_up(self, now_s: float) -> None:
        assembly = self._assembly
        if self._proof is not None:
            verdict = without(self._proof, self._waiting)
            if verdict is Verdict.OPEN:
                self._asking.progress_s = now_s  # it waits on
            else:
                self._decide(verdict, now_s)
            return
        gone = self._asking.is_absent(assembly.lowest_missing)
        self._skip(
            assembly.first_held, "destroyed" if assembly.emptied else "not-available" if gone else "gave-up", now_s
        )

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
            self._skip(self._assembly.first_held, "new-ids", now_s)
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
        self.duplicates += len(self._suspects.repeats())
        held, self._assembly.held = self._assembly.held, {}
        for trade in held.values():
            self._put(trade, now_s)
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
            self._put(trade, now_s)
