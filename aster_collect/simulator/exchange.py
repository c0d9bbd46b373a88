"""The simulated exchange: one port on 127.0.0.1 for WebSocket and REST, its connections, and its faults."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any, cast

from .board import Board
from .clerk import Clerk
from .client_socket import Sent
from .connection import ConnectionInfo
from .connections import Connections
from .damage import Step
from .door import Door
from .faults import Fault
from .front import Front, Reception, Request
from .injector import Injector
from .instruments import DEFAULT_SYMBOLS
from .listener import HOST, Listener
from .market import DEFAULT_RATE, Market
from .recording import Recording
from .replay import Replay
from .supply import Supply
from .venues import FUTURES, Rules, Venue

log = logging.getLogger(__name__)


class Simulator:
    """An exchange that speaks the protocol, for one deterministic market or a recording; a context manager.

    A thread accepts, one thread serves each connection.
    """

    def __init__(
        self,
        symbols: Sequence[str] = DEFAULT_SYMBOLS,
        rate: float = DEFAULT_RATE,
        seed: int = 1,
        port: int = 0,
        faults: Sequence[Fault] = (),
        *,
        record: bool = False,
        tls: tuple[str, str] | None = None,
        weight_limit: int | None = None,
        rules: Rules | None = None,
        venue: Venue = FUTURES,
        frames: Recording | None = None,
        once: bool = False,
        speed: float = 1.0,
    ) -> None:
        """`tls` is a certificate file and its key file; port 0 is a free port.

        `frames` is a recording that is played in place of a market: `once`, or over and over, so many times as fast.
        Raises ValueError for what can't be, OSError for `tls`.
        """
        self._replay = None if frames is None else Replay(frames, venue, once=once, speed=speed)
        self._board = Board(None if frames is not None else Market(symbols, rate, seed, venue))
        self._supply: Supply = self._replay or self.market
        self.sent: list[Sent] = []
        self.requests: list[Request] = []
        self._wanted_port = port
        self._stopping = threading.Event()
        steps: list[Step] = []  # how the clock has been set
        limit = venue.weight_limit if weight_limit is None else weight_limit
        self._clerk = Clerk(self._supply, limit, steps, self._stopping.wait)
        self._connections = Connections(
            self._supply,
            rules or venue.rules,
            steps,
            self.sent if record else None,
            one_send_a_frame=tls is not None or frames is not None,
        )
        self._injector = Injector(faults, self._board, self._clerk, self._connections, steps, self._refuse_until)
        self._reception = Reception(
            self._clerk, self._connections, self.requests if record else None, self._injector.refuses_upgrades
        )
        self._tls: ssl.SSLContext | None = None
        if tls is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*tls)
        self._door: Door | None = None
        self._started_s = 0.0
        self.port = 0

    # Life

    def start(self) -> Simulator:
        """Bind and begin to accept; raises OSError when the port can't be had."""
        listener = Listener(self._wanted_port)
        self.port = listener.port
        self._door = Door(listener, self._tls, lambda sock: Front(sock, sock.getpeername(), cast(Any, self._reception)))
        self._started_s = time.monotonic()
        if self._replay is not None:
            self._replay.begin(time.time_ns() // 1000)
        self._door.open(self._follow_schedule)
        log.info("simulator_start port=%d", self.port)
        return self

    def stop(self) -> None:
        """End every connection and thread; blocks for at most a few seconds, and may be called again."""
        self._stopping.set()
        if self._door is not None:
            self._door.close(self._connections.stop)
        log.info("simulator_stop frames=%d requests=%d", self.sent_count, len(self.requests))

    def __enter__(self) -> Simulator:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    # What a user asks

    @property
    def market(self) -> Market:
        """The market; raises ValueError where a recording is played."""
        return self._board.market

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that trade now."""
        now_us = time.time_ns() // 1000
        return tuple(listed.symbol for listed in self._supply.listed() if listed.is_trading(now_us))

    @property
    def ws_url(self) -> str:
        """The address for WebSockets, without a path."""
        return f"{'wss' if self._tls else 'ws'}://{HOST}:{self.port}"

    @property
    def rest_url(self) -> str:
        """The address for REST, without a path."""
        return f"{'https' if self._tls else 'http'}://{HOST}:{self.port}"

    @property
    def sent_count(self) -> int:
        """Data frames handed to sockets since the start."""
        return self._connections.sent_count

    @property
    def connections(self) -> tuple[ConnectionInfo, ...]:
        """The open WebSockets, oldest first."""
        return self._connections.infos

    @property
    def requests_while_banned(self) -> int:
        """Requests that came while the client had been told to stay away."""
        return self._clerk.requests_while_banned

    def book(self, symbol: str, update_id: int) -> tuple[dict[str, str], dict[str, str]]:
        """The whole true book at an update id: quantities by price, of bids and of asks, best first.

        Raises ValueError for an unknown symbol, and where a recording is played.
        """
        listing = self.market.listing(symbol.upper())
        if listing is None:
            raise ValueError(f"unknown symbol {symbol!r}")
        return listing.book_at(update_id)

    def list_symbol(self, symbol: str) -> None:
        """Let a symbol begin to trade now."""
        self._board.list_symbol(symbol)

    def delist_symbol(self, symbol: str) -> None:
        """Let a symbol's events end now; raises ValueError when it is unknown."""
        self._board.delist_symbol(symbol)

    def inject(self, fault: Fault) -> None:
        """Let a fault happen now, from any thread; raises ValueError when it can't be done."""
        self._injector.inject(fault)

    def _refuse_until(self, until_s: float) -> None:
        if self._door is not None:
            self._door.refuse_until(until_s)

    def _follow_schedule(self) -> None:
        self._injector.follow_schedule(time.monotonic() - self._started_s)
