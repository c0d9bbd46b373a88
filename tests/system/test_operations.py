"""A collector that is left alone: what its keeper sees, does and asks of it while it runs."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
import unittest
from collections import Counter
from collections.abc import Iterable
from contextlib import redirect_stdout, suppress
from io import StringIO

from prometheus_client.parser import text_string_to_metric_families

from aster_collect import cli
from aster_collect.simulator import Fault
from tests import beside
from tests.support import (
    DEADLINE_S,
    ORDERBOOK,
    PRICES,
    ROOT,
    TRADES,
    Collector,
    EndToEnd,
    event_of,
    now_ms,
    read_gaps,
    read_rows,
    time_ms,
)

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
WIDER_MS = 60_000  # than what was not asked is its row at most: a clock may have been set in between


class Watched(EndToEnd):
    """One collector against one exchange, watched from outside."""

    def health(self, *words: str) -> tuple[int, str]:
        """Return the health check's exit status and what it says."""
        said = StringIO()
        with redirect_stdout(said):
            status = cli.main(["health", str(self.folder), *words])
        return status, said.getvalue()

    def status(self) -> dict[str, object]:
        """Return the status file."""
        return json.loads((self.folder / "status.json").read_text("utf-8"))

    def wait_for_health(self, wanted: int, *words: str) -> str:
        """Block until the health check gives a status, and return what it says."""
        self.collector.wait_for(
            lambda: (self.folder / "status.json").exists() and self.health(*words)[0] == wanted, f"health {wanted}"
        )
        return self.health(*words)[1]


class HealthTest(Watched):
    def test_a_connection_that_goes_silent_turns_health_to_1_within_its_age_and_back(self):
        """Health follows the age of the data, not the process, which is there all the time."""
        self.begin(rate=200)
        self.collect("--stall-timeout", "600")
        self.wait_for_health(0, "--max-age", "2")
        self.exchange.inject(Fault("stall"))
        said = self.wait_for_health(1, "--max-age", "2")
        self.assertIn("connection 1", said)
        self.exchange.inject(Fault("clear"))
        self.wait_for_health(0, "--max-age", "2")
        self.stop(self.collector)

    def test_a_killed_collector_turns_health_to_1(self):
        """A status file that nobody writes any more tells of a collector that is gone."""
        self.begin(rate=200)
        collector = self.collect()
        self.wait_for_health(0)
        collector.kill()
        deadline = time.monotonic() + DEADLINE_S
        while self.health("--max-age", "1")[0] != 1:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_a_disk_with_little_room_is_warned_about_long_before_it_is_full(self):
        """The log and the health check name the room that is left, and the collection goes on."""
        self.begin(rate=200)
        collector = self.collect("--min-free-mb", "900000000")
        collector.wait_for_log("disk low free_mb=")
        said = self.wait_for_health(0)
        self.assertIn("disk", said)
        self.stop(collector)


class StatusTest(Watched):
    def test_the_status_file_and_the_metrics_agree_with_the_files(self):
        """What was written by the end is what the status file, the metrics and the files say alike."""
        self.begin(rate=500)
        metrics = self.base / "aster.prom"
        collector = self.collect("--metrics-file", str(metrics))
        self.wait_for_everything(collector)
        self.stop(collector)
        rows = {
            (kind, symbol): len(self.rows(kind, symbol))
            for kind in (PRICES, ORDERBOOK, TRADES)
            for symbol in self.symbols
        }
        families = {one.name: one for one in text_string_to_metric_families(metrics.read_text("utf-8"))}
        told = {(one.labels["kind"], one.labels["symbol"]): one.value for one in families["aster_collect_rows"].samples}
        self.assertEqual(rows, told)
        symbols = self.status()["symbols"]
        self.assertEqual(rows, {(kind, symbol): symbols[symbol][kind]["rows"] for kind, symbol in rows})

    def test_a_log_that_is_no_terminal_never_gets_a_control_character(self):
        """In a file or a pipe the log is plain lines."""
        self.begin(rate=500)
        collector = self.collect()
        self.wait_for_everything(collector)
        self.stop(collector)
        for line in collector.lines:
            self.assertIsNone(CONTROL.search(line), line)

    def test_quiet_leaves_warnings_and_errors_alone(self):
        """With --quiet a run without incident says nothing."""
        self.begin(rate=500)
        collector = self.collect("--quiet")
        self.wait_for_everything(collector)
        self.stop(collector)
        self.assertEqual([], collector.lines)

    def test_on_a_terminal_one_line_renews_itself_below_the_log(self):
        """A person sees rates and prices in place, cut to the width of a narrow terminal."""
        self.begin(rate=500)
        mine, theirs = pty.openpty()
        words = [*self.symbols, "--ws-url", self.exchange.ws_url, "--rest-url", self.exchange.rest_url]
        environment = {**os.environ, "TERM": "xterm"}
        command = [sys.executable, "-m", "aster_collect", *words, "--data-dir", str(self.folder)]
        subprocess.run(["stty", "cols", "60"], stdin=theirs, check=True)
        process = subprocess.Popen(command, cwd=ROOT, stderr=theirs, stdin=subprocess.DEVNULL, env=environment)
        os.close(theirs)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        seen, is_told = b"", False
        while select.select([mine], [], [], DEADLINE_S)[0]:
            try:
                seen += os.read(mine, 65536)
            except OSError:  # the other end is closed
                break
            if not is_told and len(self.renewed(seen)) >= 3:
                process.terminate()
                is_told = True
        os.close(mine)
        text = seen.decode("utf-8")
        self.assertTrue(is_told, text)
        self.assertEqual(0, process.wait(DEADLINE_S))
        shown = self.renewed(seen)
        self.assertTrue(all(len(line) <= 60 for line in shown), shown)
        self.assertRegex(text, r"INFO stopped seconds=\d+\.\d prices_rows=[1-9]\d* .* folder=")
        self.assertTrue(text.endswith(("\r\x1b[J", "\r\n")), text[-80:])

    def renewed(self, seen: bytes) -> list[str]:
        """Return what the line that renews itself was, each time."""
        parts = seen.decode("utf-8", "replace").split("\r\x1b[J")[1:]
        lines = [part.partition("\r")[0].partition("\n")[0] for part in parts]
        return [line for line in lines if line and not line[:4].isdigit()]


class StopTest(Watched):
    def test_a_signal_that_comes_twice_at_once_stops_in_order(self):
        """`timeout` signals a process and its group: that is one wish to stop, and everything is written."""
        self.begin(rate=1000)
        collector = self.collect("--flush-interval", "60")
        collector.wait_for(lambda: self.exchange.sent_count > 2000, "frames")
        collector.send(signal.SIGTERM)
        collector.send(signal.SIGTERM)
        self.assertEqual(0, collector.wait(), collector.tail())
        self.assert_sent_is_there()

    def end_the_connection(self) -> dict[str, int]:
        """End all connections and let trades be made; return each symbol's newest one."""
        self.exchange.inject(Fault("refuse", value="upgrades"))
        self.exchange.inject(Fault("drop"))
        self.collector.wait_for_log("connection lost")
        lines = {symbol: self.exchange.market.listing(symbol).trades.line for symbol in self.symbols}
        seen = {symbol: line.last_at(now_ms() * 1000) for symbol, line in lines.items()}
        self.collector.wait_for(
            lambda: all(line.last_at(now_ms() * 1000) > seen[symbol] for symbol, line in lines.items()), "trades"
        )
        return {symbol: line.last_at(now_ms() * 1000) for symbol, line in lines.items()}

    def test_a_stop_while_no_connection_can_be_made_fetches_the_trades_of_the_outage(self):
        """No live trade shows them, so REST is asked before the end."""
        self.begin(rate=1000)
        self.wait_for_everything(self.collect())
        newest = self.end_the_connection()
        self.stop(self.collector)
        self.assert_promises()
        for symbol, last_id in newest.items():
            self.assertGreaterEqual(int(self.rows(TRADES, symbol)[-1].partition(",")[0]), last_id)

    def test_a_stop_while_no_connection_can_be_made_and_rest_is_away(self):
        """That trades may be missing is in the ledger, up to the end, and the next start fetches them."""
        self.begin(rate=1000)
        self.wait_for_everything(self.collect())
        self.exchange.inject(Fault("rest_down"))
        self.end_the_connection()
        signalled_ms = now_ms()
        self.stop(self.collector)
        stopped_ms = now_ms()
        self.assert_verified()
        for symbol in self.symbols:
            (gap,) = [gap for gap in read_gaps(self.folder, symbol) if gap.stream == TRADES]
            self.assertEqual(("not-asked", None), (gap.cause, gap.first_id))
            last = time_ms(self.rows(TRADES, symbol)[-1], TRADES)
            self.assertTrue(last - WIDER_MS <= gap.from_ms <= last, (last, gap))
            self.assertTrue(signalled_ms <= gap.to_ms <= stopped_ms + WIDER_MS, (signalled_ms, gap, stopped_ms))
        self.exchange.inject(Fault("clear"))
        self.wait_for_everything(self.collect(), now_ms())
        self.stop(self.collector)
        self.assert_verified()
        for symbol in self.symbols:
            self.assert_trades_whole(symbol, self.exchange.market)


class FrozenTest(Watched):
    """Nobody reads what the program says: a full pipe, or a terminal on which somebody typed Ctrl-S."""

    def run_frozen(self, stderr: int) -> None:
        """Collect for a while with this standard error, and stop; fails unless all is written and it ends in order."""
        self.begin(rate=1000)
        collector = self.collect("--log-level", "DEBUG", stderr=stderr, environment={"TERM": "xterm"})
        self.wait_for_everything(collector, now_ms() + 1000)
        self.assertTrue((self.folder / "status.json").exists())
        collector.send(signal.SIGTERM)
        self.assertEqual(0, collector.wait())
        self.assert_sent_is_there()
        self.assert_promises(missing=False)

    def test_a_pipe_that_nobody_reads_stops_nothing(self):
        """It collects, writes status.json, and ends in order with all rows though no line of its log can go out."""
        reading, writing = os.pipe()
        for end in (reading, writing):
            self.addCleanup(os.close, end)
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, bytes(4096))
        os.set_blocking(writing, True)
        self.run_frozen(writing)

    def test_a_terminal_that_is_held_stops_nothing(self):
        """So it does on a terminal whose output is held, as by Ctrl-S."""
        ours, theirs = pty.openpty()
        for end in (ours, theirs):
            self.addCleanup(os.close, end)
        termios.tcflow(theirs, termios.TCOOFF)
        self.run_frozen(theirs)


class ReopenTest(Watched):
    def test_logrotate_renames_the_files_and_a_hangup_loses_no_row(self):
        """What was renamed and what came after it are together every row, each once."""
        self.begin(rate=2000)
        collector = self.collect()
        self.wait_for_everything(collector)
        for turn in range(3):
            for path in list(self.folder.glob("*.csv")):
                if not path.name.startswith("gaps_"):
                    path.rename(path.with_name(f"{path.name}.{turn}"))
            collector.send(signal.SIGHUP)
            self.wait_for_everything(collector, now_ms())
        self.stop(collector)
        for symbol in self.symbols:
            for kind in (PRICES, ORDERBOOK, TRADES):
                name = f"{kind}_{symbol}.csv"
                paths = [*(self.folder / f"{name}.{turn}" for turn in range(3)), self.folder / name]
                found = [row for path in paths for row in read_rows(path)]
                first, last = time_ms(found[0], kind), time_ms(found[-1], kind)
                inside = Counter(row for row in found if first < time_ms(row, kind) < last)
                sent = Counter(self.sent_rows(kind, symbol, first, last))
                self.assertEqual(sent, inside if kind != TRADES else inside & sent, name)
                self.assertEqual(max(inside.values()) if kind != PRICES else 1, 1, f"double: {name}")

    def sent_rows(self, kind: str, symbol: str, first: int, last: int) -> Iterable[str]:
        """Return the rows of what was sent strictly between two times."""
        for sent in self.exchange.sent:
            event = event_of(sent.payload, self.levels)
            if event and (event.kind, event.symbol) == (kind, symbol) and first < event.time_ms < last:
                yield event.row


class WholeExchangeTest(Watched):
    def test_300_symbols_with_listing_and_delisting_while_running(self):
        """--all takes what is listed on connections of its own, lets go of what is not, and disturbs no other."""
        names = [f"C{number:03d}USDT" for number in range(300)]
        self.begin(names, rate=1500)
        collector = self.collect("--all", symbols=(), module=("tests.frail", "relist:1"))
        collector.wait_for_log("connection open", 5)
        self.assertEqual(910, sum(len(one.streams) for one in self.exchange.connections))
        since = now_ms()
        collector.wait_for(lambda: all((self.folder / f"{PRICES}_{name}.csv").exists() for name in names), "300 files")
        self.exchange.list_symbol("NEWUSDT")
        self.exchange.delist_symbol("C007USDT")
        collector.wait_for_log("listed symbols=NEWUSDT")
        collector.wait_for_log("delisted symbols=C007USDT")
        collector.wait_for_rows(PRICES, "NEWUSDT", since)
        later = now_ms()
        for name in ("C000USDT", "C150USDT", "C299USDT"):
            collector.wait_for_rows(PRICES, name, later)
        self.stop(collector)
        self.assertEqual([], collector.logged("connection lost"))
        self.assertEqual({"C007USDT"}, set(self.delisted()))
        self.assert_verified()

    def test_listings_share_a_connection_from_the_next_hand_over_on(self):
        """What is listed at different times, each on a connection of its own, comes together, and nothing is missed."""
        self.begin(["BTCUSDT"], rate=600)
        collector = self.collect("--all", "--max-connection-age", "4", symbols=(), module=("tests.frail", "relist:0.2"))
        collector.wait_for_log("connection open")
        for name in ("NEW1USDT", "NEW2USDT"):
            self.exchange.list_symbol(name)
            collector.wait_for_log(f"listed symbols={name}")
        collector.wait_for(
            lambda: [sum("aggTrade" in name for name in one.streams) for one in self.exchange.connections] == [3],
            "one connection",
        )
        since = now_ms()
        for name in ("BTCUSDT", "NEW1USDT", "NEW2USDT"):
            collector.wait_for_rows(PRICES, name, since)
        self.stop(collector)
        self.assertEqual([], [*collector.logged("connection lost"), *collector.logged("gap streams=")])
        self.assert_verified()

    def delisted(self) -> Iterable[str]:
        """Return the symbols whose newest log line of delisting names them."""
        return self.collector.logged("delisted symbols=")[-1].rpartition("=")[2].split(",")

    def collect_all(self, limit: str) -> Collector:
        """Run `--all` in a shell that sets limits first."""
        shell = ["/bin/sh", "-c", f'{limit}; exec "$@"', "sh"]
        return self.collect("--all", symbols=(), before=shell)

    def test_too_few_open_files_are_a_clear_error_at_the_start(self):
        """A hard limit that can't hold the files ends the program with 2 and the number that is needed."""
        self.begin([f"C{number:03d}USDT" for number in range(100)], rate=100)
        collector = self.collect_all("ulimit -Sn 200; ulimit -Hn 200")
        self.assertEqual(2, collector.wait(), collector.tail())
        self.assertIn("open files, 200 allowed", collector.lines[-1])

    def test_a_low_soft_limit_of_open_files_is_raised(self):
        """Where the hard limit has room the program takes it, and collects."""
        self.begin([f"C{number:03d}USDT" for number in range(60)], rate=500)
        collector = self.collect_all("ulimit -Sn 100")
        for name in self.symbols:
            collector.wait_for_rows(PRICES, name)
        self.stop(collector)


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
