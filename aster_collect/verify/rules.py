"""What a line must look like: for each kind of file one pattern that is the validation, and the reason for people.

Both are made from the same table of columns, so they can't disagree.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from ..exchange.rows import CAUSES, GAPS, LEVELS, ORDERBOOK, PRICES, RECEIVE_TIME, TRADES, columns

FRACTION_DIGITS = 33  # the collector takes 32, and a middle can need one more
_SHOWN = 40


class Value(NamedTuple):
    """What one cell may hold, as a pattern and in words."""

    pattern: str
    words: str


# Bounded lengths: int() refuses huge ones, and a year has four digits.
_SECONDS = Value(r"(?:0|[1-9][0-9]{0,10})\.[0-9]{3}", "Unix seconds with exactly three decimals")
_MILLISECONDS = Value(r"(?:0|[1-9][0-9]{0,13})", "whole Unix milliseconds")
_WHOLE = Value(r"(?:0|[1-9][0-9]{0,18})", "a whole number")
_DECIMAL = Value(
    rf"[0-9]{{1,33}}(?:\.[0-9]{{1,{FRACTION_DIGITS}}})?", f"a plain decimal of at most {FRACTION_DIGITS} decimals"
)
_WHOLE_OR_BLANK = Value(f"(?:{_WHOLE.pattern})?", "a whole number or blank")
_SIDE = Value("(?:buy|sell)", "buy or sell")
_VALUES = {
    "unix_timestamp": _SECONDS,
    "unix_timestamp_ms": _MILLISECONDS,
    "id": _WHOLE,
    "lastUpdateId": _WHOLE,
    "side": _SIDE,
    RECEIVE_TIME: _WHOLE,
    "stream": Value(f"(?:{PRICES}|{ORDERBOOK}|{TRADES})", f"{PRICES}, {ORDERBOOK} or {TRADES}"),
    "from_unix_timestamp": _SECONDS,
    "to_unix_timestamp": _SECONDS,
    "first_missing_id": _WHOLE_OR_BLANK,
    "last_missing_id": _WHOLE_OR_BLANK,
    "cause": Value("(?:" + "|".join(map(re.escape, CAUSES)) + ")", "one of " + ", ".join(CAUSES)),
}
_OF_A_KIND = {(TRADES, RECEIVE_TIME): _WHOLE_OR_BLANK}  # a trade that was fetched came at no time of its own
# How many columns each group of a match takes; what is behind them is checked, not handed on.
_GROUPS: dict[str, Callable[[int], tuple[int, ...]]] = {
    PRICES: lambda _: (1, 3),
    TRADES: lambda _: (1, 1),
    ORDERBOOK: lambda levels: (1, 1, 2 * levels, 2 * levels),
    GAPS: lambda _: (1, 1, 1, 1, 1, 1),
}


class Form(NamedTuple):
    """One shape of a file: its columns, what their cells hold, and the pattern that matches its good lines."""

    columns: tuple[str, ...]
    values: tuple[Value, ...]
    pattern: re.Pattern[bytes]


def _headers(kind: str) -> dict[bytes, int]:
    shapes = [(levels, extra) for levels in LEVELS for extra in (False, True)]
    return {",".join(columns(kind, *shape)).encode(): shape[0] for shape in shapes}


_HEADERS = {kind: _headers(kind) for kind in _GROUPS}


def form(kind: str, header: bytes) -> Form | None:
    """Return the shape that a header promises, None when it is not one of this kind of file."""
    levels = _HEADERS[kind].get(header)
    return None if levels is None else _form(kind, levels, tuple(header.decode().split(",")))


@lru_cache
def _form(kind: str, levels: int, names: tuple[str, ...]) -> Form:
    values = tuple(_OF_A_KIND.get((kind, name)) or _VALUES.get(name, _DECIMAL) for name in names)
    groups, start = [], 0
    for width in _GROUPS[kind](levels):
        groups.append("(" + _cells(names[start : start + width], values[start : start + width]) + ")")
        start += width
    row = ",".join([*groups, _cells(names[start:], values[start:])] if names[start:] else groups)
    return Form(names, values, re.compile(f"^{row}\n".encode(), re.MULTILINE))


def _cells(names: tuple[str, ...], values: tuple[Value, ...]) -> str:
    if _is_level(names[0]):
        level = f"(?:{_DECIMAL.pattern},{_DECIMAL.pattern}|,)"
        return f"{level}(?:,{level}){{{len(names) // 2 - 1}}}"
    return ",".join(value.pattern for value in values)


def _is_level(name: str) -> bool:
    return name.startswith(("bid_", "ask_"))


def reason(line: bytes, shape: Form | None) -> str:
    """Say why a line, with or without its line end, is not a row of this shape; a header's shape is None."""
    if b"\0" in line:
        return f"{line.count(0)} NUL bytes"
    if not line.endswith(b"\n"):
        return f"incomplete line of {len(line)} bytes"
    line = line[:-1]
    if not line:
        return "blank line"
    if b"\r" in line:
        return "carriage return in the line"
    cells = line.split(b",")
    if shape is None or len(cells) != len(shape.columns):
        return f"{len(cells)} cells instead of {len(shape.columns) if shape else 0}: {shown(line)}"
    for name, value, cell, behind in zip(shape.columns, shape.values, cells, [*cells[1:], b""], strict=True):
        if _is_level(name) and not cell:
            if "_price_" in name and behind:
                return f"{name} is blank, but its quantity is not"
            continue
        if _is_level(name) and "_price_" in name and not behind:
            return f"{name} has no quantity"
        if not re.fullmatch(value.pattern.encode(), cell):
            return f"{name} is {shown(cell)}, not {value.words}"
    return f"not a row: {shown(line)}"


def shown(data: bytes) -> str:
    """Return bytes from a file as short printable text."""
    cut = data[:_SHOWN].decode("utf-8", "replace")
    return ascii(cut) + ("…" if len(data) > _SHOWN else "")
