"""The files' contract: names, headers, and an event's row as text, values verbatim.

Pure. Nothing here needs quoting: every value has been checked to be a plain decimal or comes from this program.
"""

import re
from functools import lru_cache

from .events import Depth, Gap, Quote, Trade

PRICES = "prices"
ORDERBOOK = "orderbook"
TRADES = "trades"
GAPS = "gaps"
KINDS = (PRICES, ORDERBOOK, TRADES)

RECEIVE_TIME = "receive_time_ns"
PRICE_COLUMNS = ("unix_timestamp", "bid", "ask", "mid")
TRADE_COLUMNS = ("id", "unix_timestamp_ms", "side", "price", "quantity")
GAP_COLUMNS = ("stream", "from_unix_timestamp", "to_unix_timestamp", "first_missing_id", "last_missing_id", "cause")

CAUSES = {
    "reconnect": "no connection delivered in this stretch",
    "restart": "the collector was not running",
    "not-available": "the exchange has no such trades any more",
    "gave-up": "REST stayed away longer than --hold-limit allows",
    "backfill-limit": "the hole was larger than --backfill-limit",
    "late": "a slow connection brought this after later events had been written",
    "new-ids": "the exchange's ids began anew, which showed only after a while",
    "overflow": "the disk stayed full longer than memory could hold",
    "destroyed": "another program cut or deleted the file while it was collected",
    "not-asked": "whether trades were made in this stretch could not be asked in time",
    "clock": "the exchange's clock was set: times on both sides of the step overlap or are unsure",
}

LEVELS = (5, 10, 20)


_BEGIN = {
    PRICES: re.compile(r"[0-9]{1,12}\.[0-9]{3},"),
    ORDERBOOK: re.compile(r"[0-9]{1,12}\.[0-9]{3},[0-9]{1,19},"),
    TRADES: re.compile(r"[0-9]{1,19},[0-9]{1,15},"),
    GAPS: re.compile(r"(?:prices|orderbook|trades),[0-9]{1,12}\.[0-9]{3},[0-9]{1,12}\.[0-9]{3},"),
}


def depth_columns(levels: int) -> tuple[str, ...]:
    """Return the columns of an order book file with `levels` levels a side: all bids by level, then all asks."""
    sides = (
        f"{side}_{part}_{level}" for side in ("bid", "ask") for level in range(levels) for part in ("price", "qty")
    )
    return ("unix_timestamp", "lastUpdateId", *sides)


def columns(kind: str, levels: int, receive_time: bool) -> tuple[str, ...]:
    """Return the columns of a kind of file; `levels` matters for the order book alone."""
    if kind == GAPS:
        return GAP_COLUMNS
    own = {PRICES: PRICE_COLUMNS, TRADES: TRADE_COLUMNS, ORDERBOOK: depth_columns(levels)}[kind]
    return (*own, RECEIVE_TIME) if receive_time else own


def file_name(kind: str, symbol: str) -> str:
    """Return the name of the file that a symbol's rows of one kind are appended to."""
    return f"{kind}_{symbol}.csv"


@lru_cache(maxsize=1024)
def seconds(time_ms: int) -> str:
    """Return milliseconds as seconds with exactly three decimals; cached, since bursts share their millisecond."""
    return f"{time_ms // 1000}.{time_ms % 1000:03d}"


def middle(bid: str, ask: str) -> str:
    """Return the exact mean of two plain decimals, without exponent.

    It has as many decimals as the longer of the two, and one more where the mean needs it.
    """
    scale = max(len(bid.partition(".")[2]), len(ask.partition(".")[2]))
    total = _units(bid, scale) + _units(ask, scale)
    half, odd = divmod(total, 2)
    digits = str(half * 10 + 5 if odd else half)
    scale += odd
    if not scale:
        return digits
    digits = digits.zfill(scale + 1)
    return f"{digits[:-scale]}.{digits[-scale:]}"


def _units(decimal: str, scale: int) -> int:
    whole, _, fraction = decimal.partition(".")
    return int(whole + fraction.ljust(scale, "0"))


def side_cells(side: str, levels: int) -> str:
    """Return one side of a book as `levels` price and quantity cells, missing levels blank, more levels cut.

    `side` is text, `price,quantity,price,quantity,…` from the best level on; so is the result.
    """
    missing = 2 * levels - 1 - side.count(",")
    if missing > 0:
        return side + "," * missing
    return side if missing == 0 else ",".join(side.split(",")[: 2 * levels])


def quote_row(quote: Quote, time_ms: int) -> str:
    """Return a best bid and offer as a row without its line end."""
    return f"{seconds(time_ms)},{quote.bid},{quote.ask},{middle(quote.bid, quote.ask)}"


def depth_row(depth: Depth, time_ms: int, levels: int) -> str:
    """Return a book snapshot as a row without its line end."""
    bids, asks = side_cells(depth.bids, levels), side_cells(depth.asks, levels)
    return f"{seconds(time_ms)},{depth.update_id},{bids},{asks}"


def trade_row(trade: Trade, time_ms: int) -> str:
    """Return a trade as a row without its line end."""
    return f"{trade.id},{time_ms},{trade.side},{trade.price},{trade.quantity}"


def row_time_ms(kind: str, row: str) -> int:
    """Return the time in a row of prices, orderbook or trades, in milliseconds."""
    cells = row.split(",", 2)
    return int(cells[1]) if kind == TRADES else int(cells[0].replace(".", ""))


def row_id(row: str) -> int:
    """Return the id in a row of trades."""
    return int(row.partition(",")[0])


def is_row(kind: str, cells: int, text: str) -> bool:
    """Return whether a line has so many cells, and begins as a row of this kind does."""
    return text.count(",") == cells - 1 and _BEGIN[kind].match(text) is not None


def gap_row(gap: Gap) -> str:
    """Return a gap as a row of the ledger without its line end; ids are blank where there are none."""
    first = "" if gap.first_missing_id is None else gap.first_missing_id
    last = "" if gap.last_missing_id is None else gap.last_missing_id
    return f"{gap.stream},{seconds(gap.from_ms)},{seconds(gap.to_ms)},{first},{last},{gap.cause}"
