"""`python -m aster_collect.health`: whether data is coming in, told from status.json alone; it writes nothing."""

from __future__ import annotations

import json
import sys
import time

# Without byte code, as in a slim container that is read-only, each import is compiled anew: argparse would cost 57 ms,
# typing 17, pathlib 23, of 200 that the whole check may take.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

STATUS_NAME = "status.json"
DATA_DIR = "ASTER_data"
MAX_AGE_S = 60.0
SHORTEST_S, LONGEST_S = 0.1, 604_800.0
HEALTHY, UNHEALTHY, IMPOSSIBLE = 0, 1, 2

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


def check(folder: str, max_age_s: float, now_s: float) -> tuple[int, list[str]]:
    """Read a folder's status.json and return the exit status and what to say; `now_s` is Unix time."""
    path = f"{folder}/{STATUS_NAME}"
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            said = json.loads(file.read())
    except FileNotFoundError:
        return UNHEALTHY, [f"{path} missing: no collector has written there"]
    except OSError as error:
        return UNHEALTHY, [f"{path} unreadable: {error.strerror}"]
    except (ValueError, RecursionError):
        return UNHEALTHY, [f"{path} is not JSON"]
    try:
        wrong, good, warnings = judge(said, max_age_s, now_s)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        return UNHEALTHY, [f"{path} is not what this version writes: {type(error).__name__} {error}"]
    if wrong:
        return UNHEALTHY, [*wrong, *warnings]
    return HEALTHY, ["; ".join([f"healthy: {good}", *warnings])]


def judge(said: Any, max_age_s: float, now_s: float) -> tuple[list[str], str, list[str]]:
    """Return what is wrong, what is good, and warnings, each in words, from the content of status.json.

    On its first try a connection may be without a frame for the allowed age, once the run is older than that: it is the
    successor of one that still delivers.
    """
    if said.get("stopped_unix_s") is not None:
        return [f"stopped in order at {said['stopped']}"], "", []
    limit_s = max(max_age_s, 2 * float(said["settings"].get("flush_interval_s", 0)))
    wrong = []
    if said["failing_since_unix_s"] is not None:
        wrong.append(f"writing failing since {said['failing_since']}: {said['last_error']}")
    written_age_s = now_s - float(said["written_unix_s"])
    if not written_age_s <= limit_s:
        wrong.append(f"{STATUS_NAME} not written for {written_age_s:.0f} s")
    elif written_age_s < -limit_s:
        wrong.append(f"{STATUS_NAME} written {-written_age_s:.0f} s in the future: a clock was set")
    else:
        young = not now_s - float(said["started_unix_s"]) > limit_s
        wrong += [fault for link in said["connections"] if (fault := _fault(link, limit_s, now_s, young))]
    if said.get("waiting"):
        wrong.append(f"waiting: {said['waiting']}")
    elif not said["connections"]:
        wrong.append("no connections")
    ages_s = [now_s - link["last_frame_unix_s"] for link in said["connections"] if link["last_frame_unix_s"]]
    if not ages_s and not wrong:
        wrong.append("no connection has delivered")
    newest = f"newest frame {max(0.0, min(ages_s)):.1f} s old" if ages_s else "no frame"
    count = len(said["connections"])
    good = f"{count} connection{'s' * (count != 1)} delivered within {limit_s:g} s, {newest}"
    free, floor = int(said["free_bytes"]), int(said["min_free_bytes"])
    warnings = [f"warning: low disk, {free >> 20} MB free of the {floor >> 20} MB wanted"] if free < floor else []
    if said["clock_off"]:
        ahead_s = float(said["clock_offset_ms"]) / 1000
        warnings.append(f"warning: clock, the exchange's says {ahead_s:+.1f} s against this machine's")
    return wrong, good, warnings


def _fault(link: Any, limit_s: float, now_s: float, young: bool) -> str:
    name = f"connection {link['connection']}"
    if link["last_frame_unix_s"] is not None:
        age_s = now_s - float(link["last_frame_unix_s"])
        return "" if age_s <= limit_s else f"{name} silent for {age_s:.0f} s, {link['state']}"
    opened_s = link["opened_unix_s"]
    fresh = opened_s is None or now_s - float(opened_s) <= limit_s  # a try to connect ends by itself, and is counted
    successor = fresh and not young and link["reconnects"] == 0
    return "" if successor else f"{name} has never delivered, {link['state']}"


if __name__ == "__main__":
    sys.exit(main())
