"""The lake of a run: brought up to date while it collects, when it has ended, and after a kill."""

import contextlib
import io
import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import Any

import pyarrow.parquet as pq

from aster_collect import Archive, cli
from aster_collect.exchange.streams import KINDS
from tests.support import DEADLINE_S, LOOK_S, ROOT, EndToEnd

SYMBOL = "币安人生USDT"
ENCODED = "%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT"
FREQUENT = ("prices", "orderbook", "depth", "trades", "fills", "mark")


class TheLake(EndToEnd):
    def setUp(self) -> None:
        super().setUp()
        self.lake = self.base / "lake"
        self.words = ["export", str(self.folder), "--to", "parquet", "--out", str(self.lake), "--open"]

    def export(self) -> dict[str, str]:
        """Bring the lake up to date; return what the line says that tells of it."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            self.assertEqual(cli.main(self.words), 0, err.getvalue())
        self.assertEqual(err.getvalue(), "")
        return dict(word.split("=") for word in out.getvalue().split() if "=" in word)

    def columns(self, kind: str, symbol: str) -> list[dict[str, Any]]:
        """Return the rows of a history in the lake, day for day."""
        folder = self.lake / kind / "exchange=aster-futures" / (f"symbol={symbol}" if symbol else "")
        return [row for path in sorted(folder.glob("date=*/*")) for row in pq.ParquetFile(path).read().to_pylist()]

    def assert_all_there(self) -> None:
        """Fail unless each row of the data folder is in the lake, in order, by its time and its first value."""
        archive = Archive(self.folder)
        for kind, symbol in [*((kind, SYMBOL) for kind in archive.kinds(SYMBOL)), ("universe", "")]:
            rows = list(archive.rows(kind, symbol))
            found = self.columns(kind, ENCODED if symbol else "")
            times = [KINDS[kind].row_time_ms(",".join(row)) for row in rows]
            self.assertEqual([round(row["time"].timestamp() * 1000) for row in found], times, kind)
            for name in (
                set(found[0]) & {"id", "update_id", "lastUpdateId", "symbol", "receive_time_ns"} if rows else ()
            ):
                values = ["" if row[name] is None else str(row[name]) for row in found]
                self.assertEqual(values, [getattr(row, name) for row in rows], f"{kind} {name}")

    def test_a_run_of_every_kind(self) -> None:
        """While it collects whole rows go there; when it has ended all are there, and a further run writes nothing."""
        self.begin((SYMBOL,))
        self.collect("--streams", "all", "--receive-time", "--quantities", "--rotate", "hour", "--compress")
        for kind in FREQUENT:
            path = self.folder / KINDS[kind].file_name(SYMBOL)
            self.collector.wait_for(lambda path=path: path.exists() and path.read_text("utf-8").count("\n") > 1, kind)
        self.assertGreater(int(self.export()["rows"]), 0)
        self.assertEqual(self.collector.stop(), 0)
        self.export()
        self.assert_all_there()
        again = self.export()
        self.assertEqual((again["files"], again["open"]), ("0", "0"))
        self.assertGreater(int(again["unchanged"]), len(FREQUENT))
        self.look_at_a_terminal()
        self.kill_and_go_on(int(again["unchanged"]))

    def look_at_a_terminal(self) -> None:
        """On a terminal the line is there while it works, and gone at the end; the result alone is what is piped."""
        master, slave = pty.openpty()
        run = subprocess.Popen(
            [sys.executable, "-m", "aster_collect", *self.words, "--exact"], cwd=ROOT, stderr=slave,
            stdout=subprocess.PIPE, env={**os.environ, "TERM": "xterm"}, encoding="utf-8",
        )  # fmt: skip
        os.close(slave)
        shown = b""
        with contextlib.suppress(OSError):  # it has ended
            while select.select([master], [], [], DEADLINE_S)[0] and (data := os.read(master, 4096)):
                shown += data
        os.close(master)
        out, _ = run.communicate(timeout=DEADLINE_S)
        self.assertEqual((run.returncode, out.count("\n"), out.startswith("exported files=")), (0, 1, True))
        if shown:  # where it took long enough for a line
            self.assertRegex(shown.decode(), r" rows, .* of .*")
            self.assertTrue(shown.decode().endswith("\x1b[J"))

    def kill_and_go_on(self, files: int) -> None:
        """What a kill leaves are whole files, and the next run writes what lacks."""
        self.lake = self.base / "other"
        self.words[self.words.index("--out") + 1] = str(self.lake)
        run = subprocess.Popen([sys.executable, "-m", "aster_collect", *self.words], cwd=ROOT, stdout=subprocess.PIPE)
        deadline = time.monotonic() + DEADLINE_S
        while not any(self.lake.rglob("*.parquet")) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=DEADLINE_S)
        there = [pq.ParquetFile(path).read().num_rows for path in self.lake.rglob("*.parquet")]
        self.assertTrue(there)
        self.assertEqual(self.export()["files"], str(files - len(there)))
        self.assertEqual([path for path in self.lake.rglob("*") if path.name.startswith(".")], [])
        self.assert_all_there()
