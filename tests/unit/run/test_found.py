"""A replay's files are, before a run opens them, what that run found: how large, and when they were changed."""

import json
import logging
import tempfile
import unittest
from pathlib import Path
from typing import Any

from aster_collect.exchange.events import Batch, Wanted
from aster_collect.order.entries import Begin, Close, Entry, Moment, Run, Step
from aster_collect.order.lane import Left
from aster_collect.run.replay import Replay
from aster_collect.settings import Settings

START_MS = 1_764_000_000_000  # long ago: a file that is written now was changed much later
DAY_MS = 86_400_000
PRICES = "prices_BTCUSDT.csv"


def quote(number: int, after_ms: int) -> bytes:
    at_ms = START_MS + after_ms
    data = {
        "e": "bookTicker",
        "u": number,
        "s": "BTCUSDT",
        "b": "1.5",
        "B": "1",
        "a": "1.7",
        "A": "1",
        "T": at_ms,
        "E": at_ms,
    }
    return json.dumps({"stream": "btcusdt@bookTicker", "data": data}, separators=(",", ":")).encode()


class Case(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "again"
        self.replay = Replay(self.folder, {})

    def run_of(
        self, now_ms: int, *frames: bytes, found: dict[str, tuple[int, int]], left: dict[str, Left] | None = None,
        **options: Any,
    ) -> None:  # fmt: skip
        """Replay a run that found these files, and brought these frames at a time, so long after the start."""
        settings = Settings(("BTCUSDT",), **{"streams": ("prices",), **options})
        at, ns = now_ms / 1000, (START_MS + now_ms) * 1_000_000
        entries: list[Entry] = [
            Run("1.2.0", settings.told(), settings.symbols, 0), Begin("BTCUSDT", True, left or {}, found),
            Wanted(1, 1, ("BTCUSDT",)),
            *(Batch(1, ns, at, frame, [0, len(frame)]) for frame in frames), Step(), Close(),
        ]  # fmt: skip
        self.replay.play((Moment(at + number, ns + number * 10**9), entry) for number, entry in enumerate(entries))

    def size(self, name: str = PRICES) -> int:
        return (self.folder / name).stat().st_size


class TheFiles(Case):
    def test_one_odd_time_far_ahead(self) -> None:
        """It begins no day for the next run either: the file had been changed long before that day."""
        self.run_of(0, quote(1, 0), quote(2, 3 * DAY_MS), found={}, rotate="day")
        found = {"prices": (self.size(), START_MS + 5000), "gaps": (self.size("gaps_BTCUSDT.csv"), START_MS + 5000)}
        self.run_of(DAY_MS, quote(3, DAY_MS), quote(4, DAY_MS + 1), found=found, rotate="day")
        self.assertTrue((self.folder / "prices_BTCUSDT.2025-11-24.csv").exists())

    def test_one_that_a_kill_has_cut(self) -> None:
        """It is cut again, and what is left of a torn row is among the rejects."""
        self.run_of(0, quote(1, 0), quote(2, 100), found={})
        found = {"prices": (self.size() - 3, START_MS), "gaps": (self.size("gaps_BTCUSDT.csv"), START_MS)}
        self.run_of(9000, quote(3, 9000), found=found)
        rows = (self.folder / PRICES).read_text("ascii").splitlines()[1:]
        self.assertEqual(rows, ["1764000000.000,1.5,1.7,1.6", "1764000009.000,1.5,1.7,1.6"])
        (reject,) = (self.folder / "rejects.jsonl").read_text("ascii").splitlines()
        self.assertEqual(json.loads(reject)["data"], "1764000000.100,1.5,1.7,1")

    def test_a_run_between_that_had_no_such_kind(self) -> None:
        """It is left out, which is said, and the next one goes on behind what the first has left."""
        self.replay = Replay(self.folder, {"streams": ("prices",)})
        self.run_of(0, quote(1, 0), found={})
        found = {"prices": (self.size(), START_MS), "gaps": (self.size("gaps_BTCUSDT.csv"), START_MS)}
        self.run_of(4000, quote(2, 4000), found={}, streams=("trades",))
        self.run_of(9000, quote(3, 9000), found=found)
        self.assertEqual(len((self.folder / PRICES).read_text("ascii").splitlines()), 3)
        self.assertEqual(self.replay.notes, ["a run is left out: it collected trades alone"])

    def test_one_that_was_set_aside_for_its_columns(self) -> None:
        """Where it goes on, since other columns are asked for, the time between two runs is in the ledger."""
        self.replay = Replay(self.folder, {"quantities": False})
        self.run_of(0, quote(1, 0), found={}, quantities=False)
        found = {"prices": (self.size(), START_MS), "gaps": (self.size("gaps_BTCUSDT.csv"), START_MS)}
        self.run_of(9000, quote(3, 9000), found=found, left={"prices": Left([], 0, [])}, quantities=True)
        self.assertEqual(len((self.folder / PRICES).read_text("ascii").splitlines()), 3)
        (row,) = (self.folder / "gaps_BTCUSDT.csv").read_text("ascii").splitlines()[1:]
        self.assertTrue(row.startswith("prices,1764000000.000,17640000") and row.endswith("restart"), row)

    def test_one_that_was_set_aside_behind_a_closed_one(self) -> None:
        """The run began behind the closed one, and so does its replay: what was set aside is of no account."""
        day_ms = 8 * 3_600_000  # from the start on until midnight
        self.run_of(day_ms - 1000, quote(1, day_ms - 1000), quote(2, day_ms + 1000), found={}, rotate="day")
        found = {"prices": (self.size(), START_MS + day_ms), "gaps": (self.size("gaps_BTCUSDT.csv"), START_MS + day_ms)}
        left = {"prices": Left([(0, START_MS + day_ms - 1000, "1.5", "1.7", "", "", None)], 0, [])}
        self.run_of(day_ms + 9000, quote(3, day_ms + 8500), found=found, left=left, rotate="day", quantities=True)
        (row,) = (self.folder / "gaps_BTCUSDT.csv").read_text("ascii").splitlines()[1:]
        self.assertTrue(row.startswith("prices,1764028799.000,1764028809.000,") and row.endswith("restart"), row)

    def test_other_columns_than_were_recorded(self) -> None:
        """Sizes say nothing then, and nothing is cut."""
        self.replay = Replay(self.folder, {"receive_time": True})
        self.run_of(0, quote(1, 0), quote(2, 100), found={})
        self.run_of(9000, quote(3, 9000), found={"prices": (60, START_MS), "gaps": (84, START_MS)})
        self.assertEqual(len((self.folder / PRICES).read_text("ascii").splitlines()), 4)


if __name__ == "__main__":
    unittest.main()
