"""A run that can't be is refused in one line that names the option, what was given and what is allowed."""

import dataclasses
import unittest
from pathlib import Path
from typing import Any

from aster_collect import settings
from aster_collect.errors import ConfigError
from aster_collect.exchange.subscribe import streams_of
from aster_collect.exchange.symbols import SYMBOL_LENGTH, Shard
from aster_collect.files.folder import aside_name
from aster_collect.options import Number
from aster_collect.settings import Settings, checked_symbol
from aster_collect.wording import without_secret


def refusal(**given: Any) -> str:
    """Return the line that refuses these settings."""
    try:
        Settings(**given)
    except ConfigError as error:
        return str(error)
    raise AssertionError(f"accepted: {given}")


NUMBERS: list[tuple[str, float, str, str, str]] = [
    # setting, given, option, given as told, allowed as told
    ("flush_interval_s", 0.09, "--flush-interval", "0.09", "0.1 to 3600 seconds"),
    ("flush_interval_s", 3601, "--flush-interval", "3601", "0.1 to 3600 seconds"),
    ("flush_interval_s", float("nan"), "--flush-interval", "nan", "0.1 to 3600 seconds"),
    ("flush_interval_s", float("inf"), "--flush-interval", "inf", "0.1 to 3600 seconds"),
    ("flush_interval_s", -5.0, "--flush-interval", "-5", "0.1 to 3600 seconds"),
    ("stall_timeout_s", 0.5, "--stall-timeout", "0.5", "1 to 600 seconds"),
    ("weight_share", 0.5, "--weight-share", "0.5", "1 to 100 percent"),
    ("weight_share", 101, "--weight-share", "101", "1 to 100 percent"),
    ("duration_s", 0.0, "--duration", "0", "0.1 to 31536000 seconds"),
    ("duration_s", 31_536_001, "--duration", "31536001", "0.1 to 31536000 seconds"),
    ("history", -1, "--history", "-1", "0 to 100000 trades"),
    ("history", 100_001, "--history", "100001", "0 to 100000 trades"),
    ("backfill_limit", -1, "--backfill-limit", "-1", "0 to 10000000 trades"),
    ("backfill_limit", 10_000_001, "--backfill-limit", "10000001", "0 to 10000000 trades"),
    ("hold_trades", 0, "--hold-limit", "0", "1 to 1000000 trades"),
    ("hold_trades", 1_234_567, "--hold-limit", "1234567", "1 to 1000000 trades"),
    ("hold_s", 0.5, "--hold-limit", "0.5", "1 to 604800 seconds"),
    ("connections", 0, "--connections", "0", "1 to 4 connections"),
    ("connections", 5, "--connections", "5", "1 to 4 connections"),
    ("max_connection_age_s", 1, "--max-connection-age", "1", "2 to 86000 seconds"),
    ("order_book_levels", 7, "--order-book-levels", "7", "5, 10, 20"),
    ("order_book_levels", 0, "--order-book-levels", "0", "5, 10, 20"),
    ("depth_interval_ms", 50, "--depth-interval", "50", "100, 250, 500"),
]

URLS = ["fstream.asterdex.com", "wss://", "wss:///x", "wss://h:0", "wss://h:99999", "wss://h:x", "wss://h/?a=1",
        "wss://h/#x", "wss://h/\n", "wss://h /", "wss://[::1", "ftp://h", "file:///x", "wss://h\0"]  # fmt: skip

BAD_SYMBOLS = ["", " ", "../x", "a/b", "a\\b", "..", ".", "A\0B", "\0", "BTC USDT", "BTC\nUSDT", "BTC,USDT", "=BTC",
               "btcusdt@trade", "BTC%2F", "C:", "币/安", "BTC\u202eUSDT", "🚀USDT", "-\ud800"]  # fmt: skip


class Numbers(unittest.TestCase):
    def test_each_bad_number_is_one_line(self) -> None:
        """A number out of its range is refused in a line with the option, the number and the range."""
        for name, value, option, given, allowed in NUMBERS:
            with self.subTest(option, given=value):
                line = refusal(**{name: value})
                self.assertEqual(line, f"{option}: {given} given, {allowed} allowed")

    def test_the_ends_of_each_range_are_allowed(self) -> None:
        """The lowest and the highest value of each range are accepted."""
        ranges = {name: option for name, option in settings.OPTIONS.items() if isinstance(option, Number)}
        self.assertEqual({name for name, *_ in NUMBERS} - set(ranges), {"order_book_levels", "depth_interval_ms"})
        for name, allowed in ranges.items():
            for value in (allowed.lowest, allowed.highest):
                Settings(**{name: value})  # type: ignore[arg-type]

    def test_the_defaults_can_be_run(self) -> None:
        """A run without any option is the documented one."""
        default = Settings()
        self.assertEqual(default.symbols, ("ASTERUSDT", "BTCUSDT", "ETHUSDT", "USD1USDT"))
        self.assertEqual((default.order_book_levels, default.flush_interval_s, default.depth_interval_ms), (10, 5, 100))
        self.assertEqual((default.history, default.backfill_limit, default.connections), (1000, 200_000, 1))
        with self.assertRaises(dataclasses.FrozenInstanceError):
            default.history = 5  # type: ignore[misc]


class Urls(unittest.TestCase):
    def test_each_bad_url_is_one_line(self) -> None:
        """A URL that can't be an endpoint is refused in one printable line with what is allowed."""
        for url in URLS:
            for name, option, allowed in (
                ("ws_url", "--ws-url", "ws://HOST[:PORT] or wss://HOST[:PORT]"),
                ("rest_url", "--rest-url", "http://HOST[:PORT] or https://HOST[:PORT]"),
            ):
                with self.subTest(name, url=url):
                    given = url.replace("wss:", "https:") if name == "rest_url" else url
                    line = refusal(**{name: given})
                    self.assertEqual(line, f"{option}: {given!r} given, {allowed} allowed")
                    self.assertTrue(line.isprintable())

    def test_a_rest_url_is_no_feed_url(self) -> None:
        """The two endpoints can't be given for each other."""
        refusal(ws_url="https://host")
        refusal(rest_url="wss://host")

    def test_local_and_plain_endpoints_are_allowed(self) -> None:
        """A simulator may be plain, have a port, a slash at the end, or an IPv6 address."""
        Settings(ws_url="ws://127.0.0.1:8080", rest_url="http://[::1]:80/")

    def test_a_path_that_would_come_twice(self) -> None:
        """A URL with a path is refused, and the line says what to give: the program adds the paths itself."""
        for name, given, meant in (
            ("ws_url", "ws://host/ws", "ws://host"),
            ("ws_url", "wss://fstream.asterdex.com/stream", "wss://fstream.asterdex.com"),
            ("rest_url", "https://host:8443/fapi/v1", "https://host:8443"),
            ("rest_url", "http://[::1]/fapi/v3/", "http://[::1]"),
        ):
            line = refusal(**{name: given})
            self.assertIn(f"{given!r} given", line)
            self.assertTrue(line.endswith(f" allowed; the paths are added to it: give {meant}"), line)

    def test_a_password_that_holds_an_at_sign(self) -> None:
        """Nothing of user and password is shown, wherever the password's own `@`, `/` or `#` stand."""
        for password in ("secret", "sec@ret", "s@ec@ret", "sec/@ret", "sec#ret@", "sec?re=t@", "sec:ret"):
            url = f"ws://user:{password}@host:80"
            self.assertEqual(without_secret(url), "ws://***@host:80", url)
        self.assertEqual(without_secret("wss://host"), "wss://host")

    def test_a_bad_url_with_a_password(self) -> None:
        """The line that refuses a URL does not show its user and password."""
        for url in (
            "ws://user:sec@ret@host/ws", "ftp://user:sec@ret@host", "user:sec@ret@host", "ws:user:sec@ret@host",
            "ws://user:sec/@ret@host", "ws://user:sec\n@ret@host", f"ws://user:sec@ret{'x' * 100}@host?",
        ):  # fmt: skip
            line = refusal(ws_url=url)
            self.assertIn("***@host", line)
            for part in ("user", "sec", "ret"):
                self.assertNotIn(part, line)


class Symbols(unittest.TestCase):
    def test_each_bad_symbol_is_one_line(self) -> None:
        """A symbol that could name a path, split a stream or need quoting is refused in one printable line."""
        for symbol in BAD_SYMBOLS:
            with self.subTest(symbol):
                line = refusal(symbols=("BTCUSDT", symbol))
                self.assertTrue(line.startswith(f"symbols: {symbol!r} given, 1 to 64 letters"), line)
                self.assertTrue(line.isprintable())

    def test_a_symbol_without_end_is_told_by_its_beginning(self) -> None:
        """A symbol longer than any is refused in a line that stays short."""
        for symbol in ("A" * 65, "币" * 65, "A" * 100_000):
            line = refusal(symbols=(symbol,))
            self.assertIn(symbol[:40], line)
            self.assertIn("1 to 64 letters", line)
            self.assertLess(len(line), 250)

    def test_no_symbols_at_all(self) -> None:
        """An empty list is refused with an example."""
        self.assertIn("such as BTCUSDT", refusal(symbols=()))

    def test_case_does_not_matter_and_duplicates_are_dropped(self) -> None:
        """Symbols are taken in upper case, each once, in the order given."""
        given = ("ethusdt", "BTCUSDT", "EthUsdt", "btcusdt", "币安人生usdt", "币安人生USDT")
        self.assertEqual(Settings(symbols=given).symbols, ("ETHUSDT", "BTCUSDT", "币安人生USDT"))

    def test_a_part_of_the_symbols(self) -> None:
        """Of symbols that are named those of the part are left; where none is, the line says so."""
        names = ("BTCUSDT", "ETHUSDT", "ASTERUSDT", "SOLUSDT", "BNBUSDT")
        found = [set(Settings(symbols=names, shard=Shard(number, 2)).symbols) for number in (1, 2)]
        self.assertEqual((found[0] | found[1], found[0] & found[1]), (set(names), set()))
        self.assertTrue(all(found))
        empty = next(Shard(number, 3) for number in (1, 2, 3) if not Shard(number, 3).takes("BTCUSDT"))
        why = f"--shard: {empty} given, and none of BTCUSDT is in it; name more symbols, or fewer N"
        self.assertEqual(refusal(symbols=("BTCUSDT",), shard=empty), why)
        self.assertEqual(Settings(symbols=names, shard=Shard(1, 2)).told()["shard"], "1/2")

    def test_the_longest_symbol_still_names_a_file_and_a_stream(self) -> None:
        """A symbol of the greatest length, outside ASCII too, names a file that fits its folder."""
        symbol = checked_symbol("币" * SYMBOL_LENGTH)
        name = aside_name(Path(f"orderbook_{symbol}.csv"), 0).name
        self.assertLessEqual(len(name.encode()), 255)
        self.assertTrue(streams_of(Settings(symbols=(symbol,)).scope(), symbol)[0].endswith("@bookTicker"))


if __name__ == "__main__":
    unittest.main()
