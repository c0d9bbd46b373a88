"""What keeps a WebSocket alive or ends it: pings that must be answered, and its age."""

from __future__ import annotations

import time
from collections.abc import Callable

from . import framing
from .client_socket import ClientSocket
from .venues import Rules


class Pulse:
    """Pings a client, and closes its connection where no pong comes or the rules call it too old."""

    def __init__(self, client: ClientSocket, rules: Rules, clock_ns: Callable[[], int]) -> None:
        """The connection opens now; `clock_ns` is what a ping says."""
        self._client = client
        self._clock_ns = clock_ns
        self._ping_interval_s = rules.ping_interval_s
        self._pong_timeout_s = rules.pong_timeout_s
        self.max_age_s = rules.max_age_s
        self._opened_s = self._pinged_s = self._ponged_s = time.monotonic()

    def heard(self) -> None:
        """A pong has come."""
        self._ponged_s = time.monotonic()

    def beat(self) -> None:
        """Ping when it is time, close when it is over."""
        now_s = time.monotonic()
        if now_s - self._pinged_s >= self._ping_interval_s:
            self._pinged_s = now_s
            self._client.send(framing.encode(framing.PING, str(self._clock_ns() // 1_000_000).encode()))
        if now_s - self._ponged_s >= self._pong_timeout_s:
            self._client.close(1008, "no pong")
        elif now_s - self._opened_s >= self.max_age_s:
            self._client.close(1001, "connection age limit")
