"""What a record of a run holds: all that the engine was told, in order, by which clocks; to lines, and back. Pure.

A line is a stamp, Unix nanoseconds by our clock, and a text. The exchange's frames stand verbatim, with the time at
which they were received. Lines of ours are JSON objects whose first key is `aster`, which says what the line is; `s`
and `ns` are what our monotonic and our wall clock said while it was done:

    run       a run begins: `version`, `settings`, `symbols`, and `rejects_bytes`, how large the file of rejects is
    begin     a symbol's files were opened ("": the whole folder's): whether they were `made`, each file's size and
              time of change as it was `found`, and by kind what a run before has `left`
    wanted    a connection is to be made: `of`, `place`, `symbols`
    opened    it is open: `of`, `opened_ns`, `opened_s`
    batch     one read of it: `of`, `received_s`, and how many `frames` there were; they stand on the next lines
    frame     one of these that can't stand as it came: its bytes, `data`
    bad       what can't be a message: `of`, `received_ns`, `reason`, `data`
    closed    it ended: `of`, `reason`, whether it is `over`
    answer    what REST said: `path`, `kind`, `symbol`, `first_id`, `asked_ns`, `received_ns`, `refused` or the `value`
    reopen    the files were opened by name again
    step      what time asks for was done
    settle    nothing more comes but answers, `stopped_s` is when connections were told to end
    close     everything was written, for the end
    lost      the record itself lacks what stood here: `lines`, `from_ns`, `to_ns`, `why`

Where `again` is the second key, a line says once more, as an hour begins, how a run stands that began before.

`data` is text, of which `data.encode("utf-8", "surrogateescape")` are the bytes.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import DecodeError
from ..exchange.events import Answer, Ask, Bad, Batch, Lines, Lost, Message, Opened, Reopen, Wanted
from .lane import Left

OURS = b'{"aster"'
_OF_A_STREAM = b'{"stream":"'

Line = tuple[int, bytes]


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


def lines_of(moment: Moment, entry: Entry) -> Lines:
    """Return the lines of an entry."""
    return _WRITERS[type(entry)](moment, entry)


def one_line(stamp_ns: int, facts: Mapping[str, object]) -> Lines:
    """Return a line of ours."""
    # Names stay legible; what UTF-8 can't hold is escaped as JSON escapes it.
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Lines(stamp_ns, 1, b"%019d %b\n" % (stamp_ns, text))


def read_entries(lines: Iterable[Line]) -> Iterator[tuple[Moment, Entry]]:
    """Yield the entries of lines, in order; a batch at the end whose frames are not all there is left out.

    Raises `DecodeError` where a line is no part of a record.
    """
    rest = iter(lines)
    line = next(rest, None)
    while line is not None:
        stamp_ns, text = line
        if not text.startswith(OURS):
            raise DecodeError(f"no line says what this is: {_text(text[:60])!r}")
        read = _object(text)
        line = next(rest, None)
        if read["aster"] != "batch":
            yield _entry(stamp_ns, read)
            continue
        frames: list[bytes] = []
        count = _frames_of(read)
        while line is not None and len(frames) < count and (frame := _frame(line[1])) is not None:
            frames.append(frame)
            line = next(rest, None)
        if len(frames) == count:
            yield _moment(stamp_ns, read), _batch_of(stamp_ns, read, frames)


def _line(stamp_ns: int, word: str, moment: Moment, **facts: object) -> Lines:
    return one_line(stamp_ns, {"aster": word, "s": moment.s, "ns": moment.ns, **facts})


def _batch(moment: Moment, batch: Batch) -> Lines:
    stamp_ns, data = batch.received_ns, batch.data
    each = iter(batch.bounds)
    frames = [data[start:stop] for start, stop in zip(each, each, strict=True)]
    stamp = b"%019d " % stamp_ns
    head = b'{"aster":"batch","s":%b,"ns":%d,"of":%d,"received_s":%b,"frames":%d}\n' % (
        repr(moment.s).encode("ascii"), moment.ns, batch.connection, repr(batch.received_s).encode("ascii"),
        len(frames),
    )  # fmt: skip
    text = _together(frames, stamp) or b"".join([b"%b%b\n" % (stamp, _alone(frame)) for frame in frames])
    return Lines(stamp_ns, 1 + len(frames), stamp + head + text)


def _together(frames: Sequence[bytes], stamp: bytes) -> bytes:
    """Return the lines of frames all of which can stand as they came; nothing where one can't, or is not of a stream.

    To look at them as one text costs a third of looking at each.
    """
    joined = b"\n".join(frames)
    if not (joined.startswith(_OF_A_STREAM) and joined.endswith(b"}") and (joined.isascii() or _is_text(joined))):
        return b""
    between = len(frames) - 1
    text = joined.replace(b"\n", b"\n" + stamp)
    if len(text) - len(joined) != between * len(stamp):
        return b""
    return b"%b%b\n" % (stamp, text) if text.count(b"}\n" + stamp + _OF_A_STREAM) == between else b""


def _alone(frame: bytes) -> bytes:
    return frame if _can_stand(frame) else _escaped(frame)


def _can_stand(frame: bytes) -> bool:
    """Return whether a frame can be a line as it came."""
    return (
        frame[:1] == b"{"
        and frame[-1:] == b"}"
        and b"\n" not in frame
        and not frame.startswith(OURS)
        and (frame.isascii() or _is_text(frame))
    )


def _is_text(frame: bytes) -> bool:
    try:
        str(frame, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _escaped(frame: bytes) -> bytes:
    return json.dumps({"aster": "frame", "data": _text(frame)}, separators=(",", ":")).encode("ascii")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _again(moment: Moment, again: Again) -> Lines:
    stamp_ns, number, text = lines_of(moment, again.entry)
    return Lines(stamp_ns, number, text.replace(b",", b',"again":true,', 1))


def _answer(moment: Moment, answer: Answer) -> Lines:
    ask = answer.ask
    said = {"refused": answer.refused} if answer.refused else {"value": answer.value}
    query = "&".join(f"{name}={value}" for name, value in ask.query)
    return _line(
        answer.received_ns, "answer", moment,
        path=f"{ask.path}?{query}" if query else ask.path, kind=ask.kind, symbol=ask.symbol, first_id=ask.first_id,
        asked_ns=answer.asked_ns, received_ns=answer.received_ns, **said,
    )  # fmt: skip


_WRITERS: dict[type, Callable[[Moment, Any], Lines]] = {
    Batch: _batch,
    Answer: _answer,
    Again: _again,
    Run: lambda at, one: _line(
        at.ns, "run", at,
        version=one.version, settings=one.settings, symbols=one.symbols, rejects_bytes=one.rejects_bytes,
    ),
    Begin: lambda at, one: _line(
        at.ns, "begin", at, symbol=one.symbol, made=one.made, found=one.found,
        left={kind: left._asdict() for kind, left in one.left.items()},
    ),
    Wanted: lambda at, one: _line(at.ns, "wanted", at, of=one.connection, place=one.place, symbols=one.symbols),
    Opened: lambda at, one: _line(
        at.ns, "opened", at, of=one.connection, opened_ns=one.opened_ns, opened_s=one.opened_s
    ),
    Bad: lambda at, one: _line(
        at.ns, "bad", at, of=one.connection, received_ns=one.received_ns, reason=one.reason, data=_text(one.data)
    ),
    Lost: lambda at, one: _line(at.ns, "closed", at, of=one.connection, reason=one.reason, over=one.over),
    Reopen: lambda at, one: _line(at.ns, "reopen", at),
    Step: lambda at, one: _line(at.ns, "step", at),
    Settle: lambda at, one: _line(at.ns, "settle", at, stopped_s=one.stopped_s),
    Close: lambda at, one: _line(at.ns, "close", at),
}  # fmt: skip


def _object(text: bytes) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        raise DecodeError(f"not JSON: {_text(text[:60])!r}") from None
    if not isinstance(read, dict):
        raise DecodeError(f"not an object: {_text(text[:60])!r}")
    return read


def _frame(text: bytes) -> bytes | None:
    """Return the bytes of a frame's line, None where it is another line of ours."""
    if not text.startswith(OURS):
        return text
    read = _object(text)
    return _bytes(read["data"]) if read["aster"] == "frame" and isinstance(read.get("data"), str) else None


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
    "bad": lambda read: Bad(read["of"], read["received_ns"], read["reason"], _bytes(read["data"])),
    "closed": lambda read: Lost(read["of"], read["reason"], read["over"]),
    "answer": _answer_of,
    "reopen": lambda read: Reopen(),
    "step": lambda read: Step(),
    "settle": lambda read: Settle(read["stopped_s"]),
    "close": lambda read: Close(),
    "lost": lambda read: Unrecorded(read["lines"], read["from_ns"], read["to_ns"], read["why"] == "destroyed"),
}
