"""Numbers, times and scales as people read them. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil, floor, isfinite, log10

_EPOCH = datetime.fromtimestamp(0, UTC)
_MS = timedelta(milliseconds=1)
_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3600, 86_400
_UNITS = ((_DAY, "day", "d"), (_HOUR, "hour", "h"), (_MINUTE, "minute", "min"), (_SECOND, "second", "s"))
_TICKS_S = (1, 2, 5, 10, 15, 30, _MINUTE, 120, 300, 600, 900, 1800, _HOUR, 7200, 10_800, 21_600, 43_200,
            *(_DAY * days for days in (1, 2, 5, 10, 30, 90, 365, 1825, 7300)))  # fmt: skip
_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


def moment(time_ms: int) -> datetime:
    """Return Unix milliseconds as a datetime of UTC."""
    return _EPOCH + time_ms * _MS


def utc(time_ms: int) -> str:
    """Return a time to the second."""
    return moment(time_ms).strftime("%Y-%m-%d %H:%M:%S")


def step_label(time_ms: int, step_ms: int) -> str:
    """Return where a step begins, no finer than the step."""
    at = moment(time_ms)
    if step_ms >= _DAY * 1000:
        return at.strftime("%Y-%m-%d")
    return at.strftime("%Y-%m-%d %H:%M" if step_ms >= _MINUTE * 1000 else "%Y-%m-%d %H:%M:%S")


def step_words(step_ms: int) -> str:
    """Return how long a step is: `hour`, `10 minutes`."""
    seconds = step_ms // 1000
    length, word, _ = next(unit for unit in _UNITS if not seconds % unit[0])
    count = seconds // length
    return word if count == 1 else f"{count:,} {word}s"


def duration(time_ms: int) -> str:
    """Return a length of time in its two largest units, seconds with what they have of thousandths."""
    if time_ms < 1000:
        return f"{time_ms} ms"
    seconds = time_ms / 1000
    for at, (length, _, short) in enumerate(_UNITS[:-1]):
        if seconds >= length:
            smaller, _, smaller_short = _UNITS[at + 1]
            rest = int(seconds % length // smaller)
            return f"{int(seconds // length):,} {short}" + (f" {rest} {smaller_short}" if rest else "")
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + " s"


def size(count: int) -> str:
    """Return a number of bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}" if unit != "B" else f"{count} B"
        count /= 1000  # type: ignore[assignment]
    return f"{count:,.1f} TB"


def plain(value: float, digits: int = 6) -> str:
    """Return a number with so many digits, without an exponent, thousands apart."""
    if not value or not isfinite(value):
        return "0" if not value else "∞"
    decimals = max(0, digits - 1 - floor(log10(abs(value))))
    text = f"{value:,.{min(decimals, 12)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell(value: float, digits: int = 12) -> str:
    """Return a number as it stands in a table: as `plain` does, for programs to take it."""
    return plain(value, digits).replace(",", "")


def tick_texts(values: Sequence[float], step: float) -> list[str]:
    """Return the numbers of a scale whose ticks are so far apart, all in one unit."""
    largest = max(map(abs, values), default=0.0)
    unit, letter = next(((unit, letter) for unit, letter in _LARGE if largest >= unit), (1.0, ""))
    decimals = max(0, -floor(log10(step / unit) + 1e-9))
    texts = [f"{value / unit:,.{decimals}f}" for value in values]
    return [f"{text}{letter}" if float(text.replace(",", "")) else "0" for text in texts]


def ticks(low: float, high: float, most: int = 5) -> tuple[float, list[float]]:
    """Return round numbers within a range, at most so many, and how far apart they are."""
    least = (high - low) / most
    power = 10.0 ** floor(log10(least))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
    return step, [at * step for at in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def time_ticks(start_ms: int, end_ms: int, most: int = 9) -> list[tuple[int, str]]:
    """Return round times within a time, at most so many, and what stands beside each."""
    length_s = (end_ms - start_ms) / 1000
    step_s = next((step for step in _TICKS_S if step * most >= length_s), _TICKS_S[-1])
    step_ms = step_s * 1000
    times = range(-(-start_ms // step_ms) * step_ms, end_ms + 1, step_ms)
    return [(time_ms, _tick_label(moment(time_ms), step_s, length_s)) for time_ms in times][: most + 1]


def _tick_label(at: datetime, step_s: int, length_s: float) -> str:
    if step_s >= _DAY or not (at.hour or at.minute or at.second):
        return at.strftime("%Y-%m-%d" if length_s > 300 * _DAY else "%b %d").replace(" 0", " ")
    return at.strftime("%H:%M" if step_s >= _MINUTE else "%H:%M:%S")
