"""What one cell of a file may hold, as a pattern and in words, and how times and middles are written. Pure."""

from enum import Enum
from functools import lru_cache
from typing import NamedTuple

FRACTION_DIGITS = 33  # the collector takes 32, and a middle can need one more


class Holds(Enum):
    """What the text of a cell is, to who wants it as something else."""

    SECONDS = "seconds"  # a time
    MILLISECONDS = "milliseconds"  # a time
    WHOLE = "whole"
    DECIMAL = "decimal"
    LEVELS = "levels"  # `price quantity;price quantity`
    WORD = "word"  # one of few
    TEXT = "text"


class Cell(NamedTuple):
    """What a cell may hold, as a pattern, in words, and as what it can be taken."""

    pattern: str
    words: str
    holds: Holds

    def or_blank(self) -> "Cell":
        """Return the same, or nothing."""
        return self._replace(pattern=f"(?:{self.pattern})?", words=f"{self.words} or blank")


class Column(NamedTuple):
    """A column's name, and what its cells hold."""

    name: str
    cell: Cell


# Bounded lengths: int() refuses huge ones, and a year has four digits. Nothing behind a run of digits can want one back
# of them, so each keeps what it has: three times as fast.
SECONDS = Cell(r"(?:0|[1-9][0-9]{0,10}+)\.[0-9]{3}", "Unix seconds with exactly three decimals", Holds.SECONDS)
MILLISECONDS = Cell(r"(?:0|[1-9][0-9]{0,13}+)", "whole Unix milliseconds", Holds.MILLISECONDS)
WHOLE = Cell(r"(?:0|[1-9][0-9]{0,18}+)", "a whole number", Holds.WHOLE)
DECIMAL = Cell(
    rf"[0-9]{{1,33}}+(?:\.[0-9]{{1,{FRACTION_DIGITS}}}+)?+",
    f"a plain decimal of at most {FRACTION_DIGITS} decimals",
    Holds.DECIMAL,
)
SIGNED = Cell(f"-?{DECIMAL.pattern}", f"{DECIMAL.words}, or a negative one", Holds.DECIMAL)
SIDE = Cell("(?:buy|sell)", "buy or sell", Holds.WORD)
WORD = Cell(r"[A-Z0-9_]{1,32}", "a word of capitals", Holds.WORD)
TEXT = Cell(r'[^\x00-\x20\x7f",]{1,256}', "text without a space, a comma or a quote", Holds.TEXT)
RECEIVE_TIME = Column("receive_time_ns", WHOLE)


@lru_cache(maxsize=1024)
def seconds(time_ms: int) -> str:
    """Return milliseconds as seconds with exactly three decimals; cached, since bursts share their millisecond."""
    return f"{time_ms // 1000}.{time_ms % 1000:03d}"


def milliseconds(text: str) -> int:
    """Return seconds with exactly three decimals as milliseconds."""
    return int(text.replace(".", ""))


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
