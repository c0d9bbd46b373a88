"""What aggregate trades and single fills say alike: when, whose order it was, at which price and how much.

Each takes its batches in a loop of its own, alike but for the cells: one loop for both, with a call for each frame,
takes a tenth longer for trades (7 to 12 % over real frames of BTCUSDT and ETHUSDT).
"""

from ..cells import DECIMAL, MILLISECONDS, SIDE, WHOLE, Column
from ..fields import Payload, flag

COLUMNS = (
    Column("id", WHOLE),
    Column("unix_timestamp_ms", MILLISECONDS),
    Column("side", SIDE),
    Column("price", DECIMAL),
    Column("quantity", DECIMAL),
)


def taker(payload: Payload) -> str:
    """Return the taker's side: `m` says that the buyer is the maker."""
    return "sell" if flag(payload, "m") else "buy"
