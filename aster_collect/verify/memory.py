"""What is remembered of files that were proven, so that they need not be read again: the text of `verify.json`.

Of each closed file what tells that it is the same, what of the ledger its proof rests on, what was found in it, and the
state behind it, which the proof of the next one goes on from. All of it holds for the rules that proved it alone.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from ..exchange.streams.kind import Kind
from ..files.listed import unpacked
from ..files.names import PACKED, Part
from .found import Sum, as_json, of_json
from .ledger import Range

MEMORY_NAME = "verify.json"
_BODY, _END = b', "histories": ', b"}\n"
_ROOMS = ("verify", "exchange", "archive", "files")  # whose code the rules are


class Proven(NamedTuple):
    """A closed file that was proven; `status` is its size and times, `ledger` a hash of what that says around it.

    `bytes` are those that it holds unpacked, `sha256` their hash. `state` is None where it is too much to be kept.
    """

    name: str
    period_end_ms: int
    status: tuple[int, int, int]
    bytes: int
    sha256: str
    ledger: str
    times_ms: Range
    ids: Range | None
    sum: Sum
    state: Any

    @property
    def is_plain(self) -> bool:
        """Whether it was not compressed."""
        return not self.name.endswith(PACKED)


Remembered = dict[str, list[Proven]]  # by history: SYMBOL/KIND


def key_of(symbol: str, kind: Kind) -> str:
    """Return under which key a history is remembered."""
    return f"{symbol}/{kind.name}"


def rules() -> str:
    """Return a hash of the code that proves, so that what others have proven is proven again."""
    package = Path(__file__).parents[1]
    files = sorted(path for room in _ROOMS for path in (package / room).rglob("*.py"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def read_memory(path: Path) -> Remembered:
    """Return what a file remembers: nothing where there is none, it is damaged, or of other rules."""
    try:
        head, _, body = path.read_bytes().partition(_BODY)
    except OSError:
        return {}
    if head != _head(body.removesuffix(_END)):
        return {}
    try:
        return {key: [_proven(one) for one in files] for key, files in json.loads(body.removesuffix(_END)).items()}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):  # whoever wrote that
        return {}


def text_of(remembered: Remembered) -> str:
    """Return what such a file holds, a line a history."""
    lines = [
        f"{json.dumps(key)}: {json.dumps([_as_json(one) for one in files], separators=(',', ':'))}"
        for key, files in sorted(remembered.items())
        if files
    ]
    body = ("{\n" + ",\n".join(lines) + "\n}").encode("ascii")
    return (_head(body) + _BODY + body + _END).decode("ascii")


def _head(body: bytes) -> bytes:
    """Return what stands before what is remembered: by which rules, and its hash, so that no damage is believed."""
    return f'{{"rules": "{rules()}", "sha256": "{sha256(body).hexdigest()}"'.encode("ascii")


def _as_json(one: Proven) -> dict[str, Any]:
    return {**one._asdict(), "sum": as_json(one.sum)}


def _proven(said: Mapping[str, Any]) -> Proven:
    one = Proven(**said)
    size, changed_ns, touched_ns = one.status
    first_ms, last_ms = one.times_ms
    ids = (one.ids[0], one.ids[1]) if one.ids else None
    return one._replace(
        status=(size, changed_ns, touched_ns), times_ms=(first_ms, last_ms), ids=ids, sum=of_json(said["sum"])
    )


def still_proven(
    folder: Path, parts: Sequence[Part], proven: Sequence[Proven], holds: Callable[[Proven], bool]
) -> list[Proven]:
    """Return what is remembered of the first of these closed files, in order, as far as nothing has changed.

    Those that were before them may be gone. `holds` says whether the ledger and the manifest say the same of one.
    """
    names = [unpacked(one.name) for one in proven]
    if not parts or parts[0].name not in names:
        return []
    known: list[Proven] = []
    for part, one in zip(parts, proven[names.index(parts[0].name) :], strict=False):
        if unpacked(one.name) != part.name or _status(folder, one) != one.status or not holds(one):
            break
        known.append(one)
    return known


def _status(folder: Path, one: Proven) -> tuple[int, int, int] | None:
    """Return a file's size and times as they are now, None where another one is read in its place."""
    try:
        if not one.is_plain and os.path.lexists(folder / unpacked(one.name)):
            return None
        status = (folder / one.name).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def kept(before: Iterable[Proven], there: Iterable[Part], now: Sequence[Proven]) -> list[Proven]:
    """Return what to remember: what is proven now, behind those that were before it, and are still there."""
    names, first = {part.name for part in there}, unpacked(now[0].name) if now else ""
    front: list[Proven] = []
    for one in before:
        if unpacked(one.name) == first:
            return [*front, *now]
        if unpacked(one.name) in names:
            front.append(one)
    return list(now) or front
