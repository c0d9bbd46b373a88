"""The page of `report` in a real browser: nothing is loaded, nothing complained of, all can be seen and reached."""

import contextlib
import io
import random
import tempfile
import unittest
from pathlib import Path
from typing import ClassVar

from aster_collect import cli
from tests.browser.browser import Browser, found
from tests.unit.report.made import write_symbol

WIDTHS = (1200, 390)
SCHEMES = ("light", "dark")
QUIET = ("verbose", "info")
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true })"
# Of each row of labels, those that are shown, from left to right: how far each begins behind the end of the one before.
LABELS = """[...document.querySelectorAll('.x')].flatMap(row => {
  const shown = [...row.children].map(one => one.getBoundingClientRect()).filter(one => one.width)
  return shown.slice(1).map((one, at) => one.left - shown[at].right)
})"""
OUTSIDE = """[...document.querySelectorAll('.x span, .y span, summary, figcaption, h1, .keys li')]
  .map(one => one.getBoundingClientRect())
  .filter(one => one.width && (one.left < 0 || one.right > innerWidth)).length"""
SMALL = """[...document.querySelectorAll('figure svg[role=img]')]
  .map(one => one.getBoundingClientRect()).filter(one => one.width < 150 || one.height < 80).length"""
EMPTY = """[...document.querySelectorAll('figure svg[role=img] > svg')]
  .filter(one => !one.querySelector('path')).length"""


@unittest.skipUnless(found(), "no chromium: the report is not looked at in a browser")
class ThePage(unittest.TestCase):
    page: ClassVar[Path]
    browser: ClassVar[Browser]

    @classmethod
    def setUpClass(cls) -> None:
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory())) / ("a_long_name" * 12)
        folder.mkdir()
        cls.page = folder / "report.html"
        chance = random.Random(1)
        for symbol in ("BTCUSDT", "币安人生USDT"):
            write_symbol(folder, symbol, chance, days=9, each=80)
        with contextlib.redirect_stdout(io.StringIO()):
            assert cli.main(["report", str(folder), "--out", str(cls.page)]) == 0
        cls.browser = cls.enterClassContext(Browser())

    def open(self, width: int = 1200, scheme: str = "light") -> None:
        self.browser.events.clear()
        self.browser.open(self.page, width, scheme)

    def test_what_it_loads_and_complains_of(self) -> None:
        """The page itself is the only thing that is asked for, and there is no complaint and no script."""
        self.open()
        self.browser.value(OPEN_ALL)
        asked, complaints = [], []
        for event in self.browser.events:
            if event["method"] == "Network.requestWillBeSent":
                asked.append(event["params"]["request"]["url"])
            elif event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] not in QUIET:
                complaints.append(event["params"]["entry"])
            elif event["method"] in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
                complaints.append(event["params"])
        self.assertEqual((asked, complaints), ([self.page.as_uri()], []))
        self.assertEqual(self.browser.value("document.scripts.length"), 0)

    def test_every_section(self) -> None:
        """All sections are there, in order, with a strip for each kind of each symbol, and its charts."""
        self.open()
        texts = "[...document.querySelectorAll('{}')].map(one => one.textContent)"
        self.assertEqual(self.browser.value(texts.format("h2")), ["Coverage", "Files", "Symbols"])
        self.assertEqual(self.browser.value(texts.format("h3")), ["BTCUSDT", "币安人生USDT"])
        self.assertEqual(self.browser.value("document.querySelectorAll('.i svg').length"), 12)
        self.assertEqual(self.browser.value("document.querySelectorAll('details.one').length"), 2)
        self.assertEqual(self.browser.value("document.querySelectorAll('details.one figure').length"), 22)

    def test_any_window(self) -> None:
        """On a wide screen and on a phone nothing sticks out, nothing is cut, no labels overlap, no chart is empty."""
        for width in WIDTHS:
            with self.subTest(width=width):
                self.open(width)
                self.browser.value(OPEN_ALL)
                self.assertLessEqual(self.browser.value("document.documentElement.scrollWidth"), width)
                self.assertEqual(self.browser.value(OUTSIDE), 0)
                self.assertEqual(self.browser.value(SMALL), 0)
                self.assertEqual(self.browser.value(EMPTY), 0)
                self.assertGreater(min(self.browser.value(LABELS)), 2)

    def test_dark_and_light(self) -> None:
        """The page follows what the user likes."""
        grounds = []
        for scheme in SCHEMES:
            self.open(scheme=scheme)
            grounds.append(self.browser.value("getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(grounds, ["rgb(255, 255, 255)", "rgb(20, 24, 28)"])

    def test_a_keyboard_alone(self) -> None:
        """Each fold can be reached and opened, and each wide table scrolled, without a mouse."""
        self.open()
        reached = set()
        for _ in range(40):
            self.browser.press("Tab", 9)
            reached.add(self.browser.value("document.activeElement.tagName + '.' + document.activeElement.className"))
            if self.browser.value("document.activeElement.parentElement.className") == "one":
                break
        self.assertLessEqual({"A.jump", "SUMMARY.", "DIV.w l2"}, reached)
        self.assertFalse(self.browser.value("document.activeElement.parentElement.open"))
        self.browser.press("Enter", 13, "\r")
        self.assertTrue(self.browser.value("document.activeElement.parentElement.open"))

    def test_a_screen_reader(self) -> None:
        """Each picture that is read out has a name."""
        self.open()
        self.browser.value(OPEN_ALL)
        nodes = self.browser.call("Accessibility.getFullAXTree")["nodes"]
        names = [one["name"]["value"] for one in nodes if one.get("role", {}).get("value") == "image"]
        self.assertGreater(len(names), 30)
        self.assertTrue(all(names))
        self.assertIn("Mid of BTCUSDT", names)
