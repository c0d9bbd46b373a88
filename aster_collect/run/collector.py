"""The consumer: decode, order, format, append. The one owner of all state; it neither blocks nor waits itself."""

import contextlib
import json
import logging
import os
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from .. import __version__
from ..errors import ConfigError, DecodeError, StoreError
from ..exchange import rows, wire
from ..exchange.events import (
    HAND_OVER,
    Answer,
    Ask,
    Bad,
    Batch,
    Delisted,
    Depth,
    Event,
    Gap,
    Heartbeat,
    Item,
    Listed,
    Lost,
    Opened,
    Trade,
    Wanted,
)
from ..exchange.wire import Group
from ..files.store import Store
from ..net.inbox import Message
from ..order.bundle import Bundle, Stretch, pause
from ..order.market import Market
from ..order.offset import ASK_EVERY_S, ClockOffset
from ..order.tape import Bounds, Outcome
from ..settings import Settings
from ..watch.links import Links
from ..watch.snapshot import DELAY_BOUNDS_S, Delays, Snapshot

log = logging.getLogger(__name__)

TURN_MESSAGES = 40_000  # beyond so many a turn comes early, so that memory stays flat at full speed …
TURN_MESSAGES_A_SYMBOL = 400  # … or so many for each symbol, since a turn costs a write for each file
MIDDLES_A_SYMBOL = 128
HELD_TRADES = 500_000  # over all symbols
REMEMBERED_IDS = 2_000_000  # over all symbols, of eight bytes: two minutes of 16,000 rows a second
RETRY_S = 5.0
SETTLE_S = 2.0  # how long a stop waits for pages
REDUNDANT_REST_S = 2.0  # longer than a relieved connection is read on: what it brings last still finds its place
LOG_REPEAT_S = 60.0
SHOWN_PRICES = 4
NAMES = 5  # in one log line
UNCOVERED = (rows.PRICES, rows.ORDERBOOK)  # what can't be fetched afterwards


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
        self.flushes = 0
        self._settings = settings
        self._store = store
        self._ask = ask
        self._clock, self._wall_ns = clock, wall_ns
        self._bounds = Bounds(settings.history, settings.backfill_limit, settings.hold_trades, settings.hold_s)
        self._levels, self._receive_time = settings.order_book_levels, settings.receive_time
        self._bundles: list[Bundle] = []
        self._unopened: dict[str, Bundle] = {}  # new symbols whose files could not be opened
        self._markets: dict[str, Market] = {}
        self._links = Links()
        for group in groups:
            self._add(group)
        # Most changes of a best bid or offer change a quantity only, or bring back a price of a moment ago.
        self._middle = lru_cache(maxsize=MIDDLES_A_SYMBOL * max(8, len(self._markets)))(rows.middle)
        now_s = clock()
        self._started_ns = wall_ns()
        self._settled_s: float | None = None  # from when on the end waits for no answer
        self._turn_every_s = settings.flush_interval_s / 2
        self._turn_s = now_s + self._turn_every_s
        self._fresh_messages = 0
        self._offset = ClockOffset(settings.max_clock_offset_s, now_s)
        self._offset_said_s = now_s - ASK_EVERY_S
        self._disk_s = now_s
        self._reject_said_s = -LOG_REPEAT_S
        self._failing_since_ns = 0
        self._newest_frame_ns = 0
        self._skipped = 0
        self._lost_reasons: Counter[str] = Counter()
        self._delays = [0] * (len(DELAY_BOUNDS_S) + 1)
        self._delay_sum_s = 0.0

    def _add(self, group: Group) -> None:
        for symbol in group.symbols:
            self._begin(symbol)
        self._bundles.append(Bundle(group.symbols))

    def _begin(self, symbol: str) -> None:
        store = self._store
        last_rows = {kind: store.last_row(kind, symbol) for kind in rows.KINDS}
        last_quotes = store.last_rows(rows.PRICES, symbol)
        self._markets[symbol] = Market(symbol, last_rows, store.ledger_end(symbol), self._bounds, last_quotes)

    def _add_listed(self, symbols: tuple[str, ...]) -> None:
        """Take new symbols; where files can't be opened the others go on without it, and it is tried again."""
        bundle = Bundle(())
        self._bundles.append(bundle)
        self._unopened |= dict.fromkeys(symbols, bundle)
        self._open_listed()

    def _open_listed(self) -> None:
        for symbol, bundle in list(self._unopened.items()):
            try:
                self._store.open(symbol)
            except (ConfigError, StoreError) as error:
                log.error("symbol not collected symbol=%s why=%s next=retry", symbol, error)
                continue
            self._begin(symbol)
            bundle.symbols += (symbol,)
            del self._unopened[symbol]
            now_ms = bundle.now_ms(self._clock())
            if now_ms is not None:  # its first frame came and went: the file, if there was one, ends before
                self._resumed([symbol], now_ms)
                self._markets[symbol].tape.end_outage(self._clock())

    def take(self, message: Message) -> None:
        """Take one message of the inbox."""
        if isinstance(message, Batch):
            self._batch(message)
        elif isinstance(message, Answer):
            self._answer(message)
        elif isinstance(message, Lost):
            self._lost(message)
        elif isinstance(message, Wanted):
            self._links.wanted(message.connection, message.place)
            self._bundles[message.group].wanted(message.connection)
        elif isinstance(message, Opened):
            self._links.opened(message.connection, message.opened_ns)
            self._bundles[message.group].opened(message.connection, message.opened_s)
            self._offset.connected(self._clock())
        elif isinstance(message, Bad):
            self._reject(message)
        elif isinstance(message, Listed):
            self._add_listed(message.symbols)
        elif isinstance(message, Delisted):
            for symbol, market in self._markets.items():
                market.listed = symbol not in message.symbols
        else:
            self._move()
            self._store.reopen()
            self._flush()

    def step(self) -> None:
        """Do what time asks for: holes, flushes, a look at the disk and at the exchange's clock."""
        now_s = self._clock()
        for market in self._markets.values():
            if market.tape.waiting:
                self._apply(market, market.tape.tick(now_s))
                if wanted := market.tape.ask(now_s):
                    self._ask(wire.ask_page(market.symbol, *wanted))
                if wanted := market.tape.ask_quiet(now_s):
                    self._ask(wire.ask_page(market.symbol, *wanted)._replace(patient=self._settled_s is None))
        if now_s >= self._turn_s:
            self._bound_held(now_s)
            self.turn()
        elif self._fresh_messages >= max(TURN_MESSAGES, TURN_MESSAGES_A_SYMBOL * len(self._markets)):
            self._bound_held(now_s)
            self._move()
            self._flush(sync=False)
        if self._offset.due(now_s):
            self._ask(wire.ask_time())
        if now_s >= self._disk_s:
            self._disk_s = now_s + LOG_REPEAT_S
            self._open_listed()
            free_mb = self._store.free_bytes() >> 20
            if free_mb < self._settings.min_free_mb:
                log.warning("disk low free_mb=%d min_free_mb=%d", free_mb, self._settings.min_free_mb)

    def take_closed(self) -> list[Path]:
        """Return the files that were closed since the last call because their hour or day was over."""
        return self._store.take_closed()

    def turn(self) -> None:
        """Write what has rested for a turn; what came since begins its rest."""
        self._move()
        self._flush()
        pause_s = min(RETRY_S, self._turn_every_s) if self._failing_since_ns else self._turn_every_s
        self._turn_s = self._clock() + pause_s

    def settle(self, stopped_s: float) -> bool:
        """Have REST asked before the end where trades may be missing; return whether nothing is open, or time is up.

        To be called until it returns True, once nothing comes any more but answers; `stopped_s` is until when
        connections were to deliver.
        """
        now_s = self._clock()
        if self._settled_s is None:
            self._settled_s = now_s + SETTLE_S
            for bundle in self._bundles:
                for symbol in bundle.symbols if bundle.silent(stopped_s) else ():
                    self._markets[symbol].tape.begin_outage()
            for market in self._markets.values():
                market.tape.hurry()
            self.step()
        return now_s >= self._settled_s or not any(market.tape.unanswered for market in self._markets.values())

    def close(self) -> bool:
        """Write everything, for the end; return whether all of it is on disk."""
        self._end_tapes()
        self._move(everything=True)
        self._move(everything=True)
        for bundle in self._bundles:
            for stretch in bundle.close():
                self._outage(bundle, stretch)
        if self._flush():
            self._end_tapes()
            self._move(everything=True)
            self._flush()
        return not self._failing_since_ns

    def _end_tapes(self) -> None:
        now_s = self._clock()
        for bundle in self._bundles:
            now_ms = bundle.now_ms(now_s) or self._wall_ns() // 1_000_000
            for symbol in bundle.symbols:
                market = self._markets[symbol]
                self._apply(market, market.tape.close(now_s, now_ms))
                if market.tape.held:
                    log.info("trades held symbol=%s count=%d the_next_start=fetches_them", symbol, market.tape.held)

    def say_unwritten(self) -> None:
        """Say what is not on disk, when nothing is tried any more."""
        files, count, trades, size = self._store.unwritten()
        log.error(
            "rows not written files=%d rows=%d trades=%d bytes=%d next=the_next_start_fetches_the_trades why=%s",
            files, count, trades, size, self._store.last_error,
        )  # fmt: skip

    def _move(self, *, everything: bool = False) -> None:
        """Hand what has rested to the store; where several connections bring the same, it rests a while at least."""
        self._fresh_messages = 0
        now_s = self._clock()
        for bundle in self._bundles:
            if bundle.redundant and not everything and now_s - bundle.moved_s < REDUNDANT_REST_S:
                continue
            remembers = bundle.redundant or bundle.was_redundant
            now_ms = bundle.now_ms(now_s) or self._wall_ns() // 1_000_000
            for symbol in bundle.symbols:
                self._move_market(self._markets[symbol], now_s if remembers else None, now_ms)
            bundle.moved_s, bundle.was_redundant = now_s, bundle.redundant
        self._bound_remembered()

    def _move_market(self, market: Market, remember_s: float | None, now_ms: int) -> None:
        for kind, lines in market.turn(remember_s):
            self._store.append(kind, market.symbol, lines, now_ms)
        for kind in UNCOVERED:
            for stretch in market.set_back(kind):
                self._tell_gap(market.symbol, stretch)
            if market.starts_over(kind):
                lost = market.lost_ids(kind)
                self._store.append(kind, market.symbol, market.start_over(kind))
                self._tell_gap(market.symbol, lost)
                self._store.set_aside(kind, market.symbol, "update_ids_began_anew")
            elif (gap := market.late(kind)) is not None:
                self._tell_gap(market.symbol, gap)

    def _flush(self, *, sync: bool = True) -> bool:
        """Write what the store has; return whether trades have to be fetched again for it."""
        try:
            written = self._store.flush(sync=sync)
        except StoreError as error:
            log.error("write failed why=%s pending_bytes=%d next=retry", error, self._store.pending_bytes)
            self._failing_since_ns = self._failing_since_ns or self._wall_ns()
        else:
            if self._failing_since_ns:
                log.warning("write works again written_bytes=%d", written)
            self._failing_since_ns = 0
            log.debug("flush written_bytes=%d", written)
        self.flushes += sync
        return self._take_destroyed()

    def _batch(self, batch: Batch) -> None:
        # One character a byte, so that the bounds hold for the text too; what is not ASCII goes back to bytes.
        text = str(batch.data, "latin-1")
        stamp = f",{batch.received_ns}" if self._receive_time else ""
        quote_shape, middle, markets = wire.quote_shape, self._middle, self._markets
        bundle = self._bundles[batch.group]
        if bundle.down:  # before its trades are taken, which may answer the question already
            for symbol in bundle.symbols:
                markets[symbol].tape.end_outage(self._clock())
        newest_quote = None
        newest_ms = 0
        bounds = iter(batch.bounds)
        for start, stop in zip(bounds, bounds, strict=True):
            match = quote_shape(text, start, stop)
            if match is not None:
                # Five of six frames: straight from the text to the row, at half the price of the way by an event.
                update_id, symbol, bid, ask, event_s, event_ms, sent_ms = match.groups()
                market = markets.get(symbol)
                if market is not None:
                    row = f"{event_s}.{event_ms},{bid},{ask},{middle(bid, ask)}{stamp}"
                    market.quotes.add(int(update_id), row)
                    market.quote_frames += 1
                    newest_quote = match
                    continue
            try:
                sent = self._event(wire.decode(text, start, stop), batch, stamp)
            except DecodeError as error:
                self._reject(Bad(batch.connection, batch.received_ns, str(error), batch.data[start:stop]))
            else:
                if sent > newest_ms:
                    newest_ms = sent
        self._fresh_messages += len(batch.bounds) // 2
        lag_ms = None
        if newest_quote is not None:
            *_, event_s, event_ms, sent_ms = newest_quote.groups()
            made_ms = int(event_s + event_ms)
            newest_ms = max(newest_ms, int(sent_ms), made_ms)
            lag_ms = int(sent_ms) - made_ms
        if newest_ms:  # what can't be read is no sign of health
            self._links.delivered(batch.connection, batch.received_ns, len(batch.bounds) // 2)
            self._newest_frame_ns = max(self._newest_frame_ns, batch.received_ns)
            delay_s = batch.received_ns / 1e9 - newest_ms / 1e3
            self._delays[bisect_left(DELAY_BOUNDS_S, delay_s)] += 1
            self._delay_sum_s += delay_s
            self._covered(batch, text, newest_ms)
            if lag_ms is not None:
                bundle.lags(lag_ms)

    def _event(self, event: Event, batch: Batch, stamp: str) -> int:
        """Take one event; return when it was sent, in the exchange's milliseconds, 0 where it does not say."""
        if isinstance(event, Heartbeat):
            return event.sent_ms
        market = self._markets.get(event.symbol)
        if market is None and event.symbol in self._unopened:
            return _sent_ms(event)
        if market is None:
            raise DecodeError(f"unknown symbol: {event.symbol[:40]!r}")
        received_ms = batch.received_ns // 1_000_000
        time_ms = event.event_ms or received_ms
        if isinstance(event, Trade):
            if market.tape.is_beyond(event.id):
                raise DecodeError("odd field: a")
            market.trade_frames += 1
            row = rows.trade_row(event, time_ms) + stamp
            if market.tape.passes(event.id, time_ms):
                market.trades.append(row)
            else:
                self._apply(market, market.tape.add(Item(event.id, time_ms, row), self._clock()))
        elif isinstance(event, Depth):
            self._skipped += market.skips_a_book(event, batch.connection)
            market.books.add(event.update_id, rows.depth_row(event, time_ms, self._levels) + stamp)
        else:
            market.quote_frames += 1
            market.quotes.add(event.update_id, rows.quote_row(event, time_ms) + stamp)
        sent_ms = event.sent_ms
        return time_ms if sent_ms is None or sent_ms < time_ms else sent_ms  # a sender's clock can be behind

    def _apply(self, market: Market, outcome: Outcome) -> None:
        """Do what a tape says: rows to the file, gaps to the ledger, a foreign file aside."""
        if outcome.former is not None:
            self._apply(market, outcome.former)
            self._store.append(rows.TRADES, market.symbol, market.trades)
            market.trades = []
            self._store.set_aside(rows.TRADES, market.symbol, "ids_of_another_id_space")
        for gap in outcome.gaps:
            self._tell_gap(market.symbol, gap)
        for row in outcome.odd:
            source = f"trades of {market.symbol}"
            self._store.reject(source, self._wall_ns(), "contradicts the ids around it", row.encode("ascii"))
        market.trades += outcome.rows
        self._fresh_messages += len(outcome.rows)

    def _take_destroyed(self) -> bool:
        """Fetch trades again that another program took out of their files; return whether there are any.

        Of quotes and books the ledger says by now what is gone.
        """
        again = False
        for symbol, (gap, waiting, begins) in self._store.take_destroyed():
            market = self._markets[symbol]
            if gap.first_missing_id is None:
                market.gaps[gap.stream] += 1
                _say_gap(symbol, gap)
                continue
            log.warning(
                "trades destroyed symbol=%s first=%d last=%d next=fetched_again",
                symbol, gap.first_missing_id, gap.last_missing_id,
            )  # fmt: skip
            again = True
            waiting, market.trades = [*waiting, *market.trades], []
            items = [Item(rows.row_id(line), rows.row_time_ms(rows.TRADES, line), line) for line in waiting]
            recorded = self._store.ledger_end(symbol)
            self._apply(market, market.tape.rewind(gap, items, recorded, self._clock(), begins=begins))
        return again

    def _tell_gap(self, symbol: str, gap: Gap) -> None:
        self._gap(symbol, gap)
        _say_gap(symbol, gap)

    def _gap(self, symbol: str, gap: Gap) -> None:
        self._store.gap(symbol, gap)
        self._markets[symbol].gaps[gap.stream] += 1

    def _covered(self, batch: Batch, text: str, newest_ms: int) -> None:
        """Note how far a connection covers its streams; the first frame of all ends the time without a collector."""
        bundle = self._bundles[batch.group]
        first_ms = newest_ms
        if bundle.is_new(batch.connection):
            with contextlib.suppress(DecodeError):
                first_ms = _sent_ms(wire.decode(text, *batch.bounds[:2])) or newest_ms
        begun_ms = bundle.begun_ms
        wall_ms = batch.received_ns // 1_000_000
        outage = bundle.frames(batch.connection, first_ms, newest_ms, batch.received_s, wall_ms)
        if begun_ms is None and bundle.begun_ms is not None:
            self._resumed(bundle.symbols, bundle.begun_ms)
        if outage is not None:
            self._outage(bundle, outage)

    def _resumed(self, symbols: Sequence[str], first_ms: int) -> None:
        """Record the time since the last rows of the files, in which nobody collected."""
        now_ms = self._wall_ns() // 1_000_000
        stretches = {}
        for symbol in symbols:
            for kind in UNCOVERED:
                last_ms = self._markets[symbol].last_ms[kind]
                if last_ms:
                    paused_ms = now_ms - self._store.touched_ms(kind, symbol)
                    stretches[symbol, kind] = pause(last_ms, first_ms, paused_ms)
        self._uncovered(stretches)

    def _outage(self, bundle: Bundle, stretch: Stretch) -> None:
        self._uncovered({(symbol, kind): stretch for symbol in bundle.symbols for kind in UNCOVERED})

    def _uncovered(self, stretches: dict[tuple[str, str], Stretch]) -> None:
        """Record for streams, by symbol and kind, the time in which they were not covered."""
        for (symbol, kind), (from_ms, to_ms, cause) in stretches.items():
            self._gap(symbol, Gap(kind, from_ms, to_ms, None, None, cause))
        if stretches:
            symbols = sorted({symbol for symbol, _ in stretches})
            log.warning(
                "gap streams=%s,%s symbols=%s%s from=%s to=%s cause=%s",
                rows.PRICES, rows.ORDERBOOK, ",".join(symbols[:NAMES]),
                f",…+{len(symbols) - NAMES}" if len(symbols) > NAMES else "",
                rows.seconds(min(stretch.from_ms for stretch in stretches.values())),
                rows.seconds(max(stretch.to_ms for stretch in stretches.values())),
                next(iter(stretches.values())).cause,
            )  # fmt: skip

    def _lost(self, lost: Lost) -> None:
        if lost.reason != HAND_OVER:
            self._lost_reasons[lost.reason] += 1
        (self._links.ended if lost.over else self._links.lost)(lost.connection)
        bundle = self._bundles[lost.group]
        for symbol in bundle.symbols:
            self._markets[symbol].lost(lost.connection)
        outage = bundle.lost(lost.connection, lost.over)
        if bundle.down:
            for symbol in bundle.symbols:
                self._markets[symbol].tape.begin_outage()
        if outage is not None:
            self._outage(bundle, outage)

    def _answer(self, answer: Answer) -> None:
        if not answer.ask.symbol:
            self._exchange_clock(answer)
            return
        market, first_id = self._markets[answer.ask.symbol], answer.ask.first_id
        outcome, why, odd = market.page(answer, self._receive_time, self._clock())
        if why:
            log.warning("page unusable symbol=%s from_id=%d why=%s", market.symbol, first_id, why)
        for reason, item in odd:
            self._store.reject(f"page of {market.symbol}", answer.received_ns, reason, json.dumps(item).encode())
        self._apply(market, outcome)

    def _reject(self, bad: Bad) -> None:
        place = self._links.place(bad.connection)
        self._store.reject(f"connection {place}", bad.received_ns, bad.reason, bad.data)
        now_s = self._clock()
        if now_s - self._reject_said_s >= LOG_REPEAT_S:
            self._reject_said_s = now_s
            log.warning("reject connection=%d why=%r rejects=%d", place, bad.reason, self._store.rejects)

    def _bound_remembered(self) -> None:
        """Keep what tells late rows from doubles within memory, over all symbols."""
        while sum(market.remembered for market in self._markets.values()) > REMEMBERED_IDS:
            max(self._markets.values(), key=lambda market: market.remembered).forget()

    def _bound_held(self, now_s: float) -> None:
        """Keep what all tapes hold together within memory: the one that holds most gives up first."""
        while sum(market.tape.held for market in self._markets.values()) > HELD_TRADES:
            market = max(self._markets.values(), key=lambda market: market.tape.held)
            self._apply(market, market.tape.give_up(now_s))

    def _exchange_clock(self, answer: Answer) -> None:
        """Note by how much the exchange's clock is ahead of ours, and say so where that is too much."""
        try:
            exchange_ms = wire.decode_time(answer.value)
        except DecodeError as error:
            log.warning("clock unknown why=%s", answer.refused or error)
            return
        offset, now_s = self._offset, self._clock()
        offset.found(exchange_ms, answer.asked_ns, answer.received_ns)
        if offset.off and now_s - self._offset_said_s >= ASK_EVERY_S:
            self._offset_said_s = now_s
            log.warning(
                "clock off offset_ms=%+.0f uncertainty_ms=%.0f max_clock_offset_s=%g",
                offset.offset_ms, offset.uncertainty_ms, self._settings.max_clock_offset_s,
            )  # fmt: skip

    def snapshot(self, queue_batches: int, queue_bytes: int) -> Snapshot:
        """Return how the run stands; the inbox is told, since it is not the collector's."""
        settings, store = self._settings, self._store
        shown = [market for market in self._markets.values() if market.listed][:SHOWN_PRICES]
        return Snapshot(
            version=__version__,
            pid=os.getpid(),
            started_ns=self._started_ns,
            now_ns=self._wall_ns(),
            settings=settings.told(),
            connections=self._links.states(),
            streams=[state for market in self._markets.values() for state in market.states()],
            reconnects=dict(self._lost_reasons),
            newest_frame_ns=self._newest_frame_ns,
            duplicates=sum(market.duplicates() for market in self._markets.values()),
            skipped=self._skipped,
            rejects=store.rejects,
            queue_batches=queue_batches,
            queue_bytes=queue_bytes,
            pending_bytes=store.pending_bytes,
            written_bytes=store.written_bytes,
            free_bytes=store.free_bytes(),
            min_free_bytes=settings.min_free_mb << 20,
            failing_since_ns=self._failing_since_ns,
            last_error=store.last_error,
            clock_offset_ms=self._offset.offset_ms,
            clock_uncertainty_ms=self._offset.uncertainty_ms,
            clock_off=self._offset.off,
            delays=Delays(tuple(self._delays), self._delay_sum_s),
            prices={market.symbol: market.newest_price() for market in shown},
        )


def _sent_ms(event: Event) -> int:
    """Return when an event was sent, by a clock that is not behind that which made it; 0 where it does not say."""
    if isinstance(event, Heartbeat):
        return event.sent_ms
    return max(event.sent_ms or 0, event.event_ms or 0)


def _say_gap(symbol: str, gap: Gap) -> None:
    log.warning(
        "gap streams=%s symbols=%s from=%s to=%s first_missing=%s last_missing=%s cause=%s",
        gap.stream, symbol, rows.seconds(gap.from_ms), rows.seconds(gap.to_ms),
        *("" if one is None else one for one in (gap.first_missing_id, gap.last_missing_id)), gap.cause,
    )  # fmt: skip
