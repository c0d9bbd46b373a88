"""What a record of a run holds, as lines: all that the engine was told, in order, by which clocks. Pure.

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
    reopen    the files were opened by name again, of which these had been `moved`
    step      what time asks for was done
    settle    nothing more comes but answers, `stopped_s` is when connections were told to end
    close     everything was written, for the end
    lost      the record itself lacks what stood here: `lines`, `from_ns`, `to_ns`, and `why`: they had no room,
              `overflow`; somebody took them out, `missing`, which no file says, but the reader; up to version 1.3.0
              somebody took them out a little before, `destroyed`

Where `again` is the second key, a line says once more, as an hour begins, how a run stands that began before.

`data` is text, of which `data.encode("utf-8", "surrogateescape")` are the bytes.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..exchange.events import Answer, Bad, Batch, Lines, Lost, Opened, Reopen, Wanted
from .entries import Again, Begin, Close, Entry, Moment, Run, Settle, Step
from .verbatim import on_lines, text_of


def lines_of(moment: Moment, entry: Entry) -> Lines:
    """Return the lines of an entry."""
    return _WRITERS[type(entry)](moment, entry)


def one_line(stamp_ns: int, facts: Mapping[str, object]) -> Lines:
    """Return a line of ours."""
    # Names stay legible; what UTF-8 can't hold is escaped as JSON escapes it.
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Lines(stamp_ns, 1, b"%019d %b\n" % (stamp_ns, text))


def _line(stamp_ns: int, word: str, moment: Moment, **facts: object) -> Lines:
    return one_line(stamp_ns, {"aster": word, "s": moment.s, "ns": moment.ns, **facts})


def _batch(moment: Moment, batch: Batch) -> Lines:
    connection, stamp_ns, received_s, data, bounds = batch
    each = iter(bounds)
    frames = [data[start:stop] for start, stop in zip(each, each, strict=True)]
    stamp = b"%019d " % stamp_ns
    facts = stamp, moment.s, moment.ns, connection, received_s, len(frames)
    head = b'%b{"aster":"batch","s":%a,"ns":%d,"of":%d,"received_s":%a,"frames":%d}\n' % facts
    return Lines(stamp_ns, 1 + len(frames), on_lines(head, frames, stamp))


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
        at.ns, "bad", at, of=one.connection, received_ns=one.received_ns, reason=one.reason, data=text_of(one.data)
    ),
    Lost: lambda at, one: _line(at.ns, "closed", at, of=one.connection, reason=one.reason, over=one.over),
    Reopen: lambda at, one: _line(at.ns, "reopen", at, moved=one.moved),
    Step: lambda at, one: _line(at.ns, "step", at),
    Settle: lambda at, one: _line(at.ns, "settle", at, stopped_s=one.stopped_s),
    Close: lambda at, one: _line(at.ns, "close", at),
}  # fmt: skip
