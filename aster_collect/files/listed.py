"""The manifest of a data folder, `files.jsonl`: what its files held when they were closed, set aside, or left.

One JSON object a line; of one file the last line counts:

    {"file": "trades_BTCUSDT.2026-11-22.csv", "is": "closed", "rows": 9, …, "bytes": 431, "sha256": "…"}
    {"file": "trades_BTCUSDT.20261122T152400Z.csv", "is": "set aside", "was": "trades_BTCUSDT.csv", …}
    {"file": "trades_BTCUSDT.2026-10-22.csv", "is": "deleted"}
    {"file": "trades_BTCUSDT.csv", "is": "growing", "rows": 9, …, "bytes": 431}

A compressed file stands under its name without `.gz`, with the bytes and the hash of what it holds.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .names import PACKED
from .plain import read_plain

MANIFEST_NAME = "files.jsonl"
CLOSED, ASIDE, GROWING, DELETED = "closed", "set aside", "growing", "deleted"
_NUMBERS = ("rows", "first_ms", "last_ms", "first_id", "last_id", "bytes")
_HEX = frozenset("0123456789abcdef")


class Content(NamedTuple):
    """What a file holds, unpacked: None, or no hash, is not known, or is not there."""

    rows: int | None = None
    first_ms: int | None = None
    last_ms: int | None = None
    first_id: int | None = None
    last_id: int | None = None
    bytes: int | None = None
    sha256: str = ""


class Listed(NamedTuple):
    """A line of the manifest.

    `was` is the name from before a file was set aside, `before` the hash of what it held until it was rewritten: either
    is good, as a crash may have come between. `line` is which line it is, from 1 on.
    """

    name: str
    what: str
    content: Content = Content()
    was: str = ""
    before: str = ""
    line: int = 0


class Manifest(NamedTuple):
    """What a manifest says by now, by name: of closed files and those set aside, and of growing ones.

    `odd` are the lines that are none.
    """

    files: dict[str, Listed]
    growing: dict[str, Listed]
    odd: list[int]


def unpacked(name: str) -> str:
    """Return under which name a file stands in the manifest, compressed or not."""
    return name.removesuffix(PACKED)


def line_of(listed: Listed) -> bytes:
    """Return a line, with its end."""
    facts: dict[str, Any] = {"file": listed.name, "is": listed.what}
    facts |= {word: text for word, text in (("was", listed.was), ("before", listed.before)) if text}
    if listed.what != DELETED:
        facts |= listed.content._asdict()
    return (json.dumps({word: value for word, value in facts.items() if value not in ("", None)}) + "\n").encode(
        "ascii"
    )


def read_line(data: bytes, number: int = 0) -> Listed | None:
    """Return what a line says, None where it is none of a manifest."""
    try:
        facts = json.loads(data)
        name, what = facts["file"], facts["is"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    texts = name, what, facts.get("was", ""), facts.get("before", ""), facts.get("sha256", "")
    numbers = [facts.get(word) for word in _NUMBERS]
    if not all(isinstance(text, str) for text in texts) or what not in (CLOSED, ASIDE, GROWING, DELETED):
        return None
    if not all(one is None or (type(one) is int and one >= 0) for one in numbers) or not _HEX.issuperset(texts[-1]):
        return None
    return Listed(name, what, Content._make((*numbers, texts[-1])), texts[2], texts[3], number)


def read_manifest(folder: Path) -> Manifest | None:
    """Return what the manifest of a folder says, None where there is none; raises `OSError`.

    A last line that is not finished says nothing: a crash leaves it, and who writes next cuts it.
    """
    said = Manifest({}, {}, [])
    try:
        for number, data in enumerate(read_lines(folder), 1):
            if (listed := read_line(data, number)) is None:
                said.odd.append(number)
            else:
                _take(said, listed)
    except FileNotFoundError:
        return None
    return said


def read_lines(folder: Path) -> Iterator[bytes]:
    """Yield the lines of a folder's manifest that are finished; raises `OSError`."""
    with read_plain(folder / MANIFEST_NAME) as file:
        left = os.fstat(file.fileno()).st_size
        while left and (data := file.readline(left)).endswith(b"\n"):
            yield data
            left -= len(data)


def _take(said: Manifest, listed: Listed) -> None:
    if listed.what == GROWING:
        said.growing[listed.name] = listed
        return
    if listed.what != DELETED:
        said.growing.clear()  # somebody has written since
        said.files[listed.name] = listed
    else:
        said.files.pop(listed.name, None)
        said.growing.pop(listed.name, None)
    if listed.was:
        said.files.pop(listed.was, None)
