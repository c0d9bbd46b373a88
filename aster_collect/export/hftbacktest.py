"""The arrays of events that hftbacktest loads: a compressed `.npz` a UTC day and symbol, of trades and the book."""

from collections.abc import Iterator

import numpy as np

from ..archive.gaps import gaps_of
from ..archive.moment import milliseconds
from ..errors import ConfigError
from ..exchange.cells import RECEIVE_TIME
from ..exchange.events import Gap
from ..files.aside import aside, delete_leftovers
from ..files.names import DAY_MS
from . import events
from .asked import Asked, Begin
from .changes import Changes
from .days import day_name
from .events import Array
from .found import Found, find
from .shown import Shown, taken
from .stamps import NS_OF_MS, Stamps
from .target import Target, Written
from .tops import Tops

TRADES = "trades"
BOOKS: dict[str, type[Changes | Tops]] = {"depth": Changes, "orderbook": Tops}  # of those that are there the first

Days = Iterator[tuple[int, list[Array]]]


def export(asked: Asked, begin: Begin) -> str:
    """Write the files, and return the line that says what was written."""
    asked.check_days()
    found = [_with_one_book(one) for one in find(asked, (TRADES, *BOOKS), "hftbacktest")]
    for one in found:
        for kind in one.kinds:
            one.demand(kind, (RECEIVE_TIME.name,), "hftbacktest")
    asked.out.mkdir(parents=True, exist_ok=True)
    delete_leftovers(asked.out)
    written, hints = Written(), ""
    with begin(sum(one.size() for one in found)) as tell:
        for one in found:
            symbol = _Symbol(Target(one, tell))
            written += symbol.write()
            hints += symbol.hints()
    return written.told(asked.out) + hints


def _with_one_book(found: Found) -> Found:
    book = next((kind for kind in BOOKS if kind in found.kinds), "")
    if TRADES not in found.kinds or not book:
        missing = TRADES if book else " or ".join(BOOKS)
        raise ConfigError(
            f"{found.symbol}: no {missing} of it, which --to hftbacktest needs: collect with --streams trades,depth, "
            "or leave it out with --symbols"
        )
    return found._replace(kinds=(TRADES, book))


class _Symbol:
    """One symbol's files, one day after the other."""

    def __init__(self, target: Target) -> None:
        self._target, self._found = target, target.found
        _, book = self._found.kinds
        self._changes = BOOKS[book]()
        self._shown = Shown(target, book, self._changes, self._holes())
        self._stamps = Stamps()
        self._trades = 0
        self._early = self._early_ns = 0  # events that seem to be received before they were made, and by how much

    def _holes(self) -> list[tuple[int, int]]:
        """Return the stretches in which trades or the book may be missing."""
        archive, symbol = self._found.archive, self._found.symbol
        both = gaps_of(
            Gap.of_time(kind, milliseconds(one.start), milliseconds(one.end), "")
            for kind in self._found.kinds
            for one in archive.gaps(symbol, kind).stretches
        )
        return [(milliseconds(one.start), milliseconds(one.end)) for one in both.stretches]

    def write(self) -> Written:
        """Write them, and return what came of it. The events of one day at a time are in memory."""
        files = 0
        for day, arrays in _together(self._days_of_trades(), self._shown.days()):
            made = events.ordered(arrays)
            delays = (made["local_ts"] - made["exch_ts"])[made["ev"] & events.LOCAL > 0]
            self._early += int(np.count_nonzero(delays < 0))
            self._early_ns = max(self._early_ns, -int(delays.min()))
            path = self._found.asked.out / f"{self._found.market}_{day_name(day)}_{self._found.symbol}.npz"
            with aside(path) as beside, beside.open("wb") as file:
                np.savez_compressed(file, data=made)
            files += 1
        fetched = self._stamps.missing + self._shown.stamps.missing
        return Written(files, self._trades + self._shown.rows, fetched, self._changes.lost)

    def hints(self) -> str:
        """Return what is to know of them."""
        told, symbol = "", self._found.symbol
        if self._changes.levels:
            told += f"; the book of {symbol} is its top {self._changes.levels} levels alone, from orderbook"
        if self._early:
            told += f"; {symbol} has {self._early} events with a local time before the exchange's, by up to "
            told += f"{self._early_ns / NS_OF_MS:.3f} ms"
        return told

    def _days_of_trades(self) -> Days:
        """Yield the trades of each day that has some."""
        day, arrays = -1, list[Array]()
        for rows in self._target.blocks(TRADES):
            table = [line.split(",") for line in rows.lines]
            times_ms = [int(row[1]) for row in table]
            local_ns = self._stamps.local_ns(times_ms, [row[-1] for row in table])
            flags = [events.TRADE | (events.BUY if row[2] == "buy" else events.SELL) for row in table]
            try:
                made = events.array(
                    flags, [ms * NS_OF_MS for ms in times_ms], local_ns, [row[3] for row in table],
                    [row[4] for row in table],
                )  # fmt: skip
            except events.Unfit as error:
                raise error.at(rows) from None
            times = np.array(times_ms)
            inside = (times >= self._target.start_ms) & (times < self._target.end_ms)
            made, times = made[inside], times[inside]
            self._trades += len(made)
            days = np.maximum(np.maximum.accumulate(times // DAY_MS), day)  # one of an earlier day stays with the last
            for one in np.unique(days):
                if one > day and arrays:
                    yield day, taken(arrays)
                day = int(one)
                arrays.append(made[days == one])
        if arrays:
            yield day, taken(arrays)


def _together(*streams: Days) -> Days:
    """Yield what streams have of each day that one of them has; what the first ones have comes first."""
    waiting = [next(stream, None) for stream in streams]
    while days := [one[0] for one in waiting if one]:
        day = min(days)
        arrays: list[Array] = []
        for at, one in enumerate(waiting):
            if one and one[0] == day:
                arrays += taken(one[1])
                waiting[at] = None
        yield day, taken(arrays)
        for at, one in enumerate(waiting):
            if one is None:
                waiting[at] = next(streams[at], None)
