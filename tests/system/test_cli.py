"""The command line's program: what it does about the world it starts in, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from aster_collect.files.lock import Lock
from aster_collect.simulator import Simulator
from tests import beside
from tests.unit.commands import calls
from tests.unit.commands.calls import Ended, call

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
WHILE_S = "5"  # of which even a busy machine needs but a part to start and to connect


class Folder(calls.Folder):
    """Each test in an empty working directory."""

    def exchange(self, *symbols: str) -> tuple[str, ...]:
        """Start a simulated exchange for this test; return the options that name it."""
        simulator = self.enterContext(Simulator(symbols))
        return "--ws-url", simulator.ws_url, "--rest-url", simulator.rest_url


class AnotherPython(Folder):
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
        ended = Ended(run.returncode, run.stdout, run.stderr)
        self.assert_refused(ended, "-m pip install websocket-client")
        self.assertEqual(self.made(), ["blocked"])


class TheExchangeAtTheStart(Folder):
    def test_a_symbol_that_is_not_listed(self) -> None:
        """A misspelt symbol ends with status 2 and the names that come closest."""
        exchange = self.exchange("BTCUSDT", "BTCUSD1", "ETHUSDT")
        status, _, err = call("BTCUSD", "ETHUSDT", *exchange)
        self.assertEqual(status, 2)
        told = err.splitlines()[-1]
        self.assertIn("BTCUSD is not listed; did you mean BTCUSDT, BTCUSD1", told)
        self.assertEqual([path.name for path in self.folder.rglob("*.csv")], [])

    def test_a_symbol_that_the_demo_does_not_list(self) -> None:
        """The demo's exchange lists what it lists: an asset alone is no symbol there either."""
        status, _, err = call("BTC", "HELP", "--demo")
        self.assertEqual(status, 2)
        self.assertIn("symbols: BTC is not listed; did you mean BTCUSDT, BTCUSD1?; HELP is not listed", err)
        self.assertEqual([], list(self.folder.rglob("*.csv")))

    def test_a_symbol_that_nothing_comes_close_to(self) -> None:
        """A symbol unlike any other is said to be not listed, with no guesses."""
        status, _, err = call("QQQ", *self.exchange("BTCUSDT"))
        self.assertEqual(status, 2)
        self.assertTrue(err.splitlines()[-1].endswith("QQQ is not listed"), err)

    def test_a_symbol_that_trades_no_more(self) -> None:
        """A settled symbol is skipped with a warning, and the others are collected."""
        status, _, err = call("BTCUSDT", "OLDUSDT", "--duration", WHILE_S, *self.exchange("BTCUSDT"))
        self.assertEqual(status, 0, err)
        self.assertRegex(err, r"WARNING symbol skipped symbol=OLDUSDT status=\w+")
        names = {path.name for path in (self.folder / "ASTER_data").glob("*.csv")}
        self.assertEqual(names, {f"{kind}_BTCUSDT.csv" for kind in ("prices", "orderbook", "trades", "gaps")})

    def test_symbols_on_both_sides_of_an_option(self) -> None:
        """Words that are no option's are symbols, wherever they stand."""
        status, _, err = call("BTCUSDT", "--duration", WHILE_S, "OLDUSDT", *self.exchange("BTCUSDT"))
        self.assertEqual(status, 0, err)
        self.assertIn("symbol skipped symbol=OLDUSDT", err)

    def test_only_symbols_that_do_not_trade(self) -> None:
        """It waits for them to, says so where health looks, obeys --duration, and ends with 4: nothing came."""
        status, _, err = call("OLDUSDT", "--duration", WHILE_S, *self.exchange("BTCUSDT"))
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
            status, _, err = call("--all", *self.exchange("BTCUSDT")[:2], "--rest-url", url, "--duration", "1")
        self.assertEqual(status, 4, err)
        self.assertIn("INFO stop why=duration", err)

    def test_a_port_that_is_closed(self) -> None:
        """A bounded window in which nothing was delivered does not look like a success."""
        rest = self.exchange("BTCUSDT")[2:]
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"ws://127.0.0.1:{closed.getsockname()[1]}"
            status, _, err = call("BTCUSDT", "--ws-url", url, *rest, "--duration", "1")
        self.assertEqual(status, 4, err)
        self.assertIn("WARNING never delivered symbols=BTCUSDT", err)

    def test_rest_that_nobody_answers(self) -> None:
        """Where REST is unreachable the program warns, and collects; what brings nothing has no file."""
        ws = self.exchange("BTCUSDT")[:2]
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))  # bound but not listening: refused, and nobody else can have the port
            port = closed.getsockname()[1]
            status, _, err = call(
                *("BTCUSDT", "help", *ws, "--rest-url", f"http://127.0.0.1:{port}"),
                *("--duration", WHILE_S, "--flush-interval", "0.2"),
            )
        self.assertEqual(status, 4, err)
        self.assertIn(f"WARNING symbols unchecked why=refused: 127.0.0.1:{port}", err)
        self.assertEqual([], list(self.folder.rglob("*HELP*")))
        rows = (self.folder / "ASTER_data" / "prices_BTCUSDT.csv").read_text().splitlines()
        self.assertGreater(len(rows), 1)

    def test_a_duration_that_is_over(self) -> None:
        """--demo --duration collects into ASTER_data/demo and ends with status 0."""
        status, out, err = call("BTCUSDT", "--demo", "--duration", WHILE_S, "--flush-interval", "0.2")
        self.assertEqual((status, out), (0, ""), err)
        self.assertIn("INFO stop why=duration", err)
        self.assertTrue(err.splitlines()[-1].count("INFO"), err)
        for kind in ("prices", "orderbook", "trades"):
            rows = (self.folder / "ASTER_data" / "demo" / f"{kind}_BTCUSDT.csv").read_text().splitlines()
            self.assertGreater(len(rows), 1, kind)

    def test_a_demo_of_spot(self) -> None:
        """Its exchange is a spot market too, which lists what is asked for and has its past trades."""
        status, _, err = call("BTCUSDT", "--demo", "--market", "spot", "--duration", WHILE_S, "--flush-interval", "0.2")
        self.assertEqual(status, 0, err)
        self.assertNotIn("WARNING", err)
        rows = (self.folder / "ASTER_data" / "demo" / "spot" / "trades_BTCUSDT.csv").read_text().splitlines()
        self.assertGreater(len(rows), 1000)


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
