"""How much of each history is covered: a strip over the page's time, with what is missing by its cause. Pure."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from . import svg
from .axis import Cut
from .figures import Stretch, Table, folded, marks, shades
from .numbers import duration, utc

LISTED = 40  # stretches of a symbol in its table, the longest


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


def strip(one: Strip, cut: Cut, most: int) -> str:
    """Return the strip of a history, with so many marks at most."""
    share = share_text(one.covered)
    words = f"{one.symbol} {one.kind}: " + (
        f"{share} covered from {utc(one.first_ms)} to {utc(one.last_ms)}, gaps: {len(one.gaps or ())}"
        if one.rows
        else "no rows"
    )
    start, end = cut.share(one.first_ms), cut.share(one.last_ms)
    there = svg.element(
        "rect", x=svg.percent(start), width=svg.percent(max(end - start, 0.002)), height="100%", class_="h"
    )
    missing = marks(shades(cut, one.gaps or (), most))
    picture = svg.element("svg", svg.title(words) + (there if one.rows else "") + missing, role="img", class_="t")
    return f'<div class="i"><span>{escape(one.kind)}</span>{picture}<b>{share}</b></div>\n'


def share_text(covered: int | None) -> str:
    """Return thousandths of a percent as percent."""
    return "-" if covered is None else f"{covered / 1000:.3f}".rstrip("0").rstrip(".") + " %"


def listed(symbol: str, strips: Sequence[Strip], most: int = LISTED) -> str:
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


def causes_of(strips: Sequence[Strip]) -> Counter[str]:
    """Return which causes there are, and how many gaps have each."""
    return Counter(cause for one in strips for gap in one.gaps or () for cause in gap.causes)
