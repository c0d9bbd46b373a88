"""One symbol's trades reassembled by id, as TCP reassembles a stream: written once, in order, holes asked for.

Pure. Start, restart, reconnect, loss, duplicates and redundant connections are one case here: an id is the next,
lower or higher.
"""

import math
from collections.abc import Iterable, Sequence

from ..exchange.events import Gap
from ..exchange.streams.trades import KIND, Trade
from .assembly import Assembly
from .holes import Bounds, Holes, Page
from .identity import Identity, Outcome
from .since import Since

BEYOND = 10**9  # trades: years of the busiest symbol
AWAY_S = 10.0  # at a stop, a hole without progress for so long is given up; a younger one is left to the next start


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
        self._assembly = Assembly(recorded)
        self.holes = Holes(self._assembly, bounds)
        self._asking, self._question = self.holes.asking, self.holes.question
        self._identity = Identity(self._assembly, self.holes, bounds, last)
        self._suspects = self._identity.suspects
        self._told_ms: float = math.inf  # from when on the ledger says that nobody knows

    @property
    def duplicates(self) -> int:
        """How many trades came that had come before."""
        return self._assembly.duplicates

    @property
    def held(self) -> int:
        """How many trades wait: for a hole to close, or for the file to be proven."""
        return self._identity.held

    @property
    def missing(self) -> int:
        """How many trades the hole in front of them lacks."""
        return self._assembly.hole if self._assembly.held and not self._assembly.sealed else 0

    def is_beyond(self, trade_id: int) -> bool:
        """Return whether an id is so far ahead that no time away explains it: it can't be a trade's."""
        return self._assembly.next is not None and trade_id > self._assembly.next + BEYOND

    @property
    def waiting(self) -> bool:
        """Whether `ask`, `ask_quiet` and `tick` have anything to do."""
        return bool(self._assembly.held) or self._assembly.sealed or self._question.open

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
            trade_id != assembly.next or assembly.held or assembly.sealed or assembly.recorded
            or self._question.open or assembly.emptied or suspects.kept or suspects.former_ms is not None
        ):  # fmt: skip
            return False
        assembly.next += 1
        assembly.written_ms = time_ms
        assembly.recent.append((trade_id, time_ms))
        return True

    def add(self, trade: Trade, now_s: float) -> Outcome:
        """Take a live trade that does not pass."""
        self._identity.take(trade, now_s)
        return self._outcome()

    def ask(self, now_s: float) -> Page | None:
        """Return the page wanted now, as its first id and how many trades, or None; each is asked for only once."""
        last = self._identity.proof
        return self.holes.ask(now_s) if last is None else self.holes.ask_from(last.id, now_s)

    def page(self, first_id: int, trades: Sequence[Trade] | None, now_s: float) -> Outcome:
        """Take REST's answer: late, short, overlapping, with holes or empty; oldest first. None is of no use."""
        if not self._asking.answered(first_id) or self._assembly.next is None:
            return self._outcome()
        usable, full = trades is not None, self.holes.is_full(len(trades or ()))
        last_id, is_former = self.holes.farthest(first_id), self._suspects.is_former_page
        trades = [trade for trade in trades or () if first_id <= trade.id <= last_id and not is_former(trade)]
        if self._identity.proves(trades, now_s):
            self.holes.page(first_id, trades, now_s, usable=usable, full=full)
        return self._outcome()

    def tick(self, now_s: float) -> Outcome:
        """Give up what can't be waited for any longer: too large, too old, or too much held behind it."""
        if self.holes.is_over(self.held, now_s):
            self._identity.give_up(now_s)
        elif not self._assembly.sealed:
            self.holes.shorten(now_s)
        return self._outcome()

    def give_up(self, now_s: float) -> Outcome:
        """Release what is held behind the first hole, which becomes a gap: memory is needed elsewhere."""
        if self.held:
            self._identity.give_up(now_s)
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
        last = self._identity.proof
        for trade in trades:
            if last is None or trade.id > last.id:
                self.holes.put(trade, now_s)
        return self._outcome()

    def close(self, now_s: float, now_ms: int, since: Since) -> Outcome:
        """End: what REST can still fill is left to the next start; where it was away, what is held is released.

        What is not known then up to `now_ms`, the exchange's time, is in the ledger: `since` says from when on.
        """
        assembly = self._assembly
        away = now_s - self._asking.progress_s > AWAY_S
        if assembly.sealed and self.held and away:
            self._identity.give_up(now_s)
        while assembly.held and not assembly.sealed and (away or assembly.written_ms is None or assembly.emptied):
            self._identity.give_up(now_s)
        self._identity.leave()
        written_ms = assembly.written_ms
        if written_ms is not None and self.waiting and written_ms < self._told_ms:
            from_ms, to_ms = since.stretch(written_ms, now_s, now_ms)
            assembly.gaps.append(Gap.of_time(KIND.name, from_ms, to_ms, "not-asked"))
            self._told_ms = written_ms
        return self._outcome()

    def _outcome(self) -> Outcome:
        trades, gaps = self._assembly.take()
        identity = self._identity
        outcome = Outcome(trades, gaps, identity.odd, identity.former)
        if identity.odd or identity.former:
            identity.odd, identity.former = [], None
        return outcome
