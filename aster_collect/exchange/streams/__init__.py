"""The table of streams: every kind of data that can be collected, one line each.

Adding a kind is one file beside this one and one line here; all the rest of the program asks the table.
"""

from . import depth, fills, liquidations, mark, open_interest, orderbook, prices, trades, universe
from .kind import Kind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        prices.KIND,
        orderbook.KIND,
        trades.KIND,
        depth.KIND,
        mark.KIND,
        fills.KIND,
        liquidations.KIND,
        open_interest.KIND,
        universe.KIND,
    )
}
DEFAULT = ("trades", "prices", "orderbook")
