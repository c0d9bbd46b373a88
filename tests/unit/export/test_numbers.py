"""Decimals keep their value in the lake, or are refused: none is rounded."""

import random
import unittest
from decimal import Decimal

import pyarrow as pa

from aster_collect.export.lake.numbers import Unfit, numbers
from tests.support import rounds
from tests.unit.exchange.test_streams import decimal


def column(*texts: str | None) -> pa.DictionaryArray:
    """Return texts as the reader of CSV gives them."""
    return pa.array(texts, pa.string()).dictionary_encode()


def few_digits(chance: random.Random) -> str:
    """Return a decimal whose digits may be those of a double, a few more or less."""
    digits = "".join(chance.choices("0123456789", k=chance.randrange(1, 19)))
    at = chance.randrange(len(digits) + 1)
    text = f"{digits[:at] or '0'}.{digits[at:]}" if at < len(digits) else digits
    zeros = "0" * chance.randrange(4)
    return f"{chance.choice(('', '', '-'))}{zeros}{text}{zeros if '.' in text else ''}"


class Doubles(unittest.TestCase):
    def test_any_decimal(self) -> None:
        """One of up to 15 digits that say anything is the double that Python makes of it, any other is refused."""
        for seed, chance in rounds(400):
            text = decimal(chance) if chance.random() < 0.3 else few_digits(chance)
            digits = len(text.replace(".", "").strip("-0"))
            with self.subTest(seed=seed, text=text):
                if digits <= 15:
                    (value,) = numbers("price", column(text), exact=False).to_pylist()
                    self.assertEqual((value, Decimal(f"{value:.15g}")), (float(text), Decimal(text)))
                else:
                    self.assertRaises(Unfit, numbers, "price", column(text), exact=False)

    def test_which_row(self) -> None:
        """The first row that has such a value is told, behind blanks and values that come again."""
        cells = column("1.5", None, "2", "1.5", "0.1234567890123456", "7", "0.1234567890123456")
        with self.assertRaises(Unfit) as caught:
            numbers("price", cells, exact=False)
        self.assertEqual(caught.exception.row, 4)
        self.assertEqual(
            str(caught.exception), "price is 0.1234567890123456, and a double keeps 15 digits; --exact keeps more"
        )

    def test_blanks(self) -> None:
        """What is blank is null, even where all is."""
        for exact in (False, True):
            self.assertEqual(numbers("price", column(None, None), exact=exact).to_pylist(), [None, None])
            self.assertEqual(numbers("price", column(), exact=exact).to_pylist(), [])


class Exact(unittest.TestCase):
    def test_any_decimal(self) -> None:
        """One of 12 digits before the point and 8 behind it is itself, any other is refused."""
        for seed, chance in rounds(400):
            text = decimal(chance) if chance.random() < 0.5 else few_digits(chance)
            whole, _, fraction = text.removeprefix("-").partition(".")
            with self.subTest(seed=seed, text=text):
                if len(whole.lstrip("0")) <= 12 and len(fraction.rstrip("0")) <= 8:
                    self.assertEqual(numbers("price", column(text), exact=True).to_pylist(), [Decimal(text)])
                else:
                    self.assertRaises(Unfit, numbers, "price", column(text), exact=True)

    def test_zeros_that_say_nothing(self) -> None:
        """More decimals, or more digits before the point, are no matter where they are zeros."""
        cells = column(f"5555555551.1{'0' * 30}", "0000000000000000007.5", "-0.000000000", "1.123456780")
        found = numbers("price", cells, exact=True).to_pylist()
        self.assertEqual(found, [Decimal("5555555551.1"), Decimal("7.5"), Decimal(0), Decimal("1.12345678")])

    def test_the_reason(self) -> None:
        """It says what there is room for."""
        with self.assertRaisesRegex(Unfit, "^price is 0.123456789, and decimal.20, 8. has room for 12 digits before"):
            numbers("price", column("0.123456789"), exact=True)


if __name__ == "__main__":
    unittest.main()
