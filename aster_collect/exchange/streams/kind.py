"""What a kind of data says about itself: the one record that all the rest of the program asks.

An event is a tuple: its id (0 where the kind has none), its time in the exchange's Unix milliseconds, what the kind
adds, and last when it was received, in our clock's Unix nanoseconds, None where it did not come live.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

from ..cells import Column
from ..fields import Payload

ID, TIME, RECEIVED = 0, 1, -1
ROW_BYTES = 1 << 16
KNOWN_ROWS = 128  # at the end of a file, of a kind told by content: two minutes of marks

Event = tuple[Any, ...]
Add = Callable[[Event], object]
Write = Callable[[Sequence[Any]], list[str]]


class Lane(Enum):
    """How a kind's events become rows in order."""

    SEQUENCE = "sequence"  # ids rise by 1; holes are asked for over REST
    RISING = "rising"  # ids rise; late ones find their place
    CHAIN = "chain"  # each names the one before it; a break asks for a snapshot
    PLAIN = "plain"  # by time; doubles of redundant connections are told by their content
    POLLED = "polled"  # asked for every so often
    LEDGER = "ledger"  # what the program says of the others


class Options(NamedTuple):
    """What a run's options change of its streams and files."""

    levels: int = 10
    interval_ms: int = 100
    quantities: bool = False
    receive_time: bool = False
    diff_ms: int = 100


class Decoded(NamedTuple):
    """An event of a symbol, and when it was sent, by a clock that is not behind that which made it."""

    symbol: str
    event: Event
    sent_ms: int


# What a fast shape left of a batch, and of the newest frame that it took when it was made, and sent; else 0.
Taken = tuple[list[int], int, int]
Take = Callable[[str, Sequence[int], int, Mapping[str, Add]], Taken]


class Wire(NamedTuple):
    """How a kind comes over a WebSocket.

    `name` is the frame's `e`; `channel` the stream's name behind the symbol and `@`; `everyone` the one stream that
    brings all symbols. `take`, for a kind of which there is much, is made for the options, and gets a batch's text, the
    bounds of its frames, when it came, and by symbol where events go: it takes the frames of exactly the shapes that
    the exchange is known to send. With `by_sending` an event's time is when it was sent, not when it was made.
    """

    name: str
    channel: Callable[[Options], str]
    decode: Callable[[Payload, int], Decoded]
    everyone: str = ""
    by_sending: bool = False
    take: Callable[[Options], Take] | None = None


class Found(NamedTuple):
    """What an answer holds: events, and what of it can't be read, each with the reason."""

    events: list[Event]
    odd: list[tuple[str, object]]


class Poll(NamedTuple):
    """How a kind is asked for over REST.

    `calls` are made in turn, behind the venue's prefix; one that the venue has not is left out. `decode` gets the
    symbol, their answers, None for one that was refused, but the last, and when that came; it raises `DecodeError`.
    `every_s` is None where the user says how often. Of a kind that `changes`, each event behind its time has a key and
    what is known of it; only what is new makes a row, and what is blank is as it was known before.
    """

    calls: tuple[str, ...]
    decode: Callable[[str, Sequence[Any], int], Found]
    every_s: float | None = None
    changes: bool = False


class Check(NamedTuple):
    """What must hold within a row.

    `flaw` gets the cells from the column `first` on, as many as `count` says, and returns what is wrong with them, and
    nothing where all is well. It uses nothing of what writes the row. `repeats` says that the same cells, which are
    short, come again and again.
    """

    first: str
    count: Callable[[Options], int]
    flaw: Callable[[Sequence[bytes]], str]
    repeats: bool = False


class Top(NamedTuple):
    """Which columns show the top of the full book: of each side price and quantity in turn, from the best level on.

    A level whose price or quantity is blank or zero is none.
    """

    bids: tuple[str, ...]
    asks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of data: everything about it that the program needs."""

    name: str
    sentence: str
    lane: Lane
    columns: Callable[[Options], tuple[Column, ...]]
    write: Callable[[Options], Write]
    read: Callable[[Sequence[str]], Event]  # of the cells of a row, whatever options it was written with
    wire: Wire | None = None
    poll: Poll | None = None
    markets: tuple[str, ...] = ("futures", "spot")  # those that have it
    whole_folder: bool = False  # one file for all symbols
    shown: Callable[[Event], dict[str, str]] | None = None  # what a status shows of the newest
    previous: int | None = None  # where an event names the id of the one before it
    ids: str = ""  # which column has the ids, in the files that have one
    steady: bool = False  # events come all the time: a whole hour without any is one that is missing
    check: Check | None = None
    row_bytes: int = ROW_BYTES  # no row is longer
    untimed: tuple[str, ...] = ()  # markets in which events bear no time: it is when each was received
    top: Callable[[Options], Top | None] | None = None  # where its rows show the top of the full book

    @property
    def prefix(self) -> str:
        """What its files' names begin with."""
        return self.name.replace("-", "_")

    def file_name(self, symbol: str) -> str:
        """Return the name of the file that a symbol's rows are appended to."""
        return f"{self.prefix}.csv" if self.whole_folder else f"{self.prefix}_{symbol}.csv"

    @property
    def by_content(self) -> bool:
        """Whether what comes twice is told by what it says alone."""
        return self.lane is Lane.PLAIN

    @property
    def shrinks(self) -> bool:
        """Whether rows of it are taken away again: of what is not missing any more."""
        return self.lane is Lane.LEDGER

    @property
    def uncovered(self) -> bool:
        """Whether what no connection brought is gone, and its stretch of time a row of the ledger."""
        return self.wire is not None and self.lane not in (Lane.SEQUENCE, Lane.CHAIN)  # those know what they lack

    @cached_property
    def time(self) -> Column:
        """The column of a row's time."""
        return next(column for column in self.columns(Options()) if "unix_timestamp" in column.name)

    @cached_property
    def time_at(self) -> int:
        """Which cell of a row has its time."""
        return self.columns(Options()).index(self.time)

    @property
    def in_seconds(self) -> bool:
        """Whether that is seconds with three decimals, not whole milliseconds."""
        return not self.time.name.endswith("_ms")

    def row_time_ms(self, row: str) -> int:
        """Return the time in a row of text, in milliseconds."""
        cell = row.split(",", self.time_at + 1)[self.time_at]
        return int(cell.replace(".", "")) if self.in_seconds else int(cell)

    @cached_property
    def _begin(self) -> "re.Pattern[str]":
        return re.compile(",".join(column.cell.pattern for column in self.columns(Options())[:2]) + r"(?:,|\Z)")

    def is_row(self, cells: int, text: str) -> bool:
        """Return whether a line has so many cells, and begins as a row of this kind does."""
        return text.count(",") == cells - 1 and self._begin.match(text) is not None
