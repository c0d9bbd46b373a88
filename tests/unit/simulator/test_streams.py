"""Marks, liquidations, fills and real-time diffs obey the exchange's rules, symbol by symbol and all at once."""

import json
import unittest
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise

from aster_collect.simulator import DEMO_SYMBOL_RATE, DEMO_SYMBOLS, Market
from aster_collect.simulator.instruments import DEFAULT_SYMBOLS

NOW_US = 1_790_000_000_000_000
SECOND_US = 1_000_000


def first_events(market, stream, count, start_us=NOW_US):
    """So many (time, event) of a stream after a time."""
    source = market.source(stream)
    number, events = source.first_after(start_us), []
    for _ in range(count):
        events.append((source.time_us(number), json.loads(source.text(number))))
        number = source.after(number)
    return events


class AMarkPrice(unittest.TestCase):
    def test_comes_each_second_or_each_third(self):
        """The events of a stream are one second apart, those of the slower one three, and agree."""
        market = Market()
        fast = dict(first_events(market, "ethusdt@markPrice@1s", 60))
        slow = first_events(market, "ethusdt@markPrice", 19)
        self.assertEqual([SECOND_US] * 59, [after - before for before, after in pairwise(fast)])
        self.assertEqual([3 * SECOND_US] * 18, [after - before for (before, _), (after, _) in pairwise(slow)])
        for time_us, mark in slow:
            self.assertEqual(fast[time_us], mark)

    def test_of_all_is_an_array_of_what_trades(self):
        """Each array has each trading symbol once, with the event of its own stream."""
        market = Market()
        for stream in ("!markPrice@arr@1s", "!markPrice@arr"):
            for time_us, marks in first_events(market, stream, 3):
                self.assertEqual(list(DEFAULT_SYMBOLS), [mark["s"] for mark in marks])
                for mark in marks:
                    own = market.source(f"{mark['s'].lower()}@markPrice@1s")
                    self.assertEqual(json.loads(own.text(time_us // SECOND_US)), mark)

    def test_may_have_a_negative_rate_none_or_no_settle_price(self):
        """Over weeks rates have both signs; before its first funding a symbol has no rate, no time and no P."""
        market = Market()
        rates, odd = [], {}
        for day in range(30):
            ((_, marks),) = first_events(market, "!markPrice@arr@1s", 1, NOW_US + day * 86_400 * SECOND_US)
            for mark in marks:
                rates += [Decimal(mark["r"])] if mark["r"] else []
                odd[mark["s"]] = (mark["r"], mark["T"], "P" in mark)
                self.assertTrue(not mark["T"] or mark["E"] < mark["T"] <= mark["E"] + 8 * 3_600_000, mark)
        self.assertTrue(any(rate < 0 for rate in rates) and any(rate > 0 for rate in rates))
        self.assertEqual(("", 0, False), odd["币安人生USDT"])
        self.assertFalse(odd["USD1USDT"][2])
        self.assertTrue(odd["BTCUSDT"][2])


class TheOrderOfKeys(unittest.TestCase):
    def test_is_as_published_for_some_and_as_captured_for_others(self):
        """Of aggTrade and markPrice there are both orders, each symbol keeping to one."""
        market = Market()
        for kind, orders in (
            ("aggTrade", {"eEsapqflTm", "eEaspqflTm"}),
            ("markPrice@1s", {"eEspiPrT", "eEspPirT"}),
        ):
            found = set()
            for symbol in ("btcusdt", "ethusdt", "asterusdt"):
                own = {"".join(event) for _, event in first_events(market, f"{symbol}@{kind}", 20)}
                self.assertEqual(1, len(own))
                found |= own
            self.assertEqual(orders, found)
        (_, fill), *_ = first_events(market, "btcusdt@trade", 1)
        self.assertEqual("eETstpqXm", "".join(fill))


class ALiquidation(unittest.TestCase):
    def test_of_one_symbol_comes_at_most_once_a_second(self):
        """The sample of a symbol has at least a second between two; prices are on the side that was hit."""
        for symbol in ("btcusdt", "aaveusdt"):
            events = first_events(Market(("BTCUSDT", "AAVEUSDT")), f"{symbol}@forceOrder", 200)
            for (before_us, _), (after_us, _) in pairwise(events):
                self.assertGreaterEqual(after_us - before_us, SECOND_US)
            for _, event in events:
                order = event["o"]
                self.assertEqual(["s", "S", "o", "f", "q", "p", "ap", "X", "l", "z", "T"], list(order))
                worse = Decimal(order["p"]) - Decimal(order["ap"])
                self.assertTrue(worse <= 0 if order["S"] == "SELL" else worse >= 0, order)
                self.assertEqual(order["q"], order["z"])
                self.assertLessEqual(Decimal(order["l"]), Decimal(order["z"]))

    def test_of_all_symbols_comes_one_at_a_time(self):
        """The stream of all is the streams of each, merged by time, without one too many or too few."""
        market = Market(DEMO_SYMBOLS, len(DEMO_SYMBOLS) * DEMO_SYMBOL_RATE)
        merged = first_events(market, "!forceOrder@arr", 300)
        until_us = merged[-1][0]
        self.assertEqual([time_us for time_us, _ in merged], sorted(time_us for time_us, _ in merged))
        source = market.source("!forceOrder@arr")
        for time_us, event in merged[:20]:
            self.assertEqual(event, json.loads(source.text(source.first_after(time_us - 1))))
        by_symbol = defaultdict(list)
        for time_us, event in merged:
            by_symbol[event["o"]["s"]].append((time_us, event))
        for symbol in DEMO_SYMBOLS:
            own = first_events(market, f"{symbol.lower()}@forceOrder", len(by_symbol[symbol]) + 1)
            self.assertEqual(own[:-1], by_symbol[symbol])
            self.assertGreater(own[-1][0], until_us)

    def test_comes_every_second_or_two_in_the_demo(self):
        """Twenty seconds of the demo bring ten or more, at least one of them of a symbol that everybody collects."""
        market = Market(DEMO_SYMBOLS, len(DEMO_SYMBOLS) * DEMO_SYMBOL_RATE)
        for minute in range(50):
            start_us = NOW_US + minute * 60 * SECOND_US
            events = first_events(market, "!forceOrder@arr", 60, start_us)
            seen = [event["o"]["s"] for time_us, event in events if time_us <= start_us + 20 * SECOND_US]
            self.assertGreaterEqual(len(seen), 10)
            self.assertTrue({"BTCUSDT", "ETHUSDT"} & set(seen), seen)

    def test_of_a_symbol_that_ended_is_not_in_the_stream_of_all(self):
        """What was delisted has no more, what was listed has its own from then on."""
        market = Market(("BTCUSDT", "ETHUSDT"))
        source = market.source("!forceOrder@arr")
        number = source.first_after(NOW_US)
        market.delist_symbol("BTCUSDT", NOW_US)
        market.list_symbol("ASTERUSDT", NOW_US)
        number, seen = source.after(number - 1), set()
        for _ in range(50):
            seen.add(json.loads(source.text(number))["o"]["s"])
            number = source.after(number)
        self.assertEqual({"ETHUSDT", "ASTERUSDT"}, seen)


class AFill(unittest.TestCase):
    def test_off_the_book_says_where_from_or_nothing(self):
        """Most fills are of the market; some are of the insurance fund, of ADL, NA, or without an origin."""
        fills = [event for _, event in first_events(Market(), "btcusdt@trade", 4000)]
        self.assertEqual([fill["t"] for fill in fills], list(range(fills[0]["t"], fills[0]["t"] + 4000)))
        origins = [fill.get("X") for fill in fills]
        self.assertEqual({"MARKET", "INSURANCE_FUND", "ADL", "NA", None}, set(origins))
        self.assertGreater(origins.count("MARKET"), 3600)


class ADiffInRealTime(unittest.TestCase):
    def test_is_the_quote_that_made_it(self):
        """Its update id is that of the bookTicker of the same moment, and names the diff before it."""
        market = Market(("BTCUSDT",), 20.0)
        quotes = [event["u"] for _, event in first_events(market, "btcusdt@bookTicker", 20)]
        diffs = [event for _, event in first_events(market, "btcusdt@depth@0ms", 20)]
        self.assertEqual(quotes, [diff["u"] for diff in diffs])
        self.assertEqual(quotes[:-1], [diff["pu"] for diff in diffs][1:])


if __name__ == "__main__":
    unittest.main()
