"""Whether data is coming in, judged from a folder's status.json alone."""

from __future__ import annotations

import json

# Without byte code, as in a slim container that is read-only, each import is compiled anew: argparse would cost 57 ms,
# typing 17, pathlib 23, of 200 that the whole check may take.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STATUS_NAME = "status.json"
HEALTHY, UNHEALTHY = 0, 1


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
