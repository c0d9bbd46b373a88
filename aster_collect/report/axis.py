"""The page's time, cut into points of lines, bars, and lines of a table; each is a whole number of the ones before."""

from typing import NamedTuple

MOST_POINTS = 1500
_LEAST_POINTS = 120
_ALL_POINTS = 7200  # of one line of each symbol
_BARS = 48  # where there are no eight hours
_LINES = 32
_HOUR = 3600
_STEPS_S = (1, 2, 10, 30, 60, 300, 900, 1800, *(_HOUR * hours for hours in (1, 2, 4, 12, 24, 48, 240, 480, 2400, 4800,
            24_000, 48_000, 240_000, 480_000)))  # fmt: skip
_ENOUGH_HOURS = 8  # of which a bar each shows something


class Cut(NamedTuple):
    """A time, cut into steps of one length."""

    start_ms: int
    step_ms: int
    steps: int

    @property
    def end_ms(self) -> int:
        """Where the last step ends."""
        return self.start_ms + self.steps * self.step_ms

    def at(self, time_ms: int) -> int:
        """Return the step that a time lies in; what lies outside counts to the nearest."""
        return min(max((time_ms - self.start_ms) // self.step_ms, 0), self.steps - 1)

    def time_ms(self, at: int) -> int:
        """Return where a step begins."""
        return self.start_ms + at * self.step_ms

    def share(self, time_ms: int) -> float:
        """Return how far along the whole time a moment lies, from 0 to 1."""
        return min(max((time_ms - self.start_ms) / (self.end_ms - self.start_ms), 0.0), 1.0)


class Axis(NamedTuple):
    """One time in three cuts: points of lines, bars, and lines of a table."""

    points: Cut
    bars: Cut
    lines: Cut


def points_of_each(symbols: int) -> int:
    """Return how many points a line may have on a page of so many symbols."""
    return min(MOST_POINTS, max(_LEAST_POINTS, _ALL_POINTS // max(1, symbols)))


def axis(first_ms: int, last_ms: int, most: int) -> Axis:
    """Return the axis that a time lies in, of at most so many points; a bar is an hour where there are enough hours."""
    made = (_axis(first_ms, last_ms, point_s) for point_s in _STEPS_S)
    return next((one for one in made if one.points.steps <= most), _axis(first_ms, last_ms, _STEPS_S[-1]))


def _axis(first_ms: int, last_ms: int, point_s: int) -> Axis:
    length_s = (last_ms - first_ms) / 1000
    bar_s = max(point_s, _HOUR if length_s >= _ENOUGH_HOURS * _HOUR else _step(length_s / _BARS))
    line_s = max(bar_s, _step(length_s / _LINES))
    start_ms, end_ms = first_ms // (bar_s * 1000) * bar_s * 1000, (last_ms // (bar_s * 1000) + 1) * bar_s * 1000
    lines_ms = start_ms // (line_s * 1000) * line_s * 1000
    points, bars = (Cut(start_ms, step_s * 1000, (end_ms - start_ms) // (step_s * 1000)) for step_s in (point_s, bar_s))
    return Axis(points, bars, Cut(lines_ms, line_s * 1000, -((lines_ms - end_ms) // (line_s * 1000))))


def _step(least_s: float) -> int:
    """Return the smallest step that is so long."""
    return next((step for step in _STEPS_S if step >= least_s), _STEPS_S[-1])
