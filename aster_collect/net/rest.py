"""The exchange's REST interface, asked politely: one request at a time, within the weight, never while banned."""

import json
import logging
import queue
import time
from collections import deque
from collections.abc import Callable
from urllib.parse import urlencode

from .. import __version__
from ..errors import NetworkError, RestError
from ..exchange.events import Answer, Ask
from .bans import REST, Bans
from .dial import get
from .pacing import LEAST_RESERVE, PATIENT_RESERVE, RESERVE, WINDOW_S, Backoff, WeightBudget
from .reply import BANS_S, Reply, ban_s, not_json, refusal

log = logging.getLogger(__name__)

RESERVES = (LEAST_RESERVE, RESERVE, PATIENT_RESERVE)  # of what has no symbol, of holes, and of what is patient
USED_WEIGHT = "x-mbx-used-weight-1m"
USER_AGENT = f"aster-collect/{__version__}"
OK = 200
ELSEWHERE = (403, 407, 451)  # a firewall, a proxy, a place: none of them says anything of the request


class Refused(Exception):
    """The exchange answered, and will answer the same request the same way."""


class Rest:
    """One exchange's REST interface, with the weight spent so far."""

    def __init__(
        self,
        url: str,
        budget: WeightBudget,
        bans: Bans,
        *,
        get: Callable[..., Reply] = get,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.budget = budget
        self._url = url
        self._bans = bans
        self._get, self._clock, self._wall = get, clock, wall
        self._backoff = Backoff(lambda: 1.0)
        budget.block(bans.left_s(REST), clock())

    def get(self, ask: Ask) -> object:
        """Make a request and return the JSON value; blocks as long as `dial.get` does at most.

        Raises `RestError` where it may be tried again, once `budget.wait_s` allows, and `Refused` where not. In a ban
        nothing is asked.
        """
        banned_s = self.budget.blocked_s(self._clock())
        if banned_s > WINDOW_S:
            raise RestError(f"banned for {banned_s:.0f} s more")
        path = ask.path + (f"?{urlencode(ask.query)}" if ask.query else "")
        self.budget.spend(ask.weight, self._clock())
        try:
            reply = self._get(self._url, path, {"User-Agent": USER_AGENT}, most_bytes=ask.most_bytes)
        except NetworkError as error:
            raise self._later(str(error)) from error
        self._observe(reply)
        if reply.status != OK:
            raise self._failure(reply)
        try:
            value: object = json.loads(reply.body)
        except (ValueError, RecursionError) as error:
            raise self._later(not_json(reply)) from error
        self._backoff.worked()
        return value

    def _failure(self, reply: Reply) -> Exception:
        detail = refusal(reply)
        if reply.status in BANS_S:
            seconds = ban_s(reply, self._wall())
            self.budget.block(seconds, self._clock())
            self._bans.begin(REST, seconds, detail)
            return RestError(detail)
        if 400 <= reply.status < 500 and reply.status not in ELSEWHERE and reply.error() is not None:
            return Refused(detail)
        return self._later(detail)

    def _later(self, detail: str) -> RestError:
        self.budget.block(self._backoff.failed(), self._clock())
        return RestError(detail)

    def _observe(self, reply: Reply) -> None:
        used = reply.header(USED_WEIGHT)
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

    Each symbol has one page of a hole under way at most, so that a long hole does not starve the others. A request
    without a symbol goes before all pages, and is tried once: its asker goes on without, at once where a ban is longer
    than any wait for weight. Patient ones go last.
    """
    lines: tuple[deque[Ask], ...] = tuple(deque() for _ in RESERVES)
    failing = False
    while True:
        rank = next((rank for rank, line in enumerate(lines) if line), None)
        wait_s = None if rank is None else rest.budget.wait_s(lines[rank][0].weight, clock(), RESERVES[rank])
        if wait_s is not None and wait_s > WINDOW_S and rank == 0:
            wait_s = 0.0
        try:
            ask = asks.get(timeout=wait_s) if wait_s is None or wait_s > 0 else asks.get_nowait()
            if ask is None:
                return
            lines[ask.rank].append(ask)
            continue
        except queue.Empty:
            if wait_s or rank is None:
                continue
        ask = lines[rank].popleft()
        asked_ns = wall_ns()
        try:
            value = rest.get(ask)
            deliver(Answer(ask, asked_ns, wall_ns(), value))
        except Refused as error:
            deliver(Answer(ask, asked_ns, wall_ns(), None, str(error)))
        except RestError as error:
            if ask.once:
                deliver(Answer(ask, asked_ns, wall_ns(), None, str(error)))
                continue
            lines[ask.rank].append(ask)
            if not failing:
                log.warning("rest failing why=%s retry_s=%.1f", error, rest.budget.wait_s(0, clock()))
            failing = True
        else:
            if failing:
                log.info("rest works again")
            failing = False
