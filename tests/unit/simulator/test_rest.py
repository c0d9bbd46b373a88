"""REST answers about the market as a whole: its symbols, their funding, marks and open interest."""

import json
import unittest
from decimal import Decimal

from aster_collect.simulator import SPOT, Market
from aster_collect.simulator.gate import Gate
from aster_collect.simulator.rest import Paging, answer, weight

NOW_US = 1_790_000_000_000_000


def ask(market, call, now_us=NOW_US, prefix="/fapi/v3/", **params):
    """Status and JSON of a call."""
    reply = answer(prefix + call, params, market, now_us, paging=Paging())
    return reply.status, json.loads(reply.body)


class ExchangeInfo(unittest.TestCase):
    def symbols(self, market, now_us=NOW_US, **how):
        status, info = ask(market, "exchangeInfo", now_us, **how)
        self.assertEqual(200, status)
        return {entry["symbol"]: entry for entry in info["symbols"]}

    def test_lists_what_trades_and_what_does_not(self):
        """Chosen symbols trade; others settle, are closed or pending, and have no contract before they trade."""
        listed = self.symbols(Market(("BTCUSDT",)))
        self.assertEqual(
            {
                "BTCUSDT": ("TRADING", "PERPETUAL"),
                "OLDUSDT": ("SETTLING", "PERPETUAL"),
                "LASTUSDT": ("PRE_SETTLE", "PERPETUAL"),
                "GONEUSDT": ("CLOSE", "PERPETUAL"),
                "SOONUSDT": ("PENDING", ""),
            },
            {name: (entry["status"], entry["contractType"]) for name, entry in listed.items()},
        )
        self.assertGreater(listed["SOONUSDT"]["onboardDate"], NOW_US // 1000)
        steps = {one["filterType"]: one for one in listed["BTCUSDT"]["filters"]}
        self.assertEqual("0.10", steps["PRICE_FILTER"]["tickSize"])
        self.assertEqual("0.001", steps["LOT_SIZE"]["stepSize"])

    def test_changes_on_request(self):
        """A tick size and a status change, and all else about the symbol stays."""
        market = Market(("BTCUSDT", "ETHUSDT"))
        before = self.symbols(market)
        market.set_tick_size("BTCUSDT", "0.50")
        market.delist_symbol("ETHUSDT", NOW_US, "PRE_SETTLE")
        after = self.symbols(market)
        self.assertEqual("0.50", after["BTCUSDT"]["filters"][0]["tickSize"])
        self.assertEqual({**before["ETHUSDT"], "status": "PRE_SETTLE"}, after["ETHUSDT"])
        self.assertEqual(("BTCUSDT",), market.trading(NOW_US + 1))
        market.delist_symbol("ETHUSDT", NOW_US + 10**6, "CLOSE")
        self.assertEqual(NOW_US, market.listing("ETHUSDT").end_us)
        market.list_symbol("ETHUSDT", NOW_US + 2 * 10**6)
        self.assertEqual(before["ETHUSDT"], self.symbols(market)["ETHUSDT"])
        for change in (market.set_tick_size, market.delist_symbol):
            with self.assertRaisesRegex(ValueError, "NOSUCH"):
                change("NOSUCH", NOW_US)


class OpenInterest(unittest.TestCase):
    def test_is_of_one_symbol_and_moves(self):
        """It has the symbol, a quantity on the symbol's grid that changes, and the time of now."""
        market = Market()
        seen = set()
        for minute in range(30):
            now_us = NOW_US + minute * 60_000_000
            status, interest = ask(market, "openInterest", now_us, symbol="BTCUSDT")
            self.assertEqual((200, ["symbol", "openInterest", "time"]), (status, list(interest)))
            self.assertEqual(("BTCUSDT", now_us // 1000), (interest["symbol"], interest["time"]))
            self.assertEqual(3, len(interest["openInterest"].partition(".")[2]))
            seen.add(interest["openInterest"])
        self.assertGreater(len(seen), 25)
        self.assertEqual(1, weight("/fapi/v3/openInterest", {"symbol": "BTCUSDT"}, market))

    def test_needs_a_symbol_that_exists(self):
        """Without a symbol the error is -1102, with an unknown one -1121."""
        self.assertEqual((400, -1102), self.code(ask(Market(), "openInterest")))
        self.assertEqual((400, -1121), self.code(ask(Market(), "openInterest", symbol="NOSUCH")))

    @staticmethod
    def code(reply):
        return reply[0], reply[1]["code"]


class Funding(unittest.TestCase):
    def test_is_the_same_on_the_stream_and_in_all_answers(self):
        """premiumIndex is the mark of its second, fundingRate the rates that it had, fundingInfo their distance."""
        market = Market()
        hours = {one["symbol"]: one["fundingIntervalHours"] for one in ask(market, "fundingInfo")[1]}
        self.assertEqual(8, hours["BTCUSDT"])
        for symbol in ("BTCUSDT", "ETHUSDT", "ASTERUSDT"):
            _, premium = ask(market, "premiumIndex", symbol=symbol)
            mark = json.loads(market.source(f"{symbol.lower()}@markPrice@1s").text(NOW_US // 10**6))
            self.assertEqual(
                (mark["p"], mark["i"], mark["r"], mark["T"]),
                tuple(premium[key] for key in ("markPrice", "indexPrice", "lastFundingRate", "nextFundingTime")),
            )
            next_us = premium["nextFundingTime"] * 1000
            _, paid = ask(market, "fundingRate", next_us + 1, symbol=symbol, limit="3")
            self.assertEqual(premium["lastFundingRate"], paid[-1]["fundingRate"])
            apart_ms = (hours[symbol] or 8) * 3_600_000
            times = [premium["nextFundingTime"] - apart_ms * back for back in (2, 1, 0)]
            self.assertEqual(times, [one["fundingTime"] for one in paid])
            _, some = ask(market, "fundingRate", next_us + 1, symbol=symbol, startTime=str(times[0]), limit="2")
            self.assertEqual(paid[:2], some)

    def test_info_may_be_null(self):
        """Some symbol announces no interval, and then neither a cap nor a floor."""
        entries = ask(Market([f"S{number}USDT" for number in range(40)]), "fundingInfo")[1]
        self.assertEqual({None, 1, 4, 8}, {one["fundingIntervalHours"] for one in entries})
        for one in entries:
            nulls = {one[key] is None for key in ("fundingIntervalHours", "fundingFeeCap", "fundingFeeFloor")}
            self.assertEqual(1, len(nulls))

    def test_of_all_symbols_costs_more(self):
        """premiumIndex of all has each trading symbol once, and costs ten."""
        market = Market()
        self.assertEqual(list(market.trading(NOW_US)), [one["symbol"] for one in ask(market, "premiumIndex")[1]])
        self.assertEqual(10, weight("/fapi/v3/premiumIndex", {}, market))
        self.assertEqual(1, weight("/fapi/v3/premiumIndex", {"symbol": "BTCUSDT"}, market))


class TheGate(unittest.TestCase):
    def test_may_refuse_one_call_alone(self):
        """A 429 that is meant for openInterest lets other calls pass, and comes as often as it was asked for."""
        gate = Gate(100)
        gate.refuse_next(0.0, 2, "openInterest")
        self.assertIsNone(gate.admit(1, NOW_US, "/fapi/v3/time"))
        for seconds in (0, 2):
            self.assertEqual(429, gate.admit(1, NOW_US + seconds * 10**6, "/fapi/v3/openInterest").status)
        self.assertIsNone(gate.admit(1, NOW_US + 4 * 10**6, "/fapi/v3/openInterest"))

    def test_may_ban_from_one_call_alone(self):
        """A ban that is meant for depth lets other calls pass."""
        gate = Gate(100)
        gate.ban(10.0, NOW_US, "depth")
        self.assertIsNone(gate.admit(1, NOW_US, "/fapi/v3/time"))
        self.assertEqual(418, gate.admit(1, NOW_US, "/fapi/v3/depth").status)
        self.assertIsNone(gate.admit(1, NOW_US + 11 * 10**6, "/fapi/v3/depth"))


class AServerThatIsBehind(unittest.TestCase):
    def test_knows_what_there_was(self):
        """Its book, its trades and its tickers are those of a while ago; what time it is it knows."""
        market = Market()
        for call in ("depth", "aggTrades", "trades", "ticker/bookTicker"):
            path, asked = f"/fapi/v3/{call}", {"symbol": "BTCUSDT"}
            was = answer(path, asked, market, NOW_US - 3 * 10**6, paging=Paging())
            behind = answer(path, asked, market, NOW_US, paging=Paging(), behind_us=3 * 10**6)
            self.assertEqual(was, behind, call)
        now = answer("/fapi/v3/time", {}, market, NOW_US, paging=Paging(), behind_us=3 * 10**6)
        self.assertIn(str(NOW_US // 1000), now.body)


class Spot(unittest.TestCase):
    def setUp(self):
        self.market = Market(("BTCUSDT",), venue=SPOT)

    def ask(self, call, **params):
        return ask(self.market, call, prefix="/api/v3/", **params)

    def test_has_paths_and_a_limit_of_its_own(self):
        """Futures paths and calls are not there; 6000 a minute are announced, and a book has 100 levels."""
        for call in ("openInterest", "premiumIndex", "fundingInfo", "fundingRate"):
            self.assertEqual(404, self.ask(call, symbol="BTCUSDT")[0])
        self.assertEqual(404, ask(self.market, "ping")[0])
        self.assertEqual(6000, self.ask("exchangeInfo")[1]["rateLimits"][0]["limit"])
        self.assertEqual(100, len(self.ask("depth", symbol="BTCUSDT")[1]["bids"]))
        self.assertEqual(5, weight("/api/v3/depth", {"symbol": "BTCUSDT"}, self.market))

    def test_lists_symbols_that_are_for_tests(self):
        """Symbols that begin with TEST trade as others do; no entry has a contract or an onboard date."""
        listed = {entry["symbol"]: entry for entry in self.ask("exchangeInfo")[1]["symbols"]}
        self.assertEqual({"BTCUSDT", "TESTUSDT", "TEST1USDT"}, set(listed))
        for entry in listed.values():
            self.assertEqual("TRADING", entry["status"])
            self.assertFalse({"contractType", "onboardDate"} & set(entry))

    def test_says_in_fills_what_was_traded(self):
        """baseQty is the quantity of the stream, and qty is worth it at the price."""
        _, rows = self.ask("trades", symbol="BTCUSDT", limit="20")
        text = self.market.source("btcusdt@trade").text
        for row in rows:
            fill = json.loads(text(row["id"]))
            self.assertEqual(fill["q"], row["baseQty"])
            self.assertEqual(Decimal(row["price"]) * Decimal(fill["q"]), Decimal(row["qty"]))


if __name__ == "__main__":
    unittest.main()
