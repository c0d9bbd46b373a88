"""The exchange's two markets: where each is reached, what it allows, and what it offers. Pure.

Facts of the published API. Nothing else in the program names a host, a path's beginning, a weight or a limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Venue:
    """One market of the exchange.

    `weights` are the calls that there are, each with its weight; `ticks` is a channel that always brings something, of
    `ticks_symbol` or of any other that trades.
    """

    name: str
    ws_url: str
    rest_url: str
    prefix: str
    weight_a_minute: int
    streams_a_connection: int
    messages_a_second: int
    handshakes_a_minute: int  # any five minutes have 300 then, at which the exchange's own limit is
    trades_a_page: int  # of aggTrades
    ticks: str
    ticks_symbol: str
    depth_intervals_ms: tuple[int, ...]
    diff_intervals_ms: tuple[int, ...]
    weights: Mapping[str, int]
    contract_type: str  # of the symbols of `--all`, as exchangeInfo says it; empty where it says none
    not_markets: str = ""  # symbols that begin so are for tests


FUTURES = Venue(
    name="futures",
    ws_url="wss://fstream.asterdex.com",
    rest_url="https://fapi.asterdex.com",
    prefix="/fapi/v3",
    weight_a_minute=2400,
    streams_a_connection=200,
    messages_a_second=10,
    handshakes_a_minute=60,
    trades_a_page=1000,
    ticks="markPrice@1s",
    ticks_symbol="BTCUSDT",
    depth_intervals_ms=(100, 250, 500),
    diff_intervals_ms=(0, 100, 250, 500),
    weights={"time": 1, "exchangeInfo": 1, "aggTrades": 20, "depth": 20, "openInterest": 1, "fundingInfo": 1},
    contract_type="PERPETUAL",
)
SPOT = Venue(
    name="spot",
    ws_url="wss://sstream.asterdex.com",
    rest_url="https://sapi.asterdex.com",
    prefix="/api/v3",
    weight_a_minute=6000,
    streams_a_connection=1024,
    messages_a_second=5,
    handshakes_a_minute=60,
    trades_a_page=1000,
    ticks="bookTicker",
    ticks_symbol="BTCUSDT",
    depth_intervals_ms=(100, 250),
    diff_intervals_ms=(100,),
    weights={"time": 1, "exchangeInfo": 1, "aggTrades": 20, "depth": 20},
    contract_type="",
    not_markets="TEST",
)
VENUES = {venue.name: venue for venue in (FUTURES, SPOT)}
