"""The REST clerk: each call is counted, refused where it must be, spoiled where a fault says so, and answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from . import rest
from .damage import Step, with_set_clock
from .faults import Fault
from .gate import Answer, Gate, error_body
from .supply import Supply


class Clerk:
    """Answers REST from any thread; one lock guards the gate and the faults."""

    def __init__(
        self, supply: Supply, weight_limit: int, steps: Sequence[Step], wait: Callable[[float], object]
    ) -> None:
        """`steps` says how the exchange's clock is set, and may grow; `wait` sleeps, and wakes at the end."""
        self._supply = supply
        self._steps = steps
        self._wait = wait
        self._lock = threading.Lock()
        self._gate = Gate(weight_limit)
        self._faults: dict[tuple[str, str | None], tuple[Fault, float]] = {}  # by name and call, until (monotonic)

    @property
    def requests_while_banned(self) -> int:
        """Requests that came while the client had been told to stay away."""
        with self._lock:
            return self._gate.requests_while_banned

    def inject(self, fault: Fault, until: float) -> None:
        """Let a fault of REST begin, until a time of the monotonic clock."""
        with self._lock:
            if fault.name == "rest_429":
                self._gate.refuse_next(fault.seconds or 0.0, fault.count or 1, fault.call or "")
            elif fault.name == "rest_418":
                self._gate.ban(fault.seconds or 0.0, time.time_ns() // 1000, fault.call or "")
            else:
                # The seconds of rest_forget are an age of trades, not how long the fault lasts.
                until = float("inf") if fault.name == "rest_forget" else until
                self._faults[fault.name, fault.call] = fault, until

    def clear(self) -> None:
        """End all faults, refusals and bans."""
        with self._lock:
            self._faults.clear()
            self._gate.clear()

    def answer(self, path: str, params: Mapping[str, str]) -> Answer | None:
        """The answer to a call, late where it should be; None to reset the connection."""
        with self._lock:
            now_s = time.monotonic()
            active = {
                name: fault
                for (name, call), (fault, until) in self._faults.items()
                if until > now_s and (call or "") in path
            }
            if "rest_down" in active:
                return None
            cost = rest.weight(path, params, self._supply)
            answer = self._gate.admit(cost, time.time_ns() // 1000, path)
            used = self._gate.used
        if answer is None and "rest_status" in active:
            status = int(active["rest_status"].value or 500)
            answer = Answer(status, (), error_body(-1001, "Internal error; unable to process your request."))
        if answer is None:
            answer = rest.answer(
                path,
                params,
                self._supply,
                time.time_ns() // 1000,
                paging=_paging(active),
                limit=self._gate.limit,
                behind_us=int(_value(active, "rest_behind") * 1e6),
            )
            answer = answer._replace(body=with_set_clock(answer.body, self._steps), is_torn="rest_torn" in active)
        if "rest_slow" in active:  # it is made at once, and long on its way
            self._wait(_value(active, "rest_slow"))
        return answer._replace(headers=(*answer.headers, ("X-MBX-USED-WEIGHT-1M", str(used))))


def _value(active: Mapping[str, Fault], name: str) -> float:
    return float(active[name].value or 0.0) if name in active else 0.0


def _paging(active: Mapping[str, Fault]) -> rest.Paging:
    short, holes, forget = active.get("rest_short"), active.get("rest_holes"), active.get("rest_forget")
    return rest.Paging(
        most_rows=None if short is None else short.count,
        omitted_divisor=None if holes is None else int(holes.value or 7),
        first_id=1 if forget is None else int(forget.value or 1),
        oldest_s=None if forget is None else forget.seconds,
    )
