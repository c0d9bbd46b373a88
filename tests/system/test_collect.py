"""The whole program against an exchange that behaves, and one that does not quite: what a user sees and finds."""

import shutil
import signal
import subprocess
import time
import unittest

from aster_collect.files.listed import MANIFEST_NAME
from aster_collect.settings import LIST_MARKETS
from aster_collect.simulator import Fault, Market, Rules
from aster_collect.simulator.damage import garbage
from aster_collect.simulator.faults import GARBAGE_KINDS
from tests import beside
from tests.support import (
    ORDERBOOK,
    PRICES,
    ROOT,
    TRADES,
    Collector,
    EndToEnd,
    last_ms,
    now_ms,
    read_gaps,
    read_rejects,
    read_rows,
    sent_ids,
    time_ms,
)

UNUSUAL = "币安人生USDT"
TLS = ROOT / "tests" / "tls"
LOAD = 5000
END_S = 5.0
KEPT_OF_BAD = 4096  # bytes of a message that can't be text of the protocol
REASONS = {
    "not-json": "not JSON",
    "not-object": "not an object",
    "missing-field": "missing field: b",
    "odd-field": "odd field: b",
    "unknown-symbol": "unknown symbol: 'NOSUCHUSDT'",
    "unknown-event": "unknown event: 'mystery'",
    "binary": "binary",
    "oversized": "oversized",
    "invalid-utf8": "invalid UTF-8",
}


def payload(frame: bytes) -> bytes:
    """Return what is in a server's frame."""
    return frame[2 + {126: 2, 127: 8}.get(frame[1], 0) :]


class ARun(EndToEnd):
    def test_writes_every_frame_that_was_sent_to_it(self):
        """Each quote, book and trade that was sent is one row, in order, as text, for a symbol beyond ASCII too."""
        self.begin(("BTCUSDT", "ETHUSDT", UNUSUAL), 2000)
        collector = self.collect("--history", "100")
        self.wait_for_everything(collector, now_ms() + 2000)
        self.exchange.inject(Fault("fragment", count=300))
        self.wait_for_everything(collector, now_ms() + 500)
        self.stop(collector)
        self.assert_sent_is_there()
        self.assert_promises(missing=False)
        for symbol in self.symbols:
            first_id = int(self.rows(TRADES, symbol)[0].partition(",")[0])
            self.assertEqual(100, sent_ids(self.exchange.sent, symbol)[0] - first_id)
        self.assertEqual([], read_rejects(self.folder))

    def test_writes_the_levels_and_the_interval_that_were_asked_for(self):
        """Books of 5 and of 20 levels have the columns and the values that were sent."""
        self.begin(("BTCUSDT",), 500)
        for self.levels in (5, 20):
            self.folder = self.base / str(self.levels)
            collector = self.collect("--order-book-levels", str(self.levels))
            self.wait_for_everything(collector, now_ms() + 500)
            self.stop(collector)
            self.assert_promises(missing=False)

    def test_of_the_demo_leaves_rows_that_hold_against_its_market(self):
        """The demo ends by itself with 0, and leaves every row of its market in every file."""
        self.symbols = tuple(LIST_MARKETS)
        words = ["--demo", "--duration", "5", "--flush-interval", "0.5"]
        collector = self.enterContext(Collector(words, self.folder))
        self.assertEqual(0, collector.wait())
        self.assert_promises(Market(self.symbols), missing=False)
        for symbol in self.symbols:
            times = [time_ms(row, PRICES) for row in self.rows(PRICES, symbol)]
            self.assertGreater(times[-1] - times[0], 3000)

    def test_says_at_the_start_exactly_what_it_will_do(self):
        """A line that fits a terminal, and lines behind it, name symbols, levels, folder, endpoints and connections."""
        symbols = tuple(f"S{number:02}USDT" for number in range(70))
        exchange = self.begin(symbols, 3000)
        collector = self.collect()
        collector.wait_for_log(" start ws=")
        first, *_ = told = collector.logged(" start ")
        self.assertLessEqual(len(first), 80)
        line = " ".join(told)
        for fact in (
            f"symbols={','.join(symbols)}",
            "levels=10",
            "depth_interval_ms=100",
            "flush_interval_s=0.2",
            f"folder={self.folder}",
            f"ws={exchange.ws_url}",
            f"rest={exchange.rest_url}",
            "subscriptions=214",
            "connections=2",
        ):
            self.assertIn(fact, line)
        collector.wait_for(lambda: len(exchange.connections) >= 2, "two connections")
        self.assertLessEqual({len(one.streams) for one in exchange.connections}, set(range(2, 201)))
        self.wait_for_everything(collector)
        self.stop(collector)
        self.assert_promises(missing=False)

    def test_appends_the_time_of_receiving(self):
        """With --receive-time each row of the three files ends in our clock's nanoseconds, and is else the same."""
        self.begin(("BTCUSDT",), 500)
        began_ns = time.time_ns()
        collector = self.collect("--receive-time")
        self.wait_for_everything(collector, now_ms() + 500)
        self.stop(collector)
        self.assert_verified()
        for kind in (PRICES, ORDERBOOK, TRADES):
            path = self.folder / f"{kind}_BTCUSDT.csv"
            lines = path.read_text().splitlines()
            self.assertTrue(lines[0].endswith(",receive_time_ns"))
            stamps = [int(stamp) for line in lines[1:] if (stamp := line.rpartition(",")[2])]
            past = 50 if kind == TRADES else 0  # what was fetched has none
            self.assertEqual(len(lines) - 1 - past, len(stamps))
            self.assertTrue(all(began_ns < stamp < time.time_ns() for stamp in stamps))
            path.write_text("".join(line.rpartition(",")[0] + "\n" for line in lines))
        (self.folder / MANIFEST_NAME).unlink()  # which knows them as they were
        self.assert_promises(missing=False)

    def test_begins_anew_beside_a_file_with_another_header(self):
        """A file that this run would not write is set aside, whole, with a warning, and nothing of it is changed."""
        self.begin(("BTCUSDT",), 500)
        self.folder.mkdir()
        foreign = self.folder / "orderbook_BTCUSDT.csv"
        foreign.write_text("somebody,else\n1,2\n")
        collector = self.collect()
        self.assertIn("file=orderbook_BTCUSDT.csv", collector.wait_for_log("file set aside"))
        self.wait_for_everything(collector)
        self.stop(collector)
        self.assert_promises(missing=False)
        aside = list(self.folder.glob("orderbook_BTCUSDT.*.csv"))
        self.assertEqual(["somebody,else\n1,2\n"], [path.read_text() for path in aside])

    def test_begins_anew_beside_trades_of_another_id_space(self):
        """A trades file whose last id means another trade at the exchange is set aside, and a fresh one begins."""
        self.begin(("BTCUSDT",), 500)
        self.folder.mkdir()
        old = "id,unix_timestamp_ms,side,price,quantity\n1000001,1735689600000,buy,61800.3,0.006\n"
        (self.folder / "trades_BTCUSDT.csv").write_text(old)
        (self.folder / "gaps_BTCUSDT.csv").touch()
        collector = self.collect()
        collector.wait_for_log("file set aside")
        self.wait_for_everything(collector)
        self.stop(collector)
        self.assert_promises(missing=False)
        self.assertEqual([old], [path.read_text() for path in self.folder.glob("trades_BTCUSDT.*.csv")])

    def test_goes_on_where_the_last_one_ended(self):
        """Over restarts and reconnects nothing is there twice, trades are whole, and the ledger says the rest."""
        self.begin(rate=500)
        for turn in (1, 2):
            collector = self.collect()
            self.wait_for_everything(collector, now_ms())
            self.exchange.inject(Fault("drop"))
            collector.wait_for_log("connection open", 2)
            self.wait_for_everything(collector, now_ms())
            self.stop(collector)
            self.assert_promises()
            causes = [gap.cause for gap in read_gaps(self.folder, "BTCUSDT") if gap.stream == PRICES]
            self.assertEqual([*["reconnect", "restart"] * (turn - 1), "reconnect"], causes)

    def test_survives_its_folder_being_removed(self):
        """A folder removed while running is an error in the log, and collection goes on in a fresh one."""
        self.begin(rate=500)
        collector = self.collect()
        self.wait_for_everything(collector)
        shutil.rmtree(self.folder)
        collector.wait_for_log("file changed by another program")
        self.wait_for_everything(collector, now_ms())
        self.exchange.inject(Fault("drop"))  # so that there is something for the ledger, which must be made anew too
        collector.wait_for_log("connection open", 2)
        self.wait_for_everything(collector, now_ms())
        self.stop(collector)
        self.assert_promises()

    def test_survives_its_files_being_deleted_and_truncated(self):
        """Trades of a file that was cut are all there in the end, and the ledger says what a deleted one had."""
        self.begin(("BTCUSDT",), 500)
        collector = self.collect()
        self.wait_for_everything(collector)
        first = next(read_rows(self.folder / "trades_BTCUSDT.csv"))
        (self.folder / "prices_BTCUSDT.csv").unlink()
        with (self.folder / "trades_BTCUSDT.csv").open("r+b") as trades:
            trades.truncate(60)
        collector.wait_for_log("what=deleted")
        collector.wait_for_log("what=truncated")
        self.wait_for_everything(collector, now_ms())
        self.stop(collector)
        self.assert_promises()
        self.assertEqual(first, next(read_rows(self.folder / "trades_BTCUSDT.csv")))
        gaps = read_gaps(self.folder, "BTCUSDT")
        self.assertEqual([(PRICES, "destroyed")], [(gap.stream, gap.cause) for gap in gaps])


class AStart(EndToEnd):
    def refused(self, *words):
        """Return the one line that a start ends with, and its exit status."""
        collector = self.collect(symbols=words)
        status = collector.wait()
        self.assertEqual(1, len(collector.lines), collector.tail())
        return status, collector.lines[0]

    def test_with_a_symbol_that_is_not_listed_names_the_closest(self):
        """An unknown symbol ends the program with 2 and the names that it may have meant."""
        self.begin(rate=100)
        status, line = self.refused("BTCUSD", "ETHUSDT")
        self.assertEqual(2, status)
        self.assertIn("BTCUSD is not listed; did you mean BTCUSDT", line)

    def test_with_a_symbol_that_names_a_path_is_refused(self):
        """No symbol can name a place outside the folder."""
        self.begin(rate=100)
        for symbol in ("../x", "a/b", ""):
            status, line = self.refused(symbol)
            self.assertEqual(2, status)
            self.assertIn("symbols: ", line)

    def test_with_a_symbol_that_does_not_trade_skips_it(self):
        """A symbol that is listed but not trading is warned about, and the others are collected."""
        self.begin(("BTCUSDT",), 100)
        collector = self.collect(symbols=("oldusdt", "btcusdt"))
        self.assertIn("symbol=OLDUSDT", collector.wait_for_log("symbol skipped"))
        self.wait_for_everything(collector)
        self.stop(collector)
        self.assertFalse(list(self.folder.glob("*OLDUSDT*")))

    def test_in_a_folder_of_another_collector_is_refused(self):
        """The second collector of a folder ends with 3 and names the first."""
        self.begin(rate=100)
        first = self.collect()
        self.wait_for_everything(first)
        status, line = self.refused("BTCUSDT")
        self.assertEqual(3, status)
        self.assertIn(f"pid {first.process.pid}", line)
        self.stop(first)

    def test_in_a_folder_that_can_not_be_made_says_so(self):
        """A data folder below a file is one line and 2."""
        self.begin(rate=100)
        self.folder = self.base / "file" / "data"
        self.folder.parent.write_text("")
        status, line = self.refused("BTCUSDT")
        self.assertEqual(2, status)
        self.assertIn("can't be written", line)


class AStop(EndToEnd):
    def test_by_either_signal_under_load_writes_all_that_was_received(self):
        """SIGTERM and SIGINT end with 0 within five seconds, and every message that was read is a row."""
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                self.folder = self.base / str(int(number))
                exchange = self.begin(rate=LOAD)
                collector = self.collect("--flush-interval", "600", "--history", "0", module=("tests.frail", "count"))
                collector.wait_for(lambda exchange=exchange: exchange.sent_count > 2 * LOAD, "load")
                began_s = time.monotonic()
                self.stop(collector, number)
                self.assertLess(time.monotonic() - began_s, END_S)
                received = int(collector.wait_for_log("received messages=").rpartition("=")[2])
                self.assertGreater(received, LOAD)
                self.assert_sent_is_there(received)
                self.assert_promises(missing=False)

    def test_that_does_not_end_is_ended_by_a_second_signal(self):
        """A second signal ends at once a program that is busy ending."""
        self.begin(rate=100)
        collector = self.collect(module=("tests.frail", "stuck"))
        self.wait_for_everything(collector)
        collector.send(signal.SIGTERM)
        collector.wait_for_log("stop why=signal")
        with self.assertRaises(subprocess.TimeoutExpired):
            collector.process.wait(0.5)
        collector.send(signal.SIGTERM)
        self.assertEqual(1, collector.wait())
        collector.wait_for_log("why=second_signal")

    def test_for_another_reason_is_not_cut_short_by_a_first_signal(self):
        """While the end that --duration began takes long, a first signal changes nothing, and a second one ends it."""
        self.begin(rate=100)
        collector = self.collect("--duration", "1", module=("tests.frail", "stuck"))
        collector.wait_for_log("stop why=duration")
        collector.send(signal.SIGTERM)
        with self.assertRaises(subprocess.TimeoutExpired):
            collector.process.wait(0.5)
        collector.send(signal.SIGTERM)
        self.assertEqual(1, collector.wait())
        collector.wait_for_log("why=second_signal")

    def test_by_an_exception_in_a_thread_is_said_and_loses_nothing(self):
        """A thread that fails ends the program with 1, its traceback in the log, and what was received in the files."""
        for what in ("feed", "collector", "main"):
            with self.subTest(thread=what):
                self.folder = self.base / what
                self.begin(rate=1000)
                collector = self.collect("--flush-interval", "2", module=("tests.frail", what))
                self.wait_for_everything(collector)
                written_ms = {symbol: last_ms(self.folder / f"{PRICES}_{symbol}.csv") for symbol in self.symbols}
                enough = self.exchange.sent_count + 500
                collector.wait_for(lambda enough=enough: self.exchange.sent_count > enough, "frames not yet flushed")
                collector.send(signal.SIGUSR1)
                self.assertEqual(1, collector.wait())
                collector.wait_for_log("Traceback (most recent call last):")
                collector.wait_for_log("ZeroDivisionError: broken on purpose")
                self.assert_sent_is_there()
                self.assert_promises(missing=False)
                for symbol in self.symbols:
                    self.assertGreater(last_ms(self.folder / f"{PRICES}_{symbol}.csv"), written_ms[symbol])


class Ends(EndToEnd):
    """A connection that ends in one way after the other."""

    is_long = True

    def test_a_connection_that_ends_is_opened_again_and_its_end_is_said_once(self):
        """Refused, reset, closed, cut, silent or half-open: each is one line with the reason, and then a reconnect."""
        exchange = self.begin(rate=500)
        collector = self.collect("--stall-timeout", "2")
        self.wait_for_everything(collector)
        host = f"127.0.0.1:{exchange.port}"
        faults = (
            (Fault("reset"), f"why=reset: {host}"),
            (Fault("drop"), f"why=eof: {host} hung up without a close frame"),
            (Fault("close", value=1012, reason="restart"), "why=closed: code=1012 text='restart'"),
            (Fault("stall"), "why=stalled: no frame for 2 s"),
            (Fault("silent"), "why=stalled: no frame for 2 s"),
            (Fault("refuse", value="upgrades"), f"why=handshake: {host}: 503 Service Unavailable"),
            (Fault("refuse"), f"why=refused: {host}"),
        )
        for fault, reason in faults:
            with self.subTest(reason=reason):
                before, opened = collector.logged("connection lost"), len(collector.logged("connection open"))
                exchange.inject(fault)
                if fault.name == "refuse":
                    exchange.inject(Fault("drop"))
                    collector.wait_for_log(reason)
                    exchange.inject(Fault("clear"))
                collector.wait_for_log("connection open", opened + 1)
                self.wait_for_everything(collector, now_ms())
                lost = collector.logged("connection lost")[len(before) :]
                if fault.name == "refuse":
                    self.assertGreaterEqual(len(lost), 2)
                    self.assertIn("why=eof", lost.pop(0))
                else:
                    self.assertEqual(1, len(lost), lost)
                self.assertTrue(all(reason in line for line in lost), lost)
        self.stop(collector)
        self.assert_promises()


class AConnection(EndToEnd):
    def test_is_kept_by_answering_pings(self):
        """A server that drops whoever does not answer its pings, or says too much, keeps the connection."""
        rules = Rules(ping_interval_s=0.02, pong_timeout_s=2.0)
        self.begin(rate=500, rules=rules)
        collector = self.collect()
        self.wait_for_everything(collector, now_ms() + 3000)
        self.stop(collector)
        self.assertEqual([], collector.logged("connection lost"))
        self.assert_promises(missing=False)

    def test_to_a_server_that_nobody_vouches_for_is_refused(self):
        """An untrusted certificate ends each attempt with one line; trusted, the same server is collected from."""
        certificate, key = str(TLS / "cert.pem"), str(TLS / "key.pem")
        exchange = self.begin(rate=500, tls=(certificate, key))
        collector = self.collect()
        line = collector.wait_for_log("connection lost")
        why = f"why=tls: 127.0.0.1:{exchange.port}: self-signed certificate"
        self.assertIn(why, line.replace("self signed", "self-signed"))
        self.stop(collector)
        self.assertEqual([], exchange.sent)
        self.assertEqual([], list(self.folder.glob("*.csv")))
        collector = self.collect(environment={"SSL_CERT_FILE": certificate})
        self.wait_for_everything(collector, now_ms() + 500)
        self.stop(collector)
        self.assertEqual([], collector.logged("WARNING"))
        self.assert_sent_is_there()
        self.assert_promises(missing=False)

    def test_that_brings_garbage_goes_on_and_keeps_it(self):
        """Each kind of bad frame is kept verbatim with its reason, and no good frame beside it is lost."""
        exchange = self.begin()
        collector = self.collect()
        self.wait_for_everything(collector)
        for kind in GARBAGE_KINDS:
            exchange.inject(Fault("garbage", value=kind, count=2))
        self.wait_for_everything(collector, now_ms() + 500)
        self.stop(collector)
        self.assert_sent_is_there()
        self.assert_promises(missing=False)
        kept = read_rejects(self.folder)
        self.assertEqual(2 * len(GARBAGE_KINDS), len(kept))
        for number, kind in enumerate(GARBAGE_KINDS):
            for entry in kept[2 * number : 2 * number + 2]:
                data = payload(garbage(kind, "BTCUSDT", wrapped=True))
                self.assertEqual(REASONS[kind], entry["reason"])
                self.assertEqual("connection 1", entry["source"])
                self.assertLess(abs(float(entry["time"]) - time.time()), 60)
                self.assertEqual(data[:KEPT_OF_BAD], entry["data"].encode("utf-8", "surrogateescape"))
        self.assertEqual(1, len(collector.logged(" reject ")))


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
