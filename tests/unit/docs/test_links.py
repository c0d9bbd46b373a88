"""What the docs point to is there: files, anchors, and the tests of the promises."""

import re
from unittest import TestCase

from tests.unit.docs.page import CHANGELOG, DOCS, PAGES, README, ROOT, table


class TheLinks(TestCase):
    def test_a_link_to_nowhere(self) -> None:
        """Every relative link has its file, and every anchor its heading there."""
        known = {page.path: page.anchors() for page in (*PAGES, CHANGELOG)}
        for page in (*PAGES, CHANGELOG):
            for target in re.findall(r"\]\(([^)\s]+)\)", page.text):
                if "://" in target:
                    continue
                name, _, anchor = target.partition("#")
                path = (page.path.parent / name).resolve() if name else page.path
                self.assertTrue(path.exists(), f"{page.path.name}: {target}")
                if anchor:
                    self.assertIn(anchor, known[path], f"{page.path.name}: {target}")

    def test_a_page_that_nobody_finds(self) -> None:
        """The README links to every page of docs/."""
        linked = set(re.findall(r"\]\(([^)#\s]+)", README.text))
        self.assertEqual({str(page.path.relative_to(ROOT)) for page in DOCS.values()} - linked, set())

    def test_a_promise_without_a_proof(self) -> None:
        """Each of the nine promises names tests, and they exist."""
        promises = [row for row in table(DOCS["promises"].text) if len(row) == 3]
        self.assertEqual([row[0] for row in promises], list("123456789"))
        for number, _, proofs in promises:
            named = re.findall(r"`(tests/[\w/]+\.py)`", proofs)
            self.assertTrue(named, number)
            for name in named:
                self.assertTrue((ROOT / name).is_file(), f"promise {number}: {name}")
