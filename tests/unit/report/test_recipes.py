"""Which charts there are is asked of a file's columns: a kind that nobody knows yet has those that they make."""

import unittest
from dataclasses import replace

from aster_collect.exchange.cells import DECIMAL, MILLISECONDS, SIDE, WHOLE, Column
from aster_collect.exchange.shape import form
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.report.recipes import RECIPES


class ANewKind(unittest.TestCase):
    def charts(self, *columns: Column) -> list[str]:
        """Return what is made of files of a new kind with these columns."""
        kind = replace(KINDS["fills"], name="block-trades", columns=lambda _: columns)
        shape = form(kind, ",".join(column.name for column in columns).encode())
        assert shape is not None
        return [type(made).__name__ for recipe in RECIPES if (made := recipe.make(shape))]

    def test_columns_of_a_known_chart(self) -> None:
        """A new kind of trades has bars, one of quotes mid and spread, without a line of code."""
        time = Column("unix_timestamp_ms", MILLISECONDS)
        amounts = Column("price", DECIMAL), Column("quantity", DECIMAL)
        self.assertEqual(self.charts(Column("id", WHOLE), time, Column("side", SIDE), *amounts), ["Sides"])
        self.assertEqual(self.charts(time, *(Column(name, DECIMAL) for name in ("bid", "ask", "mid"))), ["Quotes"])
        self.assertEqual(self.charts(Column("id", WHOLE), time, Column("elsewhere", DECIMAL)), [])

    def test_every_kind_of_a_symbol(self) -> None:
        """Each kind that is collected today has a chart of its own."""
        for kind in KINDS.values():
            header = ",".join(column.name for column in kind.columns(Options())).encode()
            shape = form(kind, header)
            assert shape is not None
            with self.subTest(kind=kind.name):
                self.assertEqual(any(recipe.make(shape) for recipe in RECIPES), not kind.whole_folder)


if __name__ == "__main__":
    unittest.main()
