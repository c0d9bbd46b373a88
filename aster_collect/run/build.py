"""The collecting thread's parts, put together as the settings ask."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ..exchange.events import Ask
from ..files.store import Store
from ..net.inbox import Inbox
from ..order.engine import Engine, Pace
from ..order.holes import Bounds
from ..settings import Settings
from ..watch.report import Due
from .desk import Desk
from .hands import Hands
from .loop import Loop


def build_loop(
    settings: Settings,
    symbols: Iterable[str],
    store: Store,
    ask: Callable[[Ask], None],
    inbox: Inbox,
    due: Due,
    closed: Callable[[list[Path]], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    wall_ns: Callable[[], int] = time.time_ns,
) -> Loop:
    """Return a loop that collects these symbols, whose files are open, as those of the whole folder are.

    `ask` hands a request to REST, and `closed` is told which files were closed because their hour or day was over.
    """
    bounds = Bounds(
        settings.history, settings.backfill_limit, settings.hold_trades, settings.hold_s, settings.venue.trades_a_page
    )
    pace = Pace(
        settings.flush_interval_s / 2, settings.poll_interval_s, settings.max_clock_offset_s, settings.check_interval_s
    )
    engine = Engine(settings.scope(), bounds, pace, clock=clock, wall_ns=wall_ns)
    desk = Desk(settings, engine, store, clock=clock, wall_ns=wall_ns)
    hands = Hands(engine, store, ask, clock=clock, wall_ns=wall_ns)
    hands.carry(desk.begin(("", *symbols)))
    return Loop(engine, desk, hands, inbox, due, closed)
