"""`export` says in one line what it wrote, or why it wrote nothing."""

import sys
from pathlib import Path
from unittest import main, mock

from aster_collect.commands.export import FORMATS
from tests.unit.commands.calls import Folder, call

PROGRAM = "aster-collect export"
TRADES = "id,unix_timestamp_ms,side,price,quantity\n7,1795363440487,buy,1.5,2\n8,1795363440488,sell,1.5,2\n"
LAKE = ("--to", "parquet", "--out", "lake")


class Export(Folder):
    def setUp(self) -> None:
        super().setUp()
        Path("data").mkdir()
        self.trades = Path("data/trades_BTCUSDT.2026-11-22.csv")
        self.trades.write_text(TRADES, "ascii")

    def test_what_it_wrote(self) -> None:
        """It is one line, and a second run says that nothing has changed; of open days it says what writes them."""
        ended = call("export", "data", *LAKE)
        told = "exported files={} rows={} unchanged={} kept=0 open=0 folder=lake\n"
        self.assertEqual(ended, (0, told.format(1, 2, 0), ""))
        self.assertEqual(call("export", "data", *LAKE), (0, told.format(0, 0, 1), ""))
        self.trades.rename("data/trades_BTCUSDT.csv")
        ended = call("export", "data", *LAKE, "--exact")
        self.assertTrue(ended.out.endswith(" open=1 folder=lake; --open writes open days too\n"), ended.out)

    def test_the_default_folder(self) -> None:
        """Without a folder it is the one that is collected into."""
        self.assert_refused(call("export", *LAKE), "ASTER_data: No such file or directory", program=PROGRAM)
        Path("data").rename("ASTER_data")
        self.assertEqual(call("export", *LAKE).status, 0)

    def test_a_bad_call(self) -> None:
        """Each is one line that says what was given and what is allowed, and makes nothing."""
        for words, told in (
            (["data"], f"--to: none given, {', '.join(FORMATS)} allowed"),
            (["data", "--to", "csv"], f"--to: 'csv' given, {', '.join(FORMATS)} allowed"),
            (["data", "--to", "parquet"], "--out: none given, a folder's name allowed: where the files go"),
            (["none", *LAKE], "none: No such file or directory"),
            (["data", *LAKE, "--symbols", "XRPUSDT"], "--symbols: XRPUSDT given, BTCUSDT allowed"),
            (["data", *LAKE, "--kinds", "trade"], "--kinds: 'trade' given, all, or some of prices, "),
            (["data", *LAKE, "--from", "yesterday"], "--from: 'yesterday' given, 2026-11-22, 2026-11-22T13:00"),
            (
                ["data", *LAKE, "--from", "2026-11-22T13:00"],
                "--from: 2026-11-22T13:00:00 given, the beginning of a day",
            ),
            (
                ["data", *LAKE, "--from", "2026-11-22", "--until", "2026-11-22"],
                "--until: 2026-11-22T00:00:00+00:00 given, a moment behind --from allowed",
            ),
            (["data", "data/", *LAKE, "--to"], "--to: too little given"),
        ):
            self.assert_refused(call("export", *words), told, program=PROGRAM)
        self.assertEqual(self.made(), ["data"])

    def test_an_option_of_another_form(self) -> None:
        """It is refused with the form that has it."""
        for name, one in FORMATS.items():
            for other in FORMATS.keys() - {name}:
                for option in one.own:
                    ended = call("export", "data", "--to", other, "--out", "lake", f"--{option}")
                    told = f"--{option}: given with --to {other}, only --to {name} has it; leave it out"
                    self.assert_refused(ended, told, program=PROGRAM)

    def test_one_history_twice(self) -> None:
        """Two folders with the same trades are to be merged first."""
        Path("other").mkdir()
        Path("other/trades_BTCUSDT.csv").write_text(TRADES, "ascii")
        told = "trades of BTCUSDT: in data and in other, one of them allowed; merge them first"
        self.assert_refused(call("export", "data", "other", *LAKE), told, program=PROGRAM)
        self.assertEqual(call("export", "data", "data", *LAKE).status, 0)

    def test_a_line_that_is_damaged(self) -> None:
        """It is status 1, and one line with its file and number."""
        for line, told in (
            ("9,17953634\n", f"{self.trades.name}:4: 2 cells instead of 5: '9,17953634'; 'aster-collect verify' says"),
            ("9,1795363440489,buy,1.234567890123456,2\n", f"{self.trades.name}:4: price is 1.234567890123456, and a"),
        ):
            self.trades.write_text(TRADES + line, "ascii")
            self.assert_refused(call("export", "data", *LAKE), told, program=PROGRAM, status=1)
        self.assertEqual([path for path in Path("lake").rglob("*") if path.is_file()], [])

    def test_a_place_that_is_none(self) -> None:
        """A file is no folder to write to, and a data folder is only read."""
        Path("lake").write_text("a file", "ascii")
        self.assert_refused(call("export", "data", *LAKE), "--out: lake given, a folder allowed", program=PROGRAM)
        words = ("export", "data", "--to", "parquet", "--out", "../" + Path.cwd().name + "/data")
        self.assert_refused(call(*words), "another folder than the data's allowed", program=PROGRAM)
        self.assertEqual(self.made(), ["data", "lake"])

    def test_without_pyarrow(self) -> None:
        """One line says how to install it, and --help does without."""
        with mock.patch.dict(sys.modules):
            for name in [name for name in sys.modules if name.startswith("aster_collect.export.")]:
                del sys.modules[name]
            sys.modules["pyarrow"] = None  # type: ignore[assignment]
            told = f"the package pyarrow is not installed; this installs it: {sys.executable} -m pip install "
            self.assert_refused(call("export", "data", *LAKE), told, "pyarrow", program=PROGRAM)
            self.assertEqual(call("export", "--help").status, 0)


if __name__ == "__main__":
    main()
