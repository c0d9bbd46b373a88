"""What docs/reading.md shows runs, and finds what is in the files."""

import contextlib
import gzip
import importlib.util
import io
import shutil
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import TestCase

from aster_collect import Archive
from aster_collect.exchange.events import Gap
from aster_collect.exchange.streams.liquidations import Liquidation
from aster_collect.exchange.streams.mark import Mark
from aster_collect.exchange.streams.orderbook import Book
from aster_collect.exchange.streams.prices import Quote
from aster_collect.exchange.streams.trades import Trade
from aster_collect.run.replay import Replay, read
from tests import rows
from tests.rowstore import gap_row, row_of
from tests.unit.docs.page import DOCS, ROOT, fenced

READING = DOCS["reading"]
START_MS = 1_795_363_200_000


LAYOUTS = ("plain", "rotated and compressed", "with files set aside", "of other columns later")
SIMULATED = ROOT / "tests" / "frames" / "simulated" / "futures"


class TheSnippets(TestCase):
    """The code of docs/reading.md runs on small files, and what it finds is right, however the files lie."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(contextlib.chdir(self.folder))
        self.data = self.folder / "ASTER_data" / "demo"
        self.bids = [f"{1000 + second}.10" for second in range(10)]
        # A quote each second; of the seconds 4 to 6, which the ledger lists, only that of 5. A trade each second.
        self.seconds = [second for second in range(10) if second not in (4, 6)]

    def lay(self, layout: str) -> None:
        """Write the data, which is always the same, in one of the ways in which it can lie."""
        quotes = [Quote(1, START_MS + 1000 * s + 250, bid, f"{bid[:-3]}.15") for s, bid in enumerate(self.bids)]
        trades = [Trade(100 + n, START_MS + 1000 * n + 500, "buy", "0.1", "0.2") for n in range(10)]
        full = ",".join(f"{5 - level}.5,1" for level in range(5))
        books = [Book(7000 + n, START_MS + 1000 * n, -1, "9.5,1.25", "10.5,3" if n < 9 else full) for n in range(10)]
        gaps = [Gap(rows.PRICES, START_MS + 3900, START_MS + 7000, None, None, "reconnect")]
        gaps.append(Gap(rows.PRICES, START_MS + 4000, START_MS + 4200, None, None, "restart"))  # within the other
        gaps.append(gaps[0]._replace(stream=rows.ORDERBOOK))
        gaps.append(Gap(rows.TRADES, START_MS, START_MS + 400, 90, 99, "gave-up"))
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True)
        self.write(layout, rows.PRICES, [row_of("prices", quotes[s]) for s in self.seconds])
        self.write(layout, rows.TRADES, [row_of("trades", trade) for trade in trades])
        self.write(layout, rows.ORDERBOOK, [row_of("orderbook", book) for book in books])
        self.write("plain", rows.GAPS, [gap_row(gap) for gap in gaps])
        rates = ["0.0001", "-0.0002", *[""] * 8]
        marks = [Mark(0, START_MS + 1000 * n, f"{n}.5", "1", "", rate, "") for n, rate in enumerate(rates)]
        forced = [
            ("sell", "LIMIT", "IOC", "9.5", "9.4", "2", "2", "2", "FILLED"),
            ("buy", *["LIMIT"] * 2, *"11111", "NEW"),
        ]
        orders = [Liquidation(0, START_MS + 1999 + n, *said) for n, said in enumerate(forced)]
        self.write(layout, "mark", [row_of("mark", mark) for mark in marks])
        self.write("plain", "liquidations", [row_of("liquidations", order) for order in orders])

    def write(self, layout: str, kind: str, lines: list[str]) -> None:
        def put(name: str, some: list[str]) -> None:
            data = "".join(f"{line}\n" for line in (header, *some)).encode()
            (self.data / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)

        header, name = ",".join(rows.columns(kind, 5, False)), rows.file_name(kind, "BTCUSDT")
        stem = name.removesuffix(".csv")
        if layout.startswith("rotated"):
            put(f"{stem}.2026-11-22T15.csv.gz", lines[:2])
            put(f"{stem}.2026-11-22T16.csv", lines[2:3])
            put(f"{stem}.2026-11-22T16-2.csv.gz", lines[3:5])
            put(f"{stem}.2026-11-22T17.csv", [])
            for half in (f"{stem}.2026-11-22T16.csv.gz", f"{stem}.2026-11-22T15.csv.gz.tmp"):
                (self.data / half).write_bytes(b"half")
            lines = lines[5:]
        elif layout.startswith("with"):
            for other in ("20261122T152400Z.csv", "2026-11-22T15.20261122T152400Z-2.csv.gz"):
                put(f"{stem}.{other}", [line.replace("1000", "2000") for line in lines])
        elif "later" in layout:
            put(f"{stem}.2026-11-22T16.csv", lines[:2])
            header += f",{rows.RECEIVE_TIME}"
            lines = [f"{line},{1795363200250000001 + at}" for at, line in enumerate(lines[2:])]
        put(name, lines)

    def run_snippet(self, title: str) -> dict[str, Any]:
        names: dict[str, Any] = {}
        files, *_ = fenced("python", READING.text)
        self.said = io.StringIO()
        with contextlib.redirect_stdout(self.said):
            exec(compile(files, "docs/reading.md", "exec"), names)
            for code in fenced("python", READING.section(title)):
                exec(compile(code, f"docs/reading.md, {title}", "exec"), names)
        return names

    def test_archive(self) -> None:
        """The turnover of each side is exact, and stretches that overlap are told of as one."""
        for layout in LAYOUTS:
            with self.subTest(layout=layout):
                self.lay(layout)
                names = self.run_snippet("Archive")
                self.assertEqual(names["bought"], {"buy": Decimal("0.20")})
                self.assertEqual(
                    self.said.getvalue(),
                    "2026-11-22 16:00:03.900000+00:00 to 2026-11-22 16:00:07+00:00: reconnect, restart\n",
                )

    def test_what_the_demo_leaves(self) -> None:
        """All snippets run on the files of a run of the built-in exchange, and count its rows."""
        Replay(self.data, {}).play(read(list(SIMULATED.glob("raw.*"))))
        (self.data / "liquidations_BTCUSDT.csv").write_text(",".join(rows.columns("liquidations", 5, False)) + "\n")
        archive = Archive(self.data)
        self.assertEqual(archive.symbols(), ["BTCUSDT", "币安人生USDT"])
        counts = {kind: sum(1 for _ in archive.rows(kind, "BTCUSDT")) for kind in ("prices", "orderbook", "trades")}
        self.assertGreater(min(counts.values()), 5)
        for title in ("pandas", "polars"):
            names = self.run_snippet(title)
            frames = {"prices": names["prices"], "orderbook": names["books"], "trades": names["trades"]}
            self.assertEqual({kind: len(frame) for kind, frame in frames.items()}, counts)
        names = self.run_snippet("DuckDB")
        query = "SELECT symbol, count(*), count(DISTINCT time) > 1 FROM prices GROUP BY 1 ORDER BY 1"
        both = [(name, sum(1 for _ in archive.rows("prices", name)), True) for name in archive.symbols()]
        self.assertEqual(names["duckdb"].sql(query).fetchall(), both)
        names["duckdb"].default_connection().close()

    def test_no_gaps(self) -> None:
        """A ledger of a header alone leaves nothing blank, and marks nothing."""
        self.lay("plain")
        self.write("plain", rows.GAPS, [])
        self.assertEqual(self.run_snippet("pandas")["each_second"].isna().sum(), 0)
        self.assertEqual(set(self.run_snippet("polars")["quoted"]["in_gap"]), {False})
        names = self.run_snippet("DuckDB")
        self.assertEqual({row[-1] for row in names["stood"].fetchall()}, {False})
        names["duckdb"].default_connection().close()

    def test_pandas(self) -> None:
        """Times are exact, money is exact, levels are numbers, and the seconds of an outage are blank."""
        for layout in LAYOUTS:
            with self.subTest(layout=layout):
                self.lay(layout)
                names = self.run_snippet("pandas")
                prices, each_second, books = names["prices"], names["each_second"], names["books"]
                self.assertEqual(
                    [stamp.timestamp() for stamp in prices.index], [START_MS / 1000 + s + 0.25 for s in self.seconds]
                )
                self.assertEqual(
                    [f"{bid:.2f}" for bid in prices["bid"]], [self.bids[second] for second in self.seconds]
                )
                self.assertEqual((len(names["trades"]), names["turnover"]), (10, Decimal("0.20")))
                self.assertEqual(list(books["lastUpdateId"]), list(range(7000, 7010)))
                levels = [name for name in books.columns if name.startswith(("bid_", "ask_"))]
                self.assertEqual({str(books[name].dtype) for name in levels}, {"float64"})
                beside = names["beside"]
                self.assertEqual(
                    [stamp.timestamp() for stamp in beside.index], [START_MS / 1000 + 1.999, START_MS / 1000 + 2]
                )
                self.assertEqual((list(beside["mark_price"]), list(beside["side"])), ([1.5, 2.5], ["sell", "buy"]))
                self.assertEqual(str(list(beside["funding_rate"])), "[-0.0002, nan]")
                self.assertEqual(len(each_second), 10)
                blank = [second for second in range(10) if each_second.iloc[second] != each_second.iloc[second]]
                self.assertEqual(blank, [3, 4, 5, 6])

    def test_pandas_keeps_the_receive_time(self) -> None:
        """Nineteen digits stay what they are beside a blank, which float64 would not have room for."""
        self.lay("plain")
        path = self.data / rows.file_name(rows.TRADES, "BTCUSDT")
        header, first, second = path.read_text("ascii").splitlines()[:3]
        path.write_text(f"{header},{rows.RECEIVE_TIME}\n{first},\n{second},1795363200250000001\n", "ascii")
        names = self.run_snippet("pandas")
        received = names["read"]("trades", "BTCUSDT", names["FLOATS"] | {"side": "str"})[rows.RECEIVE_TIME]
        self.assertEqual([str(one) for one in received], ["<NA>", "1795363200250000001"])

    def test_polars(self) -> None:
        """Values are exact decimals, each trade has the quote before it, and those in an outage are marked."""
        for layout in LAYOUTS:
            with self.subTest(layout=layout):
                self.lay(layout)
                names = self.run_snippet("polars")
                quoted, books = names["quoted"], names["books"]
                self.assertEqual(names["prices"]["mid"].to_list()[0], Decimal("1000.125"))
                self.assertEqual(quoted.height, 10)
                before = {4: 3, 6: 5}
                self.assertEqual(quoted["bid"].to_list(), [Decimal(self.bids[before.get(s, s)]) for s in range(10)])
                self.assertEqual(quoted["in_gap"].to_list(), [4 <= second <= 6 for second in range(10)])
                self.assertEqual(books["lastUpdateId"].to_list(), list(range(7000, 7010)))
                self.assertEqual(books["ask_price_4"].to_list(), [None] * 9 + [Decimal("1.5")])
                self.assertEqual(books["bid_qty_0"].to_list(), [Decimal("1.25")] * 10)

    def test_duckdb(self) -> None:
        """Values are exact decimals, and the quote before an outage is marked as one that may have stood shorter."""
        for layout in LAYOUTS:
            with self.subTest(layout=layout):
                self.lay(layout)
                names = self.run_snippet("DuckDB")
                columns = names["stood"].columns
                found = [dict(zip(columns, row, strict=True)) for row in names["stood"].fetchall()]
                self.assertEqual([row["bid"] for row in found], [Decimal(self.bids[second]) for second in self.seconds])
                self.assertEqual({row["symbol"] for row in found}, {"BTCUSDT"})
                self.assertEqual([row["in_gap"] for row in found], [second in (3, 5) for second in self.seconds])
                query = "SELECT lastUpdateId, bid_qty_0, ask_price_4 FROM books ORDER BY lastUpdateId"
                levels = [(7000 + n, Decimal("1.25"), Decimal("1.5") if n == 9 else None) for n in range(10)]
                self.assertEqual(names["duckdb"].sql(query).fetchall(), levels)
                names["duckdb"].default_connection().close()

    def test_spark(self) -> None:
        """It is Python, and where Spark is installed, levels are numbers in the order of update ids."""
        for layout in LAYOUTS:
            with self.subTest(layout=layout):
                self.lay(layout)
                if importlib.util.find_spec("pyspark") is None:
                    compile(*fenced("python", READING.section("Spark")), "docs/reading.md, Spark", "exec")
                    continue
                books = self.run_snippet("Spark")["books"].collect()
                self.assertEqual([row["lastUpdateId"] for row in books], list(range(7000, 7010)))
                self.assertEqual([row["ask_price_4"] for row in books], [None] * 9 + [Decimal("1.5")])
                self.assertEqual(books[3]["time"].timestamp(), START_MS / 1000 + 3)
