"""A snapshot in words: the content of status.json, the line a minute in a log, the one line on a terminal.

Pure. Rates are the difference of two snapshots; without an earlier one they are those since the start.
"""

import json
import shlex
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from unicodedata import east_asian_width

from ..exchange.streams import KINDS
from ..order.standing import DELAY_BOUNDS_S, NEVER_DELIVERED_S, ConnectionState, Delays, StreamState
from ..wording import printable
from .snapshot import Snapshot

NAMES = 5  # of streams without a frame
SILENT_S = 3  # the heartbeat ticks every second
PRICES_SHOWN = 4
FIRST_RATES, FIRST_RATE, LATER_RATES = (
    3,
    2,
    20,
)  # of how many kinds the rate stays long on a narrow terminal, and places
BETWEEN = "  "

_text = json.JSONEncoder(ensure_ascii=False, default=str).encode


def status_json(snapshot: Snapshot) -> str:
    """Return the content of status.json: one object, one line for each fact, connection, and symbol's kind.

    A time is there twice: `NAME` in ISO 8601, UTC, and `NAME_unix_s`; both are null for what has not happened.
    """
    seen = snapshot
    facts: dict[str, object] = {
        "version": seen.version,
        "pid": seen.pid,
        **_moment("started", seen.started_ns // 1_000_000),
        **_moment("written", seen.now_ns // 1_000_000),
        **_moment("stopped", seen.stopped_ns // 1_000_000),
        **_moment("newest_frame", seen.newest_frame_ns // 1_000_000),
        **_moment("failing_since", seen.failing_since_ns // 1_000_000),
        "waiting": seen.waits_for or None,
        "last_error": printable(seen.last_error),
        "free_bytes": seen.free_bytes,
        "min_free_bytes": seen.min_free_bytes,
        "written_bytes": seen.written_bytes,
        "pending_bytes": seen.pending_bytes,
        "recorded_lines": seen.recorded.lines,
        "recorded_bytes": seen.recorded.bytes,
        "lost_lines": seen.recorded.lost,
        "queue_batches": seen.queue_batches,
        "queue_bytes": seen.queue_bytes,
        "rejects": seen.rejects,
        "duplicates": seen.duplicates,
        "skipped": seen.skipped,
        "book_checks": seen.book_checks,
        "book_mismatches": seen.book_mismatches,
        "gaps": sum(stream.gaps for stream in seen.streams),
        "reconnects": seen.reconnects,
        "clock_offset_ms": seen.clock_offset_ms,
        "clock_uncertainty_ms": seen.clock_uncertainty_ms,
        "clock_off": seen.clock_off,
        "receive_delay": _delay_facts(seen.delays),
        "newest_prices": {symbol: shown.get("price", "") for symbol, shown in seen.newest.items()},
        "newest_marks": {
            symbol: {name: shown[name] for name in ("mark_price", "funding_rate")}
            for symbol, shown in seen.newest.items()
            if "mark_price" in shown
        },
    }
    lines = [f"{_text(name)}: {_text(value)}" for name, value in facts.items()]
    settings = [f"  {_text(name)}: {_text(value)}" for name, value in seen.settings.items()]
    lines.append(_block('"settings": {', settings, "}"))
    lines.append(_block('"connections": [', [f"  {_text(_link(one, seen.now_ns))}" for one in seen.connections], "]"))
    symbols: dict[str, list[str]] = {}
    for stream in seen.streams:
        symbols.setdefault(stream.symbol, []).append(f"    {_text(stream.kind)}: {_text(_stream_facts(stream))}")
    told = [_block(f"  {_text(symbol)}: {{", kinds, "  }") for symbol, kinds in symbols.items()]
    lines.append(_block('"symbols": {', told, "}"))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def log_line(snapshot: Snapshot, previous: Snapshot | None) -> str:
    """Return what a log says once a minute, as `key=value`: rates since `previous`, totals since the start."""
    facts: dict[str, object] = {}
    for kind, (row_rate, frame_rate) in rates(snapshot, previous).items():
        facts[f"{_word(kind)}_rows_per_s"] = f"{row_rate:.1f}"
        facts[f"{_word(kind)}_frames_per_s"] = f"{frame_rate:.1f}"
    facts |= {
        "reconnects": sum(snapshot.reconnects.values()),
        "gaps": sum(stream.gaps for stream in snapshot.streams),
        "rejects": snapshot.rejects,
        "duplicates": snapshot.duplicates,
        "skipped": snapshot.skipped,
        "held_trades": sum(stream.held for stream in snapshot.streams),
        "missing_trades": sum(stream.missing for stream in snapshot.streams),
        "queue_batches": snapshot.queue_batches,
        "pending_bytes": snapshot.pending_bytes,
        "newest_frame_age_s": _age(snapshot.now_ns, snapshot.newest_frame_ns, "none"),
    }
    if snapshot.now_ns - snapshot.started_ns >= NEVER_DELIVERED_S * 1_000_000_000:
        never = [f"{stream.symbol}/{stream.kind}" for stream in snapshot.streams if not stream.frames]
        if never:
            facts["never_delivered"] = len(never)
            facts["never_delivered_streams"] = ",".join(never[:NAMES])
    return " ".join(f"{name}={value}" for name, value in facts.items())


def stop_line(snapshot: Snapshot) -> str:
    """Return what a run says of itself at its end, as `key=value`."""
    counts = dict.fromkeys(_kinds(snapshot), 0)
    for stream in snapshot.streams:
        counts[stream.kind] += stream.rows
    facts: dict[str, object] = {
        "seconds": f"{(snapshot.stopped_ns - snapshot.started_ns) / 1e9:.1f}",
        **{f"{_word(kind)}_rows": count for kind, count in counts.items()},
        "gaps": sum(stream.gaps for stream in snapshot.streams),
        "folder": snapshot.settings["data_dir"],
    }
    return " ".join(f"{name}={value}" for name, value in facts.items())


def proof_command(snapshot: Snapshot) -> str:
    """Return the command that proves a run's files, fit for a shell."""
    python = shlex.quote(sys.executable or "python3")
    return f"{python} -m aster_collect verify {shlex.quote(str(snapshot.settings['data_dir']))}"


def terminal_line(snapshot: Snapshot, previous: Snapshot | None, width: int) -> str:
    """Return one line of at most `width` columns; on a narrow terminal the least important parts are left out."""
    if snapshot.waits_for:
        return fit(f"WAITING: {snapshot.waits_for}", width)
    parts: list[tuple[int, str]] = []  # how soon it is left out, and its text
    if snapshot.failing_since_ns:
        parts.append((0, f"WRITE FAILING {_whole_s(snapshot.now_ns, snapshot.failing_since_ns)} s"))
    if not snapshot.newest_frame_ns:
        parts.append((1, _waited_for(snapshot)))
    elif snapshot.now_ns - snapshot.newest_frame_ns > SILENT_S * 1_000_000_000:
        parts.append((1, f"SILENT {_whole_s(snapshot.now_ns, snapshot.newest_frame_ns)} s"))
    for at, (kind, (rate, _)) in enumerate(rates(snapshot, previous).items()):
        parts.append((FIRST_RATE + at if at < FIRST_RATES else LATER_RATES + at, f"{kind} {_rate(rate)}/s"))
    newest = [texts for symbol, shown in snapshot.newest.items() if (texts := _newest(symbol, shown))][:PRICES_SHOWN]
    for at, texts in enumerate(newest):
        parts += zip((11 + at, 15 + at) if at else (6, 7), texts, strict=False)
    delay_s = _mean_delay_s(snapshot.delays, previous.delays if previous else None)
    if delay_s is not None:
        parts.append((8, f"delay {delay_s:.1f} s" if delay_s >= 1 else f"delay {delay_s * 1000:.0f} ms"))
    parts.append((5, f"gaps {sum(stream.gaps for stream in snapshot.streams)}"))
    parts.append((8, f"reconnects {sum(snapshot.reconnects.values())}"))
    parts.append((10, f"queue {snapshot.queue_batches}"))
    if snapshot.free_bytes < snapshot.min_free_bytes:
        parts.append((1, f"LOW DISK {_size(snapshot.free_bytes)}"))
    else:
        parts.append((9, f"free {_size(snapshot.free_bytes)}"))
    if snapshot.clock_off and snapshot.clock_offset_ms is not None:
        parts.append((1, f"CLOCK {snapshot.clock_offset_ms / 1000:+.1f} s"))
    while len(parts) > 1 and columns(BETWEEN.join(text for _, text in parts)) > width:
        parts.remove(max(parts))
    return fit(BETWEEN.join(text for _, text in parts), width)


def _newest(symbol: str, shown: dict[str, str]) -> list[str]:
    """Return what is newest of a symbol, for the terminal: its price, and its mark price; nothing where none came."""
    texts = [shown["price"]] if shown.get("price") else []
    if shown.get("mark_price"):
        texts.append(f"mark {shown['mark_price']} funding {shown.get('funding_rate') or '-'}")
    return [f"{symbol} {texts[0]}", *texts[1:]] if texts else []


def _waited_for(snapshot: Snapshot) -> str:
    """Return what keeps a run that has no data from having some."""
    if any(link.state == "open" for link in snapshot.connections):
        return "connected, no data yet"
    failures = ", ".join(f"{count} times {reason}" for reason, count in snapshot.reconnects.items())
    return f"WAITING for a connection, so far {failures}" if failures else "connecting"


def rates(snapshot: Snapshot, previous: Snapshot | None) -> dict[str, tuple[float, float]]:
    """Return rows and frames a second of each kind, 0 where no time has passed; a stream that went away is left out.

    Trades that were fetched over REST had no frame: of their rows no more are counted than frames came.
    """
    then_ns = previous.now_ns if previous else snapshot.started_ns
    elapsed_s = (snapshot.now_ns - then_ns) / 1e9
    before = {(one.symbol, one.kind): one for one in previous.streams} if previous else {}
    counts = {kind: [0, 0] for kind in _kinds(snapshot)}
    for stream in snapshot.streams:
        earlier = before.get((stream.symbol, stream.kind))
        count = counts[stream.kind]
        count[0] += stream.rows - (earlier.rows if earlier else 0)
        count[1] += stream.frames - (earlier.frames if earlier else 0)
    if elapsed_s <= 0:
        return dict.fromkeys(counts, (0.0, 0.0))
    for stream in snapshot.streams:
        if stream.has_ids:
            counts[stream.kind][0] = min(counts[stream.kind])
    return {kind: (new_rows / elapsed_s, new_frames / elapsed_s) for kind, (new_rows, new_frames) in counts.items()}


def _kinds(snapshot: Snapshot) -> list[str]:
    """Return what a run collects, in the order of the table of streams."""
    collected = {stream.kind for stream in snapshot.streams}
    return [kind for kind in KINDS if kind in collected]


def _word(kind: str) -> str:
    return KINDS[kind].prefix


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes; wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def fit(text: str, width: int) -> str:
    """Return as much of a text as `width` columns hold."""
    if columns(text) <= width:
        return text
    taken = 0
    for at, one in enumerate(text):
        taken += columns(one)
        if taken > width:
            return text[:at]
    return text


def _block(head: str, lines: Iterable[str], foot: str) -> str:
    inside = ",\n".join(lines)
    return f"{head}\n{inside}\n{foot}" if inside else head + foot.lstrip()


def _moment(name: str, time_ms: int) -> dict[str, object]:
    return {name: _iso(time_ms), f"{name}_unix_s": time_ms / 1000 if time_ms else None}


def _iso(time_ms: int) -> str | None:
    try:
        moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    except (ValueError, OverflowError, OSError):  # the exchange's own times are not bounded
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}Z" if time_ms else None


def _link(link: ConnectionState, now_ns: int) -> dict[str, object]:
    return {
        "connection": link.number,
        "state": link.state,
        "last_frame_age_s": round(max(0, now_ns - link.last_frame_ns) / 1e9, 1) if link.last_frame_ns else None,
        "frames": link.frames,
        "reconnects": link.reconnects,
        **_moment("last_frame", link.last_frame_ns // 1_000_000),
        **_moment("opened", link.opened_ns // 1_000_000),
    }


def _stream_facts(stream: StreamState) -> dict[str, object]:
    facts = {
        "rows": stream.rows,
        "frames": stream.frames,
        "gaps": stream.gaps,
        **_moment("last_row", stream.last_row_ms),
    }
    if stream.has_ids:
        facts |= {"missing_trades": stream.missing, "held_trades": stream.held}
    return facts


def _delay_facts(delays: Delays) -> dict[str, object]:
    mean_s = _mean_delay_s(delays, None)
    return {
        "batches": sum(delays.counts),
        "mean_s": None if mean_s is None else round(mean_s, 4),
        "median_at_most_s": _bound_s(delays, 0.5),
        "p99_at_most_s": _bound_s(delays, 0.99),
    }


def _bound_s(delays: Delays, share: float) -> float | None:
    """Return the least bound that this share of the delays lies within, None past the last one or without any."""
    wanted, seen = share * sum(delays.counts), 0
    for bound_s, count in zip(DELAY_BOUNDS_S, delays.counts, strict=False):
        seen += count
        if seen and seen >= wanted:
            return bound_s
    return None


def _mean_delay_s(delays: Delays, previous: Delays | None) -> float | None:
    count = sum(delays.counts) - (sum(previous.counts) if previous else 0)
    return (delays.sum_s - (previous.sum_s if previous else 0.0)) / count if count > 0 else None


def _age(now_ns: int, then_ns: int, none: str) -> str:
    return f"{max(0, now_ns - then_ns) / 1e9:.1f}" if then_ns else none


def _whole_s(now_ns: int, then_ns: int) -> int:
    return max(0, now_ns - then_ns) // 1_000_000_000


def _rate(rate: float) -> str:
    if rate >= 10_000:
        return f"{rate / 1000:.1f}k"
    return f"{rate:.0f}" if rate >= 10 or rate == 0 else f"{rate:.1f}"


def _size(size: int) -> str:
    for unit, scale in (("TB", 1 << 40), ("GB", 1 << 30)):  # as df -h and --min-free-mb count
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size >> 20} MB"
