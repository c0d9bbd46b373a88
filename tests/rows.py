"""The files by the words of their kinds: headers, names, causes. For tests that write files and read them."""

from aster_collect.exchange.cells import RECEIVE_TIME as _RECEIVE_TIME
from aster_collect.exchange.cells import middle as middle
from aster_collect.exchange.cells import seconds as seconds
from aster_collect.exchange.form import columns_of
from aster_collect.exchange.ledger import CAUSES as CAUSES
from aster_collect.exchange.ledger import LEDGER
from aster_collect.exchange.streams import KINDS as _KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.exchange.streams.orderbook import LEVELS as LEVELS

PRICES, ORDERBOOK, TRADES, GAPS = "prices", "orderbook", "trades", LEDGER.name
KINDS = tuple(kind.prefix for kind in _KINDS.values())
RECEIVE_TIME = _RECEIVE_TIME.name
_ALL = {**{kind.prefix: kind for kind in _KINDS.values()}, GAPS: LEDGER}


def columns(kind: str, levels: int, receive_time: bool) -> tuple[str, ...]:
    """Return the columns of a kind of file; `levels` matters for the order book alone."""
    options = Options(levels=levels, receive_time=receive_time)
    return tuple(column.name for column in columns_of(_ALL[kind], options))


def file_name(kind: str, symbol: str) -> str:
    """Return the name of the file that a symbol's rows of one kind are appended to."""
    return _ALL[kind].file_name(symbol)


def row_time_ms(kind: str, row: str) -> int:
    """Return the time in a row, in milliseconds."""
    return _ALL[kind].row_time_ms(row)
