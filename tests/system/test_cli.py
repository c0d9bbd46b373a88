"""The command line: what it refuses and in which words, what it does about the world it starts in, how it ends."""

import contextlib
import errno
import io
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from aster_collect import __version__, settings
from aster_collect.commands import collect
from aster_collect.files.lock import Lock
from aster_collect.simulator import Simulator
from tests import beside

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0

LEVELS = "5, 10, 20 allowed"
INTERVALS = "100, 250, 500 allowed"
HOLD = "1 to 1000000 trades and 1 to 604800 seconds allowed"
SYMBOL = "1 to 64 letters, digits, '_' or '-' allowed"
WS = "ws://HOST[:PORT] or wss://HOST[:PORT] allowed"
REST = "http://HOST[:PORT] or https://HOST[:PORT] allowed"

# option, what is given for it, what the message says was given (None: the same), what it says is allowed
BAD_VALUES: list[tuple[str, str, str | None, str]] = [
    *(("--order-book-levels", given, None, LEVELS) for given in ("7", "0", "-5", "10.0", "ten", "", "1e1", "9" * 50)),
    *(("--depth-interval", given, None, INTERVALS) for given in ("50", "100ms", "", "250.5", "-100")),
    *(
        ("--flush-interval", given, None, "0.1 to 3600 seconds allowed")
        for given in ("0", "0.09", "3601", "-1", "nan", "inf", "five", "", "1,5", "0x10")
    ),
    *(("--stall-timeout", given, None, "1 to 600 seconds allowed") for given in ("0.5", "601", "nan", "soon", "")),
    *(("--duration", given, None, "0.1 to 31536000 seconds allowed") for given in ("0", "-1", "31536001", "1h", "")),
    *(("--history", given, None, "0 to 100000 trades allowed") for given in ("-1", "100001", "1e3", "1.5", "all", "")),
    ("--history", "9" * 400, "9" * 60, "0 to 100000 trades allowed"),
    ("--history", "9" * 9000, "9" * 60, "0 to 100000 trades allowed"),
    *(("--backfill-limit", given, None, "0 to 10000000 trades allowed") for given in ("-1", "10000001", "none", "0.5")),
    *(("--connections", given, None, "1 to 4 connections allowed") for given in ("0", "5", "-1", "two", "1.5", "")),
    *(("--max-connection-age", given, None, "2 to 86000 seconds allowed") for given in ("1", "86001", "24h", "nan")),
    ("--hold-limit", "0 10", "0", "1 to 1000000 trades allowed"),
    ("--hold-limit", "1000001 10", "1000001", "1 to 1000000 trades allowed"),
    ("--hold-limit", "10 0", "0", "1 to 604800 seconds allowed"),
    ("--hold-limit", "10 nan", "nan", "1 to 604800 seconds allowed"),
    ("--hold-limit", "ten 10", None, HOLD),
    ("--hold-limit", "10 long", None, HOLD),
    ("--hold-limit", "1.5 10", None, HOLD),
    *(
        ("--ws-url", given, None, WS)
        for given in ("", "example.com", "http://example.com", "ws://", "ws://h/?q", "wss:h")
    ),
    *(("--ws-url", given, None, WS) for given in ("ws://h:port", "ws://h:99999", "ws://[::1", "ws://a b", "ws://h#x")),
    *(("--ws-url", given, None, WS) for given in ("ws://h/ws", "wss://h/stream/")),
    *(("--rest-url", given, None, REST) for given in ("https://h/fapi/v1", "http://h:1/x")),
    *(("--rest-url", given, None, REST) for given in ("", "ftp://example.com", "ws://h", "https://", "http://h:0")),
    *(("--log-level", given, None, "DEBUG, INFO, WARNING, ERROR allowed") for given in ("", "loud", "10", "INFOO")),
    ("--data-dir", "", None, "a folder's name allowed"),
    *(("symbols", given, None, SYMBOL) for given in ("", "../x", "a/b", ".", "..", "BTC USDT", "BTC,USDT", "a@b")),
    *(("symbols", given, None, SYMBOL) for given in ("/etc/passwd", "=1+1", "€", "é̂", "%2e", "币安/人生")),
    ("symbols", "X" * 65, "X" * 60, SYMBOL),
    ("symbols", "a\\b", "a\\\\b", SYMBOL),
    ("symbols", "a\0b", "a\\x00b", SYMBOL),
    ("symbols", "a\nb", "a\\nb", SYMBOL),
    ("symbols", "\x1b[31m", "\\x1b[31m", SYMBOL),
]


class Folder(unittest.TestCase):
    """Each test in an empty working directory; logging is as it was afterwards."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(contextlib.chdir(self.folder))
        root = logging.getLogger()
        self.addCleanup(root.setLevel, root.level)
        self.addCleanup(setattr, root, "handlers", root.handlers)
        root.handlers = []

    def run_main(self, *arguments: str) -> tuple[int, str, str]:
        """Run the program in this process; return its exit status, output and complaints."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = collect.main(list(arguments))
            except SystemExit as end:
                assert isinstance(end.code, int)
                status = end.code
        return status, out.getvalue(), err.getvalue()

    def exchange(self, *symbols: str) -> tuple[str, ...]:
        """Start a simulated exchange for this test; return the options that name it."""
        simulator = self.enterContext(Simulator(symbols))
        return "--ws-url", simulator.ws_url, "--rest-url", simulator.rest_url

    def made(self) -> list[str]:
        """Return the names of what has appeared in the working directory."""
        return sorted(path.name for path in self.folder.iterdir())

    def assert_one_line(self, told: str) -> None:
        self.assertTrue(told.startswith("aster-collect: "), told)
        self.assertTrue(told.endswith("\n"), told)
        self.assertTrue(told[:-1].isprintable(), told)
        self.assertLess(len(told), 300)


class AnImpossibleRequest(Folder):
    def test_a_bad_value_is_one_line(self) -> None:
        """Each bad value ends with status 2 and one line that names the option, what was given and what is allowed."""
        for option, given, shown, allowed in BAD_VALUES:
            with self.subTest(option=option, given=given[:80]):
                arguments = (given,) if option == "symbols" else (option, *given.split(" "))
                if option in ("--ws-url", "--data-dir", "--rest-url"):
                    arguments = (option, given)
                status, out, err = self.run_main(*arguments)
                self.assertEqual((status, out), (2, ""))
                self.assert_one_line(err)
                self.assertIn(f" {option}: ", err)
                self.assertIn(allowed, err)
                told = err.removeprefix(f"aster-collect: {option}: ").partition(" given, ")[0]
                self.assertIn(given if shown is None else shown, told)
        self.assertEqual(self.made(), [])

    def test_a_bad_value_is_refused_however_it_is_written(self) -> None:
        """A value behind an equals sign, and one behind good ones, is refused alike."""
        for arguments in (
            ("--order-book-levels=7",),
            ("--flush-interval=-inf",),
            ("BTCUSDT", "--flush-interval", "2", "--order-book-levels", "7", "--demo"),
            ("BTCUSDT", "ETHUSDT", "../x"),
        ):
            status, out, err = self.run_main(*arguments)
            self.assertEqual((status, out), (2, ""))
            self.assert_one_line(err)
        self.assertEqual(self.made(), [])

    def test_an_unknown_option_is_one_line(self) -> None:
        """Options that are unknown, shortened or without their value are refused on one line too."""
        for arguments, named in (
            (("--levels", "5"), "--levels"),
            (("--order", "5"), "--order"),
            (("--x\ny",), "--x\\ny"),
            (("--duration",), "--duration"),
            (("--hold-limit", "5"), "--hold-limit"),
            (("--demo=yes",), "--demo"),
        ):
            with self.subTest(arguments=arguments):
                status, _, err = self.run_main(*arguments)
                self.assertEqual(status, 2)
                self.assert_one_line(err)
                self.assertIn(named, err)
        self.assertEqual(self.made(), [])

    def test_a_demo_of_another_exchange(self) -> None:
        """--demo with an endpoint is refused, rather than one of them ignored."""
        for option, url in (("--ws-url", settings.WS_URL), ("--rest-url", settings.REST_URL)):
            status, _, err = self.run_main("--demo", option, url)
            self.assertEqual(status, 2)
            self.assert_one_line(err)
            self.assertIn("--demo", err)
        self.assertEqual(self.made(), [])

    def test_a_folder_below_a_file(self) -> None:
        """A data folder that can't be made ends with status 2 and why; no other owner would mend it."""
        (self.folder / "taken").write_text("")
        status, _, err = self.run_main("BTCUSDT", "--data-dir", "taken/data")
        self.assertEqual(status, 2)
        self.assert_one_line(err)
        for part in ("--data-dir: ", "taken/data", os.strerror(errno.ENOTDIR)):
            self.assertIn(part, err)
        self.assertNotIn("chown", err)
        self.assertEqual(self.made(), ["taken"])

    def test_a_metrics_file_where_none_can_be(self) -> None:
        """A metrics file in a missing folder, or that is one itself, ends with status 2 before anything is made."""
        (self.folder / "metrics").mkdir()
        for given, why in (("nowhere/aster.prom", "there is no folder nowhere"), ("metrics", "which is a folder")):
            status, _, err = self.run_main("BTCUSDT", "--metrics-file", given)
            self.assertEqual(status, 2)
            self.assert_one_line(err)
            self.assertIn(f"--metrics-file: {given} given, ", err)
            self.assertIn(why, err)
        self.assertEqual(self.made(), ["metrics"])

    def test_a_market_list_that_somebody_broke(self) -> None:
        """A bad or empty LIST_MARKETS is one line, and does not keep --help from showing."""
        before = list(settings.LIST_MARKETS)
        self.addCleanup(settings.LIST_MARKETS.__setitem__, slice(None), before)
        for markets in ([], ["BTC/USDT"]):
            settings.LIST_MARKETS[:] = markets
            status, _, err = self.run_main()
            self.assertEqual(status, 2)
            self.assert_one_line(err)
            self.assertIn("symbols: ", err)
            self.assertEqual(self.run_main("--help")[0], 0)
        self.assertEqual(self.made(), [])

    def test_a_python_without_the_library(self) -> None:
        """Where websocket-client is missing, one line says so with the command that installs it, and status 2."""
        blocked = self.folder / "blocked"
        blocked.mkdir()
        (blocked / "websocket.py").write_text("raise ModuleNotFoundError('gone', name='websocket')\n")
        run = subprocess.run(
            [sys.executable, "-B", "-m", "aster_collect", "BTCUSDT"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(blocked), str(ROOT)))},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        self.assertEqual(run.returncode, 2)
        self.assert_one_line(run.stderr)
        self.assertIn("-m pip install websocket-client", run.stderr)
        self.assertEqual(self.made(), ["blocked"])


class WhatItSaysOfItself(Folder):
    def test_help_is_the_documentation(self) -> None:
        """--help states the exit statuses, examples, and for each option a default that is the program's own."""
        status, out, err = self.run_main("--help")
        self.assertEqual((status, err), (0, ""))
        for line in ("exit status:", "  0  stopped", "  1  failed", "  2  an impossible", "  3  another", "examples:"):
            self.assertIn(line, out)
        words = " ".join(out.split())
        listed = words.partition(" options: ")[2].partition(" examples: ")[0]
        entries = re.split(r" (?=--[a-z-]+ )", re.sub(r" -(?=\w )", " ", listed))
        options = {entry.split()[0]: entry for entry in entries if entry.startswith("--")}
        default = settings.Settings()
        for option, value in {
            "--order-book-levels": f"{default.order_book_levels}",
            "--flush-interval": f"{default.flush_interval_s:g}",
            "--depth-interval": f"{default.depth_interval_ms}",
            "--duration": "until stopped",
            "--ws-url": default.ws_url,
            "--rest-url": default.rest_url,
            "--stall-timeout": f"{default.stall_timeout_s:g}",
            "--history": f"{default.history}",
            "--backfill-limit": f"{default.backfill_limit}",
            "--hold-limit": f"{default.hold_trades} {default.hold_s:g}",
            "--connections": f"{default.connections}",
            "--max-connection-age": f"{default.max_connection_age_s:g}",
            "--receive-time": "off",
            "--log-level": "INFO",
        }.items():
            self.assertIn(f"(default: {value})", options[option])
        for option, entry in options.items():
            if option not in ("--help", "--version"):
                self.assertIn("(default: ", entry)
        self.assertIn(f"(default: {' '.join(settings.LIST_MARKETS)})", words)
        self.assertEqual(self.made(), [])

    def test_version(self) -> None:
        """--version is one line with the package's version."""
        self.assertEqual(self.run_main("--version"), (0, f"aster-collect {__version__}\n", ""))

    def test_what_is_asked_for_is_what_is_set(self) -> None:
        """Every option reaches the settings; symbols are upper-cased and doubles dropped, in order."""
        given = (
            "ethusdt BTCUSDT EthUsdt 币安人生usdt --order-book-levels 20 --flush-interval 0.5 --data-dir d "
            "--depth-interval 500 --receive-time --duration 9 --ws-url ws://h:1 --rest-url http://h:2 "
            "--stall-timeout 3 --history 0 --backfill-limit 7 --hold-limit 8 1.5 --connections 2 "
            "--max-connection-age 60 --no-sync"
        )
        words = collect.parser().parse_args(given.split())
        self.assertEqual(
            collect.settings_of(words),
            settings.Settings(
                ("ETHUSDT", "BTCUSDT", "币安人生USDT"), 20, 0.5, Path("d"), 500, True, 9.0, "ws://h:1", "http://h:2",
                3.0, 0, 7, 8, 1.5, 2, 60.0, False,
            ),
        )  # fmt: skip

    def test_nothing_asked_is_the_defaults(self) -> None:
        """Without arguments the settings are their own defaults, with --demo but for the folder."""
        self.assertEqual(collect.settings_of(collect.parser().parse_args([])), settings.Settings())
        demo = collect.settings_of(collect.parser().parse_args(["--demo"]))
        self.assertEqual(demo, settings.Settings(data_dir=settings.DEMO_DIR))


class TheExchangeAtTheStart(Folder):
    def test_a_symbol_that_is_not_listed(self) -> None:
        """A misspelt symbol ends with status 2 and the names that come closest."""
        exchange = self.exchange("BTCUSDT", "BTCUSD1", "ETHUSDT")
        status, _, err = self.run_main("BTCUSD", "ETHUSDT", *exchange)
        self.assertEqual(status, 2)
        told = err.splitlines()[-1]
        self.assertIn("BTCUSD is not listed; did you mean BTCUSDT, BTCUSD1", told)
        self.assertEqual([path.name for path in self.folder.rglob("*.csv")], [])

    def test_a_symbol_that_the_demo_does_not_list(self) -> None:
        """The demo's exchange lists what it lists: an asset alone is no symbol there either."""
        status, _, err = self.run_main("BTC", "HELP", "--demo")
        self.assertEqual(status, 2)
        self.assertIn("symbols: BTC is not listed; did you mean BTCUSDT, BTCUSD1?; HELP is not listed", err)
        self.assertEqual([], list(self.folder.rglob("*.csv")))

    def test_a_symbol_that_nothing_comes_close_to(self) -> None:
        """A symbol unlike any other is said to be not listed, with no guesses."""
        status, _, err = self.run_main("QQQ", *self.exchange("BTCUSDT"))
        self.assertEqual(status, 2)
        self.assertTrue(err.splitlines()[-1].endswith("QQQ is not listed"), err)

    def test_a_symbol_that_trades_no_more(self) -> None:
        """A settled symbol is skipped with a warning, and the others are collected."""
        status, _, err = self.run_main("BTCUSDT", "OLDUSDT", "--duration", "1", *self.exchange("BTCUSDT"))
        self.assertEqual(status, 0, err)
        self.assertRegex(err, r"WARNING symbol skipped symbol=OLDUSDT status=\w+")
        names = {path.name for path in (self.folder / "ASTER_data").glob("*.csv")}
        self.assertEqual(names, {f"{kind}_BTCUSDT.csv" for kind in ("prices", "orderbook", "trades", "gaps")})

    def test_symbols_on_both_sides_of_an_option(self) -> None:
        """Words that are no option's are symbols, wherever they stand."""
        status, _, err = self.run_main("BTCUSDT", "--duration", "1", "OLDUSDT", *self.exchange("BTCUSDT"))
        self.assertEqual(status, 0, err)
        self.assertIn("symbol skipped symbol=OLDUSDT", err)

    def test_only_symbols_that_do_not_trade(self) -> None:
        """It waits for them to, says so where health looks, obeys --duration, and ends with 4: nothing came."""
        status, _, err = self.run_main("OLDUSDT", "--duration", "1.5", *self.exchange("BTCUSDT"))
        self.assertEqual(status, 4, err)
        self.assertIn("WARNING waiting why=nothing_is_trading retry_s=60", err)
        said = json.loads((self.folder / "ASTER_data" / "status.json").read_text())
        self.assertEqual((said["waiting"], said["stopped"] is None), ("nothing is trading", False))
        self.assertEqual([path.name for path in self.folder.rglob("*.csv")], [])

    def test_the_whole_exchange_without_rest(self) -> None:
        """--all, which needs the list of symbols, obeys --duration while it waits for that."""
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
            status, _, err = self.run_main("--all", *self.exchange("BTCUSDT")[:2], "--rest-url", url, "--duration", "1")
        self.assertEqual(status, 4, err)
        self.assertIn("INFO stop why=duration", err)

    def test_a_port_that_is_closed(self) -> None:
        """A bounded window in which nothing was delivered does not look like a success."""
        rest = self.exchange("BTCUSDT")[2:]
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"ws://127.0.0.1:{closed.getsockname()[1]}"
            status, _, err = self.run_main("BTCUSDT", "--ws-url", url, *rest, "--duration", "1")
        self.assertEqual(status, 4, err)
        self.assertIn("WARNING never delivered symbols=BTCUSDT", err)

    def test_rest_that_nobody_answers(self) -> None:
        """Where REST is unreachable the program warns, and collects; what brings nothing has no file."""
        ws = self.exchange("BTCUSDT")[:2]
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))  # bound but not listening: refused, and nobody else can have the port
            port = closed.getsockname()[1]
            status, _, err = self.run_main(
                *("BTCUSDT", "help", *ws, "--rest-url", f"http://127.0.0.1:{port}"),
                *("--duration", "2", "--flush-interval", "0.2"),
            )
        self.assertEqual(status, 4, err)
        self.assertIn(f"WARNING symbols unchecked why=refused: 127.0.0.1:{port}", err)
        self.assertEqual([], list(self.folder.rglob("*HELP*")))
        rows = (self.folder / "ASTER_data" / "prices_BTCUSDT.csv").read_text().splitlines()
        self.assertGreater(len(rows), 1)

    def test_a_duration_that_is_over(self) -> None:
        """--demo --duration collects into ASTER_data/demo and ends with status 0."""
        status, out, err = self.run_main("BTCUSDT", "--demo", "--duration", "1.5", "--flush-interval", "0.2")
        self.assertEqual((status, out), (0, ""), err)
        self.assertIn("INFO stop why=duration", err)
        self.assertTrue(err.splitlines()[-1].count("INFO"), err)
        for kind in ("prices", "orderbook", "trades"):
            rows = (self.folder / "ASTER_data" / "demo" / f"{kind}_BTCUSDT.csv").read_text().splitlines()
            self.assertGreater(len(rows), 1, kind)


class ASecondCollector(Folder):
    def test_it_ends_with_the_firsts_pid(self) -> None:
        """A second collector on the folder ends with status 3 and names the pid of the first, whose files stay."""
        data = self.folder / "ASTER_data"
        data.mkdir()
        self.addCleanup(Lock(data).release)
        before = sorted(path.name for path in data.iterdir())
        status, out, err = self.run_main("BTCUSDT")
        self.assertEqual((status, out), (3, ""))
        self.assert_one_line(err)
        self.assertEqual(self.run_main("BTCUSDT", "--quiet"), (3, "", ""))
        self.assertIn(f"(pid {os.getpid()})", err)
        self.assertEqual(sorted(path.name for path in data.iterdir()), before)


class ASignal(Folder):
    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the program; return once its connection is up."""
        process = subprocess.Popen(
            [sys.executable, "-B", "-m", "aster_collect", "BTCUSDT", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        assert process.stderr is not None
        self.addCleanup(process.stderr.close)
        for line in process.stderr:
            if "connection open" in line:
                return process
        raise AssertionError(f"ended with {process.wait()}")

    def test_sigterm_and_sigint_end_it_cleanly(self) -> None:
        """Either signal writes what has come, frees the folder, and ends with status 0 within 5 seconds."""
        exchange = self.exchange("BTCUSDT")
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number):
                process = self.start(*exchange)
                begun_s = time.monotonic()
                process.send_signal(number)
                _, told = process.communicate(timeout=PATIENCE_S)
                self.assertEqual(process.returncode, 0, told)
                self.assertLess(time.monotonic() - begun_s, 5.0)
                self.assertIn(f"stop why=signal number={int(number)}", told)
                self.assertIn("INFO stopped", told)
                Lock(self.folder / "ASTER_data").release()
        for kind in ("prices", "orderbook", "trades", "gaps"):
            data = (self.folder / "ASTER_data" / f"{kind}_BTCUSDT.csv").read_bytes()
            self.assertTrue(data.endswith(b"\n"), kind)

    def test_a_signal_while_the_exchange_is_asked_for_its_symbols(self) -> None:
        """A signal that comes while REST keeps the start waiting ends the program with status 0 too."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            process = subprocess.Popen(
                [sys.executable, "-B", "-m", "aster_collect", "BTCUSDT", "--rest-url", url],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stderr=subprocess.PIPE,
                text=True,
            )
            self.addCleanup(process.kill)
            silent.settimeout(PATIENCE_S)
            asking, _ = silent.accept()
            begun_s = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=PATIENCE_S)
            asking.close()
        self.assertEqual(process.returncode, 0, told)
        self.assertLess(time.monotonic() - begun_s, 5.0)


load_tests = beside.load_tests
