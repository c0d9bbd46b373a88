"""Decimals as doubles or exact decimals: each keeps its value, or is refused."""

import pyarrow as pa
import pyarrow.compute as pc

EXACT = pa.decimal128(20, 8)  # a product of two still has room in DuckDB
DIGITS = 15  # that a double keeps
_FITS = r"\A-?0*[0-9]{0,12}(?:\.[0-9]{0,8}0*)?\z"
_ZEROS = r"(\.[0-9]{8})0+\z"


class Unfit(Exception):
    """A value has no room; `row` is the first that has such a one, counted from 0, and the text says why."""

    def __init__(self, row: int, why: str) -> None:
        super().__init__(why)
        self.row = row


def number_type(exact: bool) -> pa.DataType:
    """Return as what decimals are kept."""
    return EXACT if exact else pa.float64()


def numbers(name: str, cells: pa.DictionaryArray, exact: bool) -> pa.Array:
    """Return the values of a column's decimals, null where one is null; raises `Unfit` where one would not be kept.

    They repeat, so each is looked at once.
    """
    texts = cells.dictionary
    fits = pc.match_substring_regex(texts, _FITS) if exact else pc.less_equal(_digits(texts), DIGITS)
    if pc.any(pc.invert(fits)).as_py():
        row = pc.index(pc.take(fits, cells.indices), False).as_py()
        raise Unfit(row, _why(name, cells[row].as_py(), exact))
    if exact:  # a cast takes no more decimals than there is room for, zeros or not
        texts = pc.replace_substring_regex(texts, _ZEROS, r"\1")
    return pc.cast(texts, number_type(exact)).take(cells.indices)


def _digits(texts: pa.Array) -> pa.Array:
    """Return how many digits decimals have, without zeros that say nothing."""
    return pc.binary_length(pc.utf8_trim(pc.replace_substring(texts, ".", ""), "-0"))


def _why(name: str, text: str, exact: bool) -> str:
    if exact:
        return f"{name} is {text}, and decimal(20, 8) has room for 12 digits before the point and 8 behind it"
    return f"{name} is {text}, and a double keeps {DIGITS} digits; --exact keeps more"
