"""What docs/raw.md shows of the raw record is so, and what it filters is what hftbacktest reads."""

import json
import shutil
import subprocess
import tempfile
from gzip import GzipFile
from pathlib import Path
from unittest import TestCase, skipUnless

from aster_collect.exchange.events import Answer, Ask, Batch
from aster_collect.files.raw import RawWriter
from aster_collect.files.raw_reader import RawLines
from aster_collect.order.entries import Entry, Moment, Step
from aster_collect.order.record import lines_of
from aster_collect.order.record_reader import read_entries
from tests.unit.docs.page import DOCS, ROOT, fenced

RAW = DOCS["raw"]
NOON_NS = 1_795_521_600_000_000_000
HOUR_NS = 3_600_000_000_000
TOOLS = ("sh", "gzip", "awk")


def fill(number: int, symbol: str = "BTCUSDT", origin: str = ',"X":"MARKET"') -> str:
    event = f'{{"e":"trade","E":3,"T":2,"s":"{symbol}","t":{number},"p":"1.5","q":"2"{origin},"m":true}}'
    return f'{{"stream":"{symbol.lower()}@trade","data":{event}}}'


def diff(number: int, stream: str = "depth@100ms", symbol: str = "BTCUSDT") -> str:
    event = f'{{"e":"depthUpdate","E":3,"T":2,"s":"{symbol}","U":1,"u":{number},"pu":0,"b":[["1.5","2"]],"a":[]}}'
    return f'{{"stream":"{symbol.lower()}@{stream}","data":{event}}}'


def quote(number: int, symbol: str = "BTCUSDT") -> str:
    event = f'{{"e":"bookTicker","u":{number},"s":"{symbol}","b":"1.5","B":"2","a":"1.6","A":"3","T":2,"E":3}}'
    return f'{{"stream":"{symbol.lower()}@bookTicker","data":{event}}}'


def trade(number: int) -> str:
    return f'{{"stream":"btcusdt@aggTrade","data":{{"e":"aggTrade","a":{number},"s":"BTCUSDT"}}}}'


def batch(connection: int, *frames: str) -> Batch:
    texts = [frame.encode() for frame in frames]
    bounds, end = [], 0
    for text in texts:
        bounds += [end, end + len(text)]
        end += len(text)
    return Batch(connection, NOON_NS, 1.5, b"".join(texts), bounds)


def answer(kind: str, symbol: str, value: object, refused: str = "") -> Answer:
    return Answer(Ask("/fapi/v3/depth", (("symbol", symbol),), 20, kind, symbol), NOON_NS, NOON_NS, value, refused)


class TheRecord(TestCase):
    def test_the_lines_that_are_shown(self) -> None:
        """They are lines of a record: a batch of two frames."""
        (block, *_) = fenced("text", RAW.text)
        lines = [(int(line[:19]), line[20:].encode()) for line in block.splitlines()]
        ((_, read),) = read_entries(lines)
        self.assertIsInstance(read, Batch)


@skipUnless(all(map(shutil.which, TOOLS)), f"needs {', '.join(TOOLS)}")
class ForHftbacktest(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "docs").symlink_to(ROOT / "docs")
        self.data = self.folder / "ASTER_data"
        self.data.mkdir()

    def record(self, *entries: Entry, period_ns: int = NOON_NS) -> None:
        writer = RawWriter(self.data, sync=False)
        for entry in entries:
            lines = lines_of(Moment(1.5, period_ns), entry)
            writer.append(lines._replace(stamp_ns=period_ns + lines.stamp_ns - NOON_NS))
        writer.flush()
        writer.close()

    def filtered(self, symbol: str) -> list[str]:
        """Return what the documented command leaves of the record."""
        (command,) = [line for block in fenced("sh", RAW.text) for line in block.splitlines() if "awk" in line]
        command = command.replace("BTCUSDT", symbol)
        done = subprocess.run(["sh", "-c", command], cwd=self.folder, capture_output=True, timeout=30, check=True)
        self.assertEqual(done.stderr, b"")
        with GzipFile(self.folder / f"{symbol}.gz") as file:
            lines = file.read().decode("utf-8").splitlines()
        for line in lines:
            self.assert_converted(line)
        return [line[20:] for line in lines]

    def assert_converted(self, line: str) -> None:
        """Fail where the converter (hftbacktest 2.4.4, data/utils/binancefutures.py) would stop, or take it wrongly."""
        self.assertGreater(int(line[:19]), 0)
        message = json.loads(line[20:])
        data = message.get("data")
        if data is None:
            int(message["T"]), [float(price) for side in ("bids", "asks") for price, _ in message[side]]
        elif data["e"] == "trade":
            float(data["p"]), float(data["q"]), data["X"], data["m"], int(data["T"])
        else:
            self.assertIn(data["e"], ("depthUpdate", "bookTicker"))

    def test_a_record_of_two_symbols(self) -> None:
        """Of one symbol the frames of its full book, fills and quotes stay, and its snapshots; all else goes."""
        book = {"lastUpdateId": 7, "E": 3, "T": 2, "bids": [["1.5", "2"]], "asks": []}
        for symbol, other in (("BTCUSDT", "币安人生USDT"), ("币安人生USDT", "BTCUSDT")):
            wanted = [fill(5, symbol), diff(6, symbol=symbol), diff(6, "depth", symbol), quote(4, symbol)]
            self.record(
                Step(),
                batch(1, *wanted, trade(9), diff(9, "depth20@100ms", symbol), fill(8, other), '{"result":null,"id":1}'),
                answer("depth", symbol, book),
                answer("depth", symbol, None, "maintenance"),
                answer("depth", other, book),
                answer("open-interest", symbol, {"symbol": symbol, "openInterest": "1", "time": 2}),
            )
            snapshot = json.dumps(book, separators=(",", ":"))
            self.assertEqual(self.filtered(symbol), [*wanted, snapshot])
            for path in self.data.iterdir():
                path.unlink()

    def test_connections_that_carry_the_same(self) -> None:
        """Each event stays once, however they overlap."""
        self.record(batch(1, fill(1), diff(1), quote(1)), batch(2, fill(1), fill(2), diff(1), diff(2), quote(1)))
        self.record(batch(1, fill(2), fill(3), diff(2), quote(2)), period_ns=NOON_NS + HOUR_NS)
        self.assertEqual(self.filtered("BTCUSDT"), [fill(1), diff(1), quote(1), fill(2), diff(2), fill(3), quote(2)])

    def test_a_fill_that_says_no_origin(self) -> None:
        """The converter would stop there: it gets one."""
        self.record(batch(1, fill(1, origin=""), fill(2, origin=',"X":"ADL"')))
        without, other = map(json.loads, self.filtered("BTCUSDT"))
        self.assertEqual((without["data"]["X"], without["data"]["t"], other["data"]["X"]), ("MARKET", 1, "ADL"))

    def test_a_file_that_was_set_aside(self) -> None:
        """It is no part of the record."""
        self.record(batch(1, fill(1)))
        (path,) = self.data.iterdir()
        path.rename(self.data / "raw.2026-11-24T12.20261124T125640Z.jsonl.gz")
        self.record(batch(1, fill(2)), period_ns=NOON_NS + HOUR_NS)
        self.assertEqual(self.filtered("BTCUSDT"), [fill(2)])
        self.assertEqual(len(list(RawLines(self.data.glob("raw.*T??.jsonl.gz")))), 2)
