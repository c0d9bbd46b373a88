"""The content of status.json. Pure."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from ..order.standing import DELAY_BOUNDS_S, ConnectionState, Delays, StreamState
from ..wording import printable
from .rates import mean_delay_s
from .snapshot import Snapshot

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
    mean_s = mean_delay_s(delays, None)
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
