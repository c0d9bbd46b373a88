"""What the parts of the program hand to each other: what came, what is to be asked, what is missing.

Times named `_ms` are the exchange's Unix milliseconds, times named `_ns` our own clock's Unix nanoseconds, times named
`_s` our monotonic clock's seconds.
"""

from typing import Any, NamedTuple

HAND_OVER = "hand-over"  # the reason of a loss that is none: another connection carries on


class Gap(NamedTuple):
    """What is known to be missing: ids for trades, a stretch of time for all else. `stream` is the kind's name."""

    stream: str
    from_ms: int
    to_ms: int
    first_missing_id: int | None
    last_missing_id: int | None
    cause: str

    @classmethod
    def of_time(cls, stream: str, from_ms: int, to_ms: int, cause: str) -> "Gap":
        """Return a stretch of time, of which no ids are known."""
        return cls(stream, from_ms, to_ms, None, None, cause)


class Batch(NamedTuple):
    """What one read of one connection brought: whole messages, in order, with one receive stamp.

    The messages lie in `data` from `bounds[0]` to `bounds[1]`, from `bounds[2]` to `bounds[3]`, and so on: one copy
    of what was read, and not one object for each.
    """

    connection: int
    received_ns: int
    received_s: float
    data: bytes
    bounds: list[int]


class Wanted(NamedTuple):
    """A connection that carries these symbols is to be made; without symbols, one of the streams that bring them all.

    It is told of until it ends; its successor has the same place, and may carry the symbols of several.
    """

    connection: int
    place: int
    symbols: tuple[str, ...]


class Opened(NamedTuple):
    """A connection is open; its frames are still to come."""

    connection: int
    opened_ns: int
    opened_s: float


class Bad(NamedTuple):
    """A message that can't be text of the protocol, cut to a bounded length."""

    connection: int
    received_ns: int
    reason: str
    data: bytes


class Lost(NamedTuple):
    """A connection ended; nothing more comes from it until its next batch. `over` says that no other follows."""

    connection: int
    reason: str
    over: bool


FIRST, HOLE, PATIENT, POLL = range(4)


class Ask(NamedTuple):
    """A REST request to make: path and query, its weight, and of a kind's also the kind, the symbol and the first id.

    `most_bytes` is how large the answer may be. Those of a lower rank go first; of polls, the last, several
    are under way at once, of all others one. One that is asked `once` is answered
    whatever comes; another is asked again until it is answered, or refused.
    """

    path: str
    query: tuple[tuple[str, str], ...]
    weight: int
    kind: str = ""
    symbol: str = ""
    first_id: int = 0
    most_bytes: int = 4 << 20
    rank: int = FIRST
    once: bool = True


class Answer(NamedTuple):
    """What REST said: a JSON value, or where it refused for good, the reason."""

    ask: Ask
    asked_ns: int
    received_ns: int
    value: Any
    refused: str = ""


class Lines(NamedTuple):
    """Lines of the raw record as they stand in it, line ends included: the stamp of all of them, and how many."""

    stamp_ns: int
    number: int
    text: bytes


class Listed(NamedTuple):
    """These symbols are to be collected too; the connections that carry them are wanted next."""

    symbols: tuple[str, ...]


class Delisted(NamedTuple):
    """The exchange does not trade these of the collected symbols any more, and does all others."""

    symbols: tuple[str, ...]


class Reopen(NamedTuple):
    """The files may have been renamed: close them, and open them by name again.

    `moved` are those whose name is another's, or nobody's, by the time that this is done.
    """

    moved: tuple[str, ...] = ()


Message = Batch | Bad | Wanted | Opened | Lost | Answer | Listed | Delisted | Reopen
