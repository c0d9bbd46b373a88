"""The consumer: decode, order, format, append. The one owner of all state; it neither blocks nor waits itself."""

import logging
import time
from collections.abc import Callable, Sequence

from . import rows, wire
from .coverage import Coverage, Outage
from .errors import DecodeError, StoreError
from .events import Answer, Ask, Bad, Batch, Depth, Event, Gap, Heartbeat, Lost, Trade
from .inbox import Message
from .reorder import Reorder
from .settings import Settings
from .stats import Stats, StatusLine
from .store import Store
from .tape import Bounds, Item, Outcome, Tape
from .wire import Group

log = logging.getLogger(__name__)

TURN_MESSAGES = 40_000  # beyond so many a turn comes early, so that memory stays flat at full speed …
TURN_MESSAGES_A_SYMBOL = 400  # … or so many for each symbol, since a turn costs a write for each file
HELD_TRADES = 500_000  # over all symbols
STATUS_S = 60.0
RETRY_S = 5.0
LOG_REPEAT_S = 60.0


class Market:
    """One symbol's state: what of each stream is at rest, and its tape."""

    def __init__(self, symbol: str, store: Store, bounds: Bounds) -> None:
        self.symbol = symbol
        book = store.last_row(rows.ORDERBOOK, symbol)
        self.quotes = Reorder()
        self.books = Reorder(int(book.split(",", 2)[1]) if book else -1)
        self.tape = Tape(bounds, store.last_row(rows.TRADES, symbol), store.ledger_end(symbol))
        self.trades: list[str] = []
        self.resume_ms = {kind: store.last_time_ms(kind, symbol) for kind in (rows.PRICES, rows.ORDERBOOK)}
        self.book_ids: dict[int, int] = {}  # each connection's newest


class Collector:
    """Takes what the inbox brought, and writes it; every method returns soon."""

    def __init__(
        self,
        settings: Settings,
        groups: Sequence[Group],
        store: Store,
        ask: Callable[[Ask], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.stats = Stats()
        self._settings = settings
        self._store = store
        self._ask = ask
        self._clock, self._wall_ns = clock, wall_ns
        bounds = Bounds(settings.history, settings.backfill_limit, settings.hold_trades, settings.hold_s)
        self._levels, self._receive_time = settings.order_book_levels, settings.receive_time
        self._groups = groups
        self._coverage = [Coverage() for _ in groups]
        self._markets = {symbol: Market(symbol, store, bounds) for group in groups for symbol in group.symbols}
        now_s = clock()
        self._turn_every_s = settings.flush_interval_s / 2
        self._turn_s = now_s + self._turn_every_s
        self._fresh_messages = 0
        self._turn_messages = max(TURN_MESSAGES, TURN_MESSAGES_A_SYMBOL * len(self._markets))
        self._status = StatusLine(now_s)
        self._status_s = now_s + STATUS_S
        self._reject_said_s = -LOG_REPEAT_S
        self._failing = False

    def take(self, message: Message) -> None:
        """Take one message of the inbox."""
        if isinstance(message, Batch):
            self._batch(message)
        elif isinstance(message, Answer):
            self._answer(message)
        elif isinstance(message, Lost):
            self._lost(message)
        else:
            self._reject(message)

    def step(self, queued: int = 0) -> None:
        """Do what time asks for: holes, flushes, the status line. `queued` is how many messages wait."""
        now_s = self._clock()
        for market in self._markets.values():
            if market.tape.waiting:
                self._apply(market, market.tape.tick(now_s))
                wanted = market.tape.ask(now_s)
                if wanted:
                    self._ask(wire.ask_page(market.symbol, *wanted))
        if now_s >= self._turn_s:
            self._bound_held(now_s)
            self.turn()
        elif self._fresh_messages >= self._turn_messages:
            self._move()
            self._flush(sync=False)
        if now_s >= self._status_s:
            self._status_s = now_s + STATUS_S
            self._say_status(now_s, queued)

    def turn(self) -> None:
        """Write what has rested for a turn; what came since begins its rest."""
        self._move()
        self._flush()
        self._turn_s = self._clock() + (min(RETRY_S, self._turn_every_s) if self._failing else self._turn_every_s)

    def close(self) -> bool:
        """Write everything, for the end; return whether all of it is on disk."""
        now_s = self._clock()
        for market in self._markets.values():
            self._apply(market, market.tape.close(now_s))
            if market.tape.held:
                log.info("trades held symbol=%s count=%d the_next_start=fetches_them", market.symbol, market.tape.held)
        self._move()
        self._move()
        self._flush()
        return not self._failing

    def _move(self) -> None:
        """Hand what has rested to the store."""
        self._fresh_messages = 0
        for market in self._markets.values():
            trades, market.trades = market.trades, []
            rested = (market.quotes.turn(), market.books.turn(), trades)
            for kind, lines in zip(rows.KINDS, rested, strict=True):
                if lines:
                    self._store.append(kind, market.symbol, lines)
                    self.stats.rows[kind] += len(lines)

    def _flush(self, *, sync: bool = True) -> None:
        try:
            written = self._store.flush(sync=sync)
        except StoreError as error:
            log.error("write failed why=%s pending_bytes=%d next=retry", error, self._store.pending_bytes)
            self._failing = True
        else:
            if self._failing:
                log.warning("write works again written_bytes=%d", written)
            self._failing = False
            log.debug("flush written_bytes=%d", written)

    def _batch(self, batch: Batch) -> None:
        # One character a byte, so that the bounds hold for the text too; what is not ASCII goes back to bytes.
        text = str(batch.data, "latin-1")
        stamp = f",{batch.received_ns}" if self._receive_time else ""
        quote_shape, middle, markets = wire.quote_shape, rows.middle, self._markets
        newest = ""
        newest_ms = 0
        bounds = iter(batch.bounds)
        for start, stop in zip(bounds, bounds, strict=True):
            match = quote_shape(text, start, stop)
            if match is not None:
                # Five of six frames: straight from the text to the row, at half the price of the way by an event.
                update_id, symbol, bid, ask, event_ms, sent_ms = match.groups()
                market = markets.get(symbol)
                if market is not None:
                    row = f"{event_ms[:-3]}.{event_ms[-3:]},{bid},{ask},{middle(bid, ask)}{stamp}"
                    market.quotes.add(int(update_id), row)
                    if sent_ms > newest:  # both of 13 digits
                        newest = sent_ms
                    continue
            try:
                sent = self._event(wire.decode(text, start, stop), batch, stamp)
            except DecodeError as error:
                self._reject(Bad(batch.connection, batch.received_ns, str(error), batch.data[start:stop]))
            else:
                if sent > newest_ms:
                    newest_ms = sent
        self._fresh_messages += len(batch.bounds) // 2
        self.stats.newest_frame_ns = max(self.stats.newest_frame_ns, batch.received_ns)
        newest_ms = max(newest_ms, int(newest or 0))
        if newest_ms:
            self._covered(batch, newest_ms)

    def _event(self, event: Event, batch: Batch, stamp: str) -> int:
        """Take one event; return when it was sent, in the exchange's milliseconds."""
        if isinstance(event, Heartbeat):
            return event.sent_ms
        market = self._markets.get(event.symbol)
        if market is None:
            raise DecodeError(f"unknown symbol: {event.symbol[:40]!r}")
        received_ms = batch.received_ns // 1_000_000
        time_ms = event.event_ms or received_ms
        if isinstance(event, Trade):
            row = rows.trade_row(event, time_ms) + stamp
            if market.tape.passes(event.id, time_ms):
                market.trades.append(row)
            else:
                self._apply(market, market.tape.add(Item(event.id, time_ms, row), self._clock()))
        elif isinstance(event, Depth):
            self._note_skipped(market, event, batch.connection)
            market.books.add(event.update_id, rows.depth_row(event, time_ms, self._levels) + stamp)
        else:
            market.quotes.add(event.update_id, rows.quote_row(event, time_ms) + stamp)
        return event.sent_ms or received_ms

    def _note_skipped(self, market: Market, depth: Depth, connection: int) -> None:
        """Count a snapshot that the stream itself left out: the one that it names as previous is not the last."""
        before_id = market.book_ids.get(connection)
        if before_id is None or depth.update_id > before_id:
            market.book_ids[connection] = depth.update_id
            if before_id is not None and depth.previous_update_id not in (None, before_id):
                self.stats.skipped += 1

    def _apply(self, market: Market, outcome: Outcome) -> None:
        """Do what a tape says: rows to the file, gaps to the ledger, a foreign file aside."""
        if outcome.foreign:
            self._store.set_aside(rows.TRADES, market.symbol, "ids_of_another_id_space")
        for gap in outcome.gaps:
            self._gap(market.symbol, gap)
        if outcome.rows:
            market.trades += outcome.rows

    def _gap(self, symbol: str, gap: Gap) -> None:
        self._store.gap(symbol, gap)
        self.stats.gaps[gap.stream] += 1
        log.warning(
            "gap symbol=%s stream=%s from=%s to=%s first_missing=%s last_missing=%s cause=%s",
            symbol, gap.stream, rows.seconds(gap.from_ms), rows.seconds(gap.to_ms),
            gap.first_missing_id, gap.last_missing_id, gap.cause,
        )  # fmt: skip

    def _covered(self, batch: Batch, sent_ms: int) -> None:
        coverage = self._coverage[batch.group]
        if coverage.covered_ms is None:
            for symbol in self._groups[batch.group].symbols:
                for kind, resume_ms in self._markets[symbol].resume_ms.items():
                    if resume_ms is not None and resume_ms < sent_ms:
                        self._gap(symbol, Gap(kind, resume_ms, sent_ms, None, None, "restart"))
        self._outage(batch.group, coverage.frame(batch.connection, sent_ms))

    def _outage(self, group: int, outage: Outage | None) -> None:
        if outage is None:
            return
        for symbol in self._groups[group].symbols:
            for kind in (rows.PRICES, rows.ORDERBOOK):
                self._gap(symbol, Gap(kind, outage.from_ms, outage.to_ms, None, None, "reconnect"))

    def _lost(self, lost: Lost) -> None:
        if lost.reason != "hand-over":
            self.stats.lost[lost.reason] += 1
        for symbol in self._groups[lost.group].symbols:
            self._markets[symbol].book_ids.pop(lost.connection, None)
        self._outage(lost.group, self._coverage[lost.group].lost(lost.connection))

    def _answer(self, answer: Answer) -> None:
        market = self._markets[answer.ask.symbol]
        items: list[Item] = []
        if answer.refused:
            log.warning("page refused symbol=%s from_id=%d why=%s", market.symbol, answer.ask.first_id, answer.refused)
        else:
            try:
                page = wire.decode_page(market.symbol, answer.value)
                stamp = f",{answer.received_ns}" if self._receive_time else ""
                for trade in page:
                    time_ms = trade.event_ms or answer.received_ns // 1_000_000
                    items.append(Item(trade.id, time_ms, rows.trade_row(trade, time_ms) + stamp))
            except DecodeError as error:
                log.warning("page unreadable symbol=%s from_id=%d why=%s", market.symbol, answer.ask.first_id, error)
        self._apply(market, market.tape.page(answer.ask.first_id, items, self._clock()))

    def _reject(self, bad: Bad) -> None:
        self._store.reject(f"connection {bad.connection}", bad.received_ns, bad.reason, bad.data)
        now_s = self._clock()
        if now_s - self._reject_said_s >= LOG_REPEAT_S:
            self._reject_said_s = now_s
            log.warning("reject connection=%d why=%r rejects=%d", bad.connection, bad.reason, self._store.rejects)

    def _bound_held(self, now_s: float) -> None:
        """Keep what all tapes hold together within memory: the one that holds most gives up first."""
        while sum(market.tape.held for market in self._markets.values()) > HELD_TRADES:
            market = max(self._markets.values(), key=lambda market: market.tape.held)
            self._apply(market, market.tape.give_up(now_s))

    def _say_status(self, now_s: float, queued: int) -> None:
        held = sum(market.tape.held for market in self._markets.values())
        facts = {"rejects": self._store.rejects, "held_trades": held, "queue": queued}
        log.info("status %s", self._status.line(self.stats, now_s, self._wall_ns(), **facts))
