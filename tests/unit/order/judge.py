"""Says what is wrong with the files of a modelled world: it knows what the exchange made, and reads rows alone."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from .market import Made
from .world import PACE, World

SHOWN = 3
POLLED = ("open-interest",)
MOST_APART_MS = round(PACE.poll_s * 1500) + 300


class Ledger(NamedTuple):
    """What the ledger says of one stream: ranges of ids, and of milliseconds with their causes."""

    ids: list[tuple[int, int]]
    times_ms: list[tuple[int, int, str]]

    def tells_of(self, event: Made) -> bool:
        """Return whether an event lies in a row, by its id or by its time."""
        return any(first <= event.id <= last for first, last in self.ids) or any(
            from_ms <= event.time_ms <= to_ms for from_ms, to_ms, _ in self.times_ms
        )

    def says_clock(self, *times_ms: int) -> bool:
        """Return whether a row says that a clock was set between these times."""
        return any(
            cause == "clock" and all(from_ms <= one <= to_ms for one in times_ms)
            for from_ms, to_ms, cause in self.times_ms
        )


def judge(world: World) -> list[str]:
    """Return what is wrong, a line each."""
    found = [*world.wrongs, *world.desk.wrongs]
    for (kind, symbol), made in world.exchange.made.items():
        if kind in world.setup.kinds:
            found += (f"{kind} of {symbol}: {wrong}" for wrong in _wrongs(world, kind, symbol, made))
    return found


def _ledger(world: World, kind: str, symbol: str) -> Ledger:
    ledger = Ledger([], [])
    for stream, from_s, to_s, first, last, cause in world.disk.ledger(symbol):
        if stream != kind:
            continue
        if first:
            ledger.ids.append((int(first), int(last)))
        else:
            ledger.times_ms.append((_ms(from_s), _ms(to_s), cause))
    return ledger


def _ms(seconds: str) -> int:
    return round(float(seconds) * 1000)


def _wrongs(world: World, kind: str, symbol: str, made: Sequence[Made]) -> list[str]:
    wrongs: list[str] = []
    files = world.disk.files(kind, symbol)
    rows = [row for file in files for row in file]
    if not rows:
        return ["no row"] if len(made) > 20 and (kind, symbol) in world.came else []
    ledger = _ledger(world, kind, symbol)
    places: dict[str, list[int]] = defaultdict(list)
    for at, event in enumerate(made):
        places[event.row].append(at)
    wrongs += _strangers_and_doubles(rows, places)
    wrongs += _order(files, made, places, ledger)
    if kind in POLLED:
        return wrongs + _polls(files, ledger)
    there = Counter(rows)
    last_row = max((places[row][-1] for row in there if row in places), default=0)
    first = min((places[row][0] for row in there if row in places), default=0)
    last_s = max(world.delivered.get((kind, symbol), 0.0), 0.0)
    lost = []
    for at, event in enumerate(made[first:], first):
        if event.made_s > last_s:
            break
        if at > last_row and (symbol, event.id) in world.desk.gone:
            continue  # REST has forgotten it, and no later trade tells
        if there[event.row]:
            there[event.row] -= 1
            if any(low <= event.id <= high for low, high in ledger.ids):
                wrongs.append(f"{event.id} is in the file and in the ledger")
        elif not ledger.tells_of(event):
            lost.append(event)
    if lost:
        told = ", ".join(f"{event.id or event.time_ms} made at {event.made_s:.2f}" for event in lost[:SHOWN])
        wrongs.append(f"{len(lost)} lost and not in the ledger: {told} … {lost[-1].made_s:.2f}")
    return wrongs


def _polls(files: Sequence[Sequence[str]], ledger: Ledger) -> list[str]:
    """Return between which answers others are missing that no row tells of."""
    found = []
    for file in files:
        for before_ms, after_ms in pairwise(int(row.split(",")[0]) for row in file):
            told = any(low <= before_ms and after_ms <= high for low, high, _ in ledger.times_ms)
            if after_ms - before_ms > MOST_APART_MS and not told:
                found.append(f"no answer for {after_ms - before_ms} ms after {before_ms}, and not in the ledger")
    return found


def _strangers_and_doubles(rows: Sequence[str], places: dict[str, list[int]]) -> list[str]:
    counts = Counter(rows)
    strange = [row for row in counts if row not in places]
    twice = [row for row, count in counts.items() if row in places and count > len(places[row])]
    return [
        f"{len(some)} {what}: {some[0][:60]}"
        for some, what in ((strange, "never made"), (twice, "written twice"))
        if some
    ]


def _order(
    files: Sequence[Sequence[str]], made: Sequence[Made], places: dict[str, list[int]], ledger: Ledger
) -> list[str]:
    """Return what stands behind a row that was made after it; without ids times tell, but where clocks were set."""
    for file in files:
        before = -1
        for row in file:
            at = next((at for at in places.get(row, ()) if at > before), None)
            if at is not None:
                before = at
            elif row in places:
                event, last = made[places[row][-1]], made[before]
                if event.id or (event.time_ms < last.time_ms and not ledger.says_clock(event.time_ms, last.time_ms)):
                    return [f"out of order: {row[:60]} behind {last.row[:60]}"]
    return []
