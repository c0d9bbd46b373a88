"""A random market's true files: the full book with what may happen to it, and what else shows its top."""

import random
from datetime import date, timedelta

from tests import rows
from tests.unit.verify.test_verify import BOOK, GAPS, PRICES, START_MS, Lines

DEPTH = rows.file_name("depth", "BTCUSDT")
HEADER = "unix_timestamp,previous_update_id,update_id,bids,asks"
QUOTES = "unix_timestamp,bid,ask,mid,update_id,bid_qty,ask_qty"
LEVELS = 5
Side = dict[int, int]


class Market:
    """A book of which every change has an id, and the files of somebody who recorded it rightly."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.places = chance.choice((0, 2))
        self.time_ms, self.id = START_MS, chance.randrange(10**6)
        self.bids: Side = {10_000 - level: chance.randrange(1, 99) for level in range(chance.randrange(1, 9))}
        self.asks: Side = {10_001 + level: chance.randrange(1, 99) for level in range(chance.randrange(1, 9))}
        self.changed: tuple[Side, Side] = ({}, {})
        self.written = (0, 0)  # the last row's id and time
        self.kept: tuple[list[str], list[str]] | None = None  # what the next file begins with
        self.depth: list[Lines] = [[HEADER]]
        self.books = [",".join(rows.columns(rows.ORDERBOOK, LEVELS, False))]
        self.quotes = [QUOTES]
        self.ledger = [",".join(rows.columns(rows.GAPS, LEVELS, False))]
        self.stretches: list[tuple[int, int]] = []
        self.shown: dict[str, list[tuple[int, int]]] = {BOOK: [], PRICES: []}  # line and time of rows at a row's id
        self.joined: list[tuple[int, int]] = []  # file and line of rows that name the row before

    def play(self, turns: int) -> dict[str, Lines]:
        """Return the files of so many turns."""
        self.snapshot()
        for _ in range(turns):
            self.chance.choices((self.batch, self.hole, self.rotate), (20, 1, 1))[0]()
        return self.files()

    def files(self) -> dict[str, Lines]:
        """Return the files, the last of the full book as the current one."""
        names = [self.name(number) for number in range(len(self.depth))]
        return dict(zip(names, self.depth, strict=True)) | {BOOK: self.books, PRICES: self.quotes, GAPS: self.ledger}

    def name(self, number: int) -> str:
        """Return the name of one of the files of the full book."""
        day = date(2024, 1, 1) + timedelta(number)
        return DEPTH if number == len(self.depth) - 1 else DEPTH.replace(".csv", f".{day}.csv")

    def proven(self, name: str) -> list[int]:
        """Return the lines of a file that the full book proves: at an id of it, and not in a stretch."""
        return [
            line
            for line, time_ms in self.shown[name]
            if not any(start <= time_ms <= end for start, end in self.stretches)
        ]

    def levels(self, side: Side, *, falling: bool = False) -> list[str]:
        scale = 10**self.places
        return [f"{price / scale:.{self.places}f} {side[price]}.0" for price in sorted(side, reverse=falling)]

    def sides(self) -> tuple[list[str], list[str]]:
        return self.levels(self.bids, falling=True), self.levels(self.asks)

    def row(self, previous_id: str, number: int, sides: tuple[list[str], list[str]]) -> None:
        bids, asks = (";".join(side) for side in sides)
        self.depth[-1].append(f"{rows.seconds(self.time_ms)},{previous_id},{number},{bids},{asks}")
        self.written = number, self.time_ms
        self.kept = None

    def snapshot(self) -> None:
        self.row("", self.id, self.sides())
        self.changed = ({}, {})
        self.show(at_a_row=True)

    def change(self) -> None:
        """Let one level change, never so that the book is crossed."""
        self.id += self.chance.randrange(1, 5)
        at = self.chance.randrange(2)
        ours = (self.bids, self.asks)[at]
        if len(ours) > 1 and self.chance.random() < 0.4:
            price, quantity = self.chance.choice(list(ours)), 0
            del ours[price]
        else:
            far = self.chance.randrange(9)
            price = max(self.bids) + 1 + far if at else min(self.asks) - 1 - far
            quantity = ours[price] = self.chance.randrange(1, 99)
        self.changed[at][price] = quantity

    def show(self, *, at_a_row: bool) -> None:
        """Let the exchange send its order book and its quote, or none."""
        stamp, sides = rows.seconds(self.time_ms), self.sides()
        if self.chance.random() < 0.4:
            cells = [",".join([*side[:LEVELS], *[" "] * (LEVELS - len(side))]).replace(" ", ",") for side in sides]
            self.tell(self.books, BOOK, f"{stamp},{self.id},{','.join(cells)}", at_a_row)
        if self.chance.random() < 0.6:
            (bid, bid_quantity), (ask, ask_quantity) = (side[0].split(" ") for side in sides)
            quote = f"{bid},{ask},{rows.middle(bid, ask)},{self.id},{bid_quantity},{ask_quantity}"
            self.tell(self.quotes, PRICES, f"{stamp},{quote}", at_a_row)

    def tell(self, lines: Lines, name: str, line: str, at_a_row: bool) -> None:
        if at_a_row:
            self.shown[name].append((len(lines), self.time_ms))
        lines.append(line)

    def batch(self) -> None:
        """Let some levels change, and write what they are by then."""
        self.time_ms += self.chance.choice((1, 100, 2500))
        previous_id, _ = self.written
        if self.kept:
            self.row("", previous_id, self.kept)
        for _ in range(self.chance.randrange(1, 6)):
            self.change()
            if self.chance.random() < 0.2:
                self.id += 1
                self.show(at_a_row=False)
                self.id += 1
        self.joined.append((len(self.depth) - 1, len(self.depth[-1])))
        changed = self.levels(self.changed[0]), self.levels(self.changed[1])
        self.row(str(previous_id), self.id, changed)
        self.changed = ({}, {})
        self.show(at_a_row=True)

    def hole(self) -> None:
        """Let some changes be lost, tell of it, and begin anew."""
        for _ in range(self.chance.randrange(1, 9)):
            self.change()
        _, start_ms = self.written
        self.time_ms += self.chance.randrange(2500, 9000)
        self.stretches.append((start_ms, self.time_ms))
        cause = self.chance.choice(("hole", "restart", "mismatch"))
        self.ledger.append(f"depth,{rows.seconds(start_ms)},{rows.seconds(self.time_ms)},,,{cause}")
        self.snapshot()

    def rotate(self) -> None:
        """Close the file, if there is anything in it."""
        if len(self.depth[-1]) > 1:
            self.depth.append([HEADER])
            self.kept = self.sides()
