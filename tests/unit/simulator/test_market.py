"""The simulated market obeys the exchange's rules, and is the same every time."""

import json
import random
import time
import unittest
from decimal import Decimal
from itertools import pairwise

from aster_collect.simulator.ids import EPOCH_US
from aster_collect.simulator.instruments import DEFAULT_SYMBOLS, DEMO_SYMBOL_RATE, DEMO_SYMBOLS
from aster_collect.simulator.market import Market
from aster_collect.simulator.rest import Paging, answer

NOW_US = 1_790_000_000_000_000


def events(market, stream, start_us, count):
    """So many (time, event) of a stream after a time."""
    source = market.source(stream)
    first = source.first_after(start_us)
    return [(source.time_us(number), json.loads(source.text(number))) for number in range(first, first + count)]


def page(market, now_us=NOW_US, paging=None, **params):
    """A page of aggTrades."""
    texts = {name: str(value) for name, value in params.items()}
    reply = answer("/fapi/v3/aggTrades", texts, market, now_us, paging=paging or Paging())
    return json.loads(reply.body)


class RandomMarket(unittest.TestCase):
    """Loops over markets; the description of a failed test names the seed."""

    def __init__(self, name="runTest"):
        super().__init__(name)
        self.seed = random.randrange(1 << 32)  # before the test has a process of its own, which could not tell it

    def setUp(self):
        self.random = random.Random(self.seed)

    def shortDescription(self):  # noqa: N802
        return f"{super().shortDescription()} seed={self.seed}"

    def markets(self, count=6):
        for _ in range(count):
            rate = self.random.choice((1.0, 20.0, 200.0, 5_000.0, 60_000.0))
            symbol = self.random.choice(DEFAULT_SYMBOLS)
            yield Market((symbol, "SOMEUSDT"), rate, self.random.randrange(1000)), symbol.lower()

    def moment(self):
        return NOW_US + self.random.randrange(10**14)


class AStreamObeysItsRules(RandomMarket):
    def test_trade_ids_rise_by_one_and_fills_never_overlap(self):
        """An aggTrade stream has each id once, its fills after those before, its send times after its match times."""
        for market, symbol in self.markets():
            trades = events(market, f"{symbol}@aggTrade", self.moment(), 300)
            skipped = 0
            for (sent_us, trade), (later_us, after) in pairwise(trades):
                self.assertEqual(after["a"], trade["a"] + 1)
                self.assertLessEqual(trade["f"], trade["l"])
                self.assertGreater(after["f"], trade["l"])
                skipped += after["f"] - trade["l"] - 1
                self.assertLess(sent_us, later_us)
                self.assertLessEqual(trade["T"], after["T"])
                self.assertEqual(trade["E"], sent_us // 1000)
                self.assertTrue(0 < trade["E"] - trade["T"] < 30, trade)
                self.assertGreater(Decimal(trade["q"]), 0)
            self.assertGreater(skipped, 0)

    def test_update_ids_rise_over_quotes_and_depth(self):
        """Each stream has rising update ids, and one id is of one moment whichever stream has it."""
        for market, symbol in self.markets():
            start_us, moments, shared = self.moment(), {}, 0
            for kind in ("bookTicker", "depth5@100ms", "depth20", "depth10@500ms"):
                found = [event for _, event in events(market, f"{symbol}@{kind}", start_us, 60)]
                ids = [event["u"] for event in found]
                self.assertEqual(ids, sorted(set(ids)))
                for event in found:
                    shared += event["u"] in moments
                    self.assertEqual(event["T"], moments.setdefault(event["u"], event["T"]))
                    self.assertTrue(0 <= event["E"] - event["T"] <= 51, event)
            self.assertGreater(shared, 0)

    def test_no_book_is_crossed_and_levels_are_in_order(self):
        """Bids descend, asks ascend, the best bid is below the best ask, and prices lie on the grid."""
        for market, symbol in self.markets():
            for _, event in events(market, f"{symbol}@depth20@100ms", self.moment(), 60):
                bids = [Decimal(price) for price, _ in event["b"]]
                asks = [Decimal(price) for price, _ in event["a"]]
                self.assertEqual(bids, sorted(set(bids), reverse=True))
                self.assertEqual(asks, sorted(set(asks)))
                if bids and asks:
                    self.assertLess(bids[0], asks[0])
                self.assertTrue(all(Decimal(size) > 0 for _, size in event["b"] + event["a"]))
            for _, event in events(market, f"{symbol}@bookTicker", self.moment(), 200):
                self.assertTrue(Decimal(event["b"]) < Decimal(event["a"]) or not Decimal(event["A"]))
                self.assertEqual(event["T"], event["E"])

    def test_a_depth_event_names_the_one_before_it(self):
        """pu is the u of the stream's previous event, and U lies between."""
        for market, symbol in self.markets():
            for kind in ("depth10@100ms", "depth5", "depth20@500ms"):
                books = [event for _, event in events(market, f"{symbol}@{kind}", self.moment(), 30)]
                for before, book in pairwise(books):
                    self.assertEqual(book["pu"], before["u"])
                    self.assertTrue(before["u"] < book["U"] <= book["u"])

    def test_trades_print_at_the_quote_in_force(self):
        """A taker who sold met the bid, one who bought met the ask."""
        for market, symbol in self.markets():
            listing = market.listing(symbol.upper())
            first = listing.trades.line.first_after(self.moment())
            for number in range(first, first + 100):
                trade = listing.trades.trade(number)
                quote = listing.quotes.at(trade.time_us)
                self.assertEqual(trade.price, listing.writer.price(quote.bid if trade.buyer_is_maker else quote.ask))

    def test_single_fills_make_up_the_aggregate_trade(self):
        """The fills f to l of an aggTrade have its price and together its quantity; no others are of the market."""
        for market, symbol in self.markets(3):
            listing, start_us = market.listing(symbol.upper()), self.moment()
            fills = {event["t"]: event for _, event in events(market, f"{symbol}@trade", start_us - 10**6, 400)}
            first = listing.trades.fill(min(fills)).trade.number + 1
            covered = set()
            for number in range(first, first + 50):
                trade = json.loads(market.source(f"{symbol}@aggTrade").text(number))
                own = [fills[fill] for fill in range(trade["f"], trade["l"] + 1)]
                covered.update(range(trade["f"], trade["l"] + 1))
                self.assertEqual({fill["p"] for fill in own}, {trade["p"]})
                self.assertEqual(sum(Decimal(fill["q"]) for fill in own), Decimal(trade["q"]))
                self.assertEqual({fill["X"] for fill in own}, {"MARKET"})
            for number in set(range(min(covered), max(covered))) - covered:
                self.assertIn(fills[number].get("X"), ("INSURANCE_FUND", "ADL", "NA", None))


class ABookSide(unittest.TestCase):
    def test_is_sometimes_short_and_rarely_empty(self):
        """Of many depth20 sides a few in a hundred are short, and a few in a thousand are empty."""
        market = Market(("BTCUSDT",), 2.0)
        books = [event for _, event in events(market, "btcusdt@depth20@100ms", NOW_US, 2500)]
        sizes = [len(book[side]) for book in books for side in "ba"]
        short = sum(0 < size < 20 for size in sizes) / len(sizes)
        empty = sum(size == 0 for size in sizes) / len(sizes)
        self.assertEqual(max(sizes), 20)
        self.assertTrue(0.01 < short < 0.1, short)
        self.assertTrue(0.0005 < empty < 0.01, empty)

    def test_keeps_its_zeros(self):
        """Prices are written with all decimals of the instrument."""
        for symbol, decimals in (("ASTERUSDT", 7), ("BTCUSDT", 2), ("币安人生USDT", 7)):
            _, quote = events(Market((symbol,)), f"{symbol.lower()}@bookTicker", NOW_US, 1)[0]
            self.assertEqual(len(quote["b"].partition(".")[2]), decimals)
            self.assertEqual(quote["s"], symbol)


class TheMarket(RandomMarket):
    def test_is_the_same_after_a_restart(self):
        """Two markets of one seed send the same events; another seed sends others."""
        for kind in ("bookTicker", "aggTrade", "depth5@100ms", "markPrice@1s", "forceOrder", "trade"):
            one, same, other = (events(Market(seed=s), f"btcusdt@{kind}", NOW_US, 20) for s in (5, 5, 6))
            self.assertEqual(one, same)
            self.assertNotEqual([event for _, event in one], [event for _, event in other])

    def test_sends_as_many_frames_as_its_rate_says(self):
        """bookTicker, aggTrade and one depth stream of every symbol add up to the rate."""
        for rate in (50.0, 400.0, 5_000.0):
            market = Market(rate=rate)
            count = 0
            for symbol in DEFAULT_SYMBOLS:
                for kind in ("bookTicker", "aggTrade", "depth10@100ms"):
                    source = market.source(f"{symbol.lower()}@{kind}")
                    count += source.first_after(NOW_US + 20_000_000) - source.first_after(NOW_US)
            self.assertAlmostEqual(count / 20, rate, delta=rate * 0.03)

    def test_of_the_demo_has_dozens_of_symbols_with_books_that_hold(self):
        """Each of the demo's symbols has prices above nothing, and they are those of any market with so many frames."""
        market = Market(DEMO_SYMBOLS, len(DEMO_SYMBOLS) * DEMO_SYMBOL_RATE)
        self.assertGreaterEqual(len(DEMO_SYMBOLS), 36)
        self.assertLessEqual(set(DEFAULT_SYMBOLS), set(DEMO_SYMBOLS))
        for symbol in DEMO_SYMBOLS:
            (_, quote), *_ = events(market, f"{symbol.lower()}@bookTicker", NOW_US, 1)
            (_, book), *_ = events(market, f"{symbol.lower()}@depth20@100ms", NOW_US, 1)
            self.assertTrue(0 < Decimal(quote["b"]) < Decimal(quote["a"]), symbol)
            for one, other in pairwise(book["b"]):
                self.assertTrue(0 < Decimal(other[0]) < Decimal(one[0]), symbol)
            self.assertTrue(all(Decimal(quantity) > 0 for _, quantity in book["b"] + book["a"]), symbol)
        four = DEMO_SYMBOLS[:4]
        few = Market(four, len(four) * DEMO_SYMBOL_RATE)
        stream = f"{four[0].lower()}@aggTrade"
        self.assertEqual(events(few, stream, NOW_US, 5), events(market, stream, NOW_US, 5))

    def test_sends_depth_no_faster_than_the_stream(self):
        """At a high rate depth events are one interval apart."""
        market = Market(("BTCUSDT",), 20_000.0)
        for kind, interval_us in (("depth5@100ms", 100_000), ("depth5", 250_000), ("depth@500ms", 500_000)):
            times = [market.source(f"btcusdt@{kind}").time_us(number) for number in range(1000, 1020)]
            steps = [after - before for before, after in pairwise(times)]
            self.assertAlmostEqual(sum(steps) / len(steps), interval_us, delta=interval_us * 0.06)

    def test_is_silent_for_names_that_do_not_exist(self):
        """Unknown symbols, upper case, unknown kinds and speeds have no events."""
        market = Market()
        for stream in ("nosuch@aggTrade", "BTCUSDT@aggTrade", "btcusdt", "btcusdt@depth7", "btcusdt@depth5@1s", ""):
            self.assertIsNone(market.source(stream), stream)

    def test_ticks_the_heartbeat_without_the_symbol(self):
        """Bitcoin's mark price is there although the symbol is not."""
        source = Market(("ETHUSDT",)).source("btcusdt@markPrice@1s")
        self.assertEqual(source.time_us(source.first_after(NOW_US)), NOW_US + 1_000_000)

    def test_a_new_symbol_starts_with_trade_one(self):
        """What is listed now has its first trade after now; what is delisted has no later one."""
        market = Market(rate=1000.0)
        market.list_symbol("NEWUSDT", NOW_US)
        trades = events(market, "newusdt@aggTrade", NOW_US - 10**9, 3)
        self.assertEqual([trade["a"] for _, trade in trades], [1, 2, 3])
        self.assertGreaterEqual(trades[0][1]["T"], NOW_US // 1000)
        _, mark = events(market, "newusdt@markPrice", NOW_US, 1)[0]
        self.assertEqual((mark["r"], mark["T"]), ("", 0))
        market.delist_symbol("NEWUSDT", NOW_US + 10_000_000)
        self.assertNotIn("NEWUSDT", market.trading(NOW_US + 11_000_000))
        self.assertEqual(market.source("newusdt@aggTrade").end_us, NOW_US + 10_000_000)

    def test_refuses_a_rate_that_cannot_be(self):
        """A rate of nothing and a market of nothing are errors."""
        for symbols, rate in ((DEFAULT_SYMBOLS, 0), (DEFAULT_SYMBOLS, float("nan")), ((), 10.0), (("",), 10.0)):
            with self.assertRaises(ValueError):
                Market(symbols, rate)


class APageOfTrades(RandomMarket):
    def test_is_what_was_streamed(self):
        """REST trades equal the streamed ones but for the event's own keys, at any id and limit."""
        for market, symbol in self.markets():
            listing = market.listing(symbol.upper())
            first = listing.trades.line.last_at(NOW_US) - self.random.randrange(1000, 50_000)
            limit = self.random.choice((1, 7, 100))
            rows = page(market, symbol=symbol.upper(), fromId=first, limit=limit)
            text = market.source(f"{symbol}@aggTrade").text
            streamed = [json.loads(text(number)) for number in range(first, first + limit)]
            self.assertEqual(rows, [{key: trade[key] for key in "apqflTm"} for trade in streamed])

    def test_never_shows_the_future(self):
        """The newest page ends with the newest trade, and a page after it is empty."""
        market = Market(rate=500.0)
        rows = page(market, symbol="BTCUSDT")
        self.assertEqual(len(rows), 500)
        self.assertLessEqual(rows[-1]["T"] * 1000, NOW_US)
        self.assertGreater(market.listing("BTCUSDT").trades.trade(rows[-1]["a"] + 1).time_us, NOW_US)
        self.assertEqual(page(market, symbol="BTCUSDT", fromId=rows[-1]["a"] + 1), [])

    def test_keeps_to_its_times(self):
        """startTime and endTime include their milliseconds."""
        market = Market(rate=500.0)
        some = page(market, symbol="BTCUSDT", limit=100)
        start_ms, end_ms = some[20]["T"], some[60]["T"]
        rows = page(market, symbol="BTCUSDT", startTime=start_ms, endTime=end_ms, limit=1000)
        self.assertEqual(rows, [row for row in some if start_ms <= row["T"] <= end_ms])
        self.assertEqual(page(market, symbol="BTCUSDT", startTime=start_ms, limit=5), rows[:5])
        self.assertEqual(page(market, symbol="BTCUSDT", endTime=end_ms, limit=5), rows[-5:])

    def test_starts_with_the_first_trade(self):
        """Asked for an id before all trades, the page starts at id 1, soon after the epoch."""
        rows = page(Market(), symbol="BTCUSDT", fromId=0, limit=3)
        self.assertEqual([row["a"] for row in rows], [1, 2, 3])
        self.assertLess(rows[0]["T"] * 1000 - EPOCH_US, 10_000_000)

    def test_can_be_short_holed_or_forgetful(self):
        """Faults cut pages, omit ids and forget old trades."""
        market = Market(rate=500.0)
        first = page(market, symbol="BTCUSDT", limit=1000)[0]["a"]
        asked = {"symbol": "BTCUSDT", "fromId": first, "limit": 100}
        self.assertEqual(len(page(market, paging=Paging(most_rows=10), **asked)), 10)
        ids = [row["a"] for row in page(market, paging=Paging(omitted_divisor=7), **asked)]
        self.assertEqual(ids, [number for number in range(first, first + 100) if number % 7])
        self.assertEqual(page(market, paging=Paging(first_id=first + 50), **asked)[0]["a"], first + 50)
        recent = page(market, paging=Paging(oldest_s=2.0), **asked)
        self.assertGreaterEqual(recent[0]["T"], NOW_US // 1000 - 2000)

    def test_of_a_thousand_takes_little_time(self):
        """A full page is made in far less than a second."""
        market, begun = Market(), time.perf_counter()
        self.assertEqual(len(page(market, symbol="BTCUSDT", fromId=1000, limit=1000)), 1000)
        self.assertLess(time.perf_counter() - begun, 1.0)


if __name__ == "__main__":
    unittest.main()
