"""Which way a kind's histories are merged, by its lane, and what is missing of the result."""

from collections.abc import Callable, Sequence

from ..exchange.events import Gap
from ..exchange.ledger import NOT_ASKED
from ..exchange.shape import NONE
from ..exchange.streams.kind import Kind, Lane
from .aligned import Aligned, one_by_one, sequence, union
from .feed import Feed
from .keyed import Difference, Keyed, Write
from .lacking import Part, ids, stretches
from .ledger import Ids, explains
from .linked import Jump, Linked

Differ = Callable[[Difference], object]
Gaps = list[Gap]
WRONG = "mismatch"  # the cause of a stretch in which a full book is not to be trusted


def merge_history(kind: Kind, feeds: Sequence[Feed], listed: Sequence[Gaps], write: Write, differ: Differ) -> Gaps:
    """Merge one history of several folders, of which `listed` is what their ledgers say; return what is missing.

    Raises `DamagedFile`, `ConfigError` where they can't be merged, and `OSError`.
    """
    return _LANES[kind.lane](kind, feeds, listed, write, differ)


def _sequence(kind: Kind, feeds: Sequence[Feed], listed: Sequence[Gaps], write: Write, differ: Differ) -> Gaps:
    keyed = Keyed(feeds, feeds[0].columns.shape.id, write, differ, [Ids(gaps).unlisted for gaps in listed])
    keyed.run()
    parts = _parts(feeds, listed)
    asked = [part._replace(gaps=[gap for gap in part.gaps if gap.cause == NOT_ASKED]) for part in parts]
    return [
        *ids(kind.name, parts, keyed.ids.holes, keyed.ids.present),
        *stretches(kind.name, asked, tell_restart=False),
    ]


def _rising(kind: Kind, feeds: Sequence[Feed], listed: Sequence[Gaps], write: Write, differ: Differ) -> Gaps:
    at, untimed = feeds[0].columns.shape.id, feeds[0].columns.untimed
    if at != NONE:
        Keyed(feeds, at, write, differ, untimed=untimed).run()
    elif untimed:
        one_by_one(feeds, write)
    else:
        Aligned(feeds, write, sequence).run()
    return stretches(kind.name, _parts(feeds, listed))


def _chain(kind: Kind, feeds: Sequence[Feed], listed: Sequence[Gaps], write: Write, differ: Differ) -> Gaps:
    unsure = [[(gap.from_ms, gap.to_ms) for gap in gaps if gap.cause == WRONG] for gaps in listed]
    linked = Linked(feeds, unsure, write, differ)
    linked.run()
    told = [
        [*gaps, *_unexplained(kind, gaps, linked.own_jumps[feed])] for feed, gaps in zip(feeds, listed, strict=True)
    ]
    found = stretches(kind.name, _parts(feeds, told))
    return [*found, *_unexplained(kind, found, linked.jumps)]


def _unexplained(kind: Kind, gaps: Gaps, jumps: Sequence[Jump]) -> Gaps:
    """Return the stretches from one row to another that does not join it, where no row of a ledger says so."""
    return [
        Gap.of_time(kind.name, from_ms, max(from_ms, to_ms), "hole")
        for from_ms, to_ms in jumps
        if not explains(gaps, from_ms, to_ms)
    ]


def _plain(kind: Kind, feeds: Sequence[Feed], listed: Sequence[Gaps], write: Write, _: Differ) -> Gaps:
    Aligned(feeds, write, union).run()
    return stretches(kind.name, _parts(feeds, listed))


def _polled(kind: Kind, feeds: Sequence[Feed], listed: Sequence[Gaps], write: Write, differ: Differ) -> Gaps:
    assert kind.poll is not None, f"{kind.name} is not asked for"
    if kind.poll.changes:
        return _plain(kind, feeds, listed, write, differ)
    Keyed(feeds, feeds[0].columns.shape.time, write, differ).run()
    return stretches(kind.name, _parts(feeds, listed))


def _parts(feeds: Sequence[Feed], listed: Sequence[Gaps]) -> list[Part]:
    return [Part(gaps, feed.extent, feed.inside) for feed, gaps in zip(feeds, listed, strict=True)]


_LANES = {
    Lane.SEQUENCE: _sequence,
    Lane.RISING: _rising,
    Lane.CHAIN: _chain,
    Lane.PLAIN: _plain,
    Lane.POLLED: _polled,
}
