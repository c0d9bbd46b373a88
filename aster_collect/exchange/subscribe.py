"""Which streams a symbol has, which symbols share a connection, and the connection's URL. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from .streams.kind import Kind, Options
from .venues import Venue

URL_LENGTH = 8000


class Scope(NamedTuple):
    """What a run collects of a venue: its kinds, by what options, and whether of every symbol that there is."""

    venue: Venue
    kinds: tuple[Kind, ...]
    options: Options
    every_symbol: bool = False


class Group(NamedTuple):
    """The symbols that share a connection, and the streams of that connection."""

    symbols: tuple[str, ...]
    streams: tuple[str, ...]


def streams_of(scope: Scope, symbol: str) -> list[str]:
    """Return the names of a symbol's own streams."""
    return [
        f"{symbol.lower()}@{kind.wire.channel(scope.options)}"
        for kind in scope.kinds
        if kind.wire and kind not in everyones(scope)
    ]


def shared_streams(scope: Scope, symbols: Sequence[str]) -> list[str]:
    """Return the streams that a connection for these symbols has beside theirs; without symbols, what brings them all.

    What ticks is that of the venue's busiest symbol, which may be gone one day, and that of the first of these; what
    brings all symbols' ticks has those already.
    """
    ticks = [f"{symbol.lower()}@{scope.venue.ticks}" for symbol in (scope.venue.ticks_symbol, *symbols[:1])]
    if symbols:
        return ticks
    wires = [kind.wire for kind in everyones(scope) if kind.wire]
    has_ticks = any(wire.channel(scope.options) == scope.venue.ticks for wire in wires)
    return [*([] if has_ticks else ticks), *(wire.everyone for wire in wires)]


def everyones(scope: Scope) -> list[Kind]:
    """Return the kinds of which one stream brings all symbols, where all are wanted."""
    return [kind for kind in scope.kinds if scope.every_symbol and kind.wire and kind.wire.everyone]


def streams_for(scope: Scope, symbols: Sequence[str]) -> tuple[str, ...]:
    """Return all streams of a connection for these symbols, each once."""
    own = [stream for symbol in symbols for stream in streams_of(scope, symbol)]
    return tuple(dict.fromkeys([*shared_streams(scope, symbols), *own]))


def stream_url(base: str, streams: Iterable[str]) -> str:
    """Return the URL of one connection that carries all these streams, each event wrapped with its stream's name."""
    return f"{base.rstrip('/')}/stream?streams=" + "/".join(quote(stream, safe="@!") for stream in streams)


def plan_groups(base: str, scope: Scope, symbols: Sequence[str]) -> list[Group]:
    """Divide symbols over as few connections as the venue's limits allow; a symbol's streams stay together.

    What brings all symbols has a connection of its own, the first, whose group has no symbols.
    """
    groups = [Group((), streams_for(scope, ()))] if everyones(scope) else []
    names: list[str] = []
    length = count = 0
    for symbol in symbols:
        own = streams_of(scope, symbol)
        grown = sum(len(quote(stream, safe="@!")) + 1 for stream in own)
        if names and (count + len(own) > scope.venue.streams_a_connection or length + grown > URL_LENGTH):
            groups.append(Group(tuple(names), streams_for(scope, names)))
            names = []
        if not names:
            shared = shared_streams(scope, [symbol])
            count, length = len(shared), len(stream_url(base, shared))
        names.append(symbol)
        count += len(own)
        length += grown
    groups.append(Group(tuple(names), streams_for(scope, names)))
    return groups
