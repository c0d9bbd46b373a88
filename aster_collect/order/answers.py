"""What REST is asked besides the holes of trades, and where each answer goes. Pure."""

from collections.abc import Callable

from ..errors import DecodeError
from ..exchange.events import Answer
from ..exchange.pages import ask_time, decode_time
from ..exchange.venues import Venue
from .effects import Effect, Request, Say
from .lanes import Lanes
from .offset import ClockOffset
from .polls import Polls


class Answers:
    """The polls, and the exchange's clock; `clock` gives a monotonic clock's seconds."""

    def __init__(
        self, venue: Venue, lanes: Lanes, *, poll_s: float, max_offset_s: float, clock: Callable[[], float]
    ) -> None:
        self.offset = ClockOffset(max_offset_s, clock())
        self._polls = Polls(venue, poll_s)
        self._venue, self._lanes = venue, lanes
        self._max_offset_s, self._clock = max_offset_s, clock

    def begin(self, now_ms: int) -> None:
        """Ask for the lanes too that were begun since."""
        self._polls.begin(self._lanes.polled, self._clock(), now_ms)

    def step(self) -> list[Effect]:
        """Return the requests that are due."""
        now_s = self._clock()
        effects = self._polls.step(now_s)
        if self.offset.due(now_s):
            effects.append(Request(ask_time(self._venue)))
        return effects

    def end(self, now_ms: int) -> None:
        """Let each lane that is polled note what was not answered any more."""
        self._polls.end(now_ms)

    def take(self, answer: Answer) -> list[Effect]:
        """Bring an answer to who asked."""
        if not answer.ask.kind:
            return self._exchange_clock(answer)
        lane = self._lanes.askers.get((answer.ask.kind, answer.ask.symbol))
        if lane is None:
            return self._polls.answer(answer, self._clock())
        lane.answer(answer)
        return lane.step()

    def _exchange_clock(self, answer: Answer) -> list[Effect]:
        """Note by how much the exchange's clock is ahead of ours, and say so where that is too much."""
        try:
            exchange_ms = decode_time(answer.value)
        except DecodeError as error:
            return [Say("warning", "clock unknown why=%s", (answer.refused or error,))]
        offset = self.offset
        offset.found(exchange_ms, answer.asked_ns, answer.received_ns)
        if not offset.to_be_said(self._clock()):
            return []
        facts = offset.offset_ms, offset.uncertainty_ms, self._max_offset_s
        return [Say("warning", "clock off offset_ms=%+.0f uncertainty_ms=%.0f max_clock_offset_s=%g", facts)]
