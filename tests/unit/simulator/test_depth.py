"""A book that a client keeps by the published rule, from snapshots and changes, is the exchange's own at each id."""

import json
import unittest
from decimal import Decimal
from random import Random

from aster_collect.simulator import FUTURES, SPOT, Market
from aster_collect.simulator.rest import Paging, answer
from tests.support import rounds

NOW_US = 1_790_000_000_000_000
SECOND_US = 1_000_000
MOST = 1000  # levels a side that a snapshot has
SPEEDS = ("depth@100ms", "depth", "depth@500ms", "depth@0ms")
SPEEDS_OF_SPOT = ("depth@100ms", "depth")
SIDES = (("b", "bids", -1), ("a", "asks", 1))


def events(market, stream, start_us, count, cut_us=0):
    """So many (time, event) of a stream after a time."""
    source = market.source(stream, cut_us)
    first = source.first_after(start_us)
    return [(source.time_us(number), json.loads(source.text(number))) for number in range(first, first + count)]


def snapshot(market, symbol, now_us):
    """The book as REST shows it."""
    asked = {"symbol": symbol, "limit": str(MOST)}
    path = "/fapi/v3/depth" if market.venue is FUTURES else "/api/v3/depth"
    return json.loads(answer(path, asked, market, now_us, paging=Paging()).body)


class Client:
    """Keeps a book by the one rule, and what it can't know: all that lies beyond a full snapshot, until touched."""

    def __init__(self, book):
        self.last = book["lastUpdateId"]
        self.applied = self.holes = 0
        self.sides, self._ends, self._touched = {}, {}, {}
        for key, name, sign in SIDES:
            self.sides[key] = dict(book[name])
            full = len(book[name]) == MOST
            self._ends[key] = sign * float(book[name][-1][0]) if full else float("inf")
            self._touched[key] = set()

    def take(self, diff):
        """Take a change: whether the book has it now."""
        before = diff["pu"] if "pu" in diff else diff["U"] - 1
        if diff["u"] <= self.last:
            return False
        if before > self.last:
            self.holes += 1
            return False
        for key, levels in self.sides.items():
            for price, quantity in diff[key]:
                self._touched[key].add(price)
                levels.pop(price, None)
                if Decimal(quantity):
                    levels[price] = quantity
        self.last = diff["u"]
        self.applied += 1
        return True

    def knows(self, key, sign, levels):
        """Those of the levels of the true book that it can know."""
        touched, end = self._touched[key], self._ends[key]
        return {price: text for price, text in levels.items() if price in touched or sign * float(price) <= end}

    def top(self, key, sign, count):
        """Its best levels, as depth<N> has them."""
        return [list(one) for one in sorted(self.sides[key].items(), key=lambda one: sign * float(one[0]))[:count]]


class ALocalBook(unittest.TestCase):
    """Every test follows a market with a client, and says which."""

    def follow(self, market, symbol, diffs, asked_us):
        """Let a client join, with a snapshot of a moment; return it, compared with the true book at each id."""
        client = Client(snapshot(market, symbol, asked_us))
        listing = market.listing(symbol)
        for _, diff in diffs:
            if client.take(diff):
                for (key, _, sign), true in zip(SIDES, listing.book_at(client.last), strict=True):
                    self.assertEqual(client.knows(key, sign, true), client.sides[key], (client.last, key))
                self.compare(client, client.last)
        self.assertEqual(0, client.holes)
        return client

    def compare(self, client, update_id):
        """Compare with what else the exchange says of an id."""
        for form in self.others.get(update_id, ()):
            self.shared[form["e"]] += 1
            if form["e"] == "bookTicker":
                for (key, _, sign), total in zip(SIDES, "BA", strict=True):
                    best = [[form[key], form[total]]] if Decimal(form[total]) else []
                    self.assertEqual(best, client.top(key, sign, 1))
            else:
                for key, name, sign in SIDES:
                    self.assertEqual(form[key if key in form else name], client.top(key, sign, 20))

    def learn(self, market, symbol, until_us, start_us, *streams):
        """Learn what other streams say of ids in a stretch of time."""
        self.others = getattr(self, "others", {})
        for stream in streams:
            source = market.source(f"{symbol.lower()}@{stream}")
            number = source.first_after(start_us)
            while source.time_us(number) <= until_us:
                event = json.loads(source.text(number))
                form = {"e": "bookTicker", **event}  # as published, a quote of spot has no event
                self.others.setdefault(event["u"], []).append(form)
                number += 1

    def setUp(self):
        self.others, self.shared = {}, {"bookTicker": 0, "depthUpdate": 0}

    def test_is_the_exchange_s_own_at_each_id(self):
        """At every speed, of both markets, from a snapshot of any moment, and so are depth20 and quotes."""
        middles = 0
        for seed, chance in rounds(2):
            seen = SPOT._replace(partial_depth="seen")
            for venue, speeds in ((FUTURES, SPEEDS), (SPOT, SPEEDS_OF_SPOT), (seen, SPEEDS_OF_SPOT[:1])):
                for speed in speeds:
                    for symbol in ("BTCUSDT", "ASTERUSDT"):
                        rate = chance.choice((0.5, 20.0, 150.0, 600.0))
                        with self.subTest(seed=seed, venue=venue.name, speed=speed, symbol=symbol, rate=rate):
                            middles += self.live(Market((symbol,), rate, seed % 1000, venue), symbol, speed, chance)
        self.assertGreater(middles, 5)
        self.assertGreater(self.shared["depthUpdate"], 100)
        self.assertGreater(self.shared["bookTicker"], 100)

    def live(self, market, symbol, speed, chance: Random):
        """Follow one stream from some snapshots; return how many of these lay within a batch."""
        start_us = NOW_US + chance.randrange(10**13)
        diffs = events(market, f"{symbol.lower()}@{speed}", start_us, 14)
        self.learn(market, symbol, diffs[-1][0], start_us, "depth20@100ms", "bookTicker")
        middles = 0
        (first_us, first), (last_us, _) = diffs[0], diffs[4]
        moments = [chance.randrange(first_us, last_us) for _ in range(3)]
        ids = market.listing(symbol).ids
        for asked_us in (*moments, ids.time_us(first["u"]), ids.time_us(first["U"])):
            last = snapshot(market, symbol, asked_us)["lastUpdateId"]
            quotes = market.source(f"{symbol.lower()}@bookTicker")
            self.assertEqual(json.loads(quotes.text(quotes.first_after(asked_us) - 1))["u"], last)
            middles += any(diff["U"] <= last < diff["u"] for _, diff in diffs)
            self.assertGreaterEqual(self.follow(market, symbol, diffs, asked_us).applied, 9)
        return middles

    def test_follows_a_side_that_is_empty(self):
        """It becomes empty, and full again, by changes alone; and a snapshot may have none of its levels."""
        for symbol in ("BTCUSDT", "ASTERUSDT"):
            market = Market((symbol,), 100.0)
            listing = market.listing(symbol)
            second = next(
                second
                for second in range(10_000)
                if not listing.books.side(listing.quotes.at(NOW_US + second * SECOND_US + 900_000), -1)
            )
            start_us = NOW_US + (second - 1) * SECOND_US
            diffs = events(market, f"{symbol.lower()}@depth", start_us, 14)
            for asked_us in (start_us + 300_000, start_us + SECOND_US + 700_000):
                client = self.follow(market, symbol, diffs, asked_us)
                self.assertGreater(client.applied, 5)
            emptied = [diff for _, diff in diffs if len(diff["b"]) > 300]
            self.assertGreaterEqual(len(emptied), 2)

    def test_cut_into_other_batches_is_the_same(self):
        """Two servers cut a stream at other ids; either continues what the other has brought."""
        for seed, chance in rounds(3):
            for speed in SPEEDS:
                with self.subTest(seed=seed, speed=speed):
                    market = Market(("BTCUSDT",), 1000.0, seed % 1000)
                    start_us = NOW_US + chance.randrange(10**13)
                    some, others = (events(market, f"btcusdt@{speed}", start_us, 12, cut_us) for cut_us in (0, 25_000))
                    self.assertFalse({diff["u"] for _, diff in some} & {diff["u"] for _, diff in others})
                    merged = sorted((*some, *others), key=lambda one: one[0])
                    merged = [one for one in merged if one[0] <= min(some[-1][0], others[-1][0])]
                    client = self.follow(market, "BTCUSDT", merged, some[2][0])
                    self.assertGreater(client.applied, 12)

    def test_of_a_dear_symbol_is_deeper_than_a_snapshot(self):
        """A snapshot of BTCUSDT has 1000 levels a side of more; one of ASTERUSDT has all."""
        for symbol, is_deep in (("BTCUSDT", True), ("ASTERUSDT", False)):
            market = Market((symbol,))
            listing, book = market.listing(symbol), snapshot(market, symbol, NOW_US)
            for true, (_, name, _) in zip(listing.book_at(book["lastUpdateId"]), SIDES, strict=True):
                self.assertEqual(list(true.items())[:MOST], list(map(tuple, book[name])))
                self.assertEqual(is_deep, len(true) > 1500)

    def test_meets_each_snapshot_of_the_top_at_a_change(self):
        """The id of every depth20 is that of a change of the same speed, and of one in real time, as recorded."""
        for rate in (2.0, 100.0, 3000.0):
            market = Market(("BTCUSDT",), rate)
            top = events(market, "btcusdt@depth20@100ms", NOW_US, 20)
            for speed in ("depth@100ms", "depth@0ms"):
                source = market.source(f"btcusdt@{speed}")
                first = source.first_after(NOW_US)
                ids, number = set(), first
                while source.time_us(number) <= top[-1][0] + SECOND_US:
                    ids.add(json.loads(source.text(number))["u"])
                    number += 1
                self.assertLessEqual({book["u"] for _, book in top}, ids)

    def test_of_futures_has_ids_that_are_not_contiguous(self):
        """Who waits for a U behind the u before finds holes; pu tells."""
        diffs = [diff for _, diff in events(Market(), "btcusdt@depth@100ms", NOW_US, 20)]
        self.assertTrue(all(diff["pu"] + 1 < diff["U"] <= diff["u"] for diff in diffs))


class UpdateIds(unittest.TestCase):
    def test_begin_anew_and_the_book_goes_on(self):
        """They are lower, of diffs, quotes, depth20 and snapshots; who joins anew has the book, and ids tell when."""
        market = Market(("BTCUSDT",), 300.0)
        listing = market.listing("BTCUSDT")
        case = ALocalBook("follow")
        case.setUp()
        former = snapshot(market, "BTCUSDT", NOW_US)["lastUpdateId"]
        for step in range(1, 4):
            anew_us = NOW_US + step * 10 * SECOND_US
            diffs = events(market, "btcusdt@depth@100ms", anew_us - SECOND_US, 25)
            case.follow(market, "BTCUSDT", [one for one in diffs if one[0] < anew_us], anew_us - SECOND_US)
            listing.ids.begin_anew(anew_us)
            diffs = events(market, "btcusdt@depth@100ms", anew_us, 15)
            case.learn(market, "BTCUSDT", diffs[-1][0], anew_us, "depth20@100ms", "bookTicker")
            for _, diff in diffs:
                self.assertTrue(diff["pu"] < diff["U"] <= diff["u"], diff)
            self.assertLess(diffs[-1][1]["u"], former)
            client = case.follow(market, "BTCUSDT", diffs, anew_us + SECOND_US // 3)
            self.assertGreater(client.applied, 8)
            former = client.last
        self.assertGreater(case.shared["depthUpdate"], 20)


if __name__ == "__main__":
    unittest.main()
