"""What several tests need: seeds, the program as a child process, and the rows that the market says it must leave."""

import csv
import errno
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from decimal import Decimal
from itertools import chain, pairwise, repeat
from pathlib import Path
from typing import NamedTuple

from aster_collect.simulator import Market, Sent, Simulator
from aster_collect.verify import check_folder

ROOT = Path(__file__).resolve().parent.parent
END_BYTES = 1 << 18  # of a file: more than its last row takes, a whole book too
DEADLINE_S = 30.0  # for what takes a moment: only a broken program takes longer, even on a busy machine
LOOK_S = 0.01
LOG_SHOWN = 40  # lines of the program's log that a failure shows
LEDGER_MARGIN_MS = 1000
PRICES, ORDERBOOK, TRADES, GAPS = "prices", "orderbook", "trades", "gaps"


def rounds(count: int) -> Iterator[tuple[int, random.Random]]:
    """Yield so many seeds, each with its generator; `ASTER_TEST_SEED`, if set, is the first of them."""
    first = int(os.environ.get("ASTER_TEST_SEED") or random.randrange(10**9))
    for seed in range(first, first + count):
        yield seed, random.Random(seed)


def now_ms() -> int:
    """Return the time of day, in Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Disk:
    """Stands in for `os.write`: while full it takes a part, or nothing; `room` is how many bytes it still takes."""

    def __init__(self, room: int | None = None) -> None:
        self.room = room

    def __call__(self, descriptor: int, data: bytes) -> int:
        if self.room is None:
            return os.write(descriptor, data)
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = os.write(descriptor, data[: self.room])
        self.room -= done
        return done


class Collector:
    """The program in a process of its own; a context manager that leaves no process behind."""

    def __init__(
        self,
        words: Iterable[str],
        folder: Path,
        *,
        module: Iterable[str] = ("aster_collect",),
        environment: dict[str, str] | None = None,
        stderr: int = subprocess.PIPE,
        before: Iterable[str] = (),
    ) -> None:
        """Start `python -m MODULE WORDS --data-dir FOLDER`; a thread reads its log, unless it goes to `stderr`.

        `before` is a command that becomes the one that stands behind it.
        """
        self.folder = folder
        self.lines: list[str] = []
        self._came = threading.Condition()
        self._ended = False
        known = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", *module, *words, "--data-dir", str(folder)],
            cwd=ROOT,
            env={**known, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.process.stderr or nullcontext(()) as log:
            for line in log:
                with self._came:
                    self.lines.append(line.rstrip("\n"))
                    self._came.notify_all()
        with self._came:
            self._ended = True
            self._came.notify_all()

    def __enter__(self) -> "Collector":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def logged(self, word: str) -> list[str]:
        """Return the lines of the log that hold a word."""
        return [line for line in list(self.lines) if word in line]

    def wait_for_log(self, word: str, count: int = 1, seconds: float = DEADLINE_S) -> str:
        """Block until a word stands in so many lines of the log, and return the last of those."""
        with self._came:
            self._came.wait_for(lambda: self._ended or len(self.logged(word)) >= count, seconds)
        found = self.logged(word)
        if len(found) < count:
            raise AssertionError(f"{word!r} stands in {len(found)} lines, not {count}, of the log:\n{self.tail()}")
        return found[count - 1]

    def wait_for(self, condition: Callable[[], object], what: str, seconds: float = DEADLINE_S) -> None:
        """Block until a condition holds; fail when the program ends or the time is up before."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None:
                raise AssertionError(f"the program ended, waiting for: {what}; its log:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds:g} s for: {what}; the log:\n{self.tail()}")
            time.sleep(LOOK_S)

    def wait_for_rows(self, kind: str, symbol: str, since_ms: int = 0, seconds: float = DEADLINE_S) -> None:
        """Block until a file has a row that was made at or after a time, in Unix milliseconds."""
        path = self.folder / f"{kind}_{symbol}.csv"
        self.wait_for(lambda: last_ms(path) >= since_ms, f"a row in {path.name} from {since_ms} on", seconds)

    def send(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self, seconds: float = DEADLINE_S) -> int:
        """Block until the program has ended by itself, and return its exit status."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the program did not end in {seconds:g} s; its log:\n{self.tail()}") from None
        self._reader.join(DEADLINE_S)
        return status

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.send(number)
        return self.wait()

    def kill(self) -> None:
        """End the program without a chance to do anything; does nothing when it has ended."""
        self.process.kill()
        self.wait()

    def tail(self) -> str:
        """Return the end of the log."""
        return "\n".join(self.lines[-LOG_SHOWN:])


class Event(NamedTuple):
    """What the exchange sent: the symbol's id of it, its time and time of sending (ms), and the row that it must be."""

    kind: str
    symbol: str
    id: int
    time_ms: int
    sent_ms: int
    row: str


def event_of(payload: str, levels: int = 10) -> Event | None:
    """Return what must be written for a payload, None for nothing; by decimal arithmetic, not by the program's own."""
    data = json.loads(payload)
    if data["e"] == "bookTicker":
        middle = (Decimal(data["b"]) + Decimal(data["a"])) / 2
        cells = [f"{Decimal(data['T']) / 1000:.3f}", data["b"], data["a"], f"{middle:f}"]
        return Event(PRICES, data["s"], data["u"], data["T"], data["E"], ",".join(cells))
    if data["e"] == "aggTrade":
        cells = [str(data["a"]), str(data["T"]), "sell" if data["m"] else "buy", data["p"], data["q"]]
        return Event(TRADES, data["s"], data["a"], data["T"], data["E"], ",".join(cells))
    if data["e"] == "depthUpdate":
        sides = [side[:levels] + [["", ""]] * (levels - len(side)) for side in (data["b"], data["a"])]
        cells = [f"{Decimal(data['T']) / 1000:.3f}", str(data["u"]), *chain(*chain(*sides))]
        return Event(ORDERBOOK, data["s"], data["u"], data["T"], data["E"], ",".join(cells))
    return None


def stream_of(kind: str, symbol: str, levels: int = 10) -> str:
    """Return the stream that a kind of file is made of."""
    return symbol.lower() + {PRICES: "@bookTicker", TRADES: "@aggTrade", ORDERBOOK: f"@depth{levels}@100ms"}[kind]


def market_events(
    market: Market, kind: str, symbol: str, from_ms: int, to_ms: int, levels: int = 10
) -> Iterator[Event]:
    """Yield everything that a symbol's stream brought between two times of making, both included, seen or not."""
    source = market.source(stream_of(kind, symbol, levels))
    assert source is not None, "the market has no such stream"
    number = source.first_after((from_ms - 100) * 1000)  # an event is sent up to 22 ms after it is made
    while True:
        event = event_of(source.text(number), levels)
        assert event is not None
        if event.time_ms > to_ms:
            return
        if event.time_ms >= from_ms:
            yield event
        number += 1


def event_of_sent(sent: Sent, levels: int = 10) -> Event | None:
    """Return what must be written for a frame, None for nothing."""
    return event_of(sent.payload, levels)


def sent_ids(sent: Iterable[Sent], symbol: str) -> list[int]:
    """Return the ids of a symbol's trades that were sent, in that order."""
    stream = stream_of(TRADES, symbol)
    return [json.loads(one.payload)["a"] for one in sent if one.stream == stream]


def read_rows(path: Path) -> Iterator[str]:
    """Yield a file's rows behind its header; fails on a torn line."""
    with path.open(encoding="ascii", newline="\n") as lines:
        for number, line in enumerate(lines):
            assert line.endswith("\n"), f"{path.name}:{number + 1} is torn: {line!r}"
            if number:
                yield line[:-1]


def time_ms(row: str, kind: str) -> int:
    """Return a row's time in milliseconds."""
    cells = row.split(",", 2)
    return int(cells[1]) if kind == TRADES else int(cells[0].replace(".", ""))


def last_ms(path: Path) -> int:
    """Return the time of a file's last whole row, in milliseconds, -1 while it has none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - END_BYTES))
            lines = file.read().decode("ascii", "replace").split("\n")[:-1]
    except FileNotFoundError:
        return -1
    row = lines[-1] if lines else ""
    return time_ms(row, path.name.partition("_")[0]) if row[:1].isdigit() else -1


class Gap(NamedTuple):
    """A row of a ledger; the ids are None for a stretch of time."""

    stream: str
    from_ms: int
    to_ms: int
    first_id: int | None
    last_id: int | None
    cause: str


def read_gaps(folder: Path, symbol: str) -> list[Gap]:
    """Return a symbol's ledger."""
    with (folder / f"{GAPS}_{symbol}.csv").open(encoding="ascii", newline="") as lines:
        return [
            Gap(
                row["stream"],
                int(row["from_unix_timestamp"].replace(".", "")),
                int(row["to_unix_timestamp"].replace(".", "")),
                int(row["first_missing_id"]) if row["first_missing_id"] else None,
                int(row["last_missing_id"]) if row["last_missing_id"] else None,
                row["cause"],
            )
            for row in csv.DictReader(lines)
        ]


def read_rejects(folder: Path) -> list[dict[str, str]]:
    """Return the entries of a folder's rejects."""
    return [json.loads(line) for line in (folder / "rejects.jsonl").read_text("ascii").splitlines()]


class Stretch(NamedTuple):
    """A time in which no connection delivered, in the exchange's milliseconds."""

    from_ms: int
    to_ms: int


def outages(sent: Iterable[Sent]) -> list[Stretch]:
    """Return the times between connections that followed one another, from what was sent on each."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for one in sent:
        sent_ms = json.loads(one.payload)["E"]
        first.setdefault(one.connection, sent_ms)
        last[one.connection] = sent_ms
    numbers = sorted(first)
    return [Stretch(last[one], first[other]) for one, other in pairwise(numbers)]


class EndToEnd(unittest.TestCase):
    """An exchange, the program against it, and its files held against what the exchange sent."""

    exchange: Simulator
    collector: Collector  # the newest
    levels = 10

    def setUp(self) -> None:
        self.base = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="aster-test-")))
        self.folder = self.base / "data"

    def begin(self, symbols: Iterable[str] = ("BTCUSDT", "ETHUSDT"), rate: float = 1000.0, **how: object) -> Simulator:
        """Start the exchange of this test; it records what it sends."""
        self.symbols = tuple(symbols)
        self.exchange = self.enterContext(Simulator(self.symbols, rate, **{"record": True, **how}))
        return self.exchange

    def collect(self, *options: str, symbols: Iterable[str] | None = None, **how: object) -> Collector:
        """Start the program for all symbols of the exchange, with short intervals, and a short past of trades."""
        words = [
            *(self.symbols if symbols is None else symbols),
            "--ws-url", self.exchange.ws_url, "--rest-url", self.exchange.rest_url,
            "--flush-interval", "0.2", "--history", "50", *options,
        ]  # fmt: skip
        self.collector = self.enterContext(Collector(words, self.folder, **how))
        return self.collector

    def wait_for_everything(self, collector: Collector, since_ms: int = 0) -> None:
        """Block until every file has a row from a time on."""
        for symbol in self.symbols:
            for kind in (PRICES, ORDERBOOK, TRADES):
                collector.wait_for_rows(kind, symbol, since_ms)

    def rows(self, kind: str, symbol: str) -> list[str]:
        """Return the rows of a file."""
        return list(read_rows(self.folder / f"{kind}_{symbol}.csv"))

    def stop(self, collector: Collector, number: int = signal.SIGTERM) -> None:
        """Stop the program in order; fails when it does not end with 0."""
        self.assertEqual(0, collector.stop(number), collector.tail())

    def assert_promises(
        self, market: Market | None = None, *, missing: bool = True, trades_missing: bool = False
    ) -> None:
        """Fail unless verify finds nothing wrong, and every file is whole, held against the market.

        Of prices and orderbook everything is there, or lies in a stretch of the ledger; without `missing` the ledger
        has no row. Trades are without a hole; with `trades_missing` those that the ledger names are not there.
        """
        self.assert_verified()
        market = market or self.exchange.market
        for symbol in self.symbols:
            gaps = read_gaps(self.folder, symbol)
            if not missing:
                self.assertEqual([], gaps)
            if not trades_missing:
                self.assertEqual([], [gap for gap in gaps if gap.stream == TRADES])
            self.assert_trades_whole(symbol, market)
            for kind in (PRICES, ORDERBOOK):
                self.assert_all_there_or_in_ledger(kind, symbol, market)

    def assert_verified(self) -> None:
        """Fail unless the program that checks the files finds that all promises hold."""
        report = check_folder(self.folder)
        self.assertEqual(0, report.total, "\n".join(report.text()))

    def assert_trades_whole(self, symbol: str, market: Market) -> None:
        """Fail unless a file is the market's trades from its first id to its last, but for those in the ledger."""
        source = market.source(stream_of(TRADES, symbol))
        assert source is not None
        gaps = [gap for gap in read_gaps(self.folder, symbol) if gap.stream == TRADES]
        missing = {
            one
            for gap in gaps
            if gap.first_id is not None and gap.last_id is not None
            for one in range(gap.first_id, gap.last_id + 1)
        }
        next_id = 0
        for row in read_rows(self.folder / f"{TRADES}_{symbol}.csv"):
            next_id = next_id or int(row.partition(",")[0])
            while next_id in missing:
                next_id += 1
            event = event_of(source.text(next_id))
            assert event is not None
            self.assertEqual(event.row, row, f"trades of {symbol}")
            next_id += 1
        self.assertGreater(next_id, 0, f"no trades of {symbol}")

    def assert_all_there_or_in_ledger(self, kind: str, symbol: str, market: Market) -> list[Event]:
        """Fail unless a file is the market's events in order, each once, but for some within stretches of the ledger.

        Returns what is missing.
        """
        path = self.folder / f"{kind}_{symbol}.csv"
        stretches = [gap for gap in read_gaps(self.folder, symbol) if gap.stream == kind]
        first, final = next(read_rows(path), None), last_ms(path)
        assert first is not None, f"{path.name} has no rows"
        from_ms = time_ms(first, kind)
        rows = read_rows(path)
        row = next(rows, None)
        missing = []
        for event in market_events(market, kind, symbol, from_ms, final, self.levels):
            if event.row == row:
                row = next(rows, None)
            elif event.time_ms not in (from_ms, final):  # others of these milliseconds may not have been sent to us
                missing.append(event)
        self.assertIsNone(row, f"{path.name}: not an event of the market, or not in order, or double")
        for event in missing:
            explained = any(
                gap.from_ms - 1 <= made_ms <= gap.to_ms + 1
                for gap in stretches
                for made_ms in (event.time_ms, event.sent_ms)
            )
            self.assertTrue(explained, f"{path.name} lacks what no row of the ledger explains: {event}, {stretches}")
        return missing

    def assert_sent_is_there(self, frames: int | None = None) -> None:
        """Fail unless what was sent on the only connection there was is in the files, as text and in order.

        The first so many frames are; without `frames`, all up to the last one that is there at all.
        """
        sent = list(self.exchange.sent)
        self.assertEqual({1}, {one.connection for one in sent}, f"one connection is meant\n{self.collector.tail()}")
        places: dict[tuple[str, str], list[tuple[int, Event]]] = {}
        for place, event in enumerate(map(event_of_sent, sent, repeat(self.levels))):
            if event is not None:
                places.setdefault((event.kind, event.symbol), []).append((place, event))
        written: dict[tuple[str, str], int] = {}
        last = -1 if frames is None else frames - 1
        for (kind, symbol), events in places.items():
            first_live = events[0][1].id
            rows = self.rows(kind, symbol)
            if kind == TRADES:
                rows = [row for row in rows if int(row.partition(",")[0]) >= first_live]
            self.assertLessEqual(len(rows), len(events), f"{kind} of {symbol}")
            for row, (_, event) in zip(rows, events, strict=False):
                self.assertEqual(event.row, row, f"{kind} of {symbol}")
            written[kind, symbol] = len(rows)
            if rows and frames is None:
                last = max(last, events[len(rows) - 1][0])
        for (kind, symbol), events in places.items():
            due = sum(place <= last for place, _ in events)
            self.assertEqual(
                due, written[kind, symbol], f"{kind} of {symbol}: received, but not written, or sent later"
            )

    def assert_ledger(self, expected: list[Stretch], cause: str = "reconnect") -> None:
        """Fail unless the ledgers are these stretches, each to within a second, for prices and for orderbook."""
        for symbol in self.symbols:
            gaps = read_gaps(self.folder, symbol)
            for kind in (PRICES, ORDERBOOK):
                found = [gap for gap in gaps if gap.stream == kind]
                self.assertEqual(len(expected), len(found), f"{kind} of {symbol}: {found} instead of {expected}")
                for wanted, gap in zip(expected, found, strict=True):
                    self.assertEqual(cause, gap.cause)
                    self.assertLess(abs(wanted.from_ms - gap.from_ms), LEDGER_MARGIN_MS, f"{gap}, not {wanted}")
                    self.assertLess(abs(wanted.to_ms - gap.to_ms), LEDGER_MARGIN_MS, f"{gap}, not {wanted}")
            self.assertEqual([], [gap for gap in gaps if gap.stream == TRADES])
