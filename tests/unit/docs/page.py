"""The pages of the documentation, and the parts of one that tests ask for."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class Page:
    """A Markdown file: its sections, tables and fenced blocks."""

    def __init__(self, name: str) -> None:
        self.path = ROOT / name
        self.text = self.path.read_text("utf-8")
        blank = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
        self.prose = blank.sub(lambda block: " " * len(block[0]), self.text)  # as long as the text

    def section(self, title: str) -> str:
        """Return the text under a heading, down to the next heading of its level or above."""
        found = re.search(rf"^(#+) {re.escape(title)}$", self.prose, re.MULTILINE)
        assert found is not None, f"{self.path.name} has no section {title}"
        end = re.compile(rf"^#{{1,{len(found[1])}}} ", re.MULTILINE).search(self.prose, found.end())
        return self.text[found.end() : end.start() if end else None]

    def anchors(self) -> set[str]:
        """Return what a link into the page can name."""
        headings = re.findall(r"^#+ (.*)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def fenced(language: str, text: str) -> list[str]:
    """Return the contents of the fenced blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def table(text: str) -> list[list[str]]:
    """Return the cells of a text's table rows, header rows aside."""
    lines = [line.strip("| ") for line in text.splitlines() if line.startswith("|")]
    cells = [re.split(r" *\| *", line) for line in lines]
    heads = [at for at, line in enumerate(lines) if re.fullmatch(r"[-| ]+", line)]
    return [row for at, row in enumerate(cells) if at not in heads and at + 1 not in heads]


README, CONTRIBUTING, CHANGELOG = Page("README.md"), Page("CONTRIBUTING.md"), Page("CHANGELOG.md")
DOCS = {path.stem: Page(f"docs/{path.name}") for path in sorted((ROOT / "docs").glob("*.md"))}
PAGES = (README, *DOCS.values(), CONTRIBUTING)
