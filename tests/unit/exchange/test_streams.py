"""Rows are the contract's, to the character: exact, padded, and without any quoting."""

import random
import unittest
from decimal import Context, Decimal
from fractions import Fraction

from aster_collect.exchange.events import Gap
from aster_collect.exchange.form import Form
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Event, Options
from aster_collect.exchange.streams.orderbook import Book, side_cells
from aster_collect.exchange.streams.prices import Quote
from aster_collect.exchange.streams.trades import Trade
from tests import rows
from tests.rowstore import gap_row
from tests.support import rounds

PRECISE = Context(prec=200)


def decimal(chance: random.Random) -> str:
    """Return a random plain decimal, up to 32 digits on either side, with zeros in odd places."""
    digits = "".join(chance.choices(chance.choice(("0123456789", "09", "0", "5")), k=chance.randrange(1, 33)))
    fraction = "".join(chance.choices(chance.choice(("0123456789", "09", "0", "5")), k=chance.randrange(33)))
    return f"{digits}.{fraction}" if fraction else digits


def row(kind: str, event: Event, levels: int = 10, quantities: bool = False, receive_time: bool = False) -> str:
    """Return an event's row."""
    return Form(KINDS[kind], Options(levels, 100, quantities, receive_time)).rows([event])[0]


class Headers(unittest.TestCase):
    def test_headers_are_the_contract(self) -> None:
        """Each kind of file has the contract's columns, and the receive time is one column at the end."""
        self.assertEqual(",".join(rows.columns(rows.PRICES, 10, False)), "unix_timestamp,bid,ask,mid")
        self.assertEqual(",".join(rows.columns(rows.TRADES, 10, False)), "id,unix_timestamp_ms,side,price,quantity")
        self.assertEqual(
            ",".join(rows.columns(rows.GAPS, 10, True)),
            "stream,from_unix_timestamp,to_unix_timestamp,first_missing_id,last_missing_id,cause",
        )
        for kind in (rows.PRICES, rows.ORDERBOOK, rows.TRADES):
            own = rows.columns(kind, 5, False)
            self.assertEqual(rows.columns(kind, 5, True), (*own, "receive_time_ns"))

    def test_a_book_has_all_bids_before_all_asks(self) -> None:
        """An order book's columns are all bids by level, then all asks by level."""
        for levels in rows.LEVELS:
            header = list(rows.columns(rows.ORDERBOOK, levels, False))
            self.assertEqual(len(header), 2 + 4 * levels)
            self.assertEqual(
                header[:6], ["unix_timestamp", "lastUpdateId", "bid_price_0", "bid_qty_0", "bid_price_1", "bid_qty_1"]
            )
            self.assertEqual(
                header[2 * levels :][:4],
                [f"bid_price_{levels - 1}", f"bid_qty_{levels - 1}", "ask_price_0", "ask_qty_0"],
            )
            self.assertEqual(header[-1], f"ask_qty_{levels - 1}")

    def test_files_are_named_by_kind_and_symbol(self) -> None:
        """A file's name is its kind and its symbol."""
        self.assertEqual(rows.file_name(rows.TRADES, "币安人生USDT"), "trades_币安人生USDT.csv")


class Times(unittest.TestCase):
    def test_a_time_always_has_three_decimals(self) -> None:
        """A time in milliseconds is that many thousandths, with exactly three decimals."""
        for time_ms, text in {
            0: "0.000",
            1: "0.001",
            999: "0.999",
            1000: "1.000",
            1760083106050: "1760083106.050",
        }.items():
            self.assertEqual(rows.seconds(time_ms), text)
        for seed, chance in rounds(500):
            time_ms = chance.randrange(10**14)
            with self.subTest(seed=seed, time_ms=time_ms):
                text = rows.seconds(time_ms)
                self.assertEqual(Decimal(text) * 1000, time_ms)
                self.assertEqual(len(text.partition(".")[2]), 3)


class Middles(unittest.TestCase):
    def test_the_middle_is_exact(self) -> None:
        """The middle of any two plain decimals is exact, as long as the longer of them, one digit more at most."""
        for seed, chance in rounds(5000):
            bid = decimal(chance)
            ask = bid if chance.random() < 0.05 else decimal(chance)
            with self.subTest(seed=seed, bid=bid, ask=ask):
                middle = rows.middle(bid, ask)
                self.assertRegex(middle, r"\A[0-9]+(\.[0-9]+)?\Z")
                self.assertEqual(Fraction(middle), (Fraction(bid) + Fraction(ask)) / 2)
                self.assertEqual(PRECISE.multiply(Decimal(middle), Decimal(2)), PRECISE.add(Decimal(bid), Decimal(ask)))
                scale = max(len(text.partition(".")[2]) for text in (bid, ask))
                longer = len(middle.partition(".")[2]) - scale
                self.assertIn(longer, (0, 1))
                if longer:
                    self.assertEqual(middle[-1], "5")

    def test_a_tiny_middle_has_no_exponent(self) -> None:
        """The middle of the smallest prices is written out."""
        self.assertEqual(rows.middle("0.00000001", "0.00000002"), "0.000000015")
        self.assertEqual(rows.middle("0", "0.00000000000000000001"), "0.000000000000000000005")
        self.assertEqual(rows.middle("0.000", "0"), "0.000")
        self.assertEqual(rows.middle("1", "2"), "1.5")
        self.assertEqual(rows.middle("1.10", "1.10"), "1.10")


class Books(unittest.TestCase):
    def test_missing_levels_are_blank(self) -> None:
        """A side of any length becomes exactly its levels: what is missing is blank, what is too much is cut."""
        for levels in rows.LEVELS:
            for length in range(2 * levels + 2):
                values = [text for level in range(length) for text in (f"{100 - level}.50", f"{level}.0")]
                with self.subTest(levels=levels, length=length):
                    cells = side_cells(",".join(values), levels).split(",")
                    self.assertEqual(cells, (values + [""] * 4 * levels)[: 2 * levels])

    def test_a_book_with_an_empty_side_is_written(self) -> None:
        """A book without asks has its bids, and every cell of its asks blank."""
        cells = row("orderbook", Book(7, 1500, -1, "2.0,1", ""), levels=5)
        self.assertEqual(cells, "1.500,7,2.0,1" + "," * 8 + "," * 10)
        empty = row("orderbook", Book(8, 1500, 7, "", ""), levels=20)
        self.assertEqual(empty.split(","), ["1.500", "8", *[""] * 80])


class Rows(unittest.TestCase):
    def test_each_event_has_the_cells_of_its_header(self) -> None:
        """A row of each kind has its values verbatim, in the header's order."""
        self.assertEqual(row("prices", Quote(1, 5, "1.10", "1.3")), "0.005,1.10,1.3,1.20")
        self.assertEqual(row("trades", Trade(9, 5, "sell", "1.10", "003.0")), "9,5,sell,1.10,003.0")

    def test_what_is_appended(self) -> None:
        """Quantities stand behind the middle, when it was received behind all, blank where it did not come live."""
        quote = Quote(7, 5, "1.10", "1.3", "0.50", "2", 99)
        self.assertEqual(row("prices", quote, quantities=True), "0.005,1.10,1.3,1.20,7,0.50,2")
        self.assertEqual(row("prices", quote, receive_time=True), "0.005,1.10,1.3,1.20,99")
        self.assertEqual(row("prices", quote, quantities=True, receive_time=True), "0.005,1.10,1.3,1.20,7,0.50,2,99")
        self.assertEqual(row("trades", Trade(9, 5, "sell", "1", "3"), receive_time=True), "9,5,sell,1,3,")

    def test_any_row_is_read_as_what_it_was_made_of(self) -> None:
        """Whatever the options of the file it stands in, and of the one that reads it."""
        events = {
            "prices": Quote(7, 5, "1.10", "1.3", "0.50", "2", 99),
            "orderbook": Book(8, 1500, -1, "2.0,1,1.9,5", "", 99),
            "trades": Trade(9, 5, "sell", "1.10", "003.0", 99),
        }
        for kind, event in events.items():
            for levels, quantities, receive_time in ((5, True, True), (20, True, False), (10, False, True)):
                form = Form(KINDS[kind], Options(levels, 100, quantities, receive_time))
                (text,) = form.rows([event])
                own = form.event(text)
                self.assertEqual(text, form.rows([own])[0])
                self.assertTrue(form.is_row(text))
                self.assertEqual(event.time_ms, KINDS[kind].row_time_ms(text))
                other = Form(KINDS[kind], Options(5, 100, False, not receive_time)).event(text)
                self.assertEqual(
                    own[1:-1] if kind != "prices" else own[1:4], other[1:-1] if kind != "prices" else other[1:4]
                )

    def test_a_gap_has_blank_ids_where_there_are_none(self) -> None:
        """A gap of trades names its ids, the first id 0 too; one of quotes leaves them blank."""
        self.assertEqual(gap_row(Gap("trades", 1000, 2001, 0, 7, "gave-up")), "trades,1.000,2.001,0,7,gave-up")
        self.assertEqual(gap_row(Gap("prices", 1000, 2001, None, None, "reconnect")), "prices,1.000,2.001,,,reconnect")


if __name__ == "__main__":
    unittest.main()
