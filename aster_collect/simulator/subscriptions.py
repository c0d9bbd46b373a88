"""What a client asks of its connection as JSON: to subscribe, to unsubscribe, to list. Pure."""

from __future__ import annotations

import json
from typing import Any

from .due import Due

METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS")


class TooManyStreamsError(Exception):
    """A subscription that ends the connection; its text is the answer before that."""


def obey(payload: bytes, due: Due, max_streams: int, now_us: int) -> str:
    """Do what a request asks for, and return the answer; raises TooManyStreamsError."""
    try:
        request = json.loads(payload)
    except ValueError:
        return _text({"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"})
    request = request if isinstance(request, dict) else {}
    method, params, number = request.get("method"), request.get("params", []), request.get("id")
    if method not in METHODS:
        known = ", ".join(f"`{name}`" for name in METHODS)
        return _invalid(f"unknown variant `{method}`, expected one of {known}", number)
    if not isinstance(params, list) or not all(isinstance(name, str) for name in params):
        return _invalid("params must be a list of stream names", number)
    if method == "SUBSCRIBE" and len({*due.streams, *params}) > max_streams:
        raise TooManyStreamsError(_invalid(f"more than {max_streams} streams", number))
    result = list(due.streams) if method == "LIST_SUBSCRIPTIONS" else None
    if method == "SUBSCRIBE":
        due.subscribe(params, now_us)
    elif method == "UNSUBSCRIBE":
        due.unsubscribe(params)
    return _text({"result": result, "id": number})


def _invalid(problem: str, number: Any) -> str:
    answer = {"code": 2, "msg": f"Invalid request: {problem}"}
    return _text(answer if number is None else {**answer, "id": number})


def _text(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
