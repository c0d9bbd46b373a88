"""What docs/export.md shows of the lake runs on one, and finds what is in it."""

import contextlib
import io
import re
from typing import Any

import duckdb

from aster_collect.exchange.ledger import LEDGER
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.export.lake.columns import schema
from tests.unit.docs.page import DOCS, fenced
from tests.unit.export.lake import DAY_MS, FIRST_MS, LakeCase, seconds, trade

LAKE = DOCS["export"].section("The lake")
TIME_MS = FIRST_MS + DAY_MS  # 2026-11-22


class TheLake(LakeCase):
    def test_the_snippets(self) -> None:
        """DuckDB makes bars and takes levels apart, polars and pandas read the trades of a day."""
        rows = [trade(n, TIME_MS + 20_000 * n, f"{100 + n}.5", "2") for n in range(4)]
        self.put("trades", [trade(99, TIME_MS - 1), *rows], "2026-11-22")
        self.put("trades", rows, "2026-11-22", symbol="ETHUSDT")
        self.put("depth", [f"{seconds(TIME_MS)},,7,10 1;9.5 2,11 3"], "2026-11-22")
        self.export()
        self.enterContext(contextlib.chdir(self.base))
        names: dict[str, Any] = {}
        with contextlib.redirect_stdout(io.StringIO()):
            for code in fenced("python", LAKE):
                exec(compile(code, "docs/export.md", "exec"), names)
        self.addCleanup(duckdb.default_connection().close)
        bars = [row[2:] for row in names["bars"].project("* EXCLUDE (minute), minute::VARCHAR").fetchall()]
        bars = [row[:-1] for row in bars]
        self.assertEqual(bars, [(102.5, 100.5, 102.5, 609.0), (103.5, 103.5, 103.5, 207.0)])
        found = names["levels"].project("update_id, price, quantity").fetchall()
        self.assertEqual(found, [(7, 10.0, 1.0), (7, 9.5, 2.0)])
        self.assertEqual(names["trades"]["id"].to_list(), [0, 1, 2, 3])
        self.assertEqual(names["frame"]["id"].tolist(), [0, 1, 2, 3])
        self.assertEqual(str(names["frame"]["price"].dtype), "double[pyarrow]")

    def test_a_column_that_has_another_name(self) -> None:
        """The times that are named are all those of any kind."""
        told = set(re.findall(r"`(\w+_time)`", LAKE))
        kept = {name for kind in (*KINDS.values(), LEDGER) for name in schema(kind, Options(), False).names}
        self.assertEqual(told, {name for name in kept if name.endswith("_time")})
