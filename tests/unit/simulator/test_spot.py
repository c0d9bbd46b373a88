"""The spot market's streams, in the forms that were published and in those that clients have seen."""

import json
import unittest
from itertools import pairwise

from aster_collect.simulator import SPOT, Market

NOW_US = 1_790_000_000_000_000


def first_events(market, stream, count):
    """So many (time, event) of a stream."""
    source = market.source(stream)
    first = source.first_after(NOW_US)
    return [(source.time_us(number), json.loads(source.text(number))) for number in range(first, first + count)]


def market(**forms):
    """A spot market with its frames in these forms."""
    return Market(("BTCUSDT",), venue=SPOT._replace(**forms))


class ASpotStream(unittest.TestCase):
    def test_of_quotes_is_bare_or_has_times(self):
        """As published a bookTicker has no event and no times, as seen it has them."""
        ((_, published),) = first_events(market(), "btcusdt@bookTicker", 1)
        ((_, seen),) = first_events(market(quotes="seen"), "btcusdt@bookTicker", 1)
        self.assertEqual("usbBaA", "".join(published))
        self.assertEqual("eusbBaATE", "".join(seen))
        self.assertEqual(published, {key: seen[key] for key in published})

    def test_of_partial_depth_has_four_forms(self):
        """Its sides are bids and asks or b and a, its id u or lastUpdateId, or it is not served at all."""
        forms = {"published": ["bids", "asks"], "bare": ["bids", "asks"], "seen": ["b", "a"]}
        books = {}
        for form, sides in forms.items():
            ((_, book),) = first_events(market(partial_depth=form), "btcusdt@depth10@100ms", 1)
            self.assertEqual(form == "bare", "lastUpdateId" in book)
            self.assertEqual(form == "bare", "s" not in book)
            books[form] = [book.get("lastUpdateId", book.get("u")), *(book[side] for side in sides)]
        self.assertEqual(books["published"], books["seen"])
        self.assertEqual(books["published"], books["bare"])
        none = market(partial_depth="none")
        self.assertIsNone(none.source("btcusdt@depth10@100ms"))
        self.assertIsNotNone(none.source("btcusdt@depth@100ms"))

    def test_of_diffs_names_the_one_before_or_not(self):
        """As published it has no pu, as seen it has."""
        for form in ("published", "bare", "none", "seen"):
            (_, before), (_, diff) = first_events(market(partial_depth=form), "btcusdt@depth@100ms", 2)
            self.assertEqual(before["u"] if form == "seen" else None, diff.get("pu"))

    def test_of_diffs_is_contiguous(self):
        """depth comes each second, depth@100ms ten times as often, and U follows the u before."""
        one = Market(("BTCUSDT",), 400.0, venue=SPOT)
        for stream, apart_us in (("btcusdt@depth", 1_000_000), ("btcusdt@depth@100ms", 100_000)):
            events = first_events(one, stream, 12)
            for (before_us, before), (after_us, after) in pairwise(events):
                self.assertAlmostEqual(apart_us, after_us - before_us, delta=apart_us * 0.06)
                self.assertEqual(before["u"] + 1, after["U"])

    def test_of_trades_has_the_published_keys(self):
        """aggTrade has an M that means nothing, a fill has no origin."""
        ((_, trade),) = first_events(market(), "btcusdt@aggTrade", 1)
        ((_, fill),) = first_events(market(), "btcusdt@trade", 1)
        self.assertEqual("eEsapqflTmM", "".join(trade))
        self.assertEqual("eEstpqTm", "".join(fill))

    def test_that_only_futures_have_is_silent(self):
        """No marks, no liquidations, of one symbol or of all, and no speeds of futures."""
        for stream in (
            "btcusdt@markPrice@1s",
            "btcusdt@forceOrder",
            "!markPrice@arr@1s",
            "!forceOrder@arr",
            "btcusdt@depth@500ms",
            "btcusdt@depth@0ms",
        ):
            self.assertIsNone(market().source(stream), stream)

    def test_ticks_without_its_symbol(self):
        """Bitcoin's diffs and quotes are there although the symbol is not; its trades are not."""
        other = Market(("ETHUSDT",), venue=SPOT)
        self.assertIsNotNone(other.source("btcusdt@depth@100ms"))
        self.assertIsNotNone(other.source("btcusdt@bookTicker"))
        self.assertIsNone(other.source("btcusdt@aggTrade"))


if __name__ == "__main__":
    unittest.main()
