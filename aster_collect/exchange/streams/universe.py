"""Every symbol that the exchange lists, with its rules: all of them at the start, and whatever of them has changed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import DecodeError
from ..cells import DECIMAL, MILLISECONDS, SECONDS, TEXT, WHOLE, Column, milliseconds, seconds
from ..fields import Payload, decimal_or_blank, text, text_or_blank, time_ms, times_ms, whole
from .kind import Event, Found, Kind, Lane, Options, Poll, Write

EVERY_S = 3600.0

_OURS = (
    Column("unix_timestamp", SECONDS),
    Column("symbol", TEXT),
    Column("status", TEXT),
    Column("contract_type", TEXT.or_blank()),
    Column("tick_size", DECIMAL.or_blank()),
    Column("step_size", DECIMAL.or_blank()),
    Column("onboard_ms", MILLISECONDS.or_blank()),
    Column("funding_interval_h", WHOLE.or_blank()),
)


class SymbolRules(NamedTuple):
    """One symbol as the exchange lists it; what it does not say is blank."""

    id: int
    time_ms: int
    symbol: str
    status: str
    contract_type: str
    tick_size: str
    step_size: str
    onboard_ms: str
    funding_interval_h: str
    received_ns: int | None = None


def decode(_: str, answers: Sequence[Any], received_ns: int) -> Found:
    """Return each symbol of `exchangeInfo`, the last answer, with what `fundingInfo` says of it, if that came."""
    info = answers[-1]
    if not isinstance(info, dict) or not isinstance(info.get("symbols"), list):
        raise DecodeError("exchangeInfo has no list of symbols")
    made_ms, _sent_ms = times_ms({"T": info.get("serverTime")}, received_ns)
    found = Found([], [])
    hours = _hours(answers[:-1], found.odd)
    for item in info["symbols"]:
        try:
            facts = _facts(_payload(item))
        except DecodeError as error:
            found.odd.append((str(error), item))
        else:
            found.events.append(SymbolRules(0, made_ms, *facts, hours.get(facts[0], ""), received_ns))
    return found


def _payload(item: Any) -> Payload:
    if not isinstance(item, dict):
        raise DecodeError("not an object")
    return item


def _facts(item: Payload) -> tuple[str, str, str, str, str, str]:
    listed = item.get("filters")
    each = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    filters = {str(one.get("filterType")): one for one in each}
    onboard_ms = time_ms(item, "onboardDate") if item.get("onboardDate") else None
    return (
        text(item, "symbol"),
        text(item, "status"),
        text_or_blank(item, "contractType"),
        decimal_or_blank(filters.get("PRICE_FILTER", {}), "tickSize"),
        decimal_or_blank(filters.get("LOT_SIZE", {}), "stepSize"),
        "" if onboard_ms is None else str(onboard_ms),
    )


def _hours(answers: Sequence[Any], odd: list[tuple[str, object]]) -> dict[str, str]:
    """Return each symbol's funding interval, as far as what there is of answers says it."""
    hours = {}
    for item in [item for answer in answers if isinstance(answer, list) for item in answer]:
        try:
            if _payload(item).get("fundingIntervalHours") is not None:
                hours[text(item, "symbol")] = str(whole(item, "fundingIntervalHours"))
        except DecodeError as error:
            odd.append((str(error), item))
    return hours


def _write(_: Options) -> Write:
    return lambda symbols: [",".join((seconds(one[1]), *one[2:9])) for one in symbols]


def _read(cells: Sequence[str]) -> Event:
    name, status, contract_type, tick_size, step_size, onboard_ms, hours = cells[1 : len(_OURS)]
    return SymbolRules(0, milliseconds(cells[0]), name, status, contract_type, tick_size, step_size, onboard_ms, hours)


KIND = Kind(
    name="universe",
    sentence="every listed symbol with its rules: all at the start, then what has changed",
    lane=Lane.POLLED,
    columns=lambda _: _OURS,
    write=_write,
    read=_read,
    poll=Poll(("fundingInfo", "exchangeInfo"), decode, EVERY_S, changes=True),
    whole_folder=True,
)
