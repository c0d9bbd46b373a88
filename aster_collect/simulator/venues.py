"""The exchange's two markets, futures and spot: what differs between them, and how they treat their clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

QUOTES = ("published", "seen")
PARTIAL_DEPTHS = ("published", "bare", "seen", "none")


class Rules(NamedTuple):
    """How the exchange treats a connection; durations in seconds."""

    ping_interval_s: float = 300.0
    pong_timeout_s: float = 900.0
    max_age_s: float = 86_400.0
    max_streams: int = 200
    messages_a_second: int = 10  # from the client, pings and pongs included


class Venue(NamedTuple):
    """One of the exchange's markets.

    `quotes` and `partial_depth` choose among the forms that clients of spot have met. A bookTicker is as `published`,
    without its event and times, or as `seen`, with them. depth<N> is as `published`, with `bids` and `asks`; `bare`,
    with `lastUpdateId` and without an event, a symbol and times; as `seen`, with `b` and `a`; or there is `none`.
    """

    name: str
    prefixes: tuple[str, ...]  # of REST
    weight_limit: int  # a minute
    rules: Rules
    depth_ms: Mapping[str, int]  # the speeds of the depth streams by the last word of their names
    silent: frozenset[str]  # kinds of streams and REST calls that it does not have
    heartbeat: tuple[str, ...]  # streams of Bitcoin that tick although it is not among the chosen symbols
    depth_limit: int  # levels of a book when none are asked for
    extra: Mapping[str, str]  # symbols that are listed beside the chosen ones, and their status
    quotes: str = "seen"
    partial_depth: str = "seen"


FUTURES_CALLS = ("openInterest", "premiumIndex", "fundingInfo", "fundingRate")
FUTURES = Venue(
    "futures",
    ("/fapi/v3/", "/fapi/v1/"),
    2400,
    Rules(),
    {"100ms": 100, "": 250, "500ms": 500, "0ms": 0},
    frozenset(),
    ("markPrice",),
    500,
    {"OLDUSDT": "SETTLING", "LASTUSDT": "PRE_SETTLE", "GONEUSDT": "CLOSE", "SOONUSDT": "PENDING"},
)
SPOT = Venue(
    "spot",
    ("/api/v3/", "/api/v1/"),
    6000,
    Rules(180.0, 600.0, 86_400.0, 1024, 5),
    {"100ms": 100, "": 1000},
    frozenset({"markPrice", "forceOrder", "!markPrice", "!forceOrder", *FUTURES_CALLS}),
    ("depth@100ms", "bookTicker"),
    100,
    {"TESTUSDT": "TRADING", "TEST1USDT": "TRADING"},
    quotes="published",
    partial_depth="published",
)
VENUES = {venue.name: venue for venue in (FUTURES, SPOT)}
