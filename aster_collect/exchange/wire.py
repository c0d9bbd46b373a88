"""ASTER's words: stream names and URLs out, text in; nothing behind this module sees a JSON object.

Pure. Field names, limits and payloads are those of the exchange's published futures API, version 3.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from ..errors import DecodeError
from .events import Ask, Depth, Event, Heartbeat, Quote, Trade

STREAMS_PER_CONNECTION = 200
URL_LENGTH = 8000
HEARTBEAT_STREAM = "btcusdt@markPrice@1s"
REST_PREFIX = "/fapi/v3"
EXCHANGE_INFO = f"{REST_PREFIX}/exchangeInfo"
EXCHANGE_INFO_BYTES = 8 << 20  # about 580 symbols of 2 kB, and room for seven times as much
PAGE_TRADES = 1000

PLAIN_DECIMAL = re.compile(r"[0-9]{1,32}(?:\.[0-9]{1,32})?")
ID_LIMIT = 1 << 63
TIME_LIMIT_MS = 10**14


def symbol_streams(symbol: str, levels: int, interval_ms: int) -> tuple[str, str, str]:
    """Return the names of a symbol's three streams: aggregate trades, best bid and offer, book snapshots."""
    lower = symbol.lower()
    speed = "" if interval_ms == 250 else f"@{interval_ms}ms"
    return f"{lower}@aggTrade", f"{lower}@bookTicker", f"{lower}@depth{levels}{speed}"


def stream_url(base: str, streams: Iterable[str]) -> str:
    """Return the URL of one connection that carries all these streams, each event wrapped with its stream's name."""
    return f"{base.rstrip('/')}/stream?streams=" + "/".join(quote(stream, safe="@") for stream in streams)


class Group(NamedTuple):
    """The symbols that share a connection, and the streams of that connection."""

    symbols: tuple[str, ...]
    streams: tuple[str, ...]


def plan_groups(base: str, symbols: Sequence[str], levels: int, interval_ms: int) -> list[Group]:
    """Divide symbols over as few connections as the exchange's limits allow, each with the heartbeat stream.

    A symbol's streams stay together. The limits: 200 streams a connection, and 8,000 characters a URL.
    """
    groups: list[Group] = []
    names: list[str] = []
    streams: list[str] = [HEARTBEAT_STREAM]
    length = start = len(stream_url(base, streams))
    for symbol in symbols:
        own = symbol_streams(symbol, levels, interval_ms)
        grown = sum(len(quote(stream, safe="@")) + 1 for stream in own)
        if names and (len(streams) + len(own) > STREAMS_PER_CONNECTION or length + grown > URL_LENGTH):
            groups.append(Group(tuple(names), tuple(streams)))
            names, streams, length = [], [HEARTBEAT_STREAM], start
        names.append(symbol)
        streams.extend(own)
        length += grown
    groups.append(Group(tuple(names), tuple(streams)))
    return groups


def ask_exchange_info() -> Ask:
    """Return the request for the listed symbols and limits."""
    return Ask(EXCHANGE_INFO, (), 1, most_bytes=EXCHANGE_INFO_BYTES)


def ask_time() -> Ask:
    """Return the request for the exchange's clock."""
    return Ask(f"{REST_PREFIX}/time", (), 1)


def ask_page(symbol: str, first_id: int, count: int) -> Ask:
    """Return the request for `count` (at most 1000) aggregate trades from an id on, the id included."""
    query = (("symbol", symbol), ("fromId", str(first_id)), ("limit", str(count)))
    return Ask(f"{REST_PREFIX}/aggTrades", query, 20, symbol, first_id)


_TEXT = r'[^"\\\x00-\x1f\x7f-\xff]*+'
_DECIMAL = r"[0-9]{1,32}+(?:\.[0-9]{1,32}+)?+"
_ID = r"(?:0|[1-9][0-9]{0,17}+)"
_MS = r"[1-9][0-9]{12}"
_LEVEL = rf'\["{_DECIMAL}","{_DECIMAL}"\]'
_SIDE = rf"\[((?:{_LEVEL}(?:,{_LEVEL})*+)?+)\]"
_WRAPPED = rf'\{{"stream":"{_TEXT}","data":\{{"e":'

# The exact compact shapes that the exchange sends, to the last character: 1 µs instead of 5 for a quote, 5 instead of
# 30 for a book of 20 levels. What differs in anything, a new key, another order, a space, goes the general way.
# Groups of a quote: update id, symbol, bid, ask, when it was made in seconds and the milliseconds behind, sent ms.
quote_shape = re.compile(
    rf'{_WRAPPED}"bookTicker","u":({_ID}),"s":"({_TEXT})","b":"({_DECIMAL})","B":"{_DECIMAL}","a":"({_DECIMAL})",'
    rf'"A":"{_DECIMAL}","T":([1-9][0-9]{{9}})([0-9]{{3}}),"E":({_MS})\}}\}}'
).fullmatch
_TRADE_SHAPE = re.compile(
    rf'{_WRAPPED}"aggTrade","E":({_MS}),"s":"({_TEXT})","a":({_ID}),"p":"({_DECIMAL})","q":"({_DECIMAL})",'
    rf'"f":{_ID},"l":{_ID},"T":({_MS}),"m":(true|false)\}}\}}'
).fullmatch
_DEPTH_SHAPE = re.compile(
    rf'{_WRAPPED}"depthUpdate","E":({_MS}),"T":({_MS}),"s":"({_TEXT})","U":{_ID},"u":({_ID}),"pu":({_ID}),'
    rf'"b":{_SIDE},"a":{_SIDE}\}}\}}'
).fullmatch


_new = tuple.__new__  # half the price of the class's own call


def decode(text: str, start: int, stop: int) -> Event:
    """Return the event in one message; raise `DecodeError` with the reason for anything that is not one.

    The message is `text[start:stop]`, one character for each of its bytes (Latin-1), whatever they encode. It may be
    wrapped (`{"stream":…,"data":…}`) or raw, its keys in any order, with keys not known here.
    """
    if match := quote_shape(text, start, stop):
        update_id, symbol, bid, ask, event_s, event_ms, sent_ms = match.groups()
        return _new(Quote, (symbol, int(update_id), int(event_s + event_ms), int(sent_ms), bid, ask))
    if match := _TRADE_SHAPE(text, start, stop):
        sent_ms, symbol, trade_id, price, quantity, event_ms, maker = match.groups()
        side = "sell" if maker == "true" else "buy"
        return _new(Trade, (symbol, int(trade_id), int(event_ms), int(sent_ms), side, price, quantity))
    if match := _DEPTH_SHAPE(text, start, stop):
        sent_ms, event_ms, symbol, update_id, previous, bids, asks = match.groups()
        ids = int(update_id), int(previous), int(event_ms), int(sent_ms)
        return _new(Depth, (symbol, *ids, _cells(bids), _cells(asks)))
    return decode_any(text[start:stop].encode("latin-1"))


def _cells(levels: str) -> str:
    """Return `["p","q"],["p","q"]` as `p,q,p,q`; bytes can delete characters in one pass."""
    return levels.encode("ascii").translate(None, b'"[]').decode("ascii")


def decode_any(message: bytes) -> Event:
    """Return the event in one message of any shape, by way of JSON; raise `DecodeError` as `decode` does."""
    try:
        payload = json.loads(str(message, "utf-8"))
    except UnicodeDecodeError as error:
        raise DecodeError("invalid UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise DecodeError("not JSON") from error
    if not isinstance(payload, dict):
        raise DecodeError("not an object")
    stream = payload.get("stream")
    if stream is not None:
        payload = payload.get("data")
        if not isinstance(stream, str) or not isinstance(payload, dict):
            raise DecodeError("odd field: stream or data")
    name = payload.get("e")
    if name is None and stream is not None and stream.endswith("@bookTicker"):
        name = "bookTicker"  # the spot exchange's has no "e" and no times
    if not isinstance(name, str) or name not in _DECODERS:
        raise DecodeError(f"unknown event: {str(name)[:40]!r}")
    return _DECODERS[name](payload)


_Payload = dict[str, object]


def _quote(payload: _Payload) -> Quote:
    for key in ("B", "A"):
        _decimal(payload, key)
    return Quote(
        _symbol(payload),
        _id(payload, "u"),
        _event_ms(payload),
        _sent_ms(payload),
        _decimal(payload, "b"),
        _decimal(payload, "a"),
    )


def _depth(payload: _Payload) -> Depth:
    return Depth(
        _symbol(payload),
        _id(payload, "u"),
        _id(payload, "pu") if "pu" in payload else None,
        _event_ms(payload),
        _sent_ms(payload),
        _side(payload, "b"),
        _side(payload, "a"),
    )


def _stream_trade(payload: _Payload) -> Trade:
    return _trade(payload, _symbol(payload))


def _trade(payload: _Payload, symbol: str) -> Trade:
    maker = payload.get("m")
    if not isinstance(maker, bool):
        raise DecodeError("odd field: m")
    return Trade(
        symbol,
        _id(payload, "a"),
        _event_ms(payload),
        _sent_ms(payload),
        "sell" if maker else "buy",
        _decimal(payload, "p"),
        _decimal(payload, "q"),
    )


def _heartbeat(payload: _Payload) -> Heartbeat:
    sent_ms = _time(payload, "E")
    if sent_ms is None:
        raise DecodeError("missing field: E")
    return Heartbeat(sent_ms)


_DECODERS: dict[str, Callable[[_Payload], Event]] = {
    "bookTicker": _quote,
    "aggTrade": _stream_trade,
    "depthUpdate": _depth,
    "markPriceUpdate": _heartbeat,
}


def _field(payload: _Payload, key: str) -> object:
    try:
        return payload[key]
    except KeyError:
        raise DecodeError(f"missing field: {key}") from None


def _symbol(payload: _Payload) -> str:
    symbol = _field(payload, "s")
    if not isinstance(symbol, str):
        raise DecodeError("odd field: s")
    return symbol


def _decimal(payload: _Payload, key: str) -> str:
    text = _field(payload, key)
    if not isinstance(text, str) or not PLAIN_DECIMAL.fullmatch(text):
        raise DecodeError(f"odd field: {key}")
    return text


def _id(payload: _Payload, key: str) -> int:
    number = _field(payload, key)
    if type(number) is not int or not 0 <= number < ID_LIMIT:
        raise DecodeError(f"odd field: {key}")
    return number


def _time(payload: _Payload, key: str) -> int | None:
    number = payload.get(key)
    if number is None:
        return None
    if type(number) is not int or not 0 < number < TIME_LIMIT_MS:
        raise DecodeError(f"odd field: {key}")
    return number


def _event_ms(payload: _Payload) -> int | None:
    """Return when the matching engine made the event (`T`), else when it was sent (`E`)."""
    made_ms = _time(payload, "T")
    return _time(payload, "E") if made_ms is None else made_ms


def _sent_ms(payload: _Payload) -> int | None:
    """Return when the event was sent (`E`), else when it was made (`T`)."""
    sent_ms = _time(payload, "E")
    return _time(payload, "T") if sent_ms is None else sent_ms


def _side(payload: _Payload, key: str) -> str:
    levels = _field(payload, key)
    if not isinstance(levels, list):
        raise DecodeError(f"odd field: {key}")
    cells: list[str] = []
    for level in levels:
        if not isinstance(level, list) or len(level) != 2:
            raise DecodeError(f"odd field: {key}")
        for text in level:
            if not isinstance(text, str) or not PLAIN_DECIMAL.fullmatch(text):
                raise DecodeError(f"odd field: {key}")
            cells.append(text)
    return ",".join(cells)


def decode_page(symbol: str, answer: object) -> tuple[list[Trade], list[tuple[str, object]]]:
    """Return the trades of one `aggTrades` answer, oldest first, and what in it can't be read, each with the reason.

    Raises `DecodeError` if the answer is no page at all, or has more than a page can have.
    """
    if not isinstance(answer, list):
        raise DecodeError("aggTrades is not a list")
    if len(answer) > PAGE_TRADES:
        raise DecodeError(f"aggTrades has {len(answer)} trades, at most {PAGE_TRADES} were asked for")
    trades: list[Trade] = []
    odd: list[tuple[str, object]] = []
    for item in answer:
        try:
            if not isinstance(item, dict):
                raise DecodeError("not an object")
            trades.append(_trade(item, symbol))
        except DecodeError as error:
            odd.append((str(error), item))
    return trades, odd


def decode_time(answer: object) -> int:
    """Return the exchange's clock in milliseconds; raise `DecodeError` if there is none."""
    if not isinstance(answer, dict):
        raise DecodeError("time is not an object")
    time_ms = _time(answer, "serverTime")
    if time_ms is None:
        raise DecodeError("time has no serverTime")
    return time_ms


class ExchangeInfo(NamedTuple):
    """What `exchangeInfo` says: each symbol's status and contract type, and the request weight allowed a minute."""

    statuses: dict[str, str]
    contract_types: dict[str, str]
    weight_a_minute: int | None


def decode_exchange_info(answer: object) -> ExchangeInfo:
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
