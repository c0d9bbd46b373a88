"""Events as hftbacktest has them, in arrays: https://hftbacktest.readthedocs.io/en/latest/data.html."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..archive import Rows
from ..errors import DataError

DEPTH, TRADE, CLEAR, SNAPSHOT = 1, 2, 3, 4
EXCHANGE, LOCAL = 1 << 31, 1 << 30  # who sees it: the exchange at its time, the trader at the local time
BUY, SELL = 1 << 29, 1 << 28  # a bid, or the taker of a trade bought; an ask, or the taker sold
DTYPE = np.dtype(
    [("ev", "u8"), ("exch_ts", "i8"), ("local_ts", "i8"), ("px", "f8"), ("qty", "f8"), ("order_id", "u8"),
     ("ival", "i8"), ("fval", "f8")],
    align=True,
)  # fmt: skip
DIGITS = 15  # that a double keeps
CHUNK = 1 << 16  # events at a time

Array = np.ndarray[Any, np.dtype[Any]]


class Unfit(ValueError):
    """A decimal has more digits than a double keeps; `text` is it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def at(self, rows: Rows) -> DataError:
        """Return what to say of it, with the file and line among these rows that have it."""
        lines = enumerate(rows.lines, rows.line)
        number = next((n for n, line in lines if self.text in line.replace(";", ",").replace(" ", ",").split(",")), 0)
        return DataError(f"{rows.file}:{number}: {self.text} in it, and a double keeps {DIGITS} digits")


def array(
    flags: Sequence[int], exch_ns: Sequence[int], local_ns: Sequence[int], px: Sequence[str], qty: Sequence[str]
) -> Array:
    """Return events; raises `Unfit` where a price or quantity would not be kept."""
    made = np.zeros(len(flags), DTYPE)
    made["ev"], made["exch_ts"], made["local_ts"] = flags, exch_ns, local_ns
    made["px"], made["qty"] = _doubles(px), _doubles(qty)
    return made


def _doubles(texts: Sequence[str]) -> list[float]:
    if len(max(texts, key=len, default="")) > DIGITS:
        for text in texts:
            if len(text.replace(".", "").strip("0")) > DIGITS:
                raise Unfit(text)
    return list(map(float, texts))


def ordered(arrays: list[Array]) -> Array:
    """Return events in the order of both times; of those at one time the ones that are given first come first.

    An event that has not the same place in both orders is there twice: for the exchange, and for the trader. Takes the
    arrays out of their list, and no more room beside than an index.
    """
    events = np.concatenate([np.zeros(0, DTYPE), *arrays])
    arrays.clear()
    by_exch, by_local = (np.argsort(events[name], kind="stable") for name in ("exch_ts", "local_ts"))
    twice = by_exch != by_local
    made = np.empty(len(events) + np.count_nonzero(twice), DTYPE)
    end = 0
    for start in range(0, len(events), CHUNK):
        chunk = slice(start, start + CHUNK)
        both = twice[chunk]
        at = end + np.arange(len(both)) + np.cumsum(both) - both
        end += len(both) + int(np.count_nonzero(both))
        exch, local = events[by_exch[chunk]], events[by_local[chunk][both]]
        exch["ev"] |= np.where(both, np.uint64(EXCHANGE), np.uint64(EXCHANGE | LOCAL))
        local["ev"] |= LOCAL
        made[at], made[at[both] + 1] = exch, local
    return made
