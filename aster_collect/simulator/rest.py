"""REST without a socket: a path, parameters, the market and the time make an answer; a gate counts and bans."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from .listing import Listing
from .market import Market

WEIGHT_LIMIT = 2400  # a minute
BAN_S = 120  # the shortest ban of the exchange
HOUR_MS = 3_600_000
PAGE_DEFAULT, PAGE_LIMIT = 500, 1000
DEPTH_WEIGHTS = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}
PREFIXES = ("/fapi/v3/", "/fapi/v1/")
REASON_429 = "Too many requests; current limit is {limit} request weight per 1 MINUTE."
REASON_418 = (
    "Way too many requests; IP banned until {until_ms}. Please use the websocket for live updates to avoid bans."
)


class Answer(NamedTuple):
    """A status, extra headers and a JSON body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


class Paging(NamedTuple):
    """What faults do to pages of aggTrades."""

    most_rows: int | None = None
    omitted_divisor: int | None = None  # ids that it divides are not shown
    first_id: int = 1  # lower ids are forgotten
    oldest_s: float | None = None  # older trades are forgotten


class RefusedError(Exception):
    """A request that the exchange answers with an error; its text is the body."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        """An error code of the exchange, its message, and the HTTP status."""
        super().__init__(message)
        self.status = status
        self.body = error_body(code, message)


def error_body(code: int, message: str) -> str:
    """The body of an error."""
    return json.dumps({"code": code, "msg": message}, separators=(",", ":"))


def weight(path: str, params: Mapping[str, str]) -> int:
    """What a call costs of the limit, right or wrong."""
    call = path.rsplit("/", 1)[-1]
    if call == "aggTrades":
        return 20
    if call == "depth":
        limit = params.get("limit", "500")
        return DEPTH_WEIGHTS.get(int(limit), 1) if limit.isdecimal() and len(limit) < 10 else 1
    return 2 if call == "bookTicker" and "symbol" not in params else 1


class Gate:
    """Counts weight by the minute and keeps the limits: open → told to wait (429) → banned (418) → open.

    Time is Unix microseconds. A request inside a time that a client was told to wait for counts as impolite.
    """

    def __init__(self, limit: int = WEIGHT_LIMIT) -> None:
        """The limit is weight a minute."""
        self.limit = limit
        self.used = 0
        self.requests_while_banned = 0
        self._minute = 0
        self._told_until_us = 0
        self._banned_until_us = 0
        self._refusals: list[float] = []  # Retry-After of the next requests, in seconds

    def refuse_next(self, seconds: float, count: int) -> None:
        """Answer the next requests with 429 and a Retry-After."""
        self._refusals += [seconds] * count

    def ban(self, seconds: float, now_us: int) -> None:
        """Answer 418 for so long."""
        self._banned_until_us = now_us + int(seconds * 1e6)

    def clear(self) -> None:
        """Forget refusals and bans."""
        self._refusals = []
        self._told_until_us = self._banned_until_us = 0

    def admit(self, cost: int, now_us: int) -> Answer | None:
        """None for a request that may be answered, else the refusal."""
        minute = now_us // 60_000_000
        if minute != self._minute:
            self._minute, self.used = minute, 0
        self.used += cost
        if now_us < self._told_until_us:
            self.requests_while_banned += 1
            if now_us >= self._banned_until_us:  # it went on after a 429
                self._banned_until_us = now_us + BAN_S * 1_000_000
        if now_us < self._banned_until_us:
            until_ms = self._banned_until_us // 1000
            return self._tell(418, self._banned_until_us, now_us, REASON_418.format(until_ms=until_ms))
        if self._refusals:
            until_us = now_us + int(self._refusals.pop(0) * 1e6)
            return self._tell(429, until_us, now_us, REASON_429.format(limit=self.limit))
        if self.used > self.limit:
            return self._tell(429, (minute + 1) * 60_000_000, now_us, REASON_429.format(limit=self.limit))
        return None

    def _tell(self, status: int, until_us: int, now_us: int, message: str) -> Answer:
        wait_s = max(1, math.ceil((until_us - now_us) / 1e6))
        self._told_until_us = max(self._told_until_us, now_us + wait_s * 1_000_000)
        return Answer(status, (("Retry-After", str(wait_s)),), error_body(-1003, message))


def answer(
    path: str, params: Mapping[str, str], market: Market, now_us: int, *, paging: Paging, limit: int = WEIGHT_LIMIT
) -> Answer:
    """The answer to a GET; the limit is the request weight that exchangeInfo announces."""
    call = next((path.removeprefix(prefix) for prefix in PREFIXES if path.startswith(prefix)), "")
    try:
        if call == "ping":
            body = "{}"
        elif call == "time":
            body = f'{{"serverTime":{now_us // 1000}}}'
        elif call == "exchangeInfo":
            body = _exchange_info(market, now_us, limit)
        elif call == "ticker/bookTicker" and "symbol" not in params:
            tickers = [_book_ticker(market.listing(name), now_us) for name in market.trading(now_us)]
            body = f"[{','.join(tickers)}]"
        elif call == "aggTrades" or call in CALLS:
            listing = _listing(market, params)
            now_us = min(now_us, listing.end_us or now_us)
            by_symbol = CALLS.get(call)
            body = by_symbol(listing, params, now_us) if by_symbol else _agg_trades(listing, params, now_us, paging)
        else:
            raise RefusedError(-5000, f"Path {path}, Method GET is invalid", 404)
    except RefusedError as error:
        return Answer(error.status, (), error.body)
    return Answer(200, (), body)


def _listing(market: Market, params: Mapping[str, str]) -> Listing:
    symbol = params.get("symbol", "")
    if not symbol:
        message = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
        raise RefusedError(-1102, message)
    listing = market.listing(symbol)
    if listing is None:
        raise RefusedError(-1121, "Invalid symbol.")
    return listing


def _whole(params: Mapping[str, str], name: str) -> int | None:
    text = params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise RefusedError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,18}}$'.")
    return int(text)


def _page_limit(params: Mapping[str, str]) -> int:
    limit = _whole(params, "limit")
    if limit is None:
        return PAGE_DEFAULT
    if not 1 <= limit <= PAGE_LIMIT:
        raise RefusedError(-1130, "Data sent for parameter 'limit' is not valid.")
    return limit


def _exchange_info(market: Market, now_us: int, limit: int) -> str:
    trading = set(market.trading(now_us))
    symbols = []
    for listing in market.listings():
        grid, writer = listing.instrument, listing.writer
        tick, step = writer.price(1), writer.quantity(1)
        symbols.append(
            {
                "symbol": listing.symbol,
                "pair": listing.symbol,
                "contractType": "PERPETUAL",
                "onboardDate": listing.start_us // 1000,
                "status": "TRADING" if listing.symbol in trading else "SETTLING",
                "baseAsset": grid.base_asset,
                "quoteAsset": grid.quote_asset,
                "marginAsset": grid.quote_asset,
                "pricePrecision": grid.price_decimals,
                "quantityPrecision": grid.quantity_decimals,
                "filters": [
                    {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
                    {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "10000000", "stepSize": step},
                    {"filterType": "MIN_NOTIONAL", "notional": "5"},
                ],
            }
        )
    rule = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": limit}
    info = {
        "timezone": "UTC",
        "serverTime": now_us // 1000,
        "rateLimits": [rule],
        "exchangeFilters": [],
        "symbols": symbols,
    }
    return json.dumps(info, ensure_ascii=False, separators=(",", ":"))


def _agg_trades(listing: Listing, params: Mapping[str, str], now_us: int, paging: Paging) -> str:
    limit, from_id = _page_limit(params), _whole(params, "fromId")
    start_ms, end_ms = _whole(params, "startTime"), _whole(params, "endTime")
    if from_id is not None and (start_ms is not None or end_ms is not None):
        raise RefusedError(-1128, "Combination of optional parameters invalid.")
    if start_ms is not None and end_ms is not None and not 0 <= end_ms - start_ms < HOUR_MS:
        raise RefusedError(-1127, "startTime and endTime must be in order and less than an hour apart.")
    line = listing.trades
    available = max(1, paging.first_id)
    if paging.oldest_s is not None:
        available = max(available, line.first_after(now_us - int(paging.oldest_s * 1e6) - 1))
    last = line.last_at(now_us)
    if end_ms is not None:
        last = min(last, line.last_at(end_ms * 1000 + 999))
    if from_id is not None:
        first = from_id
    elif start_ms is not None:
        first = line.first_after(start_ms * 1000 - 1)
    else:
        first = last - limit + 1
    first = max(first, available)
    rows = range(first, min(last, first + limit - 1) + 1)
    if paging.most_rows is not None:
        rows = rows[: paging.most_rows]
    return f"[{','.join(_trade_texts(listing, rows, paging.omitted_divisor))}]"


def _trade_texts(listing: Listing, ids: Iterable[int], omitted_divisor: int | None) -> list[str]:
    quantity = listing.writer.quantity
    return [
        f'{{"a":{trade.number},"p":"{trade.price}","q":"{quantity(trade.steps)}","f":{trade.first},"l":{trade.last},'
        f'"T":{trade.time_us // 1000},"m":{"true" if trade.buyer_is_maker else "false"}}}'
        for number in ids
        if not (omitted_divisor and number % omitted_divisor == 0)
        for trade in (listing.trade(number),)
    ]


def _trades(listing: Listing, params: Mapping[str, str], now_us: int) -> str:
    last = listing.last_fill_at(now_us)
    rows = []
    for number in range(max(listing.first_fill(1), last - _page_limit(params) + 1), last + 1):
        fill = listing.fill(number)
        price, quantity = fill.trade.price, listing.writer.quantity(fill.steps)
        rows.append(
            f'{{"id":{number},"price":"{price}","qty":"{quantity}","quoteQty":"{float(price) * float(quantity):.8f}",'
            f'"time":{fill.trade.time_us // 1000},"isBuyerMaker":{"true" if fill.trade.buyer_is_maker else "false"}}}'
        )
    return f"[{','.join(rows)}]"


def _depth(listing: Listing, params: Mapping[str, str], now_us: int) -> str:
    limit = _whole(params, "limit")
    limit = 500 if limit is None else limit
    if limit not in DEPTH_WEIGHTS:
        raise RefusedError(-4021, f"{limit} is not valid depth limit.")
    quote = listing.quote_at(now_us)
    time_ms = quote.time_us // 1000
    book = {
        "lastUpdateId": listing.update_id(quote.time_us, 0),
        "E": now_us // 1000,
        "T": time_ms,
        "bids": listing.side_rows(listing.side(quote, -1, limit)),
        "asks": listing.side_rows(listing.side(quote, 1, limit)),
    }
    return json.dumps(book, separators=(",", ":"))


def _book_ticker(listing: Listing | None, now_us: int) -> str:
    if listing is None:  # delisted since the names were read
        raise RefusedError(-1121, "Invalid symbol.")
    quote, price = listing.quote_at(now_us), listing.writer.price
    return (
        f'{{"symbol":"{listing.symbol}","bidPrice":"{price(quote.bid)}","bidQty":"{quote.bid_quantity}",'
        f'"askPrice":"{price(quote.ask)}","askQty":"{quote.ask_quantity}","time":{quote.time_us // 1000}}}'
    )


def _one_book_ticker(listing: Listing, _params: Mapping[str, str], now_us: int) -> str:
    return _book_ticker(listing, now_us)


CALLS: Mapping[str, Callable[[Listing, Mapping[str, str], int], str]] = {
    "trades": _trades,
    "depth": _depth,
    "ticker/bookTicker": _one_book_ticker,
}
