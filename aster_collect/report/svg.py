"""Elements and paths of SVG. Pure.

A drawing is as wide as its place: what lies along the time has its place in shares of the width, and lines are drawn
in a box of their own, a step of the time wide each and `HEIGHT` high, which is stretched.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import NamedTuple

HEIGHT = 1000
APART = 150  # bars, between which an eye sees room

Broken = Callable[[int, int], bool]  # whether a line has to end between two steps


class Range(NamedTuple):
    """The lowest and the highest value that a drawing shows."""

    low: float
    high: float

    def y(self, value: float) -> int:
        """Return how far below the top of a box a value lies."""
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT * (1 - min(max(share, 0.0), 1.0)))


def element(name: str, content: str = "", **attributes: object) -> str:
    """Return an element; a trailing underscore of an attribute's name is left out, others are hyphens."""
    told = "".join(f' {key.strip("_").replace("_", "-")}="{escape(str(value))}"' for key, value in attributes.items())
    return f"<{name}{told}>{content}</{name}>" if content else f"<{name}{told}/>"


def title(text: str) -> str:
    """Return what an element is called: a pointer that rests on it, and a screen reader, tell it."""
    return f"<title>{escape(text)}</title>"


def percent(share: float) -> str:
    """Return a share as it stands in an attribute."""
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"


def line(points: Mapping[int, float], within: Range, broken: Broken) -> str:
    """Return a path through points in the middle of their steps, in pieces where it is broken.

    One alone is as long as its step, to be seen.
    """
    return "".join(_through([(at, within.y(points[at])) for at in run]) for run in _pieces(points, broken))


def _pieces(steps: Iterable[int], broken: Broken) -> Iterator[list[int]]:
    run: list[int] = []
    for at in sorted(steps):
        if run and broken(run[-1], at):
            yield run
            run = []
        run.append(at)
    if run:
        yield run


def _through(corners: list[tuple[int, int]]) -> str:
    (x, y), *rest = corners
    if not rest:
        return f"M{x} {y}h1"
    pieces = [f"M{x}.5 {y}"]
    for at, here in rest:
        pieces.append(f"l{at - x} {here - y}")
        x, y = at, here
    return "".join(pieces)


def band(points: Mapping[int, tuple[float, float]], within: Range, broken: Broken) -> str:
    """Return a path round the area between two values of each point."""
    pieces = []
    for run in _pieces(points, broken):
        there = [(at, within.y(points[at][1])) for at in run]
        back = [(at, within.y(points[at][0])) for at in reversed(run)]
        pieces.append(f"{_through([*there, *back])}z")
    return "".join(pieces)


def bars(values: Mapping[int, float], within: Range, steps: int) -> str:
    """Return a path round bars that stand on zero, or hang from it; where there are few there is room between them."""
    base = within.y(0)
    heights = [(at, within.y(values[at])) for at in sorted(values)]
    if steps <= APART:
        return "".join(f"M{at}.1 {base}V{y}h.8V{base}z" for at, y in heights if y != base)
    pieces: list[str] = []
    before, level = -1, base
    for at, y in heights:
        if at != before:
            pieces.append(f"V{base}M{at} {base}" if pieces else f"M{at} {base}")
            level = base
        pieces.append("h1" if y == level else f"V{y}h1")
        before, level = at + 1, y
    return "".join([*pieces, f"V{base}"] if pieces else pieces)
