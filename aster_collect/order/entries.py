"""What a run is recorded as: entries, of all that its engine was told. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..exchange.events import Message, Opened, Wanted
from .lane import Left


class Moment(NamedTuple):
    """What both of our clocks say: seconds of the monotonic one, and Unix nanoseconds."""

    s: float
    ns: int


class Run(NamedTuple):
    """A run begins: its settings by name, as JSON can hold them, and how large the file of rejects is."""

    version: str
    settings: Mapping[str, Any]
    symbols: tuple[str, ...]
    rejects_bytes: int


class Begin(NamedTuple):
    """A symbol is collected from now on, or with "" what is of the whole folder.

    `made` says that its files are there, `left` what a run before has left, by kind, and `found` how large each file
    was before it was opened, and when it was last changed, in milliseconds, of those that there were.
    """

    symbol: str
    made: bool
    left: Mapping[str, Left]
    found: Mapping[str, tuple[int, int]]


class Step(NamedTuple):
    """The moment in which is done what time asks for."""


class Settle(NamedTuple):
    """Nothing more comes but answers; `stopped_s` is until when connections delivered."""

    stopped_s: float


class Close(NamedTuple):
    """Everything is written, for the end."""


class Unrecorded(NamedTuple):
    """The record lacks so many lines, from then to then by our clock.

    They are missing here, or, where they were `destroyed` by another program, a little before.
    """

    lines: int
    from_ns: int
    to_ns: int
    destroyed: bool


class Again(NamedTuple):
    """What was recorded before, and is to be known to begin here."""

    entry: Run | Begin | Wanted | Opened


Entry = Run | Begin | Message | Step | Settle | Close | Unrecorded | Again
Record = Callable[[Moment, Entry], None]


def nowhere(moment: Moment, entry: Entry) -> None:
    """Record nothing."""
