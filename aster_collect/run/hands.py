"""The hands of the collecting thread: they carry out what the engine wants done, and tell it what that brought."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from ..errors import StoreError
from ..exchange.cells import seconds
from ..exchange.events import Ask, Gap
from ..files.store import Store
from ..order.effects import Aside, Effect, Flush, Missing, Reject, Request, Rows, Say, Uncovered
from ..order.engine import Engine

log = logging.getLogger(__name__)

RETRY_S = 5.0
LOG_REPEAT_S = 60.0
NAMES = 5  # in one log line
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING}


class Keep(Protocol):
    """Waits until what was recorded is in its files, or with `sync` on the disk."""

    def __call__(self, *, sync: bool) -> None:
        """Wait."""


def keep_nothing(*, sync: bool) -> None:
    """Wait for nothing: nothing is recorded."""


class Hands:
    """The one that acts; what a flush finds out goes back to the engine."""

    def __init__(
        self, engine: Engine, store: Store, ask: Callable[[Ask], None], keep: Keep = keep_nothing,
        *, clock: Callable[[], float] = time.monotonic, wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        """`keep` is called before anything is written: it waits until what rows are made of is in its own files."""
        self.flushes = 0
        self.failing_since_ns = 0
        self.rewound = False  # whether trades are to be fetched again that were written
        self.gaps: Counter[tuple[str, str]] = Counter()  # rows of the ledger, by symbol and kind
        self._engine, self._store, self._ask, self._keep = engine, store, ask, keep
        self._clock, self._wall_ns = clock, wall_ns
        self._retry_s = 0.0
        self._said_s: dict[str, float] = {}
        self._held_back: Counter[str] = Counter()
        self._carriers: dict[type, Callable[[Any], None]] = {
            Rows: self._rows, Missing: self._missing, Uncovered: self._uncovered, Aside: self._aside,
            Request: self._request, Reject: self._reject, Flush: self._flush, Say: self._say,
        }  # fmt: skip

    def carry(self, effects: Iterable[Effect]) -> None:
        """Carry out effects, in their order; never fails, and blocks as long as the disk does."""
        for effect in effects:
            self._carriers[type(effect)](effect)

    def retry(self) -> None:
        """Try again to write what could not be written, if it is time."""
        if self.failing_since_ns and self._clock() >= self._retry_s:
            self._flush(Flush(True))

    def moved(self) -> tuple[str, ...]:
        """Return the names that files were begun under, and have no more."""
        return tuple(appender.path.name for appender in self._store.appenders() if appender.is_moved())

    def reopen(self) -> None:
        """Write all that there is, and go on in the files that have the names by then."""
        *rows, flush = self._engine.turn()
        self.carry(rows)
        self._store.reopen()
        self.carry([flush])

    def take_renamed(self) -> list[Path]:
        """Return the files that were closed since the last call, as their hour or day was over, or set aside."""
        return self._store.folder.take_renamed()

    def _rows(self, rows: Rows) -> None:
        self._store.backlog.append(rows.kind, rows.symbol, rows.events, rows.now_ms, rows.opening)

    def _missing(self, missing: Missing) -> None:
        self._store.backlog.gap(missing.symbol, missing.gap)
        self._count_and_say(missing.symbol, missing.gap)

    def _count_and_say(self, symbol: str, gap: Gap) -> None:
        self.gaps[symbol, gap.stream] += 1
        log.warning(
            "gap streams=%s symbols=%s from=%s to=%s first_missing=%s last_missing=%s cause=%s",
            gap.stream, symbol, seconds(gap.from_ms), seconds(gap.to_ms),
            *("" if one is None else one for one in (gap.first_missing_id, gap.last_missing_id)), gap.cause,
        )  # fmt: skip

    def _uncovered(self, uncovered: Uncovered) -> None:
        gaps = uncovered.gaps
        for (symbol, _), gap in gaps.items():
            self._store.backlog.gap(symbol, gap)
        self.gaps.update(gaps.keys())
        symbols, streams = sorted({symbol for symbol, _ in gaps}), dict.fromkeys(stream for _, stream in gaps)
        log.warning(
            "gap streams=%s symbols=%s%s from=%s to=%s cause=%s",
            ",".join(streams), ",".join(symbols[:NAMES]),
            f",…+{len(symbols) - NAMES}" if len(symbols) > NAMES else "",
            seconds(min(gap.from_ms for gap in gaps.values())), seconds(max(gap.to_ms for gap in gaps.values())),
            next(iter(gaps.values())).cause,
        )  # fmt: skip

    def _aside(self, aside: Aside) -> None:
        self._store.backlog.set_aside(aside.kind, aside.symbol, aside.why)

    def _request(self, request: Request) -> None:
        self._ask(request.ask)

    def _reject(self, reject: Reject) -> None:
        self._store.rejects.add(reject.source, reject.received_ns, reject.reason, reject.data)
        if self._may_say("reject") is not None:
            log.warning("reject source=%r why=%r rejects=%d", reject.source, reject.reason, self._store.rejects.count)

    def _say(self, say: Say) -> None:
        log.log(_LEVELS[say.level], say.text, *say.values)

    def _flush(self, flush: Flush) -> None:
        """Write what the store has, and let trades be fetched again that another program took out of their files."""
        self._keep(sync=flush.sync)
        try:
            written = self._store.flush(sync=flush.sync)
        except StoreError as error:
            if (held_back := self._may_say(f"write failed {error}")) is not None:
                pending = self._store.backlog.pending_bytes
                log.error("write failed why=%s pending_bytes=%d held_back=%d next=retry", error, pending, held_back)
            else:
                log.debug("write failed again pending_bytes=%d", self._store.backlog.pending_bytes)
            self.failing_since_ns = self.failing_since_ns or self._wall_ns()
            self._retry_s = self._clock() + RETRY_S
        else:
            if self.failing_since_ns:
                log.warning("write works again written_bytes=%d", written)
            self.failing_since_ns = 0
            log.debug("flush written_bytes=%d", written)
        self.flushes += flush.sync
        for symbol, (gap, waiting, begins) in self._store.take_destroyed():
            if gap.first_missing_id is None:  # the store has it in the ledger already
                self._count_and_say(symbol, gap)
                continue
            self.rewound = True
            missing = self._store.sheets.ledger_end(gap.stream, symbol)
            self.carry(self._engine.destroyed(symbol, gap, waiting, missing, begins=begins))

    def _may_say(self, event: str) -> int | None:
        """Return None where an event was said within the last minute, else how many were held back since."""
        now_s = self._clock()
        if now_s - self._said_s.get(event, now_s - LOG_REPEAT_S) < LOG_REPEAT_S:
            self._held_back[event] += 1
            return None
        self._said_s[event] = now_s
        return self._held_back.pop(event, 0)
