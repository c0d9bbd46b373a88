"""Faults happen: each is handed to whom it hits, those of a schedule when their time comes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from . import faults as fault_words
from .board import Board
from .clerk import Clerk
from .connections import Connections
from .damage import Step
from .faults import Fault, Schedule
from .listing import TRADING

log = logging.getLogger(__name__)


class Injector:
    """Lets faults happen to the whole exchange, from any thread, and follows a schedule of them."""

    def __init__(
        self,
        schedule: Sequence[Fault],
        board: Board,
        clerk: Clerk,
        connections: Connections,
        steps: list[Step],
        refuse_until: Callable[[float], None],
    ) -> None:
        """`steps` takes how the clock is set; `refuse_until` refuses TCP up to a time of the monotonic clock.

        Raises ValueError for a fault of the schedule that can't be.
        """
        self._schedule = Schedule([fault_words.check(fault) for fault in schedule])
        self._board = board
        self._clerk = clerk
        self._connections = connections
        self._steps = steps
        self._refuse_until = refuse_until
        self._refuse_upgrades_until = 0.0
        self._happenings = {
            "refuse": self._refuse,
            "clock": self._clock,
            "front_behind": self._front_behind,
            "batches": self._batches,
            "max_age": self._max_age,
            "status": self._status,
            "tick_size": self._tick_size,
            "new_ids": self._new_ids,
            "clear": self._clear,
        }

    def inject(self, fault: Fault) -> None:
        """Let a fault happen now; raises ValueError when it can't be done."""
        fault_words.check(fault)
        log.info("fault name=%s seconds=%s count=%s value=%s", fault.name, fault.seconds, fault.count, fault.value)
        until = time.monotonic() + (float("inf") if fault.seconds is None else fault.seconds)
        if fault.name.startswith("rest_"):
            self._clerk.inject(fault, until)
        elif fault.name in fault_words.CONNECTION_FAULTS:
            self._connections.order(fault)
        else:
            self._happenings[fault.name](fault, until)

    def follow_schedule(self, elapsed_s: float) -> None:
        """Let happen what is due so long after the start."""
        for fault in self._schedule.due(elapsed_s):
            try:
                self.inject(fault)
            except ValueError as error:
                log.warning("fault_impossible name=%s reason=%s", fault.name, error)

    def refuses_upgrades(self) -> bool:
        """Whether WebSockets are refused now."""
        return self._refuse_upgrades_until > time.monotonic()

    # What happens to the exchange as a whole

    def _refuse(self, fault: Fault, until: float) -> None:
        if fault.value == "upgrades":
            self._refuse_upgrades_until = until
        else:
            self._refuse_until(until)

    def _clock(self, fault: Fault, _until: float) -> None:
        self._steps.append(Step(time.time_ns() // 1_000_000, round(float(fault.value or 0.0) * 1000)))

    def _front_behind(self, fault: Fault, _until: float) -> None:
        self._connections.behind_ns = round(float(fault.value or 0.0) * 1e9)

    def _batches(self, fault: Fault, _until: float) -> None:
        self._connections.cut_us = round(float(fault.value or 0.0) * 1e6)

    def _max_age(self, fault: Fault, _until: float) -> None:
        self._connections.rules = self._connections.rules._replace(max_age_s=fault.seconds or 0.0)
        self._connections.order(fault)

    def _status(self, fault: Fault, _until: float) -> None:
        symbol = str(fault.symbol)
        if fault.value == TRADING:
            self._board.list_symbol(symbol)
        else:
            self._board.delist_symbol(symbol, str(fault.value))

    def _tick_size(self, fault: Fault, _until: float) -> None:
        self._board.set_tick_size(str(fault.symbol), str(fault.value))

    def _new_ids(self, fault: Fault, _until: float) -> None:
        self._board.begin_ids_anew(fault.symbol)

    def _clear(self, fault: Fault, _until: float) -> None:
        self._refuse_upgrades_until = 0.0
        self._connections.behind_ns = self._connections.cut_us = 0
        self._refuse(Fault("refuse"), 0.0)
        self._clerk.clear()
        self._connections.order(fault)
