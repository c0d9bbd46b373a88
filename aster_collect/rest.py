"""The exchange's REST interface, asked politely: one request at a time, within the weight, never while banned."""

import json
import logging
import queue
import re
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from email.message import Message
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from . import __version__
from .errors import RestError
from .events import Answer, Ask
from .pacing import LEAST_RESERVE, LONGEST_BAN_S, RESERVE, Backoff, WeightBudget

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
ANSWER_S = 30.0
ANSWER_BYTES = 16 << 20
BLOCK_BYTES = 1 << 16
SLOW_DOWN_S = 60.0  # after a 429 without Retry-After: the exchange counts by the minute
BANNED_S = 120.0  # after a 418 without Retry-After: the shortest ban
BANNED_UNTIL = re.compile(r"banned until (\d{13})")
USED_WEIGHT = "X-MBX-USED-WEIGHT-1M"


class Refused(Exception):
    """The exchange answered, and will answer the same request the same way."""


class Rest:
    """One exchange's REST interface, with the weight spent so far."""

    def __init__(
        self,
        url: str,
        budget: WeightBudget,
        *,
        opener: Callable[..., object] = urllib.request.urlopen,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.budget = budget
        self._url = url.rstrip("/")
        self._opener, self._clock, self._wall = opener, clock, wall
        self._backoff = Backoff(lambda: 1.0)

    def get(self, ask: Ask) -> object:
        """Make a request and return the JSON value; blocks for 10 s or so at most.

        Raises `RestError` where it may be tried again, once `budget.wait_s` allows, and `Refused` where not.
        """
        query = f"?{urlencode(ask.query)}" if ask.query else ""
        request = urllib.request.Request(self._url + ask.path + query)
        request.add_header("User-Agent", f"aster-collect/{__version__}")
        self.budget.spend(ask.weight, self._clock())
        try:
            with self._opener(request, timeout=TIMEOUT_S) as response:  # type: ignore[attr-defined]
                self._observe(response.headers)
                value: object = json.loads(self._read(response))
        except urllib.error.HTTPError as error:
            with error:
                self._observe(error.headers)
                raise self._http_error(error) from error
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise self._later(f"{type(error).__name__}: {reason}") from error
        self._backoff.worked()
        return value

    def _read(self, response: Any) -> bytes:
        """Return the body; raise `OSError` for one that drips in or does not end."""
        end_s = self._clock() + ANSWER_S
        blocks: list[bytes] = []
        size = 0
        while block := response.read1(BLOCK_BYTES):
            blocks.append(block)
            size += len(block)
            if self._clock() > end_s or size > ANSWER_BYTES:
                raise TimeoutError("the answer is too slow or too long")
        return b"".join(blocks)

    def _http_error(self, error: urllib.error.HTTPError) -> Exception:
        try:
            text = error.read1(1000).decode("utf-8", "replace")
        except (OSError, HTTPException):
            text = ""
        detail = f"status {error.code} {text[:200]}".strip()
        if error.code in (418, 429):
            self.budget.block(self._ban_s(error, text), self._clock())
            return RestError(detail)
        if error.code == 403 or error.code >= 500:
            return self._later(detail)
        return Refused(detail)

    def _ban_s(self, error: urllib.error.HTTPError, text: str) -> float:
        longest_s = 0.0
        retry_after = (error.headers.get("Retry-After") or "").strip()
        if retry_after.isascii() and retry_after.isdigit():
            longest_s = float(retry_after)
        until = BANNED_UNTIL.search(text)
        if until:
            longest_s = max(longest_s, int(until[1]) / 1000 - self._wall())
        return min(longest_s, LONGEST_BAN_S) or (BANNED_S if error.code == 418 else SLOW_DOWN_S)

    def _later(self, detail: str) -> RestError:
        self.budget.block(self._backoff.failed(), self._clock())
        return RestError(detail)

    def _observe(self, headers: Message) -> None:
        used = headers.get(USED_WEIGHT, "")
        if used.isascii() and used.isdigit() and len(used) < 10:
            self.budget.observe(int(used), self._clock())


def serve(
    rest: Rest,
    asks: "queue.SimpleQueue[Ask | None]",
    deliver: Callable[[Answer], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    wall_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Answer requests in turn until None comes; what fails is asked again behind the others.

    Each symbol has one page under way at most, so that a long hole does not starve the others. A request without a
    symbol goes before all pages, and is tried once: its asker goes on without.
    """
    waiting: deque[Ask] = deque()
    failing = False
    while True:
        wait_s = rest.budget.wait_s(waiting[0].weight, clock(), _reserve(waiting[0])) if waiting else None
        try:
            ask = asks.get(timeout=wait_s) if wait_s is None or wait_s > 0 else asks.get_nowait()
            if ask is None:
                return
            if ask.symbol:
                waiting.append(ask)
            else:
                waiting.appendleft(ask)
            continue
        except queue.Empty:
            if wait_s:
                continue
        ask = waiting.popleft()
        asked_ns = wall_ns()
        try:
            value = rest.get(ask)
            deliver(Answer(ask, asked_ns, wall_ns(), value))
        except Refused as error:
            deliver(Answer(ask, asked_ns, wall_ns(), None, str(error)))
        except RestError as error:
            if not ask.symbol:
                deliver(Answer(ask, asked_ns, wall_ns(), None, str(error)))
                continue
            waiting.append(ask)
            if not failing:
                log.warning("rest failing why=%s retry_s=%.1f", error, rest.budget.wait_s(0, clock()))
            failing = True
        else:
            if failing:
                log.info("rest works again")
            failing = False


def _reserve(ask: Ask) -> float:
    return RESERVE if ask.symbol else LEAST_RESERVE
