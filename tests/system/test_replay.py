"""What a run recorded of faults over real sockets, replayed: the same bytes, through stops and restarts."""

import contextlib
import gzip
import io
import signal
import unittest
from pathlib import Path
from typing import Any

from aster_collect import cli
from aster_collect.files.listed import MANIFEST_NAME, Content, read_manifest
from aster_collect.files.manifest import settle
from aster_collect.simulator import Fault
from aster_collect.verify import check_folder
from tests import beside
from tests.support import PRICES, EndToEnd, now_ms

GARBAGE = ("not-json", "binary", "invalid-utf8", "unknown-event")
FOR_THEMSELVES = (".lock", "status.json", ".banned", MANIFEST_NAME)


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in the files of a folder, unpacked, by name."""
    return {
        path.name.removesuffix(".gz"): gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.name not in FOR_THEMSELVES and not path.name.startswith("raw.")
    }


def listed(folder: Path) -> list[tuple[str, str, Content]]:
    """Return what the manifest of a folder says of the files that are there, in whatever order it came to."""
    said = read_manifest(folder)
    assert said is not None
    there = contents(folder).keys()
    every = (*said.files.values(), *said.growing.values())
    return sorted((one.name, one.what, one.content) for one in every if one.name in there)


class Replayed(EndToEnd):
    def record(self, *options: str, **how: Any) -> None:
        """Start the program, which records, and wait until all has come."""
        self.collect("--record", "--streams", "all", "--stall-timeout", "1", *options, **how)
        self.wait_for_everything(self.collector, now_ms())

    def suffer(self, *faults: Fault) -> None:
        """Let something go wrong, and wait until all is well again."""
        for fault in faults:
            self.exchange.inject(fault)
        self.exchange.inject(Fault("drop"))
        self.wait_for_everything(self.collector, now_ms() + 500)
        self.exchange.inject(Fault("clear"))

    def replay(self, name: str, *options: str) -> Path:
        """Replay the record into another folder."""
        raw = sorted(map(str, self.folder.glob("raw.*.jsonl.gz")))
        self.assertTrue(raw)
        again, out, err = self.base / name, io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(["replay", *raw, "--data-dir", str(again), *options])
        self.assertEqual((status, err.getvalue()), (0, ""), out.getvalue())
        return again

    def assert_same(self, again: Path) -> None:
        """Fail unless all files are the same, to the last byte; a run may not have come to compress some."""
        one, other = contents(self.folder), contents(again)
        self.assertEqual(one.keys(), other.keys())
        for name, data in one.items():
            self.assertEqual(other[name], data, name)
        settle(self.folder)  # a run may not have come to list some
        self.assertEqual(listed(self.folder), listed(again))


class TheSameBytes(Replayed):
    is_long = True

    def test_faults_stops_and_a_hand_over(self) -> None:
        """Every file is the same, whatever had happened to connections, to REST, and to the program."""
        exchange = self.begin()
        self.record("--max-connection-age", "4")
        self.suffer(Fault("rest_status", value=503, seconds=1))
        self.suffer(*(Fault("garbage", value=kind) for kind in GARBAGE))
        self.suffer(Fault("skip", count=20), Fault("duplicate", count=20), Fault("swap", count=20))
        self.suffer(Fault("rest_418", seconds=1))
        self.collector.wait_for_log("hand-over", 2)
        self.stop(self.collector)
        self.record("--connections", "2", "--receive-time", "--order-book-levels", "20")
        exchange.inject(Fault("stall", seconds=2, connection="oldest"))
        self.suffer(Fault("clock", value=20))
        self.stop(self.collector)
        again = self.replay("again")
        self.assert_same(again)
        self.assertTrue((again / "rejects.jsonl").stat().st_size)
        self.assertTrue(list(again.glob("prices_BTCUSDT.2*Z.csv")), "the file without receive times is set aside")
        self.assertEqual(check_folder(again).total, 0)

    def test_listings_and_files_of_hours(self) -> None:
        """Symbols that are listed while it runs are there from then on, and closed files are, compressed."""
        self.begin(["BTCUSDT"], rate=600)
        options = "--all", "--max-connection-age", "4", "--rotate", "hour", "--compress"
        self.record(*options, symbols=(), module=("tests.frail", "relist:0.2"))
        for name in ("NEW1USDT", "币安人生USDT"):
            self.exchange.list_symbol(name)
            self.collector.wait_for_log(f"listed symbols={name}")
            self.collector.wait_for_rows(PRICES, name)
        self.exchange.delist_symbol("NEW1USDT")
        self.exchange.inject(Fault("clock", value=3600))
        self.collector.wait_for(lambda: list(self.folder.glob("prices_BTCUSDT.*.csv.gz")), "a closed file")
        self.suffer()
        self.stop(self.collector)
        again = self.replay("again")
        self.assertTrue(list(again.glob("prices_BTCUSDT.*.csv.gz")))
        self.assert_same(again)

    def test_kills(self) -> None:
        """No row is on disk before what it was made of is in the record, so that nothing of the files is missing."""
        self.begin()
        for _ in range(4):
            self.record()
            self.collector.kill()
        self.record()
        self.stop(self.collector)
        self.assert_same(self.replay("again"))

    def test_logrotate(self) -> None:
        """What it renamed is there under another name, and the files that were begun then are the same."""
        self.begin()
        self.record()
        moved = self.base / "moved"
        moved.mkdir()
        for path in sorted(self.folder.glob("*_*.csv")):
            path.rename(moved / path.name)
        self.collector.send(signal.SIGHUP)
        self.collector.wait_for(lambda: len(list(self.folder.glob("*_*.csv"))) == len(list(moved.iterdir())), "files")
        self.wait_for_everything(self.collector, now_ms())
        self.stop(self.collector)
        self.record()
        self.stop(self.collector)
        again = self.replay("again")
        for path in moved.iterdir():
            (aside,) = again.glob(f"{path.stem}.2*Z.csv")
            self.assertEqual(aside.read_bytes(), path.read_bytes(), path.name)
            aside.unlink()
        self.assert_same(again)

    def test_other_options(self) -> None:
        """They give some of the kinds, fewer levels, and a column more."""
        self.begin()
        self.record()
        self.suffer(Fault("skip", count=20))
        self.stop(self.collector)
        again = self.replay("other", "--streams", "orderbook,trades", "--order-book-levels", "5", "--receive-time")
        self.assertEqual(check_folder(again).total, 0)
        rows = (again / "orderbook_BTCUSDT.csv").read_text("ascii").splitlines()[1:]
        wide = self.rows("orderbook", "BTCUSDT")
        self.assertEqual([row.split(",")[:12] for row in rows], [row.split(",")[:12] for row in wide])
        self.assertEqual({len(row.split(",")) for row in rows}, {2 + 20 + 1})
        self.assertFalse(list(again.glob("prices_*")))


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
