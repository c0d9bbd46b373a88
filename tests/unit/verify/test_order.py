"""Rows are looked at by the block where nothing in it needs a second look; the answer does not depend on the blocks."""

import json
import random
import unittest

from aster_collect.exchange.form import columns_of
from aster_collect.exchange.shape import NONE, Form, form
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Kind, Options
from aster_collect.verify.cross import Cross
from aster_collect.verify.ledger import Ledger, Stretch
from aster_collect.verify.lines import Lines
from aster_collect.verify.order import Rows
from aster_collect.verify.report import Report
from tests.support import rounds

START_MS = 1_764_000_000_000
HOUR_MS = 3_600_000
QUOTES = ("1,2,1.5", "1,2,1.50", "0.1,0.3,0.2", "1,2,1.6", "2,2,2", "3,2,2.5")  # the last three are wrong


def shape_of(kind: Kind, options: Options) -> Form:
    """Return the form of a kind's files."""
    found = form(kind, ",".join(column.name for column in columns_of(kind, options)).encode())
    assert found is not None
    return found


class Blocks(unittest.TestCase):
    def test_any_rows_in_any_blocks(self) -> None:
        """What is found in rows that come by one is found in blocks of any size, and by who goes on behind a file."""
        for seed, chance in rounds(100):
            for name, kind in KINDS.items():
                with self.subTest(seed=seed, kind=name):
                    self.play(kind, Options(levels=5, quantities=chance.random() < 0.3), chance)

    def play(self, kind: Kind, options: Options, chance: random.Random) -> None:
        shape, ledger = shape_of(kind, options), self.ledger(kind, chance)
        files = [
            (chance.choice((0, HOUR_MS)), self.rows(kind, shape, chance, START_MS + number * HOUR_MS))
            for number in range(chance.randrange(1, 4))
        ]
        told = []
        for most, goes_on in ((1, False), (7, False), (1000, False), (1000, True)):
            found: list[tuple[str, int, str]] = []
            ends = []
            report = Report("")
            history = Rows(kind, ledger, Cross(report))
            period_before_ms = 0
            for number, (period_ms, cells) in enumerate(files):
                if goes_on and number:
                    state = json.loads(json.dumps(history.state))
                    history = Rows(kind, ledger, Cross(report))
                    history.go_on(state, period_before_ms)
                history.begin_file(period_ms)
                width, line = len(shape.columns), 2
                while cells:
                    count = chance.randrange(1, most + 1)
                    block, cells = cells[: count * width], cells[count * width :]
                    lines = range(line, line + len(block) // width)
                    flaws = history.take(Lines(f"{number}", shape, lines, block))
                    found += ((f"{number}", at, why) for at, why in sorted(flaws, key=lambda flaw: flaw[0]))
                    line = lines.stop
                ends.append(history.end_file())
                period_before_ms = period_ms
            told.append((found, report.reasons, ends))
        for other in told[1:]:
            self.assertEqual(told[0], other)

    def ledger(self, kind: Kind, chance: random.Random) -> Ledger:
        ledger = Ledger({}, {})
        for _ in range(chance.randrange(4)):
            from_ms = START_MS + chance.randrange(-1000, 40_000)
            cause = chance.choice(("reconnect", "restart", "late", "clock"))
            ledger.stretches[kind.name].append(Stretch(from_ms, from_ms + chance.randrange(9000), "gaps:2", cause))
            first = chance.randrange(1000, 1100)
            ledger.missing[kind.name].append((first, first + chance.randrange(4)))
        return ledger

    def rows(self, kind: Kind, shape: Form, chance: random.Random, start_ms: int) -> list[bytes]:
        """Return the cells of some rows, few of which are odd."""
        odd = chance.choice((0.0, 0.02, 0.2))
        time_ms, number, cells = start_ms, chance.choice((1000, 1050)), list[str]()
        quotes = QUOTES if odd else QUOTES[:3]
        for _ in range(chance.randrange(1, 60)):
            is_odd = chance.random() < odd
            time_ms += chance.choice((-5000, -30, 9000, 90_000) if is_odd else (0, 1, 700))
            number += chance.randrange(-1, 5) if is_odd else 1
            row = ["" if at in shape.checked else "1" for at in range(len(shape.columns))]
            if len(shape.checked) == 3:
                row[shape.checked.start : shape.checked.stop] = chance.choice(quotes).split(",")
            row[shape.time] = f"{time_ms // 1000}.{time_ms % 1000:03d}" if kind.in_seconds else f"{time_ms}"
            if shape.id != NONE:
                row[shape.id] = f"{number}"
            cells += row
        return [cell.encode() for cell in cells]


if __name__ == "__main__":
    unittest.main()
