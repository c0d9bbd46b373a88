"""The full book: a snapshot over REST, then every change of a level; each row names the row before it."""

from collections.abc import Sequence
from operator import gt, lt
from typing import Any, NamedTuple

from ...errors import DecodeError
from ..cells import DECIMAL, SECONDS, WHOLE, Cell, Column, Holds, milliseconds, seconds
from ..exact import Units
from ..fields import Payload, symbol, times_ms, whole
from . import updates
from .kind import Check, Decoded, Kind, Lane, Options, Wire, Write

ROW_BYTES = 8 << 20  # a whole book of 200,000 levels a side
SNAPSHOT = -1  # what a snapshot has for the update id of the row before it

_LEVEL = f"{DECIMAL.pattern} {DECIMAL.pattern}"
_LEVELS = Cell(f"(?:{_LEVEL}(?:;{_LEVEL})*+)?+", "levels, `price quantity;price quantity`, or blank", Holds.LEVELS)
_OURS = (
    Column("unix_timestamp", SECONDS),
    Column("previous_update_id", WHOLE.or_blank()),
    Column("update_id", WHOLE),
    Column("bids", _LEVELS),
    Column("asks", _LEVELS),
)


class Diff(NamedTuple):
    """The levels that changed from one update id to another, or, as a snapshot, all that there are.

    A side is text, `price quantity;price quantity`, as it came; quantities are absolute, and 0 takes a level away.
    """

    id: int
    time_ms: int
    previous_id: int
    bids: str
    asks: str
    received_ns: int | None = None

    @property
    def is_snapshot(self) -> bool:
        """Whether it is the whole book, and not what changed of it."""
        return self.previous_id == SNAPSHOT


def decode(payload: Payload, received_ns: int) -> Decoded:
    """Return the changes in a frame; where it does not name the event before, its first id follows that one's last."""
    made_ms, sent_ms = times_ms(payload, received_ns)
    update_id = whole(payload, "u")
    previous_id = whole(payload, "pu") if payload.get("pu") is not None else whole(payload, "U") - 1
    if not 0 <= previous_id <= update_id:
        raise DecodeError("odd field: pu")
    bids, asks = (_side(payload, key) for key in ("b", "a"))
    return Decoded(symbol(payload), Diff(update_id, made_ms, previous_id, bids, asks, received_ns), sent_ms)


def of_snapshot(answer: Any, received_ns: int) -> Diff:
    """Return the book in an answer of REST; raises `DecodeError` if it is none."""
    if not isinstance(answer, dict):
        raise DecodeError("depth is not an object")
    made_ms, _ = times_ms(answer, received_ns)
    bids, asks = (_side(answer, key) for key in ("bids", "asks"))
    return Diff(whole(answer, "lastUpdateId"), made_ms, SNAPSHOT, bids, asks)


def _side(payload: Payload, key: str) -> str:
    return ";".join(map(" ".join, updates.levels(payload, key)))


def _levels(levels: str) -> str:
    """Return `["p","q"],["p","q"]` as `p q;p q`."""
    return levels[2:-2].replace('"],["', ";").replace('","', " ")


def _write(_: Options) -> Write:
    def write(diffs: Sequence[Diff]) -> list[str]:
        return [
            f"{seconds(made_ms)},{'' if previous_id == SNAPSHOT else previous_id},{update_id},{bids},{asks}"
            for update_id, made_ms, previous_id, bids, asks, _ in diffs
        ]

    return write


def _read(cells: Sequence[str]) -> Diff:
    previous_id = int(cells[1]) if cells[1] else SNAPSHOT
    return Diff(int(cells[2]), milliseconds(cells[0]), previous_id, cells[3], cells[4])


_units = Units()


def _flaw(row: Sequence[bytes]) -> str:
    """Say what is wrong with a row: it ends behind the one before it, no level comes twice, a snapshot is in order."""
    previous_id, update_id, *sides = row
    if previous_id and int(previous_id) > int(update_id):
        return f"previous_update_id {previous_id.decode()} is above update_id {update_id.decode()}"
    for word, side, before, ordered in zip(("bid", "ask"), sides, (gt, lt), ("descend", "ascend"), strict=True):
        if not side:
            continue
        cells = side.replace(b";", b" ").split(b" ")
        prices = list(map(_units.__getitem__, cells[::2]))
        if previous_id:
            if len(set(prices)) != len(prices):
                twice = next(at for at, price in enumerate(prices) if price in prices[:at])
                return f"{word} {cells[2 * twice].decode()} comes twice"
        elif not all(map(before, prices, prices[1:])):
            return f"{word}s of a snapshot do not {ordered} strictly"
        elif not all(map(_not_zero, cells[1::2])):
            return f"a snapshot's {word} of quantity zero"
    return ""


def _not_zero(quantity: bytes) -> bytes:
    return quantity.strip(b"0.")


def _channel(options: Options) -> str:
    return "depth" if options.diff_ms == 250 else f"depth@{options.diff_ms}ms"


KIND = Kind(
    name="depth",
    sentence="the full book: a snapshot, and every change of a level",
    lane=Lane.CHAIN,
    columns=lambda _: _OURS,
    write=_write,
    read=_read,
    wire=Wire(updates.NAME, _channel, decode, take=lambda _: updates.take("depth(?:@[0-9]+ms)?", _levels)),
    ids="update_id",
    steady=True,
    row_bytes=ROW_BYTES,
    check=Check("previous_update_id", lambda _: 4, _flaw),
)
