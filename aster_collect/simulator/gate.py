"""How REST is kept from being overrun: weight by the minute, a 429 for too much of it, a ban for going on."""

from __future__ import annotations

import json
import math
from typing import NamedTuple

from .venues import FUTURES

BAN_S = 120  # the shortest ban of the exchange
REASON_429 = "Too many requests; current limit is {limit} request weight per 1 MINUTE."
REASON_418 = (
    "Way too many requests; IP banned until {until_ms}. Please use the websocket for live updates to avoid bans."
)


class Answer(NamedTuple):
    """A status, extra headers and a JSON body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    is_torn: bool = False  # only half of the body is sent


def error_body(code: int, message: str) -> str:
    """The body of an error."""
    return json.dumps({"code": code, "msg": message}, separators=(",", ":"))


class Gate:
    """Counts weight by the minute and keeps the limits: open → told to wait (429) → banned (418) → open.

    Time is Unix microseconds. A request inside a time that a client was told to wait for counts as impolite.
    """

    def __init__(self, limit: int = FUTURES.weight_limit) -> None:
        """The limit is weight a minute."""
        self.limit = limit
        self.used = 0
        self.requests_while_banned = 0
        self._minute = 0
        self._told_until_us = 0
        self._banned_until_us = 0
        self._bans: list[tuple[int, str]] = []  # until when, of calls whose path has this part
        self._refusals: list[tuple[float, str]] = []  # Retry-After of the next requests, seconds, and a part of a path

    def refuse_next(self, seconds: float, count: int, call: str = "") -> None:
        """Answer the next requests, or the next to a call, with 429 and a Retry-After."""
        self._refusals += [(seconds, call)] * count

    def ban(self, seconds: float, now_us: int, call: str = "") -> None:
        """Answer 418 for so long, all calls or one."""
        self._bans.append((now_us + int(seconds * 1e6), call))

    def clear(self) -> None:
        """Forget refusals and bans."""
        self._refusals, self._bans = [], []
        self._told_until_us = self._banned_until_us = 0

    def admit(self, cost: int, now_us: int, path: str = "") -> Answer | None:
        """None for a request that may be answered, else the refusal."""
        minute = now_us // 60_000_000
        if minute != self._minute:
            self._minute, self.used = minute, 0
        self.used += cost
        if now_us < self._told_until_us:
            self.requests_while_banned += 1
            if now_us >= self._banned_until_us:  # it went on after a 429
                self._banned_until_us = now_us + BAN_S * 1_000_000
        bans_us = [until_us for until_us, call in self._bans if call in path]
        banned_until_us = max(self._banned_until_us, *bans_us, 0)
        if now_us < banned_until_us:
            reason = REASON_418.format(until_ms=banned_until_us // 1000)
            return self._tell(418, banned_until_us, now_us, reason)
        refusal = next((refusal for refusal in self._refusals if refusal[1] in path), None)
        if refusal is not None:
            self._refusals.remove(refusal)
            until_us = now_us + int(refusal[0] * 1e6)
            return self._tell(429, until_us, now_us, REASON_429.format(limit=self.limit))
        if self.used > self.limit:
            return self._tell(429, (minute + 1) * 60_000_000, now_us, REASON_429.format(limit=self.limit))
        return None

    def _tell(self, status: int, until_us: int, now_us: int, message: str) -> Answer:
        wait_s = max(1, math.ceil((until_us - now_us) / 1e6))
        self._told_until_us = max(self._told_until_us, now_us + wait_s * 1_000_000)
        return Answer(status, (("Retry-After", str(wait_s)),), error_body(-1003, message))
