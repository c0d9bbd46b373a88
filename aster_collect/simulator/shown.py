"""A listed symbol as REST shows it: rows, books and entries that agree with what its streams send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .books import Side
from .listing import TRADING, Listing
from .venues import Venue

INTEREST_RATE = "0.00010000"


class Shown:
    """One symbol of the seeded market; see `supply.ListedSymbol`."""

    def __init__(self, listing: Listing, venue: Venue) -> None:
        """The venue decides which keys there are."""
        self._listing = listing
        self._is_spot = venue.name == "spot"
        self.symbol = listing.symbol
        self.end_us = listing.end_us

    def is_trading(self, now_us: int) -> bool:
        """Whether it trades at a time."""
        listing = self._listing
        return listing.status == TRADING and (listing.end_us is None or listing.end_us > now_us)

    def info(self, now_us: int) -> dict[str, Any]:
        """Its entry of exchangeInfo."""
        return _entry(self._listing, is_spot=self._is_spot)

    # Trades

    def first_trade_from(self, time_us: int) -> int:
        """The id of the first aggregate trade at or after a time, from 1."""
        return max(1, self._listing.trades.line.first_after(time_us - 1))

    def last_trade_at(self, time_us: int) -> int:
        """The id of the last aggregate trade that is not after a time; below 1 when there is none."""
        return self._listing.trades.line.last_at(time_us)

    def trade_rows(self, ids: Sequence[int]) -> list[str]:
        """The rows of the aggregate trades of these ids."""
        quantity = self._listing.writer.quantity
        return [
            f'{{"a":{trade.number},"p":"{trade.price}","q":"{quantity(trade.steps)}","f":{trade.first},"l":{trade.last},'
            f'"T":{trade.time_us // 1000},"m":{"true" if trade.buyer_is_maker else "false"}}}'
            for number in ids
            for trade in (self._listing.trades.trade(number),)
        ]

    def fill_rows(self, limit: int, now_us: int) -> list[str]:
        """The newest single fills, oldest first."""
        listing, rows = self._listing, []
        trades = listing.trades
        last = trades.last_fill_at(now_us)
        for number in range(max(trades.first_fill(1), last - limit + 1), last + 1):
            fill = trades.fill(number)
            price, quantity = fill.trade.price, listing.writer.quantity(fill.steps)
            # As published, `qty` of spot is in the quote asset, and `baseQty` is what was traded.
            value = f"{float(price) * float(quantity):.8f}"
            amounts = f'"qty":"{quantity}","quoteQty":"{value}"'
            if self._is_spot:
                amounts = f'"qty":"{value}","baseQty":"{quantity}"'
            rows.append(
                f'{{"id":{number},"price":"{price}",{amounts},"time":{fill.trade.time_us // 1000},'
                f'"isBuyerMaker":{"true" if fill.trade.buyer_is_maker else "false"}}}'
            )
        return rows

    # Books

    def book(self, limit: int, now_us: int) -> str:
        """The book with so many levels a side."""
        listing = self._listing
        quote = listing.quotes.at(now_us)
        book = {
            "lastUpdateId": listing.ids.at(quote.time_us),
            "E": now_us // 1000,
            "T": quote.time_us // 1000,
            "bids": self._rows(listing.books.side(quote, -1, limit)),
            "asks": self._rows(listing.books.side(quote, 1, limit)),
        }
        return json.dumps(book, separators=(",", ":"))

    def _rows(self, levels: Side) -> list[list[str]]:
        return [[self._listing.writer.price(ticks), quantity] for ticks, quantity in levels]

    def ticker(self, now_us: int) -> str:
        """The best bid and offer."""
        listing, price = self._listing, self._listing.writer.price
        quote = listing.quotes.at(now_us)
        (bid, bid_quantity), (ask, ask_quantity) = listing.books.best(quote, -1), listing.books.best(quote, 1)
        return (
            f'{{"symbol":"{self.symbol}","bidPrice":"{price(bid)}","bidQty":"{bid_quantity}",'
            f'"askPrice":"{price(ask)}","askQty":"{ask_quantity}","time":{quote.time_us // 1000}}}'
        )

    # What only futures have

    def premium(self, now_us: int) -> dict[str, Any]:
        """Mark price and funding."""
        mark = self._listing.perpetual.mark(now_us)
        return {
            "symbol": self.symbol,
            "markPrice": mark.price,
            "indexPrice": mark.index_price,
            "estimatedSettlePrice": mark.settle or mark.index_price,
            "lastFundingRate": mark.rate,
            "interestRate": INTEREST_RATE,
            "nextFundingTime": mark.next_ms,
            "time": now_us // 1000,
        }

    def open_interest(self, now_us: int) -> str:
        """The quantity of open contracts."""
        return self._listing.perpetual.open_interest(now_us)

    def funding(self, now_us: int) -> dict[str, Any]:
        """Its entry of fundingInfo."""
        hours = self._listing.perpetual.announced_hours or None
        cap = None if hours is None else 0.0025 * hours
        return {
            "symbol": self.symbol,
            "interestRate": INTEREST_RATE,
            "time": now_us // 1000,
            "fundingIntervalHours": hours,
            "fundingFeeCap": cap,
            "fundingFeeFloor": None if cap is None else -cap,
        }

    def funding_times(self, start_us: int, end_us: int) -> range:
        """The times of fundings between two times, both included."""
        return self._listing.perpetual.fundings(start_us, end_us)

    def funding_rate(self, time_us: int) -> str:
        """The rate of a funding."""
        return self._listing.perpetual.rate(time_us)


def _entry(listing: Listing, *, is_spot: bool) -> dict[str, Any]:
    grid = listing.instrument
    tick, step = listing.tick_size, listing.writer.quantity(1)
    common = {
        "symbol": listing.symbol,
        "status": listing.status,
        "baseAsset": grid.base_asset,
        "quoteAsset": grid.quote_asset,
        "pricePrecision": grid.price_decimals,
        "quantityPrecision": grid.quantity_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "10000000", "stepSize": step},
            {"filterType": "MARKET_LOT_SIZE", "minQty": step, "maxQty": "500000", "stepSize": step},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": "5"},
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1.1", "multiplierDown": "0.9", "multiplierDecimal": 4},
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "HIDDEN"],
    }
    if is_spot:
        return {**common, "ocoAllowed": False}
    return {
        **common,
        "pair": listing.symbol,
        "contractType": "" if listing.status == "PENDING" else "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": listing.start_us // 1000,
        "marginAsset": grid.quote_asset,
        "underlyingType": "COIN",
        "settlePlan": 0,
    }
