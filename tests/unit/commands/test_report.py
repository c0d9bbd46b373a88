"""`report`: one page, or one line that says why there is none."""

from pathlib import Path

from aster_collect.commands.command import load
from tests.unit.commands.calls import Folder, call
from tests.unit.report.made import DAY_MS, START_MS, quote, trade, write

REPORT = "aster-collect report"


class Report(Folder):
    def setUp(self) -> None:
        super().setUp()
        self.data = Path("data")
        self.data.mkdir()
        for symbol in ("BTCUSDT", "币安人生USDT"):
            lines = [quote(START_MS + at * DAY_MS, "1", "2") for at in range(3)]
            write(self.data / f"prices_{symbol}.csv", "prices", lines)

    def test_a_page(self) -> None:
        """The page is where it was asked for, one line says what is in it, and the folder is as it was."""
        before = {path: path.read_bytes() for path in self.data.iterdir()}
        ended = call("report", "data", "--out", "my page.html")
        size = Path("my page.html").stat().st_size
        self.assertEqual(Path("my page.html").stat().st_mode & 0o777, 0o644)
        self.assertEqual(ended, (0, f"report rows=6 symbols=2 bytes={size} file=my page.html\n", ""))
        self.assertEqual({path: path.read_bytes() for path in self.data.iterdir()}, before)
        self.assertEqual(self.made(), ["data", "my page.html"])

    def test_some_symbols_of_a_time(self) -> None:
        """Of symbols and a time that are asked for there is that, and no more."""
        words = ("--symbols", "btcusdt", "--from", "2026-10-22", "--until", "2026-10-23")
        ended = call("report", "data", *words)
        self.assertEqual((ended.status, ended.out.split(" bytes=")[0]), (0, "report rows=1 symbols=1"))
        page = Path("report.html").read_text("utf-8")
        self.assertNotIn("币安人生USDT", page)
        self.assertIn("<dd>2026-10-22 00:00:00</dd>", page)
        self.assertNotIn("2026-10-23", page)

    def test_a_page_that_was_there(self) -> None:
        """A page is replaced by the next, and stays where there is none because a line is damaged."""
        Path("report.html").write_text("before", "utf-8")
        with (self.data / "prices_BTCUSDT.csv").open("a") as file:
            file.write("nonsense\n")
        ended = call("report", "data")
        self.assertEqual((ended.status, ended.out), (1, ""))
        self.assertIn("prices_BTCUSDT.csv:5: ", ended.err)
        self.assertIn("aster-collect verify", ended.err)
        self.assertEqual(Path("report.html").read_text("utf-8"), "before")
        self.assertEqual(self.made(), ["data", "report.html"])
        self.assertEqual(call("report", "data", "--symbols", "币安人生USDT").status, 0)
        self.assertIn("<!DOCTYPE html>", Path("report.html").read_text("utf-8"))

    def test_what_can_not_be_met(self) -> None:
        """A call that can't be met is one line that says what was given, and what is allowed."""
        for words, parts in {
            ("nowhere",): ("nowhere: No such file",),
            ("data", "--symbols", "ETHUSDT"): ("--symbols: ETHUSDT given", "BTCUSDT"),
            ("data", "--from", "2026-10-22", "--until", "2026-10-22"): ("--until:", "behind --from"),
            ("data", "--from", "2027-01-01"): ("data: no rows of that time",),
            ("data", "--out", "data"): ("--out: data given", "a folder"),
            ("data", "--out", "no/where.html"): ("--out: no/where.html given", "no such folder"),
        }.items():
            with self.subTest(words=words):
                self.assert_refused(call("report", *words), *parts, program=REPORT)
        self.assertEqual(self.made(), ["data"])

    def test_a_folder_that_has_only_begun(self) -> None:
        """Files without rows are nothing to show."""
        for path in self.data.iterdir():
            path.unlink()
        write(self.data / "trades_BTCUSDT.csv", "trades", [])
        self.assert_refused(call("report", "data"), "no rows in its files", program=REPORT)

    def test_more_than_fits_on_a_page(self) -> None:
        """A folder whose coverage alone is too much for a page is refused, and told what to do."""
        for number in range(1501):
            write(self.data / f"trades_S{number}USDT.csv", "trades", [trade(1, START_MS, "buy", "1", "1")])
        self.assert_refused(call("report", "data"), "1503 histories", "at most 1500", "--symbols", program=REPORT)

    def test_its_help(self) -> None:
        """It has a sentence, and says how large a page is."""
        self.assertIn("3 MB at most", load("report").grammar().format_help())
