"""The lane of kinds whose ids rise by exactly 1: what is not there is asked for over REST, or is a row of the ledger.

Pure, with a clock that it is given: seconds of a monotonic one.
"""

import json
from collections.abc import Callable
from collections.abc import Sequence as Listing

from ..errors import DecodeError
from ..exchange.events import PATIENT, Answer, Gap
from ..exchange.pages import ask_page, decode_page
from ..exchange.streams.kind import TIME, Event, Kind, Options
from ..exchange.streams.trades import Trade
from ..exchange.venues import Venue
from .effects import Aside, Effect, Missing, Reject, Request, Rows, Say
from .holes import Bounds
from .identity import Outcome
from .lane import Left
from .since import Since
from .tape import Tape


class Sequence:
    """One symbol's trades by id: a tape, and the effects of what it answers, until the next turn or step takes them."""

    def __init__(
        self, kind: Kind, symbol: str, left: Left, venue: Venue, bounds: Bounds, clock: Callable[[], float]
    ) -> None:
        """Resume behind the last row that a run before has left, once that is proven."""
        self.kind, self.symbol = kind, symbol
        last = Trade(*left.last[-1]) if left.last else None
        self.last_ms = last.time_ms if last else 0
        self.rows = 0
        self.skipped = 0
        self.frames = 0
        self.tape = Tape(bounds, last, left.missing)
        self.since = Since(clock())
        self._venue, self._clock = venue, clock
        self._fresh: list[Event] = []
        self._newest: Event | None = None
        self._effects: list[Effect] = []
        self._write = kind.write(Options())

    @property
    def duplicates(self) -> int:
        """How many trades came that had come before."""
        return self.tape.duplicates

    @property
    def remembered(self) -> int:
        """Nothing has to be remembered: ids tell."""
        return 0

    def forget(self) -> None:
        """Do nothing."""

    def paused(self, from_ms: int, to_ms: int) -> None:
        """Remember it for what can't be asked for."""
        self.since.paused(from_ms, to_ms)

    def newest(self) -> Event | None:
        """Return the trade that was written last, None if there was none."""
        return self._fresh[-1] if self._fresh else self._newest

    def add(self, event: Event) -> None:
        """Take a live trade."""
        self.frames += 1
        number, time_ms, *_ = event
        if self.tape.passes(number, time_ms):
            self._fresh.append(event)
        elif self.tape.is_beyond(number):
            self._leave_out([Trade(*event)], "its id is far ahead of all others")
        else:
            self._apply(self.tape.add(Trade(*event), self._clock()))

    def begin_outage(self) -> None:
        """Note that nobody brings trades: a quiet symbol may have some that no live one shows."""
        self.tape.holes.begin_outage()

    def end_outage(self, now_s: float) -> None:
        """Note that somebody does again."""
        self.tape.holes.end_outage(now_s)

    @property
    def stirred(self) -> bool:
        """Whether `step` has anything to do or to tell."""
        return bool(self._effects) or self.tape.waiting

    def step(self, *, settling: bool = False) -> list[Effect]:
        """Return what time asks for: pages, and gaps where they stay away. At the end of a run no page is patient."""
        tape, now_s = self.tape, self._clock()
        if tape.waiting:
            self._apply(tape.tick(now_s))
            if page := tape.ask(now_s):
                self._effects.append(Request(ask_page(self._venue, self.symbol, *page)))
            if page := tape.holes.ask_quiet(now_s):
                ask = ask_page(self._venue, self.symbol, *page)
                self._effects.append(Request(ask if settling else ask._replace(rank=PATIENT)))
        effects, self._effects = self._effects, []
        return effects

    def turn(self, remember_s: float | None, now_ms: int) -> list[Effect]:
        """Return what is to be written now; trades have no need to rest."""
        fresh, self._fresh = self._fresh, []
        effects, self._effects = self._effects, []
        if not self.tape.waiting:
            self.since.whole(self._clock(), now_ms - fresh[-1][TIME] if fresh else None)
        if fresh:
            self.rows += len(fresh)
            self.last_ms, self._newest = fresh[-1][TIME], fresh[-1]
            effects.append(Rows(self.kind, self.symbol, fresh, now_ms))
        return effects

    def answer(self, answer: Answer) -> None:
        """Take a page, or that it was refused."""
        why, page = answer.refused, None
        if not why:
            try:
                page, odd = decode_page(self._venue, answer.value, answer.received_ns)
            except DecodeError as error:
                why, odd = str(error), []
            for reason, item in odd:
                data = json.dumps(item).encode()
                self._effects.append(Reject(f"page of {self.symbol}", answer.received_ns, reason, data))
        if why:
            facts = self.symbol, answer.ask.first_id, why
            self._effects.append(Say("warning", "page unusable symbol=%s from_id=%d why=%s", facts))
        self._apply(self.tape.page(answer.ask.first_id, page, self._clock()))

    def give_up(self) -> None:
        """Release what is held behind the first hole: memory is needed elsewhere."""
        self._apply(self.tape.give_up(self._clock()))

    def rewind(self, gap: Gap, waiting: Listing[Event], missing: Listing[tuple[int, int]], *, begins: bool) -> None:
        """Go back to where a gap begins, as the tape does: another program took its trades out of the file."""
        trades = [Trade(*event) for event in (*waiting, *self._fresh)]
        self._fresh = []
        facts = self.symbol, gap.first_missing_id, gap.last_missing_id
        self._effects.append(Say("warning", "trades destroyed symbol=%s first=%d last=%d next=fetched_again", facts))
        self._apply(self.tape.rewind(gap, trades, missing, self._clock(), begins=begins))

    def end(self, now_ms: int) -> None:
        """End, as the tape does; `now_ms` is what the exchange's clock says."""
        self._apply(self.tape.close(self._clock(), now_ms, self.since))
        if self.tape.held:
            facts = self.symbol, self.tape.held
            self._effects.append(Say("info", "trades held symbol=%s count=%d the_next_start=fetches_them", facts))

    def _apply(self, outcome: Outcome) -> None:
        """Keep what the tape says: rows for the file, gaps for the ledger, a foreign file aside."""
        if outcome.former is not None:
            self._apply(outcome.former)
            aside = Aside(self.kind, self.symbol, "ids_of_another_id_space")
            self._effects = [*self.turn(None, self.last_ms), aside]
        self._effects += [Missing(self.symbol, gap) for gap in outcome.gaps]
        self._leave_out(outcome.odd, "contradicts the ids around it")
        self._fresh += outcome.trades

    def _leave_out(self, trades: Listing[Trade], why: str) -> None:
        for trade, row in zip(trades, self._write(trades), strict=True):
            received_ns = trade.received_ns or trade.time_ms * 1_000_000
            self._effects.append(Reject(f"trades of {self.symbol}", received_ns, why, row.encode("ascii")))
