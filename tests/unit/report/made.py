"""Rows and folders that are made up for reports, small and random, with all that a report shows."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from aster_collect.exchange.form import columns_of
from aster_collect.exchange.ledger import LEDGER
from aster_collect.exchange.shape import form
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.report.rows import Rows

START_MS = 1_792_540_800_000  # the beginning of a day
DAY_MS = 86_400_000
STAMPED = Options(levels=5, receive_time=True)


def header(kind: str, options: Options = STAMPED) -> str:
    """Return the first line of a kind's files."""
    return ",".join(column.name for column in columns_of({**KINDS, LEDGER.name: LEDGER}[kind], options))


def rows_of(kind: str, lines: Sequence[str], options: Options = STAMPED) -> Rows:
    """Return lines as the rows that a report reads."""
    shape = form(KINDS[kind], header(kind, options).encode())
    assert shape is not None
    assert shape.pattern.fullmatch("".join(f"{line}\n" for line in lines).encode()), lines
    cells = [cell.encode() for line in lines for cell in line.split(",")]
    return Rows(shape, cells, [KINDS[kind].row_time_ms(line) for line in lines])


def seconds(time_ms: int) -> str:
    """Return a time as files have it in seconds."""
    return f"{time_ms // 1000}.{time_ms % 1000:03d}"


def quote(time_ms: int, bid: str, ask: str, delay_ms: int = 5) -> str:
    """Return a row of prices."""
    mid = f"{(float(bid) + float(ask)) / 2:.3f}"
    return f"{seconds(time_ms)},{bid},{ask},{mid},{(time_ms + delay_ms) * 1_000_000}"


def trade(number: int, time_ms: int, side: str, price: str, quantity: str, delay_ms: int | None = 5) -> str:
    """Return a row of trades, of one that was fetched without a time of receipt."""
    stamp = "" if delay_ms is None else (time_ms + delay_ms) * 1_000_000
    return f"{number},{time_ms},{side},{price},{quantity},{stamp}"


def book(time_ms: int, number: int, middle: float, chance: random.Random) -> str:
    """Return a row of the order book, five levels a side, a tick apart."""
    sides = [[(middle + way * 0.1 * (level + 1), chance.randint(1, 900)) for level in range(5)] for way in (-1, 1)]
    cells = ",".join(f"{price:.2f},{quantity / 100:.2f}" for side in sides for price, quantity in side)
    return f"{seconds(time_ms)},{number},{cells},{(time_ms + 7) * 1_000_000}"


def write(path: Path, kind: str, lines: Iterable[str], options: Options = STAMPED) -> None:
    """Write a file of a kind."""
    path.write_text("".join(f"{line}\n" for line in (header(kind, options), *lines)), "utf-8")


def gap(stream: str, start_ms: int, end_ms: int, cause: str, first: int | str = "", last: int | str = "") -> str:
    """Return a row of the ledger."""
    return f"{stream},{seconds(start_ms)},{seconds(end_ms)},{first},{last},{cause}"


def write_symbol(folder: Path, symbol: str, chance: random.Random, days: int = 30, each: int = 60) -> None:
    """Write a symbol's files of every kind that has a chart, each with so many rows a day, and a ledger."""
    span_ms = days * DAY_MS
    times = sorted(START_MS + chance.randrange(span_ms) for _ in range(days * each))
    middle, quotes, trades, books, marks, forced, interest = 1000.0, [], [], [], [], [], []
    for number, time_ms in enumerate(times):
        middle *= 1 + chance.gauss(0, 0.002)
        spread = chance.choice((0.1, 0.1, 0.1, 0.2, 0.5))
        quotes.append(quote(time_ms, f"{middle:.2f}", f"{middle + spread:.2f}", chance.randint(-3, 300)))
        side = chance.choice(("buy", "sell"))
        trades.append(trade(number, time_ms, side, f"{middle:.2f}", f"{chance.randint(1, 5000) / 100}"))
        books.append(book(time_ms, number, middle, chance))
        stamp = (time_ms + 9) * 1_000_000
        marks.append(f"{seconds(time_ms)},{middle:.4f},{middle * 1.0001:.4f},,{chance.gauss(0, 1e-4):.8f},,{stamp}")
        amount = f"{chance.randint(1, 99)}"
        words = f"{side},LIMIT,IOC,{middle:.2f},{middle:.2f},{amount},{amount},{amount},FILLED"
        forced.append(f"{time_ms},{words},{stamp}")
        interest.append(f"{time_ms},{5000 + number * 0.5:.3f},{stamp}")
    files = {"prices": quotes, "trades": trades, "orderbook": books, "mark": marks, "liquidations": forced}
    for kind, lines in {**files, "open-interest": interest}.items():
        write(folder / KINDS[kind].file_name(symbol), kind, lines)
    gaps = []
    for cause in ("reconnect", "restart", "late", "clock"):
        start_ms = START_MS + chance.randrange(span_ms - DAY_MS)
        gaps.append(gap("prices", start_ms, start_ms + chance.randrange(DAY_MS), cause))
    write(folder / LEDGER.file_name(symbol), "gaps", gaps)
