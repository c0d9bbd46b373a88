"""What docs/files.md says of the files is so: columns, causes, samples."""

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any
from unittest import TestCase

from aster_collect.exchange import rows
from aster_collect.files.names import TABLE
from aster_collect.verify.rules import form
from tests.unit.docs.page import DOCS, fenced, table

FILES = DOCS["files"]


class TheColumns(TestCase):
    def test_a_column_that_is_not_explained(self) -> None:
        """Each file's table has its columns, in order; the levels of the book are told as four families."""
        for kind in (rows.PRICES, rows.TRADES, rows.GAPS):
            told = [row[0].strip("`") for row in table(FILES.section(kind))]
            columns = rows.columns(kind, 5, False)
            self.assertEqual(tuple(told[: len(columns)]), columns)
        families = ["unix_timestamp", "lastUpdateId"]
        families += [
            f"{side}_{part}_0` … `{side}_{part}_{{N-1}}" for side in ("bid", "ask") for part in ("price", "qty")
        ]
        self.assertEqual([row[0].strip("`") for row in table(FILES.section(rows.ORDERBOOK))], families)
        self.assertIn(f"`{rows.RECEIVE_TIME}`", FILES.text)

    def test_a_gap_whose_cause_nobody_explains(self) -> None:
        """Every cause is in docs/files.md, in the program's words, and no other."""
        told = {
            row[0].strip("`"): row[1]
            for row in table(FILES.section(rows.GAPS))
            if row[0].strip("`") not in rows.columns(rows.GAPS, 5, False)
        }
        for cause, meaning in rows.CAUSES.items():
            self.assertEqual(told.pop(cause, "").replace("`", ""), meaning)
        self.assertEqual(told, {})

    def test_the_samples_are_rows(self) -> None:
        """Each sample is what `verify` takes for whole rows of its kind."""
        for kind in (rows.PRICES, rows.ORDERBOOK, rows.TRADES, rows.GAPS):
            (sample,) = fenced("csv", FILES.section(kind))
            header, _, data = sample.encode().partition(b"\n")
            shape = form(TABLE[kind], header)
            assert shape is not None, kind
            self.assertIsNotNone(shape.pattern.fullmatch(data), kind)
            self.assertGreater(data.count(b"\n"), 1)


class TheRejects(TestCase):
    def test_bytes_that_are_not_utf_8(self) -> None:
        """The snippet gives the original bytes back."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(contextlib.chdir(folder))
        section = FILES.section("rejects.jsonl")
        (sample,), (code,) = fenced("json", section), fenced("python", section)
        (folder / "ASTER_data").mkdir()
        (folder / "ASTER_data" / "rejects.jsonl").write_text(sample, "utf-8")
        names: dict[str, Any] = {}
        exec(compile(code, "docs/files.md", "exec"), names)
        originals = names["originals"]
        self.assertEqual(originals[1], b'{"e":"\xff\xfe"}')
        self.assertEqual(json.loads(originals[0])["stream"], "btcusdt@bookTicker")
