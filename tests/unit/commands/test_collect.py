"""What `collect` is asked for reaches the settings, and what can't be is refused, in which words."""

import dataclasses
import errno
import os
import re
import unittest
from pathlib import Path

from aster_collect import settings
from aster_collect.commands import collect
from aster_collect.errors import ConfigError
from aster_collect.exchange.symbols import Shard
from aster_collect.exchange.venues import FUTURES
from aster_collect.files.lock import Lock
from tests.unit.commands.calls import Folder, call

LEVELS = "5, 10, 20 allowed"
INTERVALS = "100, 250, 500 allowed"
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
    ("--hold-limit", "ten 10", "'ten'", "1 to 1000000 trades allowed"),
    ("--hold-limit", "10 long", "'long'", "1 to 604800 seconds allowed"),
    ("--hold-limit", "1.5 10", "'1.5'", "1 to 1000000 trades allowed"),
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


class AnImpossibleRequest(Folder):
    def test_a_bad_value_is_one_line(self) -> None:
        """Each bad value ends with status 2 and one line that names the option, what was given and what is allowed."""
        for option, given, shown, allowed in BAD_VALUES:
            with self.subTest(option=option, given=given[:80]):
                values = given.split(" ") if option == "--hold-limit" else [given]
                ended = call(*values) if option == "symbols" else call(option, *values)
                self.assert_refused(ended, f"aster-collect: {option}: ", f" given, {allowed}")
                told = ended.err.partition(" given, ")[0]
                self.assertIn(given if shown is None else shown, told)
        self.assertEqual(self.made(), [])

    def test_a_bad_value_is_refused_however_it_is_written(self) -> None:
        """A value behind an equals sign, and one behind good ones, is refused alike."""
        for words in (
            ("--order-book-levels=7",),
            ("--flush-interval=-inf",),
            ("BTCUSDT", "--flush-interval", "2", "--order-book-levels", "7", "--demo"),
            ("BTCUSDT", "ETHUSDT", "../x"),
        ):
            self.assert_refused(call(*words), " given, ", " allowed")
        self.assertEqual(self.made(), [])

    def test_an_option_that_there_is_not(self) -> None:
        """It is refused, shortened ones too, with the one that was likely meant."""
        for words, told in (
            (("--levels", "5"), "--levels: no such option"),
            (("--order", "5"), "--order: no such option; did you mean --order-book-levels?"),
            (("--recieve-time",), "--recieve-time: no such option; did you mean --receive-time?"),
            (("--x\ny",), "--x\\ny: no such option; 'aster-collect --help' lists them"),
        ):
            self.assert_refused(call(*words), told, "--help' lists them")
        self.assertEqual(self.made(), [])

    def test_values_that_are_too_few_or_too_many(self) -> None:
        """An option without its value, and one with a value that has none, is refused with what is allowed."""
        for words, told in (
            (("--duration",), "--duration: too little given, 0.1 to 31536000 seconds allowed"),
            (
                ("--hold-limit", "5"),
                "--hold-limit: too little given, 1 to 1000000 trades and 1 to 604800 seconds allowed",
            ),
            (("--demo=yes",), "--demo: a value given, no value allowed"),
        ):
            self.assert_refused(call(*words), told)
        self.assertEqual(self.made(), [])

    def test_options_that_contradict_one_another(self) -> None:
        """Two that can't both be meant are refused, rather than one of them ignored."""
        for words, told in (
            (("--demo", "--ws-url", FUTURES.ws_url), "--demo: given with --ws-url or --rest-url"),
            (("--demo", "--rest-url", FUTURES.rest_url), "--demo: given with --ws-url or --rest-url"),
            (("--all", "BTCUSDT"), "--all: given with BTCUSDT"),
            (("--compress",), "--compress: given without --rotate"),
            (("--keep-days", "3", "--rotate", "none"), "--keep-days: given without --rotate"),
        ):
            self.assert_refused(call(*words), told)
        self.assertEqual(self.made(), [])

    def test_closed_files_without_rotation(self) -> None:
        """The raw record has some: with it --keep-days needs no --rotate."""
        asked = collect.settings_of(collect.grammar().read(["--record", "--keep-days", "3"]))
        self.assertEqual((asked.record, asked.keep_days, asked.rotate), (True, 3, "none"))

    def test_a_folder_below_a_file(self) -> None:
        """A data folder that can't be made ends with status 2 and why; no other owner would mend it."""
        (self.folder / "taken").write_text("")
        ended = call("BTCUSDT", "--data-dir", "taken/data")
        self.assert_refused(ended, "--data-dir: ", "taken/data", os.strerror(errno.ENOTDIR))
        self.assertNotIn("chown", ended.err)
        self.assertEqual(self.made(), ["taken"])

    def test_a_metrics_file_where_none_can_be(self) -> None:
        """A metrics file in a missing folder, or that is one itself, ends with status 2 before anything is made."""
        (self.folder / "metrics").mkdir()
        for given, why in (("nowhere/aster.prom", "there is no folder nowhere"), ("metrics", "which is a folder")):
            self.assert_refused(call("BTCUSDT", "--metrics-file", given), f"--metrics-file: {given} given, ", why)
        self.assertEqual(self.made(), ["metrics"])


BAD_LISTS: list[tuple[object, str]] = [
    ([], "no symbol in it"),
    (["BTC/USDT"], "'BTC/USDT' given, 1 to 64 letters"),
    (["BTCUSDT", ""], "'' given, 1 to 64 letters"),
    ("BTCUSDT", "'BTCUSDT' given, a list of symbols allowed"),
    (["BTCUSDT", 5], "['BTCUSDT', 5] given, a list of symbols allowed"),
    ([["BTCUSDT"]], "[['BTCUSDT']] given, a list of symbols allowed"),
    (("x\n" * 40), "given, a list of symbols allowed"),
    ({"BTCUSDT": 1}, "a list of symbols allowed"),
    (7, "7 given, a list of symbols allowed"),
]


class TheListOfMarkets(Folder):
    def test_one_that_somebody_broke(self) -> None:
        """A bad or empty LIST_MARKETS is one line, and does not keep --help from showing."""
        for markets, told in BAD_LISTS:
            with self.subTest(markets=markets):
                self.assert_refused(call(markets=markets), "LIST_MARKETS: ", told)
                self.assertEqual(call("--help", markets=markets).status, 0)
        self.assertEqual(self.made(), [])

    def test_it_is_what_is_collected_without_symbols(self) -> None:
        """It takes the place of the package's own list, in --help too; symbols on the command line count alone."""
        edited = ["solusdt", "BNBUSDT", "SOLUSDT"]
        read = collect.grammar().read
        self.assertEqual(collect.settings_of(read([]), edited).symbols, ("SOLUSDT", "BNBUSDT"))
        self.assertEqual(collect.settings_of(read(["BTCUSDT"]), edited).symbols, ("BTCUSDT",))
        self.assertEqual(collect.settings_of(read([])).symbols, tuple(settings.LIST_MARKETS))
        self.assertIn("(default: solusdt BNBUSDT SOLUSDT)", " ".join(call("--help", markets=edited).out.split()))

    def test_all_needs_no_list(self) -> None:
        """With --all, and with symbols, a broken list is of no account."""
        self.assertTrue(collect.settings_of(collect.grammar().read(["--all"]), []).all_symbols)
        self.assertEqual(collect.settings_of(collect.grammar().read(["BTCUSDT"]), 7).symbols, ("BTCUSDT",))


class WhatIsAskedFor(Folder):
    def test_help_is_the_documentation(self) -> None:
        """--help states the exit statuses, examples, and for each option a default that is the program's own."""
        words = " ".join(call("--help").out.split())
        for part in ("exit status: 0 stopped", " 1 failed", " 2 an impossible", " 3 another", " examples: "):
            self.assertIn(part, words)
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

    def test_an_option_is_told_of_in_one_place(self) -> None:
        """Each setting but the symbols has its option, and the command line takes it from there."""
        fields = {one.name for one in dataclasses.fields(settings.Settings)}
        self.assertEqual(fields - set(settings.OPTIONS), {"symbols"})
        text = call("--help").out
        for option in settings.OPTIONS.values():
            self.assertIn(f"  {option.name}", text)

    def test_what_is_asked_for_is_what_is_set(self) -> None:
        """Every option reaches the settings; symbols are upper-cased, doubles and those of other parts dropped."""
        given = (
            "ethusdt BTCUSDT EthUsdt 币安人生usdt --order-book-levels 20 --flush-interval 0.5 --data-dir d "
            "--depth-interval 500 --receive-time --duration 9 --ws-url ws://h:1 --rest-url http://h:2 "
            "--stall-timeout 3 --history 0 --backfill-limit 7 --hold-limit 8 1.5 --connections 2 "
            "--max-connection-age 60 --no-sync --rotate DAY --compress --keep-days 3 --record --min-free-mb 4 "
            "--max-clock-offset 0.5 --metrics-file m.prom --streams MARK,trades,mark --quantities --poll-interval 30 "
            "--diff-interval 0 --check-interval 60 --shard 1/3 --weight-share 25"
        )
        words = collect.grammar().read(given.split())
        self.assertEqual(
            collect.settings_of(words),
            settings.Settings(
                ("ETHUSDT", "BTCUSDT"), False, Shard(1, 3), "futures", ("mark", "trades"), 20, 0.5, Path("d"), 500,
                0, 60.0, True, True, 30.0, 25.0, 9.0, "ws://h:1", "http://h:2", 3.0, 0, 7, 8, 1.5, 2, 60.0, False,
                "day", True, 3, True, 4, 0.5, Path("m.prom"),
            ),
        )  # fmt: skip

    def test_what_a_market_has_not(self) -> None:
        """It is refused with what the market has; `all` is all of that, and spot has a folder of its own."""
        spot = collect.settings_of(collect.grammar().read(["--market", "SPOT", "--streams", "all"]))
        offered = ("prices", "orderbook", "trades", "depth", "fills", "universe")
        self.assertEqual((spot.streams, spot.data_dir), (offered, settings.DATA_DIR / "spot"))
        self.assertEqual(("wss://sstream.asterdex.com", "/api/v3"), (spot.ws_url, spot.venue.prefix))
        for words, why in (
            (
                ["--market", "spot", "--streams", "trades,mark"],
                "--streams: mark given, prices, orderbook, trades, depth",
            ),
            (
                ["--market", "spot", "--depth-interval", "500"],
                "--depth-interval: 500 given, 100, 250 allowed",
            ),
            (
                ["--market", "spot", "--diff-interval", "0"],
                "--diff-interval: 0 given, 100 allowed",
            ),
            (["--streams", "kline"], "--streams: 'kline' given, all, or some of "),
        ):
            with self.assertRaises(ConfigError) as caught:
                collect.settings_of(collect.grammar().read(words))
            self.assertIn(why, str(caught.exception))

    def test_nothing_asked_is_the_defaults(self) -> None:
        """Without arguments the settings are their own defaults, with --demo but for the folder."""
        self.assertEqual(collect.settings_of(collect.grammar().read([])), settings.Settings())
        demo = collect.settings_of(collect.grammar().read(["--demo"]))
        self.assertEqual(demo, settings.Settings(data_dir=settings.DEMO_DIR))
        spot = collect.settings_of(collect.grammar().read(["--demo", "--market", "spot"]))
        self.assertEqual(spot.data_dir, settings.DEMO_DIR / "spot")


class ASecondCollector(Folder):
    def test_it_ends_with_the_firsts_pid(self) -> None:
        """A second collector on the folder ends with status 3 and names the pid of the first, whose files stay."""
        data = self.folder / "ASTER_data"
        data.mkdir()
        self.addCleanup(Lock(data).release)
        before = sorted(path.name for path in data.iterdir())
        self.assert_refused(call("BTCUSDT"), f"(pid {os.getpid()})", status=3)
        self.assertEqual(call("BTCUSDT", "--quiet"), (3, "", ""))
        self.assertEqual(sorted(path.name for path in data.iterdir()), before)


if __name__ == "__main__":
    unittest.main()
