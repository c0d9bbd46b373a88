"""One symbol's trades reassembled by id, as TCP reassembles a stream: written once, in order, holes asked for.

Pure. Start, restart, reconnect, loss, duplicates and redundant connections are one case here: an id is the next,
lower or higher.
"""

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from ..exchange.events import Gap
from ..exchange.streams.trades import KIND, Trade
from .question import CHECK_S, Question
from .suspects import PROOF_ROWS, SAME_MS, Suspects

PAGE_LIMIT = 1000
GRACE_S = 0.25  # two frames that changed places, or a hand-over, close most holes by themselves
GONE_S = 60.0  # between two answers without an id that later ids surround: no REST server is behind by so much
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
        """Begin, or resume behind the file's last trade; `recorded` are the ranges of ids that the ledger calls
        missing.

        Such ids stay missing: a crash can leave the ledger ahead of the file, and no id is both.
        """
        self.duplicates = 0
        self._bounds = bounds
        self._next: int | None = None
        self._held: dict[int, Trade] = {}
        self._first_held = 0  # the lowest id held, while any is
        self._written_ms: int | None = None
        self._progress_s = 0.0  # when the hole opened, or last became smaller
        self._retry_s = 0.0
        self._tries = 0
        self._absent_s: dict[int, float] = {}  # since when answers leave ids out: the first of each hole in a page
        self._asked = False
        self._under_way: set[int] = set()  # the first ids of all pages that were asked for …
        self._void: set[int] = set()  # … and of those that were for the file that has been set aside
        self._proof = last
        self._proof_id = -1
        self._rows: list[Trade] = []
        self._gaps: list[Gap] = []
        self._odd: list[Trade] = []
        self._former: Outcome | None = None
        self._told_ms: float = math.inf  # from when on the ledger says that nobody knows
        self._emptied = False  # the file has lost all its rows, and got none since
        self._recorded = sorted(recorded)
        self._suspects = Suspects()
        self._question = Question()
        if last is not None:
            self._proof_id, self._written_ms = last.id, last.time_ms
            self._suspects.recent.append((self._proof_id, self._written_ms))
            self._next = self._behind_recorded(self._proof_id + 1)
            self._question.begin()

    @property
    def held(self) -> int:
        """How many trades wait: for a hole to close, or for the file to be proven."""
        return len(self._held) + (len(self._suspects.kept) if self._proof is not None else 0)

    @property
    def missing(self) -> int:
        """How many trades the hole in front of them lacks."""
        return self._hole if self._held and self._proof is None else 0

    def is_beyond(self, trade_id: int) -> bool:
        """Return whether an id is so far ahead that no time away explains it: it can't be a trade's."""
        return self._next is not None and trade_id > self._next + BEYOND

    @property
    def waiting(self) -> bool:
        """Whether `ask`, `ask_quiet` and `tick` have anything to do."""
        return bool(self._held) or self._proof is not None or self._question.open

    @property
    def unanswered(self) -> bool:
        """Whether there may be trades behind the last one written that REST was not asked for, or has not given."""
        return self._written_ms is not None and self.waiting

    def passes(self, trade_id: int, time_ms: int) -> bool:
        """Return whether a live trade is just the next one and nothing waits, the usual case: it is written as it is.

        Where not, it is to be given to `add`.
        """
        suspects = self._suspects
        if (
            trade_id != self._next or self._held or self._proof is not None or self._recorded or self._question.open
            or self._emptied or suspects.kept or suspects.former_ms is not None
        ):  # fmt: skip
            return False
        self._next += 1
        self._written_ms = time_ms
        suspects.recent.append((trade_id, time_ms))
        return True

    def add(self, trade: Trade, now_s: float) -> Outcome:
        """Take a live trade that does not pass."""
        suspects = self._suspects
        if self._next is None:
            self._begin(trade)
        if suspects.is_former(trade, now_s):
            if suspects.was_written(trade):
                self.duplicates += 1
            else:
                self._leave_out([trade])
        elif trade.id >= self._lowest_missing:
            self._question.answered()
            self._leave_out(suspects.refute(trade, now_s))
            self._put(trade, now_s)
        elif trade.id <= suspects.last_id and trade.id not in suspects.kept and self._doubts(trade):
            self._suspect(trade, now_s)
        else:
            self.duplicates += 1
        return self._outcome()

    def _doubts(self, trade: Trade) -> bool:
        """Whether a trade under a written id may be another; before the file is proven its times say little."""
        return self._suspects.contradicts(trade) if self._proof is None else not self._suspects.knows(trade)

    def _suspect(self, trade: Trade, now_s: float) -> None:
        if not self.held:
            self._progress_s = now_s
        if not self._suspects.keep(trade, now_s):
            self._leave_out([trade])
        elif self._suspects.proof:
            self._start_over(now_s)

    def _start_over(self, now_s: float) -> None:
        """Ids have begun anew: what is held of the former ones belongs into the file that is set aside."""
        self._proven(now_s)
        while self._held:
            self._skip(self._first_held, "new-ids", now_s)
        trades, odd = self._suspects.begin_anew(self._lowest_missing, now_s)
        self._leave_out(odd)
        self._set_aside(trades, now_s)

    def _leave_out(self, trades: Iterable[Trade]) -> None:
        """Keep out of the file what does not fit in."""
        self._odd += trades

    def begin_outage(self) -> None:
        """Note that no connection brings trades: there may be some that no live one shows."""
        if self._next is not None:
            self._question.begin()

    def end_outage(self, now_s: float) -> None:
        """Note that one does again: when a while has brought no live trade, REST is to be asked."""
        if self._next is not None:
            self._question.begin(now_s + CHECK_S)

    def hurry(self) -> None:
        """Let what is not known yet be asked now: the end is near."""
        self._question.hurry()
        self._retry_s = 0.0

    def ask(self, now_s: float) -> tuple[int, int] | None:
        """Return the page wanted now, as its first id and how many trades, or None; each is asked for only once."""
        if self._asked or now_s < self._retry_s:
            return None
        if self._proof is not None:
            self._asked = True
            self._under_way.add(self._proof_id)
            return self._proof_id, min(PAGE_LIMIT, max(1, self._bounds.backfill_limit))
        if not self._held or now_s < self._progress_s + GRACE_S or self._hole > self._bounds.backfill_limit:
            return None
        self._asked = True
        self._under_way.add(self._lowest_missing)
        # One more than is missing: a page that holds the id behind the hole but none of it proves that it is gone.
        return self._lowest_missing, min(PAGE_LIMIT, self._hole + 1)

    def ask_quiet(self, now_s: float) -> tuple[int, int] | None:
        """Return the page, as `ask` does, that tells whether a quiet symbol had trades in an outage, if it is time."""
        if self._next is None or self._proof is not None or self._held or not self._bounds.backfill_limit:
            return None
        if not self._question.ask(now_s):
            return None
        self._under_way.add(self._next)
        return self._next, min(PAGE_LIMIT, self._bounds.backfill_limit)

    def page(self, first_id: int, trades: Sequence[Trade] | None, now_s: float) -> Outcome:
        """Take REST's answer: late, short, overlapping, with holes or empty; oldest first. None is of no use."""
        self._asked = False
        self._under_way.discard(first_id)
        if first_id in self._void or self._next is None:
            self._void.discard(first_id)
            return self._outcome()
        usable, full = trades is not None, len(trades or ()) >= min(PAGE_LIMIT, self._bounds.backfill_limit)
        last_id = max(first_id, self._first_held if self._held else 0) + PAGE_LIMIT  # beyond is no page of this hole
        is_former = self._suspects.is_former_page
        trades = [trade for trade in trades or () if first_id <= trade.id <= last_id and not is_former(trade)]
        if self._proof is not None and not self._prove(trades, now_s):
            return self._outcome()
        self._note_absent(first_id, trades, now_s)
        before = self._next
        if first_id == before:
            self._question.page(usable, full, now_s)
        for trade in trades:
            self._put(trade, now_s)
        if first_id == before == self._next and self._held:
            self._miss(bool(trades), now_s)
        return self._outcome()

    def tick(self, now_s: float) -> Outcome:
        """Give up what can't be waited for any longer: too large, too old, or too much held behind it."""
        too_old = self.held > 0 and now_s - self._progress_s > self._bounds.hold_s
        if too_old or self.held > self._bounds.hold_trades:
            self._give_up(now_s)
        elif self._proof is None and self._too_large(now_s):
            self._skip(self._hole_end - self._bounds.backfill_limit, "backfill-limit", now_s)
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
        assert gap.first_missing_id is not None
        self._recorded = sorted(known for known in recorded if known[1] >= gap.first_missing_id)
        self._next, self._written_ms = self._behind_recorded(gap.first_missing_id), gap.from_ms
        self._emptied = begins
        self._question.begin(now_s)
        for trade in trades:
            if self._proof is None or trade.id > self._proof_id:
                self._put(trade, now_s)
        return self._outcome()

    def close(self, now_s: float, now_ms: int) -> Outcome:
        """End: what REST can still fill is left to the next start; where it was away, what is held is released.

        What is not known then up to `now_ms`, the exchange's time, is in the ledger.
        """
        away = now_s - self._progress_s > AWAY_S
        if self._proof is not None and self.held and away:
            self._trust(now_s)
        while self._held and self._proof is None and (away or self._written_ms is None or self._emptied):
            self._give_up(now_s)
        self.duplicates += len(self._suspects.repeats())
        self._leave_out(self._suspects.leave())
        if self._written_ms is not None and self.waiting and self._written_ms < self._told_ms:
            self._gaps.append(Gap(KIND.name, self._written_ms, max(self._written_ms, now_ms), None, None, "not-asked"))
            self._told_ms = self._written_ms
        return self._outcome()

    def _outcome(self) -> Outcome:
        outcome = Outcome(self._rows, self._gaps, self._odd, self._former)
        if self._rows or self._gaps or self._odd or self._former:
            self._rows, self._gaps, self._odd, self._former = [], [], [], None
        return outcome

    @property
    def _lowest_missing(self) -> int:
        assert self._next is not None, "asked before the first trade"
        return self._next

    @property
    def _hole_end(self) -> int:
        """The first id behind the hole: the lowest held, or the first of those that the ledger has already."""
        return min(self._first_held, self._recorded[0][0]) if self._recorded else self._first_held

    @property
    def _hole(self) -> int:
        return self._hole_end - self._lowest_missing

    def _behind_recorded(self, next_id: int) -> int:
        """Return the first id from `next_id` on that the ledger does not call missing."""
        while self._recorded and self._recorded[0][0] <= next_id:
            next_id = max(next_id, self._recorded.pop(0)[1] + 1)
        return next_id

    def _too_large(self, now_s: float) -> bool:
        return bool(self._held) and now_s >= self._progress_s + GRACE_S and self._hole > self._bounds.backfill_limit

    def _begin(self, first: Trade) -> None:
        """Start a fresh file: some past is wanted before the first live trade, but not promised."""
        first_id = max(0, first.id - min(self._bounds.history, self._bounds.backfill_limit))
        self._next = self._behind_recorded(first_id)
        self._suspects.recent.append((first.id, first.time_ms))  # it waits for its past, but will be written

    def _put(self, trade: Trade, now_s: float) -> None:
        proven = self._proof is None
        if trade.id in self._held or (proven and self._settled(trade.id)):
            self.duplicates += 1
            return
        if not self.held:
            self._progress_s = now_s
        if not self._held:
            self._first_held = trade.id
        self._held[trade.id] = trade
        if proven and trade.id == self._next:
            self._release(now_s)
        else:
            self._first_held = min(self._first_held, trade.id)

    def _settled(self, trade_id: int) -> bool:
        """Return whether an id is in the file, or in the ledger, where it stays."""
        return trade_id < self._lowest_missing or any(first <= trade_id <= last for first, last in self._recorded)

    def _release(self, now_s: float) -> None:
        """Move what has become contiguous to the rows."""
        next_id = self._lowest_missing
        while (trade := self._held.pop(next_id, None)) is not None:
            self._rows.append(trade)
            self._written_ms, self._emptied = trade.time_ms, False
            self._suspects.recent.append((trade.id, trade.time_ms))
            next_id = self._behind_recorded(next_id + 1)
        self._next = next_id
        self._progress_s, self._retry_s, self._tries = now_s, 0.0, 0
        if self._held and self._first_held < next_id:  # not for each row of a page, which would look at all of them
            self._first_held = min(self._held)

    def _retry_later(self, now_s: float) -> None:
        self._tries += 1
        self._retry_s = now_s + 0.5 * 2 ** min(self._tries, 6)

    def _note_absent(self, first_id: int, trades: Sequence[Trade], now_s: float) -> None:
        """Note which ids a page leaves out though it has later ones."""
        self._absent_s = {one: since_s for one, since_s in self._absent_s.items() if one >= self._lowest_missing}
        expected = first_id
        for trade in trades:
            if trade.id > expected:
                self._absent_s.setdefault(expected, now_s)
            expected = trade.id + 1

    def _miss(self, surrounded: bool, now_s: float) -> None:
        """Count an answer that did not bring the id asked for; what answers a minute apart leave out is gone."""
        self._retry_later(now_s)
        since_s = self._absent_s.get(self._lowest_missing, now_s)
        if surrounded and (now_s - since_s >= GONE_S or self._written_ms is None):
            self._skip(self._first_held, "not-available", now_s)

    def _give_up(self, now_s: float) -> None:
        if self._proof is not None:
            self._trust(now_s)
        else:
            gone = self._lowest_missing in self._absent_s
            cause = "destroyed" if self._emptied else "not-available" if gone else "gave-up"
            self._skip(self._first_held, cause, now_s)

    def _skip(self, to_id: int, cause: str, now_s: float) -> None:
        """Go on at `to_id`; what lies before it is a gap, unless nothing is written yet or the ledger has it."""
        to_id = min(to_id, self._hole_end)
        if self._written_ms is not None:
            to_ms = self._held[self._first_held].time_ms
            from_ms = min(self._written_ms, to_ms)
            self._gaps.append(Gap(KIND.name, from_ms, to_ms, self._lowest_missing, to_id - 1, cause))
        self._next = self._behind_recorded(to_id)
        self._release(now_s)

    def _prove(self, trades: Sequence[Trade], now_s: float) -> bool:
        """Decide whether the file's last row is of this exchange's ids; return whether the page can be used.

        A page that has not got that id proves nothing, a server can be behind, unless all that it has is later: the
        exchange has forgotten it.
        """
        assert self._proof is not None and self._written_ms is not None
        first = trades[0] if trades else None
        if first is not None and first.id == self._proof_id and not _agree(first, self._proof):
            self._set_aside([*self._suspects.kept.values(), *self._held.values()], now_s)
        elif first is not None and (first.id == self._proof_id or first.time_ms >= self._written_ms):
            self._proven(now_s)
        else:
            self._retry_later(now_s)
        return self._proof is None and self._former is None

    def _trust(self, now_s: float) -> None:
        """Decide without proof, where REST stays away: ids and times that both rise are taken for the same ids.

        Without such a trade as many that contradict are needed as for ids that have begun anew; with fewer it waits on.
        """
        assert self._written_ms is not None
        waiting = [*self._suspects.kept.values(), *self._held.values()]
        if any(one.id > self._proof_id and one.time_ms >= self._written_ms for one in waiting):
            self._proven(now_s)
        elif len(waiting) >= PROOF_ROWS:
            self._set_aside(waiting, now_s)
        else:
            self._progress_s = now_s

    def _proven(self, now_s: float) -> None:
        self._proof = None
        self._retry_s, self._tries = 0.0, 0
        self.duplicates += len(self._suspects.repeats())
        progress_s = self._progress_s
        held, self._held = self._held, {}
        for trade in held.values():
            self._put(trade, now_s)
        if self._held:
            self._progress_s = progress_s

    def _set_aside(self, trades: Sequence[Trade], now_s: float) -> None:
        """The file is foreign: begin a fresh one with these."""
        self._former = Outcome(self._rows, self._gaps)
        self._rows, self._gaps = [], []
        self._proof, self._written_ms, self._next = None, None, None
        self._held, self._recorded, self._absent_s, self._emptied = {}, [], {}, False
        self._asked, self._retry_s, self._tries = False, 0.0, 0
        self._void, self._under_way = self._under_way, set()
        self._suspects.reset()
        if trades:
            self._begin(min(trades, key=lambda trade: trade.id))
        else:
            self._question.answered()
        for trade in trades:
            self._put(trade, now_s)


def _agree(one: Trade, other: Trade) -> bool:
    """Return whether two tell of the same trade: price, quantity and side agree, the time to a second.

    REST and the stream can differ by a millisecond.
    """
    near = abs(one.time_ms - other.time_ms) <= SAME_MS
    try:
        same = Decimal(one.price) == Decimal(other.price) and Decimal(one.quantity) == Decimal(other.quantity)
    except InvalidOperation:  # the file's row is damaged
        return False
    return near and same and one.side.lower() == other.side.lower()
