"""A run ends when it was told to, whatever it waits for, and its status says whether anything came."""

import json
import queue
import signal
import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path

from aster_collect.errors import ConfigError
from aster_collect.files.listed import read_manifest
from aster_collect.files.raw_reader import RawLines
from aster_collect.order.entries import Close, Run
from aster_collect.order.record_reader import read_entries
from aster_collect.run.supervisor import STOPPED, UNDELIVERED, Supervisor
from aster_collect.run.threads import FAILED, Control, Ended, Signalled
from aster_collect.settings import Settings
from aster_collect.simulator import Fault, Simulator
from aster_collect.watch import health

DEADLINE_S = 30.0
DURATION_S = 0.3
SYMBOL = "BTCUSDT"


class LateEnded:
    """A control queue on which a thread's end comes at the very moment in which the time is over."""

    def __init__(self) -> None:
        self._left = [Ended("rest", ZeroDivisionError("broken on purpose"))]

    def put(self, message: object) -> None:
        pass

    def get(self, timeout: float | None = None) -> object:
        time.sleep(timeout or 0.0)
        if self._left:
            return self._left.pop()
        raise queue.Empty


class Counted:
    """A control queue that counts how often it was looked at."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.gets = 0

    def put(self, message: object) -> None:
        self._messages.put(message)

    def get(self, timeout: float | None = None) -> object:
        self.gets += 1
        return self._messages.get(timeout=timeout)


class Runs(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        closed = self.enterContext(socket.socket())
        closed.bind(("127.0.0.1", 0))  # not listening: refused, and nobody else can have the port
        self.nobody = f"127.0.0.1:{closed.getsockname()[1]}"
        self.control: Control = queue.SimpleQueue()

    def settings(self, exchange: Simulator | None = None, **more: object) -> Settings:
        """Return the settings for a run on an exchange, or on a port that nobody listens on."""
        ws_url = f"ws://{self.nobody}" if exchange is None else exchange.ws_url
        rest_url = f"http://{self.nobody}" if exchange is None else exchange.rest_url
        named: dict[str, object] = {"data_dir": self.folder, "ws_url": ws_url, "rest_url": rest_url, **more}
        return Settings(**named)  # type: ignore[arg-type]

    def status(self) -> dict[str, object]:
        said = json.loads((self.folder / "status.json").read_text("utf-8"))
        assert isinstance(said, dict)
        return said

    def health(self) -> tuple[int, list[str]]:
        return health.check(str(self.folder), 60.0, time.time())

    def wait_for(self, is_so) -> None:  # type: ignore[no-untyped-def]
        end_s = time.monotonic() + DEADLINE_S
        while not is_so():
            self.assertLess(time.monotonic(), end_s, self.health())
            time.sleep(0.02)


class TheEndOfTheDuration(Runs):
    def test_all_symbols_of_an_exchange_that_does_not_answer(self) -> None:
        """The time counts from the start and covers the asking, and the status says that nothing came."""
        with self.assertLogs("aster_collect", "INFO"):
            ended = Supervisor(self.settings(all_symbols=True, duration_s=DURATION_S), self.control).run()
        self.assertEqual(ended, UNDELIVERED)
        self.assertEqual(self.status()["waiting"], "the exchange gives no list of symbols")
        self.assertIsNotNone(self.status()["stopped"])

    def test_a_connection_that_nobody_takes(self) -> None:
        """A window in which nothing could be collected does not look like a good one; the symbols are named."""
        with self.assertLogs("aster_collect", "WARNING") as logged:
            ended = Supervisor(self.settings(symbols=(SYMBOL,), duration_s=DURATION_S), self.control).run()
        self.assertEqual(ended, UNDELIVERED)
        self.assertIn(f"WARNING:aster_collect.run.supervisor:never delivered symbols={SYMBOL}", logged.output)

    def test_a_signal_before_anything_came(self) -> None:
        """Who stops it by hand knows what has come: that is 0 as ever."""
        for more in ({"symbols": (SYMBOL,)}, {"all_symbols": True}):
            control: Control = queue.SimpleQueue()
            control.put(Signalled(signal.SIGTERM))
            with self.assertLogs("aster_collect", "INFO"):
                self.assertEqual(Supervisor(self.settings(**more), control).run(), STOPPED)

    def test_a_thread_ends_at_the_same_moment(self) -> None:
        """The end of a thread is not lost because the time is over when it is read."""
        control: Control = LateEnded()  # type: ignore[assignment]
        settings = self.settings(all_symbols=True, duration_s=DURATION_S)
        with self.assertRaisesRegex(RuntimeError, "rest ended"):
            Supervisor(settings, control).run()


class TheStart(Runs):
    def test_a_poll_interval_that_can_not_be_kept(self) -> None:
        """It is said once, with the number of symbols that are collected."""
        symbols = tuple(f"A{number}USDT" for number in range(240))
        settings = self.settings(
            symbols=symbols, streams=("open-interest",), poll_interval_s=10.0, duration_s=DURATION_S
        )
        with self.assertLogs("aster_collect", "WARNING") as logged:
            Supervisor(settings, self.control).run()
        said = [line.partition(":poll interval too short ")[2] for line in logged.output if "too short" in line]
        self.assertEqual(
            [line.split()[1:4] for line in said], [["symbols=240", "weight_a_minute=2400", "a_round_takes_s=12"]]
        )


class Maintenance(Runs):
    def test_trading_resumes(self) -> None:
        """A run begun while nothing trades is unhealthy and says why, and collects once trading resumes."""
        exchange = self.enterContext(Simulator((SYMBOL,), 200.0))
        exchange.delist_symbol(SYMBOL)
        ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        one = Supervisor(
            self.settings(exchange, symbols=(SYMBOL,), flush_interval_s=0.1), self.control, trading_again_s=0.1
        )
        with self.assertLogs("aster_collect", "INFO") as logged:
            threading.Thread(target=lambda: ended.put(one.run()), daemon=True).start()
            self.wait_for(lambda: self.health() == (1, ["waiting: nothing is trading"]))
            exchange.list_symbol(SYMBOL)
            self.wait_for(lambda: self.health()[0] == 0)
            self.control.put(Signalled(signal.SIGTERM))
            self.assertEqual(ended.get(timeout=DEADLINE_S), STOPPED)
        self.assertTrue(any("trading again waited_s=" in line for line in logged.output))
        self.assertGreater(self.rows(SYMBOL), 1)

    def test_a_named_symbol_that_does_not_trade_yet(self) -> None:
        """It joins once it trades; the others do not wait for it."""
        exchange = self.enterContext(Simulator((SYMBOL, "ETHUSDT"), 200.0))
        exchange.delist_symbol("ETHUSDT")
        ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        settings = self.settings(exchange, symbols=(SYMBOL, "ETHUSDT"), flush_interval_s=0.1)
        one = Supervisor(settings, self.control, relist_s=0.1)
        with self.assertLogs("aster_collect", "INFO") as logged:
            threading.Thread(target=lambda: ended.put(one.run()), daemon=True).start()
            self.wait_for(lambda: self.health()[0] == 0)
            exchange.list_symbol("ETHUSDT")
            self.wait_for(lambda: self.rows("ETHUSDT") > 1)
            self.control.put(Signalled(signal.SIGTERM))
            self.assertEqual(ended.get(timeout=DEADLINE_S), STOPPED)
        self.assertTrue(any("symbol skipped symbol=ETHUSDT status=" in line for line in logged.output))
        self.assertTrue(any("listed symbols=ETHUSDT" in line for line in logged.output))

    def rows(self, symbol: str) -> int:
        """Return how many lines a symbol's file of prices has."""
        path = self.folder / f"prices_{symbol}.csv"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def test_rest_bans_while_it_waits(self) -> None:
        """It sleeps until it may ask again, and does not look at the clock without a pause."""
        exchange = self.enterContext(Simulator((SYMBOL,), 200.0))
        exchange.delist_symbol(SYMBOL)
        control = Counted()
        settings = self.settings(exchange, symbols=(SYMBOL,), duration_s=1.0)
        with self.assertLogs("aster_collect", "INFO"):
            one = Supervisor(settings, control, trading_again_s=0.1)
            threading.Timer(0.4, lambda: exchange.inject(Fault("rest_418", seconds=60))).start()
            self.assertEqual(one.run(), UNDELIVERED)
        self.assertLess(control.gets, 50)


class ARawRecord(Runs):
    def test_a_run_that_records(self) -> None:
        """All that was told to the engine is on disk once the run has ended, and counted; days that are over go."""
        exchange = self.enterContext(Simulator((SYMBOL,), 200.0))
        for day in ("2020-01-01", "2020-01-02", "2020-01-03"):
            (self.folder / f"raw.{day}T05.jsonl.gz").touch()
        settings = self.settings(exchange, symbols=(SYMBOL,), duration_s=1.0, record=True, keep_days=1)
        with self.assertLogs("aster_collect", "INFO") as logged:
            self.assertEqual(Supervisor(settings, self.control).run(), STOPPED)
        deleted = [line for line in logged.output if "file deleted file=raw.2020-01-01T05.jsonl.gz" in line]
        self.assertEqual(len(deleted), 1)
        *old, new = sorted(self.folder.glob("raw.*"))
        self.assertEqual(len(old), 2)
        entries = [entry for _, entry in read_entries(RawLines([new]))]
        self.assertEqual([type(entries[0]), type(entries[-1])], [Run, Close])
        lines = list(RawLines([new]))
        self.assertEqual(self.status()["recorded_lines"], len(lines))
        self.assertEqual(self.status()["lost_lines"], 0)
        quotes = sum(b"@bookTicker" in text for _, text in lines)
        self.assertEqual(self.rows_of("prices"), quotes)

    def test_a_run_that_ends_in_order(self) -> None:
        """The manifest says how it left each file; the next run takes that back, and says it anew, if it begins."""
        exchange = self.enterContext(Simulator((SYMBOL,), 200.0))
        settings = self.settings(exchange, symbols=(SYMBOL,), duration_s=0.5)
        for _ in range(2):
            with self.assertLogs("aster_collect", "INFO"):
                self.assertEqual(Supervisor(settings, queue.SimpleQueue()).run(), STOPPED)
            said = read_manifest(self.folder)
            assert said is not None
            rows = {name: one.content.rows for name, one in said.growing.items()}
            names = [f"{kind}_{SYMBOL}.csv" for kind in ("gaps", "orderbook", "prices", "trades")]
            found = [(self.folder / name).read_bytes().count(b"\n") - 1 for name in names]
            self.assertEqual(rows, dict(zip(names, found, strict=True)))
            self.assertTrue(rows[names[-1]])
        (self.folder / names[1]).unlink()
        (self.folder / names[1]).mkdir()
        with self.assertRaisesRegex(ConfigError, names[1]):
            Supervisor(settings, queue.SimpleQueue()).run()
        (self.folder / names[1]).rmdir()
        said = read_manifest(self.folder)
        assert said is not None
        self.assertEqual(set(said.growing), {*names} - {names[1]})

    def rows_of(self, kind: str) -> int:
        return (self.folder / f"{kind}_{SYMBOL}.csv").read_bytes().count(b"\n") - 1

    def test_a_disk_that_takes_none_of_it(self) -> None:
        """The run says so with its status: what it was asked to keep is not there."""
        exchange = self.enterContext(Simulator((SYMBOL,), 200.0))
        now = time.gmtime()
        for hour in range(24):  # whichever it will be
            (self.folder / time.strftime(f"raw.%Y-%m-%dT{hour:02d}.jsonl.gz", now)).mkdir()
        settings = self.settings(exchange, symbols=(SYMBOL,), duration_s=0.5, record=True)
        with self.assertLogs("aster_collect", "ERROR") as logged:
            self.assertEqual(Supervisor(settings, self.control).run(), FAILED)
        self.assertTrue(any("record not written bytes=" in line for line in logged.output), logged.output)


class ARenamedFolder(Runs):
    def test_the_run_goes_on_under_the_old_name(self) -> None:
        """What comes afterwards is where it was asked to be, and the two folders have all trades, each once."""
        exchange = self.enterContext(Simulator((SYMBOL,), 500.0))
        folder = self.folder = self.folder / "data"
        ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        one = Supervisor(self.settings(exchange, symbols=(SYMBOL,), flush_interval_s=0.1, history=0), self.control)
        with self.assertLogs("aster_collect", "WARNING") as logged:
            threading.Thread(target=lambda: ended.put(one.run()), daemon=True).start()
            self.wait_for(lambda: len(self.ids(folder)) > 1)
            other = folder.rename(folder.with_name("other"))
            self.wait_for(lambda: len(self.ids(folder)) > 1)
            self.control.put(Signalled(signal.SIGTERM))
            self.assertEqual(ended.get(timeout=DEADLINE_S), STOPPED)
        self.assertTrue(any(f"folder gone folder={folder}" in line for line in logged.output), logged.output)
        ids = self.ids(other) + self.ids(folder)
        self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))))

    def ids(self, folder: Path) -> list[int]:
        path = folder / f"trades_{SYMBOL}.csv"
        rows = path.read_text("utf-8").split("\n")[1:-1] if path.exists() else []
        return [int(row.partition(",")[0]) for row in rows]


if __name__ == "__main__":
    unittest.main()
