"""What of each series is a chart. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from . import figures, svg
from .axis import Axis, Cut
from .figures import (
    Drawing,
    Legend,
    Stretch,
    Table,
    drawn,
    figure,
    from_zero,
    path,
    scale,
    size_labels,
    time_labels,
    value_labels,
)
from .histogram import Histogram, merged
from .numbers import cell, plain, step_label, step_words
from .series import SPREAD_PARTS, Depth, Quoted, Traded


class Shown(NamedTuple):
    """A series of a symbol: which kind it is of, and what is missing of that."""

    symbol: str
    kind: str
    series: Any
    gaps: Sequence[Stretch]


Draw = Callable[[Sequence[Shown], Axis], str]
ValueLabels = Callable[[svg.Range], list[tuple[float, str]]]


class _Frame:
    """The time of a chart of lines: shades where rows are missing, and where lines have to end."""

    def __init__(self, shown: Shown, cut: Cut) -> None:
        self.cut = cut
        self.shown = shown
        self._starts = [gap.start_ms for gap in shown.gaps]
        self.behind = figures.marks(figures.shades(cut, shown.gaps))

    def broken(self, before: int, at: int) -> bool:
        """Return whether a stretch of the ledger lies in the empty steps between two."""
        if at - before == 1:
            return False
        nearest = bisect_right(self._starts, self.cut.time_ms(at)) - 1
        return nearest >= 0 and self.shown.gaps[nearest].end_ms > self.cut.time_ms(before + 1)

    def drawn(self, name: str, sentence: str, paths: str, within: svg.Range, labels: ValueLabels = value_labels) -> str:
        """Return a drawing of this time."""
        name = f"{name} of {self.shown.symbol}"
        left, below = labels(within), time_labels(self.cut)
        return drawn(Drawing(name, sentence, paths, self.cut.steps, left, below, self.behind))


def _lines(cut: Cut, axis: Axis, steps: Mapping[int, Any]) -> list[tuple[str, list[Any]]]:
    """Return by line of a table what is shown in the steps that it holds."""
    lines = groupby(sorted(steps), lambda at: axis.lines.at(cut.time_ms(at)))
    return [
        (step_label(axis.lines.time_ms(line), axis.lines.step_ms), [steps[at] for at in run]) for line, run in lines
    ]


def quotes(found: Sequence[Shown], axis: Axis) -> str:
    """Return the mid, and the spread."""
    return "".join(_mid(shown, axis) + _spread(shown, axis) for shown in found if shown.series.points)


def _mid(shown: Shown, axis: Axis) -> str:
    points: dict[int, Quoted] = shown.series.points
    frame = _Frame(shown, axis.points)
    low, high = min(one.lowest for one in points.values()), max(one.highest for one in points.values())
    within = scale(low, high)
    ends = {at: (one.lowest, one.highest) for at, one in points.items()}
    last = {at: float(one.last) for at, one in points.items()}
    paths = path(svg.band(ends, within, frame.broken), "n") + path(svg.line(last, within, frame.broken), "a l")
    first, final = points[min(points)].last, points[max(points)].last
    sentence = f"From {first} to {final}; lowest {plain(low, 12)}, highest {plain(high, 12)}."
    each = step_words(axis.points.step_ms)
    note = f"from {shown.kind}; the last of each {each}, and from the lowest to the highest"
    lines = [
        (label, some[-1].last, cell(min(one.lowest for one in some)), cell(max(one.highest for one in some)))
        for label, some in _lines(axis.points, axis, points)
    ]
    table = Table(("from (UTC)", "last", "lowest", "highest"), lines)
    return figure("Mid", note, frame.drawn("Mid", sentence, paths, within), table)


def _spread(shown: Shown, axis: Axis) -> str:
    points: dict[int, Quoted] = shown.series.points
    frame = _Frame(shown, axis.points)
    halves, highs = ({at: _bp(one.spreads, share) for at, one in points.items()} for share in (0.5, 0.95))
    within = from_zero(max(highs.values()))
    paths = path(svg.line(highs, within, frame.broken), "b l") + path(svg.line(halves, within, frame.broken), "a l")
    all_of_it = merged(one.spreads for one in points.values())
    median, high = (plain(_bp(all_of_it, share), 4) for share in (0.5, 0.95))
    note = f"basis points of the mid, over the rows of each {step_words(axis.points.step_ms)}, from {shown.kind}"
    lines = [(label, *_spread_cells(some)) for label, some in _lines(axis.points, axis, points)]
    table = Table(("from (UTC)", "median, bp", "95th percentile, bp", "quotes"), lines)
    sentence = f"Over all rows the median is {median} basis points, and the 95th percentile {high}."
    legend = Legend("a", f"median, {median} over all"), Legend("b", f"95th percentile, {high} over all")
    return figure("Spread", note, frame.drawn("Spread", sentence, paths, within), table, legend)


def _bp(spreads: Histogram, share: float) -> float:
    return spreads.quantile(share) / SPREAD_PARTS


def _spread_cells(some: Sequence[Quoted]) -> tuple[str, str, str]:
    spreads = merged(one.spreads for one in some)
    return cell(_bp(spreads, 0.5), 4), cell(_bp(spreads, 0.95), 4), str(spreads.total)


def sides(found: Sequence[Shown], axis: Axis) -> str:
    """Return how many rows there are, and of which quantity, by side: bought above zero, sold below it."""
    return "".join(
        _sides(shown, axis, what, of)
        for shown in found
        if shown.series.bars
        for what, of in (("rows", 0), ("volume", 1))
    )


def _sides(shown: Shown, axis: Axis, what: str, of: int) -> str:
    bars: dict[int, tuple[Traded, ...]] = shown.series.bars
    frame = _Frame(shown, axis.bars)
    bought, sold = ({at: float(both[side][of]) for at, both in bars.items()} for side in (0, 1))
    most = max(*bought.values(), *sold.values()) * 1.06 or 1.0
    within = svg.Range(-most if any(sold.values()) else 0.0, most if any(bought.values()) else 0.0)
    steps = axis.bars.steps
    paths = path(svg.bars(bought, within, steps), "a s")
    paths += path(svg.bars({at: -value for at, value in sold.items()}, within, steps), "b s")
    per = step_words(axis.bars.step_ms)
    an = "an hour" if per == "hour" else f"a {per}" if per[0].isalpha() else f"each {per}"
    heading = f"{shown.kind.capitalize()} {an}" if what == "rows" else f"Volume of {shown.kind} {an}"
    lines = [(label, *_side_cells(some)) for label, some in _lines(axis.bars, axis, bars)]
    totals = [plain(sum(values.values()), 12) for values in (bought, sold)]
    columns = [f"{word} {what}" for what in ("rows", "quantity", "price * quantity") for word in ("bought", "sold")]
    legend = Legend("a sq", f"bought, {totals[0]} in all"), Legend("b sq", f"sold, {totals[1]} in all")
    sentence = f"Bought {totals[0]}, sold {totals[1]} in all."
    note = f"{'how many rows' if what == 'rows' else 'quantity, in the base currency'}, from {shown.kind}"
    picture = frame.drawn(heading, sentence, paths, within, size_labels)
    return figure(heading, note, picture, Table(("from (UTC)", *columns), lines), legend)


def _side_cells(some: Sequence[tuple[Traded, ...]]) -> list[str]:
    return [cell(sum(both[side][of] for both in some)) for of in range(3) for side in (0, 1)]


def depth(found: Sequence[Shown], axis: Axis) -> str:
    """Return the depth near the mid, from what knows most of it."""
    known = [shown for shown in found if shown.series.points]
    if not known:
        return ""
    most = max(len(shown.series.points) for shown in known)
    shown = max((one for one in known if 2 * len(one.series.points) >= most), key=_whole_share)
    points: dict[int, Depth] = shown.series.points
    frame = _Frame(shown, axis.points)
    bids, asks = ({at: one[side] for at, one in points.items()} for side in (0, 1))
    within = from_zero(max(*bids.values(), *asks.values()))
    paths = path(svg.line(bids, within, frame.broken), "a l") + path(svg.line(asks, within, frame.broken), "b l")
    each = step_words(axis.points.step_ms)
    cut = sum(not one.whole for one in points.values())
    note = f"price * quantity at the end of each {each}, in the quote currency, from {shown.kind}"
    if cut:
        note += f"; in {cut:,} of {len(points):,} the book as collected ends before: there was more than is shown"
    lines = [
        (label, cell(some[-1].bids, 8), cell(some[-1].asks, 8), "yes" if some[-1].whole else "no")
        for label, some in _lines(axis.points, axis, points)
    ]
    table = Table(("from (UTC)", "bids, last", "asks, last", "all of it"), lines)
    means = [plain(sum(side.values()) / len(side), 4) for side in (bids, asks)]
    sentence = f"On average {means[0]} of bids and {means[1]} of asks."
    heading = "Depth within 10 basis points of the mid"
    legend = Legend("a", f"bids, {means[0]} on average"), Legend("b", f"asks, {means[1]} on average")
    return figure(heading, note, frame.drawn(heading, sentence, paths, within), table, legend)


def _whole_share(shown: Shown) -> float:
    points: dict[int, Depth] = shown.series.points
    return sum(point.whole for point in points.values()) / len(points)


def _last(heading: str, words: Sequence[str], unit: str, times: float) -> Callable[[Sequence[Shown], Axis], str]:
    """Return what draws the last values of each point: one line for each column, named by a word each."""

    def draw(found: Sequence[Shown], axis: Axis) -> str:
        return "".join(_last_of(shown, axis) for shown in found if any(shown.series.columns.values()))

    def _last_of(shown: Shown, axis: Axis) -> str:
        columns: dict[str, dict[int, str]] = shown.series.columns
        frame = _Frame(shown, axis.points)
        each = [{at: float(text) * times for at, text in points.items()} for points in columns.values()]
        values = [value for points in each for value in points.values()]
        within = scale(min(values), max(values))
        paths = "".join(
            path(svg.line(points, within, frame.broken), f"{colour} l")
            for points, colour in reversed([*zip(each, "ab", strict=False)])
        )
        note = f"{unit}, the last of each {step_words(axis.points.step_ms)}, from {shown.kind}"
        steps = {at for points in columns.values() for at in points}
        every = {at: [points.get(at, "") for points in columns.values()] for at in steps}
        lines = [
            (label, *(next((row[at] for row in reversed(some) if row[at]), "") for at in range(len(columns))))
            for label, some in _lines(axis.points, axis, every)
        ]
        low, high = plain(min(values), 8), plain(max(values), 8)
        legend = [Legend(colour, word) for word, colour in zip(words, "ab", strict=False)] if len(words) > 1 else []
        picture = frame.drawn(heading, f"Lowest {low}, highest {high}.", paths, within)
        return figure(heading, note, picture, Table(("from (UTC)", *columns), lines), legend)

    return draw


marks = _last("Mark and index price", ("mark price", "index price"), "quote currency", 1)
funding = _last("Funding rate", ("funding rate",), "percent of the position", 100)
interest = _last("Open interest", ("open interest",), "base currency", 1)
