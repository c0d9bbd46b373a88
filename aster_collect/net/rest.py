"""The exchange's REST interface, asked politely: in turn, within the weight, never while banned.

One thread owns all that is known of it, and decides; others make the requests.

    asks ──▶ serve: lines by rank, weight, bans ──▶ calls ──▶ a few threads, each blocks for one request
      └──────────────── what came of it ◀─────────────────────┘
"""

import json
import logging
import queue
import time
from collections import deque
from collections.abc import Callable
from urllib.parse import urlencode

from ..errors import NetworkError, RestError
from ..exchange.events import FIRST, POLL, Answer, Ask
from .bans import REST, Bans
from .calls import Call, Called
from .pacing import LEAST_RESERVE, PATIENT_RESERVE, RESERVE, WINDOW_S, Pause, WeightBudget
from .reply import BANS_S, Reply, ban_s, not_json, refusal

log = logging.getLogger(__name__)

RESERVES = (LEAST_RESERVE, RESERVE, PATIENT_RESERVE, PATIENT_RESERVE)  # of what has no symbol, of holes, by rank
POLLS = 7  # under way at once: ten a second of up to 0.7 s each, the handshakes of new connections included …
UNDER_WAY = POLLS + 1  # … and one of all that is no poll
USED_WEIGHT = "x-mbx-used-weight-1m"
OK = 200
ELSEWHERE = (403, 407, 451)  # a firewall, a proxy, a place: none of them says anything of the request


class Refused(Exception):
    """The exchange answered, and will answer the same request the same way."""


class Rest:
    """One exchange's REST interface: the weight spent so far, and how it answers.

    What fails of a poll holds up polls alone: not every server has what they ask for, and holes must not wait for it. A
    limit (429, 418) is for all.
    """

    def __init__(
        self,
        budget: WeightBudget,
        bans: Bans,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.budget = budget
        self._bans = bans
        self._clock, self._wall = clock, wall
        self._limit, self._polls, self._others = Pause(), Pause(), Pause()
        budget.block(bans.left_s(REST), clock())

    @property
    def limited(self) -> bool:
        """Whether it has wanted less to be asked, and has not answered since."""
        return self._limit.failing

    @property
    def polls_fail(self) -> bool:
        """Whether the newest poll was of no use."""
        return self._polls.failing

    @property
    def banned_s(self) -> float:
        """For how long yet nothing may be asked, where that is longer than any wait for weight; else 0."""
        banned_s = self.budget.blocked_s(self._clock())
        return banned_s if banned_s > WINDOW_S else 0.0

    def wait_s(self, ask: Ask) -> float:
        """Return how long a request has to wait, 0 if it may go now."""
        now_s = self._clock()
        wait_s = self.budget.wait_s(ask.weight, now_s, RESERVES[ask.rank])
        return max(wait_s, self._pause(ask).left_s(now_s))

    def _pause(self, ask: Ask) -> Pause:
        return self._polls if ask.rank == POLL else self._others

    def send(self, ask: Ask) -> Call:
        """Spend a request's weight, and return it as it is to be made now."""
        now_s = self._clock()
        self.budget.spend(ask.weight, now_s)
        return Call(ask, ask.path + (f"?{urlencode(ask.query)}" if ask.query else ""), now_s)

    def value(self, called: Called) -> object:
        """Return the JSON value that came; raises `RestError` where it may be asked again, and `Refused` where not."""
        reply, call = called.reply, called.call
        if isinstance(reply, NetworkError):
            raise self._later(str(reply), call) from reply
        self._observe(reply)
        if reply.status != OK:
            raise self._failure(reply, call)
        try:
            value: object = json.loads(reply.body)
        except (ValueError, RecursionError) as error:
            raise self._later(not_json(reply), call) from error
        for pause in (self._pause(call.ask), self._limit):
            pause.worked(call.sent_s)
        return value

    def _failure(self, reply: Reply, call: Call) -> Exception:
        detail = refusal(reply)
        if reply.status in BANS_S:
            seconds = ban_s(reply, self._wall())
            self._limit.failed(call.sent_s, self._clock())
            self.budget.block(seconds, self._clock())
            self._bans.begin(REST, seconds, detail)
            return RestError(detail)
        if 400 <= reply.status < 500 and reply.status not in ELSEWHERE and reply.error() is not None:
            return Refused(detail)
        return self._later(detail, call)

    def _later(self, detail: str, call: Call) -> RestError:
        self._pause(call.ask).failed(call.sent_s, self._clock())
        return RestError(detail)

    def _observe(self, reply: Reply) -> None:
        used = reply.header(USED_WEIGHT)
        if used.isascii() and used.isdigit() and len(used) < 10:
            self.budget.observe(int(used), self._clock())


class Requests:
    """The requests that wait, by rank and in order, and how many are under way."""

    def __init__(
        self, rest: Rest, send: Callable[[Call], None], deliver: Callable[[Answer], None],
        wall_ns: Callable[[], int],
    ) -> None:  # fmt: skip
        self._rest, self._send, self._deliver = rest, send, deliver
        self._wall_ns = wall_ns
        self._lines: tuple[deque[Ask], ...] = tuple(deque() for _ in RESERVES)
        self._under_way = self._polls = 0  # requests, and how many of them are polls
        self._said = False  # that it fails

    def wait_s(self) -> float | None:
        """Return how long the next request has to wait, None where it waits for what is under way, or there is none."""
        line = self._next()
        if line is None:
            return None
        return self._rest.wait_s(line[0])

    def _next(self) -> deque[Ask] | None:
        """Return the line whose first request is the next to be made, None where it can't be yet.

        A server that counts what is asked after a 429 may count what was under way when it came. Polls, which are many,
        are made while half of the weight is left, and it is unlikely that one comes then.
        """
        others, polls = self._under_way - self._polls, self._lines[POLL]
        if self._rest.limited and self._under_way:  # one finds out whether more may be asked again
            return None
        if not others and (line := next(filter(None, self._lines[:POLL]), None)) is not None:
            return line
        return polls if polls and self._polls < (1 if self._rest.polls_fail else POLLS) else None

    def send_next(self) -> None:
        """Let the next request be made."""
        line = self._next()
        assert line is not None, "nothing may be asked"
        ask = line.popleft()
        self._under_way += 1
        self._polls += ask.rank == POLL
        self._send(self._rest.send(ask))

    def ask(self, ask: Ask) -> None:
        """Take a request."""
        self._lines[ask.rank].append(ask)

    def refuse_banned(self) -> None:
        """Answer what has no symbol, where a ban is longer than any wait for weight: its asker goes on without."""
        line, banned_s = self._lines[FIRST], self._rest.banned_s
        while line and banned_s:
            now_ns = self._wall_ns()
            self._deliver(Answer(line.popleft(), now_ns, now_ns, None, f"banned for {banned_s:.0f} s more"))

    def take(self, called: Called) -> None:
        """Take what came of a request: it is answered, or waits again behind the others."""
        ask, times = called.call.ask, (called.asked_ns, called.received_ns)
        self._under_way -= 1
        self._polls -= ask.rank == POLL
        try:
            value = self._rest.value(called)
        except Refused as error:
            self._deliver(Answer(ask, *times, None, str(error)))
        except RestError as error:
            if ask.once:
                self._deliver(Answer(ask, *times, None, str(error)))
                return
            self._lines[ask.rank].append(ask)
            if not self._said:
                log.warning("rest failing why=%s retry_s=%.1f", error, self._rest.wait_s(ask))
            self._said = True
        else:
            self._deliver(Answer(ask, *times, value))
            if self._said and ask.rank != POLL:
                log.info("rest works again")
                self._said = False


def serve(
    rest: Rest,
    told: "queue.SimpleQueue[Ask | Called | None]",
    send: Callable[[Call | None], None],
    deliver: Callable[[Answer], None],
    *,
    wall_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Have requests made in turn until None comes; what fails is asked again behind the others.

    Each symbol has one page of a hole under way at most, so that a long hole does not starve the others. A request
    without a symbol goes before all pages, and is tried once: its asker goes on without, at once where a ban is longer
    than any wait for weight. Patient ones go behind holes, and polls last. At the end nothing is waited for; those who
    make the requests are told.
    """
    requests = Requests(rest, send, deliver, wall_ns)
    while True:
        requests.refuse_banned()
        wait_s = requests.wait_s()
        try:
            message = told.get_nowait() if wait_s == 0 else told.get(timeout=wait_s)
        except queue.Empty:
            if wait_s == 0:
                requests.send_next()
            continue
        if message is None:
            break
        if isinstance(message, Called):
            requests.take(message)
        else:
            requests.ask(message)
    for _ in range(UNDER_WAY):
        send(None)
