"""`health`: whether data is coming in, told from status.json alone; it writes nothing."""

from __future__ import annotations

import sys
import time

from ..watch.health import HEALTHY, STATUS_NAME, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DATA_DIR = "ASTER_data"
MAX_AGE_S = 60.0
SHORTEST_S, LONGEST_S = 0.1, 604_800.0
IMPOSSIBLE = 2

PROGRAM = "python -m aster_collect.health"
USAGE = f"usage: {PROGRAM} [--help] [--max-age SECONDS] [DIR]"
HELP = f"""\
{USAGE}

Judge a collector by the age of its data.

  DIR                the data folder (default: {DATA_DIR})
  --max-age SECONDS  how old the last frame of a connection may be; {SHORTEST_S:g} to {LONGEST_S:g} seconds
                     (default: {MAX_AGE_S:g})
  -h, --help         show this text and exit

{STATUS_NAME} is written at each flush, so the age allowed is never less than two flush intervals.
Little free disk space is said, but is not unhealthy.

exit status:
  0  every connection has delivered within the age; one line says so
  1  something is wrong; each line says what
  2  a bad call

examples:
  {PROGRAM}
  {PROGRAM} /srv/aster --max-age 30
"""


class BadCallError(Exception):
    """The arguments make no sense; the text says which."""


def main(argv: list[str] | None = None, *, now: Callable[[], float] = time.time) -> int:
    """Judge the folder, print a line for each finding, and return the exit status that `--help` states."""
    words = sys.argv[1:] if argv is None else argv
    try:
        if {"-h", "--help"} & set(words):
            _say(sys.stdout, HELP)
            return HEALTHY
        folder, max_age_s = _call(words)
    except BadCallError as error:
        _say(sys.stderr, f"{PROGRAM}: {error}; {USAGE}\n")
        return IMPOSSIBLE
    status, lines = check(folder, max_age_s, now())
    _say(sys.stdout, "".join(f"{' '.join(line.split())}\n" for line in lines))
    return status


def _call(words: list[str]) -> tuple[str, float]:
    """Return the folder and the age that the arguments ask for; raise `BadCallError`."""
    folders: list[str] = []
    max_age_s = MAX_AGE_S
    rest = iter(words)
    for word in rest:
        name, given, value = word.partition("=")
        if name == "--max-age":
            max_age_s = _age(value if given else next(rest, ""))
        elif not word or word.startswith("-") or "\0" in word:
            raise BadCallError(f"{word!r} given, an option or a folder's name allowed")
        else:
            folders.append(word)
    if len(folders) > 1:
        raise BadCallError(f"{folders[1]!r} given, one folder allowed")
    return folders[0] if folders else DATA_DIR, max_age_s


def _age(text: str) -> float:
    try:
        age_s = float(text)
    except ValueError:
        age_s = 0.0
    if not SHORTEST_S <= age_s <= LONGEST_S:  # nothing compares with nan
        raise BadCallError(f"--max-age: {text!r} given, {SHORTEST_S:g} to {LONGEST_S:g} seconds allowed")
    return age_s


def _say(stream: Any, text: str) -> None:
    """Write to a stream, which may be closed or full: the exit status says it too."""
    if stream is not None:
        encoding = stream.encoding or "utf-8"
        try:
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except OSError:
            pass
