"""The whole page: coverage, the table, and each symbol, folded. Pure."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from . import causes, svg
from .axis import Axis
from .drawings import Shown
from .figures import Table, scrolled
from .folder import Found
from .numbers import duration, size, utc
from .recipes import RECIPES
from .strips import Strip, coverage
from .style import CSS
from .summary import COLUMNS, line, stretches, strip_of

MOST_BYTES = 3_000_000
_REST = 25_000  # bytes of the page around its sections, of its style and of names
_OF_A_FOLD = 600  # around the charts of a symbol
_NAMED = 50


class About(NamedTuple):
    """What the page is of: a folder, as it is called, which of its files are left out, what made it, and when."""

    folder: str
    maker: str
    made_ms: int
    set_aside: Sequence[str] = ()


class Page:
    """The page of a folder, to which one symbol after the other is added."""

    def __init__(self, axis: Axis) -> None:
        self._axis = axis
        self._sections: dict[str, str] = {}
        self._strips: dict[str, list[Strip]] = {}
        self._lines: dict[str, list[Sequence[str]]] = {}
        self._bytes = self._of_sections = 0
        self.rows = 0

    def add(self, symbol: str, found: Sequence[Found]) -> None:
        """Add a symbol; where not all charts fit on the page there are those of the first symbols."""
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
        if self._of_sections + size <= MOST_BYTES:  # more can't fit, whatever the rest needs
            self._sections[symbol] = section
            self._of_sections += size

    def html(self, about: About) -> Iterator[str]:
        """Yield the page, piece by piece."""
        title = f"{about.folder}: what was collected, and what is missing"
        yield (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            f"<title>{escape(title)}</title><style>{CSS}{causes.STYLE}</style></head>\n<body>"
            f"{svg.element('svg', svg.element('defs', causes.PATTERNS), class_='s0', aria_hidden='true')}\n"
            '<a class="jump" href="#coverage">To the coverage</a>\n'
        )
        first = "".join([*self._head(about), *self._coverage(), *self._files(about)])
        yield first
        yield from self._symbols(MOST_BYTES - _REST - len(first.encode()))
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
        yield '<section aria-labelledby="coverage"><h2 id="coverage">Coverage</h2>\n'
        symbols = sorted(filter(None, self._strips))
        yield from coverage({symbol: self._strips[symbol] for symbol in symbols}, self._axis.points)
        yield "</section>\n"

    def _files(self, about: About) -> Iterator[str]:
        symbols = sorted(self._lines, key=lambda symbol: (not symbol, symbol))  # what is of all of them last
        table = Table(COLUMNS, [one for symbol in symbols for one in self._lines[symbol]])
        yield f'<section aria-labelledby="files"><h2 id="files">Files</h2>\n{scrolled("Files", table, "l2")}'
        if about.set_aside:
            yield f"<p>Set aside, and left out ({len(about.set_aside):,}): {_named(about.set_aside)}</p>\n"
        yield "</section>\n"

    def _symbols(self, room: int) -> Iterator[str]:
        """Yield the charts of the symbols that came first, as many as there is room for, by name."""
        yield '<section aria-labelledby="symbols"><h2 id="symbols">Symbols</h2>\n'
        fit: dict[str, str] = {}
        for symbol, section in self._sections.items():
            room -= len(section.encode()) + _OF_A_FOLD
            if room >= 0:
                fit[symbol] = section
        for symbol in sorted(fit):
            rows = sum(one.rows for one in self._strips[symbol])
            kinds = ", ".join(one.kind for one in self._strips[symbol] if one.rows)
            told = f"{escape(symbol)}<small>{rows:,} rows: {escape(kinds)}</small>"
            yield f'<details class="one"><summary>{told}</summary>\n{fit[symbol]}</details>\n'
        left_out = sorted(symbol for symbol in self._strips if symbol and symbol not in fit)
        if left_out:
            yield (
                f"<p>{len(left_out):,} more symbols have no charts here, since the page would be larger than "
                f"{size(MOST_BYTES)}; <code>--symbols</code> makes a page of some: {_named(left_out)}</p>\n"
            )
        yield "</section>\n</main>\n"


def _named(names: Sequence[str]) -> str:
    """Return some names, and that there are more."""
    return escape(", ".join(names[:_NAMED])) + ", …" * (len(names) > _NAMED)
