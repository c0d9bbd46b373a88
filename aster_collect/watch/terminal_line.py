"""What a terminal says of a run: one line, as much of it as fits. Pure."""

from .columns import columns, fit
from .rates import mean_delay_s, rates
from .snapshot import Snapshot

SILENT_S = 3  # the heartbeat ticks every second
PRICES_SHOWN = 4
FIRST_RATES = 3  # of how many kinds the rate stays long on a narrow terminal …
FIRST_RATE, LATER_RATES = 2, 20  # … and how soon those go, and the others
BETWEEN = "  "


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
    delay_s = mean_delay_s(snapshot.delays, previous.delays if previous else None)
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
