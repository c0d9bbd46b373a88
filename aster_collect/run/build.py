"""The collecting thread's parts, put together as the settings ask."""

from collections.abc import Callable, Iterable
from pathlib import Path

from ..exchange.events import Ask
from ..files.store import Store
from ..net.inbox import Inbox
from ..order.engine import Engine, Pace
from ..order.entries import Record, nowhere
from ..order.holes import Bounds
from ..settings import Settings
from ..watch.report import Due
from ..watch.snapshot import NOT_RECORDED, Recorded
from .course import Course
from .desk import Desk
from .hands import Hands, Keep, keep_nothing
from .loop import Loop
from .moments import Moments


def build_loop(
    settings: Settings,
    symbols: Iterable[str],
    store: Store,
    ask: Callable[[Ask], None],
    inbox: Inbox,
    due: Due,
    renamed: Callable[[list[Path]], None],
    moments: Moments,
    record: Record = nowhere,
    recorded: Callable[[], Recorded] = lambda: NOT_RECORDED,
    keep: Keep = keep_nothing,
) -> Loop:
    """Return a loop that collects these symbols, whose files are open, as those of the whole folder are.

    `ask` hands a request to REST, `renamed` is told which files were closed because their hour or day was over, or set
    aside, and `record` of all that happens; `recorded` says what became of that, and `keep` waits until it is in its
    files.
    """
    engine, hands = build_engine(settings, store, ask, moments, keep)
    desk = Desk(settings, engine, store, moments, recorded)
    course = Course(engine, hands, moments, record)
    for symbol in ("", *symbols):
        course.begin(desk.begin(symbol))
    return Loop(course, desk, hands, inbox, due, renamed)


def build_engine(
    settings: Settings, store: Store, ask: Callable[[Ask], None], moments: Moments, keep: Keep = keep_nothing
) -> tuple[Engine, Hands]:
    """Return the engine that a run asks for, and its hands."""
    bounds = Bounds(
        settings.history, settings.backfill_limit, settings.hold_trades, settings.hold_s, settings.venue.trades_a_page
    )
    pace = Pace(
        settings.flush_interval_s / 2, settings.poll_interval_s, settings.max_clock_offset_s, settings.check_interval_s
    )
    engine = Engine(settings.scope(), bounds, pace, clock=moments.clock, wall_ns=moments.wall_ns)
    return engine, Hands(engine, store, ask, keep, clock=moments.clock, wall_ns=moments.wall_ns)
