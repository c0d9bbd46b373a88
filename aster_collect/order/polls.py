"""When what is asked for over REST is due: spread evenly over the interval, one request at a time for each.

Pure. Times are seconds of a monotonic clock, given by the caller.
"""

import heapq
import json
from collections.abc import Iterable
from typing import Any

from ..errors import DecodeError
from ..exchange.events import POLL, Answer, Ask
from ..exchange.pages import EXCHANGE_INFO_BYTES
from ..exchange.streams.kind import Kind, Poll
from ..exchange.venues import Venue
from .effects import Effect, Reject, Request, Say
from .polled import Polled

LATE = 1.5  # intervals between two answers: more, and one is missing
AGAIN_S = 60.0  # after an answer that is of no use, where the next is due much later
SAY_AGAIN_S = 60.0
SOON_S = 0.1  # between the first polls of two symbols: ten a second, as 580 in a minute are
GOLDEN_RATIO = 0.618_033_988_75  # its multiples lie evenly in any interval


class Polls:
    """The lanes that are asked for, each with its time, and the answers that one poll of several calls has so far.

    ```
    due ──▶ asked ──answer──▶ the next call of the poll ──▶ … ──▶ rows ──an interval after it was due──▶ due
              └─ still asked when it is due again: that one is left out, and is missing
    ```
    """

    def __init__(self, venue: Venue, every_s: float) -> None:
        self._venue, self._every_s = venue, every_s
        self._lanes: dict[tuple[str, str], Polled] = {}
        self._due: list[tuple[float, tuple[str, str]]] = []
        self._due_s: dict[tuple[str, str], float] = {}  # what of these counts
        self._slot_s: dict[tuple[str, str], float] = {}  # a time at which it is due, as it is each interval after
        self._values: dict[tuple[str, str], list[Any]] = {}  # of polls under way
        self._said_s = -SAY_AGAIN_S
        self._failed = 0

    def begin(self, lanes: Iterable[Polled], now_s: float, now_ms: int) -> None:
        """Poll those of these too that are not polled yet: for the first time soon, from then on spread evenly.

        What is of the whole folder is asked for at once.
        """
        for lane in lanes:
            key = lane.kind.name, lane.symbol
            if key not in self._lanes:
                place, every_s = len(self._lanes) if lane.symbol else 0, self._interval_s(lane.kind)
                self._lanes[key] = lane
                lane.begin(now_ms)
                self._slot_s[key] = now_s + place * GOLDEN_RATIO % 1 * every_s
                self._push(min(now_s + place * SOON_S, self._slot_s[key]), key)

    def step(self, now_s: float) -> list[Effect]:
        """Return the requests that are due."""
        effects: list[Effect] = []
        while self._due and self._due[0][0] <= now_s:
            due_s, key = heapq.heappop(self._due)
            if due_s != self._due_s[key]:
                continue
            self._push(self._next_slot_s(key, now_s), key)
            if key not in self._values:
                self._values[key] = []
                effects.append(self._next(key))
        return effects

    def answer(self, answer: Answer, now_s: float) -> list[Effect]:
        """Take an answer; return the next request of its poll, or what is to be said of it."""
        key = answer.ask.kind, answer.ask.symbol
        lane, values = self._lanes[key], self._values.setdefault(key, [])  # of a record it may not have been asked for
        values.append(None if answer.refused else answer.value)
        if len(values) < len(_calls(self._venue, lane.kind)):
            return [self._next(key)]
        del self._values[key]
        poll = _poll(lane.kind)
        try:
            if answer.refused:
                raise DecodeError(answer.refused)
            found = poll.decode(lane.symbol, values, answer.received_ns)
        except DecodeError as error:
            odd = [] if answer.refused else [(str(error), answer.value)]
            return [*_rejects(lane, odd, answer.received_ns), *self._fail(key, str(error), now_s)]
        lane.answered(found.events, round(self._interval_s(lane.kind) * LATE * 1000))
        return _rejects(lane, found.odd, answer.received_ns)

    def end(self, now_ms: int) -> None:
        """Let each lane note what was not answered any more."""
        for lane in self._lanes.values():
            lane.end(now_ms, round(self._interval_s(lane.kind) * LATE * 1000))

    def _fail(self, key: tuple[str, str], why: str, now_s: float) -> list[Effect]:
        self._failed += 1
        if self._interval_s(self._lanes[key].kind) > AGAIN_S:
            self._push(now_s + AGAIN_S, key)
        if now_s - self._said_s < SAY_AGAIN_S:
            return []
        self._said_s, failed, self._failed = now_s, self._failed, 0
        facts = *key, failed, why
        return [Say("warning", "poll failed kind=%s symbol=%s failed=%d why=%s", facts)]

    def _next(self, key: tuple[str, str]) -> Request:
        name, symbol = key
        call = _calls(self._venue, self._lanes[key].kind)[len(self._values[key])]
        query = (("symbol", symbol),) if symbol else ()
        path, weight = f"{self._venue.prefix}/{call}", self._venue.weights[call]
        return Request(Ask(path, query, weight, name, symbol, most_bytes=EXCHANGE_INFO_BYTES, rank=POLL))

    def _interval_s(self, kind: Kind) -> float:
        return _poll(kind).every_s or self._every_s

    def _next_slot_s(self, key: tuple[str, str], now_s: float) -> float:
        """Return when it is due next; two polls lie half an interval apart at least, one and a half at most."""
        every_s = self._interval_s(self._lanes[key].kind)
        return now_s + every_s / 2 + (self._slot_s[key] - now_s - every_s / 2) % every_s

    def _push(self, due_s: float, key: tuple[str, str]) -> None:
        self._due_s[key] = due_s
        heapq.heappush(self._due, (due_s, key))


def round_weight(venue: Venue, kinds: Iterable[Kind]) -> int:
    """Return what it weighs to ask once for all of one symbol that is asked for as often as the user says."""
    asked = [kind for kind in kinds if kind.poll is not None and kind.poll.every_s is None]
    return sum(venue.weights[call] for kind in asked for call in _calls(venue, kind))


def _calls(venue: Venue, kind: Kind) -> list[str]:
    return [call for call in _poll(kind).calls if call in venue.weights]


def _rejects(lane: Polled, odd: Iterable[tuple[str, object]], received_ns: int) -> list[Effect]:
    source = f"{lane.kind.name} of {lane.symbol or 'all'}"
    return [Reject(source, received_ns, reason, _kept(item)) for reason, item in odd]


def _kept(item: object) -> bytes:
    return json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _poll(kind: Kind) -> Poll:
    assert kind.poll is not None, f"{kind.name} is not asked for"
    return kind.poll
