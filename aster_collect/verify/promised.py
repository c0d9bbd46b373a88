"""The files of a folder held against its manifest: which are missing, shortened or altered since they were listed."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ..exchange.ledger import LEDGER
from ..files.histories import list_folder
from ..files.listed import CLOSED, GROWING, MANIFEST_NAME, Listed, Manifest, read_manifest, unpacked
from ..files.names import Entry, read_name
from .times import utc


class Held(NamedTuple):
    """What a file was found to hold: its bytes, unpacked, and their hash; None where it could not be read whole."""

    name: str
    bytes: int | None
    sha256: str | None


def listed(manifest: Manifest, symbol: str, kinds: Iterable[str], since_ms: int) -> Iterator[tuple[Entry, Listed]]:
    """Yield what a manifest lists of some kinds of a symbol, but for what was over before a moment."""
    for one in (*manifest.files.values(), *manifest.growing.values()):
        entry = read_name(one.name)
        if entry is None or entry.part.symbol != symbol or entry.part.kind not in kinds:
            continue
        end_ms = entry.aside_ms or (entry.part.end_ms if entry.part.period else 0)
        if not end_ms or end_ms > since_ms:
            yield entry, one


def flaws(promised: Iterable[tuple[Entry, Listed]], held: Mapping[str, Held]) -> Iterator[tuple[str, str]]:
    """Yield the names of files that do not hold what is listed, each with the reason; `held` is by name, unpacked."""
    for entry, one in promised:
        found = held.get(one.name)
        if one.what == GROWING:
            why = _shrunk(entry, one, found)
        elif found is not None and _is_as_listed(one, found):
            continue
        elif one.what == CLOSED and any(_is_as_listed(one, other) for other in _set_aside(entry, held)):
            continue  # and the manifest does not know yet
        else:
            why = _missing(one) if found is None else _differs(one, found)
        if why:
            yield found.name if found else one.name, why


def is_there_now(folder: Path, name: str) -> bool:
    """Return whether a file is there, or is not to be there any more: a collector may have renamed or deleted it."""
    entry, manifest = read_name(name), read_manifest(folder)
    if manifest is None or not (name in manifest.files or name in manifest.growing):
        return True
    there = list(list_folder(folder))
    return any(unpacked(one.name) == name or (entry and one.aside_ms and one.part == entry.part) for one in there)


def _set_aside(entry: Entry, held: Mapping[str, Held]) -> Iterator[Held]:
    """Yield what files hold that had an entry's name, and were set aside."""
    for name, found in held.items():
        other = read_name(name)
        if other is not None and other.aside_ms and other.part == entry.part:
            yield found


def _is_as_listed(one: Listed, found: Held) -> bool:
    if found.bytes is None:
        return True  # it could not be read whole, which is told already
    if one.content.sha256:
        return found.sha256 in (one.content.sha256, one.before)
    return one.content.bytes in (None, found.bytes)


def _shrunk(entry: Entry, one: Listed, found: Held | None) -> str:
    """Say what is wrong with a growing file, which may have grown since."""
    if found is not None:
        return _differs(one, found) if found.bytes is not None and found.bytes < (one.content.bytes or 0) else ""
    if one.content.rows == 0 or entry.part.kind == LEDGER.name:  # a ledger that is gone is told anyway
        return ""
    return _missing(one)


def _missing(one: Listed) -> str:
    content = one.content
    told = f"missing: {_where(one)} lists it"
    if content.rows is None:
        return told
    if content.first_ms is None or content.last_ms is None:
        return f"{told} with {content.rows} rows"
    return f"{told} with {content.rows} rows, from {utc(content.first_ms)} to {utc(content.last_ms)}"


def _differs(one: Listed, found: Held) -> str:
    listed_bytes = one.content.bytes
    if listed_bytes is None or found.bytes is None or found.bytes == listed_bytes:
        return f"altered: these are not the bytes whose SHA-256 {_where(one)} lists"
    difference = found.bytes - listed_bytes
    return f"{abs(difference)} bytes {'longer' if difference > 0 else 'shorter'} than {_where(one)} lists it"


def _where(one: Listed) -> str:
    return f"{MANIFEST_NAME}:{one.line}"
