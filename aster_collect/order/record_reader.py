"""The lines of a record, read back as the entries that they were made of. Pure."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import DecodeError
from ..exchange.events import Answer, Ask, Bad, Batch, Lost, Opened, Reopen, Wanted
from .entries import Again, Begin, Close, Entry, Moment, Run, Settle, Step, Unrecorded
from .lane import Left
from .verbatim import OURS, bytes_of, text_of

Line = tuple[int, bytes]


def read_entries(lines: Iterable[Line]) -> Iterator[tuple[Moment, Entry]]:
    """Yield the entries of lines, in order; a batch at the end whose frames are not all there is left out.

    Raises `DecodeError` where a line is no part of a record, before it takes the next one.
    """
    rest = iter(lines)
    line = next(rest, None)
    while line is not None:
        stamp_ns, text = line
        if not text.startswith(OURS):
            raise DecodeError(f"no line says what this is: {text_of(text[:60])!r}")
        read = _object(text)
        if read["aster"] != "batch":
            yield _entry(stamp_ns, read)
            line = next(rest, None)
            continue
        frames: list[bytes] = []
        count = _frames_of(read)
        line = next(rest, None)
        while line is not None and len(frames) < count and (frame := _frame(line[1])) is not None:
            frames.append(frame)
            line = next(rest, None)
        if len(frames) == count:
            yield _moment(stamp_ns, read), _batch_of(stamp_ns, read, frames)


def _object(text: bytes) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        raise DecodeError(f"not JSON: {text_of(text[:60])!r}") from None
    if not isinstance(read, dict):
        raise DecodeError(f"not an object: {text_of(text[:60])!r}")
    return read


def _frame(text: bytes) -> bytes | None:
    """Return the bytes of a frame's line, None where it is another line of ours."""
    if not text.startswith(OURS):
        return text
    read = _object(text)
    return bytes_of(read["data"]) if read["aster"] == "frame" and isinstance(read.get("data"), str) else None


def _moment(stamp_ns: int, read: Mapping[str, Any]) -> Moment:
    return Moment(read.get("s", 0.0), read.get("ns", stamp_ns))


def _frames_of(read: Mapping[str, Any]) -> int:
    """Return how many frames follow the line of a batch; raise `DecodeError` where it is none."""
    facts = (("frames", int), ("of", int), ("received_s", int | float))
    if not all(isinstance(read.get(name), kind) for name, kind in facts):
        raise DecodeError(f"not a line of a record: {str(read)[:60]}")
    return int(read["frames"])


def _batch_of(stamp_ns: int, read: Mapping[str, Any], frames: Sequence[bytes]) -> Batch:
    bounds, end = [], 0
    for frame in frames:
        bounds += [end, end + len(frame)]
        end += len(frame)
    return Batch(read["of"], stamp_ns, read["received_s"], b"".join(frames), bounds)


def _entry(stamp_ns: int, read: Mapping[str, Any]) -> tuple[Moment, Entry]:
    try:
        entry, moment = _READERS[read["aster"]](read), _moment(stamp_ns, read)
    except (KeyError, TypeError, ValueError) as error:
        raise DecodeError(f"not a line of a record: {str(read)[:60]}") from error
    return moment, Again(entry) if "again" in read and isinstance(entry, Run | Begin | Wanted | Opened) else entry


def _answer_of(read: Mapping[str, Any]) -> Answer:
    path, _, query = read["path"].partition("?")
    pairs = tuple((name, value) for name, _, value in (pair.partition("=") for pair in query.split("&")) if name)
    ask = Ask(path, pairs, 0, read["kind"], read["symbol"], read["first_id"])
    return Answer(ask, read["asked_ns"], read["received_ns"], read.get("value"), read.get("refused", ""))


def _begin_of(read: Mapping[str, Any]) -> Begin:
    left = {kind: _left_of(one) for kind, one in read["left"].items()}
    found = {kind: (size, touched_ms) for kind, (size, touched_ms) in read["found"].items()}
    return Begin(read["symbol"], read["made"], left, found)


def _left_of(read: dict[str, Any]) -> Left:
    last, missing = read.pop("last"), read.pop("missing")
    return Left([tuple(event) for event in last], missing=[(first, end) for first, end in missing], **read)


_READERS: dict[str, Callable[[Mapping[str, Any]], Entry]] = {
    "run": lambda read: Run(read["version"], dict(read["settings"]), tuple(read["symbols"]), read["rejects_bytes"]),
    "begin": _begin_of,
    "wanted": lambda read: Wanted(read["of"], read["place"], tuple(read["symbols"])),
    "opened": lambda read: Opened(read["of"], read["opened_ns"], read["opened_s"]),
    "bad": lambda read: Bad(read["of"], read["received_ns"], read["reason"], bytes_of(read["data"])),
    "closed": lambda read: Lost(read["of"], read["reason"], read["over"]),
    "answer": _answer_of,
    "reopen": lambda read: Reopen(tuple(read.get("moved", ()))),
    "step": lambda read: Step(),
    "settle": lambda read: Settle(read["stopped_s"]),
    "close": lambda read: Close(),
    "lost": lambda read: Unrecorded(read["lines"], read["from_ns"], read["to_ns"], read["why"] == "destroyed"),
}
