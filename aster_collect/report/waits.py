"""Delays as a chart: how long rows took to get here, by kind. Pure."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from html import escape

from . import svg
from .axis import Axis
from .drawings import Shown
from .figures import Drawing, Table, count_labels, drawn, figure, from_zero, path
from .numbers import duration
from .series import Delays

_TENTHS = (100, 126, 158, 200, 251, 316, 398, 501, 631, 794)  # of a power of ten
EDGES_MS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 63, 79,
            *(tenth * 10**power for power in range(13) for tenth in _TENTHS))  # fmt: skip
_QUANTILES = {"p50": 0.5, "p99": 0.99}
_LABELS = 5
_EARLY = -1  # the bin of what came before it was made
_UNKNOWN = (
    '<figure><figcaption><b>Delay</b></figcaption><p class="q">No file has the column <code>receive_time_ns</code>: '
    "collect with <code>--receive-time</code> to see how long rows took to get here.</p></figure>\n"
)


def delays(found: Sequence[Shown], axis: Axis) -> str:
    """Return how long rows took, by kind, or a sentence where nobody noted when they came."""
    known = [shown for shown in found if shown.series.rows]
    if not known:
        return _UNKNOWN
    bins = [_bins(shown.series) for shown in known]
    pictures = "".join(map(_picture, known, bins))
    note = "rows by milliseconds from the exchange's time to their receipt, in steps of about a fourth"
    return figure("Delay", note, f'{_flag(known)}<div class="m2">{pictures}</div>', _table(known, bins))


def _bins(series: Delays) -> Counter[int]:
    """Return how many rows lie behind each edge, and before the first."""
    bins = Counter({_EARLY: series.early} if series.early else {})
    for start, count in series.histogram.counts.items():
        bins[bisect_right(EDGES_MS, start) - 1] += count
    return bins


def _flag(known: Sequence[Shown]) -> str:
    """Say of what came before it was made that a clock is wrong."""
    early = {shown.kind: shown.series.early for shown in known if shown.series.early}
    if not early:
        return ""
    told = ", ".join(f"{count:,} rows of {kind}" for kind, count in early.items())
    most = duration(-min(shown.series.lowest_ms for shown in known))
    return (
        f'<p class="q"><b class="e">⚑ A clock</b> {escape(told)} came before they were made, by {most} at most. No '
        "network does that: this machine's clock was behind the exchange's, and the other delays are then too short "
        "by as much.</p>"
    )


def _picture(shown: Shown, bins: Counter[int]) -> str:
    series: Delays = shown.series
    low, high = min(bins), max(bins)
    width = high - low + 1
    within = from_zero(max(bins.values()))
    usual = {at - low: float(count) for at, count in bins.items() if at != _EARLY}
    early = {at - low: float(count) for at, count in bins.items() if at == _EARLY}
    paths = path(svg.bars(usual, within, width), "a s") + path(svg.bars(early, within, width), "e s")
    known = {word: series.quantile(share) for word, share in _QUANTILES.items()}
    lines = "".join(
        _mark(f"{word} {_ms(value)}", (bisect_right(EDGES_MS, value) - 1 - low + 0.5) / width)
        for word, value in known.items()
        if value is not None
    )
    words = ", ".join([*(f"{word} {_ms(value)}" for word, value in known.items()), f"max {series.highest_ms:,} ms"])
    every = -(-width // _LABELS)
    below = [((at - low + 0.5) / width, _edge(at)) for at in range(low, high + 1, every)]
    name, sentence = f"Delay of {shown.kind} of {shown.symbol}", f"{series.rows:,} rows: {words}."
    picture = drawn(Drawing(name, sentence, paths, width, count_labels(within), below, before=lines))
    return f"<div><b>{escape(shown.kind)}</b><small>{words}</small>{picture}</div>"


def _mark(words: str, share: float) -> str:
    x = svg.percent(share)
    return svg.element("line", svg.title(words), x1=x, x2=x, y1="0", y2="100%", class_="v")


def _table(known: Sequence[Shown], bins: Sequence[Counter[int]]) -> Table:
    lines = [[word, *(_ms(shown.series.quantile(share)) for shown in known)] for word, share in _QUANTILES.items()]
    lines.append(["max", *(f"{shown.series.highest_ms:,} ms" for shown in known)])
    for at in sorted({at for one in bins for at in one}):
        span = "below 0: a clock" if at == _EARLY else f"{EDGES_MS[at]:,} to {EDGES_MS[at + 1]:,} ms"
        lines.append([span, *(str(one[at]) for one in bins)])
    return Table(("delay", *(shown.kind for shown in known)), lines)


def _ms(value: int | None) -> str:
    return "below 0" if value is None else f"{value:,} ms"


def _edge(at: int) -> str:
    if at == _EARLY:
        return "< 0"
    return f"{EDGES_MS[at]:,} ms" if EDGES_MS[at] < 1000 else f"{EDGES_MS[at] / 1000:,g} s"
