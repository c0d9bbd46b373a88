"""What the exchange sends is read verbatim, or refused with a reason; nothing else ever comes out."""

import copy
import json
import random
import re
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aster_collect.errors import DecodeError
from aster_collect.exchange import rows, wire
from aster_collect.exchange.events import Depth, Event, Heartbeat, Quote, Trade
from tests.support import rounds

FRAMES = Path(__file__).parents[2] / "frames"
RECEIVED_MS = 1_764_000_000_123
CHINESE = "币安人生USDT"
PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


def recorded(stream: str) -> list[bytes]:
    """Return a stream's recorded frames."""
    return (FRAMES / f"{stream}.jsonl").read_bytes().splitlines()


def decoded(frame: bytes) -> Event:
    """Return the event of a frame that lies between others in what was read."""
    return wire.decode(str(b"}" + frame + b'{"e":', "latin-1"), 1, 1 + len(frame))


def row_of(event: Event, levels: int) -> str:
    """Return an event's row as the program would write it, received at `RECEIVED_MS`."""
    if isinstance(event, Quote):
        return rows.quote_row(event, event.event_ms or RECEIVED_MS)
    if isinstance(event, Depth):
        return rows.depth_row(event, event.event_ms or RECEIVED_MS, levels)
    if isinstance(event, Trade):
        return rows.trade_row(event, event.event_ms or RECEIVED_MS)
    return str(event.sent_ms)


class RecordedFrames(unittest.TestCase):
    def check(self, stream: str, expected: str, header: tuple[str, ...], levels: int = 0) -> None:
        lines = [",".join(header), *(row_of(decoded(frame), levels) for frame in recorded(stream))]
        text = "".join(f"{line}\n" for line in lines)
        self.assertEqual(text, (FRAMES / expected).read_text(encoding="utf-8"))

    def test_trades_become_their_rows(self) -> None:
        """Each recorded aggTrade gives the expected row, to the byte."""
        self.check("aggTrade", "aggTrade.csv", rows.columns(rows.TRADES, 0, False))

    def test_quotes_become_their_rows(self) -> None:
        """Each recorded bookTicker gives the expected row, to the byte."""
        self.check("bookTicker", "bookTicker.csv", rows.columns(rows.PRICES, 0, False))

    def test_books_become_their_rows(self) -> None:
        """Each recorded depth snapshot gives the expected row at each level count, to the byte."""
        for levels in rows.LEVELS:
            with self.subTest(levels=levels):
                self.check("depth", f"depth.{levels}.csv", rows.columns(rows.ORDERBOOK, levels, False), levels)

    def test_heartbeats_carry_their_time(self) -> None:
        """Each recorded mark price gives the time it was sent, also before its first funding."""
        self.check("markPrice", "markPrice.csv", ("sent_ms",))

    def test_a_symbol_outside_ascii_is_the_same_escaped_and_raw(self) -> None:
        """A symbol is read the same whether the exchange escapes it or not."""
        for stream in ("aggTrade", "bookTicker", "depth"):
            events = [decoded(frame) for frame in recorded(stream)]
            symbols = [event.symbol for event in events if not isinstance(event, Heartbeat)]
            self.assertEqual(symbols.count(CHINESE), 2, stream)

    def test_wrapped_and_raw_are_the_same(self) -> None:
        """A frame gives the same event with and without the combined stream's wrapping."""
        for stream in ("aggTrade", "bookTicker", "depth", "markPrice"):
            for frame in recorded(stream):
                value = json.loads(frame)
                payload = value.get("data", value)
                if "e" in payload:
                    wrapped = {"stream": f"x@{stream}", "data": payload}
                    self.assertEqual(decoded(encoded(wrapped)), decoded(encoded(payload)))

    def test_what_was_sent_and_when_it_was_made_are_kept_apart(self) -> None:
        """A book keeps the time it was made, the time it was sent and the id of the one before it."""
        depth = decoded(recorded("depth")[0])
        sides = ("7403.89,0.002,7403.90,3.906", "7405.96,3.340,7406.63,4.525")
        times = (1571889248276, 1571889248277)
        self.assertEqual(depth, Depth("BTCUSDT", 390497878, 390497794, *times, *sides))
        self.assertIsNone(decoded(recorded("depth")[6]).previous_update_id)  # type: ignore[union-attr]


class OddFrames(unittest.TestCase):
    def test_each_odd_frame_is_refused_with_its_reason(self) -> None:
        """Each odd frame raises DecodeError with the reason that belongs to it."""
        for line in recorded("odd"):
            odd = json.loads(line)
            with self.subTest(frame=odd["frame"]), self.assertRaises(DecodeError) as caught:
                decoded(odd["frame"].encode("utf-8", "surrogateescape"))
            self.assertEqual(str(caught.exception), odd["reason"], odd["frame"])

    def test_nesting_without_end_is_refused(self) -> None:
        """A frame nested deeper than the parser can follow is not JSON."""
        for frame in (b"[" * 200_000, b'{"e":' * 200_000, b'{"x":' + b"[" * 200_000):
            with self.assertRaisesRegex(DecodeError, "^not JSON$"):
                decoded(frame)

    def test_a_number_without_end_is_refused(self) -> None:
        """A frame with a number of thousands of digits is refused."""
        with self.assertRaises(DecodeError):
            decoded(recorded("aggTrade")[0].replace(b"5933014", b"9" * 5000))


def encoded(value: object, compact: bool = False) -> bytes:
    """Return a value as JSON, with spaces as Python writes it, or without any as the exchange does."""
    return json.dumps(value, separators=(",", ":") if compact else None, ensure_ascii=not compact).encode(
        "utf-8", "surrogatepass"
    )


def outcome(frame: bytes) -> Event | str:
    """Return what a frame gives: its event, or why it is refused."""
    try:
        return decoded(frame)
    except DecodeError as error:
        return str(error)


VALUES: list[object] = [
    None, True, False, 0, 1, -1, 5, 1.5, -0.0, 1e300, float("nan"), float("inf"), 2**63, 2**64, 10**14, 10**40,
    "", " ", "0", "1", "1.0", "00.10", "-1", "+1", "1.", ".1", "1e5", "1,5", "1\n", "1\r", "1\n2", "=1", "=1+1", "@x",
    "\0", "\u0661", "\uff11", "\u00b2", "nan", "Infinity", "9" * 32, "9" * 33, "0." + "1" * 32, "0." + "1" * 33,
    [], {}, [[]], [["1"]], [["1", "2"]], [["1", "2", "3"]], [["1", 2]], [["1", "2"], ["1,", "2"]], [["=1", "2"]],
    ["12"], "ab", {"s": "X"}, "BTCUSDT", "btcusdt@bookTicker", "aggTrade", "bookTicker", "depthUpdate",
    "markPriceUpdate", "\ud800", "BTC,USDT", "BTC\nUSDT", "../x",
]  # fmt: skip
KEYS = [*"eEsapqflTmubBAUMrPi", "pu", "stream", "data", "", "x", "\ud800"]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container within a value with each of its keys or positions."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def changed(value: Any, chance: random.Random) -> Any:
    """Return a copy in which a value, a type or a key is another; text is never edited by characters."""
    value = copy.deepcopy(value)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        container, key = chance.choice(list(places(value)) or [(value, None)])
        other = copy.deepcopy(chance.choice(VALUES))
        if isinstance(container, dict):
            change = chance.randrange(5)
            if change == 0 and key in container:
                del container[key]
            elif change == 1 and key in container:
                container[chance.choice(KEYS)] = container.pop(key)
            elif change == 2:
                container[chance.choice(KEYS)] = other
            elif key is not None:
                container[key] = retyped(container[key], other, chance)
        elif key is not None:
            container[key] = retyped(container[key], other, chance)
    return value


def retyped(value: object, other: object, chance: random.Random) -> object:
    """Return the value as another type, or the other value."""
    changes: list[Callable[[Any], object]] = [str, lambda v: [v], lambda v: {"p": v}, float, int, bool, lambda v: v * 2]
    if chance.random() < 0.5:
        return other
    try:
        return chance.choice(changes)(value)
    except (TypeError, ValueError, OverflowError):
        return other


def texts(event: Event) -> list[str]:
    """Return an event's prices and quantities."""
    if isinstance(event, Depth):
        return [cell for side in (event.bids, event.asks) if side for cell in side.split(",")]
    return [cell for cell in event[1:] if isinstance(cell, str) and cell not in ("buy", "sell")]


class AnyDamage(unittest.TestCase):
    def test_any_change_of_values_types_and_keys(self) -> None:
        """A frame with any values, types and keys changed gives a plain event or DecodeError."""
        good = [
            json.loads(frame) for name in ("aggTrade", "bookTicker", "depth", "markPrice") for frame in recorded(name)
        ]
        read = 0
        for seed, chance in rounds(4000):
            frame = encoded(changed(chance.choice(good), chance), chance.random() < 0.5)
            with self.subTest(seed=seed, frame=frame):
                try:
                    event = decoded(frame)
                except DecodeError as error:
                    self.assertTrue(str(error).isprintable())
                    continue
                read += 1
                self.plain(event)
        self.assertGreater(read, 200)

    def test_a_frame_without_spaces_is_read_as_one_with_them(self) -> None:
        """A frame gives the same event, or the same reason, whether its JSON has spaces or not."""
        good = [json.loads(frame) for name in ("aggTrade", "bookTicker", "depth") for frame in recorded(name)]
        for seed, chance in rounds(3000):
            value = chance.choice(good) if chance.random() < 0.3 else changed(chance.choice(good), chance)
            with self.subTest(seed=seed, value=value):
                compact = encoded(value, True)
                if b"\xed" in compact:
                    continue  # half a surrogate pair, which can only be sent escaped
                self.assertEqual(outcome(compact), outcome(encoded(value)))

    def plain(self, event: Event) -> None:
        for text in texts(event):
            self.assertRegex(text, re.compile(rf"\A{PLAIN.pattern}\Z", re.ASCII))
        row = row_of(event, 5)
        self.assertNotRegex(row, r"[\n\r=\"]")
        kinds = {Quote: rows.PRICES, Depth: rows.ORDERBOOK, Trade: rows.TRADES}
        if type(event) in kinds:
            self.assertEqual(row.count(",") + 1, len(rows.columns(kinds[type(event)], 5, False)))

    def test_any_change_of_a_page(self) -> None:
        """A REST page with any values, types and keys changed gives plain trades or DecodeError."""
        page = [json.loads(frame) for frame in recorded("aggTrade")]
        for seed, chance in rounds(1000):
            value = changed(page, chance) if chance.random() < 0.9 else chance.choice(VALUES)
            with self.subTest(seed=seed, value=value):
                try:
                    trades, odd = wire.decode_page("BTCUSDT", value)
                except DecodeError:
                    continue
                self.assertEqual(len(value), len(trades) + len(odd))
                for trade in trades:
                    self.plain(trade)
                    self.assertEqual(trade.symbol, "BTCUSDT")

    def test_any_change_of_the_listing(self) -> None:
        """An exchangeInfo with anything changed gives names and a positive weight, or DecodeError."""
        good = {
            "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400}],
            "symbols": [{"symbol": "BTCUSDT", "status": "TRADING", "contractType": "PERPETUAL"}],
        }
        for seed, chance in rounds(1000):
            value = changed(good, chance)
            with self.subTest(seed=seed, value=value):
                try:
                    info = wire.decode_exchange_info(value)
                except DecodeError:
                    continue
                self.assertTrue(all(isinstance(name, str) for name in info.statuses))
                self.assertTrue(info.weight_a_minute is None or info.weight_a_minute >= 0)


class Listing(unittest.TestCase):
    def test_a_listing_says_symbols_and_weight(self) -> None:
        """An exchangeInfo gives each symbol's status and contract, and the weight a minute."""
        answer = {
            "rateLimits": [
                {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 2, "limit": 4800},
            ],
            "symbols": [{"symbol": "A", "status": "TRADING", "contractType": "PERPETUAL"}, {"symbol": "B"}, 7],
        }
        info = wire.decode_exchange_info(answer)
        self.assertEqual(info, ({"A": "TRADING", "B": ""}, {"A": "PERPETUAL", "B": ""}, 2400))

    def test_a_listing_without_symbols_is_refused(self) -> None:
        """An answer without a list of symbols raises DecodeError."""
        for answer in (None, [], {}, {"symbols": None}, {"code": -1, "msg": "x"}):
            with self.assertRaises(DecodeError):
                wire.decode_exchange_info(answer)


class Names(unittest.TestCase):
    def test_streams_are_lower_case(self) -> None:
        """A symbol's streams are named in lower case, and 250 ms is the speed without a name."""
        self.assertEqual(wire.symbol_streams("BTCUSDT", 10, 100)[2], "btcusdt@depth10@100ms")
        self.assertEqual(
            wire.symbol_streams("BTCUSDT", 5, 250), ("btcusdt@aggTrade", "btcusdt@bookTicker", "btcusdt@depth5")
        )

    def test_a_symbol_outside_ascii_is_percent_encoded(self) -> None:
        """A URL holds a symbol's UTF-8 bytes percent-encoded, and nothing else is."""
        url = wire.stream_url("wss://host/", wire.symbol_streams(CHINESE, 10, 100)[:1])
        self.assertEqual(url, "wss://host/stream?streams=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@aggTrade")

    def test_a_page_is_asked_for_by_id(self) -> None:
        """A page's request names symbol, first id and count, and weighs 20."""
        ask = wire.ask_page("BTCUSDT", 7, 1000)
        self.assertEqual((ask.path, ask.weight, ask.symbol, ask.first_id), ("/fapi/v3/aggTrades", 20, "BTCUSDT", 7))
        self.assertEqual(dict(ask.query), {"symbol": "BTCUSDT", "fromId": "7", "limit": "1000"})


class Groups(unittest.TestCase):
    def test_many_symbols_share_few_connections_within_the_limits(self) -> None:
        """Any symbols are divided so that each connection keeps to 200 streams and 8,000 characters, none left out."""
        for seed, chance in rounds(60):
            with self.subTest(seed=seed):
                count = chance.choice((1, 2, 66, 67, 133, 300))
                alphabet = chance.choice(("ABCDEFGH", "币安人生"))
                names = ["".join(chance.choices(alphabet, k=chance.randrange(1, 40))) + str(i) for i in range(count)]
                groups = wire.plan_groups("wss://fstream.asterdex.com", names, 20, 100)
                self.assertEqual([name for group in groups for name in group.symbols], names)
                for group in groups:
                    self.assertLessEqual(len(group.streams), 200)
                    self.assertLessEqual(len(wire.stream_url("wss://fstream.asterdex.com", group.streams)), 8000)
                    own = [stream for name in group.symbols for stream in wire.symbol_streams(name, 20, 100)]
                    self.assertEqual(list(group.streams), [wire.HEARTBEAT_STREAM, *own])

    def test_sixty_six_short_symbols_fit_one_connection(self) -> None:
        """Symbols whose streams just fit share one connection, and one more opens a second."""
        names = [f"A{i}" for i in range(67)]
        self.assertEqual(len(wire.plan_groups("wss://h", names[:66], 5, 100)), 1)
        self.assertEqual(len(wire.plan_groups("wss://h", names, 5, 100)), 2)


if __name__ == "__main__":
    unittest.main()
