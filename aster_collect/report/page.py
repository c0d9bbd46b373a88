"""The whole page: coverage, the table, and each symbol, folded. Pure."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from ..exchange.ledger import CAUSES
from . import causes, svg
from .axis import Axis
from .drawings import Shown
from .figures import Table, scrolled, time_row
from .folder import Found
from .numbers import duration, size, utc
from .recipes import RECIPES
from .strips import LISTED, Strip, causes_of, listed, strip
from .style import CSS
from .summary import COLUMNS, line, stretches, strip_of

MOST_BYTES = 3_000_000
MARKS = 9000  # of gaps in all strips
_OF_A_HISTORY = 1200  # bytes that its strip and its line of the table can take, but for its marks
_OF_A_MARK = 70
_REST = 40_000
_NAMED = 50


class About(NamedTuple):
    """What the page is of: a folder, as it is called, which of its files are left out, what made it, and when."""

    folder: str
    maker: str
    made_ms: int
    set_aside: Sequence[str] = ()


class Page:
    """The page of a folder, to which one symbol after the other is added."""

    def __init__(self, axis: Axis, symbols: int) -> None:
        """`symbols` says how many will come."""
        self._axis = axis
        self._most_listed = LISTED if symbols <= 20 else 8
        self._sections: dict[str, str] = {}
        self._left_out: list[str] = []
        self._strips: dict[str, list[Strip]] = {}
        self._lines: dict[str, list[Sequence[str]]] = {}
        self._bytes = self._of_sections = 0
        self.rows = 0

    def add(self, symbol: str, found: Sequence[Found]) -> None:
        """Add a symbol; its charts are left out where the page would become too large."""
        shown = [(one, stretches(one.gaps)) for one in found]
        self._lines[symbol] = [line(symbol, one, gaps) for one, gaps in shown]
        self._strips[symbol] = [strip_of(symbol, one, gaps) for one, gaps in shown if not one.history.kind.whole_folder]
        self.rows += sum(one.history.rows for one in found)
        self._bytes += sum(one.history.bytes for one in found)
        if not symbol:
            return
        section = "".join(
            recipe.draw(
                [
                    Shown(symbol, one.history.kind.name, one.history.series[recipe], gaps or ())
                    for one, gaps in shown
                    if recipe in one.history.series
                ],
                self._axis,
            )
            for recipe in RECIPES
        )
        size = len(section.encode())
        if self._size + size > MOST_BYTES:
            self._left_out.append(symbol)
        else:
            self._sections[symbol] = section
            self._of_sections += size

    @property
    def _size(self) -> int:
        """How large the page can be with what it has so far."""
        histories = sum(map(len, self._lines.values()))
        gaps = sum(len(one.gaps or ()) for strips in self._strips.values() for one in strips)
        listed = 160 * min(gaps, self._most_listed * len(self._strips))
        marks = min(gaps, MARKS) * _OF_A_MARK
        return self._of_sections + histories * _OF_A_HISTORY + listed + marks + _REST

    def html(self, about: About) -> Iterator[str]:
        """Yield the page, piece by piece."""
        title = f"{about.folder}: what was collected, and what is missing"
        yield (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            f"<title>{escape(title)}</title><style>{CSS}</style></head>\n<body>"
            '<a class="jump" href="#coverage">To the coverage</a>\n'
        )
        yield from self._head(about)
        yield from self._coverage()
        yield '<section aria-labelledby="files"><h2 id="files">Files</h2>\n'
        yield scrolled("Files", self._table(), "l2")
        if about.set_aside:
            names = ", ".join(about.set_aside[:_NAMED]) + ", …" * (len(about.set_aside) > _NAMED)
            yield f"<p>Set aside, and left out ({len(about.set_aside):,}): {escape(names)}</p>\n"
        yield "</section>\n"
        yield from self._symbols()
        yield (
            f"<footer><p>Made by {escape(about.maker)} on {utc(about.made_ms)} UTC from the files alone. All times are "
            "UTC, by the exchange's clock. This page loads nothing, and has no script.</p></footer>\n</body></html>\n"
        )

    def _head(self, about: About) -> Iterator[str]:
        points = self._axis.points
        strips = [one for some in self._strips.values() for one in some]
        gaps = sum(len(one.gaps or ()) for one in strips)
        with_rows = [one for one in strips if one.rows]
        first_ms = min((one.first_ms for one in with_rows), default=points.start_ms)
        last_ms = max((one.last_ms for one in with_rows), default=points.start_ms)
        facts = {
            "from (UTC)": utc(first_ms),
            "to (UTC)": utc(last_ms),
            "time": duration(last_ms - first_ms),
            "symbols": f"{len([symbol for symbol in self._strips if symbol]):,}",
            "rows": f"{self.rows:,}",
            "bytes": size(self._bytes),
            "gaps": f"{gaps:,}",
        }
        told = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in facts.items())
        yield f'<header><h1>{escape(about.folder)}</h1><dl class="facts">{told}</dl></header>\n<main>\n'

    def _coverage(self) -> Iterator[str]:
        strips = [one for some in self._strips.values() for one in some]
        there = causes_of(strips)
        seen = [cause for cause in CAUSES if cause in there]
        style = "".join(f".{causes.name(cause)}{{fill:url(#{causes.name(cause)})}}" for cause in seen)
        patterns = svg.element("defs", causes.patterns(seen) or " ")
        yield '<section aria-labelledby="coverage"><h2 id="coverage">Coverage</h2>\n'
        yield f"<style>{style}</style>{svg.element('svg', patterns, class_='s0', aria_hidden='true')}\n"
        swatch = svg.element("rect", width="100%", height="100%", class_="h")
        keys = [("covered", swatch), ("no rows", "")]
        keys += [
            (f"{cause}: {CAUSES[cause]}", svg.element("rect", width="100%", height="100%", class_=causes.name(cause)))
            for cause in seen
        ]
        yield '<ul class="keys">'
        for text, picture in keys:
            yield f"<li>{svg.element('svg', picture or ' ', aria_hidden='true')}{escape(text)}</li>"
        yield "</ul>\n"
        most = max(20, min(400, MARKS // max(1, len(strips))))
        for symbol in sorted(filter(None, self._strips)):
            yield f"<h3>{escape(symbol)}</h3>\n"
            for one in self._strips[symbol]:
                yield strip(one, self._axis.points, most)
            yield f'<div class="i">{time_row(self._axis.points)}</div>\n'
            yield listed(symbol, self._strips[symbol], self._most_listed)
        yield "</section>\n"

    def _table(self) -> Table:
        symbols = sorted(self._lines, key=lambda symbol: (not symbol, symbol))  # what is of all of them last
        return Table(COLUMNS, [one for symbol in symbols for one in self._lines[symbol]])

    def _symbols(self) -> Iterator[str]:
        yield '<section aria-labelledby="symbols"><h2 id="symbols">Symbols</h2>\n'
        for symbol in sorted(self._sections):
            rows = sum(one.rows for one in self._strips[symbol])
            kinds = ", ".join(one.kind for one in self._strips[symbol] if one.rows)
            told = f"{escape(symbol)}<small>{rows:,} rows: {escape(kinds)}</small>"
            yield f'<details class="one"><summary>{told}</summary>\n'
            yield self._sections[symbol]
            yield "</details>\n"
        if self._left_out:
            names = ", ".join(sorted(self._left_out)[:_NAMED]) + ", …" * (len(self._left_out) > _NAMED)
            yield (
                f"<p>{len(self._left_out):,} more symbols have no charts here, since the page would be larger than "
                f"{size(MOST_BYTES)}: <code>--symbols</code> makes a page of some: {escape(names)}.</p>\n"
            )
        yield "</section>\n</main>\n"
