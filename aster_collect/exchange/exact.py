"""Decimals compared exactly, as whole numbers. Pure."""

from .cells import FRACTION_DIGITS

CACHED = 1 << 16


class Units(dict[bytes, int]):
    """Decimal text as a whole number of its smallest part, remembered for the newest texts: a feed repeats them."""

    def __missing__(self, text: bytes) -> int:
        if len(self) >= CACHED:
            self.clear()
        whole, _, fraction = text.partition(b".")
        value = self[text] = int(whole + fraction.ljust(FRACTION_DIGITS, b"0"))
        return value
