"""One listed symbol: its quotes, trades and books, each a function of its number, and their payloads as sent.

The state of the book changes with each quote. Trades print at the quote in force, depth snapshots and diffs show the
book of the quote in force, so the streams and REST agree with each other without any memory.
"""

from __future__ import annotations

from typing import NamedTuple

from .instruments import QUANTITIES, Writer, instrument
from .noise import GOLDEN, MASK, Walk, mix, salt_of, timeline

EPOCH_US = 1_735_689_600_000_000  # 2025-01-01T00:00:00Z: event 0 of every symbol that was there from the start
DEPTH_SPEEDS_MS = (100, 250, 500)
QUOTE_SHARE, TRADE_SHARE, DEPTH_SHARE = 0.84, 0.11, 0.05
UPDATE_KINDS = 4  # quotes and the three depth speeds each own one of every four update ids
FIRST_FILL_ID = 1_000_000  # single fills have an id space of their own
SEND_DELAY_US = 2_000  # an aggTrade is sent this much after the match, and up to 20 ms more
LEVELS_BELOW = 384  # a side of the book reaches at least this many ticks below its best price
FLOOR_TICKS = 128  # the far end of a side moves in steps, so that it is still while the best price dances
LIQUIDATION_EVERY_S = 30.0
FUNDING_US = 8 * 3600 * 1_000_000
SECOND_US = 1_000_000

Side = list[tuple[int, str]]  # (price in ticks, quantity as text), best first


class Quote(NamedTuple):
    """Best bid and offer; prices in ticks."""

    number: int
    time_us: int
    bid: int
    ask: int
    bid_quantity: str
    ask_quantity: str


class Trade(NamedTuple):
    """An aggregate trade; the number is its id, first and last are the ids of its fills."""

    number: int
    time_us: int
    price: str
    steps: int
    first: int
    last: int
    buyer_is_maker: bool


class Fill(NamedTuple):
    """A single fill; of the insurance fund when it is in no aggregate trade."""

    number: int
    trade: Trade
    steps: int
    insurance_fund: bool


class Listing:
    """One symbol of the market, from its listing to its end, if it has one."""

    def __init__(self, symbol: str, seed: int, rate: float, start_us: int, end_us: int | None = None) -> None:
        """The rate is frames a second over bookTicker, aggTrade and one depth stream."""
        self.symbol = symbol
        self.instrument = grid = instrument(symbol)
        self.start_us = start_us
        self.end_us = end_us
        self.writer = Writer(grid, seed)
        self._price = self.writer.price
        self._walk = Walk(salt_of(seed, symbol, "walk"), grid.base_ticks, grid.volatility)
        depth_rates = [min(rate * DEPTH_SHARE, 1000 / speed) for speed in DEPTH_SPEEDS_MS]
        trade_rate = rate * TRADE_SHARE
        # What the fastest depth stream may not use is made up in quotes, so that the total is the rate.
        quote_rate = rate - trade_rate - depth_rates[0]
        self.quotes = timeline(quote_rate, start_us, salt_of(seed, symbol, "quotes"))
        self.trades = timeline(trade_rate, start_us, salt_of(seed, symbol, "trades"))
        self.depths = [
            timeline(depth_rate, start_us, salt_of(seed, symbol, "depth", speed), jitter=0.05)
            for depth_rate, speed in zip(depth_rates, DEPTH_SPEEDS_MS, strict=True)
        ]
        self.liquidations = timeline(1 / LIQUIDATION_EVERY_S, start_us, salt_of(seed, symbol, "liquidations"))
        self._thin_salt = salt_of(seed, symbol, "thin")
        self._mark_salt = salt_of(seed, symbol, "mark")
        self._delay_us = min(20_000, self.trades.spacing_us // 2)

    # Quotes

    def quote(self, number: int) -> Quote:
        """The state of the best bid and offer after a quote event."""
        time_us = self.quotes.time_us(number)
        bits = mix(self.quotes.salt ^ GOLDEN, number)
        middle = int(self._walk.at(time_us))
        # The spread is one tick, in a fifth of the states two to four.
        bid = middle - (bits & 3 == 0)
        ask = middle + 1 + (bits >> 2 & 1 if bits & 24 == 0 else 0) + (bits >> 5 & 1 if bits & 448 == 0 else 0)
        quantities = self.writer.quantities
        return Quote(number, time_us, bid, ask, quantities[bits >> 20 & 1023], quantities[bits >> 40 & 1023])

    def quote_at(self, time_us: int) -> Quote:
        """The quote in force at a time."""
        return self.quote(self.quotes.last_at(time_us))

    def quote_text(self, number: int) -> str:
        """The bookTicker payload of a quote event."""
        quote = self.quote(number)
        price, time_ms = self._price, quote.time_us // 1000
        return (
            f'{{"e":"bookTicker","u":{self.update_id(quote.time_us, 0)},"s":"{self.symbol}",'
            f'"b":"{price(quote.bid)}","B":"{quote.bid_quantity}",'
            f'"a":"{price(quote.ask)}","A":"{quote.ask_quantity}","T":{time_ms},"E":{time_ms}}}'
        )

    @staticmethod
    def update_id(time_us: int, kind: int) -> int:
        """The update id of a change of the book: rises with time, and no two kinds share one."""
        return (time_us - EPOCH_US) * UPDATE_KINDS + kind

    # Trades

    def first_fill(self, number: int) -> int:
        """The id of the first fill of an aggregate trade."""
        # One, two or three fills a trade: every second id is a border, some are moved by one.
        return FIRST_FILL_ID + 2 * number + (mix(self.trades.salt ^ MASK, number) & 1)

    def trade(self, number: int) -> Trade:
        """An aggregate trade by its id, from 1."""
        time_us = self.trades.time_us(number)
        bits = mix(self.trades.salt ^ GOLDEN, number)
        quote = self.quote_at(time_us)
        sold = bits & 1 == 1
        first, last = self.first_fill(number), self.first_fill(number + 1) - 1
        if last > first and bits >> 1 & 15 == 0:
            last -= 1  # the last fill was the insurance fund's, which no aggregate trade shows
        price = self._price(quote.bid if sold else quote.ask)
        return Trade(number, time_us, price, self.writer.steps[bits >> 20 & 1023], first, last, sold)

    def trade_sent_us(self, number: int) -> int:
        """When the aggTrade event goes out, a little after the match; in the order of ids."""
        delay_us = SEND_DELAY_US + mix(self.trades.salt ^ self._thin_salt, number) % self._delay_us
        return self.trades.time_us(number) + delay_us

    def trade_text(self, number: int) -> str:
        """The aggTrade payload."""
        trade = self.trade(number)
        return (
            f'{{"e":"aggTrade","E":{self.trade_sent_us(number) // 1000},"s":"{self.symbol}","a":{number},'
            f'"p":"{trade.price}","q":"{self.writer.quantity(trade.steps)}","f":{trade.first},"l":{trade.last},'
            f'"T":{trade.time_us // 1000},"m":{"true" if trade.buyer_is_maker else "false"}}}'
        )

    def fill(self, number: int) -> Fill:
        """A single fill by its id; a trade's quantity is shared among its fills."""
        candidate = (number - FIRST_FILL_ID) // 2
        trade = self.trade(candidate if self.first_fill(candidate) <= number else candidate - 1)
        if number > trade.last:
            return Fill(number, trade, self.writer.steps[number % QUANTITIES], True)
        share, rest = divmod(trade.steps, trade.last - trade.first + 1)
        return Fill(number, trade, share + rest if number == trade.first else share, False)

    def last_fill_at(self, time_us: int) -> int:
        """The id of the newest fill at a time."""
        return self.first_fill(self.trades.last_at(time_us) + 1) - 1

    def fill_text(self, number: int) -> str:
        """The trade payload of a single fill."""
        fill = self.fill(number)
        time_ms = fill.trade.time_us // 1000
        return (
            f'{{"e":"trade","E":{time_ms},"T":{time_ms},"s":"{self.symbol}","t":{number},'
            f'"p":"{fill.trade.price}","q":"{self.writer.quantity(fill.steps)}",'
            f'"X":"{"INSURANCE_FUND" if fill.insurance_fund else "MARKET"}",'
            f'"m":{"true" if fill.trade.buyer_is_maker else "false"}}}'
        )

    # Books

    def _most_levels(self, second: int, side: int) -> int:
        # A side is thin in four seconds of a hundred, and empty in three of a thousand.
        bits = mix(self._thin_salt, 2 * second + side)
        chance = bits % 1000
        if chance >= 43:
            return 1_000_000
        return 0 if chance < 3 else 1 + (bits >> 20) % 15

    def _floor(self, best: int, sign: int) -> int:
        # sign is -1 for bids, which go down, and 1 for asks, which go up.
        return (best * sign // FLOOR_TICKS + 1) * FLOOR_TICKS * sign + sign * LEVELS_BELOW

    def side(self, quote: Quote, sign: int, limit: int) -> Side:
        """At most so many levels of the bids (sign -1) or asks (sign 1), best first."""
        second = quote.time_us // SECOND_US
        limit = min(limit, self._most_levels(second, sign > 0))
        if limit <= 0:
            return []
        best, quantity = (quote.bid, quote.bid_quantity) if sign < 0 else (quote.ask, quote.ask_quantity)
        resting = self.writer.resting
        levels = [(best, quantity)]
        for ticks in range(best + sign, self._floor(best, sign), sign):
            if ticks <= 0 or len(levels) >= limit:
                break
            # Each resting level changes its quantity once in eight seconds, and its neighbours at other seconds.
            text = resting[(ticks * 389 + (second + ticks >> 3) * 611) & 1023]
            if text:
                levels.append((ticks, text))
        return levels

    def _side_text(self, levels: Side) -> str:
        price = self._price
        return ",".join([f'["{price(ticks)}","{quantity}"]' for ticks, quantity in levels])

    def side_rows(self, levels: Side) -> list[list[str]]:
        """Levels as REST gives them: [price, quantity] as text."""
        return [[self._price(ticks), quantity] for ticks, quantity in levels]

    def _depth_text(self, time_us: int, previous_us: int, kind: int, bids: Side, asks: Side) -> str:
        time_ms, before = time_us // 1000, self.update_id(previous_us, kind)
        return (
            f'{{"e":"depthUpdate","E":{time_ms},"T":{(time_us - 700) // 1000},"s":"{self.symbol}",'
            f'"U":{before + 1},"u":{self.update_id(time_us, kind)},"pu":{before},'
            f'"b":[{self._side_text(bids)}],"a":[{self._side_text(asks)}]}}'
        )

    def depth_text(self, number: int, speed: int, levels: int) -> str:
        """The depth<N> payload: the top of the book; speed is an index into DEPTH_SPEEDS_MS."""
        time_us, previous_us = self.depths[speed].time_us(number), self.depths[speed].time_us(number - 1)
        quote = self.quote_at(time_us)
        bids, asks = self.side(quote, -1, levels), self.side(quote, 1, levels)
        return self._depth_text(time_us, previous_us, speed + 1, bids, asks)

    def diff_text(self, number: int, speed: int) -> str:
        """The depth payload: each level that was touched since the stream's previous event, 0 for one that is gone."""
        time_us, previous_us = self.depths[speed].time_us(number), self.depths[speed].time_us(number - 1)
        first, last = self.quotes.last_at(previous_us), self.quotes.last_at(time_us)
        states = [self.quote(between) for between in range(first, last + 1)]
        bids, asks = (self._touched(states, sign) for sign in (-1, 1))
        return self._depth_text(time_us, previous_us, speed + 1, bids, asks)

    def _touched(self, states: list[Quote], sign: int) -> Side:
        seen: dict[int, set[str]] = {}
        books = [dict(self.side(quote, sign, 1_000_000)) for quote in states]
        for number, book in enumerate(books):
            for ticks, quantity in book.items():
                values = seen.setdefault(ticks, {"0"} if number else set())
                values.add(quantity)
            if number:
                for ticks in books[number - 1].keys() - book.keys():
                    seen[ticks].add("0")
        zero = self.writer.quantity(0)
        end = books[-1]
        return [(ticks, end.get(ticks, zero)) for ticks in sorted(seen, key=lambda t: t * sign) if len(seen[ticks]) > 1]

    # Mark price and liquidations

    def mark_text(self, number: int, period_us: int) -> str:
        """The markPrice payload at a multiple of the period."""
        time_us = number * period_us
        units = self.instrument.tick_units / 10**self.instrument.price_decimals
        index = self._walk.at(time_us) * units
        mark = index * (1 + (mix(self._mark_salt, number) % 1000 - 500) / 1e7)
        funding = (time_us // FUNDING_US + 1) * FUNDING_US
        rate = (mix(self._mark_salt, funding // FUNDING_US) % 40_000 - 15_000) / 1e8
        # A symbol younger than its first funding has no rate yet.
        is_young = self.start_us // FUNDING_US == time_us // FUNDING_US
        rate_text, funding_ms = ("", 0) if is_young else (f"{rate:.8f}", funding // 1000)
        return (
            f'{{"e":"markPriceUpdate","E":{time_us // 1000},"s":"{self.symbol}","p":"{mark:.8f}","i":"{index:.8f}",'
            f'"P":"{(mark + index) / 2:.8f}","r":"{rate_text}","T":{funding_ms}}}'
        )

    def liquidation_text(self, number: int) -> str:
        """The forceOrder payload."""
        time_us = self.liquidations.time_us(number)
        bits = mix(self.liquidations.salt ^ GOLDEN, number)
        quote = self.quote_at(time_us)
        side, price = ("SELL", self._price(quote.bid)) if bits & 1 else ("BUY", self._price(quote.ask))
        quantity, time_ms = self.writer.quantities[bits >> 20 & 1023], time_us // 1000
        return (
            f'{{"e":"forceOrder","E":{time_ms},"o":{{"s":"{self.symbol}","S":"{side}","o":"LIMIT","f":"IOC",'
            f'"q":"{quantity}","p":"{price}","ap":"{price}","X":"FILLED","l":"{quantity}","z":"{quantity}",'
            f'"T":{time_ms}}}}}'
        )
