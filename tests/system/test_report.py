"""The page of a run: made while it collects, and when it has ended."""

import contextlib
import io
import re

from aster_collect import cli
from aster_collect.exchange.streams import KINDS
from aster_collect.simulator import Fault
from tests.support import EndToEnd, now_ms

SYMBOL = "币安人生USDT"
CHARTS = ("Mid", "Spread", "Trades ", "Volume of trades ", "Fills ", "Volume of fills ", "Delay",
          "Depth within 10 basis points of the mid", "Mark and index price", "Open interest")  # fmt: skip


class TheReport(EndToEnd):
    def newest_ms(self, kind: str) -> int:
        """Return the time of the last row of a kind's file, -1 while it has none."""
        path = self.folder / KINDS[kind].file_name(SYMBOL)
        rows = path.read_text("utf-8").split("\n")[1:-1] if path.exists() else []
        return KINDS[kind].row_time_ms(rows[-1]) if rows else -1

    def page(self) -> str:
        """Return the folder's page."""
        path = self.folder / "report.html"
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(cli.main(["report", str(self.folder), "--out", str(path)]), 0)
        return path.read_text("utf-8")

    def test_a_run_of_every_kind(self) -> None:
        """The page of a run that goes on, and that of it once it has ended, have each kind's charts, and its gaps."""
        self.begin((SYMBOL,))
        self.collect("--streams", "all", "--receive-time", "--quantities")
        kinds = [kind for kind in KINDS if kind not in ("universe", "liquidations")]
        for kind in kinds:
            self.collector.wait_for(lambda kind=kind: self.newest_ms(kind) >= 0, kind)
        live = self.page()
        self.exchange.inject(Fault("drop"))
        since_ms = now_ms() + 500
        self.collector.wait_for(lambda: self.newest_ms("prices") >= since_ms, "quotes again")
        self.assertEqual(self.collector.stop(), 0)
        ended = self.page()
        for html in (live, ended):
            headings = re.findall(r"<figcaption><b>(.*?)</b>", html)
            for chart in CHARTS:
                self.assertTrue(any(heading.startswith(chart) for heading in headings), f"{chart}: {headings}")
        self.assertIn("</svg>reconnect: ", ended)
