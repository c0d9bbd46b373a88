"""How much of each history is covered: a strip over the page's time, with what is missing by its cause. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

from ..exchange.ledger import CAUSES
from . import causes, svg
from .axis import Cut
from .figures import Stretch, Table, folded, marks, shades, time_row
from .numbers import duration, utc

MARKS = 6000  # in all strips
MOST_MARKS = 400  # in one: as many as an eye can tell
LISTED, LISTED_OF_MANY = 40, 8  # stretches of a symbol in its table, the longest
MANY = 20  # symbols


class Strip(NamedTuple):
    """A history: from when to when it has rows, and what is missing; None where there is no ledger.

    `covered` is in thousandths of a percent, rounded down.
    """

    symbol: str
    kind: str
    rows: int
    first_ms: int
    last_ms: int
    covered: int | None
    gaps: Sequence[Stretch] | None


def coverage(strips: Mapping[str, Sequence[Strip]], cut: Cut) -> Iterator[str]:
    """Yield the coverage of each symbol: a legend of the causes that there are, strips, and tables of gaps."""
    histories = sum(map(len, strips.values()))
    most = max(2, min(MOST_MARKS, MARKS // max(1, histories)))
    most_listed = LISTED if len(strips) <= MANY else LISTED_OF_MANY
    yield from _legend(strips)
    for symbol, own in strips.items():
        yield f"<h3>{escape(symbol)}</h3>\n"
        for one in own:
            yield strip(one, cut, most)
        yield f'<div class="i">{time_row(cut)}</div>\n'
        yield listed(symbol, own, most_listed)


def _legend(strips: Mapping[str, Sequence[Strip]]) -> Iterator[str]:
    there = {cause for own in strips.values() for one in own for gap in one.gaps or () for cause in gap.causes}
    seen = [cause for cause in CAUSES if cause in there]
    looks = {"covered": "h", "no rows": ""} | {f"{cause}: {CAUSES[cause]}": causes.name(cause) for cause in seen}
    yield '<ul class="keys">'
    for text, look in looks.items():
        swatch = svg.element("rect", width="100%", height="100%", class_=look) if look else " "
        yield f"<li>{svg.element('svg', swatch, aria_hidden='true')}{escape(text)}</li>"
    yield "</ul>\n"


def strip(one: Strip, cut: Cut, most: int) -> str:
    """Return the strip of a history, with so many marks at most."""
    start, end = cut.share(one.first_ms), cut.share(one.last_ms)
    x, width = svg.percent(start), svg.percent(max(end - start, 0.002))
    there = svg.element("rect", x=x, width=width, height="100%", class_="h") if one.rows else ""
    missing = marks(shades(cut, one.gaps or (), most))
    words = f"{one.symbol} {one.kind}: {_words(one)}"
    picture = svg.element("svg", svg.title(words) + there + missing, role="img", class_="t")
    return f'<div class="i"><span>{escape(one.kind)}</span>{picture}<b>{share_text(one.covered)}</b></div>\n'


def _words(one: Strip) -> str:
    if not one.rows:
        return "no rows"
    times = f"from {utc(one.first_ms)} to {utc(one.last_ms)}"
    if one.gaps is None:
        return f"{times}, no ledger"
    return f"{share_text(one.covered)} covered {times}, gaps: {len(one.gaps)}"


def share_text(covered: int | None) -> str:
    """Return thousandths of a percent as percent."""
    return "-" if covered is None else f"{covered / 1000:.3f}".rstrip("0").rstrip(".") + " %"


def listed(symbol: str, strips: Sequence[Strip], most: int) -> str:
    """Return a symbol's gaps as a table, folded; the longest where there are many."""
    found = [(one.kind, gap) for one in strips for gap in one.gaps or ()]
    if not found:
        return ""
    chosen = sorted(found, key=lambda item: item[1].start_ms - item[1].end_ms)[:most]
    lines = [
        (kind, utc(gap.start_ms), utc(gap.end_ms), duration(gap.end_ms - gap.start_ms), ", ".join(gap.causes))
        for kind, gap in sorted(chosen, key=lambda item: item[1])
    ]
    told = f"Gaps of {symbol}: {len(found):,}" + (f", the {most} longest" if len(found) > most else "")
    return folded(told, Table(("kind", "from (UTC)", "to (UTC)", "for", "cause"), lines))
