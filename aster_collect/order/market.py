"""One symbol's state: what of each of its streams is at rest, its tape, and what has been counted.

Pure, but for what it is given at the start: the last rows of the files.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise

from ..errors import DecodeError
from ..exchange import rows, wire
from ..exchange.events import Answer, Depth, Gap, Item
from ..watch.snapshot import StreamState
from .reorder import Reorder
from .suspects import FORMER_MS, PROOF_ROWS, START_OVER_MS
from .tape import Bounds, Outcome, Tape
from .written import Written

STEP_BACK_MS = 1000  # less is what the exchange's servers differ by …
TIME_DIGITS = 14  # of seconds with three decimals, until the year 2286
LOOKS_A_SECOND = 8
FARTHEST_STEP_MS = 86_400_000  # … and more is one odd time, and would blot out all that comes


class Market:
    """The streams of one symbol, between the frame and the file."""

    def __init__(
        self,
        symbol: str,
        last_rows: dict[str, str | None],
        recorded: list[tuple[int, int]],
        bounds: Bounds,
        last_quotes: Sequence[str] = (),
    ) -> None:
        """Resume behind the last rows of its files, by kind; `recorded` are the ids that its ledger calls missing.

        `last_quotes` are all rows at the end of the file of prices that bear the time of the last.
        """
        self.symbol = symbol
        self.listed = True
        book = last_rows[rows.ORDERBOOK]
        self.quotes = Reorder()
        self.books = Reorder(int(book.split(",", 2)[1]) if book else -1)
        self.tape = Tape(bounds, last_rows[rows.TRADES], recorded)
        self.trades: list[str] = []
        self._book_ids: dict[int, int] = {}  # each connection's newest
        self._price = ""
        self._too_low: Counter[str] = Counter()  # rows in a row whose ids are too low to be new, by kind
        self._written = Written(last_quotes)
        self._set_back: dict[str, list[Gap]] = {}
        self._anew_ms: dict[str, int] = {}  # since when a stream's update ids are new, while former ones can come
        self.quote_frames = 0
        self.book_frames = 0
        self.trade_frames = 0
        self.rows: Counter[str] = Counter()
        self.gaps: Counter[str] = Counter()
        self.last_ms = {kind: 0 if row is None else rows.row_time_ms(kind, row) for kind, row in last_rows.items()}

    def page(self, answer: Answer, receive_time: bool, now_s: float) -> tuple[Outcome, str, list[tuple[str, object]]]:
        """Take a page of trades; return what follows, why the page is of no use if so, and what in it is unreadable."""
        why = answer.refused
        odd: list[tuple[str, object]] = []
        items: list[Item] = []
        if not why:
            try:
                page, odd = wire.decode_page(self.symbol, answer.value)
                stamp = "," if receive_time else ""  # it did not come when it was made
                for trade in page:
                    time_ms = trade.event_ms or answer.received_ns // 1_000_000
                    items.append(Item(trade.id, time_ms, rows.trade_row(trade, time_ms) + stamp))
            except DecodeError as error:
                why = str(error)
        return self.tape.page(answer.ask.first_id, None if why else items, now_s), why, odd

    def skips_a_book(self, depth: Depth, connection: int) -> bool:
        """Count a book's frame; return whether its stream left one out: its previous is not the connection's last."""
        self.book_frames += 1
        before_id = self._book_ids.get(connection)
        if before_id is not None and depth.update_id <= before_id:
            return False
        self._book_ids[connection] = depth.update_id
        return before_id is not None and depth.previous_update_id not in (None, before_id)

    def lost(self, connection: int) -> None:
        """Note that a connection ended: what it brings next does not follow what it brought last."""
        self._book_ids.pop(connection, None)

    def starts_over(self, kind: str) -> bool:
        """Return whether a stream's update ids have begun anew: rows too low to be new, but made after all others.

        What is late or double was made before the last row that was written; one odd frame alone is no proof. To be
        asked once after each turn.
        """
        refused = self._reorder(kind).refused.values()
        self._too_low[kind] += sum(rows.row_time_ms(kind, row) > self.last_ms[kind] + START_OVER_MS for row in refused)
        return self._too_low[kind] >= PROOF_ROWS

    def late(self, kind: str) -> Gap | None:
        """Return the stretch in which rows are missing that came too late for their place. To be asked after a turn."""
        times_ms = [rows.row_time_ms(kind, row) for row in self._reorder(kind).late]
        return Gap(kind, min(times_ms), max(times_ms), None, None, "late") if times_ms else None

    def lost_ids(self, kind: str) -> Gap:
        """Return the stretch that was lost before it was clear that a stream's update ids have begun anew."""
        return Gap(kind, self.last_ms[kind], self._first_anew_ms(kind), None, None, "new-ids")

    def _first_anew_ms(self, kind: str) -> int:
        """Return when the first of the refused rows was made that is neither late nor double."""
        times_ms = (rows.row_time_ms(kind, row) for row in self._reorder(kind).refused.values())
        return min(time_ms for time_ms in times_ms if time_ms > self.last_ms[kind])

    def start_over(self, kind: str) -> list[str]:
        """Return the last rows of the former ids, to be written; what was refused comes with the next turns."""
        former = self._reorder(kind)
        self._anew_ms[kind] = anew_ms = self._first_anew_ms(kind)
        self._too_low[kind] = 0
        refused, lines = former.refused, former.turn()
        fresh = Reorder()
        for update_id, row in refused.items():
            if rows.row_time_ms(kind, row) >= anew_ms:
                fresh.add(update_id, row)
        if kind == rows.PRICES:
            self.quotes, self._written = fresh, Written(())
        else:
            self.books = fresh
        return lines

    def _discard_former(self) -> None:
        """Leave out what a slow connection still brings of former ids: they would be written behind the new ones."""
        for kind, anew_ms in list(self._anew_ms.items()):
            self._reorder(kind).discard(partial(_before, kind, anew_ms))
            if self.last_ms[kind] > anew_ms + FORMER_MS:
                del self._anew_ms[kind]

    def _reorder(self, kind: str) -> Reorder:
        return self.quotes if kind == rows.PRICES else self.books

    @property
    def remembered(self) -> int:
        """How many ids are remembered to tell what comes late from what comes twice."""
        return self.quotes.remembered + self.books.remembered

    def forget(self) -> None:
        """Forget the oldest of them."""
        max(self.quotes, self.books, key=lambda one: one.remembered).forget()

    def set_back(self, kind: str) -> list[Gap]:
        """Return where times step back in what the last turn returned: the clock was set, and times overlap there."""
        return self._set_back.get(kind, [])

    def turn(self, remember_s: float | None = None) -> list[tuple[str, list[str]]]:
        """Return what is to be written now, by kind; what has come since begins its rest. `remember_s` as in Reorder.

        What a run before has written is not written again: of books their ids tell it, of quotes the end of the file.
        """
        self._discard_former()
        if not self._written.over(self.last_ms[rows.PRICES]):
            self.quotes.discard(self._written.again)
        trades, self.trades = self.trades, []
        quotes, books = self.quotes.turn(remember_s), self.books.turn(remember_s)
        self._set_back = {
            kind: _steps_back(kind, self.last_ms[kind], lines)
            for kind, lines in ((rows.PRICES, quotes), (rows.ORDERBOOK, books))
        }
        turned = list(zip(rows.KINDS, (quotes, books, trades), strict=True))
        for kind, lines in turned:
            if lines:
                self.rows[kind] += len(lines)
                self.last_ms[kind] = rows.row_time_ms(kind, lines[-1])
                self._too_low[kind] = 0
        if turned[0][1]:
            self._price = turned[0][1][-1].split(",", 4)[3]
        return turned

    def duplicates(self) -> int:
        """Return how many frames brought what another had brought before."""
        resting = self.quotes.resting + self.books.resting
        frames = self.quote_frames + self.book_frames
        return frames - resting - self.rows[rows.PRICES] - self.rows[rows.ORDERBOOK] + self.tape.duplicates

    def newest_price(self) -> str:
        """Return the middle of the newest quote, or nothing if there was none."""
        row = self.quotes.newest()
        return row.split(",", 4)[3] if row else self._price

    def states(self) -> list[StreamState]:
        """Return how each stream stands."""
        frames = (self.quote_frames, self.book_frames, self.trade_frames)
        return [
            StreamState(
                self.symbol,
                kind,
                seen,
                self.rows[kind],
                self.last_ms[kind],
                self.gaps[kind],
                self.tape.missing if kind == rows.TRADES else 0,
                self.tape.held if kind == rows.TRADES else 0,
            )
            for kind, seen in zip(rows.KINDS, frames, strict=True)
        ]


def _before(kind: str, time_ms: int, fresh: Mapping[int, str]) -> list[int]:
    return [update_id for update_id, row in fresh.items() if rows.row_time_ms(kind, row) < time_ms]


def _steps_back(kind: str, last_ms: int, lines: list[str]) -> list[Gap]:
    """Return the stretch of each step back in the times of rows, the first against the last row before.

    A clock that was set stays set: where rows are many, the times of some in every second tell whether to look closer.
    """
    if not lines:
        return []
    first_s, last_s = lines[0].partition(".")[0], lines[-1].partition(".")[0]
    stride = max(1, len(lines) // (LOOKS_A_SECOND * max(1, int(last_s) - int(first_s) + 1)))
    times = [rows.seconds(last_ms)[:TIME_DIGITS]] if last_ms else []
    times += [line[:TIME_DIGITS] for line in (*lines[::stride], lines[-1])]
    if sorted(times) == times:
        return []
    times_ms = [last_ms, *[rows.row_time_ms(kind, line) for line in lines]]
    return [
        Gap(kind, after_ms, before_ms, None, None, "clock")
        for before_ms, after_ms in pairwise(times_ms)
        if STEP_BACK_MS < before_ms - after_ms <= FARTHEST_STEP_MS
    ]
