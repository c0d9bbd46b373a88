"""The exchange's lists of symbols: asked for when the roster wants one, and at the start waited for."""

import logging
import os
import time
from collections.abc import Callable

from .. import __version__
from ..errors import DecodeError
from ..exchange.events import Answer, Ask
from ..exchange.pages import ExchangeInfo, ask_exchange_info, decode_exchange_info
from ..net.pacing import WeightBudget
from ..settings import Settings
from ..watch.log_lines import stop_line
from ..watch.report import LINE_S, Due
from ..watch.snapshot import Snapshot, waiting
from .roster import Roster
from .threads import Ended, Over, Threads

log = logging.getLogger(__name__)


class Lists:
    """Asks for lists, reads them, and reports while the run waits for the first one of use."""

    def __init__(
        self,
        settings: Settings,
        threads: Threads,
        roster: Roster,
        budget: WeightBudget,
        ask: Callable[[Ask], None],
    ) -> None:
        self._settings, self._threads, self._roster = settings, threads, roster
        self._budget, self._ask = budget, ask
        self._started_ns = time.time_ns()

    def first(self, due: Due, free_bytes: Callable[[], int]) -> list[str]:
        """Return the symbols to begin with, none if the run is to end before there are any. Blocks."""
        roster = self._roster

        def take() -> Snapshot:
            now_ns, room = time.time_ns(), (free_bytes(), self._settings.min_free_mb << 20)
            told = self._settings.told()
            return waiting(__version__, os.getpid(), told, self._started_ns, now_ns, room, roster.waits_for)

        self._ask(ask_exchange_info(self._settings.venue))
        while not isinstance(message := self._threads.next(min(roster.again_s, time.monotonic() + LINE_S)), Over):
            if isinstance(message, Ended):
                raise RuntimeError(f"thread {message.name} ended at the start") from message.error
            if isinstance(message, Answer) and (symbols := roster.first(self.read(message), time.monotonic())):
                return symbols
            due.step(time.monotonic(), 0, take)
            self.ask()
        last = take()._replace(stopped_ns=time.time_ns())
        due.last(last)
        log.info("stopped %s", stop_line(last))
        return []

    def ask(self) -> None:
        """Ask for a list if one is wanted by now."""
        now_s = time.monotonic()
        if self._roster.wants_list(now_s, self._budget.blocked_s(now_s)):
            self._ask(ask_exchange_info(self._settings.venue))

    def read(self, answer: Answer) -> ExchangeInfo | None:
        """Return the list that an answer holds, None where it holds none: that is said. Its weight limit counts."""
        try:
            if answer.refused:
                raise DecodeError(answer.refused)
            info = decode_exchange_info(answer.value)
        except DecodeError as error:
            log.warning("symbols unchecked why=%s", error)
            return None
        self._budget.a_minute = info.weight_a_minute or self._budget.a_minute
        return info
