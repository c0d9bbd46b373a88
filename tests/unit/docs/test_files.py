"""What docs/files.md says of the files is so: columns, causes, samples."""

import contextlib
import json
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import TestCase

from aster_collect.exchange.cells import RECEIVE_TIME
from aster_collect.exchange.ledger import CAUSES, LEDGER
from aster_collect.exchange.shape import form
from aster_collect.exchange.streams import DEFAULT, KINDS, orderbook
from aster_collect.exchange.streams.kind import Options
from aster_collect.files.listed import (
    ASIDE,
    CLOSED,
    DELETED,
    GROWING,
    MANIFEST_NAME,
    Content,
    Listed,
    line_of,
    read_line,
)
from tests.unit.docs.page import DOCS, fenced, table

FILES = DOCS["files"]
MOST = Options(levels=5, quantities=True)


class TheColumns(TestCase):
    def test_a_kind_that_nobody_finds(self) -> None:
        """The first table has every kind: its file, its word for --streams, and its sentence."""
        told = [row for row in table(FILES.text.partition("## ")[0]) if len(row) == 3]
        kinds = [*KINDS.values(), LEDGER]
        files = [f"`{kind.file_name('<SYMBOL>')}`" for kind in kinds]
        words = [f"`{kind.name}`, by default" if kind.name in DEFAULT else f"`{kind.name}`" for kind in kinds]
        words[-1] = "always"
        listed = [list(row) for row in zip(files, words, (kind.sentence for kind in kinds), strict=True)]
        self.assertEqual(told, listed)

    def test_a_column_that_is_not_explained(self) -> None:
        """Each file's section has its columns, in order; the levels of the book are told as four families."""
        families = ["unix_timestamp", "lastUpdateId"]
        families += [
            f"{side}_{part}_0` … `{side}_{part}_{{N-1}}" for side in ("bid", "ask") for part in ("price", "qty")
        ]
        for kind in (*KINDS.values(), LEDGER):
            columns = families if kind is orderbook.KIND else [column.name for column in kind.columns(MOST)]
            told = [row[0].strip("`") for row in table(FILES.section(kind.name))]
            self.assertEqual(told[: len(columns)], columns)
        self.assertIn(f"`{RECEIVE_TIME.name}`", FILES.section(RECEIVE_TIME.name))

    def test_a_gap_whose_cause_nobody_explains(self) -> None:
        """Every cause is in docs/files.md, in the program's words, and no other."""
        told = {
            row[0].strip("`"): row[1]
            for row in table(FILES.section(LEDGER.name))
            if row[0].strip("`") not in [column.name for column in LEDGER.columns(MOST)]
        }
        for cause, meaning in CAUSES.items():
            self.assertEqual(told.pop(cause, "").replace("`", ""), meaning)
        self.assertEqual(told, {})

    def test_the_samples_are_rows(self) -> None:
        """Each sample is what `verify` takes for whole rows of its kind."""
        for kind in (*KINDS.values(), LEDGER):
            (sample,) = fenced("csv", FILES.section(kind.name))
            header, _, data = sample.encode().partition(b"\n")
            shape = form(kind, header)
            assert shape is not None, kind.name
            self.assertIsNotNone(shape.pattern.fullmatch(data), kind.name)
            self.assertGreater(data.count(b"\n"), 1)


class TheFullBook(TestCase):
    def test_a_book_that_is_rebuilt(self) -> None:
        """The snippet makes the book of the sample's last row."""
        self.enterContext(contextlib.chdir(self.enterContext(tempfile.TemporaryDirectory())))
        section = FILES.section("depth")
        (sample,), (code,) = fenced("csv", section), fenced("python", section)
        Path("ASTER_data").mkdir()
        Path("ASTER_data/depth_BTCUSDT.csv").write_text(sample, "ascii")
        names: dict[str, Any] = {}
        exec(compile(code, "docs/files.md", "exec"), names)
        bids, asks = names["book"]["bids"], names["book"]["asks"]
        self.assertEqual(max(bids), "61527.50")
        self.assertEqual((bids["61527.50"], min(asks), asks[min(asks)]), ("0.013", "61527.60", "0.595"))
        self.assertEqual((len(bids), len(asks)), (5, 6))


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


class TheManifest(TestCase):
    def test_a_sample_that_is_none(self) -> None:
        """Each line is one of a manifest, and the first is that of the sample of trades."""
        (sample,), (trades,) = fenced("json", FILES.section(MANIFEST_NAME)), fenced("csv", FILES.section("trades"))
        lines = [read_line(line.encode()) for line in sample.splitlines()]
        self.assertEqual([line and line.what for line in lines], [CLOSED, ASIDE, DELETED, GROWING])
        assert lines[0] is not None
        content, data = lines[0].content, trades.encode()
        self.assertEqual((content.bytes, content.sha256), (len(data), sha256(data).hexdigest()))

    def test_a_key_that_is_not_explained(self) -> None:
        """Each key that a line can have is in the table, and no other."""
        told = [row[0].replace("`", "").split(", ") for row in table(FILES.section(MANIFEST_NAME))]
        line = line_of(Listed("trades_X.csv", ASIDE, Content(1, 2, 3, 4, 5, 6, "a"), "b", "c"))
        self.assertEqual(sorted(key for keys in told for key in keys), sorted(json.loads(line)))
