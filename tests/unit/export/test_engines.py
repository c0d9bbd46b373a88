"""DuckDB, polars and pandas read the lake, and find in it what exact arithmetic over the data files finds."""

import csv
import json
import math
import random
import unittest
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pandas as pd
import polars as pl

from tests.support import rounds
from tests.unit.archive.folder import S
from tests.unit.export.lake import DAY_MS, DAYS, FIRST_MS, NOON, LakeCase, seconds, trade

CHINESE = "币安人生USDT"
SYMBOLS = (S, CHINESE, "ETHUSDT", "1000PEPEUSDT")
LONG = 8  # decimals of quantities


class Answer(NamedTuple):
    """What is asked of some trades: how many, the first and the last time, both ids, and the turnover."""

    rows: int
    first: datetime
    last: datetime
    first_id: int
    last_id: int
    turnover: Any


def moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms // 1000, UTC).replace(microsecond=time_ms % 1000 * 1000)


def of_csv(folder: Path, symbol: str) -> Answer:
    """Return the answer of exact arithmetic over the data files."""
    rows = []
    for path in folder.glob(f"trades_{symbol}*.csv"):
        with path.open(encoding="ascii", newline="") as lines:
            rows += list(csv.DictReader(lines))
    times = [int(row["unix_timestamp_ms"]) for row in rows]
    ids = [int(row["id"]) for row in rows]
    turnover = sum(Decimal(row["price"]) * Decimal(row["quantity"]) for row in rows)
    return Answer(len(rows), moment(min(times)), moment(max(times)), min(ids), max(ids), turnover)


def of_duckdb(lake: Path, symbol: str) -> Answer:
    with duckdb.connect() as connection:
        row = connection.execute(
            "SELECT count(*), epoch_ms(min(time)), epoch_ms(max(time)), min(id), max(id), sum(price * quantity) "
            "FROM read_parquet($lake, hive_partitioning = true) WHERE symbol = $symbol",
            {"lake": f"{lake}/trades/**/*.parquet", "symbol": symbol},
        ).fetchone()
    assert row is not None
    return Answer(row[0], moment(row[1]), moment(row[2]), *row[3:])


def of_polars(lake: Path, symbol: str) -> Answer:
    price, time, number = pl.col("price"), pl.col("time"), pl.col("id")
    if pl.read_parquet_schema(next(lake.rglob("*.parquet")))["price"].is_decimal():
        price = price.cast(pl.Decimal(38, 16))  # a product has as many decimals as its wider factor
    asked = [pl.len(), time.min(), time.max().alias("last"), number.min(), number.max().alias("last_id")]
    turnover = (price * pl.col("quantity")).sum().alias("turnover")
    lazy = pl.scan_parquet(lake / "trades", hive_partitioning=True).filter(pl.col("symbol") == symbol)
    return Answer(*lazy.select(*asked, turnover).collect().row(0))


def of_pandas(lake: Path, symbol: str) -> Answer:
    frame = pd.read_parquet(lake / "trades", filters=[("symbol", "==", symbol)])
    first, last = (stamp.to_pydatetime() for stamp in (frame["time"].min(), frame["time"].max()))
    ids = frame["id"]
    turnover = (frame["price"] * frame["quantity"]).sum()
    return Answer(len(frame), first, last, int(ids.min()), int(ids.max()), turnover)


class TheAnswers(LakeCase):
    def lay(self, chance: random.Random, decimals: int) -> None:
        """Write trades of four symbols and four days, whose values have up to so many decimals."""
        for number, symbol in enumerate(SYMBOLS):
            price = chance.randrange(1, 10**7)
            for at, day in enumerate(DAYS):
                rows = []
                for n in range(at * 100, at * 100 + chance.randrange(20, 100)):
                    price = max(1, price + chance.randrange(-9, 10))
                    whole, fraction = divmod(price, 10**number)
                    text = f"{whole}.{fraction:0{number}d}" if number else f"{whole}"
                    quantity = f"{chance.randrange(1, 10**5)}.{chance.randrange(10**decimals):0{decimals or 1}d}"
                    rows.append(trade(n, FIRST_MS + at * DAY_MS + (n % 100) * 60_007, text, quantity))
                self.put("trades", rows, day if at < 3 else "", symbol=symbol)

    def test_exact(self) -> None:
        """All find the same rows, and the turnover to the last digit."""
        for seed, chance in rounds(2):
            self.out = self.base / str(seed)
            self.lay(chance, LONG)
            self.export(open=True, exact=True)
            for symbol in SYMBOLS:
                wanted = of_csv(self.folder, symbol)
                for asked in (of_duckdb, of_polars, of_pandas):
                    with self.subTest(seed=seed, symbol=symbol, asked=asked.__name__):
                        self.assertEqual(asked(self.out, symbol), wanted)

    def test_doubles(self) -> None:
        """All find the same rows, and the turnover within the error of doubles."""
        for seed, chance in rounds(2):
            self.out = self.base / str(seed)
            self.lay(chance, LONG)
            self.export(open=True)
            for symbol in SYMBOLS:
                wanted = of_csv(self.folder, symbol)
                for asked in (of_duckdb, of_polars, of_pandas):
                    with self.subTest(seed=seed, symbol=symbol, asked=asked.__name__):
                        found = asked(self.out, symbol)
                        self.assertEqual(found._replace(turnover=0), wanted._replace(turnover=0))
                        self.assertTrue(math.isclose(found.turnover, wanted.turnover, rel_tol=1e-12))

    def test_other_kinds(self) -> None:
        """A full book's levels can be taken apart, and blanks are null, in all three."""
        day = DAYS[0]
        self.put("depth", [f"{seconds(NOON[day])},,7,10 1;9.5 2,", f"{seconds(NOON[day] + 9)},7,9,,11 0.000"], day)
        self.put("mark", [f"{seconds(NOON[day])},1.5,,,-0.0001,{NOON[day]}", f"{seconds(NOON[day] + 1000)},2,,,,"], day)
        self.export()
        depth, mark = (f"{self.out}/{kind}/**/*.parquet" for kind in ("depth", "mark"))
        with duckdb.connect() as connection:
            bids = connection.sql(f"SELECT unnest(bids, recursive := true) FROM read_parquet('{depth}')").fetchall()
            rates = connection.sql(
                f"SELECT funding_rate, epoch_ms(next_funding_time) FROM read_parquet('{mark}')"
            ).fetchall()
        self.assertEqual(bids, [(10.0, 1.0), (9.5, 2.0)])
        self.assertEqual(rates, [(-0.0001, NOON[day]), (None, None)])
        frame = pl.read_parquet(depth, hive_partitioning=True)
        self.assertEqual(frame["previous_update_id"].to_list(), [None, 7])
        self.assertEqual(frame["asks"].to_list(), [[], [{"price": 11.0, "quantity": 0.0}]])
        self.assertEqual(pl.read_parquet(mark)["index_price"].null_count(), 2)
        marks = pd.read_parquet(self.out / "mark")
        self.assertEqual(marks["next_funding_time"].isna().tolist(), [False, True])
        self.assertEqual(marks["mark_price"].tolist(), [1.5, 2.0])


class OneOfForty(LakeCase):
    def setUp(self) -> None:
        super().setUp()
        for symbol in SYMBOLS:
            for number in range(10):
                day = date.fromordinal(date.fromisoformat(DAYS[0]).toordinal() - number)
                time_ms = FIRST_MS - number * DAY_MS
                self.put("trades", [trade(n, time_ms + n) for n in range(5)], day.isoformat(), symbol=symbol)
        self.assertEqual(self.export()["files"], "40")
        self.wanted = str(self.part(DAYS[0], symbol="%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT"))

    def test_duckdb(self) -> None:
        """For a symbol and a day it opens the one file that there is of them."""
        query = (
            "EXPLAIN (ANALYZE, FORMAT json) SELECT sum(price) "
            f"FROM read_parquet('{self.out}/trades/**/*.parquet', hive_partitioning = true) "
            f"WHERE symbol = '{CHINESE}' AND date = '{DAYS[0]}'"
        )
        with duckdb.connect() as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        text = json.dumps(json.loads(row[1]))
        self.assertIn('"Scanning Files": "1/40"', text)
        self.assertIn('"Total Files Read": "1"', text)
        self.assertIn(f'"Filename(s)": "{self.wanted}"', text)

    def test_polars(self) -> None:
        """Its plan names that file alone, and it is what it reads."""
        day = pl.lit(DAYS[0]).str.to_date()
        lazy = pl.scan_parquet(self.out / "trades", hive_partitioning=True).filter(
            (pl.col("symbol") == CHINESE) & (pl.col("date") == day)
        )
        self.assertIn(f"Parquet SCAN [{self.wanted}]", lazy.explain())
        self.assertEqual(lazy.collect().height, 5)


if __name__ == "__main__":
    unittest.main()
