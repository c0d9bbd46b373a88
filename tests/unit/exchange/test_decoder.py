"""What the exchange sends is read verbatim, or refused with a reason; nothing else ever comes out."""

import copy
import json
import random
import re
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from aster_collect.errors import DecodeError
from aster_collect.exchange.decoder import decode
from aster_collect.exchange.form import Form
from aster_collect.exchange.streams import KINDS, depth
from aster_collect.exchange.streams.kind import Add, Event, Kind, Options
from aster_collect.exchange.streams.orderbook import LEVELS, Book
from tests.support import rounds

FRAMES = Path(__file__).parents[2] / "frames"
RECEIVED_NS = 1_764_000_000_123_000_000
CHINESE = "币安人生USDT"
WORD = re.compile(r"buy|sell|[A-Z_]+", re.ASCII)
PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


class One(NamedTuple):
    """What a frame holds."""

    kind: Kind
    symbol: str
    event: Event
    sent_ms: int


class Anyone(dict[str, Add]):
    """Takes events of whatever symbol there is."""

    def __init__(self) -> None:
        self.found: list[tuple[str, Event]] = []

    def get(self, symbol: str, _: object = None) -> Add:  # type: ignore[override]
        return lambda event: self.found.append((symbol, event))


def recorded(stream: str) -> list[bytes]:
    """Return a stream's recorded frames."""
    return (FRAMES / f"{stream}.jsonl").read_bytes().splitlines()


def shortly(frame: bytes, *, quantities: bool = False) -> One | None:
    """Return what a frame holds by the fast shapes, lying between others in what was read; None where none fits."""
    options = Options(quantities=quantities)
    text, bounds = str(b"}" + frame + b'{"e":', "latin-1"), [1, 1 + len(frame)]
    for kind in KINDS.values():
        if kind.wire and kind.wire.take:
            found = Anyone()
            left, _, sent_ms = kind.wire.take(options)(text, bounds, RECEIVED_NS, found)
            if not left:
                ((symbol, event),) = found.found
                return One(kind, symbol, event, sent_ms)
    return None


def generally(frame: bytes) -> One:
    """Return what a frame holds by way of JSON; of a list the first that can be read, else why the first can't be."""
    events, odd = decode(frame, RECEIVED_NS)
    if not events:
        raise DecodeError(odd[0][0] if odd else "an empty list")
    kind, found = events[0]
    return One(kind, *found)


def decoded(frame: bytes) -> One:
    """Return what a frame holds, as the program finds it."""
    return shortly(frame) or generally(frame)


def row_of(one: One, levels: int = 5) -> str:
    """Return an event's row as the program would write it."""
    return Form(one.kind, Options(levels=levels)).rows([one.event])[0]


class RecordedFrames(unittest.TestCase):
    def check(self, stream: str, expected: str, kind: str, levels: int = 5) -> None:
        header = Form(KINDS[kind], Options(levels=levels)).header.decode().strip()
        lines = [header, *(row_of(decoded(frame), levels) for frame in recorded(stream))]
        text = "".join(f"{line}\n" for line in lines)
        self.assertEqual(text, (FRAMES / expected).read_text(encoding="utf-8"))

    def test_trades_become_their_rows(self) -> None:
        """Each recorded aggTrade gives the expected row, to the byte."""
        self.check("aggTrade", "aggTrade.csv", "trades")

    def test_quotes_become_their_rows(self) -> None:
        """Each recorded bookTicker gives the expected row, to the byte."""
        self.check("bookTicker", "bookTicker.csv", "prices")

    def test_books_become_their_rows(self) -> None:
        """Each recorded depth snapshot gives the expected row at each level count, to the byte."""
        for levels in LEVELS:
            with self.subTest(levels=levels):
                self.check("depth", f"depth.{levels}.csv", "orderbook", levels)

    def test_mark_prices_become_their_rows(self) -> None:
        """Each recorded mark price gives the expected row, also before its first funding."""
        self.check("markPrice", "markPrice.csv", "mark")

    def test_fills_become_their_rows(self) -> None:
        """Each recorded fill gives the expected row, its origin blank where the exchange says none."""
        self.check("trade", "trade.csv", "fills")

    def test_liquidations_become_their_rows(self) -> None:
        """Each recorded liquidation gives the expected row, the side that of the order, however it came."""
        self.check("forceOrder", "forceOrder.csv", "liquidations")

    def test_a_symbol_outside_ascii_is_the_same_escaped_and_raw(self) -> None:
        """A symbol is read the same whether the exchange escapes it or not."""
        for stream in ("aggTrade", "bookTicker", "depth", "trade", "forceOrder"):
            events = [decoded(frame) for frame in recorded(stream)]
            symbols = [event.symbol for event in events]
            self.assertEqual(symbols.count(CHINESE), 2, stream)

    def test_wrapped_and_raw_are_the_same(self) -> None:
        """A frame gives the same event with and without the combined stream's wrapping."""
        for stream in ("aggTrade", "bookTicker", "depth", "markPrice", "trade", "forceOrder"):
            for frame in recorded(stream):
                value = json.loads(frame)
                payload = value.get("data", value)
                if "e" in payload:
                    channel = "depth20" if stream == "depth" else stream  # full and partial books bear one name
                    wrapped = {"stream": f"x@{channel}", "data": payload}
                    self.assertEqual(decoded(encoded(wrapped)), decoded(encoded(payload)))

    def test_what_was_sent_and_when_it_was_made_are_kept_apart(self) -> None:
        """A book keeps the time it was made and the id of the one before it; when it was sent is told beside it."""
        one = decoded(recorded("depth")[0])
        sides = ("7403.89,0.002,7403.90,3.906", "7405.96,3.340,7406.63,4.525")
        book = Book(390497878, 1571889248276, 390497794, *sides, RECEIVED_NS)
        self.assertEqual((one.symbol, one.event, one.sent_ms), ("BTCUSDT", tuple(book), 1571889248277))
        self.assertEqual(-1, decoded(recorded("depth")[6]).event[2])


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


def outcome(frame: bytes) -> One | str:
    """Return what a frame gives: its event, or why it is refused."""
    try:
        return decoded(frame)
    except DecodeError as error:
        return str(error)


def without_quantities(one: One | str) -> One | str:
    """Return what is told where no quantities are wanted: the short way leaves them out."""
    if isinstance(one, str) or one.kind is not KINDS["prices"]:
        return one
    return one._replace(event=(*one.event[:4], "", "", one.event[6]))


VALUES: list[object] = [
    None, True, False, 0, 1, -1, 5, 1.5, -0.0, 1e300, float("nan"), float("inf"), 2**63, 2**64, 10**14, 10**40,
    "", " ", "0", "1", "1.0", "00.10", "-1", "+1", "1.", ".1", "1e5", "1,5", "1\n", "1\r", "1\n2", "=1", "=1+1", "@x",
    "\0", "\u0661", "\uff11", "\u00b2", "nan", "Infinity", "9" * 32, "9" * 33, "0." + "1" * 32, "0." + "1" * 33,
    [], {}, [[]], [["1"]], [["1", "2"]], [["1", "2", "3"]], [["1", 2]], [["1", "2"], ["1,", "2"]], [["=1", "2"]],
    ["12"], "ab", {"s": "X"}, "BTCUSDT", "btcusdt@bookTicker", "aggTrade", "bookTicker", "depthUpdate",
    "markPriceUpdate", "\ud800", "BTC,USDT", "BTC\nUSDT", "../x",
]  # fmt: skip
KEYS = [*"eEsapqflTmubBAUMrPitX", "pu", "stream", "data", "", "x", "\ud800"]


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


def texts(one: One) -> list[str]:
    """Return an event's prices and quantities."""
    texts = [cell for cell in one.event if isinstance(cell, str) and not WORD.fullmatch(cell)]
    return [text for cell in texts for text in cell.split(",") if text]


class AnyDamage(unittest.TestCase):
    def test_any_change_of_values_types_and_keys(self) -> None:
        """A frame with any values, types and keys changed gives a plain event or DecodeError."""
        good = [
            json.loads(frame)
            for name in ("aggTrade", "bookTicker", "depth", "markPrice", "trade", "forceOrder")
            for frame in recorded(name)
        ]
        read = 0
        for seed, chance in rounds(4000):
            frame = encoded(changed(chance.choice(good), chance), chance.random() < 0.5)
            with self.subTest(seed=seed, frame=frame):
                try:
                    one = decoded(frame)
                except DecodeError as error:
                    self.assertTrue(str(error).isprintable())
                    continue
                read += 1
                self.plain(one)
        self.assertGreater(read, 200)

    def test_a_frame_without_spaces_is_read_as_one_with_them(self) -> None:
        """A frame gives the same event, or the same reason, whether its JSON has spaces or not."""
        names = ("aggTrade", "bookTicker", "depth", "trade")
        good = [json.loads(frame) for name in names for frame in recorded(name)]
        for seed, chance in rounds(3000):
            value = chance.choice(good) if chance.random() < 0.3 else changed(chance.choice(good), chance)
            with self.subTest(seed=seed, value=value):
                compact = encoded(value, True)
                if b"\xed" in compact:
                    continue  # half a surrogate pair, which can only be sent escaped
                self.assertEqual(without_quantities(outcome(compact)), without_quantities(outcome(encoded(value))))

    def test_each_known_shape_takes_the_short_way(self) -> None:
        """Frames in the published order of keys do, and in the captured one, with quantities or without."""
        captured = [
            '{"e":"aggTrade","E":1754551358681,"a":20505890,"s":"BTCUSDT","p":"114783.7","q":"0.020","f":26024678,'
            '"l":26024682,"T":1754551358528,"m":false}',
            '{"e":"bookTicker","u":157240846459,"s":"BTCUSDT","b":"122046.7","B":"1.084","a":"122046.8","A":"0.001",'
            '"T":1754896692922,"E":1754896692926}',
            '{"e":"depthUpdate","E":1754556878284,"T":1754556878031,"s":"BTCUSDT","U":156391349814,"u":156391349814,'
            '"pu":156391348236,"b":[["114988.3","0.147"]],"a":[["114988.4","1.060"]]}',
            '{"e":"trade","E":1787302843505,"T":1787302843450,"s":"DOGEUSDT","t":21955616,"p":"0.086245","q":"3894",'
            '"X":"INSURANCE_FUND","m":true}',
            '{"e":"trade","E":1787302843505,"T":1787302843450,"s":"DOGEUSDT","t":21955616,"p":"0.086245","q":"3894",'
            '"m":true}',
        ]
        published = (
            '{"e":"aggTrade","E":1723161256322,"s":"BTCUSDT","a":5933014,"p":"61800.30","q":"0.006","f":100,"l":105,'
            '"T":1723161256320,"m":true}'
        )
        for payload in (*captured, published):
            for channel in ("depth20@100ms", "depth", "depth@100ms") if "depthUpdate" in payload else ("any",):
                frame = f'{{"stream":"x@{channel}","data":{payload}}}'.encode()
                short = shortly(frame, quantities=True)
                self.assertEqual(generally(frame), short)
                self.assertIsNotNone(shortly(frame))
                self.assertIsNone(shortly(frame.replace(b'"s":', b'"s": ')))

    def test_full_and_partial_books_are_told_apart(self) -> None:
        """Both are called depthUpdate: the name of the stream tells which, in every order of keys."""
        payload = (
            '{"e":"depthUpdate","E":1754556878284,"T":1754556878031,"s":"BTCUSDT","U":156391349810,"u":156391349814,'
            '"pu":156391348236,"b":[["114988.3","0.147"],["114988.2","0.000"]],"a":[]}'
        )
        for channel, kind in (("depth20@100ms", "orderbook"), ("depth5", "orderbook"), ("depth@0ms", "depth")):
            frame = f'{{"stream":"btcusdt@{channel}","data":{payload}}}'.encode()
            self.assertEqual([decoded(frame).kind.name, generally(frame).kind.name], [kind, kind])
        self.assertEqual(
            row_of(decoded(frame)), "1754556878.031,156391348236,156391349814,114988.3 0.147;114988.2 0.000,"
        )

    def test_a_change_that_comes_before_what_is_before_it(self) -> None:
        """It takes the long way, and is refused there: no book can follow it. Of the top of a book it says nothing."""
        payload = (
            '{"e":"depthUpdate","E":1754556878284,"T":1754556878031,"s":"BTCUSDT","U":1,"u":5,"pu":6,"b":[],"a":[]}'
        )
        full, top = (f'{{"stream":"x@{channel}","data":{payload}}}'.encode() for channel in ("depth", "depth5"))
        self.assertIsNone(shortly(full))
        with self.assertRaisesRegex(DecodeError, "odd field: pu"):
            generally(full)
        self.assertEqual(decoded(top).event[:3], (5, 1754556878031, 6))

    def test_a_change_of_spot_follows_the_one_before(self) -> None:
        """Where a change does not name the event before it, its first id is behind that one's last."""
        frame = b'{"stream":"x@depth","data":{"e":"depthUpdate","E":1754556878284,"s":"X","U":11,"u":14,"b":[],"a":[]}}'
        self.assertEqual(row_of(decoded(frame)), "1754556878.284,10,14,,")

    def test_a_snapshot_of_the_full_book_names_none_before(self) -> None:
        """It is told by a blank, and was not received live."""
        answer = {"lastUpdateId": 9, "E": 1754556878284, "T": 1754556878031, "bids": [["1.0", "2"]], "asks": []}
        one = depth.of_snapshot(answer, RECEIVED_NS)
        self.assertEqual(Form(KINDS["depth"], Options(receive_time=True)).rows([one]), ["1754556878.031,,9,1.0 2,,"])
        for odd in ([], {**answer, "bids": None}, {**answer, "lastUpdateId": "9"}, {**answer, "asks": [["1"]]}):
            with self.assertRaises(DecodeError):
                depth.of_snapshot(odd, RECEIVED_NS)

    def plain(self, one: One) -> None:
        for text in texts(one):
            self.assertRegex(text, re.compile(rf"\A{PLAIN.pattern}\Z", re.ASCII))
        row = row_of(one)
        self.assertNotRegex(row, r"[\n\r=\"]")
        self.assertEqual(row.count(",") + 1, len(one.kind.columns(Options(levels=5))))


if __name__ == "__main__":
    unittest.main()
