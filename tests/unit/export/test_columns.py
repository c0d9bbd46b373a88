"""Every kind has its columns in the lake by what its cells hold, a kind that nobody has thought of too."""

import unittest
from decimal import Decimal

import pyarrow as pa

from aster_collect.exchange.cells import DECIMAL, MILLISECONDS, SECONDS, SIDE, SIGNED, TEXT, WHOLE, WORD, Column
from aster_collect.exchange.ledger import LEDGER
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Kind, Lane, Options
from aster_collect.export.lake.columns import schema, table, times_ms

TIME = "timestamp[us, tz=UTC]"
WORDS = "dictionary<values=string, indices=int32, ordered=0>"
MOST = Options(levels=5, quantities=True, receive_time=True)


def types(kind: Kind, exact: bool = False, options: Options = MOST) -> dict[str, str]:
    """Return the types of a kind's columns by their names."""
    return {field.name: str(field.type) for field in schema(kind, options, exact)}


class Types(unittest.TestCase):
    def test_the_columns_of_trades(self) -> None:
        """The time is `time`, ids are whole numbers, words are of a dictionary."""
        self.assertEqual(
            types(KINDS["trades"]),
            {"id": "int64", "time": TIME, "side": WORDS, "price": "double", "quantity": "double",
             "receive_time_ns": "int64"},
        )  # fmt: skip
        self.assertEqual(types(KINDS["trades"], exact=True)["price"], "decimal128(20, 8)")

    def test_the_columns_of_others(self) -> None:
        """A book is wide, a full book has lists, a time has no unit in its name."""
        books = types(KINDS["orderbook"])
        self.assertEqual(list(books)[:4], ["time", "lastUpdateId", "bid_price_0", "bid_qty_0"])
        self.assertEqual(len(books), 2 + 4 * 5 + 1)
        self.assertEqual(types(KINDS["depth"])["bids"], "list<element: struct<price: double, quantity: double>>")
        self.assertEqual(types(KINDS["mark"])["next_funding_time"], TIME)
        self.assertEqual(types(KINDS["universe"])["onboard_time"], TIME)
        self.assertEqual(
            types(LEDGER),
            {"stream": WORDS, "time": TIME, "to_time": TIME, "first_missing_id": "int64", "last_missing_id": "int64",
             "cause": WORDS},
        )  # fmt: skip

    def test_every_kind(self) -> None:
        """Each has its time under that name, and no two columns of one name."""
        for kind in (*KINDS.values(), LEDGER):
            named = schema(kind, MOST, False).names
            self.assertEqual(len(named), len(set(named)), kind.name)
            self.assertEqual(types(kind)["time"], TIME, kind.name)
            self.assertFalse([name for name in named if name.endswith("_ms") or "unix" in name], kind.name)

    def test_a_kind_that_nobody_has_thought_of(self) -> None:
        """What its cells hold says how they are kept: nothing but its own record is needed."""
        columns = (
            Column("word", WORD.or_blank()), Column("unix_timestamp", SECONDS), Column("number", WHOLE.or_blank()),
            Column("change", SIGNED.or_blank()), Column("until_ms", MILLISECONDS.or_blank()), Column("note", TEXT),
            Column("side", SIDE), Column("price", DECIMAL),
        )  # fmt: skip
        kind = Kind("made-up", "", Lane.PLAIN, lambda _: columns, lambda _: lambda _: [], lambda cells: tuple(cells))
        lines = b"A_1,1795219200.001,7,-0.5,1795219200000,\xe5\xb8\x81,buy,1.50\n,1795219200.002,,,,x,sell,2\n"
        self.assertEqual(times_ms(kind, Options(), lines).to_pylist(), [1795219200001, 1795219200002])
        for exact in (False, True):
            found = table(kind, Options(), exact, lines).to_pylist()
            (one, other) = ({**row, "time": row["time"].timestamp(), "until_time": row["until_time"]} for row in found)
            self.assertEqual(
                {**one, "until_time": one["until_time"].timestamp()},
                {"word": "A_1", "time": 1795219200.001, "number": 7, "change": Decimal("-0.5"),
                 "until_time": 1795219200.0, "note": "币", "side": "buy", "price": Decimal("1.5")},
            )  # fmt: skip
            self.assertEqual(
                other,
                {"word": None, "time": 1795219200.002, "number": None, "change": None, "until_time": None,
                 "note": "x", "side": "sell", "price": Decimal(2)},
            )  # fmt: skip


class Levels(unittest.TestCase):
    def test_sides_of_a_full_book(self) -> None:
        """A side is a list of prices and quantities, an empty one where it is blank."""
        lines = b"1795219200.000,,5,10 1;9.5 2.25,10.5 3\n1795219200.100,5,9,,10.5 0.000\n1795219200.200,9,12,9 1,\n"
        found = table(KINDS["depth"], Options(), True, lines).to_pylist()
        self.assertEqual([row["previous_update_id"] for row in found], [None, 5, 9])
        self.assertEqual(
            [[(str(one["price"]), str(one["quantity"])) for one in row["bids"]] for row in found],
            [[("10.00000000", "1.00000000"), ("9.50000000", "2.25000000")], [], [("9.00000000", "1.00000000")]],
        )
        self.assertEqual([len(row["asks"]) for row in found], [1, 1, 0])
        self.assertIsInstance(table(KINDS["depth"], Options(), False, lines), pa.Table)


if __name__ == "__main__":
    unittest.main()
