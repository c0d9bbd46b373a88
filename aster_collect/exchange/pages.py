"""REST: the calls that are made, and what is read of their answers. Pure."""

from typing import Any, NamedTuple

from ..errors import DecodeError
from .events import HOLE, Ask
from .fields import time_ms
from .streams import depth, trades
from .venues import Venue

EXCHANGE_INFO = "exchangeInfo"
EXCHANGE_INFO_BYTES = 8 << 20  # about 580 symbols of 2 kB, and room for seven times as much
SNAPSHOT_LEVELS = 1000  # a side, the most that there are


def ask_exchange_info(venue: Venue) -> Ask:
    """Return the request for the listed symbols and limits."""
    return _ask(venue, EXCHANGE_INFO, most_bytes=EXCHANGE_INFO_BYTES)


def ask_time(venue: Venue) -> Ask:
    """Return the request for the exchange's clock."""
    return _ask(venue, "time")


def ask_page(venue: Venue, symbol: str, first_id: int, count: int) -> Ask:
    """Return the request for `count` aggregate trades from an id on, the id included; a page is the most."""
    query = (("symbol", symbol), ("fromId", str(first_id)), ("limit", str(count)))
    ask = _ask(venue, "aggTrades", query)
    return ask._replace(kind=trades.KIND.name, symbol=symbol, first_id=first_id, rank=HOLE, once=False)


def ask_snapshot(venue: Venue, symbol: str) -> Ask:
    """Return the request for a symbol's book, with as many levels as can be had."""
    ask = _ask(venue, "depth", (("symbol", symbol), ("limit", str(SNAPSHOT_LEVELS))))
    return ask._replace(kind=depth.KIND.name, symbol=symbol, rank=HOLE, once=False)


def _ask(venue: Venue, call: str, query: tuple[tuple[str, str], ...] = (), most_bytes: int = 4 << 20) -> Ask:
    return Ask(f"{venue.prefix}/{call}", query, venue.weights[call], most_bytes=most_bytes)


def decode_page(venue: Venue, answer: Any, received_ns: int) -> tuple[list[trades.Trade], list[tuple[str, object]]]:
    """Return the trades of one `aggTrades` answer, oldest first, and what in it can't be read, each with the reason.

    Raises `DecodeError` if the answer is no page at all, or has more than a page can have.
    """
    if not isinstance(answer, list):
        raise DecodeError("aggTrades is not a list")
    if len(answer) > venue.trades_a_page:
        raise DecodeError(f"aggTrades has {len(answer)} trades, at most {venue.trades_a_page} were asked for")
    page: list[trades.Trade] = []
    odd: list[tuple[str, object]] = []
    for item in answer:
        try:
            if not isinstance(item, dict):
                raise DecodeError("not an object")
            page.append(trades.of_page(item, received_ns))
        except DecodeError as error:
            odd.append((str(error), item))
    return page, odd


def decode_time(answer: Any) -> int:
    """Return the exchange's clock in milliseconds; raise `DecodeError` if there is none."""
    if not isinstance(answer, dict):
        raise DecodeError("time is not an object")
    now_ms = time_ms(answer, "serverTime")
    if now_ms is None:
        raise DecodeError("time has no serverTime")
    return now_ms


class ExchangeInfo(NamedTuple):
    """What `exchangeInfo` says: each symbol's status and contract type, and the request weight allowed a minute."""

    statuses: dict[str, str]
    contract_types: dict[str, str]
    weight_a_minute: int | None


def decode_exchange_info(answer: Any) -> ExchangeInfo:
    """Return the listed symbols and the weight limit; raise `DecodeError` if there is no list of symbols."""
    if not isinstance(answer, dict) or not isinstance(answer.get("symbols"), list):
        raise DecodeError("exchangeInfo has no list of symbols")
    listed = [item for item in answer["symbols"] if isinstance(item, dict) and isinstance(item.get("symbol"), str)]
    weight = None
    limits = answer.get("rateLimits")
    for limit in limits if isinstance(limits, list) else []:
        if (
            isinstance(limit, dict)
            and limit.get("rateLimitType") == "REQUEST_WEIGHT"
            and limit.get("interval") == "MINUTE"
        ):
            number, minutes = limit.get("limit"), limit.get("intervalNum", 1)
            if type(number) is int and type(minutes) is int and number > 0 and minutes > 0:
                weight = number // minutes
    return ExchangeInfo(
        {item["symbol"]: str(item.get("status", "")) for item in listed},
        {item["symbol"]: str(item.get("contractType", "")) for item in listed},
        weight,
    )
