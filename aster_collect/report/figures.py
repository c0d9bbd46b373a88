"""A chart as HTML: its drawing, the labels of its scales, its legend, and its table, folded. Pure.

Labels are text beside the drawing, not in it, so that they stay as large on a narrow screen.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from . import svg
from .axis import Cut
from .causes import name
from .numbers import duration, tick_texts, ticks, time_ticks, utc
from .svg import HEIGHT, Range, element, percent

MOST_SHADES = 100  # in a drawing; what is nearer than a pixel to the one before is one with it
TITLED = 50  # marks of a drawing: of more a pointer could hit none
_NARROW = 0.0012  # of the width
_EDGE = 0.06  # of the width: a label so near to an end begins or ends there


class Stretch(NamedTuple):
    """A time in which rows may be missing, in milliseconds, and why."""

    start_ms: int
    end_ms: int
    causes: tuple[str, ...]


class Legend(NamedTuple):
    """What one colour of a drawing stands for: `a` or `b`, and of an area `a sq` or `b sq`."""

    colour: str
    text: str


class Table(NamedTuple):
    """What a chart shows, in numbers; the first column names each line."""

    columns: Sequence[str]
    lines: Sequence[Sequence[str]]


class Drawing(NamedTuple):
    """What is drawn: a name and a sentence for those who don't see it, paths, and the labels of both scales."""

    name: str
    sentence: str
    paths: str
    box: int  # how many steps the paths' box is wide
    left: Sequence[tuple[float, str]]  # share of the height from the top, and text
    below: Sequence[tuple[float, str]]  # share of the width, and text
    behind: str = ""
    before: str = ""


def path(shape: str, kind: str) -> str:
    """Return a path of a kind that the page's style knows."""
    return element("path", d=shape, class_=kind) if shape else ""


def scale(low: float, high: float) -> Range:
    """Return a range that shows values well: with some room, and where they are all the same with more."""
    room = (high - low) * 0.06 or abs(high) * 0.001 or 1.0
    return Range(low - room, high + room)


def from_zero(high: float) -> Range:
    """Return a range from zero on."""
    return Range(0.0, high * 1.06 or 1.0)


def value_labels(within: Range) -> list[tuple[float, str]]:
    """Return the labels of a range, each with its share of the height."""
    step, values = ticks(within.low, within.high)
    return [(within.y(value) / HEIGHT, text) for value, text in zip(values, tick_texts(values, step), strict=True)]


def count_labels(within: Range) -> list[tuple[float, str]]:
    """Return the labels of a range of whole numbers."""
    step, values = ticks(within.low, within.high)
    whole = [value for value in values if abs(value - round(value)) < step / 2]
    return [
        (within.y(value) / HEIGHT, text) for value, text in zip(whole, tick_texts(whole, max(step, 1)), strict=True)
    ]


def size_labels(within: Range) -> list[tuple[float, str]]:
    """Return the labels of a range whose two sides both are sizes."""
    return [(at, text.removeprefix("-")) for at, text in value_labels(within)]


def time_labels(cut: Cut) -> list[tuple[float, str]]:
    """Return the labels of a time, each with its share of the width."""
    return [(cut.share(time_ms), text) for time_ms, text in time_ticks(cut.start_ms, cut.end_ms)]


def shades(cut: Cut, stretches: Iterable[Stretch], most: int = MOST_SHADES) -> list[tuple[float, float, Stretch]]:
    """Return where stretches lie, as shares of the width, each with the stretch that it shows.

    Those that are too near to each other for an eye are shown as one, with the causes of all, and if there are still
    too many, nearness is more.
    """
    stretches = [one for one in stretches if one.end_ms >= cut.start_ms and one.start_ms <= cut.end_ms]
    near = _NARROW
    while True:
        shown: list[tuple[float, float, Stretch]] = []
        for one in stretches:
            start, end = cut.share(one.start_ms), cut.share(one.end_ms)
            if shown and start - shown[-1][1] < near:
                first, _, before = shown[-1]
                both = tuple(dict.fromkeys((*before.causes, *one.causes)))
                shown[-1] = (
                    first,
                    max(end, shown[-1][1]),
                    Stretch(before.start_ms, max(before.end_ms, one.end_ms), both),
                )
            else:
                shown.append((start, end, one))
        if len(shown) <= most:
            return shown
        near *= 2


def marks(places: Sequence[tuple[float, float, Stretch]]) -> str:
    """Return stretches as marks that are as high as their drawing, and wide enough to be seen; few of them say more."""
    return "".join(
        element(
            "rect",
            svg.title(_words(stretch)) if len(places) <= TITLED else "",
            class_=f"g {name(stretch.causes[0])}",
            x=percent(min(start, 1 - max(end - start, 2 * _NARROW))),
            width=percent(max(end - start, 2 * _NARROW)),
            height="100%",
        )
        for start, end, stretch in places
    )


def _words(stretch: Stretch) -> str:
    times = f"{utc(stretch.start_ms)} to {utc(stretch.end_ms)}"
    return f"{', '.join(stretch.causes)}: {times}, {duration(stretch.end_ms - stretch.start_ms)}"


def figure(heading: str, note: str, drawing: str, table: Table, legend: Sequence[Legend] = ()) -> str:
    """Return a chart with all that belongs to it; heading and note are text, the drawing HTML."""
    keys = "".join(f'<span class="k"><i class="{one.colour}"></i>{escape(one.text)}</span>' for one in legend)
    told = f"<small>{escape(note)}</small>" if note else ""
    caption = f"<figcaption><b>{escape(heading)}</b>{keys}{told}</figcaption>"
    return f"<figure>{caption}{drawing}{folded(f'Table: {heading}', table)}</figure>\n"


def drawn(drawing: Drawing) -> str:
    """Return a drawing with its labels."""
    grid = "".join(
        element("line", x1="0", x2="100%", y1=percent(at), y2=percent(at), class_="r") for at, _ in drawing.left
    )
    box = element(
        "svg", drawing.paths, viewBox=f"0 0 {drawing.box} {HEIGHT}", preserveAspectRatio="none",
        width="100%", height="100%",
    )  # fmt: skip
    about = svg.title(drawing.name) + element("desc", escape(drawing.sentence))
    picture = element("svg", about + drawing.behind + grid + box + drawing.before, role="img", class_="p")
    left = "".join(f'<span style="top:{percent(at)}">{escape(text)}</span>' for at, text in drawing.left)
    gutter = max((len(text) for _, text in drawing.left), default=0)
    wide = f' style="--y:{gutter}ch"' if gutter > 7 else ""
    return f'<div class="f"{wide}><div class="y" aria-hidden="true">{left}</div>{picture}{_below(drawing.below)}</div>'


def _below(labels: Sequence[tuple[float, str]]) -> str:
    """Return labels below a drawing; every second one goes where there is little room."""
    told = "".join(
        f'<span class="{"a" if at < _EDGE else "z" if at > 1 - _EDGE else "m"}{" o" if number % 2 else ""}" '
        f'style="left:{percent(at)}">{escape(text)}</span>'
        for number, (at, text) in enumerate(labels)
    )
    return f'<div class="x" aria-hidden="true">{told}</div>'


def time_row(cut: Cut) -> str:
    """Return the labels of a time as a line of their own."""
    return _below(time_labels(cut))


def folded(summary: str, table: Table) -> str:
    """Return a table, folded; it can be scrolled by keyboard where it is wider than the screen."""
    return f"<details><summary>{escape(summary)}</summary>{scrolled(summary, table)}</details>" if table.lines else ""


def scrolled(label: str, table: Table, kind: str = "") -> str:
    """Return a table that can be scrolled; the page's style knows the kinds that are special."""
    head = "".join(f'<th scope="col">{escape(column)}' for column in table.columns)
    lines = "".join(
        f'<tr><th scope="row">{escape(first)}{"".join(f"<td>{escape(cell)}" for cell in cells)}\n'
        for first, *cells in table.lines
    )
    place = f'<div class="{f"w {kind}".strip()}" tabindex="0" role="region" aria-label="{escape(label)}">'
    return f"{place}<table><thead><tr>{head}</thead><tbody>\n{lines}</tbody></table></div>"
