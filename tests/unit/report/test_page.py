"""The page is whole, small, and says nothing that is not so."""

import random
import re
import tempfile
import unittest
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

from aster_collect.exchange.ledger import CAUSES
from aster_collect.report import page as pages
from aster_collect.report.axis import axis
from aster_collect.report.folder import Folder
from aster_collect.report.page import MOST_BYTES, About, Page
from aster_collect.report.strips import MARKS
from tests.unit.report.made import DAY_MS, STAMPED, START_MS, book, gap, quote, seconds, trade, write, write_symbol

POINTS = 1500
VOID = {"meta", "br", "hr", "link", "img", "input"}
OPTIONAL = {"td", "th", "tr", "li", "tbody", "thead", "p"}  # whose end HTML lets out


class Elements(HTMLParser):
    """Checks that elements end in the order in which they began, and notes what is among them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] != tag and self.open[-1] in OPTIONAL:
            self.open.pop()
        if self.open.pop() != tag:
            raise AssertionError(f"{tag} ends at line {self.getpos()[0]}, and is not the last that began")


def drawings(html: str) -> list[str]:
    """Return each outermost svg element of a page."""
    found, depth, start = [], 0, 0
    for match in re.finditer(r"<svg\b[^>]*?(/?)>|</svg>", html):
        if match[0] == "</svg>":
            depth -= 1
        elif not match[1]:
            start = start if depth else match.start()
            depth += 1
        if not depth:
            found.append(html[start : match.end()] if match[0] == "</svg>" else match[0])
    return found


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def page(self, most: int = 720, name: str = "ASTER_data") -> str:
        """Return the folder's page."""
        folder = Folder(self.folder, (), (0, 1 << 62))
        extent = folder.extent()
        assert extent is not None
        made = axis(*extent, most)
        page = Page(made)
        for symbol in folder.symbols:
            page.add(symbol, folder.read(symbol, made, lambda *_: None))
        return "".join(page.html(About(name, "aster-collect 1", START_MS, folder.set_aside)))


class ThePage(Case):
    def test_a_month_of_ten_symbols(self) -> None:
        """It is well-formed, has all sections in order, at most 1,500 points a line, and at most 3 MB."""
        chance = random.Random(1)
        for number in range(10):
            write_symbol(self.folder, f"S{number}USDT", chance, each=30)
        html = self.page()
        self.assertLess(len(html.encode()), MOST_BYTES)
        elements = Elements()
        elements.feed(html)
        self.assertEqual(elements.open, [])
        headings = re.findall(r"<h2[^>]*>(.*?)</h2>", html)
        self.assertEqual(headings, ["Coverage", "Files", "Symbols"])
        for section in html.split('<details class="one">')[1:]:
            self.assertEqual(
                re.findall(r"<figcaption><b>(.*?)</b>", section),
                ["Mid", "Spread", "Trades an hour", "Volume of trades an hour", "Delay",
                 "Depth within 10 basis points of the mid", "Mark and index price", "Funding rate", "Open interest",
                 "Liquidations an hour", "Volume of liquidations an hour"],
            )  # fmt: skip
            self.assertEqual(section.count("<figure>"), section.count("<summary>Table: "))
        paths = re.findall(r' d="([^"]*)"', html)
        self.assertGreater(len(paths), 100)
        for path in paths:
            self.assertLessEqual(len(re.findall(r"[Mlh]", path)), 2 * POINTS)

    def test_what_a_drawing_says(self) -> None:
        """Each drawing is XML of its own, and has a name for those who don't see it, unless it is mere decoration."""
        write_symbol(self.folder, "BTCUSDT", random.Random(2), days=3, each=40)
        found = drawings(self.page())
        self.assertGreater(len(found), 20)
        for one in found:
            tree = ElementTree.fromstring(one)
            if tree.attrib.get("aria-hidden") != "true":
                self.assertEqual(tree.attrib["role"], "img")
                self.assertEqual(tree[0].tag, "title")
                self.assertTrue(tree[0].text)

    def test_nothing_from_elsewhere(self) -> None:
        """No script, no address, nothing that a browser would load; ids come once, and what is pointed to is there."""
        write_symbol(self.folder, "BTCUSDT", random.Random(3), days=3, each=40)
        elements = Elements()
        html = self.page()
        elements.feed(html)
        self.assertFalse({tag for tag, _ in elements.seen} & {"script", "link", "img", "iframe", "object", "image"})
        self.assertFalse(re.search(r"https?:|//|@import|url\((?!#)", html.replace("</", "")))
        names = {name for _, attributes in elements.seen for name in attributes}
        self.assertFalse({name for name in names if name.startswith("on")} | names & {"src", "srcset"})
        ids = [attributes["id"] for _, attributes in elements.seen if "id" in attributes]
        self.assertEqual(len(ids), len(set(ids)))
        pointed = set(re.findall(r"url\(#(\w+)\)", html)) | set(re.findall(r'(?:href="#|labelledby=")([^"]*)"', html))
        self.assertLessEqual(pointed, set(ids))

    def test_names_that_are_html(self) -> None:
        """What a folder is called is told, and never taken for HTML."""
        write(self.folder / "prices_BTCUSDT.csv", "prices", [quote(START_MS, "1", "2")])
        html = self.page(name="<script>alert(1)</script>&amp;")
        self.assertNotIn("<script>", html)
        self.assertIn("<h1>&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;</h1>", html)

    def test_every_cause(self) -> None:
        """The legend has each cause that there is, in words, and no other; strips and tables name them."""
        write(
            self.folder / "prices_BTCUSDT.csv",
            "prices",
            [quote(START_MS, "1", "2"), quote(START_MS + DAY_MS, "1", "2")],
        )
        seen = [cause for at, cause in enumerate(CAUSES) if not at % 2]
        gaps = [
            gap("prices", START_MS + at * 10**6, START_MS + at * 10**6 + 500, cause) for at, cause in enumerate(seen)
        ]
        write(self.folder / "gaps_BTCUSDT.csv", "gaps", gaps)
        html = self.page()
        for cause, meaning in CAUSES.items():
            self.assertEqual(f"</svg>{cause}: {escape(meaning)}</li>" in html, cause in seen)
            self.assertEqual(f"<td>{cause}\n" in html, cause in seen)
            self.assertEqual(f"<title>{cause}: " in html, cause in seen)

    def test_what_is_covered(self) -> None:
        """Of trades that is the share of their ids, of all else of their time; rounded down, never up to all."""
        trades = [trade(number, START_MS + number, "buy", "1", "1") for number in range(100_000) if number != 50]
        write(self.folder / "trades_BTCUSDT.csv", "trades", trades)
        write(
            self.folder / "prices_BTCUSDT.csv", "prices", [quote(START_MS, "1", "2"), quote(START_MS + 1000, "1", "2")]
        )
        interest = [f"{time_ms},5,{time_ms}000000" for time_ms in (START_MS, START_MS + 10**6)]
        write(self.folder / "open_interest_BTCUSDT.csv", "open-interest", interest)
        gaps = [gap("prices", START_MS - 50, START_MS + 250, "restart")]
        gaps.append(gap("open-interest", START_MS + 5, START_MS + 6, "not-polled"))
        write(self.folder / "gaps_BTCUSDT.csv", "gaps", gaps)
        html = self.page()
        self.assertRegex(html, r">trades<td>99,999<td>[^<]*<td>[^<]*<td>99.999 %<td>0<td>1<td>-<td>")
        self.assertRegex(html, r">prices<td>2<td>[^<]*<td>[^<]*<td>75 %<td>1<td>-<td>300 ms<td>")
        self.assertRegex(html, r">open-interest<td>2<td>[^<]*<td>[^<]*<td>99.999 %<td>1<td>-<td>1 ms<td>")

    def test_nobody_noted_when_rows_came(self) -> None:
        """Without `--receive-time` a sentence says so, and there is no histogram."""
        line = quote(START_MS, "1", "2").rpartition(",")[0]
        write(self.folder / "prices_BTCUSDT.csv", "prices", [line], STAMPED._replace(receive_time=False))
        html = self.page()
        self.assertIn("collect with <code>--receive-time</code>", html)
        self.assertNotIn("Delay of", html)

    def test_two_kinds_that_know_the_depth(self) -> None:
        """It is told from the full book, which reaches farther, unless that is there for a small part of the time."""
        chance = random.Random(6)
        tops = [book(START_MS + at * 1000, at, 1000.0, chance) for at in range(9)]
        write(self.folder / "orderbook_BTCUSDT.csv", "orderbook", tops)
        wide = ";".join(f"{999 - at} 1" for at in range(1000)), ";".join(f"{1001 + at} 1" for at in range(1000))
        lines = [f"{seconds(START_MS)},,1,{wide[0]},{wide[1]},"]
        for at in range(1, 9):
            write(self.folder / "depth_BTCUSDT.csv", "depth", lines)
            with self.subTest(rows=at):
                told = "depth" if at > 4 else "orderbook"
                self.assertIn(f"in the quote currency, from {told}", self.page())
            lines.append(f"{seconds(START_MS + at * 1000)},{at},{at + 1},,,{START_MS + 5}000000")

    def test_a_clock_that_is_wrong(self) -> None:
        """Rows that came before they were made are flagged, counted, and drawn apart."""
        lines = [quote(START_MS + at, "1", "2", delay) for at, delay in enumerate((-7, -3, 5, 9))]
        write(self.folder / "prices_BTCUSDT.csv", "prices", lines)
        html = self.page()
        self.assertIn("⚑ A clock</b> 2 rows of prices came before they were made, by 7 ms at most.", html)
        self.assertIn('class="e s"', html)
        self.assertIn("p50 below 0, p99 9 ms, max 9 ms", html)

    def test_files_that_were_set_aside(self) -> None:
        """They are named as left out."""
        write(self.folder / "prices_BTCUSDT.csv", "prices", [quote(START_MS, "1", "2")])
        write(self.folder / "prices_BTCUSDT.20261020T100000Z.csv", "prices", [quote(START_MS - 5, "1", "2")])
        self.assertIn("left out (1): prices_BTCUSDT.20261020T100000Z.csv<", self.page())

    def test_more_symbols_than_fit(self) -> None:
        """Where charts don't fit those of the largest symbols are there, and the page says which are not."""
        self.addCleanup(setattr, pages, "MOST_BYTES", MOST_BYTES)
        pages.MOST_BYTES = 300_000
        chance = random.Random(4)
        for number in range(8):
            write_symbol(self.folder, f"S{number}USDT", chance, days=5, each=10 + number)
        html = self.page(400)
        self.assertLess(len(html.encode()), 300_000)
        charts = re.findall(r'<details class="one"><summary>(\w+)<', html)
        self.assertTrue(charts)
        left_out = re.findall(r"S\dUSDT", html[html.index(" more symbols have no charts here") :])
        self.assertEqual(charts + sorted(left_out), sorted(charts) + sorted(left_out))
        self.assertEqual({*charts, *left_out}, {f"S{number}USDT" for number in range(8)})
        self.assertGreater(min(charts), max(left_out))

    def test_as_many_gaps_as_can_be(self) -> None:
        """Gaps without number make no page that is too large."""
        chance = random.Random(5)
        for number, count in enumerate((4000, *[400] * 7)):
            symbol = f"S{number}USDT"
            write_symbol(self.folder, symbol, chance, days=10, each=5)
            starts = sorted(START_MS + chance.randrange(10 * DAY_MS) for _ in range(count))
            kinds = ("prices", "orderbook", "mark", "open-interest", "liquidations")
            gaps = [
                gap(kind, start, start + 900, chance.choice(("late", "restart"))) for kind in kinds for start in starts
            ]
            write(self.folder / f"gaps_{symbol}.csv", "gaps", gaps)
        html = self.page()
        self.assertLess(len(html.encode()), 2_000_000)
        self.assertLessEqual(html[: html.index(">Files</h2>")].count('<rect class="g '), MARKS)


if __name__ == "__main__":
    unittest.main()
