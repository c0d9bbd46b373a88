"""REST without a socket: a path, parameters, what the exchange has to offer and the time make an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .gate import Answer, error_body
from .supply import ListedSymbol, Supply

HOUR_MS = 3_600_000
PAGE_DEFAULT, FUNDING_DEFAULT, PAGE_LIMIT = 500, 100, 1000
DEPTH_WEIGHTS = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}
WEIGHTS_OF_ALL = {"bookTicker": 2, "premiumIndex": 10}  # without a symbol


class Paging(NamedTuple):
    """What faults do to pages of aggTrades."""

    most_rows: int | None = None
    omitted_divisor: int | None = None  # ids that it divides are not shown
    first_id: int = 1  # lower ids are forgotten
    oldest_s: float | None = None  # older trades are forgotten


class Call(NamedTuple):
    """A GET that has come: its parameters, what it is asked of, and when."""

    params: Mapping[str, str]
    supply: Supply
    now_us: int
    known_us: int  # up to when the server that is asked knows what happened
    paging: Paging
    limit: int


class RefusedError(Exception):
    """A request that the exchange answers with an error; its text is the body."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        """An error code of the exchange, its message, and the HTTP status."""
        super().__init__(message)
        self.status = status
        self.body = error_body(code, message)


def weight(path: str, params: Mapping[str, str], supply: Supply) -> int:
    """What a call costs of the limit, right or wrong."""
    call = path.rsplit("/", 1)[-1]
    if call == "aggTrades":
        return 20
    if call == "depth":
        limit = params.get("limit", str(supply.venue.depth_limit))
        return DEPTH_WEIGHTS.get(int(limit), 1) if limit.isdecimal() and len(limit) < 10 else 1
    return 1 if "symbol" in params else WEIGHTS_OF_ALL.get(call, 1)


def answer(
    path: str,
    params: Mapping[str, str],
    supply: Supply,
    now_us: int,
    *,
    paging: Paging,
    limit: int | None = None,
    behind_us: int = 0,
) -> Answer:
    """The answer to a GET; the limit is the request weight that exchangeInfo announces.

    A server may be `behind_us` behind: it knows nothing newer, but what time it is.
    """
    venue = supply.venue
    name = next((path.removeprefix(prefix) for prefix in venue.prefixes if path.startswith(prefix)), "")
    called = CALLS.get(name)
    try:
        if called is None or name in venue.silent:
            raise RefusedError(-5000, f"Path {path}, Method GET is invalid", 404)
        limit = venue.weight_limit if limit is None else limit
        body = called(Call(params, supply, now_us, now_us - behind_us, paging, limit))
    except RefusedError as error:
        return Answer(error.status, (), error.body)
    return Answer(200, (), body)


# Parameters


def _listed(call: Call) -> ListedSymbol:
    symbol = call.params.get("symbol", "")
    if not symbol:
        message = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
        raise RefusedError(-1102, message)
    listed = call.supply.one_listed(symbol)
    if listed is None:
        raise RefusedError(-1121, "Invalid symbol.")
    return listed


def _until(call: Call, listed: ListedSymbol) -> int:
    return call.known_us if listed.end_us is None else min(call.known_us, listed.end_us)


def _whole(params: Mapping[str, str], name: str) -> int | None:
    text = params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise RefusedError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,18}}$'.")
    return int(text)


def _page_limit(params: Mapping[str, str], default: int = PAGE_DEFAULT) -> int:
    limit = _whole(params, "limit")
    if limit is None:
        return default
    if not 1 <= limit <= PAGE_LIMIT:
        raise RefusedError(-1130, "Data sent for parameter 'limit' is not valid.")
    return limit


def _known(found: Any) -> Any:
    """What a recording may lack."""
    if found is None:
        raise RefusedError(-1000, "Not in the recording.")
    return found


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# Calls


def _ping(_call: Call) -> str:
    return "{}"


def _time(call: Call) -> str:
    return f'{{"serverTime":{call.now_us // 1000}}}'


def _exchange_info(call: Call) -> str:
    return _text(
        {
            "timezone": "UTC",
            "serverTime": call.now_us // 1000,
            "rateLimits": [
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": call.limit},
                {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
            ],
            "exchangeFilters": [],
            "assets": [{"asset": "USDT"}],
            "symbols": [listed.info(call.now_us) for listed in call.supply.listed()],
        }
    )


def _agg_trades(call: Call) -> str:
    listed, params, paging = _listed(call), call.params, call.paging
    now_us = _until(call, listed)
    limit, from_id = _page_limit(params), _whole(params, "fromId")
    start_ms, end_ms = _whole(params, "startTime"), _whole(params, "endTime")
    if from_id is not None and (start_ms is not None or end_ms is not None):
        raise RefusedError(-1128, "Combination of optional parameters invalid.")
    if start_ms is not None and end_ms is not None and not 0 <= end_ms - start_ms < HOUR_MS:
        raise RefusedError(-1127, "startTime and endTime must be in order and less than an hour apart.")
    available = max(paging.first_id, listed.first_trade_from(0))
    if paging.oldest_s is not None:
        available = max(available, listed.first_trade_from(now_us - int(paging.oldest_s * 1e6)))
    last = listed.last_trade_at(now_us if end_ms is None else min(now_us, end_ms * 1000 + 999))
    if from_id is not None:
        first = from_id
    elif start_ms is not None:
        first = listed.first_trade_from(start_ms * 1000)
    else:
        first = last - limit + 1
    first = max(first, available)
    ids = range(first, min(last, first + limit - 1) + 1)[: paging.most_rows]
    if paging.omitted_divisor:
        return f"[{','.join(listed.trade_rows([one for one in ids if one % paging.omitted_divisor]))}]"
    return f"[{','.join(listed.trade_rows(ids))}]"


def _trades(call: Call) -> str:
    listed = _listed(call)
    return f"[{','.join(listed.fill_rows(_page_limit(call.params), _until(call, listed)))}]"


def _depth(call: Call) -> str:
    listed, limit = _listed(call), _whole(call.params, "limit")
    limit = call.supply.venue.depth_limit if limit is None else limit
    if limit not in DEPTH_WEIGHTS:
        raise RefusedError(-4021, f"{limit} is not valid depth limit.")
    return str(_known(listed.book(limit, _until(call, listed))))


def _book_tickers(call: Call) -> str:
    if "symbol" in call.params:
        listed = _listed(call)
        return str(_known(listed.ticker(_until(call, listed))))
    tickers = [listed.ticker(call.known_us) for listed in call.supply.listed() if listed.is_trading(call.now_us)]
    return f"[{','.join(filter(None, tickers))}]"


def _open_interest(call: Call) -> str:
    listed = _listed(call)
    quantity = _known(listed.open_interest(_until(call, listed)))
    return _text({"symbol": listed.symbol, "openInterest": quantity, "time": call.now_us // 1000})


def _premium_index(call: Call) -> str:
    if "symbol" in call.params:
        return _text(_known(_listed(call).premium(call.now_us)))
    found = [listed.premium(call.now_us) for listed in call.supply.listed() if listed.is_trading(call.now_us)]
    return _text([one for one in found if one is not None])


def _funding_info(call: Call) -> str:
    if "symbol" in call.params:
        return _text([_known(_listed(call).funding(call.now_us))])
    found = [listed.funding(call.now_us) for listed in call.supply.listed() if listed.is_trading(call.now_us)]
    return _text([one for one in found if one is not None])


def _funding_rate(call: Call) -> str:
    listed, params = _listed(call), call.params
    limit = _page_limit(params, FUNDING_DEFAULT)
    start_ms, end_ms = _whole(params, "startTime"), _whole(params, "endTime")
    until_us = _until(call, listed) if end_ms is None else min(_until(call, listed), end_ms * 1000)
    times = listed.funding_times((start_ms or 0) * 1000, until_us)
    times = times[-limit:] if start_ms is None else times[:limit]
    return _text(
        [
            {"symbol": listed.symbol, "fundingRate": listed.funding_rate(time_us), "fundingTime": time_us // 1000}
            for time_us in times
        ]
    )


CALLS: Mapping[str, Callable[[Call], str]] = {
    "ping": _ping,
    "time": _time,
    "exchangeInfo": _exchange_info,
    "aggTrades": _agg_trades,
    "trades": _trades,
    "depth": _depth,
    "ticker/bookTicker": _book_tickers,
    "openInterest": _open_interest,
    "premiumIndex": _premium_index,
    "fundingInfo": _funding_info,
    "fundingRate": _funding_rate,
}
