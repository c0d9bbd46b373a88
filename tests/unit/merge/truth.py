"""A random market as it truly was, and recorders of it that each lose something, and write true files of the rest."""

import gzip
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from aster_collect.exchange.form import columns_of
from aster_collect.exchange.ledger import LEDGER
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.files.names import DAY_MS, HOUR_MS, Part
from aster_collect.files.period import period_end, period_name
from tests import rows

S = "BTCUSDT"
START_MS = 1_795_363_200_000 - 3 * HOUR_MS // 2
FETCHED = -1
Range = tuple[int, int]
Book = tuple[dict[int, int], dict[int, int]]


class Event(NamedTuple):
    """One thing that happened: its id or place, when, and the row without the time of receipt."""

    number: int
    time_ms: int
    body: str


class Change(NamedTuple):
    """One level of the book that changed, and the book behind it."""

    id: int
    time_ms: int
    side: int
    price: int
    quantity: int
    book: Book


class Truth:
    """All that happened, by kind."""

    def __init__(self, chance: random.Random, size: int) -> None:
        self.chance, self.size = chance, size
        self.options = Options(levels=5, quantities=chance.random() < 0.5, receive_time=chance.random() < 0.4)
        self.length_ms = chance.choice((HOUR_MS // 2, 4 * HOUR_MS, 26 * HOUR_MS)) if size > 200 else HOUR_MS // 2
        self.end_ms = START_MS + self.length_ms
        self.events = {
            "trades": [self.trade(*at) for at in self.moments(1)],
            "prices": [self.quote(*at) for at in self.moments(5)],
            "orderbook": [self.top(*at) for at in self.moments(9)],
            "mark": [self.mark(*at) for at in self.moments(1, apart=True)],
            "liquidations": [self.liquidation(*at) for at in self.moments(1, few=True)],
        }
        self.changes = self.play()

    def moments(self, most: int, *, apart: bool = False, few: bool = False) -> list[Range]:
        """Return ids that rise, and their times."""
        count = self.size // 20 if few else self.size
        times = [START_MS + self.chance.randrange(self.length_ms) for _ in range(count)]
        if not apart:  # bursts
            times = [one for one in times for _ in range(self.chance.choice((1, 1, 1, 4)))]
        number, found = self.chance.randrange(1, 10**9), []
        for time_ms in sorted(set(times) if apart else times):
            number += self.chance.randrange(most) + 1 if most > 1 else 1
            found.append((number, time_ms))
        return found

    def trade(self, number: int, time_ms: int) -> Event:
        side, quantity = self.chance.choice(("buy", "sell")), self.chance.randrange(1, 99)
        return Event(number, time_ms, f"{number},{time_ms},{side},61.50,0.0{quantity}")

    def quote(self, number: int, time_ms: int) -> Event:
        price = self.chance.randrange(3)
        body = f"{rows.seconds(time_ms)},1{price}.10,1{price}.30,1{price}.20"
        return Event(number, time_ms, f"{body},{number},1.0,{price + 2}" if self.options.quantities else body)

    def top(self, number: int, time_ms: int) -> Event:
        cells = ",".join(f"{100 - level}.5,{self.chance.randrange(1, 9)}" for level in range(5))
        return Event(number, time_ms, f"{rows.seconds(time_ms)},{number},{cells},101.5,2,,,,,,,,")

    def mark(self, number: int, time_ms: int) -> Event:
        price = f"{self.chance.randrange(100, 999)}.5"
        return Event(number, time_ms, f"{rows.seconds(time_ms)},{price},{price},,-0.00010000,1795536000000")

    def liquidation(self, number: int, time_ms: int) -> Event:
        body = (
            f"{time_ms},sell,LIMIT,IOC,{self.chance.randrange(100, 999)}.1,99.2,0.{number % 97 + 1},0.014,0.014,FILLED"
        )
        return Event(number, time_ms, body)

    def play(self) -> list[Change]:
        """Return what changes of a book that is never crossed."""
        bids = {price: self.chance.randrange(1, 99) for price in range(100, 108)}
        asks = {price: self.chance.randrange(1, 99) for price in range(200, 208)}
        changes = []
        for number, time_ms in self.moments(5):
            side = self.chance.randrange(2)
            price = 100 * (side + 1) + self.chance.randrange(20)
            quantity = self.chance.choice((0, self.chance.randrange(1, 99)))
            (bids, asks)[side][price] = quantity
            if not quantity:
                del (bids, asks)[side][price]
            changes.append(Change(number, time_ms, side, price, quantity, (dict(bids), dict(asks))))
        return changes


def levels(side: dict[int, int], *, falling: bool = False) -> str:
    return ";".join(f"{price}.50 {side[price]}.0" for price in sorted(side, reverse=falling))


class Recorder:
    """One who was there for some of it: what was lost, and the files of the rest.

    `lacks` are by kind the stretches of its ledger, `has` the numbers of the events that it has, `ids` the ranges of
    trades that its ledger lists.
    """

    def __init__(self, truth: Truth, chance: random.Random) -> None:
        self.truth, self.chance = truth, chance
        length_ms = truth.length_ms
        self.from_ms = START_MS + chance.choice((0, chance.randrange(length_ms)))
        self.to_ms = chance.choice((truth.end_ms, chance.randrange(self.from_ms, truth.end_ms) + 1))
        starts = [START_MS + chance.randrange(length_ms) for _ in range(chance.randrange(5))]
        self.outages = [(start, start + chance.randrange(1, length_ms // chance.choice((4, 40)))) for start in starts]
        for _, end in list(self.outages):  # hardly back, and gone again
            back = next((one.time_ms for one in truth.events["prices"] if one.time_ms >= end), None)
            if back is not None and chance.random() < 0.5:
                self.outages.append((back + 1, back + chance.randrange(2, length_ms // 4)))
        self.rotate_ms = chance.choice((0, HOUR_MS, DAY_MS))
        self.packed = chance.random()
        self.delay_ns = chance.randrange(1, 10**9)
        self.gaps: list[tuple[str, int, int, str, str, str]] = []
        self.has: dict[str, list[Event]] = {}
        self.stamps: dict[str, dict[int, str]] = {}
        self.files: dict[str, list[tuple[int, str]]] = {}
        for kind, events in truth.events.items():
            self.record(kind, events)
        self.links: list[tuple[int, int]] = []  # previous and own id of the rows that are changes
        self.record_book()

    def there(self, time_ms: int) -> bool:
        """Return whether it ran, and was connected."""
        if not self.from_ms <= time_ms <= self.to_ms:
            return False
        return not any(start <= time_ms < end for start, end in self.outages)

    def record(self, kind: str, events: Sequence[Event]) -> None:
        """Take what is there, and tell of the rest."""
        kept, stamps, pending = [], {}, []
        for event in events:
            if not self.from_ms <= event.time_ms <= self.to_ms:
                continue
            if not self.there(event.time_ms):
                if kind != "trades" or self.chance.random() < 0.5:
                    pending.append(event)
                    continue
                stamp = FETCHED
            else:
                stamp = event.time_ms * 10**6 + self.delay_ns + self.chance.randrange(10**9)
            if kept and pending:
                self.miss(kind, kept[-1], pending, event)
            pending = []
            kept.append(event)
            stamps[event.number] = "" if stamp == FETCHED else str(stamp)
        self.has[kind], self.stamps[kind] = kept, stamps
        end = ("," + stamps[event.number] for event in kept) if self.truth.options.receive_time else ("" for _ in kept)
        self.files[kind] = [(event.time_ms, event.body + stamp) for event, stamp in zip(kept, end, strict=True)]

    def miss(self, kind: str, before: Event, lost: Sequence[Event], behind: Event) -> None:
        """Note in the ledger what was lost between two rows."""
        cause = self.chance.choice(("reconnect", "restart", "overflow"))
        if kind == "trades":
            first = lost[0].number
            ranges = [(first, behind.number - 1)]
            if first < behind.number - 1 and self.chance.random() < 0.3:
                ranges = [(first, first), (first + 1, behind.number - 1)]
            for low, high in ranges:
                self.gaps.append((kind, before.time_ms, behind.time_ms, str(low), str(high), "gave-up"))
        else:  # rather too wide: so stretches can overlap, with rows where they do
            wide = [self.chance.choice((0, self.chance.randrange(900))) for _ in range(2)]
            self.gaps.append((kind, before.time_ms - wide[0], behind.time_ms + wide[1], "", "", cause))

    def record_book(self) -> None:
        """Take the full book: a snapshot, then changes, some together; a snapshot again behind what was lost."""
        chance, changes = self.chance, self.truth.changes
        self.own_cuts = chance.random() < 0.4
        cut = (random.Random(chance.random()) if self.own_cuts else random.Random(self.truth.size)).random
        ends = [at for at in range(len(changes)) if cut() < 0.5 or at == len(changes) - 1]
        made: list[tuple[int, str]] = []
        last: Change | None = None
        start = 0
        for end in ends:
            batch, start = changes[start : end + 1], end + 1
            if not self.from_ms <= batch[-1].time_ms <= self.to_ms:
                continue
            if not self.there(batch[-1].time_ms):
                continue
            before = batch[0]
            place = changes.index(before)
            if last is None or last.id < (changes[place - 1].id if place else 0):
                # What came is held until there is a snapshot, which may be newer than some of it.
                snapshot = batch[chance.randrange(len(batch))]
                bids, asks = levels(snapshot.book[0], falling=True), levels(snapshot.book[1])
                made.append((snapshot.time_ms, f"{rows.seconds(snapshot.time_ms)},,{snapshot.id},{bids},{asks}"))
                if last is not None:
                    self.gaps.append(("depth", last.time_ms, snapshot.time_ms, "", "", "hole"))
                last = snapshot
            if batch[-1].id <= last.id:
                continue
            latest = {(one.side, one.price): one.quantity for one in batch}
            sides = [
                ";".join(f"{price}.50 {quantity}.0" for (at, price), quantity in latest.items() if at == side)
                for side in (0, 1)
            ]
            stamp = rows.seconds(batch[-1].time_ms)
            made.append((batch[-1].time_ms, f"{stamp},{last.id},{batch[-1].id},{sides[0]},{sides[1]}"))
            self.links.append((last.id, batch[-1].id))
            last = batch[-1]
        if self.truth.options.receive_time:
            made = [
                (time_ms, row + "," * (1) + ("" if row.split(",")[1] == "" else str(time_ms * 10**6 + self.delay_ns)))
                for time_ms, row in made
            ]
        self.files["depth"] = made

    def opening(self, kind: str, row: str, before: str) -> str:
        """Return the book before a row, as the row that a file begins with."""
        cells = row.split(",")
        if kind != "depth" or not cells[1]:
            return ""
        number = int(before.split(",")[2])
        change = next(one for one in self.truth.changes if one.id == number)
        bids, asks = levels(change.book[0], falling=True), levels(change.book[1])
        return f"{cells[0]},,{number},{bids},{asks}" + "," * self.truth.options.receive_time

    def write(self, folder: Path, *, gaps: Iterable[tuple[str, int, int, str, str, str]] | None = None) -> Path:
        """Write the files, closed and compressed as this one does."""
        folder.mkdir()
        for kind, made in self.files.items():
            header = ",".join(column.name for column in columns_of(KINDS[kind], self.truth.options))
            part, lines, end_ms, before = Part(kind, S), [header], 0, ""
            for time_ms, row in made:
                if self.rotate_ms and time_ms >= end_ms:
                    if end_ms:
                        self.close(folder, part._replace(period=period_name(end_ms, self.rotate_ms)), lines)
                        opening = self.opening(kind, row, before)
                        lines = [header, opening] if opening else [header]
                    end_ms = period_end(time_ms, self.rotate_ms)
                lines.append(row)
                before = row
            (folder / part.name).write_text("".join(f"{line}\n" for line in lines))
        header = ",".join(column.name for column in LEDGER.columns(Options()))
        told = [
            f"{kind},{rows.seconds(from_ms)},{rows.seconds(to_ms)},{first},{last},{cause}"
            for kind, from_ms, to_ms, first, last, cause in (self.gaps if gaps is None else gaps)
        ]
        (folder / LEDGER.file_name(S)).write_text("".join(f"{line}\n" for line in (header, *told)))
        return folder

    def close(self, folder: Path, part: Part, lines: Sequence[str]) -> None:
        data = "".join(f"{line}\n" for line in lines).encode()
        path = folder / part.name
        if self.chance.random() < self.packed:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(data, 1))
        else:
            path.write_bytes(data)
