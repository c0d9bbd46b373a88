"""How long the exchange wants to be left alone, over restarts too: a small file beside the data."""

import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..files.plain import read_plain
from ..files.replace import replace_file
from .pacing import LONGEST_BAN_S, HandshakeBudget
from .reply import printable

log = logging.getLogger(__name__)

BANNED_NAME = ".banned"
REST, HANDSHAKES = "rest", "handshakes"
READ_BYTES = 4096
KEPT_OF_WHY = 200  # characters


class Ban(NamedTuple):
    """One interface's ban: its end, in Unix seconds, how long it is, and what was answered."""

    until_unix_s: float
    seconds: float
    why: str


class Bans:
    """The bans of both interfaces, in memory and in the file; those that are over leave it at the next ban or start.

    The lock protects both: connections and the REST thread tell theirs from their own threads.
    """

    def __init__(self, folder: Path, *, wall: Callable[[], float] = time.time) -> None:
        """Read what an earlier run left in the folder; what can't be read counts as no ban."""
        self._path, self._wall = folder / BANNED_NAME, wall
        self._lock = threading.Lock()
        self._bans = _read(self._path)
        for interface, ban in self._bans.items():
            if left_s := self.left_s(interface):
                log.warning("still banned interface=%s left_s=%.0f why=%s", interface, left_s, ban.why)
        if self._bans and not any(map(self.left_s, self._bans)):
            try:
                self._path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("ban not kept why=%s", error)

    def left_s(self, interface: str) -> float:
        """Return for how long yet an interface must be left alone.

        A clock that was set back since must not make a ban longer than it was.
        """
        ban = self._bans.get(interface)
        return 0.0 if ban is None else max(0.0, min(ban.until_unix_s - self._wall(), ban.seconds))

    def begin(self, interface: str, seconds: float, why: str) -> None:
        """Keep a ban; where it can't be written it ends with this run."""
        with self._lock:
            self._bans[interface] = Ban(self._wall() + seconds, seconds, why[:KEPT_OF_WHY])
            told = {one: ban._asdict() for one, ban in self._bans.items() if self.left_s(one)}
            try:
                replace_file(self._path, json.dumps(told) + "\n")
            except OSError as error:
                log.warning("ban not kept why=%s", error)


def _read(path: Path) -> dict[str, Ban]:
    try:
        with read_plain(path) as file:
            told = json.loads(file.read(READ_BYTES))
        return {interface: _ban(told[interface]) for interface in (REST, HANDSHAKES) if interface in told}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        log.warning("ban unreadable file=%s why=%s", path.name, error)
        return {}


def _ban(told: dict[str, object]) -> Ban:
    until_unix_s, seconds = float(str(told["until_unix_s"])), float(str(told["seconds"]))
    return Ban(until_unix_s, min(seconds, LONGEST_BAN_S), printable(str(told["why"]), KEPT_OF_WHY))


class Handshakes:
    """When a connection may be made: one budget and one ban for all connections.

    The lock protects the budget, which each connection asks from its own thread.
    """

    def __init__(self, bans: Bans, a_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with what is left of a ban."""
        self._bans, self._clock = bans, clock
        self._budget = HandshakeBudget(a_minute)
        self._budget.block(bans.left_s(HANDSHAKES), clock())
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take a turn and return 0; or return how many seconds later to ask again."""
        with self._lock:
            return self._budget.take(self._clock())

    def banned(self, seconds: float, why: str) -> None:
        """Let no connection be made for so long, in later runs too."""
        with self._lock:
            self._budget.block(seconds, self._clock())
        self._bans.begin(HANDSHAKES, seconds, why)
