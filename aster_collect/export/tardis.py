"""The CSV files of tardis.dev: a gzipped file a data type, UTC day and symbol, values verbatim.

The columns are those of https://docs.tardis.dev/downloadable-csv-files/data-types, and what goes into them is what
tardis-dev's own mapper of this exchange takes: of liquidations those that are filled, with the filled quantity.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import lru_cache
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from ..archive.book import Book
from ..archive.moment import milliseconds
from ..exchange.cells import RECEIVE_TIME
from ..exchange.streams import KINDS
from ..files.aside import delete_leftovers
from .asked import Asked, Begin
from .changes import Change, Changes
from .days import Days, day_of
from .found import find
from .stamps import Stamps
from .target import Target, Written

EXCHANGES = {"aster-futures": "aster-futures", "aster-spot": "aster"}  # by our names
HEAD = ("exchange", "symbol", "timestamp", "local_timestamp")
BLANK = ""  # the column of a cell that nothing is known of

Columns = tuple[str, ...]
Write = Callable[[Target, str], Written]  # a kind's rows, or those of all kinds of a data type


class Picked(NamedTuple):
    """A data type each row of which is one of ours: by the columns of a file its name, and which cells go where."""

    name: Callable[[Columns], str]
    cells: Callable[[Columns], dict[str, str]]
    needs: Columns = ()
    only: tuple[str, str] = (BLANK, "")  # rows with this in this column


def _levels(columns: Columns) -> int:
    return sum(name.startswith("bid_price_") for name in columns)


def _book(columns: Columns) -> dict[str, str]:
    """Return the cells of a book, level by level, asks before bids."""
    names = (("price", "price"), ("amount", "qty"))
    return {
        f"{side}s[{level}].{theirs}": f"{side}_{ours}_{level}"
        for level in range(_levels(columns))
        for side in ("ask", "bid")
        for theirs, ours in names
    }


PICKED = {
    "trades": Picked(
        lambda _: "trades", lambda _: {"id": "id", "side": "side", "price": "price", "amount": "quantity"}
    ),
    "prices": Picked(
        lambda _: "quotes",
        lambda _: {"ask_amount": "ask_qty", "ask_price": "ask", "bid_price": "bid", "bid_amount": "bid_qty"},
        needs=("bid_qty", "ask_qty"),
    ),
    "orderbook": Picked(lambda columns: f"book_snapshot_{_levels(columns)}", _book),
    "liquidations": Picked(
        lambda _: "liquidations",
        lambda _: {"id": BLANK, "side": "side", "price": "price", "amount": "filled"},
        only=("status", "FILLED"),
    ),
}
CHANGES = "depth"
TICKER = {  # what is known of each kind; of the other columns nothing is
    "mark": {
        "funding_timestamp": "next_funding_ms",
        "funding_rate": "funding_rate",
        "index_price": "index_price",
        "mark_price": "mark_price",
    },
    "open-interest": {"open_interest": "open_interest"},
}
TICKER_COLUMNS = ("funding_timestamp", "funding_rate", "predicted_funding_rate", "open_interest", "last_price",
                  "index_price", "mark_price")  # fmt: skip
OURS = tuple(kind for kind in KINDS if kind in {*PICKED, CHANGES, *TICKER})


def export(asked: Asked, begin: Begin) -> str:
    """Write the files, and return the line that says what was written."""
    asked.check_days()
    found = find(asked, OURS, "tardis")
    for one in found:
        for kind in one.kinds:
            needs = PICKED[kind].needs if kind in PICKED else ()
            one.demand(kind, (RECEIVE_TIME.name, *needs), "tardis")
    asked.out.mkdir(parents=True, exist_ok=True)
    delete_leftovers(asked.out)
    written = Written()
    with begin(sum(one.size() for one in found)) as tell:
        for one in found:
            for part in _parts(Target(one, tell)):
                written += part
    return written.told(asked.out)


def _parts(target: Target) -> Iterator[Written]:
    """Write a symbol's files, one data type after the other, and yield what came of each."""
    kinds = target.found.kinds
    for kind in kinds:
        if kind in PICKED:
            yield _picked(target, kind)
    if CHANGES in kinds:
        yield _changes(target)
    if any(kind in TICKER for kind in kinds):
        yield _ticker(target, [kind for kind in kinds if kind in TICKER])


def _days(target: Target, name: str, columns: Iterable[str]) -> Days:
    exchange, symbol = EXCHANGES[target.found.market], target.found.symbol

    def path(day: str) -> Path:
        return target.found.asked.out / f"{exchange}_{name}_{day}_{symbol}.csv.gz"

    return Days(path, ",".join((*HEAD, *columns)) + "\n")


def _head(target: Target) -> str:
    return f"{EXCHANGES[target.found.market]},{target.found.symbol}"


def _picked(target: Target, kind: str) -> Written:
    """Write the rows of a kind; where the number of levels was changed, there are files of each."""
    made, head, stamps, rows_written = PICKED[kind], _head(target), Stamps(), 0
    with ExitStack() as opened:
        days: dict[str, Days] = {}
        for rows in target.blocks(kind):
            name, cells = made.name(rows.columns), made.cells(rows.columns)
            if name not in days:
                days[name] = opened.enter_context(_days(target, name, cells))
            table = [f"{line},".split(",") for line in rows.lines]  # with a blank cell at the end
            times_ms = _times_ms(kind, table)
            local_ns = stamps.local_ns(times_ms, [row[-2] for row in table])
            pick, join = _picker(rows.columns, tuple(cells.values())), ",".join
            lines = [
                f"{head},{at}000,{ns // 1000},{join(pick(row))}\n"
                for at, ns, row in zip(times_ms, local_ns, table, strict=True)
            ]
            column, word = made.only
            if column or not target.are_within(times_ms):
                at = rows.columns.index(column) if column else -1
                keep = [target.is_within(ms) and row[at] == word for ms, row in zip(times_ms, table, strict=True)]
                lines = [line for line, kept in zip(lines, keep, strict=True) if kept]
                times_ms = [ms for ms, kept in zip(times_ms, keep, strict=True) if kept]
            days[name].add(times_ms, lines)
            rows_written += len(lines)
    return Written(sum(one.files for one in days.values()), rows_written, stamps.missing)


@lru_cache
def _picker(columns: Columns, names: Columns) -> Callable[[Sequence[str]], Sequence[str]]:
    return itemgetter(*(columns.index(name) if name else len(columns) for name in names))


def _times_ms(kind: str, table: Sequence[Sequence[str]]) -> list[int]:
    at = KINDS[kind].time_at
    if KINDS[kind].in_seconds:
        return [int(row[at].replace(".", "")) for row in table]
    return [int(row[at]) for row in table]


def _changes(target: Target) -> Written:
    """Write the full book: whole at the beginning of each file and behind each hole, and every change of a level."""
    stamps, changes, written = Stamps(), Changes(), 0
    with _days(target, "incremental_book_L2", ("is_snapshot", "side", "price", "amount")) as days:
        made = _BookLines(_head(target), changes.book)
        for rows in target.blocks(CHANGES):
            times_ms, lines = [], []
            for change in changes.of(rows):
                (local_ns,) = stamps.local_ns([change.time_ms], [change.received])
                if target.is_within(change.time_ms):
                    times_ms.append(change.time_ms)
                    lines.append(made.lines(change, local_ns))
            days.add(times_ms, lines)
            written += len(lines)
    return Written(days.files, written, stamps.missing, changes.lost)


class _BookLines:
    """Makes lines of changes, with the book as it was before where a day begins with one.

    Readers take lines of a snapshot that follow each other for one snapshot, so that a line that changes nothing stands
    between two.
    """

    def __init__(self, head: str, book: Book) -> None:
        self._head, self._book = head, book
        self._day = -1
        self._before = ""  # what the last line's row begins with, where that is a snapshot's

    def lines(self, change: Change, local_ns: int) -> str:
        """Return the lines of a change, while the book is still that of before it."""
        begin = f"{self._head},{change.time_ms}000,{local_ns // 1000}"
        day, book, text = day_of(change.time_ms), self._book, ""
        if not change.fresh:
            if day > self._day:
                text = _sides(f"{begin},true", b";".join(book.bids.all()), b";".join(book.asks.all()))
            text += _sides(f"{begin},false", change.bids, change.asks)
        else:
            if self._before and day <= self._day:
                text = _sides(f"{self._before},false", b"".join(book.bids.top(1)), b"".join(book.asks.top(1)))
            text += _sides(f"{begin},true", change.bids, change.asks)
        self._day, self._before = max(day, self._day), begin if change.fresh else ""
        return text


def _sides(row: str, bids: bytes, asks: bytes) -> str:
    """Return levels as lines, each behind what all of its row begin with."""
    text = ""
    for word, side in (("bid", bids), ("ask", asks)):
        if side:
            begin = f"{row},{word},"
            text += begin + side.decode().replace(" ", ",").replace(";", f"\n{begin}") + "\n"
    return text


class _Told(NamedTuple):
    """What a row of one kind says of a ticker."""

    time_ms: int
    local_ns: int
    kind: str
    cells: dict[str, str]


def _ticker(target: Target, kinds: Sequence[str]) -> Written:
    """Write a row for each row of these kinds, with what the others said last, unless the ledger has a hole since."""
    stamps = {kind: Stamps() for kind in kinds}
    holes = {kind: _stretches(target, kind) for kind in kinds}
    told = merge(*(_told(target, kind, stamps[kind]) for kind in kinds), key=itemgetter(0))
    newest: dict[str, _Told] = {}
    written = 0
    with _days(target, "derivative_ticker", TICKER_COLUMNS) as days:
        for one in told:
            newest[one.kind] = one
            if not target.is_within(one.time_ms):
                continue
            cells: dict[str, str] = {}
            for other in newest.values():
                if other is one or not _is_between(holes[other.kind], other.time_ms, one.time_ms):
                    cells |= other.cells
            row = ",".join(cells.get(name, "") for name in TICKER_COLUMNS)
            days.add([one.time_ms], [f"{_head(target)},{one.time_ms}000,{one.local_ns // 1000},{row}\n"])
            written += 1
    return Written(days.files, written, sum(one.missing for one in stamps.values()))


def _told(target: Target, kind: str, stamps: Stamps) -> Iterator[_Told]:
    for rows in target.blocks(kind):
        table = [line.split(",") for line in rows.lines]
        times_ms = _times_ms(kind, table)
        for time_ms, ns, row in zip(
            times_ms, stamps.local_ns(times_ms, [row[-1] for row in table]), table, strict=True
        ):
            known = dict(zip(rows.columns, row, strict=True))
            cells = {theirs: known[ours] for theirs, ours in TICKER[kind].items()}
            if cells.get("funding_timestamp"):
                cells["funding_timestamp"] += "000"
            yield _Told(time_ms, ns, kind, cells)


def _stretches(target: Target, kind: str) -> list[tuple[int, int]]:
    stretches = target.found.archive.gaps(target.found.symbol, kind).stretches
    return [(milliseconds(one.start), milliseconds(one.end)) for one in stretches]


def _is_between(holes: Sequence[tuple[int, int]], before_ms: int, after_ms: int) -> bool:
    """Return whether one of these lies between two moments, or reaches in between."""
    at = bisect_left(holes, (after_ms, 0))
    return at > 0 and holes[at - 1][1] > before_ms
