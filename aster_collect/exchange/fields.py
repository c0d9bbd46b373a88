"""The fields of a payload, each checked; what is not as the protocol says raises `DecodeError`. Pure."""

import re
from typing import Any

from ..errors import DecodeError

Payload = dict[str, Any]

PLAIN_DECIMAL = re.compile(r"[0-9]{1,32}(?:\.[0-9]{1,32})?")
SIGNED_DECIMAL = re.compile(r"-?[0-9]{1,32}(?:\.[0-9]{1,32})?")
PLAIN_WORD = re.compile(r"[A-Z0-9_]{1,32}")
PLAIN_TEXT = re.compile(r'[^\x00-\x20\x7f",\ud800-\udfff]{1,64}')  # fits in a cell as it stands
ID_LIMIT = 1 << 63
TIME_LIMIT_MS = 10**14


def field(payload: Payload, key: str) -> Any:
    """Return a field that must be there."""
    try:
        return payload[key]
    except KeyError:
        raise DecodeError(f"missing field: {key}") from None


def symbol(payload: Payload, key: str = "s") -> str:
    """Return a symbol."""
    text = field(payload, key)
    if not isinstance(text, str):
        raise DecodeError(f"odd field: {key}")
    return text


def decimal(payload: Payload, key: str) -> str:
    """Return a plain decimal as it stands."""
    return _matching(payload, key, PLAIN_DECIMAL)


def decimal_or_blank(payload: Payload, key: str) -> str:
    """Return a plain decimal as it stands; nothing where it is empty, null or not there."""
    return decimal(payload, key) if payload.get(key) not in (None, "") else ""


def signed_or_blank(payload: Payload, key: str) -> str:
    """Return a decimal as it stands, which may be negative; nothing where it is empty, null or not there."""
    return _matching(payload, key, SIGNED_DECIMAL) if payload.get(key) not in (None, "") else ""


def word(payload: Payload, key: str) -> str:
    """Return a word of capitals."""
    return _matching(payload, key, PLAIN_WORD)


def word_or_blank(payload: Payload, key: str) -> str:
    """Return a word of capitals; nothing where it is empty, null or not there."""
    return word(payload, key) if payload.get(key) not in (None, "") else ""


def text(payload: Payload, key: str) -> str:
    """Return a text that fits in a cell as it stands, of any script."""
    return _matching(payload, key, PLAIN_TEXT)


def text_or_blank(payload: Payload, key: str) -> str:
    """Return such a text; nothing where it is empty, null or not there."""
    return text(payload, key) if payload.get(key) not in (None, "") else ""


def _matching(payload: Payload, key: str, pattern: "re.Pattern[str]") -> str:
    text = field(payload, key)
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise DecodeError(f"odd field: {key}")
    return text


def whole(payload: Payload, key: str) -> int:
    """Return an id."""
    number = field(payload, key)
    if type(number) is not int or not 0 <= number < ID_LIMIT:
        raise DecodeError(f"odd field: {key}")
    return number


def flag(payload: Payload, key: str) -> bool:
    """Return a truth value."""
    value = payload.get(key)
    if not isinstance(value, bool):
        raise DecodeError(f"odd field: {key}")
    return value


def time_ms(payload: Payload, key: str) -> int | None:
    """Return a time in Unix milliseconds, None where there is none."""
    number = payload.get(key)
    if number is None:
        return None
    if type(number) is not int or not 0 < number < TIME_LIMIT_MS:
        raise DecodeError(f"odd field: {key}")
    return number


def times_ms(payload: Payload, received_ns: int) -> tuple[int, int]:
    """Return when an event was made (`T`, else `E`, else when it came), and sent, by a clock that is not behind."""
    made, sent = time_ms(payload, "T"), time_ms(payload, "E")
    made_ms = made or sent or received_ns // 1_000_000
    return made_ms, max(made_ms, sent or 0)
