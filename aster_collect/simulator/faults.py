"""What can go wrong on request: the faults by name, how a file describes them, and when they come."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

GARBAGE_KINDS = (
    "not-json",
    "not-object",
    "missing-field",
    "odd-field",
    "unknown-symbol",
    "unknown-event",
    "binary",
    "oversized",
    "invalid-utf8",
)
LONGEST_S = 31_536_000
STATUSES = ("TRADING", "PRE_SETTLE", "SETTLING", "CLOSE")
TICK = re.compile(r"\d+(\.\d+)?")


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing to go wrong; which fields a fault takes is in FAULTS.

    `at` and `every` (seconds after the start) matter only in a list of faults that the simulator is started with.
    """

    name: str
    seconds: float | None = None
    count: int | None = None
    value: int | float | str | None = None
    connection: int | str | None = None  # its number, "newest" or "oldest"; None is all
    reason: str | None = None
    call: str | None = None  # a part of a REST path, such as "openInterest"; None is all
    symbol: str | None = None
    at: float = 0.0
    every: float | None = None


class Shape(NamedTuple):
    """What a fault takes, and in which words it is explained."""

    fields: tuple[str, ...]
    required: tuple[str, ...]
    meaning: str


CONNECTION_FAULTS: Mapping[str, Shape] = {
    "drop": Shape((), (), "end the connection with a FIN, without a close frame"),
    "reset": Shape((), (), "end the connection with an RST"),
    "stall": Shape(("seconds",), (), "no data for so long, but pings are answered; what was due comes late"),
    "silent": Shape(("seconds",), (), "nothing at all for so long, not even pongs; what was due comes late"),
    "cut": Shape((), (), "half of the next data frame, then a FIN"),
    "close": Shape(("value", "reason"), (), "a close frame with code `value` (1001) and `reason`"),
    "garbage": Shape(("value", "count"), ("value",), "`count` bad frames (1) of the kind `value`"),
    "fragment": Shape(("count", "value"), (), "the next `count` data frames in three fragments, a ping between"),
    "duplicate": Shape(("count", "value"), (), "the next `count` data frames twice"),
    "skip": Shape(("count", "value"), (), "the next `count` data frames not at all"),
    "swap": Shape(("count", "value"), (), "the next `count` data frames each after the one that follows it"),
    "late": Shape(
        ("count", "value", "seconds"), ("seconds",), "the next `count` data frames come so late, and others pass them"
    ),
    "omit": Shape(
        ("value", "seconds"), (), "diffs lack one level that they should have, for so long: the book is another then"
    ),
    "freeze_stream": Shape(
        ("value", "seconds"), ("value",), "the stream `value` is silent for so long, and loses frames"
    ),
}
FRAME_FAULTS = ("fragment", "duplicate", "skip", "swap", "late")  # of the next so many
FAULTS: Mapping[str, Shape] = {
    **{
        name: Shape((*shape.fields, "connection"), shape.required, shape.meaning)
        for name, shape in CONNECTION_FAULTS.items()
    },
    "refuse": Shape(
        ("seconds", "value"), (), "TCP connections are refused; with value `upgrades` only WebSockets, by 503"
    ),
    "clock": Shape(("value",), ("value",), "the exchange's clock is set ahead by `value` seconds, or back"),
    "front_behind": Shape(("value",), ("value",), "new connections are `value` seconds behind, and begin in the past"),
    "batches": Shape(("value",), ("value",), "new connections get depth cut into other batches: `value` seconds later"),
    "max_age": Shape(("seconds",), ("seconds",), "from now on connections are closed at this age"),
    "rest_down": Shape(("seconds", "call"), (), "REST connections are reset without an answer"),
    "rest_slow": Shape(("seconds", "value", "call"), ("value",), "each REST answer comes `value` seconds late"),
    "rest_behind": Shape(
        ("seconds", "value", "call"), ("value",), "REST answers with what there was `value` seconds ago"
    ),
    "rest_torn": Shape(("seconds", "call"), (), "REST answers break off in the middle"),
    "rest_status": Shape(("seconds", "value", "call"), ("value",), "REST answers with status `value` (403, 500, …)"),
    "rest_429": Shape(
        ("seconds", "count", "call"), ("seconds",), "the next `count` (1) requests get 429, Retry-After `seconds`"
    ),
    "rest_418": Shape(("seconds", "call"), ("seconds",), "REST answers 418 for so long"),
    "rest_short": Shape(("seconds", "count"), ("count",), "pages of aggTrades have at most `count` rows"),
    "rest_holes": Shape(("seconds", "value"), (), "pages of aggTrades lack the ids that `value` (7) divides"),
    "rest_forget": Shape(("seconds", "value"), (), "trades below the id `value`, or older than `seconds`, are gone"),
    "status": Shape(
        ("symbol", "value"), ("symbol", "value"), "`symbol` is listed (TRADING), or ends with the status `value`"
    ),
    "tick_size": Shape(("symbol", "value"), ("symbol", "value"), "`symbol` is announced with the tick size `value`"),
    "new_ids": Shape(("symbol",), (), "the update ids of `symbol`, or of all, begin anew, lower"),
    "clear": Shape(
        (),
        (),
        "end every fault that goes on: refuse, stall, silent, omit, freeze_stream, front_behind, batches, all of REST",
    ),
}


def check(fault: Fault) -> Fault:
    """The fault itself; raises ValueError in words fit for a user when it can't be done."""
    shape = FAULTS.get(fault.name)
    if shape is None:
        raise ValueError(f"unknown fault {fault.name!r}; known: {', '.join(FAULTS)}")
    for field in ("seconds", "count", "value", "connection", "reason", "call", "symbol"):
        given = getattr(fault, field)
        if given is not None and field not in shape.fields:
            takes = ", ".join(shape.fields) or "nothing"
            raise ValueError(f"fault {fault.name!r} takes no {field!r}, but {takes}")
        if given is None and field in shape.required:
            raise ValueError(f"fault {fault.name!r} needs {field!r}")
    for field in ("seconds", "at", "every"):
        duration = getattr(fault, field)
        is_left_out = duration is None and field != "at"
        if not is_left_out and not (_is_number(duration) and 0 <= duration < math.inf):
            raise ValueError(f"{field!r} of fault {fault.name!r} must be a number of seconds from 0, not {duration!r}")
    if fault.every is not None and fault.every < 0.01:
        raise ValueError(f"'every' of fault {fault.name!r} must be at least 0.01 seconds, not {fault.every!r}")
    if fault.count is not None and not (
        _is_number(fault.count) and fault.count == int(fault.count) and fault.count >= 1
    ):
        raise ValueError(f"'count' of fault {fault.name!r} must be a whole number from 1, not {fault.count!r}")
    for field in ("reason", "call", "symbol"):
        text = getattr(fault, field)
        if not isinstance(text, (str, type(None))):
            raise ValueError(f"{field!r} of fault {fault.name!r} must be text, not {text!r}")
    if fault.connection not in (None, "newest", "oldest") and not isinstance(fault.connection, int):
        raise ValueError(f"'connection' must be a number, 'newest' or 'oldest', not {fault.connection!r}")
    _check_value(fault)
    return fault


def _check_value(fault: Fault) -> None:
    value = fault.value
    if value is None:
        return
    if fault.name == "garbage":
        allowed: tuple[str, bool] = ("one of " + ", ".join(GARBAGE_KINDS), value in GARBAGE_KINDS)
    elif fault.name == "refuse":
        allowed = "'upgrades'", value == "upgrades"
    elif fault.name in ("freeze_stream", "omit", *FRAME_FAULTS):
        allowed = "a stream name or a part of one", isinstance(value, str)
    elif fault.name == "status":
        allowed = "one of " + ", ".join(STATUSES), value in STATUSES
    elif fault.name == "tick_size":
        allowed = 'text such as "0.10"', isinstance(value, str) and TICK.fullmatch(value) is not None
    elif fault.name == "rest_status":
        allowed = "a status from 400 to 599", _is_number(value) and value in range(400, 600)
    elif fault.name == "close":
        allowed = "a close code from 1000 to 4999", _is_number(value) and value in range(1000, 5000)
    elif fault.name == "clock":
        allowed = "a number of seconds", isinstance(value, (int, float)) and -LONGEST_S <= value <= LONGEST_S
    elif fault.name in ("rest_slow", "rest_behind", "front_behind", "batches"):
        allowed = "a number of seconds from 0", isinstance(value, (int, float)) and 0 <= value < math.inf
    else:
        allowed = "a whole number from 1", isinstance(value, int) and value >= 1
    if not allowed[1]:
        raise ValueError(f"'value' of fault {fault.name!r} must be {allowed[0]}, not {value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def parse(text: str) -> tuple[Fault, ...]:
    """The faults of a JSON list such as [{"at": 5, "fault": "drop", "connection": "newest"}]; raises ValueError."""
    try:
        entries: Any = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(entries, list):
        raise ValueError("expected a JSON list of faults")
    faults = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("fault"), str):
            raise ValueError(f'entry {number}: expected an object with a "fault" name')
        fields = {("name" if key == "fault" else key): value for key, value in entry.items() if key != "name"}
        unknown = set(entry) - ({field.name for field in dataclasses.fields(Fault)} - {"name"} | {"fault"})
        if unknown:
            raise ValueError(f"entry {number}: unknown field {min(unknown)!r}")
        try:
            faults.append(check(Fault(**fields)))
        except ValueError as error:
            raise ValueError(f"entry {number}: {error}") from None
    return tuple(faults)


class Schedule:
    """Says which faults of a list are due; time is seconds since the start."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Faults as checked."""
        self._waiting = [(fault.at, fault) for fault in faults]

    def due(self, elapsed_s: float) -> list[Fault]:
        """The faults whose time has come, in the order of their times; a repeated one at most once a call."""
        due = sorted((entry for entry in self._waiting if entry[0] <= elapsed_s), key=lambda entry: entry[0])
        if due:
            self._waiting = [entry for entry in self._waiting if entry[0] > elapsed_s]
            self._waiting += [(at_s + fault.every, fault) for at_s, fault in due if fault.every is not None]
        return [fault for _, fault in due]
