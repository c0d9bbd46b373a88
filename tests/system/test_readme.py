"""What the README says is so: options, causes, statuses, columns, samples, snippets, commands and links."""

import ast
import contextlib
import gzip
import importlib.util
import io
import json
import os
import re
import shlex
import shutil
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from unittest import TestCase

import aster_collect.simulator.__main__
import aster_collect.verify.__main__
from aster_collect import cli, health
from aster_collect.exchange import rows
from aster_collect.exchange.events import Depth, Gap, Quote, Trade
from aster_collect.simulator import faults
from aster_collect.verify.rules import form
from aster_collect.watch.metrics import metrics_text
from aster_collect.watch.status import status_json
from tests.unit.watch.test_status import snapshot

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PROSE = re.sub(r"^```.*?^```$", lambda block: " " * len(block[0]), README, flags=re.MULTILINE | re.DOTALL)
START_MS = 1_795_363_200_000


def section(title: str) -> str:
    """Return the text under a heading, down to the next heading of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}$", PROSE, re.MULTILINE)
    assert found is not None, title
    end = re.compile(rf"^#{{1,{len(found[1])}}} ", re.MULTILINE).search(PROSE, found.end())
    return README[found.end() : end.start() if end else None]


def fenced(language: str, text: str = README) -> list[str]:
    """Return the contents of the fenced blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def table(text: str) -> list[list[str]]:
    """Return the cells of a text's table rows, header rows aside."""
    lines = [line.strip("| ") for line in text.splitlines() if line.startswith("|")]
    cells = [re.split(r" *\| *", line) for line in lines]
    heads = [at for at, line in enumerate(lines) if re.fullmatch(r"[-| ]+", line)]
    return [row for at, row in enumerate(cells) if at not in heads and at + 1 not in heads]


def help_text() -> str:
    """Return what --help shows on a terminal so wide that no entry is broken."""
    width = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "2000"
    try:
        return cli.parser().format_help()
    finally:
        if width is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = width


def help_options() -> list[list[str]]:
    """Return --help's arguments as [names, meaning, default]."""
    listed = re.search(r"\npositional arguments:\n(.*?)\n\noptions:\n(.*?)\n\n", help_text(), re.DOTALL)
    assert listed is not None
    entries = [" ".join(entry.split("\n")) for entry in re.split(r"\n(?=  \S)", f"{listed[1]}\n{listed[2]}")]
    found = []
    for entry in entries:
        names, meaning = re.split(r"\s{2,}", entry.strip(), maxsplit=1)
        parts = re.fullmatch(r"(.*?)(?: \(default: (.*)\))?", meaning.strip())
        assert parts is not None
        found.append([f"`{names}`", parts[1], parts[2] or "-"])
    return found


class TheOptions(TestCase):
    maxDiff = None

    def test_an_option_that_the_readme_does_not_know(self) -> None:
        """The table of options is --help, word for word, with the same defaults, none missing and none too many."""
        told = [row for row in table(section("Options")) if len(row) == 3]
        self.assertEqual(told, help_options())

    def test_an_option_that_is_mentioned_but_gone(self) -> None:
        """Every option named in the README is one of the program, of the programs beside it, or of pip and docker."""
        parsers = (cli.parser(), aster_collect.verify.__main__._parser(), aster_collect.simulator.__main__._parser())
        known = {option for parser in parsers for action in parser._actions for option in action.option_strings}
        known |= set(re.findall(r"--[a-z-]+", health.HELP)) | {"--quick"}
        known |= {"--build", "--rm", "--read-only", "--stop-timeout", "--now", "--collector"}
        known |= {"--system", "--home-dir", "--shell"}
        self.assertLessEqual(set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", README)), known)

    def test_the_exit_statuses(self) -> None:
        """The README's table of exit statuses is that of --help."""
        told = {row[0]: row[1] for row in table(section("Options")) if len(row) == 2}
        listed = help_text().split("exit status:\n")[1]
        self.assertEqual(told, dict(re.findall(r"^  (\d)  (.*)$", listed, re.MULTILINE)))


class TheColumns(TestCase):
    def test_a_column_that_is_not_explained(self) -> None:
        """Each file's table has its columns, in order; the levels of the book are told as four families."""
        for kind in (rows.PRICES, rows.TRADES, rows.GAPS):
            told = [row[0].strip("`") for row in table(section(kind))]
            columns = rows.columns(kind, 5, False)
            self.assertEqual(tuple(told[: len(columns)]), columns)
        families = ["unix_timestamp", "lastUpdateId"]
        families += [
            f"{side}_{part}_0` … `{side}_{part}_{{N-1}}" for side in ("bid", "ask") for part in ("price", "qty")
        ]
        self.assertEqual([row[0].strip("`") for row in table(section(rows.ORDERBOOK))], families)
        self.assertIn(f"`{rows.RECEIVE_TIME}`", README)

    def test_a_gap_whose_cause_nobody_explains(self) -> None:
        """Every cause is in the README, in the program's words, and no other."""
        told = {
            row[0].strip("`"): row[1] for row in table(section(rows.GAPS)) if row[0].strip("`") not in rows.GAP_COLUMNS
        }
        for cause, meaning in rows.CAUSES.items():
            self.assertEqual(told.pop(cause, "").replace("`", ""), meaning)
        self.assertEqual(told, {})

    def test_the_samples_are_rows(self) -> None:
        """Each sample is what `verify` takes for whole rows of its kind."""
        for kind in (*rows.KINDS, rows.GAPS):
            (sample,) = fenced("csv", section(kind))
            header, _, data = sample.encode().partition(b"\n")
            shape = form(kind, header)
            assert shape is not None, kind
            self.assertEqual(len(shape.pattern.findall(data)), data.count(b"\n"))
            self.assertGreater(data.count(b"\n"), 1)


class TheLog(TestCase):
    def test_a_log_line_that_nobody_explains(self) -> None:
        """Every event that the collector logs is in the README's table with its level, and no other."""
        logged = set()
        for path in (ROOT / "aster_collect").rglob("*.py"):
            if path.parent.name in ("simulator", "verify"):
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "log"
                ):
                    text = ast.literal_eval(node.args[0])
                    level = {"exception": "ERROR"}.get(node.func.attr, node.func.attr.upper())
                    logged.add((level, re.split(r" (?:[\w/]+=|%)", text)[0]))
        told = {(row[0], row[1].strip("`")) for row in table(section("Operating it")) if row[0].isupper()}
        self.assertEqual(sorted(told), sorted(logged))


class TheStatus(TestCase):
    def test_a_fact_that_nobody_explains(self) -> None:
        """Every key of status.json is in the README's table, and no other; a time's second form is told once."""
        told = [key for row in table(section("Status")) for key in re.findall(r"`(\w+)`", row[0])]
        written = [key for key in json.loads(status_json(snapshot())) if not key.endswith("_unix_s")]
        self.assertEqual(sorted(told), sorted(written))

    def test_a_metric_that_nobody_explains(self) -> None:
        """The README's table is the metrics with their labels and help texts, in order."""
        text = metrics_text(snapshot())
        told = table(section("Metrics"))
        self.assertEqual([row[0].strip("`") for row in told], re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
        for name, labels, meaning in told:
            self.assertIn(f"# HELP {name.strip('`')} {meaning}\n", text)
            found = re.findall(rf"^{name.strip('`')}(?:_bucket)?\{{(.*?)\}} ", text, re.MULTILINE)
            self.assertEqual(set(re.findall(r"`(\w+)`", labels)), {*re.findall(r"(\w+)=", ",".join(found))}, name)

    def test_the_alert(self) -> None:
        """The rules that the README shows are those of the file, wait for minutes, and name metrics that there are."""
        lines = (ROOT / "deploy" / "alerts.yml").read_text("utf-8").splitlines()
        (shown,) = fenced("yaml", section("Metrics"))
        self.assertEqual(shown.splitlines(), [line for line in lines if line[:1] != "#"])
        self.assertRegex(shown, r"\n {8}for: [1-9]m\n")
        asked = re.findall(r"aster_collect_\w+", shown)
        self.assertTrue(asked)
        for name in asked:
            self.assertIn(f"# TYPE {name} ", metrics_text(snapshot()))

    def test_the_crontab(self) -> None:
        """The lines that the README shows are those of the file."""
        lines = (ROOT / "deploy" / "crontab").read_text("utf-8").splitlines()
        shown = [block for block in fenced("text", section("Keeping it running")) if "* * *" in block]
        self.assertEqual(shown[0].splitlines(), [line for line in lines if line[:1] != "#"])


LAYOUTS = ("plain", "rotated and compressed", "with files set aside")


class TheSnippets(TestCase):
    """The README's code runs on small files, and what it finds is right, however the files lie."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(contextlib.chdir(self.folder))
        self.data = self.folder / "ASTER_data"
        self.bids = [f"{1000 + second}.10" for second in range(10)]
        # A quote each second; of the seconds 4 to 6, which the ledger lists, only that of 5. A trade each second.
        self.seconds = [second for second in range(10) if second not in (4, 6)]

    def lay(self, layout: str) -> None:
        """Write the data, which is always the same, in one of the ways in which it can lie."""
        quotes = [Quote("BTCUSDT", 1, 0, 0, bid, f"{bid[:-3]}.15") for bid in self.bids]
        trades = [Trade("BTCUSDT", 100 + second, 0, 0, "buy", "0.1", "0.2") for second in range(10)]
        full = ",".join(f"{5 - level}.5,1" for level in range(5))
        books = [Depth("BTCUSDT", 7000 + n, None, 0, 0, "9.5,1.25", "10.5,3" if n < 9 else full) for n in range(10)]
        gaps = [Gap(rows.PRICES, START_MS + 3900, START_MS + 7000, None, None, "reconnect")]
        gaps.append(Gap(rows.PRICES, START_MS + 4000, START_MS + 4200, None, None, "restart"))  # within the other
        gaps.append(gaps[0]._replace(stream=rows.ORDERBOOK))
        gaps.append(Gap(rows.TRADES, START_MS, START_MS + 400, 90, 99, "gave-up"))
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir()
        self.write(layout, rows.PRICES, [rows.quote_row(quotes[s], START_MS + 1000 * s + 250) for s in self.seconds])
        self.write(layout, rows.TRADES, [rows.trade_row(t, START_MS + 1000 * n + 500) for n, t in enumerate(trades)])
        self.write(layout, rows.ORDERBOOK, [rows.depth_row(b, START_MS + 1000 * n, 5) for n, b in enumerate(books)])
        self.write("plain", rows.GAPS, [rows.gap_row(gap) for gap in gaps])

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
            for half in (f"{stem}.2026-11-22T16.csv.gz", f"{stem}.2026-11-22T15.csv.gz.tmp"):
                (self.data / half).write_bytes(b"half")
            lines = lines[5:]
        elif layout.startswith("with"):
            for other in ("20261122T152400Z.csv", "2026-11-22T15.20261122T152400Z-2.csv.gz"):
                put(f"{stem}.{other}", [line.replace("1000", "2000") for line in lines])
        put(name, lines)

    def run_snippet(self, title: str) -> dict[str, Any]:
        names: dict[str, Any] = {}
        files, *_ = fenced("python", section("Reading the files"))
        (code,) = fenced("python", section(title))
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(files, "README.md", "exec"), names)
            exec(compile(code, f"README.md, {title}", "exec"), names)
        return names

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
                self.assertEqual({str(books[name].dtype) for name in books.columns[2:]}, {"float64"})
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
                    compile(*fenced("python", section("Spark")), "README.md, Spark", "exec")
                    continue
                books = self.run_snippet("Spark")["books"].collect()
                self.assertEqual([row["lastUpdateId"] for row in books], list(range(7000, 7010)))
                self.assertEqual([row["ask_price_4"] for row in books], [None] * 9 + [Decimal("1.5")])
                self.assertEqual(books[3]["time"].timestamp(), START_MS / 1000 + 3)

    def test_rejects(self) -> None:
        """The original bytes come back, also those that are not UTF-8."""
        sample = fenced("json", section("rejects.jsonl"))[0]
        self.data.mkdir()
        (self.folder / "ASTER_data" / "rejects.jsonl").write_text(sample, "utf-8")
        originals = self.run_snippet("rejects.jsonl")["originals"]
        self.assertEqual(originals[1], b'{"e":"\xff\xfe"}')
        self.assertEqual(json.loads(originals[0])["stream"], "btcusdt@bookTicker")

    def test_faults(self) -> None:
        """The sample of a fault file is one that the simulator takes."""
        (sample,) = fenced("json", section("Developing"))
        self.assertEqual(len(faults.parse(sample)), len(json.loads(sample)))


class TheCommands(TestCase):
    PARSERS: ClassVar = {
        "aster_collect": cli.parser().parse_args,
        "aster_collect.verify": aster_collect.verify.__main__._parser().parse_args,
        "aster_collect.simulator": aster_collect.simulator.__main__._parser().parse_args,
        "aster_collect.health": health._call,
    }

    def commands(self) -> list[list[str]]:
        lines = [line for block in fenced("sh") for line in block.splitlines()]
        return [shlex.split(part) for line in lines for part in line.split(" && ")]

    def test_a_command_that_the_program_refuses(self) -> None:
        """Every `python -m aster_collect…` line is understood by that program's own parser."""
        seen = set()
        for words in self.commands():
            if "-m" not in words:
                continue
            module, arguments = words[words.index("-m") + 1], words[words.index("-m") + 2 :]
            with self.subTest(command=words):
                self.assertIsNotNone(importlib.util.find_spec(module))
                if module in self.PARSERS:
                    self.PARSERS[module](arguments)
                    seen.add(module)
        self.assertEqual(seen, set(self.PARSERS))

    def test_arguments_for_the_container(self) -> None:
        """What is quoted as ASTER_ARGS is understood too."""
        given = [
            word.removeprefix("ASTER_ARGS=") for words in self.commands() for word in words if "ASTER_ARGS=" in word
        ]
        self.assertTrue(given)
        for arguments in given:
            cli.parser().parse_args(shlex.split(arguments))

    def test_a_file_that_a_command_needs(self) -> None:
        """Every requirements file and script that a command names is in the repository."""
        named = {word for words in self.commands() for word in words if re.fullmatch(r"[\w.-]+\.(txt|py)", word)}
        self.assertIn("requirements.txt", named)
        for name in named:
            self.assertTrue((ROOT / name).is_file(), name)


class TheLinks(TestCase):
    def test_a_link_to_nowhere(self) -> None:
        """Every relative link and every anchor has its target."""
        headings = re.findall(r"^#+ (.*)$", PROSE, re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        for name in ("README.md", "CHANGELOG.md"):
            text = (ROOT / name).read_text("utf-8")
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if target.startswith("#"):
                    self.assertIn(target[1:], anchors)
                elif "://" not in target:
                    self.assertTrue((ROOT / target).exists(), target)

    def test_a_promise_without_a_proof(self) -> None:
        """Each of the seven promises names tests, and they exist."""
        promises = [row for row in table(section("What is promised")) if row[0].isdigit()]
        self.assertEqual([row[0] for row in promises], list("1234567"))
        for number, _, proofs in promises:
            named = re.findall(r"`(tests/[\w/]+\.py)`", proofs)
            self.assertTrue(named, number)
            for name in named:
                self.assertTrue((ROOT / name).is_file(), f"promise {number}: {name}")
