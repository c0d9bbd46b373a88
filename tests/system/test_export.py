"""What a run leaves is exported whole, by the same command that a user types."""

import csv
import gzip
import unittest
from pathlib import Path
from typing import Any

import numpy as np

from tests.support import EndToEnd, now_ms
from tests.unit.commands.calls import call

CSV_LIMIT = 1 << 24
MS = 1_000_000
BUY, EXCHANGE = 1 << 29, 1 << 31
TRADE, CLEAR = 2, 3

Rows = list[dict[str, str]]
Book = dict[str, dict[float, float]]


class AfterARun(EndToEnd):
    def setUp(self) -> None:
        super().setUp()
        csv.field_size_limit(CSV_LIMIT)
        self.begin(("BTCUSDT",))
        collector = self.collect("--streams", "all", "--receive-time", "--quantities")
        since_ms = now_ms() + 1000
        for kind in ("prices", "orderbook", "trades", "depth", "mark"):
            collector.wait_for_rows(kind, "BTCUSDT", since_ms)
        self.stop(collector)

    def table(self, kind: str) -> Rows:
        """Return the rows of a kind by the names of their columns."""
        with (self.folder / f"{kind}_BTCUSDT.csv").open(encoding="ascii", newline="") as lines:
            return list(csv.DictReader(lines))

    def export(self, form: str) -> list[Path]:
        status, out, err = call("export", str(self.folder), "--to", form, "--out", str(self.base / form))
        self.assertEqual((status, err), (0, ""))
        self.assertIn(" unjoined=0 ", out)
        return sorted((self.base / form).iterdir())

    def test_files_of_tardis(self) -> None:
        """Each data type has all rows of its kind, in their order, and the book behind all of them is the same."""
        types: dict[str, Rows] = {}
        for path in self.export("tardis"):
            with gzip.open(path, "rt", encoding="ascii", newline="") as lines:
                exchange, rest = path.name.split("_", 1)
                self.assertEqual(exchange, "aster-futures")
                types.setdefault(rest.rsplit("_", 2)[0], []).extend(csv.DictReader(lines))
        trades = [tuple(row[name] for name in ("id", "side", "price", "quantity")) for row in self.table("trades")]
        self.assertEqual(
            [tuple(row[name] for name in ("id", "side", "price", "amount")) for row in types["trades"]], trades
        )
        quotes = [tuple(row[name] for name in ("ask", "ask_qty", "bid", "bid_qty")) for row in self.table("prices")]
        names = ("ask_price", "ask_amount", "bid_price", "bid_amount")
        self.assertEqual([tuple(row[name] for name in names) for row in types["quotes"]], quotes)
        books = self.table("orderbook")
        self.assertEqual(
            [row["bids[3].price"] for row in types["book_snapshot_10"]], [row["bid_price_3"] for row in books]
        )
        self.assertEqual(len(types["derivative_ticker"]), len(self.table("mark")) + len(self.table("open_interest")))
        book: Book = {"bid": {}, "ask": {}}
        for row in types["incremental_book_L2"]:
            self.assertTrue(row["local_timestamp"].isdigit())
            self.put(book[row["side"]], float(row["price"]), float(row["amount"]))
        self.assertEqual(book, self.book())

    def test_events_of_hftbacktest(self) -> None:
        """The exchange sees all trades, and behind all events the book is the one that was collected."""
        book: Book = {"bid": {}, "ask": {}}
        trades = []
        for path in self.export("hftbacktest"):
            with np.load(path) as file:
                events: Any = file["data"]
            for event in events[events["ev"] & EXCHANGE > 0]:
                what, side = int(event["ev"]) & 0xFF, "bid" if int(event["ev"]) & BUY else "ask"
                if what == TRADE:
                    trades.append((int(event["exch_ts"]) // MS, event["px"], event["qty"]))
                elif what == CLEAR:
                    book = {"bid": {}, "ask": {}}
                else:
                    self.put(book[side], event["px"], event["qty"])
        collected = [
            (int(row["unix_timestamp_ms"]), float(row["price"]), float(row["quantity"])) for row in self.table("trades")
        ]
        self.assertEqual(trades, collected)
        self.assertEqual(book, self.book())

    def book(self) -> Book:
        """Return the full book behind the last row, as docs/files.md tells to rebuild it."""
        book: Book = {"bid": {}, "ask": {}}
        for row in self.table("depth"):
            for side, levels in book.items():
                if not row["previous_update_id"]:
                    levels.clear()
                for level in filter(None, row[f"{side}s"].split(";")):
                    price, amount = level.split(" ")
                    self.put(levels, float(price), float(amount))
        self.assertGreater(min(map(len, book.values())), 10)
        return book

    def put(self, levels: dict[float, float], price: float, amount: float) -> None:
        levels[price] = amount
        if not amount:
            del levels[price]


if __name__ == "__main__":
    unittest.main()
